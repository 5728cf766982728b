# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""EC2: VPCs and subnets."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from typing import Any

from .ec2_common import Facts, Kind, required, specified_tags, tag_list, tagging, text
from .errors import AwsError
from .network import Subnet, Vpc
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


def _subnet_arns(control: Control) -> tuple[str, str]:
    return (control.arn("vpc", control.params["VpcId"]), control.arn("subnet", "*"))


@operation("ec2", "CreateSubnet", resources=_subnet_arns, dependents=tagging("subnet"))
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
