# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What botocore raises, as one clear sentence with the cloud's code, the denied action and the fix."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

from ..core.errors import EndpointError

Kind = Literal["denied", "credentials", "network", "missing", "throttled", "refused", "server"]

_DENIED = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "UnauthorizedOperation",
        "Client.UnauthorizedOperation",
        "NotAuthorized",
        "AuthorizationError",
    }
)
_EXPIRED = frozenset(
    {"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"}
)
_REJECTED = frozenset(
    {
        "AuthFailure",
        "IncompleteSignature",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "InvalidToken",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
_THROTTLED = frozenset(
    {
        "RequestLimitExceeded",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "PriorRequestNotComplete",
        "EC2ThrottledException",
    }
)
_ACTION = re.compile(r"not authorized to perform:?\s+(?P<action>[a-z0-9-]+:[A-Za-z0-9*]+)")
# What only takes away from what policies of the caller allow.
_CEILING = re.compile(
    r"no (service control policy|permissions boundary|session policy|VPC endpoint policy) allows"
)
_ENCODED = re.compile(r"\s*Encoded authorization failure message:.*", re.DOTALL)


class AwsError(EndpointError):
    """What AWS, or the way to it, answered.

    action: the IAM action that was called or denied, when known (`ec2:CreateVpcEndpoint`).
    kind: denied (authorisation), credentials (none, expired or not accepted), network (no answer), missing (the
    resource does not exist), throttled, server (5xx), or refused: any other answer.
    """

    def __init__(self, what: str, *, kind: Kind, action: str | None = None, **details: Any) -> None:
        super().__init__(what, **details)
        self.kind = kind
        self.action = action

    def as_result(self) -> dict[str, Any]:
        """Also names the action."""
        result = super().as_result()
        result["error"]["action"] = self.action
        return result


@contextmanager
def calling(resource: str, action: str | None = None) -> Iterator[None]:
    """Around SDK calls: botocore's errors leave as AwsError.

    resource: the option or resource that the call is about. action: the IAM action it needs.
    """
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.parsers import ResponseParserError

    try:
        yield
    except (BotoCoreError, ClientError, ResponseParserError) as error:
        raise translate(error, resource, action) from error


def translate(error: Exception, resource: str | None, action: str | None) -> AwsError:
    """The AwsError for one of botocore's exceptions."""
    from botocore.exceptions import ClientError

    if isinstance(error, ClientError):
        return _answered(error, resource, action)
    return _unanswered(error, resource, action)


def _answered(error: Any, resource: str | None, action: str | None) -> AwsError:
    details = error.response.get("Error", {})
    code = str(details.get("Code") or "Unknown")
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") or 0)
    message = _ENCODED.sub("", str(details.get("Message") or error)).strip().rstrip(".")
    if code in _DENIED or code.endswith("AccessDenied"):
        found = _ACTION.search(message)
        action = found["action"] if found else action
        return AwsError(
            f"permission denied for {action or error.operation_name}: {message}",
            kind="denied",
            action=action,
            resource=resource,
            code=code,
            fix=_allow(message, action or error.operation_name),
        )
    if code in _EXPIRED:
        return AwsError(
            f"the AWS credentials have expired: {message}",
            kind="credentials",
            action=action,
            resource=resource,
            code=code,
            fix="Get new credentials and run again; if they are new, check this machine's clock",
        )
    if code in _REJECTED:
        return AwsError(
            f"AWS does not accept the credentials: {message}",
            kind="credentials",
            action=action,
            resource=resource,
            code=code,
            fix="Check access_key, secret_key and session_token (or the environment or profile they come from)",
        )
    if code in _THROTTLED:
        return AwsError(
            f"AWS kept throttling {action or error.operation_name}: {message}",
            kind="throttled",
            action=action,
            resource=resource,
            code=code,
            fix="Run again with fewer forks, or ask AWS for a higher request rate",
        )
    if status >= 500:
        return AwsError(
            f"AWS kept failing {action or error.operation_name}: {message}",
            kind="server",
            action=action,
            resource=resource,
            code=code,
            fix="Run again, and the run goes on where this one stopped; if it lasts, see AWS's health dashboard",
        )
    kind: Kind = "refused"
    if "NotFound" in code or code.startswith("NoSuch"):
        kind = "missing"
    return AwsError(message, kind=kind, action=action, resource=resource, code=code)


def _allow(message: str, action: str) -> str:
    if "explicit deny" in message:
        policy = re.search(r"explicit deny in an? ([a-z -]+?policy)", message)
        where = policy[1] if policy else "policy"
        return f"An explicit deny in a {where} forbids {action} to these credentials: change it, or use others"
    if found := _CEILING.search(message):
        return (
            f"Let the {found[1]} allow {action}: no policy of these credentials can, or use others"
        )
    return f"Allow {action} to these credentials, or use others"


def _unanswered(error: Exception, resource: str | None, action: str | None) -> AwsError:
    from botocore import exceptions as sdk
    from botocore.parsers import ResponseParserError

    def fail(what: str, fix: str, kind: Kind, about: str | None = resource) -> AwsError:
        return AwsError(
            what, kind=kind, action=action, resource=about, code=type(error).__name__, fix=fix
        )

    text = str(error).strip().rstrip(".")
    if isinstance(error, sdk.NoCredentialsError):
        return fail(
            "no AWS credentials were found",
            "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the option profile, or access_key and secret_key",
            "credentials",
        )
    if isinstance(error, sdk.PartialCredentialsError):
        return fail(text, "Set both the access key and the secret key", "credentials")
    if isinstance(error, sdk.ProfileNotFound):
        return fail(
            text,
            "Name a profile that exists in the AWS configuration files, or unset AWS_PROFILE",
            "credentials",
            "profile",
        )
    if isinstance(error, sdk.NoRegionError):
        return fail(text, "Set the option region or AWS_REGION", "refused", "region")
    if isinstance(error, sdk.InvalidRegionError):
        return fail(
            text, "Write the Region as AWS does, for example us-east-1", "refused", "region"
        )
    if isinstance(error, (sdk.SSLError, sdk.InvalidProxiesConfigError)):
        return fail(
            f"TLS to AWS failed: {text}",
            "If a proxy re-signs TLS, name its authority in aws_ca_bundle or AWS_CA_BUNDLE",
            "network",
        )
    if isinstance(error, (sdk.HTTPClientError, sdk.ConnectionError)):
        return fail(
            f"AWS could not be reached: {text}",
            "Check region, endpoint_url, proxy and network from the machine that runs this task",
            "network",
        )
    if isinstance(
        error,
        (
            sdk.CredentialRetrievalError,
            sdk.SSOError,
            sdk.TokenRetrievalError,
            sdk.InvalidConfigError,
            sdk.ConfigParseError,
            sdk.ConfigNotFound,
            sdk.RefreshWithMFAUnsupportedError,
        ),
    ):
        return fail(text, "Sign in again, or correct the AWS configuration files", "credentials")
    if isinstance(error, ResponseParserError):
        return fail(
            f"what answered does not speak AWS's protocol: {text[:200]}",
            "Check endpoint_url and any proxy between this machine and AWS",
            "server",
        )
    return fail(text, "Check the options of this task", "refused")
