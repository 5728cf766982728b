# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of resource types and operations that the control plane has, and what a handler gets.

A provider is a file that registers what it knows:

    ENDPOINTS = resource_type(
        "Microsoft.Network/privateEndpoints", VERSIONS, model=(SDK, "PrivateEndpoint"), view=shown)

    @operation(ENDPOINTS, "PUT")
    def put(control: Control) -> Answer: ...

An operation is named for journal and faults by type and method: `Microsoft.Network/privateEndpoints:PUT`,
`:GET`, `:PATCH`, `:DELETE`, `:LIST` for a GET of a collection, and for an action
`Microsoft.CognitiveServices/accounts/listKeys:POST`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .arm_ids import RESOURCES, ArmId
from .state import Resource, State

if TYPE_CHECKING:
    from .control import Control

LOCATIONS = (
    "eastus",
    "eastus2",
    "westus",
    "westus2",
    "westus3",
    "centralus",
    "northcentralus",
    "southcentralus",
    "northeurope",
    "westeurope",
    "swedencentral",
    "uksouth",
    "francecentral",
    "switzerlandnorth",
    "japaneast",
    "australiaeast",
    "usgovvirginia",
    "usgovarizona",
)


@dataclass
class Answer:
    """What a handler answers: a body to be sent as JSON, or none."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


Handler = Callable[["Control"], Answer]
View = Callable[[State, Resource], dict[str, Any]]


@dataclass(frozen=True)
class ResourceType:
    """A resource type. `model` is the SDK's package and class for bodies of PUT.

    `tracked`: it has a location and tags. `locations`: where it exists. `etag`: how its etag is
    written. `statuses`: where its operations are polled, below the subscription and the namespace.
    `parents`: it is a child, so its parent must exist (False for extension resources).
    """

    name: str
    api_versions: tuple[str, ...]
    model: tuple[str, str] | None = None
    view: View | None = None
    tracked: bool = True
    locations: tuple[str, ...] = LOCATIONS
    etag: str = 'W/"{}"'
    statuses: str = "locations/operations"
    results: str = "locations/operationResults"

    @property
    def namespace(self) -> str:
        return self.name.split("/")[0]

    @property
    def short(self) -> str:
        """The name without its namespace: `virtualNetworks/subnets`."""
        return self.name.split("/", 1)[1]


@dataclass(frozen=True)
class Operation:
    name: str
    type: ResourceType
    method: str
    handler: Handler
    write: bool
    action: str  # the RBAC action; "" needs no permission
    model: tuple[str, str] | None  # of the body; None: not checked


TYPES: dict[str, ResourceType] = {}  # by lower-case name
OPERATIONS: dict[tuple[str, str], Operation] = {}  # by (lower-case type, method or LIST)
_VERBS = {
    "GET": "read",
    "LIST": "read",
    "HEAD": "read",
    "PUT": "write",
    "PATCH": "write",
    "DELETE": "delete",
    "POST": "action",
}


def resource_type(
    name: str, api_versions: Iterable[str], *, model: tuple[str, str] | None = None, **more: Any
) -> ResourceType:
    """Register a resource type."""
    made = ResourceType(name, tuple(api_versions), model, **more)
    TYPES[name.lower()] = made
    return made


def operation(
    type: ResourceType,
    method: str,
    *,
    write: bool | None = None,
    action: str | None = None,
    model: tuple[str, str] | None = None,
) -> Callable[[Handler], Handler]:
    """Register a handler. PUT's body is checked against the type's model unless `model` is given.

    `write` defaults to PUT, PATCH, DELETE; `action` to `<type>/read|write|delete|action`.
    """

    def register(handler: Handler) -> Handler:
        made = Operation(
            name=f"{type.name}:{method}",
            type=type,
            method=method,
            handler=handler,
            write=method in ("PUT", "PATCH", "DELETE") if write is None else write,
            action=f"{type.name}/{_VERBS[method]}" if action is None else action,
            model=model if model is not None or method != "PUT" else type.model,
        )
        OPERATIONS[type.name.lower(), method] = made
        return handler

    return register


def method_of(id: ArmId, method: str) -> str:
    """The method of the table: LIST for a GET of a collection."""
    return "LIST" if method == "GET" and id.types and not id.is_resource else method


def canonical(id: ArmId, state: State | None = None) -> ArmId:
    """The id with the registered spelling of its types, and the standing one of its scope and names."""
    types: list[str] = []
    namespace = id.namespace
    for index in range(len(id.types)):
        known = TYPES.get("/".join((id.namespace, *id.types[: index + 1])).lower())
        types.append(known.short.split("/")[-1] if known else id.types[index])
        namespace = known.namespace if known else namespace
    spelled = ArmId(_scope(id, state), namespace, tuple(types), id.names)
    if state is None:
        return spelled
    standing = state.find(spelled)
    if standing:
        return standing.id
    parent = spelled.parent
    above = state.find(parent) if parent else None
    names = (*above.id.names, *spelled.names[len(above.id.names) :]) if above else spelled.names
    return ArmId(spelled.scope, namespace, spelled.types, names)


def _scope(id: ArmId, state: State | None) -> str:
    if state is None or id.namespace == RESOURCES:
        return id.scope
    standing = state.find(id.scope)
    if standing:
        return str(standing.id)
    return id.scope.replace("/resourcegroups/", "/resourceGroups/")


def shown(state: State, resource: Resource) -> dict[str, Any]:
    """A resource as ARM answers it."""
    type = TYPES[resource.id.type.lower()]
    body = type.view(state, resource) if type.view else standard_view(state, resource)
    made: dict[str, Any] = {"id": str(resource.id), "name": resource.id.name, "type": type.name}
    if type.etag:
        made["etag"] = type.etag.format(resource.etag)
    return {**made, **body}


def standard_view(_: State, resource: Resource) -> dict[str, Any]:
    """The body with its provisioning state."""
    properties = {**resource.body.get("properties", {}), "provisioningState": resource.state}
    return {**resource.body, "properties": properties}


def supported(type: ResourceType) -> str:
    return ", ".join(sorted(type.api_versions, reverse=True))
