# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Resource Manager's documents as the shapes of the create phase, and as the evidence shows them."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from typing import Any

from ..core.azure.names import client_name
from ..core.azure.plan_create_rules import Rule
from ..core.azure.plan_create_types import Account, Connection, Endpoint, Group, Member, Subnet

Document = Mapping[str, Any]


def account(item: Document) -> Account:
    """A Cognitive Services account with its side of all connections."""
    known = _properties(item)
    return Account(
        id=item["id"],
        name=item["name"],
        kind=str(item.get("kind") or ""),
        location=str(item.get("location") or ""),
        subdomain=str(known.get("customSubDomainName") or ""),
        state=str(known.get("provisioningState") or ""),
        public_access=str(known.get("publicNetworkAccess") or "Enabled"),
        connections=tuple(connection(one) for one in known.get("privateEndpointConnections") or ()),
    )


def connection(item: Document) -> Connection:
    """One connection, as the account shows it."""
    known = _properties(item)
    state = known.get("privateLinkServiceConnectionState") or {}
    return Connection(
        id=str(item["id"]),
        endpoint_id=str((known.get("privateEndpoint") or {}).get("id") or ""),
        status=str(state.get("status") or ""),
        description=str(state.get("description") or ""),
        actions_required=str(state.get("actionsRequired") or ""),
    )


def subnet(item: Document) -> Subnet:
    """A subnet, with what is in it."""
    known = _properties(item)
    prefixes = known.get("addressPrefixes") or [known.get("addressPrefix")]
    endpoints = tuple(str(one["id"]) for one in known.get("privateEndpoints") or ())
    used = list(known.get("ipConfigurations") or ())
    interfaces = {str(one["id"]).lower().rpartition("/ipconfigurations/")[0] for one in used}
    return Subnet(
        id=str(item["id"]),
        prefixes=tuple(str(one) for one in prefixes if one),
        policies=str(known.get("privateEndpointNetworkPolicies") or "Disabled"),
        group_id=str((known.get("networkSecurityGroup") or {}).get("id") or ""),
        route_table_id=str((known.get("routeTable") or {}).get("id") or ""),
        nat_gateway_id=str((known.get("natGateway") or {}).get("id") or ""),
        delegations=tuple(
            str(_properties(one).get("serviceName") or one.get("name"))
            for one in known.get("delegations") or ()
        ),
        endpoint_ids=endpoints,
        used=len(used),
        others=max(0, len(interfaces) - len(endpoints)),
        state=str(known.get("provisioningState") or ""),
    )


def endpoint(item: Document, interface: Document | None) -> Endpoint:
    """A private endpoint with the addresses of its interface."""
    known = _properties(item)
    link, manual = _link(item)
    wired = _properties(link)
    state = wired.get("privateLinkServiceConnectionState") or {}
    nics = known.get("networkInterfaces") or ()
    return Endpoint(
        id=str(item["id"]),
        name=str(item["name"]),
        location=str(item.get("location") or "").replace(" ", "").lower(),
        tags=dict(item.get("tags") or {}),
        subnet_id=str((known.get("subnet") or {}).get("id") or ""),
        account_id=str(wired.get("privateLinkServiceId") or ""),
        state=str(known.get("provisioningState") or ""),
        status=str(state.get("status") or ""),
        description=str(state.get("description") or ""),
        manual=manual,
        message=str(wired.get("requestMessage") or ""),
        nic_id=str(nics[0]["id"]) if nics else "",
        zoned=not known.get("customDnsConfigs"),
        members=tuple(members(interface)) if interface else (),
    )


def members(interface: Document) -> Iterable[Member]:
    """The addresses of an endpoint's interface, each with the client names that it answers for."""
    for item in _properties(interface).get("ipConfigurations") or ():
        known = _properties(item)
        wired = known.get("privateLinkConnectionProperties") or {}
        yield Member(
            name=str(wired.get("requiredMemberName") or item.get("name") or ""),
            group=str(wired.get("groupId") or ""),
            address=str(known.get("privateIPAddress") or ""),
            fqdns=tuple(sorted({client_name(name) for name in wired.get("fqdns") or ()})),
        )


def group(item: Document) -> Group:
    """A network security group with the rules that somebody made."""
    known = _properties(item)
    return Group(
        id=str(item["id"]),
        name=str(item["name"]),
        tags=dict(item.get("tags") or {}),
        rules=tuple(rule(one) for one in known.get("securityRules") or ()),
        subnet_ids=tuple(str(one["id"]) for one in known.get("subnets") or ()),
        interface_ids=tuple(str(one["id"]) for one in known.get("networkInterfaces") or ()),
    )


def rule(item: Document) -> Rule:
    """One rule; Azure has a singular and a plural of every list."""
    known = _properties(item)

    def ends(side: str) -> tuple[str, ...]:
        groups = known.get(f"{side}ApplicationSecurityGroups") or ()
        found = [str(one["id"]) for one in groups]
        return tuple(
            sorted(found or _several(known, f"{side}AddressPrefix", f"{side}AddressPrefixes"))
        )

    return Rule(
        name=str(item["name"]),
        priority=int(known["priority"]),
        direction=str(known["direction"]),
        access=str(known["access"]),
        protocol=str(known["protocol"]),
        sources=ends("source"),
        destinations=ends("destination"),
        ports=tuple(_several(known, "destinationPortRange", "destinationPortRanges")),
        source_ports=tuple(_several(known, "sourcePortRange", "sourcePortRanges")),
    )


def document(seen: Endpoint, shown: Document) -> dict[str, Any]:
    """An endpoint as the evidence shows it. shown: Azure's own document."""
    link, _manual = _link(shown)
    return {
        "id": seen.id,
        "name": seen.name,
        "location": seen.location,
        "subnet_id": seen.subnet_id,
        "network_id": seen.subnet_id.rpartition("/subnets/")[0],
        "provisioning_state": seen.state,
        "connection": {
            "name": str(link.get("name") or ""),
            "account_id": seen.account_id,
            "group_ids": list(_properties(link).get("groupIds") or ()),
            "status": seen.status,
            "description": seen.description,
            "manual": seen.manual,
        },
        "nic_id": seen.nic_id,
        "members": [
            {
                "member": item.name,
                "group_id": item.group,
                "fqdns": list(item.fqdns),
                "address": item.address,
            }
            for item in sorted(seen.members, key=lambda item: _order(item.address))
        ],
        "tags": dict(seen.tags),
    }


def _link(item: Document) -> tuple[Document, bool]:
    known = _properties(item)
    for name, manual in (
        ("privateLinkServiceConnections", False),
        ("manualPrivateLinkServiceConnections", True),
    ):
        if known.get(name):
            return known[name][0], manual
    return {}, False


def _several(known: Document, single: str, several: str) -> list[str]:
    if known.get(several):
        return [str(one) for one in known[several]]
    return [str(known[single])] if known.get(single) else []


def _order(address: str) -> tuple[int, str]:
    try:
        return int(ipaddress.ip_address(address)), address
    except ValueError:
        return 0, address


def _properties(item: Document) -> Document:
    found = item.get("properties")
    return found if isinstance(found, Mapping) else {}
