# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Azure answers, as one clear sentence with its code, the denied action and the fix."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal

from ..core.errors import EndpointError

Kind = Literal[
    "denied", "credentials", "network", "missing", "conflict", "throttled", "refused", "server"
]

# Somebody else is writing: the same request a little later is answered.
BUSY = frozenset(
    {
        "AnotherOperationInProgress",
        "AccountProvisioningStateInvalid",
        "ConcurrentModification",
        "InUseByAnotherOperation",
        "OperationNotAllowedOnProvisioningState",
        "OperationPreempted",
        "PrivateDnsZoneGroupUpdateInProgress",
        "ReferencedResourceNotProvisioned",
        "RequestConflict",
        "RetryableError",
        "RetryableErrorDueToAnotherOperation",
    }
)
_DENIED = frozenset(
    {
        "AuthorizationFailed",
        "LinkedAuthorizationFailed",
        "Forbidden",
        "AuthorizationPermissionMismatch",
        "InsufficientAccessError",
    }
)
_TOKEN = frozenset(
    {
        "AuthenticationFailed",
        "ExpiredAuthenticationToken",
        "InvalidAuthenticationToken",
        "InvalidAuthenticationTokenTenant",
        "InvalidAuthenticationTokenAudience",
    }
)
_MISSING = frozenset(
    {
        "NotFound",
        "ResourceGroupNotFound",
        "ResourceNotFound",
        "SubscriptionNotFound",
        "ParentResourceNotFound",
    }
)
_ACTION = re.compile(r"perform action\(?s?\)? '(?P<action>[^']+)'")
# What such a text names before "does not have" is allowed: a linked check, a deny assignment or a tenant is what fails.
_HELD = "has permission to perform"
_SCOPE = re.compile(r"(?:over|on the linked) scope(?:\(s\))? '(?P<scope>[^']+)'")


class AzureError(EndpointError):
    """What Azure, or the way to it, answered.

    kind: denied (authorisation), credentials (none, expired or not accepted), network (no answer), missing (the
    resource does not exist), conflict (it is not as the request supposed, or it is being written), throttled, server
    (5xx), or refused: any other answer. action: what was called or denied, as roles name it. status: the HTTP status, 0
    without an answer.
    """

    def __init__(
        self, what: str, *, kind: Kind, action: str | None = None, status: int = 0, **details: Any
    ) -> None:
        super().__init__(what, **details)
        self.kind = kind
        self.action = action
        self.status = status

    @property
    def busy(self) -> bool:
        """Whether the same request may be answered a little later."""
        return self.code in BUSY or self.kind == "throttled"

    @property
    def changed_meanwhile(self) -> bool:
        """Whether a conditional write found something else than what had been read."""
        return self.status == 412 or self.code in ("PreconditionFailed", "ResourceModified")

    def as_result(self) -> dict[str, Any]:
        """Also names the action."""
        result = super().as_result()
        result["error"]["action"] = self.action
        return result


@contextmanager
def calling(resource: str, action: str | None = None) -> Iterator[None]:
    """Around SDK calls: what azure-core and azure-identity raise leaves as AzureError.

    resource: the option or resource that the call is about. action: what it needs, as roles name it.
    """
    from azure.core.exceptions import AzureError as SdkError

    try:
        yield
    except SdkError as error:
        raise translate(error, resource, action) from error


def translate(error: Exception, resource: str | None, action: str | None = None) -> AzureError:
    """The AzureError for one of the SDK's exceptions."""
    from azure.core.exceptions import ClientAuthenticationError, HttpResponseError

    response = getattr(error, "response", None)
    if isinstance(error, HttpResponseError) and response is not None:
        status = int(getattr(response, "status_code", 0) or 0)
        host = str(getattr(getattr(response, "request", None), "url", ""))
        if not isinstance(error, ClientAuthenticationError) or "/oauth2/" not in host:
            return answered(status, _document(response), resource, str(error.message), action)
    if isinstance(error, ClientAuthenticationError):
        return _no_token(error, resource, action)
    text = _first_line(str(error))
    return AzureError(
        f"Azure could not be reached: {text}",
        kind="network",
        action=action,
        resource=resource,
        code=type(error).__name__,
        fix="Check cloud_environment, proxy and network from the machine that runs this task; "
        "if a proxy re-signs TLS, name its authority in REQUESTS_CA_BUNDLE",
    )


def answered(
    status: int,
    document: Any,
    resource: str | None,
    otherwise: str = "",
    action: str | None = None,
) -> AzureError:
    """The AzureError for an answer of HTTP 4xx or 5xx, or for the error inside a long-running operation.

    otherwise: what to say when the document says nothing. action: what was called, when a document does not name it.
    """
    error = _error(document)
    code = str(error.get("code") or f"HTTP {status}")
    message = str(error.get("message") or otherwise or f"HTTP {status}").strip()
    message = _first_line(message).rstrip(".")
    details = [_first_line(text) for text in _details(error)]
    more = [text for text in details if text and text.rstrip(".") not in message]
    if more:
        message += ": " + "; ".join(text.rstrip(".") for text in more)
    kind = _kind(status, code)
    scope = resource
    if kind == "denied":
        lacking = message
        if _HELD in message:
            lacking = message.partition("does not have")[2]
            # The call's own action may be the one that is held.
            action = None
        found = _ACTION.search(lacking)
        where = _SCOPE.search(lacking)
        action = found["action"] if found else action
        scope = where["scope"] if where else resource
        message = f"permission denied for {action}: {message}" if action else message
    return AzureError(
        message,
        kind=kind,
        action=action,
        status=status,
        resource=resource,
        code=code,
        fix=_fix(kind, code, action, scope, message),
    )


def _kind(status: int, code: str) -> Kind:
    if code in _DENIED or (status == 403 and code.endswith("AuthorizationFailed")):
        return "denied"
    if status == 401 or code in _TOKEN:
        return "credentials"
    if status == 404 or code in _MISSING:
        return "missing"
    if status == 429 or code in (
        "TooManyRequests",
        "OperationThrottled",
        "SubscriptionRequestsThrottled",
    ):
        return "throttled"
    if status in (409, 412) or code in BUSY:
        return "conflict"
    if status >= 500:
        return "server"
    return "refused"


def _fix(kind: Kind, code: str, action: str | None, scope: str | None, message: str) -> str:
    if kind == "denied" and "linked subscription" in message:
        return "It lies in another tenant: name a resource in the tenant of these credentials"
    if kind == "denied" and "deny assignment" in message:
        return (
            "No role helps against a deny assignment: ask who placed it to exempt these credentials"
        )
    if code == "MissingSubscriptionRegistration":
        return "Register the resource provider in the subscription: az provider register"
    if code == "ScopeLocked":
        return "Remove the lock, or ask who placed it"
    if code == "RequestDisallowedByPolicy":
        return "Change the request to what the policy allows, or ask for an exemption"
    if code == "InvalidAuthenticationTokenTenant":
        return (
            "It lies in another tenant: give the credentials of that tenant, or an id in this one"
        )
    texts: dict[Kind, str] = {
        "denied": f"Give these credentials a role that allows {action or 'this'} on {scope or 'it'}; "
        "a new assignment takes some minutes",
        "credentials": "Check tenant, client_id and secret (or the environment they come from) and cloud_environment",
        "missing": "Check its name, resource group and subscription",
        "conflict": "Run again: the run goes on where this one stopped",
        "refused": "Correct what Azure refuses, and run again",
        "network": "Check the network, and run again",
        "throttled": "Run again with fewer forks",
        "server": "Run again, and the run goes on where this one stopped; if it lasts, see Azure's status page",
    }
    return texts[kind]


def _no_token(error: Exception, resource: str | None, action: str | None) -> AzureError:
    """No credential gave a token: azure-identity's text has one paragraph for each that it tried."""
    text = _first_line(getattr(error, "message", None) or str(error)).rstrip(".")
    code = re.search(r"\b(AADSTS\d+)\b", text)
    unavailable = (
        type(error).__name__ == "CredentialUnavailableError" or "DefaultAzureCredential" in text
    )
    what = (
        "no Azure credential works here: nothing was given in options or environment, and neither a workload "
        "identity, a managed identity nor a signed-in Azure CLI was found"
        if "DefaultAzureCredential" in text
        else f"the Azure credential gives no token: {text}"
    )
    return AzureError(
        what,
        kind="credentials",
        action=action,
        resource=resource,
        code=code[1] if code else type(error).__name__,
        fix="Set tenant, client_id and secret (or AZURE_TENANT, AZURE_CLIENT_ID and AZURE_SECRET), or sign in with the "
        "Azure CLI"
        if unavailable
        else "Check tenant, client_id and secret (or the environment they come from) and cloud_environment",
    )


def _document(response: Any) -> Any:
    try:
        return response.json()
    except (ValueError, AttributeError):
        return None


def _error(document: Any) -> Mapping[str, Any]:
    if not isinstance(document, Mapping):
        return {}
    error = document.get("error", document)
    return error if isinstance(error, Mapping) else {}


def _details(error: Mapping[str, Any]) -> Iterator[str]:
    for item in error.get("details") or ():
        if isinstance(item, Mapping) and item.get("message"):
            yield str(item["message"])


def _first_line(text: str) -> str:
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    return lines[0] if lines else text
