# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which endpoint addresses a packet from a vantage reaches on TCP 443.

Peerings and routes decide first, then the group of the source's subnet, then that of the endpoint's
subnet, which counts only where that subnet's policies for private endpoints say so. Whatever is not
let through is dropped without a word.
https://learn.microsoft.com/azure/private-link/disable-private-endpoint-network-policy
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from ..cloud import Vantage
from . import nsg
from .nsg import Packet
from .state import Resource, State
from .topology import (
    Place,
    cidrs,
    members,
    place_of,
    place_of_endpoint,
    reachable_networks,
    reference,
)

_GROUPS_APPLY = ("enabled", "networksecuritygroupenabled")
_ROUTES_APPLY = ("enabled", "routetableenabled")
_DELIVERED = ("vnetlocal", "virtualnetwork", "vnetpeering")


def admitted(state: State, vantage: Vantage) -> frozenset[str]:
    """The private addresses of endpoints whose TCP 443 this vantage reaches now."""
    with state.lock:
        state.settle()
        client = place_of(state, vantage)
        if client is None:
            return frozenset()
        return frozenset(
            member.address
            for member in members(state)
            if member.endpoint.works
            and (server := place_of_endpoint(state, member)) is not None
            and _connects(state, client, server)
        )


def next_change(state: State) -> float | None:
    """time.time() of the next scheduled change of the state, or None."""
    return state.next_change()


def _connects(state: State, client: Place, server: Place) -> bool:
    if server.network.id.key not in reachable_networks(state, client.network):
        return False
    if not _routed(state, client, server):
        return False
    packet = Packet(
        source=client.address,
        destination=server.address,
        source_groups=client.groups,
        destination_groups=server.groups,
    )
    return _leaves(state, client, packet) and _enters(state, server, packet)


def _leaves(state: State, client: Place, packet: Packet) -> bool:
    group = reference(state, client.subnet, "networkSecurityGroup")
    return group is None or nsg.allows(
        group, "Outbound", packet, _virtual_network(state, client.network)
    )


def _enters(state: State, server: Place, packet: Packet) -> bool:
    group = reference(state, server.subnet, "networkSecurityGroup")
    if group is None or policies(server.subnet) not in _GROUPS_APPLY:
        return True
    return nsg.allows(group, "Inbound", packet, _virtual_network(state, server.network))


def policies(subnet: Resource) -> str:
    """The subnet's privateEndpointNetworkPolicies in lower case; Azure's default is Disabled."""
    return str(subnet.properties.get("privateEndpointNetworkPolicies") or "Disabled").lower()


def _virtual_network(state: State, network: Resource) -> list[str]:
    """What the service tag VirtualNetwork stands for there."""
    return [each for near in reachable_networks(state, network).values() for each in cidrs(near)]


def _routed(state: State, client: Place, server: Place) -> bool:
    """Whether the source subnet's routes deliver to the endpoint.

    An endpoint is a /32 route of its own. A route of the table beats it when it is as long, or when
    the endpoint's subnet lets route tables apply and the route is at least as long as the address space.
    """
    table = reference(state, client.subnet, "routeTable")
    routes = (table or {}).get("properties", {}).get("routes") or ()
    where = ipaddress.ip_address(server.address)
    best, hop = -1, ""
    for each in routes:
        properties = each["properties"]
        try:
            prefix = ipaddress.ip_network(str(properties["addressPrefix"]))
        except ValueError:
            continue  # a service tag: no private address
        if where in prefix and prefix.prefixlen > best:
            best, hop = prefix.prefixlen, str(properties["nextHopType"]).lower()
    if best < 0 or not _beats_endpoint(best, server, cidrs(server.network)):
        return True
    return hop in _DELIVERED


def _beats_endpoint(length: int, server: Place, space: Sequence[str]) -> bool:
    if length == 32:
        return True
    where = ipaddress.ip_address(server.address)
    holding = [ipaddress.ip_network(each) for each in space]
    widest = min((each.prefixlen for each in holding if where in each), default=32)
    return policies(server.subnet) in _ROUTES_APPLY and length >= widest
