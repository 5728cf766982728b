# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control planes' way in: authenticate, understand, validate, authorise, carry out, answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ..cloud import Call, Request, Response
from . import iam_request, protocol, serialise, sigv4
from .errors import (
    AwsError,
    CredentialError,
    Violation,
    credential_error,
    invalid_request,
    unknown_operation,
)
from .models import OperationModel, control_host, model
from .operation import OPERATIONS, Control, is_write
from .records import Caller
from .state import State
from .validate import violations


@dataclass(frozen=True)
class Detail:
    """What the control plane made of a request, or the error that it will answer."""

    service: str
    region: str
    operation: OperationModel | None
    params: Mapping[str, Any]
    violations: Sequence[Violation]
    caller: Caller | None
    error: AwsError | None


class ControlPlane:
    """EC2, Route 53, Organizations, STS, IAM Access Analyzer and CloudTrail of every Region."""

    def __init__(self, state: State) -> None:
        self._state = state

    def serves(self, host: str) -> bool:
        found = control_host(host)
        return found is not None and found[1] in self._state.regions

    def parse(self, request: Request) -> Call:
        found = control_host(request.host)
        if found is None:
            raise ValueError(f"{request.host} is no control plane")
        service, region = found
        error: AwsError | None = None
        operation: OperationModel | None = None
        params: dict[str, Any] = {}
        breaches: list[Violation] = []
        caller: Caller | None = None
        try:
            operation, params, breaches = protocol.parse(
                model(service),
                request.method,
                request.path,
                request.query,
                request.headers,
                request.body,
            )
        except AwsError as problem:
            error = problem
        try:
            caller = self._authenticate(request, service, region)
        except CredentialError as problem:
            error = credential_error(str(model(service).metadata["protocol"]), problem)
        name = operation.name if operation is not None else "unknown"
        return Call(
            cloud="aws",
            plane="control",
            operation=f"{service}:{name}",
            principal=caller.arn if caller is not None else "anonymous",
            parameters=params,
            write=is_write(name) and not params.get("DryRun", False),
            detail=Detail(service, region, operation, params, breaches, caller, error),
        )

    def _authenticate(self, request: Request, service: str, region: str) -> Caller:
        with self._state.lock:
            return sigv4.verify(
                self._state,
                method=request.method,
                path=request.path,
                query=request.query,
                headers=request.headers,
                body=request.body,
                service=str(model(service).signing_name),
                region=region,
            )

    def answer(self, request: Request, call: Call) -> Response:
        detail: Detail = call.detail
        service_model = model(detail.service)
        try:
            result = self._execute(request, detail, call.authorized)
        except AwsError as error:
            return serialise.failure(service_model, error)
        if detail.operation is None:
            raise AssertionError("an operation that ran has a model")
        return serialise.success(service_model, detail.operation, result)

    def _execute(
        self, request: Request, detail: Detail, authorized: list[str]
    ) -> Mapping[str, Any]:
        if detail.error is not None:
            raise detail.error
        if detail.operation is None or detail.caller is None:
            raise AssertionError("a request without error has an operation and a caller")
        name = detail.operation.name
        entry = OPERATIONS.get((detail.service, name))
        if entry is None:
            words = protocol_of(detail.service)
            raise unknown_operation(words, name, str(model(detail.service).metadata["apiVersion"]))
        broken = [*detail.violations, *violations(detail.operation.input_shape, detail.params)]
        if broken:
            raise invalid_request(detail.service, broken)
        control = Control(
            state=self._state,
            caller=detail.caller,
            service=detail.service,
            region=detail.region,
            operation=name,
            params=detail.params,
            source_address=request.vantage.public_address or request.vantage.address,
            authorized=authorized,
        )
        with self._state.lock:
            self._state.settle()
            if entry.action:
                for resource in entry.resources(control):
                    control.authorize(entry.action, resource, self._keys(control, resource))
            for need in entry.dependents(control):
                control.authorize(need.action, need.resource, need.keys)
            if detail.params.get("DryRun"):
                raise AwsError(
                    "DryRunOperation",
                    "Request would have succeeded, but DryRun flag is set.",
                    412,
                )
            return entry.handler(control) or {}

    def _keys(self, control: Control, resource: str) -> Mapping[str, Any]:
        if control.service == "ec2":
            return iam_request.ec2_keys(self._state, control.operation, control.params, resource)
        if control.service == "route53":
            return iam_request.route53_keys(control.operation, control.params)
        if control.service == "organizations":
            return iam_request.organizations_keys(self._state, control.params)
        return {}

    def fault(self, call: Call, kind: Literal["throttle", "error"]) -> Response:
        detail: Detail = call.detail
        return serialise.failure(model(detail.service), fault_error(detail.service, kind))


def protocol_of(service: str) -> str:
    return str(model(service).metadata["protocol"])


_THROTTLES = {
    "ec2": AwsError("RequestLimitExceeded", "Request limit exceeded.", 503),
    "organizations": AwsError(
        "TooManyRequestsException",
        "AWS Organizations can't handle your request at this time. Try again later.",
        Type="Rate exceeded",
    ),
    "sts": AwsError("Throttling", "Rate exceeded", 400),
    "route53": AwsError("Throttling", "Rate exceeded", 400),
    "cloudtrail": AwsError("ThrottlingException", "Rate exceeded", 400),
    "accessanalyzer": AwsError("ThrottlingException", "Rate exceeded", 429),
}
_FAILURES = {
    "ec2": AwsError("InternalError", "An internal error has occurred", 500),
    "organizations": AwsError(
        "ServiceException",
        "AWS Organizations can't complete your request "
        "because of an internal service error. Try again later.",
        500,
    ),
    "sts": AwsError("InternalFailure", "We encountered an internal error. Please try again.", 500),
    "route53": AwsError(
        "InternalFailure",
        "The request processing has failed because of an unknown error, exception or failure.",
        500,
    ),
    "cloudtrail": AwsError(
        "InternalFailure",
        "The request processing has failed because of an unknown error, exception or failure.",
        500,
    ),
    "accessanalyzer": AwsError("InternalServerException", "Internal server error", 500),
}


def fault_error(service: str, kind: Literal["throttle", "error"]) -> AwsError:
    """The service's own throttling or internal error."""
    return (_THROTTLES if kind == "throttle" else _FAILURES)[service]
