# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a network security group lets through: its rules by priority, the default ones last.

https://learn.microsoft.com/azure/virtual-network/network-security-groups-overview
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

# Where Linux clients take their source ports from: a rule may name some of them only.
EPHEMERAL = (32768, 60999)
_TCP = ("*", "tcp", "6")
_LOAD_BALANCER = ipaddress.IPv4Address("168.63.129.16")
Direction = Literal["Inbound", "Outbound"]


@dataclass(frozen=True)
class Packet:
    """A TCP connection's first packet. The groups are lower-case ids of application security groups."""

    source: str
    destination: str
    port: int = 443
    source_groups: frozenset[str] = frozenset()
    destination_groups: frozenset[str] = frozenset()


def allows(
    group: Mapping[str, Any], direction: Direction, packet: Packet, virtual_network: Sequence[str]
) -> bool:
    """Whether the group (an ARM body) lets the packet pass, from whatever port it starts.

    `virtual_network` has the CIDRs that the service tag VirtualNetwork stands for where the group is.
    """
    properties = group.get("properties", {})
    rules = [*properties.get("securityRules", ()), *properties.get("defaultSecurityRules", ())]
    mine = sorted(
        (
            each["properties"]
            for each in rules
            if str(each["properties"]["direction"]).lower() == direction.lower()
        ),
        key=lambda rule: int(rule["priority"]),
    )
    concerned = [each for each in mine if _concerns(each, packet, virtual_network)]
    # The verdict can change only where some rule's source ports begin or end.
    low, high = EPHEMERAL
    edges = {low, high}
    for rule in concerned:
        for start, end in _ports(rule, "sourcePortRange"):
            edges |= {edge for edge in (start, end + 1) if low <= edge <= high}
    return all(_verdict(concerned, edge) for edge in edges)


def _verdict(rules: Iterable[Mapping[str, Any]], source_port: int) -> bool:
    for rule in rules:
        if _in(source_port, _ports(rule, "sourcePortRange")):
            return str(rule["access"]).lower() == "allow"
    return False


def _concerns(rule: Mapping[str, Any], packet: Packet, virtual_network: Sequence[str]) -> bool:
    return (
        str(rule.get("protocol", "*")).lower() in _TCP
        and _in(packet.port, _ports(rule, "destinationPortRange"))
        and _end(rule, "source", packet.source, packet.source_groups, virtual_network)
        and _end(
            rule, "destination", packet.destination, packet.destination_groups, virtual_network
        )
    )


def _end(
    rule: Mapping[str, Any],
    side: str,
    address: str,
    groups: frozenset[str],
    virtual_network: Sequence[str],
) -> bool:
    """Whether one side of a rule covers an address or the groups that it wears."""
    wanted = rule.get(f"{side}ApplicationSecurityGroups") or ()
    if wanted:
        return any(str(each["id"]).lower() in groups for each in wanted)
    return any(
        covers(prefix, address, virtual_network)
        for prefix in _given(rule, f"{side}AddressPrefix", f"{side}AddressPrefixes")
    )


def covers(prefix: str, address: str, virtual_network: Sequence[str]) -> bool:
    """Whether a prefix of a rule (*, a CIDR, an address or a service tag) covers an address."""
    where = ipaddress.ip_address(address)
    tag = prefix.lower()
    if tag in ("*", "any"):
        return True
    inside = any(where in ipaddress.ip_network(each) for each in virtual_network)
    if tag == "virtualnetwork":
        return inside
    if tag == "internet":
        return not inside and where != _LOAD_BALANCER
    if tag == "azureloadbalancer":
        return where == _LOAD_BALANCER
    try:
        return where in ipaddress.ip_network(prefix, strict=False)
    except ValueError:
        return False  # a service tag: public addresses of some service


def _given(rule: Mapping[str, Any], single: str, several: str) -> list[str]:
    found = [str(each) for each in rule.get(several) or ()]
    return found or ([str(rule[single])] if rule.get(single) else [])


def _ports(rule: Mapping[str, Any], name: str) -> list[tuple[int, int]]:
    ranges = []
    for each in _given(rule, name, f"{name}s"):
        start, _, end = each.partition("-")
        ranges.append((0, 65535) if each == "*" else (int(start), int(end or start)))
    return ranges


def _in(port: int, ranges: Iterable[tuple[int, int]]) -> bool:
    return any(start <= port <= end for start, end in ranges)
