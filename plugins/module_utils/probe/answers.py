# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The class of a service's HTTP answer: who let the call in, or who refused it.

Each cloud has its own rules, because the same status means different things: an unsigned call that Azure answers with
401 has passed every rule about networks, where AWS judges networks by the caller's identity and signature.

AWS names the kind of policy in the text of its refusal:
https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
Azure names the rule in the text of a 403:
https://learn.microsoft.com/azure/ai-services/cognitive-services-virtual-networks
Google asks for credentials first, and names the perimeter as the reason of a 403:
https://cloud.google.com/vpc-service-controls/docs/troubleshooting
"""

from __future__ import annotations

import json
import re
from typing import Any, Callable, Dict, Mapping, Tuple

from .text import plain

ADMITTED = "admitted"
DENIED_SCP = "denied_scp"
DENIED_ENDPOINT_POLICY = "denied_endpoint_policy"
DENIED_IDENTITY = "denied_identity"
DENIED_PUBLIC_ACCESS = "denied_public_access"
DENIED_NETWORK_RULES = "denied_network_rules"
DENIED_UNAPPROVED_ENDPOINT = "denied_unapproved_endpoint"
DENIED_PERIMETER = "denied_perimeter"
DENIED_OTHER = "denied_other"
UNAUTHENTICATED = "unauthenticated"
BAD_CREDENTIALS = "bad_credentials"
THROTTLED = "throttled"
INVALID_REQUEST = "invalid_request"
SERVER_ERROR = "server_error"
OTHER = "other"
CLASSES = (
    ADMITTED,
    DENIED_SCP,
    DENIED_ENDPOINT_POLICY,
    DENIED_IDENTITY,
    DENIED_PUBLIC_ACCESS,
    DENIED_NETWORK_RULES,
    DENIED_UNAPPROVED_ENDPOINT,
    DENIED_PERIMETER,
    DENIED_OTHER,
    UNAUTHENTICATED,
    BAD_CREDENTIALS,
    THROTTLED,
    INVALID_REQUEST,
    SERVER_ERROR,
    OTHER,
)

_UNAUTHENTICATED = {"MissingAuthenticationToken", "MissingAuthenticationTokenException"}
_BAD_CREDENTIALS = {
    "AuthFailure",
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteSignature",
    "IncompleteSignatureException",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "InvalidToken",
    "NotAuthorized",
    "RequestExpired",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
}
_THROTTLED = {
    "RequestLimitExceeded",
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "TooManyRequestsException",
}
_DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"}
_IDENTITY_POLICIES = ("identity-based policy", "permissions boundary", "session policy")
_AZURE_TEXTS = (
    ("public access is disabled", DENIED_PUBLIC_ACCESS),
    ("virtual network/firewall rules", DENIED_NETWORK_RULES),
    ("not from an approved private endpoint", DENIED_UNAPPROVED_ENDPOINT),
)
_GOOGLE_DENIALS = {
    "SECURITY_POLICY_VIOLATED": DENIED_PERIMETER,
    "vpcServiceControls": DENIED_PERIMETER,
    "IAM_PERMISSION_DENIED": DENIED_IDENTITY,
}
_GOOGLE_LIMITS = {"rateLimitExceeded", "userRateLimitExceeded", "RATE_LIMIT_EXCEEDED"}
_LONGEST_CODE, _LONGEST_MESSAGE = 100, 1000
_PRINCIPAL = re.compile(r"User: (arn:[\w-]+:(?:iam|sts)::\d+:\S+) is not authorized")
_XML_CODE = re.compile(r"<Code>([^<]+)</Code>")
_XML_MESSAGE = re.compile(r"<Message>([^<]+)</Message>")


def code_and_message(headers: Mapping[str, str], body: str) -> Tuple[str | None, str | None]:
    """The error code and text of an answer; headers with lower-case names, JSON or XML body."""
    code = headers.get("x-amzn-errortype") or headers.get("x-amzn-error-type")
    message = None
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        # No JSON, or an answer made to exhaust who reads it.
        found = _XML_CODE.search(body)
        code = code or (found.group(1) if found else None)
        found = _XML_MESSAGE.search(body)
        message = found.group(1) if found else None
    else:
        if isinstance(document, dict):
            # Azure and Google wrap both in `error`.
            inner = document.get("error")
            document = inner if isinstance(inner, dict) else document
            code = code or _reason(document) or document.get("__type") or document.get("code")
            message = document.get("message") or document.get("Message")
    # "AccessDeniedException:http://internal…", "com.amazon.coral.service#AccessDeniedException"
    code = str(code).split(":", maxsplit=1)[0].rpartition("#")[2] if code else None
    return (
        plain(code, _LONGEST_CODE) if code else None,
        plain(message, _LONGEST_MESSAGE) if message is not None else None,
    )


def _reason(document: Mapping[str, Any]) -> str | None:
    """Google's word for what went wrong: of its typed details, else of the list that its older APIs have."""
    details = document.get("details")
    for item in details if isinstance(details, list) else []:
        if isinstance(item, dict) and str(item.get("@type")).endswith("google.rpc.ErrorInfo"):
            return item.get("reason")
    errors = document.get("errors")
    first = errors[0] if isinstance(errors, list) and errors else None
    reason = first.get("reason") if isinstance(first, dict) else None
    return reason or document.get("status")


def classify(cloud: str, status: int, code: str | None, message: str | None) -> str:
    """The class of an answer of this cloud by its status, error code and text."""
    if 200 <= status < 300:
        return ADMITTED
    return _RULES.get(cloud, _by_status)(status, code, message)


def _by_status(status: int, _code: str | None, _message: str | None) -> str:
    """What the status alone says, in any cloud."""
    if status == 429:
        return THROTTLED
    if status >= 500:
        return SERVER_ERROR
    if status in (401, 403):
        return DENIED_OTHER
    return INVALID_REQUEST if 400 <= status < 500 else OTHER


def _aws(status: int, code: str | None, message: str | None) -> str:
    if code in _UNAUTHENTICATED:
        return UNAUTHENTICATED
    if code in _BAD_CREDENTIALS:
        return BAD_CREDENTIALS
    if status == 429 or code in _THROTTLED:
        return THROTTLED
    if code in _DENIED:
        return _denied_by(message or "")
    return _by_status(status, code, message)


def _denied_by(message: str) -> str:
    text = message.lower()
    # Only an explicit deny is a lock's doing; "no service control policy allows" is a missing permission.
    if "explicit deny in a service control policy" in text:
        return DENIED_SCP
    if "vpc endpoint policy" in text:
        return DENIED_ENDPOINT_POLICY
    if any(kind in text for kind in _IDENTITY_POLICIES):
        return DENIED_IDENTITY
    return DENIED_OTHER


def _azure(status: int, code: str | None, message: str | None) -> str:
    """Networks are judged before credentials, so whoever is asked for credentials has passed."""
    if status in (401, 404):
        return ADMITTED
    text = (message or "").lower()
    if status == 403:
        return next((kind for part, kind in _AZURE_TEXTS if part in text), DENIED_OTHER)
    return _by_status(status, code, message)


def _gcp(status: int, code: str | None, message: str | None) -> str:
    """Credentials come first: whoever is asked for them has learnt nothing about networks."""
    if status == 401:
        return UNAUTHENTICATED if code == "CREDENTIALS_MISSING" else BAD_CREDENTIALS
    if code in _GOOGLE_LIMITS:
        return THROTTLED
    if status == 403:
        return _GOOGLE_DENIALS.get(code or "", DENIED_OTHER)
    return _by_status(status, code, message)


# A cloud adds its rules here; the answers of any other are told apart by status.
_RULES: Dict[str, Callable[[int, Any, Any], str]] = {"aws": _aws, "azure": _azure, "gcp": _gcp}


def principal_in(message: str | None) -> str | None:
    """The caller's ARN, which AWS names when it refuses."""
    found = _PRINCIPAL.search(message or "")
    return found.group(1) if found else None
