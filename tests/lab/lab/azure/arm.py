# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Azure Resource Manager's way in: authenticate, understand, authorise, validate, carry out, answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import parse_qsl, unquote

from ..cloud import Call, Request, Response
from . import arm_ids, body, clouds, tokens
from .arm_checks import run
from .arm_ids import ArmId
from .arm_routes import find, operation_name
from .clouds import Environment
from .control import Control
from .errors import ArmError, json_response, not_found
from .registry import (
    Answer,
    canonical,
)
from .state import Principal, State


@dataclass(frozen=True)
class Detail:
    """What was made of a request, or the error that it will get."""

    environment: Environment
    id: ArmId | None
    query: Mapping[str, str]
    body: dict[str, Any] | None
    caller: Principal | None
    error: ArmError | None


class ResourceManager:
    """management.azure.com and its sovereign twin."""

    def __init__(self, state: State) -> None:
        self._state = state

    def serves(self, host: str) -> bool:
        return clouds.by_arm_host(host) is not None

    def parse(self, request: Request) -> Call:
        environment = clouds.by_arm_host(request.host)
        if environment is None:
            raise ValueError(f"{request.host} is no Resource Manager")
        query = {
            key.lower() if key.lower() == "api-version" else key: value
            for key, value in parse_qsl(request.query, keep_blank_values=True)
        }
        id: ArmId | None = None
        caller: Principal | None = None
        given: dict[str, Any] | None = None
        error: ArmError | None = None
        try:
            with self._state.lock:
                caller = tokens.authenticate(
                    self._state, request, environment, environment.audiences
                )
            id = arm_ids.parse(unquote(request.path).rstrip("/"))
            if request.method in ("PUT", "PATCH") or (request.method == "POST" and request.body):
                given = body.parse(request.body)
        except ArmError as problem:
            error = problem
        except ValueError:
            error = not_found("NotFound", "The requested path is not found.")
        name, write = operation_name(id, request.method)
        return Call(
            cloud="azure",
            plane="control",
            operation=name,
            principal=caller.client_id if caller else "anonymous",
            parameters=_parameters(request, query, given),
            write=write,
            detail=Detail(environment, id, query, given, caller, error),
        )

    def answer(self, request: Request, call: Call) -> Response:
        detail: Detail = call.detail
        try:
            answer = self._execute(request, detail)
        except ArmError as error:
            return error.response()
        return json_response(answer.status, answer.body, answer.headers)

    def _execute(self, request: Request, detail: Detail) -> Answer:
        if detail.error is not None:
            raise detail.error
        if detail.id is None or detail.caller is None:
            raise AssertionError("a request without error has an id and a caller")
        with self._state.lock:
            self._state.settle()
            self._subscription(detail.id, detail.caller, detail.environment)
            found = find(detail.id, request.method, detail.query, detail.body)
            control = Control(
                state=self._state,
                caller=detail.caller,
                environment=detail.environment,
                operation=found,
                id=canonical(detail.id, self._state),
                query=detail.query,
                headers=request.headers,
                body=detail.body or {},
            )
            if found.action:
                control.authorize(found.action, control.id)
            return run(control)

    def _subscription(self, id: ArmId, caller: Principal, environment: Environment) -> None:
        """A subscription that the id names must exist in this cloud and the caller's tenant."""
        if not id.subscription:
            return
        known = self._state.subscriptions.get(id.subscription.lower())
        if known is None or known.environment is not environment:
            raise not_found(
                "SubscriptionNotFound", f"The subscription '{id.subscription}' could not be found."
            )
        if known.tenant != caller.tenant:
            host = environment.login
            raise ArmError(
                401,
                "InvalidAuthenticationTokenTenant",
                "The access token is from the wrong issuer "
                f"'https://sts.windows.net/{caller.tenant}/'. It must match the tenant "
                f"'https://sts.windows.net/{known.tenant}/' associated with this subscription. "
                f"Please use the authority (URL) 'https://{host}/{known.tenant}' to get the token.",
            )

    def fault(self, _: Call, kind: Literal["throttle", "error"]) -> Response:
        return fault_error(kind).response()


def fault_error(kind: Literal["throttle", "error"]) -> ArmError:
    """ARM's own throttling or failure."""
    if kind == "throttle":
        return ArmError(
            429,
            "TooManyRequests",
            "The request is being throttled as the limit has been reached for operation type - "
            "Write_ObservationWindow_00:05:00. For more information, see - "
            "https://aka.ms/srpthrottlinglimits",
            headers={"Retry-After": "1"},
        )
    return ArmError(
        500,
        "InternalServerError",
        "The server encountered an internal error and was unable to process the request. "
        "Please try again.",
    )


def _parameters(
    request: Request, query: Mapping[str, str], given: dict[str, Any] | None
) -> dict[str, Any]:
    made: dict[str, Any] = {"path": unquote(request.path), **query}
    for header in ("if-match", "if-none-match"):
        if header in request.headers:
            made[header] = request.headers[header]
    if given is not None:
        made["body"] = given
    return made
