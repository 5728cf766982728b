# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The endpoints part of the evidence: the account's private endpoints, their addresses and zone groups."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..core.azure.arm_id import ArmId, key, same
from ..core.azure.names import client_name
from .client import Connection
from .reads import Read, properties, reference

Document = Mapping[str, Any]

_ENDPOINTS = "Microsoft.Network/privateEndpoints"
_SIDES = {
    "privateLinkServiceConnections": False,
    "manualPrivateLinkServiceConnections": True,
}


def endpoints_read(connection: Connection, network_id: str) -> Read:
    """Every endpoint of the network's subscription: one that the account threw out shows only there."""
    subscription = f"/subscriptions/{ArmId.parse(network_id).subscription}"
    return Read(
        part="endpoints",
        resource=subscription,
        action=f"{_ENDPOINTS}/read",
        call=lambda: connection.list(f"{subscription}/providers/{_ENDPOINTS}"),
    )


def of_account(listed: Iterable[Document] | None, account_id: str) -> list[Document]:
    """Those that connect this account."""
    return [item for item in listed or () if _connection(item, account_id)]


def elsewhere_reads(
    connection: Connection, account: Mapping[str, Any] | None, known: Iterable[Document]
) -> dict[str, Read]:
    """Endpoints that the account lists and the network's subscription does not have; others may own them."""
    have = {key(item["id"]) for item in known}

    def read(endpoint: str) -> Read:
        return Read(
            part="peers",
            resource=endpoint,
            action=f"{_ENDPOINTS}/read",
            call=lambda: connection.get(endpoint),
            tolerant=True,
        )

    return {
        f"endpoint {item['endpoint_id']}": read(item["endpoint_id"])
        for item in (account or {}).get("private_endpoint_connections", ())
        if item["endpoint_id"] and key(item["endpoint_id"]) not in have
    }


def detail_reads(
    connection: Connection, endpoints: Iterable[Document], part: str
) -> dict[str, Read]:
    """Interface and zone groups of these endpoints."""
    reads: dict[str, Read] = {}
    for endpoint in endpoints:
        group = f"{endpoint['id']}/privateDnsZoneGroups"
        reads[f"groups {key(endpoint['id'])}"] = Read(
            part=part,
            resource=str(endpoint["id"]),
            action=f"{_ENDPOINTS}/privateDnsZoneGroups/read",
            call=lambda path=group: connection.list(path),  # type: ignore[misc]
            tolerant=part == "peers",
        )
        for interface in _interfaces(endpoint):
            reads[f"interface {key(interface)}"] = Read(
                part=part,
                resource=interface,
                action="Microsoft.Network/networkInterfaces/read",
                call=lambda path=interface: connection.get(path),  # type: ignore[misc]
                tolerant=part == "peers",
            )
    return reads


def _interfaces(endpoint: Document) -> list[str]:
    return [str(item["id"]) for item in properties(endpoint).get("networkInterfaces") or ()]


def endpoint(document: Document, account_id: str, answers: Mapping[str, Any]) -> dict[str, Any]:
    """One endpoint of the evidence."""
    of = properties(document)
    subnet = reference(of.get("subnet")) or ""
    interfaces = _interfaces(document)
    groups = answers.get(f"groups {key(document['id'])}") or ()
    return {
        "id": document["id"],
        "name": document["name"],
        "location": document.get("location"),
        "subnet_id": subnet,
        "network_id": str(ArmId.parse(subnet).parent) if subnet else "",
        "provisioning_state": of.get("provisioningState"),
        "connection": _connection(document, account_id),
        "nic_id": interfaces[0] if interfaces else None,
        "application_security_groups": [
            str(item["id"]) for item in of.get("applicationSecurityGroups") or ()
        ],
        "members": [
            member
            for interface in interfaces
            for member in _members(answers.get(f"interface {key(interface)}") or {})
        ],
        "zone_group": _zone_group(groups[0]) if groups else None,
    }


def _connection(document: Document, account_id: str) -> dict[str, Any] | None:
    for side, manual in _SIDES.items():
        for item in properties(document).get(side) or ():
            of = properties(item)
            if same(of.get("privateLinkServiceId"), account_id):
                state = of.get("privateLinkServiceConnectionState") or {}
                return {
                    "name": item.get("name"),
                    "account_id": of["privateLinkServiceId"],
                    "group_ids": list(of.get("groupIds") or ()),
                    "status": state.get("status") or "Unknown",
                    "description": state.get("description"),
                    "manual": manual,
                }
    return None


def _members(interface: Document) -> list[dict[str, Any]]:
    found = []
    for item in properties(interface).get("ipConfigurations") or ():
        of = properties(item)
        link = of.get("privateLinkConnectionProperties") or {}
        found.append(
            {
                "member": link.get("requiredMemberName"),
                "group_id": link.get("groupId"),
                "fqdns": sorted({client_name(str(name)) for name in link.get("fqdns") or ()}),
                "address": of.get("privateIPAddress"),
            }
        )
    return found


def _zone_group(document: Document) -> dict[str, Any]:
    return {
        "name": document["name"],
        "zones": [
            {
                "name": item["name"],
                "zone_id": properties(item).get("privateDnsZoneId"),
                "records": [
                    {
                        "name": record.get("recordSetName"),
                        "fqdn": record.get("fqdn"),
                        "addresses": list(record.get("ipAddresses") or ()),
                    }
                    for record in properties(item).get("recordSets") or ()
                ],
            }
            for item in properties(document).get("privateDnsZoneConfigs") or ()
        ],
    }
