# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The endpoints part of the evidence: AI endpoints with their interfaces and groups, and what the Region offers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..core.aws.catalogue import CATALOGUE
from .reads import Read, pages, tags

_PART = "endpoints"
# Endpoints of services that the catalogue does not know count when this collection made them.
_OWNER_TAG = "private-ai-endpoints:managed"


def reads(ec2: Any, vpc_id: str, region: str) -> dict[str, Read]:
    """What can be read before anything else is known."""
    names = [item.full_name(region) for item in CATALOGUE.values()]
    return {"endpoints": endpoints_read(ec2, [vpc_id], _PART), "services": _services(ec2, names)}


def endpoints_read(ec2: Any, vpc_ids: Sequence[str], part: str) -> Read:
    """The endpoints of some VPCs of this account and Region."""
    return Read(
        part=part,
        action="ec2:DescribeVpcEndpoints",
        about=", ".join(vpc_ids),
        tolerant=part != _PART,
        call=lambda: pages(
            ec2,
            "describe_vpc_endpoints",
            "VpcEndpoints",
            Filters=[{"Name": "vpc-id", "Values": list(vpc_ids)}],
        ),
    )


def _services(ec2: Any, names: Sequence[str]) -> Read:
    # A filter and not ServiceNames: a name that the Region lacks is an error there.
    return Read(
        part=_PART,
        action="ec2:DescribeVpcEndpointServices",
        about="the Region's endpoint services",
        call=lambda: pages(
            ec2,
            "describe_vpc_endpoint_services",
            "ServiceDetails",
            Filters=[{"Name": "service-name", "Values": sorted(names)}],
        ),
    )


def ai_endpoints(found: Iterable[Mapping[str, Any]] | None, region: str) -> list[Mapping[str, Any]]:
    """Interface endpoints of AI services, and those that this collection made for others."""
    known = {item.full_name(region) for item in CATALOGUE.values()}
    return [
        item
        for item in found or ()
        if item["VpcEndpointType"] == "Interface"
        and (item["ServiceName"] in known or _OWNER_TAG in tags(item.get("Tags")))
        and item["State"].lower() != "deleted"
    ]


def further_reads(
    ec2: Any, found: Sequence[Mapping[str, Any]], offered: set[str]
) -> dict[str, Read]:
    """What hangs on the endpoints: their interfaces, groups, rules, and services outside the catalogue."""
    interfaces = sorted({name for item in found for name in item.get("NetworkInterfaceIds") or ()})
    groups = sorted({group["GroupId"] for item in found for group in item.get("Groups") or ()})
    others = sorted({item["ServiceName"] for item in found} - offered)
    wanted: dict[str, Read] = {}
    if interfaces:
        wanted["interfaces"] = Read(
            part=_PART,
            action="ec2:DescribeNetworkInterfaces",
            about=", ".join(interfaces),
            call=lambda: pages(
                ec2,
                "describe_network_interfaces",
                "NetworkInterfaces",
                Filters=[{"Name": "network-interface-id", "Values": interfaces}],
            ),
        )
    if groups:
        wanted["groups"] = Read(
            part=_PART,
            action="ec2:DescribeSecurityGroups",
            about=", ".join(groups),
            call=lambda: pages(ec2, "describe_security_groups", "SecurityGroups", GroupIds=groups),
        )
        wanted["rules"] = Read(
            part=_PART,
            action="ec2:DescribeSecurityGroupRules",
            about=", ".join(groups),
            call=lambda: pages(
                ec2,
                "describe_security_group_rules",
                "SecurityGroupRules",
                Filters=[{"Name": "group-id", "Values": groups}],
            ),
        )
    if others:
        wanted["other_services"] = _services(ec2, others)
    return wanted


def endpoint(
    item: Mapping[str, Any], interfaces: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """One endpoint as the evidence has it."""
    policy = item.get("PolicyDocument")
    created = item.get("CreationTimestamp")
    return {
        "id": item["VpcEndpointId"],
        "service": item["ServiceName"],
        "type": item["VpcEndpointType"],
        "state": item["State"],
        "vpc_id": item["VpcId"],
        "subnet_ids": list(item.get("SubnetIds") or ()),
        "security_group_ids": [group["GroupId"] for group in item.get("Groups") or ()],
        "private_dns_enabled": bool(item.get("PrivateDnsEnabled")),
        "ip_address_type": item.get("IpAddressType"),
        "dns_record_ip_type": (item.get("DnsOptions") or {}).get("DnsRecordIpType"),
        "policy": json.loads(policy) if policy else None,
        "network_interfaces": [
            _interface(interfaces[name])
            for name in item.get("NetworkInterfaceIds") or ()
            if name in interfaces
        ],
        "dns_entries": [
            {"name": entry.get("DnsName"), "zone_id": entry.get("HostedZoneId")}
            for entry in item.get("DnsEntries") or ()
        ],
        "tags": tags(item.get("Tags")),
        "last_error": (item.get("LastError") or {}).get("Message") or item.get("FailureReason"),
        "created_at": created.isoformat() if created else None,
    }


def _interface(item: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": item["NetworkInterfaceId"],
        "subnet_id": item["SubnetId"],
        "az": item["AvailabilityZone"],
        "addresses": [entry["PrivateIpAddress"] for entry in item["PrivateIpAddresses"]],
        "ipv6_addresses": [entry["Ipv6Address"] for entry in item.get("Ipv6Addresses") or ()],
    }


def security_groups(
    groups: Iterable[Mapping[str, Any]] | None, rules: Iterable[Mapping[str, Any]] | None
) -> list[dict[str, Any]]:
    """The groups that the endpoints wear, with their rules."""
    by_group: dict[str, list[dict[str, Any]]] = {}
    for rule in rules or ():
        by_group.setdefault(rule["GroupId"], []).append(
            {
                "id": rule["SecurityGroupRuleId"],
                "egress": rule["IsEgress"],
                "protocol": rule["IpProtocol"],
                "from_port": rule.get("FromPort"),
                "to_port": rule.get("ToPort"),
                "cidr": rule.get("CidrIpv4"),
                "cidr_v6": rule.get("CidrIpv6"),
                "prefix_list_id": rule.get("PrefixListId"),
                "group_id": (rule.get("ReferencedGroupInfo") or {}).get("GroupId"),
                "description": rule.get("Description"),
            }
        )
    return [
        {
            "id": item["GroupId"],
            "name": item["GroupName"],
            "is_default": item["GroupName"] == "default",
            "vpc_id": item.get("VpcId"),
            "tags": tags(item.get("Tags")),
            "rules": by_group.get(item["GroupId"], []),
        }
        for item in groups or ()
    ]


def services(found: Iterable[Mapping[str, Any]] | None) -> list[dict[str, Any]]:
    """What the Region offers."""
    return [
        {
            "name": item["ServiceName"],
            "private_dns_names": [
                entry["PrivateDnsName"] for entry in item.get("PrivateDnsNames") or ()
            ],
            "availability_zones": list(item.get("AvailabilityZones") or ()),
            "policy_supported": bool(item.get("VpcEndpointPolicySupported")),
            "ip_address_types": list(item.get("SupportedIpAddressTypes") or ()),
        }
        for item in found or ()
    ]
