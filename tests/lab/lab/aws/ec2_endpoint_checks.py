# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""EC2: what must hold before an endpoint is made or changed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from . import endpoint_life
from .ec2_common import invalid
from .ec2_groups import GROUP
from .ec2_network import SUBNET
from .errors import AwsError
from .network import Endpoint, Service, Subnet, Vpc
from .operation import Control
from .policy_grammar import errors

POLICY_LIMIT = 20480  # characters, white space included


def service_named(control: Control, name: str) -> Service:
    service = control.state.services[control.region].get(name)
    if service is None:
        raise AwsError("InvalidServiceName", f"The Vpc Endpoint Service '{name}' does not exist")
    return service


def policy_of(service: Service, text: str) -> Mapping[str, Any]:
    if len(text) > POLICY_LIMIT:
        raise AwsError(
            "InvalidPolicyDocument",
            f"The specified policy document is longer than {POLICY_LIMIT} characters.",
        )
    # An endpoint policy is a resource policy: it must name principals.
    if errors(text, "resource"):
        raise AwsError(
            "InvalidPolicyDocument",
            "The specified policy document is not a valid JSON policy document.",
        )
    policy: dict[str, Any] = json.loads(text)
    if not service.policy_supported and not _is_full_access(policy):
        raise invalid(
            f"The VPC endpoint service {service.name} only supports full-access endpoint policy."
        )
    return policy


def _is_full_access(policy: Mapping[str, Any]) -> bool:
    statements = policy["Statement"]
    listed = statements if isinstance(statements, list) else [statements]
    bare = [{key: value for key, value in each.items() if key != "Sid"} for each in listed]
    return bare == endpoint_life.FULL_ACCESS["Statement"]


_RECORD_TYPES = {
    "ipv4": ("ipv4", "service-defined"),
    "dualstack": ("ipv4", "dualstack", "ipv6", "service-defined"),
    "ipv6": ("ipv6", "service-defined"),
}


def record_type_of(params: Mapping[str, Any], address_type: str, now: str = "") -> str:
    options = params.get("DnsOptions", {})
    if set(options) - {"DnsRecordIpType"}:
        raise invalid("This service supports no DNS option but DnsRecordIpType.")
    wanted = str(options.get("DnsRecordIpType") or now or address_type)
    if wanted not in _RECORD_TYPES[address_type]:
        raise invalid(
            f"The DNS record IP type {wanted} is not compatible with the endpoint IP address "
            f"type {address_type}."
        )
    return wanted


def check_address_type(service: Service, address_type: str) -> None:
    if address_type not in service.ip_address_types:
        raise invalid(
            f"The VPC endpoint service {service.name} does not support the IP address type "
            f"{address_type}."
        )


def usable_subnets(
    control: Control, vpc: Vpc, service: Service, endpoint: Endpoint, wanted: Sequence[str]
) -> list[Subnet]:
    """The subnets, each in the VPC, in a zone with the service, and the only one of its zone."""
    found: list[Subnet] = []
    taken = {control.state.subnets[each].zone for each in endpoint.subnet_ids}
    for subnet_id in wanted:
        subnet = SUBNET.find(control, subnet_id)
        if subnet.vpc_id != vpc.id:
            raise invalid(f"The subnet {subnet.id} does not belong to the VPC {vpc.id}.")
        if subnet.zone not in service.zones:
            raise invalid(
                f"The VPC endpoint service {service.name} does not support the availability zone "
                f"of the subnet: {subnet.id}."
            )
        if subnet.zone in taken:
            raise AwsError(
                "DuplicateSubnetsInSameZone",
                f"Found another VPC endpoint subnet in the availability zone of {subnet.id}",
            )
        if endpoint.ip_address_type != "ipv4" and not subnet.ipv6_cidrs:
            raise invalid(f"The subnet {subnet.id} does not have an IPv6 CIDR block.")
        if control.state.free_address(subnet) is None:
            raise AwsError(
                "InsufficientFreeAddressesInSubnet",
                "There are insufficient free addresses in that subnet.",
            )
        taken.add(subnet.zone)
        found.append(subnet)
    return found


def groups_of(control: Control, vpc: Vpc, wanted: Sequence[str]) -> list[str]:
    for group_id in wanted:
        if GROUP.find(control, group_id).vpc_id != vpc.id:
            raise invalid(
                f"The security group {group_id} and the VPC {vpc.id} belong to different networks."
            )
    return list(dict.fromkeys(wanted))


def check_private_dns(control: Control, vpc: Vpc, service: Service, but: str = "") -> None:
    if not service.private_dns_names:
        raise invalid(
            f"Private DNS can't be enabled because the service {service.name} does not provide a "
            "private DNS name."
        )
    if not (vpc.dns_support and vpc.dns_hostnames):
        raise invalid(
            "Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC "
            f"attributes set to true for {vpc.id}"
        )
    if name := endpoint_life.conflict(control.state, vpc.id, service, but):
        raise invalid(
            "private-dns-enabled cannot be set because there is already a conflicting DNS domain "
            f"for {name} in the VPC {vpc.id}"
        )
