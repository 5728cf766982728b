# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a private endpoint's body must say, and which addresses it gets."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

from . import arm_ids, network_addresses
from .control import Control
from .errors import bad_request
from .hosts import ACCOUNTS
from .network import NAMESPACE
from .state import Resource

AUTOMATIC = "privateLinkServiceConnections"
MANUAL = "manualPrivateLinkServiceConnections"
SUBNETS = f"{NAMESPACE}/virtualNetworks/subnets"
_ASGS = f"{NAMESPACE}/applicationSecurityGroups"
_LONGEST_MESSAGE = 140
_OWN_SUBNETS = ("gatewaysubnet", "azurebastionsubnet", "azurefirewallsubnet", "routeserversubnet")


def subnet_of(control: Control, properties: dict[str, Any]) -> Resource:
    """The subnet: in the endpoint's place and subscription, and of a kind that takes endpoints."""
    id = str((properties.get("subnet") or {}).get("id", ""))
    if not id:
        raise bad_request(
            "InvalidRequestFormat",
            "Cannot parse the request.",
            details=[
                {
                    "code": "MissingJsonReferenceId",
                    "message": "Value for reference id is missing. Path properties.subnet.",
                }
            ],
        )
    subnet = control.referenced(id, SUBNETS)
    control.authorize_linked(f"{SUBNETS}/join/action", subnet.id)
    network = control.state.find(subnet.id.root)
    if network is None:
        raise AssertionError("a subnet has a virtual network")
    place, subscription = control.body["location"], control.id.subscription
    if network.body["location"] != place or subnet.id.subscription.lower() != subscription.lower():
        raise bad_request(
            "InvalidResourceReference",
            f"Resource {subnet.id} referenced by resource {control.id} was not found. Please make "
            "sure that the referenced resource exists, and that both resources are in the same "
            "region.",
        )
    if subnet.properties.get("delegations"):
        raise bad_request(
            "PrivateEndpointCreationNotAllowedAsSubnetIsDelegated",
            f"Private endpoint {control.id} cannot be created as subnet {subnet.id} is delegated.",
        )
    if subnet.id.name.lower() in _OWN_SUBNETS:
        raise bad_request(
            "PrivateEndpointCreationNotAllowedInGatewaySubnet",
            f"Private endpoint {control.id} cannot be created in subnet {subnet.id}.",
        )
    properties["subnet"] = {"id": str(subnet.id)}
    return subnet


def connection_of(control: Control, properties: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The one connection, and under which key it stands."""
    given = [(key, each) for key in (AUTOMATIC, MANUAL) for each in properties.get(key) or []]
    if len(given) != 1:
        raise bad_request(
            "PrivateEndpointMustHaveExactlyOneConnection",
            f"Private endpoint {control.id} must have exactly one private link service connection, "
            f"{len(given)} given.",
        )
    key, connection = given[0]
    inner = connection.get("properties") or {}
    if not connection.get("name") or not inner.get("privateLinkServiceId"):
        raise bad_request(
            "InvalidRequestFormat",
            "Cannot parse the request.",
            details=[
                {
                    "code": "MissingRequiredProperty",
                    "message": f"A connection needs a name and a privateLinkServiceId. "
                    f"Path properties.{key}[0].",
                }
            ],
        )
    if len(str(inner.get("requestMessage") or "")) > _LONGEST_MESSAGE:
        raise bad_request(
            "PrivateLinkServiceConnectionRequestMessageTooLong",
            f"The request message of connection {connection['name']} must not be longer than "
            f"{_LONGEST_MESSAGE} characters.",
        )
    return key, connection


def target_of(control: Control, key: str, connection: Mapping[str, Any]) -> Resource:
    """The account; whoever connects without asking must be allowed to approve."""
    id = str(connection["properties"]["privateLinkServiceId"])
    account = control.referenced(id, ACCOUNTS)
    if key == AUTOMATIC:
        control.authorize_linked(
            f"{ACCOUNTS}/privateEndpointConnectionsApproval/action", account.id
        )
    return account


def check_groups(control: Control, connection: Mapping[str, Any]) -> None:
    groups = connection["properties"].get("groupIds") or []
    if list(groups) != ["account"]:
        raise bad_request(
            "PrivateEndpointGroupIdInvalid",
            f"The group ids {groups} of private endpoint {control.id} are invalid for "
            f"{connection['properties']['privateLinkServiceId']}. The available group ids are: "
            "account.",
        )


def check_application_groups(control: Control, properties: dict[str, Any]) -> None:
    """The groups of an endpoint's addresses; every write of the endpoint joins them anew.

    https://learn.microsoft.com/azure/virtual-network/manage-network-security-group#permissions
    """
    found = [
        control.referenced(str(each.get("id", "")), _ASGS).id
        for each in properties.get("applicationSecurityGroups") or []
    ]
    for id in found:
        control.authorize_linked(f"{_ASGS}/joinIpConfiguration/action", id)
    properties["applicationSecurityGroups"] = [{"id": str(id)} for id in found]


def addresses_for(
    control: Control,
    subnet: Resource,
    members: list[tuple[str, str]],
    wanted: list[dict[str, Any]],
) -> list[str]:
    """One address for each member: those that the body asks for, or the next free ones."""
    if wanted:
        return _static(control, subnet, members, wanted)
    free = list(itertools.islice(network_addresses.free(control.state, subnet), len(members)))
    if len(free) < len(members):
        prefix = ", ".join(str(each) for each in network_addresses.prefixes(subnet))
        raise bad_request(
            "SubnetIsFull",
            f"Subnet {subnet.id.name} with address prefix {prefix} does not have enough capacity "
            f"for {len(members)} IP addresses.",
        )
    return free


def _static(
    control: Control,
    subnet: Resource,
    members: list[tuple[str, str]],
    wanted: list[dict[str, Any]],
) -> list[str]:
    by_member = {}
    for each in wanted:
        inner = each.get("properties") or {}
        by_member[str(inner.get("memberName", ""))] = str(inner.get("privateIPAddress", ""))
        if inner.get("groupId") != "account":
            raise bad_request(
                "PrivateEndpointIpConfigurationInvalidGroupId",
                f"IP configuration {each.get('name')} of private endpoint {control.id} has an "
                f"invalid groupId '{inner.get('groupId')}'.",
            )
    names = [member for member, _ in members]
    if sorted(by_member) != sorted(names) or len(wanted) != len(names):
        raise bad_request(
            "PrivateEndpointIpConfigurationMembersMismatch",
            f"The IP configurations of private endpoint {control.id} must have exactly the members "
            f"{', '.join(names)}.",
        )
    _check_addresses(control, subnet, list(by_member.values()))
    return [by_member[each] for each in names]


def _check_addresses(control: Control, subnet: Resource, wanted: list[str]) -> None:
    """Each address lies in the subnet, is not Azure's own, and nobody has it."""
    taken = network_addresses.taken(control.state, subnet)
    for address in wanted:
        if not network_addresses.inside(address, subnet):
            prefix = ", ".join(str(each) for each in network_addresses.prefixes(subnet))
            raise bad_request(
                "PrivateIPAddressNotInSubnet",
                f"Private static IP address {address} does not belong to the range of subnet prefix "
                f"{prefix}.",
            )
        if network_addresses.reserved(address, subnet):
            raise bad_request(
                "PrivateIPAddressInReservedRange",
                f"Private static IP address {address} falls within reserved IP range of subnet "
                f"{subnet.id}.",
            )
        holder = taken.get(address)
        if holder or address in control.state.extra.get("vantage addresses", ()):
            raise bad_request(
                "PrivateIPAddressIsAllocated",
                f"IP configuration of {control.id} is using the private IP address {address} which "
                f"is already allocated to resource {holder or 'of a virtual machine'}.",
            )
    if len(set(wanted)) != len(wanted):
        raise bad_request(
            "PrivateIPAddressIsAllocated",
            f"Two IP configurations of {control.id} ask for the same private IP address.",
        )


def same_target(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return arm_ids.same(
        str(one["properties"]["privateLinkServiceId"]),
        str(other["properties"]["privateLinkServiceId"]),
    )
