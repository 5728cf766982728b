# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The network part of the evidence: the virtual network, its peers, and what filters and routes in its subnets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..core.azure.arm_id import key
from .client import Connection
from .reads import Read, both, properties, reference

Document = Mapping[str, Any]


def network_read(connection: Connection, network_id: str) -> Read:
    """The network with its subnets and peerings; one that does not exist is an error."""
    return Read(
        part="network",
        resource=network_id,
        action="Microsoft.Network/virtualNetworks/read",
        call=lambda: connection.get(network_id),
    )


def peer_reads(connection: Connection, peerings: Iterable[Document]) -> dict[str, Read]:
    """The networks on the other side, which others may own."""

    def read(peer: str) -> Read:
        return Read(
            part="peers",
            resource=peer,
            action="Microsoft.Network/virtualNetworks/read",
            call=lambda: connection.get(peer),
            tolerant=True,
        )

    return {f"peer {item['peer_network_id']}": read(item["peer_network_id"]) for item in peerings}


def filter_reads(
    connection: Connection, subnets: Iterable[Document], part: str = "network"
) -> dict[str, Read]:
    """The security groups and route tables of these subnets, each once."""
    wanted: dict[str, tuple[str, str]] = {}
    for subnet in subnets:
        for name, kind in (("nsg_id", "networkSecurityGroups"), ("route_table_id", "routeTables")):
            if subnet[name]:
                wanted.setdefault(key(subnet[name]), (kind, str(subnet[name])))

    def read(kind: str, identifier: str) -> Read:
        return Read(
            part=part,
            resource=identifier,
            action=f"Microsoft.Network/{kind}/read",
            call=lambda: connection.get(identifier),
        )

    return {f"{kind} {name}": read(kind, name) for kind, name in wanted.values()}


def network(document: Document | None, network_id: str) -> dict[str, Any]:
    """The evidence's `network`; of one that could not be read only the id."""
    of = properties(document or {})
    return {
        "id": (document or {}).get("id") or network_id,
        "name": network_id.rpartition("/")[2],
        "location": (document or {}).get("location"),
        "cidrs": list((of.get("addressSpace") or {}).get("addressPrefixes") or ()),
        "dns_servers": list((of.get("dhcpOptions") or {}).get("dnsServers") or ()),
        "subnets": [_subnet(item) for item in of.get("subnets") or ()],
    }


def _subnet(item: Document) -> dict[str, Any]:
    of = properties(item)
    return {
        "id": item["id"],
        "name": item["name"],
        "cidrs": both(of, "addressPrefix", "addressPrefixes"),
        "nsg_id": reference(of.get("networkSecurityGroup")),
        "route_table_id": reference(of.get("routeTable")),
        "private_endpoint_network_policies": of.get("privateEndpointNetworkPolicies") or "Disabled",
        "delegations": [
            str(properties(entry).get("serviceName")) for entry in of.get("delegations") or ()
        ],
        "service_endpoints": [
            str(entry.get("service")) for entry in of.get("serviceEndpoints") or ()
        ],
    }


def peerings(document: Document | None) -> list[dict[str, Any]]:
    """The evidence's `peerings`, without what is only known once the peers were read."""
    return [
        _peering(item) for item in properties(document or {}).get("virtualNetworkPeerings") or ()
    ]


def _peering(item: Document) -> dict[str, Any]:
    of = properties(item)
    space = of.get("remoteVirtualNetworkAddressSpace") or of.get("remoteAddressSpace") or {}
    return {
        "id": item["id"],
        "name": item["name"],
        "state": of.get("peeringState") or "Unknown",
        "sync_level": of.get("peeringSyncLevel"),
        "peer_network_id": reference(of.get("remoteVirtualNetwork")) or "",
        "peer_cidrs": list(space.get("addressPrefixes") or ()),
        "peer_readable": False,
        "allow_virtual_network_access": bool(of.get("allowVirtualNetworkAccess", True)),
    }


def security_group(document: Document) -> dict[str, Any]:
    """A security group with its own and its default rules."""
    of = properties(document)
    return {
        "id": document["id"],
        "rules": [
            *(_rule(item, False) for item in of.get("securityRules") or ()),
            *(_rule(item, True) for item in of.get("defaultSecurityRules") or ()),
        ],
    }


def _rule(item: Document, default: bool) -> dict[str, Any]:
    of = properties(item)
    return {
        "name": item["name"],
        "priority": int(of["priority"]),
        "direction": of["direction"],
        "access": of["access"],
        "protocol": of["protocol"],
        "source_prefixes": both(of, "sourceAddressPrefix", "sourceAddressPrefixes"),
        "source_asgs": _ids(of.get("sourceApplicationSecurityGroups")),
        "source_ports": both(of, "sourcePortRange", "sourcePortRanges"),
        "destination_prefixes": both(of, "destinationAddressPrefix", "destinationAddressPrefixes"),
        "destination_asgs": _ids(of.get("destinationApplicationSecurityGroups")),
        "destination_ports": both(of, "destinationPortRange", "destinationPortRanges"),
        "default": default,
    }


def _ids(items: Iterable[Document] | None) -> list[str]:
    return [str(item["id"]) for item in items or ()]


def route_table(document: Document) -> dict[str, Any]:
    """A route table with its routes."""
    return {
        "id": document["id"],
        "routes": [
            {
                "name": item["name"],
                "prefix": properties(item).get("addressPrefix"),
                "next_hop_type": properties(item).get("nextHopType"),
                "next_hop_address": properties(item).get("nextHopIpAddress"),
            }
            for item in properties(document).get("routes") or ()
        ],
    }
