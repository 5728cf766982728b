# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The data planes of AI accounts, at their public names, over the internet and through endpoints.

The network is judged first (`admission`), then the path, then the credential, then what it permits.
Whatever reached the account leaves a row in the workspaces that its diagnostic settings name.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import parse_qs

from ..cloud import Call, Request, Response
from . import admission, authorization, data_operations, logs, tokens
from .cognitive import binding
from .data_operations import DataCall, DataError, DataOperation
from .errors import ArmError, json_response
from .hosts import DataHost, account_of, data_host
from .state import Principal, Resource, State

_NO_KEY = (
    "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a "
    "valid key for an active subscription and use a correct regional API endpoint for your resource."
)


@dataclass(frozen=True)
class Detail:
    """What was made of a request before its account was asked."""

    name: DataHost
    operation: DataOperation | None
    path: Mapping[str, str]


@dataclass(frozen=True)
class Caller:
    """Who calls: a principal by its token, or whoever holds a key of the account."""

    principal: Principal | None

    @property
    def object_id(self) -> str:
        return self.principal.object_id if self.principal else ""


class DataPlane:
    """Every account's data plane."""

    def __init__(self, state: State) -> None:
        self._state = state

    def serves(self, host: str) -> bool:
        name = data_host(host)
        with self._state.lock:
            return name is not None and account_of(self._state, name) is not None

    def parse(self, request: Request) -> Call:
        name = data_host(request.host)
        if name is None:
            raise ValueError(f"{request.host} is no data plane")
        found = data_operations.find(name.family, request.method, request.path)
        operation, path = found or (None, {})
        known = self._state.tokens.get(tokens.bearer(request))
        return Call(
            cloud="azure",
            plane="data",
            operation=f"{name.family}:{operation.name if operation else 'unknown'}",
            principal=known.principal.client_id if known else "anonymous",
            parameters={"path": request.path},
            write=False,
            detail=Detail(name, operation, path),
        )

    def answer(self, request: Request, call: Call) -> Response:
        detail: Detail = call.detail
        with self._state.lock:
            self._state.settle()
            account = account_of(self._state, detail.name)
            if account is None:
                return _failure(DataError(404, "404", "Resource not found"))
            way = admission.judge(self._state, request, account, detail.name)
            caller: Caller | None = None
            try:
                if way.refusal:
                    raise DataError(403, "403", way.refusal)
                operation = _operation(request, detail)
                caller = self._authenticate(request, account, detail.name)
                self._authorize(caller, operation, account)
                given = DataCall(account, self._deployments(account), detail.path, _body(request))
                response = _success(operation.answer(given), account)
            except DataError as error:
                response = _failure(error)
            self._leave_row(request, detail, account, way.source, caller, response.status)
            return response

    def _deployments(self, account: Resource) -> list[Resource]:
        return self._state.children(account.id, "deployments")

    def _authenticate(self, request: Request, account: Resource, name: DataHost) -> Caller:
        key = request.headers.get("api-key") or request.headers.get("ocp-apim-subscription-key")
        if key:
            if key not in account.hidden.get("keys", ()):
                raise DataError(401, "401", _NO_KEY)
            if binding(account).get("disableLocalAuth"):
                raise DataError(
                    403,
                    "AuthenticationTypeDisabled",
                    "Key based authentication is disabled for this resource.",
                )
            return Caller(None)
        if not tokens.bearer(request):
            raise DataError(401, "401", _NO_KEY)
        audiences = (name.environment.cognitive_audience, "https://ai.azure.com")
        try:
            principal = tokens.authenticate(self._state, request, name.environment, audiences)
        except ArmError:
            raise DataError(
                401,
                "401",
                "Unauthorized. Access token is missing, invalid, audience is incorrect "
                f"({name.environment.cognitive_audience}), or have expired.",
            ) from None
        known = self._state.subscriptions[account.id.subscription.lower()]
        if principal.tenant != known.tenant:
            raise DataError(400, "400", "Tenant provided in token does not match resource token")
        return Caller(principal)

    def _authorize(self, caller: Caller, operation: DataOperation, account: Resource) -> None:
        if caller.principal is None or authorization.may_use_data(
            self._state, caller.principal, operation.action, str(account.id)
        ):
            return
        raise DataError(
            401,
            "PermissionDenied",
            f"The principal `{caller.object_id}` lacks the required data action "
            f"`{operation.action}` to perform `{operation.method} {operation.name}` operation.",
        )

    def _leave_row(
        self,
        request: Request,
        detail: Detail,
        account: Resource,
        source: str,
        caller: Caller | None,
        status: int,
    ) -> None:
        versions = parse_qs(request.query).get("api-version", ["v1"])
        logs.record(
            self._state,
            account,
            operation=detail.operation.name if detail.operation else "Unknown",
            status=status,
            address=source,
            object_id=caller.object_id if caller else "",
            api=f"Azure OpenAI API version {versions[0]}",
        )

    def fault(self, _: Call, kind: Literal["throttle", "error"]) -> Response:
        if kind == "throttle":
            response = _failure(
                DataError(
                    429,
                    "429",
                    "Requests to this API have exceeded the call rate limit of the "
                    "current pricing tier. Please retry after 1 second.",
                )
            )
            response.headers["Retry-After"] = "1"
            return response
        return _failure(DataError(500, "InternalServerError", "The server had an error."))


def _operation(request: Request, detail: Detail) -> DataOperation:
    """The operation that was asked for, with its api-version; else 404, whoever asks."""
    operation = detail.operation
    if operation is None or (operation.versioned and "api-version" not in parse_qs(request.query)):
        raise DataError(404, "404", "Resource not found")
    return operation


def _body(request: Request) -> Mapping[str, Any]:
    if request.method == "GET":
        return {}
    try:
        body = json.loads(request.body or b"{}")
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise DataError(400, "BadRequest", "The request body is not valid JSON.")
    return body


def _success(body: Any, account: Resource) -> Response:
    return json_response(200, body, {"x-ms-region": str(account.body["location"])})


def _failure(error: DataError) -> Response:
    said = {"error": {"code": error.code, "message": error.message}}
    headers = {"WWW-Authenticate": "Bearer"} if error.status == 401 else {}
    return json_response(error.status, said, headers)
