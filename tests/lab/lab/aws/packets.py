# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which endpoint interfaces a packet from a vantage reaches on TCP 443, and whether the answer returns.

Routes decide first (longest prefix, both ways), then network ACLs (stateless: both subnets, both
directions, the client's whole range of ephemeral ports), then security groups (stateful: out at the
client, in at the endpoint). Whatever is not admitted is dropped without a word, as in a VPC.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..cloud import Vantage
from .network import AclEntry, Endpoint, Interface, NetworkAcl, Rule
from .state import State

PORT = 443
# Where Linux clients take their source ports from; an ACL must let the whole range back in.
EPHEMERAL = (32768, 60999)
_TCP = ("-1", "6", "tcp", "all")
_WORKING = ("available", "pending")


@dataclass(frozen=True)
class Place:
    """One end of a connection in a VPC: an address that wears security groups."""

    address: str
    vpc_id: str
    subnet_id: str
    groups: tuple[str, ...]


def place_of(state: State, vantage: Vantage) -> Place | None:
    """Where a vantage lies in AWS; None when it lies outside every VPC that the state knows."""
    network: Mapping[str, Any] = vantage.network.get("aws") or {}
    subnet_id = network.get("subnet", "")
    for interface in state.interfaces.values():
        if interface.subnet_id == subnet_id and interface.address == vantage.address:
            return _place(interface)
    return None


def admitted(state: State, vantage: Vantage) -> frozenset[str]:
    """The private IPv4 addresses of endpoints whose TCP 443 this vantage reaches now."""
    with state.lock:
        state.settle()
        client = place_of(state, vantage)
        if client is None:
            return frozenset()
        return frozenset(
            interface.address
            for endpoint in state.endpoints.values()
            for interface in live_interfaces(state, endpoint)
            if _connects(state, client, _place(interface))
        )


def next_change(state: State) -> float | None:
    """time.time() of the next scheduled change of the state, or None."""
    return state.next_change()


def live_interfaces(state: State, endpoint: Endpoint) -> list[Interface]:
    """The interfaces that take packets: what was live stays so while a change is pending."""
    if endpoint.type != "Interface" or endpoint.state not in _WORKING:
        return []
    return [each for each in state.endpoint_interfaces(endpoint) if each.live]


def endpoint_at(state: State, address: str) -> Endpoint | None:
    """The endpoint whose live interface has this private address."""
    for endpoint in state.endpoints.values():
        if any(address == each.address for each in live_interfaces(state, endpoint)):
            return endpoint
    return None


def _place(interface: Interface) -> Place:
    return Place(
        interface.address, interface.vpc_id, interface.subnet_id, tuple(interface.security_groups)
    )


def _connects(state: State, client: Place, server: Place) -> bool:
    return (
        _routed(state, client, server)
        and _routed(state, server, client)
        and _passes_acls(state, client, server)
        and _passes_groups(state, client, server)
    )


def _routed(state: State, source: Place, destination: Place) -> bool:
    """Whether the source subnet's route table delivers to the destination."""
    target = _next_hop(state, source.subnet_id, destination.address)
    if target == "local":
        return source.vpc_id == destination.vpc_id
    peering = state.peerings.get(target)
    return (
        peering is not None
        and peering.status == "active"
        and {peering.requester, peering.accepter} == {source.vpc_id, destination.vpc_id}
    )


def _next_hop(state: State, subnet_id: str, address: str) -> str:
    """The target of the most specific route; "" when there is none or it is a blackhole."""
    best, target = -1, ""
    for route in state.route_table_of(subnet_id).routes:
        for cidr in _cidrs(state, route.destination):
            network = ipaddress.ip_network(cidr)
            if ipaddress.ip_address(address) in network and network.prefixlen > best:
                best, target = network.prefixlen, "" if route.blackhole else route.target
    return target


def _cidrs(state: State, destination: str) -> Iterable[str]:
    """A CIDR by itself, or all the CIDRs of a prefix list."""
    if not destination.startswith("pl-"):
        return (destination,)
    known = state.prefix_lists.get(destination)
    return known.entries if known else ()


def _passes_acls(state: State, client: Place, server: Place) -> bool:
    if client.subnet_id == server.subnet_id:
        return True  # network ACLs stand at the subnet's edge
    near, far = state.network_acl_of(client.subnet_id), state.network_acl_of(server.subnet_id)
    there, back = (PORT, PORT), EPHEMERAL
    return (
        acl_allows(near, True, server.address, there)
        and acl_allows(far, False, client.address, there)
        and acl_allows(far, True, client.address, back)
        and acl_allows(near, False, server.address, back)
    )


def acl_allows(acl: NetworkAcl, egress: bool, peer: str, ports: tuple[int, int]) -> bool:
    """Whether TCP with this peer on every one of these destination ports gets through, by rule order."""
    entries = sorted(
        (each for each in acl.entries if each.egress == egress and _concerns(each, peer)),
        key=lambda each: each.number,
    )
    low, high = ports
    # The verdict can change only where some entry's range begins or ends.
    edges = {low, high}
    for entry in entries:
        start, end = _ports(entry)
        edges |= {edge for edge in (start, end + 1) if low <= edge <= high}
    return all(_first_allows(entries, port) for port in edges)


def _concerns(entry: AclEntry, peer: str) -> bool:
    address = ipaddress.ip_address(peer)
    cidr = entry.cidr if address.version == 4 else entry.ipv6_cidr
    return entry.protocol in _TCP and bool(cidr) and address in ipaddress.ip_network(cidr)


def _ports(entry: AclEntry) -> tuple[int, int]:
    if entry.protocol in ("-1", "all") or entry.from_port is None or entry.to_port is None:
        return 0, 65535
    return entry.from_port, entry.to_port


def _first_allows(entries: Iterable[AclEntry], port: int) -> bool:
    for entry in entries:
        start, end = _ports(entry)
        if start <= port <= end:
            return entry.allow
    return False  # entry 32767, the fixed last one


def _passes_groups(state: State, client: Place, server: Place) -> bool:
    return _group_allows(state, client, server, egress=True) and _group_allows(
        state, server, client, egress=False
    )


def _group_allows(state: State, wearer: Place, peer: Place, egress: bool) -> bool:
    """Whether any group that `wearer` wears has a rule that lets TCP 443 pass to or from `peer`."""
    return any(
        rule.egress == egress and _covers_port(rule) and _covers_peer(state, rule, peer)
        for group_id in wearer.groups
        if group_id in state.security_groups
        for rule in state.security_groups[group_id].rules.values()
    )


def _covers_port(rule: Rule) -> bool:
    if rule.protocol in ("-1", "all"):
        return True
    return rule.protocol in _TCP and rule.from_port <= PORT <= rule.to_port


def _covers_peer(state: State, rule: Rule, peer: Place) -> bool:
    if rule.group_id:
        return rule.group_id in peer.groups
    address = ipaddress.ip_address(peer.address)
    source = rule.prefix_list_id or (rule.cidr if address.version == 4 else rule.ipv6_cidr)
    return bool(source) and any(
        address in ipaddress.ip_network(cidr) for cidr in _cidrs(state, source)
    )
