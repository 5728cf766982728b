# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The control planes' way in: find the method, authenticate, validate, carry out, answer."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import parse_qsl, unquote

from ..cloud import Call, Request, Response
from . import compute_operations, discovery, hosts, perimeter, tokens
from .errors import (
    JSON,
    GoogleError,
    error_info,
    insufficient_scopes,
    service_disabled,
    unauthenticated,
)
from .operation import METHODS, Control, Result, is_write
from .records import Principal, Token
from .state import State
from .validate import body_of, query_of

_OPEN = ("grant_type", "audience", "scope")
_WAIT = 120.0  # seconds that operations.wait waits at most


@dataclass(frozen=True)
class Detail:
    """What the control plane made of a request, or the error that it will answer."""

    service: str
    version: str
    method: str
    path: Mapping[str, str]
    query: Mapping[str, Any]
    body: Mapping[str, Any]
    caller: Principal | None
    error: GoogleError | None


class ControlPlane:
    """compute, dns, oauth2, sts, iamcredentials, accesscontextmanager, orgpolicy, cloudresourcemanager, logging."""

    def __init__(self, state: State) -> None:
        self._state = state

    def serves(self, request: Request) -> bool:
        return hosts.control_service(request.host, request.path) is not None

    def parse(self, request: Request) -> Call:
        service = hosts.control_service(request.host, request.path)
        if service is None:
            raise ValueError(f"{request.host} is no control plane")
        detail = self._understand(request, service)
        parameters = {**detail.path, **detail.query}
        if detail.service in ("oauth2", "sts"):  # the rest are secrets
            parameters = {name: parameters[name] for name in _OPEN if name in parameters}
        if detail.body:
            parameters["body"] = detail.body
        return Call(
            cloud="gcp",
            plane="control",
            operation=detail.method,
            principal=detail.caller.email if detail.caller else "anonymous",
            parameters=parameters,
            write=is_write(detail.method) and not detail.query.get("validateOnly"),
            detail=detail,
        )

    def _understand(self, request: Request, service: str) -> Detail:
        if service == "oauth2" or (service == "sts" and request.path == "/v1/token"):
            name = "oauth2.tokeninfo" if "tokeninfo" in request.path else f"{service}.token"
            form = dict(parse_qsl(request.body.decode("utf-8", "replace")))
            fields = {**dict(parse_qsl(request.query)), **form}
            return Detail(service, "v1", name, {}, fields, {}, None, None)
        version, found = self._find(service, request)
        if found is None:
            return Detail(
                service, version, f"{service}.unknown", {}, {}, {}, None, _not_found(request)
            )
        document, method, bound = found
        path = {name: unquote(value) for name, value in bound.items()}
        query: dict[str, Any] = {}
        body: dict[str, Any] = {}
        caller, error = None, None
        try:
            token = self._token(request, service, method.id)
            caller = token.principal if token else None
            query = query_of(document, method, request.query)
            if token is not None:
                self._admit(token, service, method, path)
            body = body_of(document, method, request.body)
        except GoogleError as problem:
            error = problem
        if not body and request.body and error is not None:
            body = _as_sent(request.body)
        return Detail(service, version, method.id, path, query, body, caller, error)

    def _find(
        self, service: str, request: Request
    ) -> tuple[str, tuple[discovery.Document, discovery.Method, dict[str, str]] | None]:
        version = hosts.version_of(service, request.path)
        if not discovery.has(service, version):
            return version, None
        document = discovery.document(service, version)
        found = document.match(request.method, request.path)
        return version, (document, *found) if found else None

    def _token(self, request: Request, service: str, method: str) -> Token | None:
        with self._state.lock:
            try:
                found = tokens.authenticate(
                    self._state, request.headers, f"{service}.googleapis.com"
                )
            except tokens.BadToken as problem:
                raise unauthenticated(service, method, problem.reason) from None
        if found is None:
            raise unauthenticated(service, method)
        return found

    def _admit(
        self, token: Token, service: str, method: discovery.Method, path: Mapping[str, str]
    ) -> None:
        """Scopes of the token, then whether the API is enabled in the project that pays."""
        enough = {*method.scopes, tokens.EVERYTHING}
        if service == "iamcredentials":
            enough.add("https://www.googleapis.com/auth/iam")  # what google-auth impersonates with
        if method.scopes and not token.scopes & enough:
            raise insufficient_scopes(service, method.id)
        named = self._state.project(path.get("project", ""))
        consumer = named or self._state.projects.get(token.principal.project)
        if consumer is not None and f"{service}.googleapis.com" in consumer.disabled:
            raise service_disabled(service, consumer.number)

    def answer(self, request: Request, call: Call) -> Response:
        detail: Detail = call.detail
        try:
            body = self._execute(request, detail)
        except GoogleError as error:
            return error.response(detail.service)
        return Response(200, dict(JSON), body) if body else Response(204, {})

    def _execute(self, request: Request, detail: Detail) -> bytes:
        if detail.error is not None:
            raise detail.error
        handler = METHODS.get(detail.method)
        if handler is None:
            raise GoogleError(501, f"The lab does not simulate {detail.method}.")
        control = Control(
            state=self._state,
            caller=detail.caller or Principal("", "", ""),
            service=detail.service,
            version=detail.version,
            method=detail.method,
            path=detail.path,
            query=detail.query,
            body=detail.body,
            source_address=request.vantage.public_address or request.vantage.address,
        )
        if detail.method.endswith("Operations.wait"):
            self._wait(control)
        with self._state.lock:
            self._state.settle()
            perimeter.guard(control, request)
            repeated = compute_operations.repeated(control)
            if repeated is not None:
                return _json(repeated)
            result = handler(control)
            compute_operations.remember(control, result)
            return _json(result) if result is not None else b""

    def _wait(self, control: Control) -> None:
        """compute's wait: until the operation has ended, or the time is up."""
        until = time.monotonic() + _WAIT
        while time.monotonic() < until:
            with self._state.lock:
                self._state.settle()
                found = compute_operations.find(control)
                if found is None or found.done:
                    return
            time.sleep(0.02)

    def fault(self, call: Call, kind: Literal["throttle", "error"]) -> Response:
        detail: Detail = call.detail
        return fault_error(detail.service, kind).response(detail.service)


def _json(result: Result) -> bytes:
    return json.dumps(result, indent=2).encode()


def _not_found(request: Request) -> GoogleError:
    return GoogleError(404, f"The requested URL {request.path} was not found on this server.")


def _as_sent(body: bytes) -> dict[str, Any]:
    """For the journal: what a request that was refused had said, if it was JSON."""
    try:
        value = json.loads(body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def fault_error(service: str, kind: Literal["throttle", "error"]) -> GoogleError:
    """The service's own answer to too many requests, or when it fails itself."""
    host = f"{service}.googleapis.com"
    if kind == "error":
        if service in ("compute", "dns"):
            return GoogleError(503, "Backend Error", "backendError", "UNAVAILABLE")
        return GoogleError(503, "The service is currently unavailable.", "", "UNAVAILABLE")
    info = error_info(
        "RATE_LIMIT_EXCEEDED",
        "googleapis.com",
        service=host,
        quota_metric=f"{host}/default",
        quota_limit="defaultPerMinutePerProject",
    )
    message = (
        f"Quota exceeded for quota metric 'Queries' and limit 'Queries per minute' of service '{host}' "
        "for consumer 'project_number:0'."
    )
    if service in ("compute", "dns"):
        return GoogleError(
            403, message, "rateLimitExceeded", "PERMISSION_DENIED", [info], domain="usageLimits"
        )
    return GoogleError(429, message, "rateLimitExceeded", "RESOURCE_EXHAUSTED", [info])
