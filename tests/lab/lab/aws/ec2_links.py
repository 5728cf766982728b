# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""EC2: what joins networks and hosts to them: peerings and network interfaces."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .ec2_common import Facts, Kind, tag_list, text
from .network import Interface, Peering, Vpc
from .operation import Control, Result, operation


def _peerings(control: Control) -> Iterable[Peering]:
    vpcs = control.state.vpcs
    return [
        each
        for each in control.state.peerings.values()
        if any(
            vpcs[side].account == control.account and vpcs[side].region == control.region
            for side in (each.requester, each.accepter)
        )
    ]


def _peering_facts(control: Control, peering: Peering) -> Facts:
    requester = control.state.vpcs[peering.requester]
    accepter = control.state.vpcs[peering.accepter]
    return {
        "vpc-peering-connection-id": [peering.id],
        "status-code": [peering.status],
        "requester-vpc-info.vpc-id": [requester.id],
        "requester-vpc-info.owner-id": [requester.account],
        "requester-vpc-info.cidr-block": requester.cidrs,
        "accepter-vpc-info.vpc-id": [accepter.id],
        "accepter-vpc-info.owner-id": [accepter.account],
        "accepter-vpc-info.cidr-block": accepter.cidrs,
    }


def _peer(vpc: Vpc, active: bool) -> dict[str, Any]:
    side: dict[str, Any] = {"VpcId": vpc.id, "OwnerId": vpc.account, "Region": vpc.region}
    if active:
        # The blocks and options show once the peering is active.
        side["CidrBlock"] = vpc.cidrs[0]
        side["CidrBlockSet"] = [{"CidrBlock": each} for each in vpc.cidrs]
        side["Ipv6CidrBlockSet"] = [{"Ipv6CidrBlock": each} for each in vpc.ipv6_cidrs]
        side["PeeringOptions"] = {
            "AllowDnsResolutionFromRemoteVpc": False,
            "AllowEgressFromLocalClassicLinkToRemoteVpc": False,
            "AllowEgressFromLocalVpcToRemoteClassicLink": False,
        }
    return side


def _peering_shown(control: Control, peering: Peering) -> Mapping[str, Any]:
    vpcs, active = control.state.vpcs, peering.status == "active"
    return {
        "VpcPeeringConnectionId": peering.id,
        "RequesterVpcInfo": _peer(vpcs[peering.requester], True),
        "AccepterVpcInfo": _peer(vpcs[peering.accepter], active),
        "Status": {"Code": peering.status, "Message": peering.status.replace("-", " ").title()},
        "Tags": tag_list(peering.tags),
    }


PEERING = Kind[Peering](
    "pcx",
    "VpcPeeringConnectionIds",
    "VpcPeeringConnections",
    "InvalidVpcPeeringConnectionID.NotFound",
    "The vpcPeeringConnection ID '{}' does not exist",
    _peerings,
    lambda peering: peering.id,
    _peering_facts,
    lambda peering: peering.tags,
    _peering_shown,
    "InvalidVpcPeeringConnectionId.Malformed",
)


@operation("ec2", "DescribeVpcPeeringConnections")
def describe_vpc_peering_connections(control: Control) -> Result:
    return PEERING.describe(control)


def _interfaces(control: Control) -> Iterable[Interface]:
    return [
        each
        for each in control.state.interfaces.values()
        if each.account == control.account and each.region == control.region
    ]


def _interface_facts(control: Control, interface: Interface) -> Facts:
    subnet = control.state.subnets[interface.subnet_id]
    groups = [control.state.security_groups[each].name for each in interface.security_groups]
    return {
        "network-interface-id": [interface.id],
        "subnet-id": [interface.subnet_id],
        "vpc-id": [interface.vpc_id],
        "availability-zone": [subnet.zone],
        "availability-zone-id": [subnet.zone_id],
        "private-ip-address": [interface.address],
        "addresses.private-ip-address": [interface.address],
        "ipv6-addresses.ipv6-address": [interface.ipv6_address] if interface.ipv6_address else [],
        "description": [interface.description],
        "interface-type": [interface.type],
        "group-id": interface.security_groups,
        "group-name": groups,
        "owner-id": [interface.account],
        "status": ["in-use"],
        "requester-managed": [text(interface.requester_managed)],
        "requester-id": [interface.account],
        "mac-address": [interface.mac],
        "attachment.status": ["attached"],
    }


def _interface_shown(control: Control, interface: Interface) -> Mapping[str, Any]:
    subnet = control.state.subnets[interface.subnet_id]
    addresses = [{"PrivateIpAddress": interface.address, "Primary": True}]
    six = [{"Ipv6Address": interface.ipv6_address}] if interface.ipv6_address else []
    return {
        "NetworkInterfaceId": interface.id,
        "SubnetId": interface.subnet_id,
        "VpcId": interface.vpc_id,
        "OwnerId": interface.account,
        "AvailabilityZone": subnet.zone,
        "AvailabilityZoneId": subnet.zone_id,
        "PrivateIpAddress": interface.address,
        "PrivateIpAddresses": addresses,
        "Ipv6Addresses": six,
        "MacAddress": interface.mac,
        "Description": interface.description,
        "InterfaceType": interface.type,
        "RequesterManaged": interface.requester_managed,
        "SourceDestCheck": True,
        "Status": "in-use",
        "Groups": [
            {"GroupId": each, "GroupName": control.state.security_groups[each].name}
            for each in interface.security_groups
        ],
        "TagSet": tag_list(interface.tags),
    }


INTERFACE = Kind[Interface](
    "eni",
    "NetworkInterfaceIds",
    "NetworkInterfaces",
    "InvalidNetworkInterfaceID.NotFound",
    "The networkInterface ID '{}' does not exist",
    _interfaces,
    lambda interface: interface.id,
    _interface_facts,
    lambda interface: interface.tags,
    _interface_shown,
    "InvalidNetworkInterfaceId.Malformed",
)


@operation("ec2", "DescribeNetworkInterfaces")
def describe_network_interfaces(control: Control) -> Result:
    return INTERFACE.describe(control)
