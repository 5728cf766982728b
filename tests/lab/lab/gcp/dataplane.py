# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The data planes: Vertex AI and Cloud Storage by their discovery documents, other Google APIs in outline.

A request is authenticated first, so that a caller without credentials learns nothing. Then the API must be
enabled, IAM must allow it, and the perimeters must admit it. What got so far leaves an audit entry.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import parse_qsl, unquote

from ..cloud import Call, Request, Response
from . import audit, data_answers, discovery, hosts, iam, orgrules, perimeter, tokens
from .control import fault_error
from .errors import JSON, GoogleError, denied, service_disabled, unauthenticated
from .records import Principal, Project, Token
from .state import State
from .way import Way, way_in

_DOCUMENTED = ("aiplatform", "storage")
_READ = ("get", "list", "search", "fetch", "count", "wait", "query")
_HTML = {"Content-Type": "text/html; charset=UTF-8"}


@dataclass(frozen=True)
class Detail:
    """What the data plane made of a request."""

    service: str
    method: str  # the discovery document's id, or "unknown"
    path: Mapping[str, str]
    query: Mapping[str, str]
    token: Token | None
    error: GoogleError | None


class DataPlane:
    """Every *.googleapis.com that is no control plane."""

    def __init__(self, state: State) -> None:
        self._state = state

    def parse(self, request: Request) -> Call:
        service = hosts.service_of(request.host) or "unknown"
        method, path = _method(service, request)
        token, error = None, None
        with self._state.lock:
            self._state.settle()
            try:
                token = tokens.authenticate(self._state, request.headers, request.host)
                if token is None:
                    error = unauthenticated(service, data_answers.audit_name(service, method))
            except tokens.BadToken as problem:
                error = unauthenticated(
                    service, data_answers.audit_name(service, method), problem.reason
                )
        query = dict(parse_qsl(request.query))
        verb = method.rpartition(".")[2]
        return Call(
            cloud="gcp",
            plane="data",
            operation=method if method != "unknown" else f"{service}.unknown",
            principal=token.principal.email if token else "anonymous",
            parameters={**path, **query},
            write=request.method != "GET"
            and verb in ("create", "insert", "delete", "patch", "update"),
            detail=Detail(service, method, path, query, token, error),
        )

    def answer(self, request: Request, call: Call) -> Response:
        detail: Detail = call.detail
        with self._state.lock:
            self._state.settle()
            way = way_in(self._state, request)
            host = f"{detail.service}.googleapis.com"
            if way.lost or (way.bundle == "vpc-sc" and host not in perimeter.SUPPORTED):
                return _front_end(request)
            try:
                if detail.error is not None:
                    raise detail.error
                if detail.token is None:
                    raise AssertionError("a request without error has a token")
                found = self._execute(request, detail, detail.token.principal, way)
            except GoogleError as problem:
                return problem.response(detail.service)
        return Response(200, dict(JSON), json.dumps(found, indent=2).encode())

    def _execute(
        self, request: Request, detail: Detail, caller: Principal, way: Way
    ) -> dict[str, Any]:
        state, service = self._state, detail.service
        project = data_answers.project_of(state, service, detail.path, detail.query, caller)
        permission = data_answers.permission(service, detail.method)
        resource = data_answers.resource_of(detail.path, project)
        if project is None:
            raise denied(service, permission or f"{service}.unknown", resource)
        host = f"{service}.googleapis.com"
        if host in project.disabled:
            raise service_disabled(service, project.number)
        orgrules.check_usage(state, project, request.host, service)
        name = data_answers.audit_name(service, detail.method)
        called = audit.Called(
            host,
            name,
            resource,
            caller.email,
            way.address,
            way.network,
            request.headers.get("user-agent", ""),
            permission,
        )
        try:
            if permission and not iam.allowed(state, caller, permission, f"projects/{project.id}"):
                raise denied(service, permission, resource)
            access = perimeter.Access(caller, project, host, name, way)
            perimeter.enforce(state, access, resource, called.agent)
            if detail.method == "unknown" and service in _DOCUMENTED:
                raise GoogleError(
                    404, f"The requested URL {request.path} was not found on this server."
                )
            answer = data_answers.answer(
                state, service, detail.method, detail.path, request, project
            )
        except GoogleError as problem:
            self._leave(
                project, called, {"code": _RPC.get(problem.code, 2), "message": problem.message}
            )
            raise
        self._leave(project, called, {})
        return answer

    def _leave(self, project: Project, called: audit.Called, status: dict[str, Any]) -> None:
        kind = "DATA_READ" if _reads(called.method) else "DATA_WRITE"
        if audit.switched_on(project, called.service, kind):
            audit.data_entry(self._state, project, called, status)

    def fault(self, call: Call, kind: Literal["throttle", "error"]) -> Response:
        service = call.detail.service
        return fault_error(service, kind).response(service)


_RPC = {400: 3, 401: 16, 403: 7, 404: 5, 409: 6, 412: 9, 429: 8, 501: 12, 503: 14}


def _reads(method: str) -> bool:
    verb = method.rpartition(".")[2].lower()
    return verb.startswith((*_READ, "predict", "generate", "rawpredict", "stream"))


def _method(service: str, request: Request) -> tuple[str, dict[str, str]]:
    """The method of a request and the parameters of its path."""
    version = hosts.version_of(service, request.path)
    if service in _DOCUMENTED and discovery.has(service, version):
        found = discovery.document(service, version).match(request.method, request.path)
        if found is not None:
            return found[0].id, {name: unquote(value) for name, value in found[1].items()}
    parts = request.path.strip("/").split("/")
    if "projects" in parts[:-1]:
        return "unknown", {"project": unquote(parts[parts.index("projects") + 1]).partition(":")[0]}
    return "unknown", {}


def _front_end(request: Request) -> Response:
    """What Google's front end says where nothing answers for a host."""
    text = (
        "<!DOCTYPE html>\n<html lang=en>\n<title>Error 404 (Not Found)!!1</title>\n"
        f"<p><b>404.</b> <ins>That’s an error.</ins>\n<p>The requested URL <code>{request.path}</code> "
        "was not found on this server.\n"
    )
    return Response(404, dict(_HTML), text.encode())
