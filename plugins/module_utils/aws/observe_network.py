# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The network part of the evidence: the VPC, its subnets, routes, network ACLs and peerings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .reads import Read, pages, tags

_PART = "network"


def vpc_read(ec2: Any, vpc_id: str) -> Read:
    """The VPC itself; every evidence document starts from it."""
    return Read(
        part=_PART,
        action="ec2:DescribeVpcs",
        about=f"vpc_id {vpc_id}",
        call=lambda: ec2.describe_vpcs(VpcIds=[vpc_id])["Vpcs"][0],
    )


def reads(ec2: Any, vpc_id: str) -> dict[str, Read]:
    """All reads of this part; none depends on another."""
    by_vpc = [{"Name": "vpc-id", "Values": [vpc_id]}]

    def attribute(name: str) -> Read:
        key = name[0].upper() + name[1:]
        return Read(
            part=_PART,
            action="ec2:DescribeVpcAttribute",
            about=f"vpc_id {vpc_id}",
            call=lambda: bool(
                ec2.describe_vpc_attribute(VpcId=vpc_id, Attribute=name)[key]["Value"]
            ),
        )

    def listed(action: str, operation: str, key: str, filters: list[dict[str, Any]]) -> Read:
        return Read(
            part=_PART,
            action=action,
            about=f"vpc_id {vpc_id}",
            call=lambda: pages(ec2, operation, key, Filters=filters),
        )

    def peerings(side: str) -> Read:
        return listed(
            "ec2:DescribeVpcPeeringConnections",
            "describe_vpc_peering_connections",
            "VpcPeeringConnections",
            [{"Name": f"{side}-vpc-info.vpc-id", "Values": [vpc_id]}],
        )

    return {
        "dns_support": attribute("enableDnsSupport"),
        "dns_hostnames": attribute("enableDnsHostnames"),
        "subnets": listed("ec2:DescribeSubnets", "describe_subnets", "Subnets", by_vpc),
        "route_tables": listed(
            "ec2:DescribeRouteTables", "describe_route_tables", "RouteTables", by_vpc
        ),
        "network_acls": listed(
            "ec2:DescribeNetworkAcls", "describe_network_acls", "NetworkAcls", by_vpc
        ),
        "requested": peerings("requester"),
        "accepted": peerings("accepter"),
    }


def vpc(
    answer: Mapping[str, Any] | None, vpc_id: str, answers: Mapping[str, Any]
) -> dict[str, Any]:
    """The evidence's `vpc`; a value that was not read is null."""
    found = answer or {}
    return {
        "id": vpc_id,
        "cidrs": [
            item["CidrBlock"]
            for item in found.get("CidrBlockAssociationSet", ())
            if item["CidrBlockState"]["State"] == "associated"
        ],
        "ipv6_cidrs": _ipv6(found.get("Ipv6CidrBlockAssociationSet")),
        "dns_support": answers.get("dns_support"),
        "dns_hostnames": answers.get("dns_hostnames"),
        "owner_id": found.get("OwnerId"),
    }


def network(answers: Mapping[str, Any], vpc_id: str) -> dict[str, Any]:
    """`subnets`, `route_tables`, `network_acls` and `peerings` from the answers of `reads`."""
    tables = answers.get("route_tables") or []
    acls = answers.get("network_acls") or []
    by_subnet, main = _route_tables_by_subnet(tables)
    acl_by_subnet = {
        entry["SubnetId"]: acl["NetworkAclId"] for acl in acls for entry in acl["Associations"]
    }
    return {
        "subnets": [
            {
                "id": item["SubnetId"],
                "cidr": item["CidrBlock"],
                "ipv6_cidrs": _ipv6(item.get("Ipv6CidrBlockAssociationSet")),
                "az": item["AvailabilityZone"],
                "az_id": item.get("AvailabilityZoneId"),
                "route_table_id": by_subnet.get(item["SubnetId"], main),
                "network_acl_id": acl_by_subnet.get(item["SubnetId"]),
                "tags": tags(item.get("Tags")),
            }
            for item in answers.get("subnets") or []
        ],
        "route_tables": [
            {"id": item["RouteTableId"], "routes": [_route(route) for route in item["Routes"]]}
            for item in tables
        ],
        "network_acls": [
            {"id": item["NetworkAclId"], "entries": [_entry(entry) for entry in item["Entries"]]}
            for item in acls
        ],
        "peerings": [
            _peering(item, vpc_id)
            for item in (*(answers.get("requested") or []), *(answers.get("accepted") or []))
        ],
    }


def _ipv6(associations: Any) -> list[str]:
    return [
        item["Ipv6CidrBlock"]
        for item in associations or ()
        if item["Ipv6CidrBlockState"]["State"] == "associated"
    ]


def _route_tables_by_subnet(tables: list[Any]) -> tuple[dict[str, str], str | None]:
    """Subnets with a table of their own, and the main table, which all others use."""
    own, main = {}, None
    for table in tables:
        for entry in table["Associations"]:
            if entry.get("SubnetId"):
                own[entry["SubnetId"]] = table["RouteTableId"]
            elif entry.get("Main"):
                main = table["RouteTableId"]
    return own, main


def _route(route: Mapping[str, Any]) -> dict[str, Any]:
    targets = (
        "GatewayId",
        "NatGatewayId",
        "TransitGatewayId",
        "VpcPeeringConnectionId",
        "NetworkInterfaceId",
        "EgressOnlyInternetGatewayId",
        "LocalGatewayId",
        "CarrierGatewayId",
        "CoreNetworkArn",
    )
    destinations = ("DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId")
    return {
        "destination": next((route[key] for key in destinations if route.get(key)), None),
        "target": next((route[key] for key in targets if route.get(key)), None),
        "state": route["State"],
    }


def _entry(entry: Mapping[str, Any]) -> dict[str, Any]:
    ports = entry.get("PortRange") or {}
    return {
        "number": entry["RuleNumber"],
        "egress": entry["Egress"],
        "protocol": entry["Protocol"],
        "action": entry["RuleAction"],
        "cidr": entry.get("CidrBlock") or entry.get("Ipv6CidrBlock"),
        "from_port": ports.get("From"),
        "to_port": ports.get("To"),
    }


def _peering(item: Mapping[str, Any], vpc_id: str) -> dict[str, Any]:
    """A peering seen from the target: `peer_…` is always the other side."""
    sides = (item["RequesterVpcInfo"], item["AccepterVpcInfo"])
    peer = sides[1] if sides[0].get("VpcId") == vpc_id else sides[0]
    blocks = [entry["CidrBlock"] for entry in peer.get("CidrBlockSet") or ()]
    blocks += [entry["Ipv6CidrBlock"] for entry in peer.get("Ipv6CidrBlockSet") or ()]
    return {
        "id": item["VpcPeeringConnectionId"],
        "status": item["Status"]["Code"],
        "vpc_id": vpc_id,
        "peer_vpc_id": peer.get("VpcId"),
        "peer_account_id": peer.get("OwnerId"),
        "peer_region": peer.get("Region"),
        "peer_cidrs": blocks or [peer["CidrBlock"]] if blocks or peer.get("CidrBlock") else [],
    }
