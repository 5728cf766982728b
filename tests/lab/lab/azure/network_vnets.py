# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Virtual networks and their subnets."""

from __future__ import annotations

import ipaddress
import uuid
from collections.abc import Mapping
from typing import Any

from . import network_addresses, stock
from .arm_ids import ArmId
from .control import Control
from .errors import bad_request
from .network import (
    NAMESPACE,
    SDK,
    VERSIONS,
    Items,
    Nest,
    nested,
    network_of,
    put_parent,
    reference,
)
from .network_peerings import PEERINGS_NEST, connect
from .registry import Answer, operation, resource_type, shown, standard_view
from .state import Resource, State

_POLICIES = {
    "privateEndpointNetworkPolicies": "Disabled",
    "privateLinkServiceNetworkPolicies": "Enabled",
}


def _network_view(state: State, network: Resource) -> dict[str, Any]:
    body = standard_view(state, network)
    for key in ("subnets", "virtualNetworkPeerings"):
        children = state.children(network.id, key)
        body["properties"][key] = [shown(state, each) for each in children]
    body["properties"].setdefault("enableDdosProtection", False)
    return body


def _subnet_view(state: State, subnet: Resource) -> dict[str, Any]:
    """A subnet with what Azure adds: who is in it, and what its lists' items are called."""
    properties = standard_view(state, subnet)["properties"]
    properties["delegations"] = [
        {
            "id": f"{subnet.id}/delegations/{each.get('name', index)}",
            "etag": f'W/"{subnet.etag}"',
            "type": f"{NAMESPACE}/virtualNetworks/subnets/delegations",
            **each,
            "properties": {**each.get("properties", {}), "provisioningState": "Succeeded"},
        }
        for index, each in enumerate(properties.get("delegations") or [])
    ]
    if properties.get("serviceEndpoints"):
        properties["serviceEndpoints"] = [
            {"locations": ["*"], **each, "provisioningState": "Succeeded"}
            for each in properties["serviceEndpoints"]
        ]
    interfaces = network_addresses.interfaces_in(state, subnet)
    if interfaces:
        properties["ipConfigurations"] = [
            {"id": each["id"]}
            for interface in interfaces
            for each in interface.properties["ipConfigurations"]
        ]
        properties["privateEndpoints"] = [
            {"id": each.properties["privateEndpoint"]["id"]} for each in interfaces
        ]
    return {**subnet.body, "properties": properties}


NETWORKS = resource_type(
    f"{NAMESPACE}/virtualNetworks", VERSIONS, model=(SDK, "VirtualNetwork"), view=_network_view
)
SUBNETS = resource_type(
    f"{NAMESPACE}/virtualNetworks/subnets",
    VERSIONS,
    model=(SDK, "Subnet"),
    view=_subnet_view,
    tracked=False,
)
stock.readable(NETWORKS)
stock.taggable(NETWORKS)
stock.readable(SUBNETS)


def subnet_networks(properties: Mapping[str, Any], id: object) -> list[Any]:
    """The CIDRs of a subnet's properties."""
    given = properties.get("addressPrefixes") or [properties.get("addressPrefix")]
    return [network_of(each, id) for each in given]


def _check_subnets(control: Control, network: ArmId, own: Mapping[str, Any], items: Items) -> None:
    space = [
        network_of(each, network)
        for each in (own.get("addressSpace") or {}).get("addressPrefixes") or []
    ]
    taken: dict[str, list[Any]] = {}
    for name, properties in items.items():
        id = network.child("subnets", name)
        _complete(control, id, properties)
        mine = subnet_networks(properties, id)
        for each in mine:
            if not any(each.version == whole.version and each.subnet_of(whole) for whole in space):
                raise bad_request(
                    "NetcfgSubnetRangeOutsideVnet",
                    f"Subnet '{name}' is not valid because its IP address range is outside the IP "
                    f"address range of virtual network '{network.name}'.",
                )
            if each.version == 4 and each.prefixlen > 29:
                raise bad_request(
                    "NetcfgInvalidSubnet",
                    f"Subnet '{name}' is not valid in virtual network '{network.name}'.",
                )
            for other, theirs in taken.items():
                if any(each.version == them.version and each.overlaps(them) for them in theirs):
                    raise bad_request(
                        "NetcfgSubnetRangesOverlap",
                        f"Subnet '{name}' is not valid because its IP address range overlaps with "
                        f"that of an existing subnet '{other}' in virtual network "
                        f"'{network.name}'.",
                    )
        taken[name] = mine
        _keeps_allocations(control, id, mine)


def _complete(control: Control, id: ArmId, properties: dict[str, Any]) -> None:
    """What a subnet refers to exists; what it does not say gets Azure's defaults."""
    standing = control.state.find(id)
    if standing is None or standing.properties is not properties:
        # Not of those that stand beside the one that is written: nothing is joined there.
        for name in ("networkSecurityGroup", "routeTable", "natGateway"):
            reference(control, properties, name, f"{NAMESPACE}/{name}s")
    if not properties.get("addressPrefix") and not properties.get("addressPrefixes"):
        raise bad_request(
            "NetcfgInvalidSubnet",
            f"Subnet '{id.name}' is not valid in virtual network '{id.names[0]}'.",
        )
    for key, value in _POLICIES.items():
        properties.setdefault(key, value)
    properties.setdefault("delegations", [])


def _keeps_allocations(control: Control, id: ArmId, networks: list[Any]) -> None:
    """A prefix that addresses are taken from stays."""
    standing = control.state.find(id)
    if standing is None:
        return
    for address in network_addresses.taken(control.state, standing):
        if not any(ipaddress.ip_address(address) in each for each in networks):
            old = standing.properties.get("addressPrefix") or standing.properties.get(
                "addressPrefixes"
            )
            raise bad_request(
                "InUsePrefixCannotBeDeleted",
                f"IpPrefix {old} on Subnet {id.name} has active allocations and cannot be deleted.",
            )


def _removable(control: Control, subnet: Resource) -> None:
    interfaces = network_addresses.interfaces_in(control.state, subnet)
    if interfaces:
        users = ", ".join(str(each.properties["ipConfigurations"][0]["id"]) for each in interfaces)
        raise bad_request(
            "InUseSubnetCannotBeDeleted",
            f"Subnet {subnet.id.name} is in use by {users} and cannot be deleted. In order to "
            "delete the subnet, delete all the resources within the subnet. See "
            "aka.ms/deletesubnet.",
        )


SUBNETS_NEST = Nest("subnets", SUBNETS, _check_subnets, _removable, kept=True)
nested(SUBNETS_NEST, stock.existing_parent)


@operation(NETWORKS, "PUT")
def put_network(control: Control) -> Answer:
    """Replace all of it; subnets and peerings that the body does not mention stay."""
    properties = dict(control.properties)
    prefixes = (properties.get("addressSpace") or {}).get("addressPrefixes") or []
    if not prefixes:
        raise bad_request(
            "MissingAddressSpace",
            f"Virtual network {control.id} must have an address space with at least one prefix.",
        )
    space = [network_of(each, control.id) for each in prefixes]
    standing = control.existing()
    properties["resourceGuid"] = (
        standing.properties.get("resourceGuid") if standing else str(uuid.uuid4())
    )
    if standing and "subnets" not in properties:
        _subnets_fit(control, space)
    answer = put_parent(control, (SUBNETS_NEST, PEERINGS_NEST), properties)
    for peering in control.state.children(control.id, "virtualNetworkPeerings"):
        connect(control.state, peering)
    return answer


def _subnets_fit(control: Control, space: list[Any]) -> None:
    for subnet in control.state.children(control.id, "subnets"):
        for each in subnet_networks(subnet.properties, subnet.id):
            if not any(each.version == whole.version and each.subnet_of(whole) for whole in space):
                raise bad_request(
                    "NetcfgSubnetRangeOutsideVnet",
                    f"Subnet '{subnet.id.name}' is not valid because its IP address range is "
                    f"outside the IP address range of virtual network '{control.id.name}'.",
                )


@operation(NETWORKS, "DELETE")
def delete_network(control: Control) -> Answer:
    network = control.existing()
    if network is None:
        return Answer(204)
    subnets = control.state.children(network.id, "subnets")
    control.idle(network, *subnets)
    for subnet in subnets:
        _removable(control, subnet)

    def disconnect() -> None:
        for peering in control.state.children(network.id, "virtualNetworkPeerings"):
            PEERINGS_NEST.removable(control, peering)

    return control.delete(network, control.state.timing.operation, disconnect)


AVAILABILITY = resource_type(
    f"{NAMESPACE}/virtualNetworks/CheckIPAddressAvailability", VERSIONS, tracked=False, etag=""
)


@operation(AVAILABILITY, "LIST", action=f"{NAMESPACE}/virtualNetworks/read")
def check_address(control: Control) -> Answer:
    """Whether an address is free, and some that are."""
    network = stock.existing_parent(control)
    wanted = control.query.get("ipAddress", "")
    free: list[str] = []
    for subnet in control.state.children(network.id, "subnets"):
        addresses = list(network_addresses.free(control.state, subnet))
        if wanted in addresses:
            return Answer(200, {"available": True, "isPlatformReserved": False})
        if network_addresses.inside(wanted, subnet):
            free = addresses[:5]
    body = {"available": False, "availableIPAddresses": free, "isPlatformReserved": False}
    return Answer(200, body)
