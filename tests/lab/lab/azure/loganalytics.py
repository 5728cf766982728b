# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The query API of Log Analytics: POST (or GET) /v1/workspaces/{id}/query.

https://learn.microsoft.com/azure/azure-monitor/logs/api/overview

Who runs a query needs the right to, and one for each table that is read:
https://learn.microsoft.com/azure/azure-monitor/logs/manage-access
"""

from __future__ import annotations

import datetime
import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import parse_qsl

from ..cloud import Call, Request, Response
from . import access, kql, logs, tokens
from .clouds import ENVIRONMENTS, Environment
from .errors import ArmError, json_response
from .kql import Table
from .kql_values import datetime_value, iso_period, to_json
from .kql_words import QueryError
from .state import Principal, Resource, State

_PATH = re.compile(r"/v1/workspaces/([^/]+)/query")
_QUERY = "Microsoft.OperationalInsights/workspaces/query"
# There are no other tables here.
_ACTIONS = (f"{_QUERY}/read", f"{_QUERY}/{logs.TABLE}/read")


class QueryProblem(Exception):
    """An answer other than rows."""

    def __init__(self, status: int, code: str, message: str, inner: Any = None) -> None:
        super().__init__(message)
        self.status = status
        self.error: dict[str, Any] = {
            "message": message,
            "code": code,
            "correlationId": str(uuid.uuid4()),
        }
        if inner is not None:
            self.error["innererror"] = inner

    def response(self) -> Response:
        return json_response(self.status, {"error": self.error})


@dataclass(frozen=True)
class Detail:
    caller: Principal | None
    customer_id: str
    query: str
    timespan: str
    problem: QueryProblem | None


class LogAnalytics:
    """api.loganalytics.azure.com and its sovereign twin."""

    def __init__(self, state: State) -> None:
        self._state = state

    def serves(self, host: str) -> bool:
        return _environment(host) is not None

    def parse(self, request: Request) -> Call:
        environment = _environment(request.host)
        if environment is None:
            raise ValueError(f"{request.host} is no query API")
        problem: QueryProblem | None = None
        caller: Principal | None = None
        given: dict[str, str] = {}
        match = _PATH.fullmatch(request.path)
        try:
            given = _given(request)
            caller = self._authenticate(request, environment)
            if match is None or request.method not in ("GET", "POST"):
                raise QueryProblem(404, "PathNotFoundError", "The requested path does not exist")
        except QueryProblem as error:
            problem = error
        customer = match[1] if match else ""
        return Call(
            cloud="azure",
            plane="control",
            operation="loganalytics:query",
            principal=caller.client_id if caller else "anonymous",
            parameters={"path": request.path, **given},
            write=False,
            detail=Detail(
                caller, customer, given.get("query", ""), given.get("timespan", ""), problem
            ),
        )

    def _authenticate(self, request: Request, environment: Environment) -> Principal:
        audiences = (environment.logs_audience, f"https://{environment.logs}")
        try:
            with self._state.lock:
                return tokens.authenticate(self._state, request, environment, audiences)
        except ArmError as error:
            if error.code == "AuthenticationFailed":
                raise QueryProblem(
                    401, "AuthorizationRequiredError", "Valid authentication was not provided"
                ) from None
            raise QueryProblem(
                401,
                "InvalidTokenError",
                "The provided authentication is not valid for this resource",
                {"code": error.code, "message": error.message},
            ) from None

    def answer(self, _: Request, call: Call) -> Response:
        detail: Detail = call.detail
        try:
            if detail.problem is not None:
                raise detail.problem
            with self._state.lock:
                self._state.settle()
                return json_response(200, _shown(self._run(detail)))
        except QueryProblem as error:
            return error.response()

    def _run(self, detail: Detail) -> Table:
        workspace = logs.workspace_by(self._state, detail.customer_id)
        if workspace is None:
            raise QueryProblem(
                404,
                "PathNotFoundError",
                "The requested path does not exist",
                {"code": "WorkspaceNotFoundError", "message": "The workspace could not be found"},
            )
        if detail.caller is None or not self._may(detail.caller, workspace):
            raise QueryProblem(
                403,
                "InsufficientAccessError",
                "The provided credentials have insufficient access to perform the requested "
                "operation",
            )
        now = datetime.datetime.fromtimestamp(self._state.now(), datetime.timezone.utc)
        found = logs.tables(self._state, workspace)
        chosen = {name: _within(each, detail.timespan, now) for name, each in found.items()}
        try:
            return kql.run(detail.query, chosen, now)
        except QueryError as error:
            raise _bad_query(error) from None

    def _may(self, caller: Principal, workspace: Resource) -> bool:
        known = self._state.subscriptions.get(workspace.id.subscription.lower())
        if known is None or known.tenant != caller.tenant:
            return False
        return all(
            access.allowed(self._state, caller, each, str(workspace.id)) for each in _ACTIONS
        )

    def fault(self, _: Call, kind: Literal["throttle", "error"]) -> Response:
        if kind == "throttle":
            problem = QueryProblem(
                429, "ThrottledError", "The server is too busy to process the request"
            )
            response = problem.response()
            response.headers["Retry-After"] = "1"
            return response
        return QueryProblem(
            504, "GatewayTimeout", "The query timed out or the backend did not answer"
        ).response()


def _environment(host: str) -> Environment | None:
    return next((each for each in ENVIRONMENTS.values() if each.logs == host), None)


def _given(request: Request) -> dict[str, str]:
    """The query and the timespan, from the body or the address."""
    found: Mapping[str, Any] = dict(parse_qsl(request.query))
    if request.method == "POST":
        try:
            body = json.loads(request.body or b"{}")
        except ValueError:
            body = None
        if not isinstance(body, dict):
            raise _bad_argument("The request body is not a JSON object")
        unknown = sorted(set(body) - {"query", "timespan", "workspaces"})
        if unknown:
            raise _bad_argument(f"Unexpected property: {unknown[0]}")
        found = {**found, **body}
    made = {key: value for key, value in found.items() if isinstance(value, str)}
    if not made.get("query"):
        raise _bad_argument("The query is missing")
    return made


def _bad_argument(message: str, inner: Any = None) -> QueryProblem:
    said = inner or {"code": "InvalidInput", "message": message}
    return QueryProblem(400, "BadArgumentError", "The request had some invalid properties", said)


def _bad_query(error: QueryError) -> QueryProblem:
    syntax = error.kind == "SyntaxError"
    outer = "A recognition error occurred in the query." if syntax else "A semantic error occurred."
    return _bad_argument(
        error.message,
        {
            "code": error.kind,
            "message": outer,
            "innererror": {"code": error.code, "message": error.message},
        },
    )


def _within(table: Table, timespan: str, now: datetime.datetime) -> Table:
    """Only rows of the time that the request asks for: a period before now, or from/to."""
    if not timespan:
        return table
    first, _, second = timespan.partition("/")
    period = iso_period(second or first)
    if not second and period is not None:
        start, end = now - period, now
    else:
        begins, ends = datetime_value(first), datetime_value(second)
        if begins is not None and period is not None:
            ends = begins + period
        if begins is None or ends is None:
            raise _bad_argument(f"The timespan '{timespan}' is not valid")
        start, end = begins, ends
    rows = [each for each in table.rows if start <= each["TimeGenerated"] <= end]
    return Table(table.columns, rows)


def _shown(table: Table) -> dict[str, Any]:
    columns = [{"name": name, "type": type} for name, type in table.columns.items()]
    rows = [[to_json(row[name]) for name in table.columns] for row in table.rows]
    return {"tables": [{"name": "PrimaryResult", "columns": columns, "rows": rows}]}
