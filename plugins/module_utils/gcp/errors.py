# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Google answers, as one clear sentence with its reason, the missing permission and the fix.

Classified by the reason that the answer carries, never by its status alone: a rate limit, a missing permission, an API
that is not enabled and VPC Service Controls all answer 403.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from ..core.errors import EndpointError

Kind = Literal[
    "denied",
    "disabled",
    "policy",
    "credentials",
    "network",
    "missing",
    "exists",
    "conflict",
    "in_use",
    "not_ready",
    "throttled",
    "refused",
    "server",
]

# Reason or code → kind, in lower case and without underscores: compute's two spellings are one.
_KINDS: Mapping[str, Kind] = {
    "iampermissiondenied": "denied",
    "accesstokenscopeinsufficient": "denied",
    "insufficientpermissions": "denied",
    "accessnotconfigured": "disabled",
    "servicedisabled": "disabled",
    "securitypolicyviolated": "policy",
    "vpcservicecontrols": "policy",
    "orgrestrictionviolation": "policy",
    "autherror": "credentials",
    "credentialsmissing": "credentials",
    "accesstokenexpired": "credentials",
    "accesstokentypeunsupported": "credentials",
    "notfound": "missing",
    "resourcenotfound": "missing",
    "alreadyexists": "exists",
    "resourcealreadyexists": "exists",
    "conditionnotmet": "conflict",
    "aborted": "conflict",
    "resourceinusebyanotherresource": "in_use",
    "resourceinuse": "in_use",
    "containernotempty": "in_use",
    "resourcenotready": "not_ready",
    "resourceoperationinprogress": "not_ready",
    "ratelimitexceeded": "throttled",
    "userratelimitexceeded": "throttled",
    "resourceexhausted": "throttled",
    "toomanyrequests": "throttled",
    "permissiondenied": "denied",
    "backenderror": "server",
    "unavailable": "server",
    "internal": "server",
    "internalerror": "server",
}
_STATUSES: Mapping[int, Kind] = {
    401: "credentials",
    403: "denied",
    404: "missing",
    409: "exists",
    412: "conflict",
    429: "throttled",
}
_PERMISSION = re.compile(r"(?:Required|Permission) '(?P<permission>[a-zA-Z]+\.[\w.]+)'")
_ON = re.compile(r"(?:for|on resource) '(?P<resource>[^']+)'")
_CONSTRAINT = re.compile(r"constraints/(?P<name>[\w.]+)")
_HOST = re.compile(r"\b[a-z]+\.googleapis\.com\b")
# google.rpc.Code, as the operations of the newer services give it.
_CODES = {
    3: "INVALID_ARGUMENT",
    5: "NOT_FOUND",
    6: "ALREADY_EXISTS",
    7: "PERMISSION_DENIED",
    8: "RESOURCE_EXHAUSTED",
    9: "FAILED_PRECONDITION",
    10: "ABORTED",
    13: "INTERNAL",
    14: "UNAVAILABLE",
}
# A limit is asked again for, quota is not.
_QUOTA = frozenset({"quotaexceeded", "dailylimitexceeded"})
AGAIN = frozenset({"network", "throttled", "server", "not_ready"})


class GoogleError(EndpointError):
    """What Google, or the way to it, answered.

    kind: denied (a permission), disabled (the API is not enabled), policy (an organisation policy or VPC Service
    Controls), credentials (none or not accepted), network (no answer), missing, exists, conflict (it is no longer what
    was read), in_use, not_ready, throttled, server (5xx), or refused: any other answer. action: the permission that is
    missing, else the request. status: of HTTP, 0 without an answer.
    """

    def __init__(
        self, what: str, *, kind: Kind, action: str | None = None, status: int = 0, **details: Any
    ) -> None:
        super().__init__(what, **details)
        self.kind = kind
        self.action = action
        self.status = status

    @property
    def again(self) -> bool:
        """Whether the same request may be answered a little later."""
        return self.kind in AGAIN

    def as_result(self) -> dict[str, Any]:
        """Also names the permission or the request."""
        result = super().as_result()
        result["error"]["action"] = self.action
        return result


def answered(status: int, document: Any, resource: str, action: str) -> GoogleError:
    """The error for an answer of 4xx or 5xx. action: the request, such as `compute POST addresses`."""
    error = document.get("error") if isinstance(document, Mapping) else None
    error = error if isinstance(error, Mapping) else {}
    listed = [item for item in error.get("errors") or () if isinstance(item, Mapping)]
    typed = [item for item in error.get("details") or () if isinstance(item, Mapping)]
    words = [str(item["reason"]) for item in (*typed, *listed) if item.get("reason")]
    if error.get("status"):
        words.append(str(error["status"]))
    text = _first_line(str(error.get("message") or "")) or f"Google answered {status}"
    metadata: Mapping[str, Any] = next(
        (item["metadata"] for item in typed if item.get("metadata")), {}
    )
    return _error(status, words, text, metadata, resource, action)


def failed(operation: Mapping[str, Any], resource: str, action: str) -> GoogleError:
    """The error of an operation that was begun and then failed: compute's `errors`, or a status with its code."""
    error = operation.get("error") or {}
    listed = error.get("errors") or []
    status = int(operation.get("httpErrorStatusCode") or 0)
    if listed:
        words = [str(item.get("code") or "") for item in listed]
        text = "; ".join(_first_line(str(item.get("message") or "")) for item in listed)
        return _error(status, words, text, {}, resource, action)
    code = int(error.get("code") or 0)
    words = [_CODES.get(code, str(code))]
    text = _first_line(str(error.get("message") or "")) or "the operation failed"
    return _error(status, words, text, {}, resource, action)


def unreachable(error: Exception, resource: str, action: str) -> GoogleError:
    """No answer at all."""
    return GoogleError(
        f"Google could not be reached: {_first_line(str(error))}",
        kind="network",
        action=action,
        resource=resource,
        code=type(error).__name__,
        fix="Check that the controller reaches the googleapis.com hosts, its proxy, and their certificates",
    )


def no_token(error: Exception, resource: str = "credentials") -> GoogleError:
    """google-auth found no credential, or Google gave no token for it."""
    return GoogleError(
        f"no access token: {_said(error)}",
        kind="credentials",
        action="oauth2 token",
        resource=resource,
        code=type(error).__name__,
        fix="Set auth_kind with its credential, or GOOGLE_APPLICATION_CREDENTIALS, and check that the account is "
        "enabled",
    )


def _said(error: Exception) -> str:
    """What google-auth says, and what Google said to it: the body of its answer comes as a second argument."""
    said = _first_line(str(error.args[0] if error.args else error))
    try:
        answer = json.loads(str(error.args[1]))["error"]
    except (IndexError, KeyError, TypeError, ValueError):
        return said
    told = answer.get("message") if isinstance(answer, Mapping) else answer
    return f"{said}: {_first_line(str(told))}"


def _error(
    status: int,
    words: Iterable[str],
    text: str,
    metadata: Mapping[str, Any],
    resource: str,
    action: str,
) -> GoogleError:
    words = [word for word in words if word]
    code = words[0] if words else str(status)
    constraint = _CONSTRAINT.search(text)
    kind = _kind(status, words)
    if constraint and kind in ("conflict", "denied", "policy", "refused"):
        return GoogleError(
            f"the organisation policy {constraint['name']} forbids it: {text}",
            kind="policy",
            action=action,
            status=status,
            resource=resource,
            code=code,
            fix=f"Ask who keeps {constraint['name']} for an exception on this project",
        )
    permission = str(metadata.get("permission") or "")
    if not permission and (found := _PERMISSION.search(text)):
        permission = found["permission"]
    what, fix = _sentence(kind, text, permission, metadata, resource)
    return GoogleError(
        what,
        kind=kind,
        action=permission or action,
        status=status,
        resource=resource,
        code=code,
        fix=fix,
    )


def _kind(status: int, words: Iterable[str]) -> Kind:
    plain = [word.replace("_", "").lower() for word in words]
    if _QUOTA & set(plain):
        return "refused"
    for word in plain:
        if word in _KINDS:
            return _KINDS[word]
    if status >= 500:
        return "server"
    return _STATUSES.get(status, "refused")


def _sentence(
    kind: Kind, text: str, permission: str, metadata: Mapping[str, Any], resource: str
) -> tuple[str, str]:
    if kind == "denied":
        where = found["resource"] if (found := _ON.search(text)) else resource
        if permission:
            return (
                f"permission denied for {permission} on {where}",
                f"Give these credentials a role that has {permission}; a new binding takes some minutes",
            )
        return text, "Give these credentials a role that allows it"
    if kind == "disabled":
        found = _HOST.search(str(metadata.get("service") or text))
        service = found[0] if found else "the API"
        owner = str(metadata.get("consumer") or "").rpartition("/")[2] or "PROJECT"
        return (
            f"{service} is not enabled",
            f"Enable it: gcloud services enable {service} --project {owner}",
        )
    if kind == "policy":
        return (
            f"VPC Service Controls refused the call: {text}",
            "Run from inside the perimeter, or add an ingress rule for these credentials",
        )
    if kind == "credentials":
        return (
            text,
            "Check the credentials: they are expired, revoked or of another kind than auth_kind says",
        )
    if kind in AGAIN:
        return text, "Run again later"
    return text, _FIXES.get(kind, "Correct what Google names")


_FIXES: Mapping[Kind, str] = {
    "missing": "Check its name and project",
    "exists": "Something else made it: run again",
    "conflict": "Something else changed it at the same time: run again",
    "in_use": "Remove what uses it first",
}


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0].rstrip(".") if text.strip() else ""
