# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Azure Resource Manager's way in: authenticate, understand, authorise, validate, carry out, answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal
from urllib.parse import parse_qsl, unquote

from ..cloud import Call, Request, Response
from . import arm_ids, body, clouds, tokens
from .arm_ids import RESOURCES, ArmId
from .clouds import Environment
from .control import Control, missing
from .errors import ArmError, bad_request, conflict, json_response, not_found
from .registry import (
    LOCATIONS,
    OPERATIONS,
    TYPES,
    Answer,
    Operation,
    ResourceType,
    canonical,
    method_of,
    supported,
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


def table_key(id: ArmId, method: str) -> tuple[str, str]:
    """Where the table has what a request wants."""
    if not id.types and id.namespace != RESOURCES:
        return f"{RESOURCES}/subscriptions/providers".lower(), "GET"
    return id.type.lower(), method_of(id, method)


def operation_name(id: ArmId | None, method: str) -> tuple[str, bool]:
    """The name for journal and faults, and whether it is a write, also of what does not exist."""
    if id is None:
        return f"unknown:{method}", False
    type, key = table_key(id, method)
    found = OPERATIONS.get((type, key))
    if found is not None:
        return found.name, found.write
    return f"{canonical(id).type}:{key}", method in ("PUT", "PATCH", "DELETE")


def find(
    id: ArmId, method: str, query: Mapping[str, str], given: dict[str, Any] | None
) -> Operation:
    """The operation of a request with its api-version. Raises what Azure answers otherwise."""
    version = query.get("api-version", "")
    if not version:
        raise bad_request(
            "MissingApiVersionParameter",
            "The api-version query parameter (?api-version=) is required for all requests.",
        )
    type_name, key = table_key(id, method)
    found = OPERATIONS.get((type_name, key))
    type = found.type if found else TYPES.get(type_name)
    if type is None:
        raise _unknown_type(id, version)
    if version not in type.api_versions:
        raise _wrong_version(type, version, (given or {}).get("location"))
    if found is None:
        raise ArmError(
            405,
            "MethodNotAllowed" if id.namespace == RESOURCES else "HttpMethodNotSupported",
            f"The HTTP method '{method}' is not supported at scope '{id}'.",
        )
    return found


def _unknown_type(id: ArmId, version: str) -> ArmError:
    namespaces = {each.namespace.lower(): each.namespace for each in TYPES.values()}
    if id.namespace.lower() not in namespaces:
        return not_found(
            "InvalidResourceNamespace", f"The resource namespace '{id.namespace}' is invalid."
        )
    known = sorted(
        {
            each
            for type in TYPES.values()
            if type.namespace.lower() == id.namespace.lower()
            and type.short.split("/")[0].lower() == id.types[0].lower()
            for each in type.api_versions
        },
        reverse=True,
    )
    said = f" The supported api-versions are '{','.join(known)}'." if known else ""
    return not_found(
        "InvalidResourceType",
        f"The resource type '{'/'.join(id.types)}' could not be found in the namespace "
        f"'{id.namespace}' for api version '{version}'.{said}",
    )


def _wrong_version(type: ResourceType, version: str, location: Any) -> ArmError:
    if type.namespace == RESOURCES:
        return bad_request(
            "InvalidApiVersionParameter",
            f"The api-version '{version}' is invalid. The supported versions are "
            f"'{supported(type)}'.",
        )
    if location:
        return bad_request(
            "NoRegisteredProviderFound",
            f"No registered resource provider found for location '{location}' and API version "
            f"'{version}' for type '{type.short}'. The supported api-versions are "
            f"'{supported(type)}'. The supported locations are '{', '.join(type.locations)}'.",
        )
    return not_found(
        "InvalidResourceType",
        f"The resource type '{type.short}' could not be found in the namespace '{type.namespace}' "
        f"for api version '{version}'. The supported api-versions are '{supported(type)}'.",
    )


def run(control: Control) -> Answer:
    """What Resource Manager checks for every provider, then the provider's handler."""
    id, operation = control.id, control.operation
    _group_exists(control)
    _parents_exist(control)
    if operation.method == "PUT":
        _registered(control)
        _placed(control)
    if operation.method in ("PUT", "PATCH", "DELETE") and id.is_resource:
        control.check_etag(control.existing())
    if operation.model is not None:
        checked = body.clean(*operation.model, control.body)
        control = replace(control, body=checked)
    return operation.handler(control)


def _group_exists(control: Control) -> None:
    id = control.id
    if not id.resource_group or (id.namespace == RESOURCES and id.is_resource):
        return
    if control.state.find(id.group_id) is None:
        raise not_found(
            "ResourceGroupNotFound", f"Resource group '{id.resource_group}' could not be found."
        )


def _parents_exist(control: Control) -> None:
    id = control.id
    holder = id.parent
    if id.namespace != RESOURCES and arm_ids_scope(id):
        scope = arm_ids.parse(id.scope)
        if control.state.find(scope) is None:
            raise missing(scope)
    if holder is None or TYPES.get(holder.type.lower()) is None or not holder.is_resource:
        return
    if holder.type.lower() == f"{RESOURCES}/subscriptions".lower():
        return
    if control.state.find(holder) is not None:
        return
    if control.operation.method == "PUT":
        raise not_found(
            "ParentResourceNotFound",
            f"Failed to perform 'write' on resource(s) of type '{control.operation.type.short}', "
            f"because the parent resource '{holder}' could not be found.",
        )
    raise missing(holder)


def arm_ids_scope(id: ArmId) -> bool:
    """Whether the scope is itself a resource (the id is that of an extension resource)."""
    return "/providers/" in id.scope.lower()


def _registered(control: Control) -> None:
    namespace = control.operation.type.namespace
    known = control.state.subscriptions.get(control.id.subscription.lower())
    if control.at_start or namespace == RESOURCES or known is None:
        return  # a world may hold what was there before the provider was unregistered
    if namespace.lower() in known.registered:
        return
    raise conflict(
        "MissingSubscriptionRegistration",
        f"The subscription is not registered to use namespace '{namespace}'. See "
        "https://aka.ms/rps-not-found for how to register subscriptions.",
        details=[
            {
                "code": "MissingSubscriptionRegistration",
                "target": namespace,
                "message": f"The subscription is not registered to use namespace '{namespace}'. "
                "See https://aka.ms/rps-not-found for how to register subscriptions.",
            }
        ],
    )


def _placed(control: Control) -> None:
    """A tracked resource has a location that exists, and stays where it is."""
    type, id = control.operation.type, control.id
    if not type.tracked or not id.is_resource:
        return
    location = control.body.get("location")
    if not isinstance(location, str) or not location:
        raise bad_request(
            "LocationRequired", "The location property is required for this definition."
        )
    place = location.replace(" ", "").lower()
    if place not in type.locations:
        known = LOCATIONS if type.namespace == RESOURCES else type.locations
        raise bad_request(
            "LocationNotAvailableForResourceType",
            f"The provided location '{location}' is not available for resource type '{type.name}'. "
            f"List of available regions for the resource type is '{','.join(known)}'.",
        )
    control.body["location"] = place
    standing = control.existing()
    if standing and standing.body.get("location") != place:
        raise conflict(
            "InvalidResourceLocation",
            f"The resource '{id.name}' already exists in location "
            f"'{standing.body.get('location')}' in resource group '{id.resource_group}'. A resource "
            f"with the same name cannot be created in location '{location}'. Please select a new "
            "resource name.",
        )
