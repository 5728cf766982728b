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
from collections.abc import Mapping, Sequence
from typing import Any

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
        paths = _Paths(state, client)
        return frozenset(
            member.address
            for member in members(state)
            if member.endpoint.works
            and (server := place_of_endpoint(state, member)) is not None
            and paths.connect(server)
        )


def next_change(state: State) -> float | None:
    """time.time() of the next scheduled change of the state, or None."""
    return state.next_change()


class _Paths:
    """The ways from one client, which looks up once what many endpoints share."""

    def __init__(self, state: State, client: Place) -> None:
        self._state, self._client = state, client
        self._near = reachable_networks(state, client.network)
        self._table = reference(state, client.subnet, "routeTable")
        self._out = reference(state, client.subnet, "networkSecurityGroup")
        self._in: dict[str, Mapping[str, Any] | None] = {}
        self._spaces: dict[str, list[str]] = {}

    def connect(self, server: Place) -> bool:
        if server.network.id.key not in self._near or not self._routed(server):
            return False
        packet = Packet(
            source=self._client.address,
            destination=server.address,
            source_groups=self._client.groups,
            destination_groups=server.groups,
        )
        return self._leaves(packet) and self._enters(server, packet)

    def _leaves(self, packet: Packet) -> bool:
        space = self._virtual_network(self._client.network)
        return self._out is None or nsg.allows(self._out, "Outbound", packet, space)

    def _enters(self, server: Place, packet: Packet) -> bool:
        if policies(server.subnet) not in _GROUPS_APPLY:
            return True
        key = server.subnet.id.key
        if key not in self._in:
            self._in[key] = reference(self._state, server.subnet, "networkSecurityGroup")
        group, space = self._in[key], self._virtual_network(server.network)
        return group is None or nsg.allows(group, "Inbound", packet, space)

    def _virtual_network(self, network: Resource) -> list[str]:
        """What the service tag VirtualNetwork stands for there."""
        if network.id.key not in self._spaces:
            near = reachable_networks(self._state, network).values()
            self._spaces[network.id.key] = [cidr for each in near for cidr in cidrs(each)]
        return self._spaces[network.id.key]

    def _routed(self, server: Place) -> bool:
        """Whether the source subnet's routes deliver to the endpoint.

        An endpoint is a /32 route of its own. A route of the table beats it when it is as long, or when
        the endpoint's subnet lets route tables apply and the route is at least as long as the address space.
        """
        routes = (self._table or {}).get("properties", {}).get("routes") or ()
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


def policies(subnet: Resource) -> str:
    """The subnet's privateEndpointNetworkPolicies in lower case; Azure's default is Disabled."""
    return str(subnet.properties.get("privateEndpointNetworkPolicies") or "Disabled").lower()


def _beats_endpoint(length: int, server: Place, space: Sequence[str]) -> bool:
    if length == 32:
        return True
    where = ipaddress.ip_address(server.address)
    holding = [ipaddress.ip_network(each) for each in space]
    widest = min((each.prefixlen for each in holding if where in each), default=32)
    return policies(server.subnet) in _ROUTES_APPLY and length >= widest
