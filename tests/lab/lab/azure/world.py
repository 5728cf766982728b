# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the `azure:` section of a world file to the state that the lab starts with.

The section's resources are written by the same handlers that serve Resource Manager, so that a world
cannot hold what Azure would refuse. The schema is documented in tests/lab/worlds/azure.md.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..cloud import Vantage
from . import access, arm_checks, arm_ids, cognitive_connections, resources, schema
from .clouds import ENVIRONMENTS
from .control import Control
from .errors import ArmError
from .registry import OPERATIONS, canonical
from .state import Failure, Permission, Principal, Resource, State, Subscription, Timing

Section = Mapping[str, Any]
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_CLOUD = re.compile("|".join(ENVIRONMENTS))
_SCHEMA: dict[str, Any] = {
    "timing": {field.name: (int, float) for field in dataclasses.fields(Timing)},
    "tenants!": [{"id!": _GUID, "cloud": _CLOUD, "domains": [str]}],
    "subscriptions!": [
        {"id!": _GUID, "name": str, "tenant!": _GUID, "registered": [str], "unregistered": [str]}
    ],
    "principals": [
        {
            "client_id!": _GUID,
            "object_id!": _GUID,
            "tenant!": _GUID,
            "name": str,
            "type": re.compile("ServicePrincipal|User|ManagedIdentity"),
            "secrets": [str],
            "certificates": [str],
            "federated": [{"issuer!": str, "subject!": str, "token": str}],
            "username": str,
            "permissions": [{"scope!": str, "actions!": [str], "not_actions": [str]}],
        }
    ],
    "resource_groups": [{"id!": str, "location!": str, "tags": {"*": str}}],
    "resources": [object],  # their providers know more
    "failures": [{"operation!": str, "id!": str, "code!": str, "message!": str}],
}
_STATUSES = ("Approved", "Pending", "Rejected", "Disconnected")
_SYSTEM = Principal("", "00000000-0000-0000-0000-000000000000", "", "lab")


@dataclass(frozen=True)
class WorldSection:
    """A section of `azure:` that another file understands."""

    schema: Any
    load: Callable[[State, Any], None]


SECTIONS: dict[str, WorldSection] = {}


def world_section(
    name: str, schema: Any
) -> Callable[[Callable[[State, Any], None]], Callable[[State, Any], None]]:
    """Register the loader of one more key of `azure:`; it runs after the resources are there.

    It may raise ArmError or ValueError for what a schema cannot say.
    """

    def register(loader: Callable[[State, Any], None]) -> Callable[[State, Any], None]:
        SECTIONS[name] = WorldSection(schema, loader)
        return loader

    return register


def load(
    world: Section, vantages: Sequence[Vantage] = (), clock: Callable[[], float] | None = None
) -> State:
    """The state of a world that `check` found no problem in; `clock` replaces time.time() in tests."""
    state = _foundation(world["azure"], clock)
    state.extra["vantage addresses"] = {
        each.address for each in vantages if each.network.get("azure")
    }
    for problem in _fill(state, world["azure"]):
        raise ValueError(problem)
    return state


def check(world: Section) -> list[str]:
    """The problems in the world's `azure` section, each with its path."""
    azure = world["azure"]
    known = {**_SCHEMA, **{name: each.schema for name, each in SECTIONS.items()}}
    del known["resources"]
    given = azure if isinstance(azure, dict) else {}
    rest = {key: value for key, value in given.items() if key != "resources"}
    found = list(schema.problems(known, rest if isinstance(azure, dict) else azure, "azure"))
    found += _resource_problems(given.get("resources", []))
    if not found:
        found += list(_cross(given))
    if found:
        return found
    state = _foundation(given, None)
    found += list(_fill(state, given))
    return found + list(_places(state, world))


def _resource_problems(given: Any) -> list[str]:
    if not isinstance(given, list):
        return ["azure.resources: must be a list"]
    return [
        f"azure.resources[{number}]: must be a mapping with an id"
        for number, each in enumerate(given)
        if not isinstance(each, dict) or not isinstance(each.get("id"), str)
    ]


def _cross(azure: Section) -> Iterator[str]:
    tenants = {each["id"] for each in azure["tenants"]}
    for kind in ("subscriptions", "principals"):
        for number, each in enumerate(azure.get(kind, [])):
            if each["tenant"] not in tenants:
                yield f"azure.{kind}[{number}].tenant: there is no tenant {each['tenant']}"
    subscriptions = {each["id"] for each in azure["subscriptions"]}
    for number, each in enumerate(azure.get("resource_groups", [])):
        parts = each["id"].split("/")
        if len(parts) != 5 or parts[1] != "subscriptions" or parts[3] != "resourceGroups":
            yield f"azure.resource_groups[{number}].id: must be /subscriptions/ID/resourceGroups/NAME"
        elif parts[2] not in subscriptions:
            yield f"azure.resource_groups[{number}].id: there is no subscription {parts[2]}"


def _foundation(azure: Section, clock: Callable[[], float] | None) -> State:
    state = State(timing=Timing(**azure.get("timing", {})))
    if clock is not None:
        state.clock = clock
    for tenant in azure["tenants"]:
        state.tenants[tenant["id"]] = ENVIRONMENTS[tenant.get("cloud", "AzureCloud")]
        for domain in tenant.get("domains", []):
            state.domains[domain.lower()] = tenant["id"]
    for each in azure["subscriptions"]:
        registered = {name.lower() for name in each.get("registered", [])} or resources.namespaces()
        registered -= {name.lower() for name in each.get("unregistered", [])}
        state.subscriptions[each["id"].lower()] = Subscription(
            each["id"],
            each.get("name", each["id"]),
            each["tenant"],
            state.tenants[each["tenant"]],
            registered,
        )
    state.principals = [_principal(each) for each in azure.get("principals", [])]
    for group in azure.get("resource_groups", []):
        body = {"location": group["location"], "tags": dict(group.get("tags", {}))}
        state.add(Resource(arm_ids.parse(group["id"]), body))
    return state


def _principal(given: Section) -> Principal:
    permissions = tuple(
        Permission(each["scope"], tuple(each["actions"]), tuple(each.get("not_actions", [])))
        for each in given.get("permissions", [])
    )
    return Principal(
        client_id=given["client_id"],
        object_id=given["object_id"],
        tenant=given["tenant"],
        name=given.get("name", given["client_id"]),
        type=given.get("type", "ServicePrincipal"),
        secrets=tuple(given.get("secrets", [])),
        certificates=tuple(given.get("certificates", [])),
        federated=tuple(
            (each["issuer"], each["subject"], each.get("token", ""))
            for each in given.get("federated", [])
        ),
        username=given.get("username", ""),
        permissions=permissions if "permissions" in given else access.EVERYTHING,
    )


def _fill(state: State, azure: Section) -> Iterator[str]:
    """Write the resources and the other sections; yields what Azure would refuse."""
    # What is forced comes last: a later write would put it right.
    for step in (_write, _force):
        for number, entry in enumerate(azure.get("resources", [])):
            try:
                step(state, entry)
            except (ArmError, ValueError) as error:
                code = f"{error.code}: " if isinstance(error, ArmError) else ""
                yield f"azure.resources[{number}] ({entry['id']}): {code}{error}"
    for name, section in SECTIONS.items():
        try:
            section.load(state, azure.get(name))
        except (ArmError, ValueError) as error:
            yield f"azure.{name}: {error}"
    state.failures = [Failure(**each) for each in azure.get("failures", [])]


def put(state: State, entry: Section) -> None:
    """Write one resource of a world, with what is forced."""
    _write(state, entry)
    _force(state, entry)


def _write(state: State, entry: Section) -> None:
    """Write a resource as Resource Manager does, at once."""
    id = arm_ids.parse(entry["id"])
    found = OPERATIONS.get((id.type.lower(), "PUT"))
    if found is None or not id.is_resource:
        raise ValueError(f"the lab has no resources of type {id.type}")
    subscription = state.subscriptions.get(id.subscription.lower())
    if subscription is None:
        raise ValueError(f"there is no subscription {id.subscription}")
    arm_checks.run(
        Control(
            state=state,
            caller=_SYSTEM,
            environment=subscription.environment,
            operation=found,
            id=canonical(id, state),
            query={"api-version": max(found.type.api_versions)},
            headers={},
            body={key: value for key, value in entry.items() if key not in ("id", "forced")},
            at_start=True,
        )
    )
    if state.find(id) is None:
        raise ValueError("it does not exist after it was written")


def _force(state: State, entry: Section) -> None:
    """Lay over a resource what no request could make of it."""
    made = state.find(str(entry["id"]))
    if made is None:
        return  # refused when it was written
    forced = dict(entry.get("forced", {}))
    made.state = forced.pop("provisioningState", made.state)
    if "connection" in forced:
        _decide(state, made, str(forced.pop("connection")))
    made.properties.update(forced)


def _decide(state: State, endpoint: Resource, status: str) -> None:
    """What the account's owner has said to an endpoint's connection, on both sides."""
    connection = cognitive_connections.connection_of(state, endpoint)
    if connection is None or status not in _STATUSES:
        raise ValueError(
            f"forced.connection: must be one of {', '.join(_STATUSES)}, of an endpoint"
        )
    standing = connection.properties["privateLinkServiceConnectionState"]
    standing.update(status=status, description=status)
    cognitive_connections.tell_endpoint(state, connection, status, status)


def _places(state: State, world: Section) -> Iterator[str]:
    for number, vantage in enumerate(world.get("vantages", [])):
        place = (vantage.get("network") or {}).get("azure")
        at = f"vantages[{number}] ({vantage.get('name')}).network.azure"
        if place is None:
            continue
        if not isinstance(place, dict) or set(place) != {"subnet"}:
            yield f"{at}: must be a mapping with the key subnet"
        elif state.find(str(place["subnet"])) is None:
            yield f"{at}.subnet: there is no subnet {place['subnet']}"
