# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private DNS zones and their links to virtual networks."""

from __future__ import annotations

import re
import uuid
from typing import Any

from . import arm_ids, stock
from .control import Control
from .errors import ArmError, bad_request, conflict
from .network import NAMESPACE
from .polling import polled
from .registry import Answer, operation, resource_type, standard_view
from .state import Resource, State

SDK = "azure.mgmt.privatedns"
VERSIONS = ("2018-09-01", "2020-01-01", "2020-06-01", "2024-06-01")
_NAME = f"{NAMESPACE}/privateDnsZones"
_NETWORKS = f"{NAMESPACE}/virtualNetworks"
_STATUSES = "privateDnsOperationStatuses"
_RESULTS = "privateDnsOperationResults"
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_ZONE = re.compile(rf"{_LABEL}(\.{_LABEL})+", re.IGNORECASE)
_GLOBAL = ("global",)
RECORD_TYPES = ("A", "AAAA", "CNAME", "MX", "PTR", "SOA", "SRV", "TXT")

polled(NAMESPACE, VERSIONS, _STATUSES, _RESULTS)


def record_sets(state: State, zone: Resource) -> list[Resource]:
    """Every record set of a zone."""
    return [each for kind in RECORD_TYPES for each in state.children(zone.id, kind)]


def _zone_view(state: State, zone: Resource) -> dict[str, Any]:
    body = standard_view(state, zone)
    links = state.children(zone.id, "virtualNetworkLinks")
    body["properties"] |= {
        "maxNumberOfRecordSets": 25000,
        "numberOfRecordSets": len(record_sets(state, zone)),
        "maxNumberOfVirtualNetworkLinks": 1000,
        "numberOfVirtualNetworkLinks": len(links),
        "maxNumberOfVirtualNetworkLinksWithRegistration": 100,
        "numberOfVirtualNetworkLinksWithRegistration": sum(
            bool(each.properties.get("registrationEnabled")) for each in links
        ),
    }
    return body


def _link_view(state: State, link: Resource) -> dict[str, Any]:
    body = standard_view(state, link)
    body["properties"]["virtualNetworkLinkState"] = (
        "Completed" if link.state == "Succeeded" else "InProgress"
    )
    return body


ZONES = resource_type(
    _NAME,
    VERSIONS,
    model=(SDK, "PrivateZone"),
    view=_zone_view,
    locations=_GLOBAL,
    etag="{}",
    statuses=_STATUSES,
    results=_RESULTS,
)
LINKS = resource_type(
    f"{_NAME}/virtualNetworkLinks",
    VERSIONS,
    model=(SDK, "VirtualNetworkLink"),
    view=_link_view,
    locations=_GLOBAL,
    etag='"{}"',
    statuses=_STATUSES,
    results=_RESULTS,
)
stock.readable(ZONES)
stock.readable(LINKS)


@operation(ZONES, "PUT")
def put_zone(control: Control) -> Answer:
    standing = control.existing()
    if standing:
        control.idle(standing)
    elif not _ZONE.fullmatch(control.id.name) or len(control.id.name) > 253:
        raise bad_request(
            "InvalidPrivateZoneName", f"The zone name '{control.id.name}' is not valid."
        )
    tags = dict(control.body.get("tags") or {})
    if standing:
        standing.body["tags"] = tags
        standing.touch()
        return _begin(control, standing)
    properties = {"internalId": uuid.uuid4().hex}
    body = {"location": "global", "tags": tags, "properties": properties}
    made = control.state.add(Resource(control.id, body))
    soa = {
        "email": "azureprivatedns-host.microsoft.com",
        "expireTime": 2419200,
        "host": "azureprivatedns.net",
        "minimumTtl": 10,
        "refreshTime": 3600,
        "retryTime": 300,
        "serialNumber": 1,
    }
    control.state.add(
        Resource(made.id.child("SOA", "@"), {"properties": {"ttl": 3600, "soaRecord": soa}})
    )
    return _begin(control, made, state="Creating")


def _begin(control: Control, resource: Resource, state: str = "Updating") -> Answer:
    """The provider answers 202 and no body."""
    return control.begin(resource, control.state.timing.dns, status=202, state=state, body=False)


@operation(ZONES, "PATCH", model=(SDK, "PrivateZone"))
def patch_zone(control: Control) -> Answer:
    zone = control.resource()
    control.idle(zone)
    if "tags" in control.body:
        zone.body["tags"] = dict(control.body["tags"])
    zone.touch()
    return _begin(control, zone)


@operation(ZONES, "DELETE")
def delete_zone(control: Control) -> Answer:
    """Only a zone that is linked nowhere; its records go with it."""
    zone = control.existing()
    if zone is None:
        return Answer(204)
    control.idle(zone)
    if control.state.children(zone.id, "virtualNetworkLinks"):
        raise conflict(
            "CannotDeleteResource",
            "Can not delete resource before nested resources are deleted.",
        )
    return control.delete(zone, control.state.timing.dns)


@operation(LINKS, "PUT")
def put_link(control: Control) -> Answer:
    zone = stock.existing_parent(control)
    standing = control.existing()
    if standing:
        control.idle(standing)
    properties = dict(control.properties)
    network = _network(control, properties)
    _check_policy(control, zone, properties)
    if standing:
        was = str((standing.properties.get("virtualNetwork") or {}).get("id", ""))
        if not arm_ids.same(was, str(network.id)):
            raise bad_request(
                "BadRequest",
                f"The virtual network of virtual network link '{control.id.name}' cannot be "
                f"changed from '{was}' to '{network.id}'.",
            )
    else:
        _check_overlap(control, zone, network)
    properties["virtualNetwork"] = {"id": str(network.id)}
    properties.setdefault("registrationEnabled", False)
    _check_registration(control, network, properties)
    body = {"location": "global", "properties": properties}
    body["tags"] = dict(control.body.get("tags") or {})
    made = standing or control.state.add(Resource(control.id, body))
    made.body = body
    made.touch()
    return _begin(control, made, state="Updating" if standing else "Creating")


def _network(control: Control, properties: dict[str, Any]) -> Resource:
    id = str((properties.get("virtualNetwork") or {}).get("id", ""))
    if not id:
        raise bad_request("BadRequest", "The virtual network id of the link is missing.")
    try:
        found = control.referenced(id, _NETWORKS)
    except ArmError:
        raise bad_request(
            "BadRequest", f"The virtual network '{id}' of the link does not exist."
        ) from None
    control.authorize_linked(f"{_NETWORKS}/join/action", found.id)
    return found


def _check_policy(control: Control, zone: Resource, properties: dict[str, Any]) -> None:
    if "resolutionPolicy" not in properties:
        if control.query.get("api-version", "") >= "2024" or control.at_start:
            properties["resolutionPolicy"] = "Default"
        return
    if control.query.get("api-version", "") < "2024-06-01":
        raise bad_request(
            "InvalidRequestContent",
            "The request content was invalid and could not be deserialized: 'Could not find member "
            "'resolutionPolicy' on object of type 'VirtualNetworkLinkProperties'. Path "
            "'properties.resolutionPolicy'.'.",
        )
    policy = properties["resolutionPolicy"]
    if policy == "NxDomainRedirect" and not zone.id.name.lower().startswith("privatelink."):
        raise bad_request(
            "BadRequest",
            "The resolution policy 'NxDomainRedirect' is only allowed for Private Link zones.",
        )


def _check_overlap(control: Control, zone: Resource, network: Resource) -> None:
    """A network can be linked to one zone of a name, and to that once."""
    for other in control.state.of_type(LINKS.name):
        linked = str((other.properties.get("virtualNetwork") or {}).get("id", ""))
        if not arm_ids.same(linked, str(network.id)):
            continue
        holder = other.id.parent
        if holder is None or holder.name.lower() != zone.id.name.lower():
            continue
        if holder.key == zone.id.key:
            raise conflict(
                "Conflict",
                f"The virtual network '{network.id}' is already linked to the zone "
                f"'{zone.id.name}' by the virtual network link '{other.id.name}'.",
            )
        raise conflict(
            "Conflict",
            "A virtual network cannot be linked to multiple zones with overlapping namespaces. You "
            f"tried to link virtual network with '{zone.id.name}' and '{holder.name}' zones.",
        )


def _check_registration(control: Control, network: Resource, properties: dict[str, Any]) -> None:
    if not properties["registrationEnabled"]:
        return
    if "privatelink." in control.id.names[0].lower():
        raise bad_request(
            "BadRequest",
            f"Registration is not allowed for the zone '{control.id.names[0]}': its name is "
            "reserved.",
        )
    for other in control.state.of_type(LINKS.name):
        if (
            other.id.key != control.id.key
            and other.properties.get("registrationEnabled")
            and arm_ids.same(other.properties["virtualNetwork"]["id"], str(network.id))
        ):
            raise conflict(
                "Conflict",
                "A virtual network can only be linked to 1 Private DNS zone with auto-registration "
                f"enabled; conflicting Private DNS zone is '{other.id.names[0]}'.",
            )


@operation(LINKS, "PATCH", model=(SDK, "VirtualNetworkLink"))
def patch_link(control: Control) -> Answer:
    link = control.resource()
    zone = stock.existing_parent(control)
    control.idle(link)
    changes = dict(control.properties)
    _check_policy(control, zone, changes)
    if "resolutionPolicy" not in control.properties:
        changes.pop("resolutionPolicy", None)
    merged = {**link.properties, **changes}
    network = control.state.find(merged["virtualNetwork"]["id"])
    if network is not None:
        _check_registration(control, network, merged)
    link.body["properties"] = merged
    if "tags" in control.body:
        link.body["tags"] = dict(control.body["tags"])
    link.touch()
    return _begin(control, link)


@operation(LINKS, "DELETE")
def delete_link(control: Control) -> Answer:
    link = control.existing()
    if link is None:
        return Answer(204)
    control.idle(link)
    return control.delete(link, control.state.timing.dns)
