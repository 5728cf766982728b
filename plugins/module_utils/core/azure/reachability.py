# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What stands between a subnet of the application and an endpoint: network security groups and routes.

https://learn.microsoft.com/azure/private-link/disable-private-endpoint-network-policy
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any

from .answers import addresses_of, connected_peerings, networks, subnet_of
from .arm_id import key, same
from .security_rules import INBOUND, OUTBOUND, says

Document = Mapping[str, Any]

# Policies of a subnet by which its network security group, or route tables, count for endpoints.
_GROUPS = frozenset(("enabled", "networksecuritygroupenabled"))
_ROUTES = frozenset(("enabled", "routetableenabled"))
_DROPS = frozenset(("none", "internet"))
_HOST_BITS = 32


def blocks(evidence: Document, subnet: Document, endpoint: Document) -> list[str]:
    """What stops TCP 443 from a subnet to an endpoint, as sentences; empty when nothing in the evidence does."""
    reasons: list[str] = []
    place = subnet_of(evidence, str(endpoint["subnet_id"]))
    for address in addresses_of(endpoint):
        for cidr in subnet["cidrs"]:
            if place and _policy(place) in _GROUPS:
                reasons += _stopped(evidence, place, INBOUND, str(cidr), address, endpoint)
            reasons += _stopped(evidence, subnet, OUTBOUND, str(cidr), address, endpoint)
    reasons += [
        f"route {route['name']} of subnet {subnet['name']} drops what goes to {address}"
        for address, route in _diverting(evidence, subnet, endpoint)
        if str(route["next_hop_type"]).lower() in _DROPS
    ]
    return list(dict.fromkeys(reasons))


def diverted(evidence: Document, subnet: Document, endpoint: Document) -> list[str]:
    """Routes that lead packets for an endpoint through something else, as sentences."""
    return [
        f"subnet {subnet['name']} reaches {address} through {route['next_hop_address'] or route['next_hop_type']}"
        for address, route in _diverting(evidence, subnet, endpoint)
        if str(route["next_hop_type"]).lower() not in _DROPS
        and str(route["next_hop_type"]).lower() != "vnetlocal"
    ]


def _policy(subnet: Document) -> str:
    return str(subnet["private_endpoint_network_policies"] or "").lower()


def _stopped(
    evidence: Document,
    subnet: Document,
    direction: str,
    source: str,
    address: str,
    endpoint: Document,
) -> Iterator[str]:
    group = next(
        (item for item in evidence["security_groups"] if same(item["id"], subnet["nsg_id"])), None
    )
    if group is None or not subnet["nsg_id"]:
        return
    peers = [cidr for item in connected_peerings(evidence) for cidr in item["peer_cidrs"]]
    verdict = says(
        group,
        direction,
        source,
        address,
        asgs=endpoint["application_security_groups"],
        virtual=[*evidence["network"]["cidrs"], *peers],
    )
    if verdict in ("deny", "partly"):
        name = str(group["id"]).rpartition("/")[2]
        part = "a part of " if verdict == "partly" else ""
        yield f"network security group {name} stops TCP 443 from {part}{source} to {address}"


def _diverting(
    evidence: Document, subnet: Document, endpoint: Document
) -> Iterator[tuple[str, Document]]:
    """The route of a subnet's own table that counts for each address of an endpoint.

    An endpoint's address is a /32 route of the network itself. Only another /32 takes its place, unless the policies
    of the endpoint's subnet let route tables count: then one that is at least as narrow as the network does.
    """
    table = next(
        (
            item
            for item in evidence["route_tables"]
            if subnet["route_table_id"] and same(item["id"], subnet["route_table_id"])
        ),
        None,
    )
    if table is None:
        return
    place = subnet_of(evidence, str(endpoint["subnet_id"]))
    network = networks(evidence).get(key(endpoint["network_id"]))
    narrow = _HOST_BITS
    if place and _policy(place) in _ROUTES:
        sizes = [ipaddress.ip_network(cidr).prefixlen for cidr in (network or {}).get("cidrs", ())]
        narrow = min(sizes, default=0)
    for address in addresses_of(endpoint):
        found = [
            (size, route)
            for route in table["routes"]
            if (size := _covers(str(route["prefix"]), address)) is not None and size >= narrow
        ]
        if found:
            yield address, max(found, key=lambda item: item[0])[1]


def _covers(prefix: str, address: str) -> int | None:
    """How narrow a route to an address is; None when it does not lead there (service tags never do)."""
    try:
        network = ipaddress.ip_network(prefix, strict=False)
    except ValueError:
        return None
    return network.prefixlen if ipaddress.ip_address(address) in network else None
