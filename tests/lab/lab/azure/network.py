# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the types of Microsoft.Network share: versions, address arithmetic, children inside of parents.

A child resource (subnet, security rule, route, peering) is a resource of its own in the state; the parent
shows its children in a list, and a PUT of the parent writes them all.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from . import arm_ids
from .control import Control
from .errors import bad_request
from .polling import polled
from .registry import Answer, ResourceType, operation, shown, standard_view
from .resources import registrable
from .state import Resource, State

NAMESPACE = "Microsoft.Network"
SDK = "azure.mgmt.network"
# https://learn.microsoft.com/azure/templates/microsoft.network/change-log/summary
VERSIONS = (
    *("2015-06-15", "2016-09-01", "2016-12-01", "2017-03-01", "2017-06-01", "2017-08-01"),
    *("2017-09-01", "2017-10-01", "2017-11-01", "2018-01-01", "2018-02-01", "2018-04-01"),
    *("2018-06-01", "2018-07-01", "2018-08-01", "2018-10-01", "2018-11-01", "2018-12-01"),
    *("2019-02-01", "2019-04-01", "2019-06-01", "2019-07-01", "2019-08-01", "2019-09-01"),
    *("2019-11-01", "2019-12-01", "2020-01-01", "2020-03-01", "2020-04-01", "2020-05-01"),
    *("2020-06-01", "2020-07-01", "2020-08-01", "2020-11-01", "2021-02-01", "2021-03-01"),
    *("2021-04-01", "2021-05-01", "2021-08-01", "2022-01-01", "2022-05-01", "2022-07-01"),
    *("2022-09-01", "2022-11-01", "2023-02-01", "2023-04-01", "2023-05-01", "2023-06-01"),
    *("2023-09-01", "2023-11-01", "2024-01-01", "2024-03-01", "2024-05-01", "2024-07-01"),
    *("2024-10-01", "2025-01-01", "2025-03-01", "2025-05-01", "2025-07-01", "2025-09-01"),
    *("2026-01-01", "2026-03-01"),
)
Items = Mapping[str, dict[str, Any]]  # the children's properties by name

polled(NAMESPACE, VERSIONS)
registrable(NAMESPACE)


@dataclass(frozen=True)
class Nest:
    """Child resources that the parent's body shows under `key`.

    `check` sees all that the parent will have, and raises for what cannot be together. `removable`
    raises for a child that cannot go. `kept`: a PUT of the parent that does not name them keeps them.
    """

    key: str
    type: ResourceType
    check: Callable[[Control, arm_ids.ArmId, Mapping[str, Any], Items], None]
    removable: Callable[[Control, Resource], None] = lambda control, child: None
    kept: bool = False


def with_children(*nests: str) -> Callable[[State, Resource], dict[str, Any]]:
    """A view that shows the children in the parent."""

    def view(state: State, resource: Resource) -> dict[str, Any]:
        body = standard_view(state, resource)
        for key in nests:
            children = state.children(resource.id, key)
            body["properties"][key] = [shown(state, each) for each in children]
        return body

    return view


def put_parent(
    control: Control, nests: Iterable[Nest] = (), properties: Mapping[str, Any] | None = None
) -> Answer:
    """Create or replace a top-level resource with the children that its body names."""
    standing = control.existing()
    if standing:
        control.idle(standing, *_children(control.state, standing, nests))
    own = dict(control.properties if properties is None else properties)
    given: list[tuple[Nest, dict[str, dict[str, Any]]]] = []
    for nest in nests:
        items = own.pop(nest.key, None)
        if items is None and nest.kept:
            continue
        given.append((nest, _named(control, nest, items or [])))
    for nest, wanted in given:
        nest.check(control, control.id, own, wanted)
        for child in control.state.children(control.id, nest.key):
            if child.id.name.lower() not in {each.lower() for each in wanted}:
                nest.removable(control, child)
    body = {"location": control.body["location"], "properties": own}
    body["tags"] = dict(control.body.get("tags") or {})
    made = standing or control.state.add(Resource(control.id, body))
    made.body = body
    made.touch()
    for nest, wanted in given:
        _replace_children(control.state, made, nest, wanted)
    return control.begin(
        made, control.state.timing.operation, status=200 if standing else 201, state="Updating"
    )


def _children(state: State, parent: Resource, nests: Iterable[Nest]) -> list[Resource]:
    return [child for nest in nests for child in state.children(parent.id, nest.key)]


def _named(control: Control, nest: Nest, items: Iterable[Any]) -> dict[str, dict[str, Any]]:
    made: dict[str, dict[str, Any]] = {}
    for item in items:
        name = str(item.get("name") or "")
        if not name:
            raise bad_request(
                "InvalidRequestFormat",
                "Cannot parse the request.",
                details=[
                    {
                        "code": "MissingJsonReferenceId",
                        "message": f"Value for reference id is missing. Path properties.{nest.key}.",
                    }
                ],
            )
        if name.lower() in {each.lower() for each in made}:
            raise bad_request(
                "InvalidRequestFormat",
                "Cannot parse the request.",
                details=[
                    {
                        "code": "DuplicateResourceName",
                        "message": f"Resource {control.id} has two child resources with the same "
                        f"name ({name}).",
                    }
                ],
            )
        made[name] = dict(item.get("properties") or {})
    return made


def _replace_children(
    state: State, parent: Resource, nest: Nest, wanted: Mapping[str, dict[str, Any]]
) -> None:
    names = {each.lower() for each in wanted}
    for child in state.children(parent.id, nest.key):
        if child.id.name.lower() not in names:
            state.remove(child.id)
    for name, properties in wanted.items():
        store_child(state, parent, nest, name, properties)


def store_child(
    state: State, parent: Resource, nest: Nest, name: str, properties: dict[str, Any]
) -> Resource:
    id = parent.id.child(nest.key, name)
    standing = state.find(id)
    made = standing or state.add(Resource(id, {}))
    made.body = {"properties": properties}
    made.touch()
    return made


def put_child(control: Control, nest: Nest, parent: Resource) -> Answer:
    """Create or replace one child; its parent is busy meanwhile."""
    standing = control.existing()
    control.idle(parent, *control.state.children(parent.id, nest.key))
    properties = dict(control.properties)
    items = {each.id.name: each.properties for each in control.state.children(parent.id, nest.key)}
    name = standing.id.name if standing else control.id.name
    nest.check(control, parent.id, parent.properties, {**items, name: properties})
    child = store_child(control.state, parent, nest, name, properties)
    parent.touch()
    return control.begin(
        child,
        control.state.timing.operation,
        status=200 if standing else 201,
        state="Updating",
        also=(parent,),
    )


def delete_child(control: Control, nest: Nest, parent: Resource) -> Answer:
    child = control.existing()
    if child is None:
        return Answer(204)
    control.idle(parent, child)
    nest.removable(control, child)
    parent.touch()
    return control.delete(child, control.state.timing.operation, also=(parent,))


def nested(nest: Nest, holder: Callable[[Control], Resource]) -> None:
    """Register PUT and DELETE of a child type."""

    @operation(nest.type, "PUT")
    def put(control: Control) -> Answer:
        return put_child(control, nest, holder(control))

    @operation(nest.type, "DELETE")
    def delete(control: Control) -> Answer:
        return delete_child(control, nest, holder(control))


def reference(
    control: Control, properties: dict[str, Any], name: str, type: str
) -> Resource | None:
    """A reference to a resource that must exist in the same place: kept as `{"id": …}` alone."""
    given = properties.get(name)
    if not given:
        properties.pop(name, None)
        return None
    found = control.referenced(str(given.get("id", "")), type)
    action = f"{type}/join/action"
    control.authorize_linked(action, found.id)
    properties[name] = {"id": str(found.id)}
    return found


def network_of(prefix: Any, resource: object) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    """A CIDR. Raises Azure's words for what is none."""
    text = str(prefix)
    try:
        address, _, _ = text.partition("/")
        ipaddress.ip_address(address)
        found = ipaddress.ip_network(text, strict=False)
        if "/" not in text:
            raise ValueError(text)
    except ValueError:
        raise bad_request(
            "InvalidAddressPrefixFormat",
            f"Address prefix {text} of resource {resource} is not formatted correctly. It should "
            "follow CIDR notation, for example 10.0.0.0/24.",
        ) from None
    if str(found) != text:
        raise bad_request(
            "InvalidCIDRNotation",
            f"The address prefix {text} in resource {resource} has an invalid CIDR notation. For "
            f"the given prefix length, the address prefix should be {found}.",
        )
    return found


def users(state: State, key: str, target: Resource) -> list[Resource]:
    """The subnets that refer to a resource under a property."""
    return [
        each
        for each in state.of_type(f"{NAMESPACE}/virtualNetworks/subnets")
        if arm_ids.same(str((each.properties.get(key) or {}).get("id", "")), str(target.id))
    ]


def delete_unused(control: Control, key: str, code: str, what: str, hint: str) -> Answer:
    """Delete a resource that subnets may refer to, unless one does."""
    resource = control.existing()
    if resource is None:
        return Answer(204)
    control.idle(resource)
    using = users(control.state, key, resource)
    if using:
        names = ", ".join(str(each.id) for each in using)
        raise bad_request(
            code,
            f"{what} {resource.id} cannot be deleted because it is in use by the following "
            f"resources: {names}. In order to delete the {what}, remove the association with the "
            f"resource(s). To learn how to do this, see {hint}.",
        )
    return control.delete(resource, control.state.timing.operation)
