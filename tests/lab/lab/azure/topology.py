# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who lies where: vantages in subnets, endpoints behind their interfaces, networks and their peers.

Reads what the network provider keeps, in the shapes that ARM shows, and writes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..cloud import Vantage
from .registry import shown
from .state import Resource, State

NETWORKS = "Microsoft.Network/virtualNetworks"
ENDPOINTS = "Microsoft.Network/privateEndpoints"
CONNECTIONS = "Microsoft.CognitiveServices/accounts/privateEndpointConnections"
_KINDS = ("privateLinkServiceConnections", "manualPrivateLinkServiceConnections")


@dataclass(frozen=True)
class Place:
    """One end of a connection in a virtual network; `groups` are lower-case ids of security groups."""

    address: str
    network: Resource
    subnet: Resource
    groups: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Member:
    """One address of a private endpoint: `name` is the member that its interface shows for it."""

    address: str
    name: str
    hosts: tuple[str, ...]
    endpoint: Resource


def place_of(state: State, vantage: Vantage) -> Place | None:
    """Where a vantage lies in Azure; None when its subnet does not exist, or it has none."""
    network = vantage.network.get("azure") or {}
    groups = frozenset(str(each).lower() for each in network.get("application_security_groups", ()))
    return _place(state, vantage.address, str(network.get("subnet", "")), groups)


def place_of_endpoint(state: State, member: Member) -> Place | None:
    """Where an endpoint's address lies."""
    properties = member.endpoint.properties
    groups = frozenset(
        str(each["id"]).lower() for each in properties.get("applicationSecurityGroups") or ()
    )
    return _place(state, member.address, _id(properties.get("subnet")), groups)


def _place(state: State, address: str, subnet_id: str, groups: frozenset[str]) -> Place | None:
    subnet = state.find(subnet_id) if subnet_id else None
    network = state.find(subnet.id.root) if subnet else None
    if subnet is None or network is None:
        return None
    return Place(address, network, subnet, groups)


def members(state: State) -> Iterator[Member]:
    """Every address of every private endpoint that is there."""
    for endpoint in state.of_type(ENDPOINTS):
        for reference in endpoint.properties.get("networkInterfaces") or ():
            interface = state.find(_id(reference))
            if interface is None:
                continue
            for each in interface.properties.get("ipConfigurations") or ():
                yield from _member(endpoint, each.get("properties", {}))


def _member(endpoint: Resource, configuration: Mapping[str, Any]) -> Iterator[Member]:
    link = configuration.get("privateLinkConnectionProperties") or {}
    if configuration.get("privateIPAddress"):
        yield Member(
            address=str(configuration["privateIPAddress"]),
            name=str(link.get("requiredMemberName", "")),
            hosts=tuple(str(each).lower() for each in link.get("fqdns") or ()),
            endpoint=endpoint,
        )


def member_at(state: State, address: str, place: Place | None) -> Member | None:
    """The endpoint that a caller reaches at an address: address spaces may be used twice, in other networks."""
    found = [each for each in members(state) if each.address == address]
    near = reachable_networks(state, place.network) if place else {}
    for each in found:
        where = place_of_endpoint(state, each)
        if where and where.network.id.key in near:
            return each
    return None


def reachable_networks(state: State, network: Resource) -> dict[str, Resource]:
    """The network itself and those that a working peering joins to it, by lower-case id."""
    found = {network.id.key: network}
    for peering in state.children(network.id, "virtualNetworkPeerings"):
        other = state.find(_id(peering.properties.get("remoteVirtualNetwork")))
        if other and _works(peering) and any(_works(each) for each in _back(state, other, network)):
            found[other.id.key] = other
    return found


def _back(state: State, other: Resource, network: Resource) -> Iterable[Resource]:
    return (
        each
        for each in state.children(other.id, "virtualNetworkPeerings")
        if _id(each.properties.get("remoteVirtualNetwork")).lower() == network.id.key
    )


def _works(peering: Resource) -> bool:
    properties = peering.properties
    return properties.get("peeringState") == "Connected" and bool(
        properties.get("allowVirtualNetworkAccess", True)
    )


def cidrs(network: Resource) -> list[str]:
    """The address space of a virtual network."""
    space = network.properties.get("addressSpace") or {}
    return [str(each) for each in space.get("addressPrefixes") or ()]


def reference(state: State, holder: Resource, name: str) -> dict[str, Any] | None:
    """What a property such as `networkSecurityGroup` of a subnet points at, as ARM shows it."""
    target = state.find(_id(holder.properties.get(name)))
    return shown(state, target) if target else None


def connection_of(state: State, endpoint: Resource, account: Resource) -> Resource | None:
    """The account's side of an endpoint's connection."""
    for each in state.children(account.id, "privateEndpointConnections"):
        if _id(each.properties.get("privateEndpoint")).lower() == endpoint.id.key:
            return each
    return None


def approved(state: State, endpoint: Resource, account: Resource) -> bool:
    """Whether the account takes traffic from this endpoint."""
    connection = connection_of(state, endpoint, account)
    return connection is not None and status_of(connection) == "Approved"


def status_of(connection: Resource) -> str:
    """Pending, Approved, Rejected or Disconnected."""
    found = connection.properties.get("privateLinkServiceConnectionState") or {}
    return str(found.get("status", ""))


def has_endpoint(state: State, account: Resource) -> bool:
    """Whether public DNS names the account through its privatelink name."""
    return any(
        status_of(each) == "Approved"
        for each in state.children(account.id, "privateEndpointConnections")
    )


def _id(reference: Any) -> str:
    return str(reference.get("id") or "") if isinstance(reference, Mapping) else ""
