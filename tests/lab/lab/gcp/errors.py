# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Google's errors: one class, and the two shapes in which Google's API servers send them.

compute, dns and the other older APIs list `errors` with a domain and a reason; the newer ones have a
canonical `status` and typed `details`. https://cloud.google.com/apis/design/errors
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..cloud import Response

_STATUS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ALREADY_EXISTS",
    412: "FAILED_PRECONDITION",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
}
_REASON = {
    400: "invalid",
    401: "authError",
    403: "forbidden",
    404: "notFound",
    409: "alreadyExists",
    412: "conditionNotMet",
    429: "rateLimitExceeded",
    500: "internalError",
    501: "notImplemented",
    503: "backendError",
}
LISTING = frozenset({"compute", "dns", "storage"})  # the services that list `errors`
JSON = {"Content-Type": "application/json; charset=UTF-8"}


@dataclass
class GoogleError(Exception):
    """An answer that is an error. `reason` is of `errors[]`, `details` are typed messages."""

    code: int
    message: str
    reason: str = ""
    status: str = ""
    details: Sequence[Mapping[str, Any]] = ()
    domain: str = "global"
    headers: Mapping[str, str] | None = None

    def body(self, service: str) -> dict[str, Any]:
        error: dict[str, Any] = {"code": self.code, "message": self.message}
        if service in LISTING:
            error["errors"] = [
                {
                    "message": self.message,
                    "domain": self.domain,
                    "reason": self.reason or _REASON.get(self.code, "invalid"),
                }
            ]
        if service not in LISTING or self.details or self.status:
            error["status"] = self.status or _STATUS.get(self.code, "UNKNOWN")
        if self.details:
            error["details"] = [dict(each) for each in self.details]
        return {"error": error}

    def response(self, service: str) -> Response:
        headers = {**JSON, **(self.headers or {})}
        return Response(self.code, headers, json.dumps(self.body(service), indent=2).encode())


def error_info(reason: str, domain: str, **metadata: str) -> dict[str, Any]:
    kind = "type.googleapis.com/google.rpc.ErrorInfo"
    return {"@type": kind, "reason": reason, "domain": domain, "metadata": metadata}


def invalid(message: str, reason: str = "invalid") -> GoogleError:
    return GoogleError(400, message, reason)


def bad_payload(service: str, path: str, description: str) -> GoogleError:
    """What the JSON parser in front of every API says."""
    violation = (
        {"field": path, "description": description} if path else {"description": description}
    )
    kind = "type.googleapis.com/google.rpc.BadRequest"
    details = [{"@type": kind, "fieldViolations": [violation]}]
    return GoogleError(400, description, "badRequest", "INVALID_ARGUMENT", details)


def unauthenticated(service: str, method: str, reason: str = "CREDENTIALS_MISSING") -> GoogleError:
    missing = reason == "CREDENTIALS_MISSING"
    said = (
        "Request is missing required authentication credential. "
        if missing
        else "Request had invalid authentication credentials. "
    )
    said += (
        "Expected OAuth 2 access token, login cookie or other valid authentication credential. "
        "See https://developers.google.com/identity/sign-in/web/devconsole-project."
    )
    host = f"{service}.googleapis.com"
    details = [error_info(reason, "googleapis.com", service=host, method=method)]
    challenge = 'Bearer realm="https://accounts.google.com/"'
    if not missing:
        challenge += ', error="invalid_token"'
    reason_word = "required" if missing else "authError"
    return GoogleError(
        401, said, reason_word, "UNAUTHENTICATED", details, headers={"WWW-Authenticate": challenge}
    )


def denied(service: str, permission: str, resource: str) -> GoogleError:
    """The refusal that names the permission."""
    if service == "compute":
        return GoogleError(403, f"Required '{permission}' permission for '{resource}'")
    domain = "iam.googleapis.com"
    full = f"//{service}.googleapis.com/{resource}"
    details = [error_info("IAM_PERMISSION_DENIED", domain, permission=permission, resource=full)]
    message = f"Permission '{permission}' denied on resource '{full}' (or it may not exist)."
    return GoogleError(403, message, "forbidden", "PERMISSION_DENIED", details)


def insufficient_scopes(service: str, method: str) -> GoogleError:
    host = f"{service}.googleapis.com"
    details = [
        error_info("ACCESS_TOKEN_SCOPE_INSUFFICIENT", "googleapis.com", service=host, method=method)
    ]
    message = "Request had insufficient authentication scopes."
    return GoogleError(403, message, "insufficientPermissions", "PERMISSION_DENIED", details)


def service_disabled(service: str, number: str) -> GoogleError:
    host = f"{service}.googleapis.com"
    title = _TITLES.get(service, host)
    url = f"https://console.developers.google.com/apis/api/{host}/overview?project={number}"
    message = (
        f"{title} has not been used in project {number} before or it is disabled. Enable it by visiting "
        f"{url} then retry. If you enabled this API recently, wait a few minutes for the action to "
        "propagate to our systems and retry."
    )
    info = error_info(
        "SERVICE_DISABLED",
        "googleapis.com",
        service=host,
        consumer=f"projects/{number}",
        serviceTitle=title,
        activationUrl=url,
        containerInfo=number,
    )
    return GoogleError(
        403, message, "accessNotConfigured", "PERMISSION_DENIED", [info], domain="usageLimits"
    )


_TITLES = {
    "compute": "Compute Engine API",
    "dns": "Cloud DNS API",
    "accesscontextmanager": "Access Context Manager API",
    "aiplatform": "Vertex AI API",
    "orgpolicy": "Organization Policy API",
    "cloudresourcemanager": "Cloud Resource Manager API",
    "logging": "Cloud Logging API",
    "iamcredentials": "IAM Service Account Credentials API",
    "storage": "Google Cloud Storage JSON API",
}
