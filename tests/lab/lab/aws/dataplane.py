# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The data planes: Bedrock's four services and SageMaker's two, public and through endpoints.

A request is authenticated, then the way in is checked (an endpoint answers only for its own service),
then policies decide, then the service's model, then the operation itself. What was authenticated leaves a
CloudTrail event. https://docs.aws.amazon.com/bedrock/latest/APIReference/
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from botocore.model import OperationModel

from ..cloud import Call, Request, Response
from . import data_answers, datacalls, iam, packets, protocol, serialise, sigv4, trail
from .errors import AwsError, CredentialError, Violation, credential_error, denied, invalid_request
from .hosts import DataHost, data_host
from .iam_patterns import glob
from .models import model
from .network import Endpoint
from .records import Caller
from .state import State
from .validate import violations

_DENIAL_TYPE = "AccessDeniedException:http://internal.amazon.com/coral/com.amazon.coral.service/"
_LAB = ipaddress.ip_network("203.0.113.0/24")
_WRITES = ("Create", "Update", "Delete", "Put", "Tag", "Untag", "Associate", "Disassociate")


@dataclass(frozen=True)
class Detail:
    """What the data plane made of a request, or the error that it will answer."""

    host: DataHost
    operation: OperationModel | None
    params: Mapping[str, Any]
    breaches: Sequence[Violation]
    caller: Caller | None
    error: AwsError | None


class DataPlane:
    """All simulated data planes of every Region."""

    def __init__(self, state: State) -> None:
        self._state = state

    def serves(self, host: str) -> bool:
        with self._state.lock:
            return data_host(self._state, host) is not None

    def parse(self, request: Request) -> Call:
        with self._state.lock:
            self._state.settle()
            host = data_host(self._state, request.host)
            if host is None:
                raise ValueError(f"{request.host} is no data plane")
            detail = self._understand(request, host)
        name = detail.operation.name if detail.operation else "unknown"
        return Call(
            cloud="aws",
            plane="data",
            operation=f"{host.service}:{name}",
            principal=detail.caller.arn if detail.caller else "anonymous",
            parameters={
                key: value for key, value in detail.params.items() if not isinstance(value, bytes)
            },
            write=name.startswith(_WRITES),
            detail=detail,
        )

    def _understand(self, request: Request, host: DataHost) -> Detail:
        service = model(host.service)
        operation: OperationModel | None = None
        params: dict[str, Any] = {}
        breaches: list[Violation] = []
        caller, error = None, None
        try:
            operation, params, breaches = protocol.parse(
                service,
                request.method,
                request.path,
                request.query,
                request.headers,
                request.body,
            )
        except AwsError as problem:
            error = problem
        try:
            caller = sigv4.verify(
                self._state,
                method=request.method,
                path=request.path,
                query=request.query,
                headers=request.headers,
                body=request.body,
                service=str(service.signing_name),
                region=host.region,
            )
        except CredentialError as problem:
            error = credential_error(str(service.metadata["protocol"]), problem)
        return Detail(host, operation, params, breaches, caller, error)

    def answer(self, request: Request, call: Call) -> Response:
        detail: Detail = call.detail
        service = model(detail.host.service)
        with self._state.lock:
            self._state.settle()
            try:
                endpoint = self._way_in(request, detail.host)
            except AwsError as problem:
                return serialise.failure(service, problem)
            problem_met: AwsError | None = None
            try:
                response = self._execute(request, detail, endpoint)
            except AwsError as problem:
                problem_met = problem
                response = _failure(detail.host.service, problem)
            if detail.caller is not None and detail.operation is not None:
                self._leave_event(request, detail, endpoint, problem_met, response)
            return response

    def _way_in(self, request: Request, host: DataHost) -> Endpoint | None:
        """The endpoint that was dialled, or None for the public way; a foreign host is refused."""
        if ipaddress.ip_address(request.address) in _LAB:
            return None
        endpoint = packets.endpoint_at(self._state, request.address)
        if endpoint is None or not _answers_for(self._state, endpoint, host.host):
            # In AWS the certificate already tells; behind the lab's, which fits every name, a 404 does.
            raise AwsError(
                "UnknownOperationException",
                f"Nothing at {request.address} answers for {host.host}",
                404,
            )
        return endpoint

    def _execute(self, request: Request, detail: Detail, endpoint: Endpoint | None) -> Response:
        if detail.error is not None:
            raise detail.error
        if detail.operation is None or detail.caller is None:
            raise AssertionError("a request without error has an operation and a caller")
        call = datacalls.DataCall(
            self._state,
            detail.caller,
            detail.host.service,
            detail.host.region,
            detail.operation,
            detail.params,
        )
        context = {
            **iam.principal_context(self._state, detail.caller, detail.host.region),
            **iam.network_context(
                self._state, endpoint.id if endpoint else "", _source(request, endpoint)
            ),
        }
        for resource, extra in datacalls.resources(call):
            decision = iam.decide(
                self._state,
                detail.caller,
                datacalls.action(call),
                resource,
                {**context, **extra},
            )
            if not decision.allowed:
                raise denied(str(model(detail.host.service).metadata["protocol"]), decision.message)
        broken = [*detail.breaches, *violations(detail.operation.input_shape, detail.params)]
        if broken:
            raise invalid_request(detail.host.service, broken)
        return data_answers.answer(call)

    def _leave_event(
        self,
        request: Request,
        detail: Detail,
        endpoint: Endpoint | None,
        error: AwsError | None,
        response: Response,
    ) -> None:
        assert detail.caller is not None and detail.operation is not None
        trail.record(
            self._state,
            trail.Observed(
                caller=detail.caller,
                source=str(model(detail.host.service).signing_name),
                name=detail.operation.name,
                region=detail.host.region,
                address=_source(request, endpoint),
                request_id=response.headers["x-amzn-RequestId"],
                host=request.host,
                user_agent=request.headers.get("user-agent", ""),
                endpoint_id=endpoint.id if endpoint else "",
                error=error,
                parameters=_shown(detail),
            ),
        )

    def fault(self, call: Call, kind: Literal["throttle", "error"]) -> Response:
        service = call.detail.host.service
        status = 429 if model(service).metadata["protocol"] == "rest-json" else 400
        if kind == "throttle":
            error = AwsError("ThrottlingException", "Rate exceeded", status)
        else:
            message = "The server encountered an internal error. Try your request again."
            error = AwsError("InternalServerException", message, 500)
        return serialise.failure(model(service), error)


def _answers_for(state: State, endpoint: Endpoint, host: str) -> bool:
    """Whether the certificate of the endpoint's service would fit the host."""
    service = state.services[endpoint.region].get(endpoint.service)
    if service is None:
        return False
    names = (*service.private_dns_names, f"*.{service.domain}")
    return any(glob(name, host) for name in names)


def _source(request: Request, endpoint: Endpoint | None) -> str:
    vantage = request.vantage
    return vantage.address if endpoint else vantage.public_address or vantage.address


def _shown(detail: Detail) -> dict[str, Any]:
    """What CloudTrail shows of the parameters: names and ids, nothing of the body."""
    shape = detail.operation.input_shape if detail.operation else None
    if shape is None or model(detail.host.service).metadata["protocol"] == "json":
        return dict(detail.params)
    return {
        name: value
        for name, value in detail.params.items()
        if shape.members[name].serialization.get("location") in ("uri", "querystring")
    }


def _failure(service: str, error: AwsError) -> Response:
    """The error as the service sends it; denials come from AWS's front, which spells them its own way."""
    response = serialise.failure(model(service), error)
    if error.code == "AccessDeniedException" and model(service).metadata["protocol"] == "rest-json":
        response.headers["x-amzn-ErrorType"] = _DENIAL_TYPE
        response.body = json.dumps({"Message": error.message}).encode()
    return response
