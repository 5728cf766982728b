# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""EC2: which endpoint services a Region offers, and tags of all resources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .ec2_common import checked_tags, matches, paged
from .errors import AwsError
from .network import Service
from .operation import Control, Result, operation
from .state import State


@operation("ec2", "DescribeVpcEndpointServices")
def describe_vpc_endpoint_services(control: Control) -> Result:
    offered = control.state.services[control.region]
    wanted = control.params.get("ServiceNames", ())
    for name in wanted:
        if name not in offered:
            raise AwsError(
                "InvalidServiceName", f"The Vpc Endpoint Service '{name}' does not exist"
            )
    chosen = [
        offered[name]
        for name in sorted(wanted or offered)
        if matches(control.params.get("Filters", ()), _facts(offered[name]))
    ]
    answer = paged(control, "ServiceDetails", [_shown(each) for each in chosen])
    answer["ServiceNames"] = [each["ServiceName"] for each in answer["ServiceDetails"]]
    return answer


def _facts(service: Service) -> Mapping[str, Sequence[str]]:
    return {
        "owner": ["amazon"],
        "service-name": [service.name],
        "service-region": [service.region],
        "service-type": service.types,
        "supported-ip-address-types": service.ip_address_types,
        "tag-key": [],
    }


def _shown(service: Service) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "ServiceName": service.name,
        "ServiceId": service.id,
        "ServiceRegion": service.region,
        "ServiceType": [{"ServiceType": each} for each in service.types],
        "AvailabilityZones": list(service.zones),
        "Owner": "amazon",
        "BaseEndpointDnsNames": [service.domain],
        "VpcEndpointPolicySupported": service.policy_supported,
        "AcceptanceRequired": False,
        "ManagesVpcEndpoints": False,
        "Tags": [],
        "SupportedIpAddressTypes": list(service.ip_address_types),
    }
    if service.private_dns_names:
        shown["PrivateDnsName"] = service.private_dns_names[0]
        shown["PrivateDnsNames"] = [{"PrivateDnsName": each} for each in service.private_dns_names]
        shown["PrivateDnsNameVerificationState"] = "verified"
    return shown


# Resource type -> the State attribute that holds such resources, and their id's prefix.
_TAGGABLE = {
    "vpc": "vpcs",
    "subnet": "subnets",
    "route-table": "route_tables",
    "network-acl": "network_acls",
    "security-group": "security_groups",
    "vpc-peering-connection": "peerings",
    "network-interface": "interfaces",
    "vpc-endpoint": "endpoints",
    "prefix-list": "prefix_lists",
}
_PREFIX = {
    "vpc": "vpc",
    "subnet": "subnet",
    "rtb": "route-table",
    "acl": "network-acl",
    "sg": "security-group",
    "sgr": "security-group-rule",
    "pcx": "vpc-peering-connection",
    "eni": "network-interface",
    "vpce": "vpc-endpoint",
    "pl": "prefix-list",
}


def _tagged(state: State, account: str, region: str) -> list[tuple[str, str, dict[str, str]]]:
    """(id, resource type, tags) of everything of this account that can be tagged."""
    found = []
    for kind, attribute in _TAGGABLE.items():
        for resource_id, record in getattr(state, attribute).items():
            owner = getattr(record, "account", getattr(record, "owner", account))
            if owner == account and getattr(record, "region", region) == region:
                found.append((resource_id, kind, record.tags))
    for group in state.security_groups.values():
        if group.account == account and group.region == region:
            found += [(each.id, "security-group-rule", each.tags) for each in group.rules.values()]
    return found


def _tag_arns(control: Control) -> Sequence[str]:
    return [
        control.arn(_PREFIX.get(each.partition("-")[0], "unknown"), each)
        for each in control.params["Resources"]
    ]


def _tags_of(control: Control) -> list[dict[str, str]]:
    known = {
        resource_id: tags
        for resource_id, _, tags in _tagged(control.state, control.account, control.region)
    }
    found = []
    for resource_id in control.params["Resources"]:
        if resource_id not in known:
            kind = _PREFIX.get(resource_id.partition("-")[0])
            if kind is None:
                raise AwsError("InvalidID", f"The ID '{resource_id}' is not valid")
            raise AwsError(_NOT_FOUND[kind], f"The {kind} ID '{resource_id}' does not exist")
        found.append(known[resource_id])
    return found


_NOT_FOUND = {
    "vpc": "InvalidVpcID.NotFound",
    "subnet": "InvalidSubnetID.NotFound",
    "route-table": "InvalidRouteTableID.NotFound",
    "network-acl": "InvalidNetworkAclID.NotFound",
    "security-group": "InvalidGroup.NotFound",
    "security-group-rule": "InvalidSecurityGroupRuleId.NotFound",
    "vpc-peering-connection": "InvalidVpcPeeringConnectionID.NotFound",
    "network-interface": "InvalidNetworkInterfaceID.NotFound",
    "vpc-endpoint": "InvalidVpcEndpointId.NotFound",
    "prefix-list": "InvalidPrefixListID.NotFound",
}


@operation("ec2", "CreateTags", resources=_tag_arns)
def create_tags(control: Control) -> None:
    tags = checked_tags(control.params["Tags"])
    resources = _tags_of(control)
    for each in resources:
        if len({**each, **tags}) > 50:
            raise AwsError(
                "TagLimitExceeded", "The maximum number of Tags for a resource has been reached."
            )
    for each in resources:
        each.update(tags)


@operation("ec2", "DeleteTags", resources=_tag_arns)
def delete_tags(control: Control) -> None:
    """Without Tags all go; a Tag with a Value goes only if it has that value."""
    for each in _tags_of(control):
        if "Tags" not in control.params:
            each.clear()
        for tag in control.params.get("Tags", ()):
            if "Value" not in tag or each.get(tag.get("Key", "")) == tag["Value"]:
                each.pop(tag.get("Key", ""), None)


@operation("ec2", "DescribeTags")
def describe_tags(control: Control) -> Result:
    shown = []
    for resource_id, kind, tags in _tagged(control.state, control.account, control.region):
        for key, value in tags.items():
            facts = {
                "resource-id": [resource_id],
                "resource-type": [kind],
                "key": [key],
                "value": [value],
                f"tag:{key}": [value],
            }
            if matches(control.params.get("Filters", ()), facts):
                shown.append(
                    {"ResourceId": resource_id, "ResourceType": kind, "Key": key, "Value": value}
                )
    return paged(control, "Tags", shown)
