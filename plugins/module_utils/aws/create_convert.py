# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""EC2's answers as the shapes of the create phase's plan, and as the evidence shows them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..core.aws.plan_create_types import Endpoint, Offer, Subnet
from ..core.aws.security_group import Group, rules_of


def tags_of(resource: Mapping[str, Any]) -> dict[str, str]:
    """EC2's tag list as a mapping."""
    return {item["Key"]: item["Value"] for item in resource.get("Tags") or ()}


def subnet(item: Mapping[str, Any]) -> Subnet:
    """A subnet."""
    blocks = item.get("Ipv6CidrBlockAssociationSet") or ()
    return Subnet(
        id=item["SubnetId"],
        zone=item["AvailabilityZone"],
        ipv4=not item.get("Ipv6Native", False),
        ipv6=any(block["Ipv6CidrBlockState"]["State"] == "associated" for block in blocks),
        owner_id=item["OwnerId"],
    )


def offer(item: Mapping[str, Any]) -> Offer:
    """A service that the Region offers."""
    names = [entry["PrivateDnsName"] for entry in item.get("PrivateDnsNames") or ()]
    if not names and item.get("PrivateDnsName"):
        names = [item["PrivateDnsName"]]
    return Offer(
        name=item["ServiceName"],
        zones=frozenset(item.get("AvailabilityZones") or ()),
        policy_supported=bool(item.get("VpcEndpointPolicySupported")),
        ip_address_types=frozenset(item.get("SupportedIpAddressTypes") or ("ipv4",)),
        private_dns_names=tuple(names),
    )


def endpoint(item: Mapping[str, Any]) -> Endpoint:
    """An endpoint, its state in lower case."""
    error = item.get("LastError") or {}
    reason = error.get("Message") or item.get("FailureReason") or ""
    return Endpoint(
        id=item["VpcEndpointId"],
        service=item["ServiceName"],
        state=item["State"].lower(),
        owner_id=item.get("OwnerId", ""),
        subnet_ids=frozenset(item.get("SubnetIds") or ()),
        security_group_ids=frozenset(group["GroupId"] for group in item.get("Groups") or ()),
        private_dns=bool(item.get("PrivateDnsEnabled")),
        ip_address_type=item.get("IpAddressType") or "ipv4",
        dns_record_ip_type=(item.get("DnsOptions") or {}).get("DnsRecordIpType") or "ipv4",
        policy=_policy(item.get("PolicyDocument")),
        tags=tags_of(item),
        created_at=_time(item.get("CreationTimestamp")),
        last_error=f"{error['Code']}: {reason}" if error.get("Code") else reason,
    )


def _policy(text: str | None) -> dict[str, Any] | None:
    if not text:
        return None
    try:
        policy = json.loads(text)
    except ValueError:
        return None
    return policy if isinstance(policy, dict) else None


def group(item: Mapping[str, Any]) -> Group:
    """A security group with its ingress."""
    return Group(
        id=item["GroupId"],
        name=item["GroupName"],
        vpc_id=item["VpcId"],
        tags=tags_of(item),
        rules=rules_of(item.get("IpPermissions") or ()),
    )


def document(
    item: Mapping[str, Any], interfaces: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """An endpoint as the evidence shows it. interfaces: by id."""
    seen = endpoint(item)
    return {
        "id": seen.id,
        "service": seen.service,
        "type": "Interface",
        "state": seen.state,
        "vpc_id": item["VpcId"],
        "subnet_ids": sorted(seen.subnet_ids),
        "security_group_ids": sorted(seen.security_group_ids),
        "private_dns_enabled": seen.private_dns,
        "ip_address_type": seen.ip_address_type,
        "dns_record_ip_type": seen.dns_record_ip_type,
        "policy": None if seen.policy is None else dict(seen.policy),
        "network_interfaces": [
            _interface(interfaces[name])
            for name in sorted(item.get("NetworkInterfaceIds") or ())
            if name in interfaces
        ],
        "dns_entries": [
            {"name": entry.get("DnsName"), "zone_id": entry.get("HostedZoneId")}
            for entry in item.get("DnsEntries") or ()
        ],
        "tags": dict(seen.tags),
        "last_error": seen.last_error or None,
        "created_at": seen.created_at,
    }


def _interface(item: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": item["NetworkInterfaceId"],
        "subnet_id": item["SubnetId"],
        "az": item["AvailabilityZone"],
        "addresses": [entry["PrivateIpAddress"] for entry in item.get("PrivateIpAddresses") or ()],
        "ipv6_addresses": [entry["Ipv6Address"] for entry in item.get("Ipv6Addresses") or ()],
    }


def _time(value: Any) -> str:
    return value.strftime("%Y-%m-%dT%H:%M:%SZ") if value else ""
