# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""EC2: route tables and network ACLs."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .ec2_common import Facts, Kind, tag_list, text
from .errors import AwsError
from .network import AclEntry, NetworkAcl, Route, RouteTable
from .operation import Control, Result, operation


def _tables(control: Control) -> Iterable[RouteTable]:
    return [
        each
        for each in control.state.route_tables.values()
        if each.account == control.account and each.region == control.region
    ]


# Prefix of a target's id -> the member of Route that names it.
_TARGETS = {
    "igw": "GatewayId",
    "vgw": "GatewayId",
    "vpce": "GatewayId",
    "local": "GatewayId",
    "pcx": "VpcPeeringConnectionId",
    "nat": "NatGatewayId",
    "tgw": "TransitGatewayId",
    "eni": "NetworkInterfaceId",
    "eigw": "EgressOnlyInternetGatewayId",
}


def _destination(route: Route) -> tuple[str, str]:
    if route.destination.startswith("pl-"):
        return "DestinationPrefixListId", route.destination
    return (
        "DestinationIpv6CidrBlock" if ":" in route.destination else "DestinationCidrBlock",
        route.destination,
    )


def _table_facts(_: Control, table: RouteTable) -> Facts:
    found: dict[str, list[str]] = {
        "route-table-id": [table.id],
        "vpc-id": [table.vpc_id],
        "owner-id": [table.account],
        "association.main": [text(table.main)],
        "association.subnet-id": list(table.associations),
        "association.route-table-id": [table.id],
        "association.route-table-association-id": [
            *table.associations.values(),
            table.main_association,
        ],
        "route.state": ["blackhole" if each.blackhole else "active" for each in table.routes],
    }
    for name, member in (
        ("route.destination-cidr-block", "DestinationCidrBlock"),
        ("route.destination-ipv6-cidr-block", "DestinationIpv6CidrBlock"),
        ("route.destination-prefix-list-id", "DestinationPrefixListId"),
    ):
        found[name] = [each.destination for each in table.routes if _destination(each)[0] == member]
    for name, member in (
        ("route.gateway-id", "GatewayId"),
        ("route.nat-gateway-id", "NatGatewayId"),
        ("route.vpc-peering-connection-id", "VpcPeeringConnectionId"),
        ("route.transit-gateway-id", "TransitGatewayId"),
    ):
        found[name] = [each.target for each in table.routes if _target_member(each) == member]
    return found


def _target_member(route: Route) -> str:
    return _TARGETS[route.target.partition("-")[0]]


def _table_shown(_: Control, table: RouteTable) -> Mapping[str, Any]:
    associated = {"AssociationState": {"State": "associated"}, "RouteTableId": table.id}
    associations = [
        {"SubnetId": subnet, "RouteTableAssociationId": each, "Main": False, **associated}
        for subnet, each in table.associations.items()
    ]
    if table.main:
        associations.insert(
            0, {"RouteTableAssociationId": table.main_association, "Main": True, **associated}
        )
    return {
        "RouteTableId": table.id,
        "VpcId": table.vpc_id,
        "OwnerId": table.account,
        "Associations": associations,
        "PropagatingVgws": [],
        "Routes": [
            {
                **dict([_destination(each)]),
                _target_member(each): each.target,
                "Origin": "CreateRouteTable" if each.target == "local" else "CreateRoute",
                "State": "blackhole" if each.blackhole else "active",
            }
            for each in table.routes
        ],
        "Tags": tag_list(table.tags),
    }


ROUTE_TABLE = Kind[RouteTable](
    "rtb",
    "RouteTableIds",
    "RouteTables",
    "InvalidRouteTableID.NotFound",
    "The routeTable ID '{}' does not exist",
    _tables,
    lambda table: table.id,
    _table_facts,
    lambda table: table.tags,
    _table_shown,
    "InvalidRouteTableId.Malformed",
)


@operation("ec2", "DescribeRouteTables")
def describe_route_tables(control: Control) -> Result:
    return ROUTE_TABLE.describe(control)


def _table_arn(control: Control) -> Sequence[str]:
    return (control.arn("route-table", control.params["RouteTableId"]),)


def _wanted_destination(control: Control) -> str:
    params = control.params
    given = [
        params[name]
        for name in (
            "DestinationCidrBlock",
            "DestinationIpv6CidrBlock",
            "DestinationPrefixListId",
        )
        if params.get(name)
    ]
    if len(given) != 1:
        raise AwsError("MissingParameter", "The request must contain exactly one destination")
    destination = str(given[0])
    if destination.startswith("pl-"):
        return destination
    try:
        return str(ipaddress.ip_network(destination, strict=False))
    except ValueError:
        raise AwsError(
            "InvalidParameterValue",
            f"Value ({destination}) for parameter destinationCidrBlock is invalid. "
            "This is not a valid CIDR block.",
        ) from None


@operation("ec2", "CreateRoute", resources=_table_arn)
def create_route(control: Control) -> Result:
    table = ROUTE_TABLE.find(control, control.params["RouteTableId"])
    destination = _wanted_destination(control)
    targets = [
        control.params[name]
        for name in (*dict.fromkeys(_TARGETS.values()), "VpcEndpointId")
        if control.params.get(name)
    ]
    if len(targets) != 1:
        raise AwsError("MissingParameter", "The request must contain exactly one target")
    target = str(targets[0])
    if target.partition("-")[0] not in _TARGETS:
        raise AwsError("InvalidGatewayID.NotFound", f"The gateway ID '{target}' does not exist")
    if target.startswith("pcx-"):
        peering = control.state.peerings.get(target)
        if peering is None or table.vpc_id not in (peering.requester, peering.accepter):
            raise AwsError(
                "InvalidVpcPeeringConnectionID.NotFound",
                f"The vpcPeeringConnection ID '{target}' does not exist",
            )
    if any(each.destination == destination for each in table.routes):
        raise AwsError(
            "RouteAlreadyExists", f"The route identified by {destination} already exists."
        )
    table.routes.append(Route(destination, target))
    return {"Return": True}


@operation("ec2", "DeleteRoute", resources=_table_arn)
def delete_route(control: Control) -> None:
    table = ROUTE_TABLE.find(control, control.params["RouteTableId"])
    destination = _wanted_destination(control)
    found = [each for each in table.routes if each.destination == destination]
    if not found:
        raise AwsError(
            "InvalidRoute.NotFound",
            f"no route with destination-cidr-block {destination} in route table {table.id}",
        )
    if found[0].target == "local":
        raise AwsError(
            "InvalidParameterValue",
            f"cannot remove local route {destination} in route table {table.id}",
        )
    table.routes.remove(found[0])


def _acls(control: Control) -> Iterable[NetworkAcl]:
    return [
        each
        for each in control.state.network_acls.values()
        if each.account == control.account and each.region == control.region
    ]


def _acl_facts(_: Control, acl: NetworkAcl) -> Facts:
    return {
        "network-acl-id": [acl.id],
        "vpc-id": [acl.vpc_id],
        "owner-id": [acl.account],
        "default": [text(acl.default)],
        "association.subnet-id": list(acl.subnets),
        "association.network-acl-id": [acl.id],
        "association.association-id": list(acl.subnets.values()),
        "entry.cidr": [each.cidr for each in acl.entries if each.cidr],
        "entry.egress": [text(each.egress) for each in acl.entries],
        "entry.protocol": [each.protocol for each in acl.entries],
        "entry.rule-action": ["allow" if each.allow else "deny" for each in acl.entries],
        "entry.rule-number": [str(each.number) for each in acl.entries],
    }


def _entry_shown(entry: AclEntry) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "RuleNumber": entry.number,
        "Egress": entry.egress,
        "Protocol": entry.protocol,
        "RuleAction": "allow" if entry.allow else "deny",
        "CidrBlock": entry.cidr or None,
        "Ipv6CidrBlock": entry.ipv6_cidr or None,
    }
    if entry.from_port is not None:
        shown["PortRange"] = {"From": entry.from_port, "To": entry.to_port}
    return shown


def _acl_shown(_: Control, acl: NetworkAcl) -> Mapping[str, Any]:
    last = [AclEntry(32767, egress, "-1", False, "0.0.0.0/0") for egress in (True, False)]
    return {
        "NetworkAclId": acl.id,
        "VpcId": acl.vpc_id,
        "OwnerId": acl.account,
        "IsDefault": acl.default,
        "Associations": [
            {"SubnetId": subnet, "NetworkAclId": acl.id, "NetworkAclAssociationId": each}
            for subnet, each in acl.subnets.items()
        ],
        "Entries": [
            _entry_shown(each)
            for each in sorted([*acl.entries, *last], key=lambda one: (not one.egress, one.number))
        ],
        "Tags": tag_list(acl.tags),
    }


NETWORK_ACL = Kind[NetworkAcl](
    "acl",
    "NetworkAclIds",
    "NetworkAcls",
    "InvalidNetworkAclID.NotFound",
    "The networkAcl ID '{}' does not exist",
    _acls,
    lambda acl: acl.id,
    _acl_facts,
    lambda acl: acl.tags,
    _acl_shown,
)


@operation("ec2", "DescribeNetworkAcls")
def describe_network_acls(control: Control) -> Result:
    return NETWORK_ACL.describe(control)


def _acl_arn(control: Control) -> Sequence[str]:
    return (control.arn("network-acl", control.params["NetworkAclId"]),)


def _entry(control: Control) -> AclEntry:
    params = control.params
    number, protocol = (
        params["RuleNumber"],
        {"tcp": "6", "udp": "17", "icmp": "1", "all": "-1"}.get(
            params["Protocol"], params["Protocol"]
        ),
    )
    if not 1 <= number <= 32766:
        raise AwsError(
            "InvalidParameterValue",
            f"Value ({number}) for parameter ruleNumber is invalid. "
            "The rule number must be between 1 and 32766.",
        )
    given = params.get("CidrBlock") or params.get("Ipv6CidrBlock")
    try:
        cidr = str(ipaddress.ip_network(given or "", strict=False))
    except ValueError:
        raise AwsError(
            "InvalidParameterValue", f"Value ({given}) for parameter cidrBlock is invalid."
        ) from None
    ports = params.get("PortRange", {})
    if protocol in ("6", "17") and not {"From", "To"} <= set(ports):
        raise AwsError("MissingParameter", "The request must contain the parameter PortRange.From")
    return AclEntry(
        number,
        params["Egress"],
        protocol,
        params["RuleAction"] == "allow",
        "" if ":" in cidr else cidr,
        cidr if ":" in cidr else "",
        ports.get("From"),
        ports.get("To"),
    )


def _entries_at(acl: NetworkAcl, number: int, egress: bool) -> list[AclEntry]:
    return [each for each in acl.entries if (each.number, each.egress) == (number, egress)]


def _no_entry(number: int, egress: bool) -> AwsError:
    direction = "egress" if egress else "ingress"
    return AwsError(
        "InvalidNetworkAclEntry.NotFound",
        f"The network acl {direction} entry with rule number {number} does not exist",
    )


@operation("ec2", "CreateNetworkAclEntry", resources=_acl_arn)
def create_network_acl_entry(control: Control) -> None:
    acl = NETWORK_ACL.find(control, control.params["NetworkAclId"])
    entry = _entry(control)
    if _entries_at(acl, entry.number, entry.egress):
        raise AwsError(
            "NetworkAclEntryAlreadyExists",
            f"The network acl entry identified by {entry.number} already exists.",
        )
    acl.entries.append(entry)


@operation("ec2", "ReplaceNetworkAclEntry", resources=_acl_arn)
def replace_network_acl_entry(control: Control) -> None:
    acl = NETWORK_ACL.find(control, control.params["NetworkAclId"])
    entry = _entry(control)
    found = _entries_at(acl, entry.number, entry.egress)
    if not found:
        raise _no_entry(entry.number, entry.egress)
    acl.entries[acl.entries.index(found[0])] = entry


@operation("ec2", "DeleteNetworkAclEntry", resources=_acl_arn)
def delete_network_acl_entry(control: Control) -> None:
    acl = NETWORK_ACL.find(control, control.params["NetworkAclId"])
    number, egress = control.params["RuleNumber"], control.params["Egress"]
    found = _entries_at(acl, number, egress)
    if not found:
        raise _no_entry(number, egress)
    acl.entries.remove(found[0])
