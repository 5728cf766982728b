# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""EC2: VPCs and subnets, zones, peerings and network interfaces."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from typing import Any

from .ec2_common import Facts, Kind, matches, paged, required, specified_tags, tag_list, text
from .errors import AwsError
from .network import Interface, Peering, Subnet, Vpc
from .operation import Control, Result, operation
from .state import new_id

_TENANCY = "default"
_DHCP = "dopt-0a1b2c3d4e5f60718"


def _vpcs(control: Control) -> Iterable[Vpc]:
    return [
        each
        for each in control.state.vpcs.values()
        if each.account == control.account and each.region == control.region
    ]


def _vpc_facts(_: Control, vpc: Vpc) -> Facts:
    return {
        "vpc-id": [vpc.id],
        "state": ["available"],
        "owner-id": [vpc.account],
        "is-default": [text(vpc.default)],
        "isDefault": [text(vpc.default)],
        "cidr": vpc.cidrs[:1],
        "cidr-block-association.cidr-block": vpc.cidrs,
        "ipv6-cidr-block-association.ipv6-cidr-block": vpc.ipv6_cidrs,
        "dhcp-options-id": [_DHCP],
    }


def _vpc_shown(_: Control, vpc: Vpc) -> Mapping[str, Any]:
    tail = vpc.id.removeprefix("vpc-")
    return {
        "VpcId": vpc.id,
        "OwnerId": vpc.account,
        "State": "available",
        "CidrBlock": vpc.cidrs[0],
        "DhcpOptionsId": _DHCP,
        "InstanceTenancy": _TENANCY,
        "IsDefault": vpc.default,
        "CidrBlockAssociationSet": [
            {
                "AssociationId": f"vpc-cidr-assoc-{tail}{index or ''}",
                "CidrBlock": cidr,
                "CidrBlockState": {"State": "associated"},
            }
            for index, cidr in enumerate(vpc.cidrs)
        ],
        "Ipv6CidrBlockAssociationSet": [
            {
                "AssociationId": f"vpc-cidr-assoc-{tail}v6{index or ''}",
                "Ipv6CidrBlock": cidr,
                "Ipv6CidrBlockState": {"State": "associated"},
                "NetworkBorderGroup": vpc.region,
                "Ipv6Pool": "Amazon",
            }
            for index, cidr in enumerate(vpc.ipv6_cidrs)
        ],
        "Tags": tag_list(vpc.tags),
    }


VPC = Kind[Vpc](
    "vpc",
    "VpcIds",
    "Vpcs",
    "InvalidVpcID.NotFound",
    "The vpc ID '{}' does not exist",
    _vpcs,
    lambda vpc: vpc.id,
    _vpc_facts,
    lambda vpc: vpc.tags,
    _vpc_shown,
)


@operation("ec2", "DescribeVpcs")
def describe_vpcs(control: Control) -> Result:
    return VPC.describe(control)


def _vpc_arn(control: Control) -> tuple[str]:
    return (control.arn("vpc", control.params["VpcId"]),)


@operation("ec2", "DescribeVpcAttribute", resources=_vpc_arn)
def describe_vpc_attribute(control: Control) -> Result:
    vpc = VPC.find(control, control.params["VpcId"])
    answers = {
        "enableDnsSupport": ("EnableDnsSupport", vpc.dns_support),
        "enableDnsHostnames": ("EnableDnsHostnames", vpc.dns_hostnames),
        "enableNetworkAddressUsageMetrics": ("EnableNetworkAddressUsageMetrics", False),
    }
    member, value = answers[control.params["Attribute"]]
    return {"VpcId": vpc.id, member: {"Value": value}}


@operation("ec2", "ModifyVpcAttribute", resources=_vpc_arn)
def modify_vpc_attribute(control: Control) -> None:
    vpc = VPC.find(control, control.params["VpcId"])
    given = {
        name: control.params[name]["Value"]
        for name in ("EnableDnsSupport", "EnableDnsHostnames")
        if "Value" in control.params.get(name, {})
    }
    if len(given) != 1:
        raise AwsError(
            "InvalidParameterCombination",
            "Exactly one attribute must be given." if given else "No attributes specified.",
        )
    if "EnableDnsSupport" in given:
        vpc.dns_support = given["EnableDnsSupport"]
    else:
        vpc.dns_hostnames = given["EnableDnsHostnames"]


def _subnets(control: Control) -> Iterable[Subnet]:
    return [
        each
        for each in control.state.subnets.values()
        if each.account == control.account and each.region == control.region
    ]


def _subnet_facts(_: Control, subnet: Subnet) -> Facts:
    return {
        "subnet-id": [subnet.id],
        "vpc-id": [subnet.vpc_id],
        "state": ["available"],
        "cidr-block": [subnet.cidr],
        "cidr": [subnet.cidr],
        "cidrBlock": [subnet.cidr],
        "availability-zone": [subnet.zone],
        "availabilityZone": [subnet.zone],
        "availability-zone-id": [subnet.zone_id],
        "owner-id": [subnet.account],
        "default-for-az": ["false"],
        "ipv6-cidr-block-association.ipv6-cidr-block": subnet.ipv6_cidrs,
        "map-public-ip-on-launch": ["false"],
        "ipv6-native": ["false"],
        "subnet-arn": [_subnet_arn(subnet)],
    }


def _subnet_arn(subnet: Subnet) -> str:
    return f"arn:aws:ec2:{subnet.region}:{subnet.account}:subnet/{subnet.id}"


def _subnet_shown(control: Control, subnet: Subnet) -> Mapping[str, Any]:
    worn = sum(each.subnet_id == subnet.id for each in control.state.interfaces.values())
    return {
        "SubnetId": subnet.id,
        "SubnetArn": _subnet_arn(subnet),
        "VpcId": subnet.vpc_id,
        "OwnerId": subnet.account,
        "State": "available",
        "CidrBlock": subnet.cidr,
        "AvailabilityZone": subnet.zone,
        "AvailabilityZoneId": subnet.zone_id,
        "AvailableIpAddressCount": ipaddress.ip_network(subnet.cidr).num_addresses - 5 - worn,
        "DefaultForAz": False,
        "MapPublicIpOnLaunch": False,
        "AssignIpv6AddressOnCreation": False,
        "EnableDns64": False,
        "Ipv6Native": False,
        "Ipv6CidrBlockAssociationSet": [
            {
                "AssociationId": "subnet-cidr-assoc-" + subnet.id.removeprefix("subnet-"),
                "Ipv6CidrBlock": cidr,
                "Ipv6CidrBlockState": {"State": "associated"},
            }
            for cidr in subnet.ipv6_cidrs
        ],
        "Tags": tag_list(subnet.tags),
    }


SUBNET = Kind[Subnet](
    "subnet",
    "SubnetIds",
    "Subnets",
    "InvalidSubnetID.NotFound",
    "The subnet ID '{}' does not exist",
    _subnets,
    lambda subnet: subnet.id,
    _subnet_facts,
    lambda subnet: subnet.tags,
    _subnet_shown,
)


@operation("ec2", "DescribeSubnets")
def describe_subnets(control: Control) -> Result:
    return SUBNET.describe(control)


@operation("ec2", "CreateSubnet", resources=_vpc_arn)
def create_subnet(control: Control) -> Result:
    vpc = VPC.find(control, control.params["VpcId"])
    cidr = required(control, "CidrBlock")
    try:
        block = ipaddress.IPv4Network(cidr)
    except ValueError:
        raise AwsError(
            "InvalidParameterValue",
            f"Value ({cidr}) for parameter cidrBlock is invalid. This is not a valid CIDR block.",
        ) from None
    inside = any(block.subnet_of(ipaddress.IPv4Network(each)) for each in vpc.cidrs)
    if not inside or not 16 <= block.prefixlen <= 28:
        raise AwsError("InvalidSubnet.Range", f"The CIDR '{cidr}' is invalid.")
    for other in control.state.vpc_subnets(vpc.id):
        if block.overlaps(ipaddress.IPv4Network(other.cidr)):
            raise AwsError(
                "InvalidSubnet.Conflict", f"The CIDR '{cidr}' conflicts with another subnet"
            )
    zones = control.state.regions[control.region]
    by_id = {zone_id: name for name, zone_id in zones.items()}
    zone = control.params.get("AvailabilityZone") or by_id.get(
        control.params.get("AvailabilityZoneId", ""), next(iter(zones))
    )
    if zone not in zones:
        raise AwsError(
            "InvalidParameterValue",
            f"Value ({zone}) for parameter availabilityZone is invalid. Subnets can currently "
            f"only be created in the following availability zones: {', '.join(zones)}.",
        )
    tags = specified_tags(control, "subnet")
    made = Subnet(
        new_id("subnet", control.state.subnets),
        vpc.id,
        vpc.account,
        vpc.region,
        str(block),
        zone,
        zones[zone],
        tags=tags,
    )
    control.state.subnets[made.id] = made
    acls = control.state.network_acls.values()
    default = next(each for each in acls if each.vpc_id == vpc.id and each.default)
    default.subnets[made.id] = new_id("aclassoc")
    return {"Subnet": _subnet_shown(control, made)}


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


@operation("ec2", "DescribeAvailabilityZones")
def describe_availability_zones(control: Control) -> Result:
    zones = control.state.regions[control.region]
    for parameter, known in (("ZoneNames", zones), ("ZoneIds", zones.values())):
        for each in control.params.get(parameter, ()):
            if each not in known:
                raise AwsError("InvalidParameterValue", f"Invalid availability zone: [{each}]")
    names = control.params.get("ZoneNames") or zones
    ids = control.params.get("ZoneIds") or zones.values()
    shown = []
    for name, zone_id in zones.items():
        facts = {
            "zone-name": [name],
            "zone-id": [zone_id],
            "region-name": [control.region],
            "state": ["available"],
            "zone-type": ["availability-zone"],
            "opt-in-status": ["opt-in-not-required"],
        }
        if name in names and zone_id in ids and matches(control.params.get("Filters", ()), facts):
            shown.append(
                {
                    "ZoneName": name,
                    "ZoneId": zone_id,
                    "RegionName": control.region,
                    "State": "available",
                    "ZoneType": "availability-zone",
                    "OptInStatus": "opt-in-not-required",
                    "NetworkBorderGroup": control.region,
                    "GroupName": f"{control.region}-zg-1",
                    "Messages": [],
                }
            )
    return {"AvailabilityZones": shown}


@operation("ec2", "DescribeRegions")
def describe_regions(control: Control) -> Result:
    regions = control.state.regions
    for each in control.params.get("RegionNames", ()):
        if each not in regions:
            raise AwsError("InvalidParameterValue", f"Invalid region name: [{each}]")
    shown = []
    for name in control.params.get("RegionNames") or regions:
        facts = {
            "region-name": [name],
            "endpoint": [f"ec2.{name}.amazonaws.com"],
            "opt-in-status": ["opt-in-not-required"],
        }
        if matches(control.params.get("Filters", ()), facts):
            shown.append(
                {
                    "RegionName": name,
                    "Endpoint": f"ec2.{name}.amazonaws.com",
                    "OptInStatus": "opt-in-not-required",
                }
            )
    return {"Regions": shown}


@operation("ec2", "DescribeManagedPrefixLists")
def describe_managed_prefix_lists(control: Control) -> Result:
    shown = []
    for each in control.state.prefix_lists.values():
        facts = {
            "prefix-list-id": [each.id],
            "prefix-list-name": [each.name],
            "owner-id": [each.owner],
        }
        wanted = control.params.get("PrefixListIds") or [each.id]
        mine = each.region == control.region and each.id in wanted
        if mine and matches(control.params.get("Filters", ()), facts):
            shown.append(
                {
                    "PrefixListId": each.id,
                    "PrefixListName": each.name,
                    "OwnerId": each.owner,
                    "AddressFamily": "IPv4",
                    "State": "create-complete",
                    "MaxEntries": max(len(each.entries), 1),
                    "Version": 1,
                    "Tags": tag_list(each.tags),
                }
            )
    return paged(control, "PrefixLists", shown)


@operation("ec2", "GetManagedPrefixListEntries")
def get_managed_prefix_list_entries(control: Control) -> Result:
    wanted = control.params["PrefixListId"]
    found = control.state.prefix_lists.get(wanted)
    if found is None or found.region != control.region:
        raise AwsError(
            "InvalidPrefixListID.NotFound", f"The prefix list ID '{wanted}' does not exist"
        )
    return paged(control, "Entries", [{"Cidr": each} for each in found.entries])
