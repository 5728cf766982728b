# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a control-plane request is authorised with besides its own action: condition keys and further actions.

The service authorization reference says which keys an action has on which type of resource, and which dependent
actions it needs: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html,
.../list_amazonroute53.html and .../list_awsorganizations.html.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .state import State

Keys = Mapping[str, Any]
_CREATES = {
    "CreateVpcEndpoint": "vpc-endpoint",
    "CreateSecurityGroup": "security-group",
    "CreateSubnet": "subnet",
}
_STANDING = {
    "vpc": "vpcs",
    "subnet": "subnets",
    "security-group": "security_groups",
    "vpc-endpoint": "endpoints",
    "route-table": "route_tables",
    "network-acl": "network_acls",
    "network-interface": "interfaces",
    "vpc-peering-connection": "peerings",
    "prefix-list": "prefix_lists",
}


@dataclass(frozen=True)
class Need:
    """One more action that a request needs, on one resource."""

    action: str
    resource: str = "*"
    keys: Keys = field(default_factory=dict)


def ec2_keys(state: State, operation: str, params: Mapping[str, Any], resource: str) -> Keys:
    """The keys of EC2's resources: tags of what stands, and of what is created the request's and the service."""
    kind, _, name = resource.rpartition(":")[2].partition("/")
    if kind == _CREATES.get(operation) and name == "*":
        return {**tag_keys(_specified(params)), **_service(state, params)}
    if operation in ("CreateTags", "DeleteTags"):
        given = {each["Key"]: each.get("Value", "") for each in params.get("Tags", ())}
        return {**tag_keys(given), **_standing(state, kind, name)}
    return _standing(state, kind, name)


def _specified(params: Mapping[str, Any]) -> dict[str, str]:
    return {
        tag["Key"]: tag.get("Value", "")
        for specification in params.get("TagSpecifications", ())
        for tag in specification.get("Tags", ())
    }


def tag_keys(tags: Mapping[str, str]) -> Keys:
    """The keys of the tags in a request."""
    return {"aws:TagKeys": list(tags), **{f"aws:RequestTag/{key}": tags[key] for key in tags}}


def _service(state: State, params: Mapping[str, Any]) -> Keys:
    name = params.get("ServiceName")
    return {"ec2:VpceServiceName": name, "ec2:VpceServiceOwner": "amazon"} if name else {}


def _standing(state: State, kind: str, name: str) -> Keys:
    if kind not in _STANDING:
        return {}
    record = getattr(state, _STANDING[kind]).get(name)
    if record is None:
        return {}
    tags = dict(record.tags) if hasattr(record, "tags") else {}
    return {
        f"{prefix}:ResourceTag/{key}": value
        for prefix in ("aws", "ec2")
        for key, value in tags.items()
    }


def tags_at_creation(operation: str, params: Mapping[str, Any], arn: str) -> Iterable[Need]:
    """ec2:CreateTags, which a creation with tags needs on what it creates.

    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/supported-iam-actions-tagging.html
    """
    if tags := _specified(params):
        yield Need("ec2:CreateTags", arn, {"ec2:CreateAction": operation, **tag_keys(tags)})


def route53_keys(operation: str, params: Mapping[str, Any]) -> Keys:
    """https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/specifying-conditions-route53.html."""
    if operation == "ChangeResourceRecordSets":
        changes = params.get("ChangeBatch", {}).get("Changes", ())
        sets = [each.get("ResourceRecordSet", {}) for each in changes]
        head = "route53:ChangeResourceRecordSets"
        return {
            f"{head}Actions": sorted({each.get("Action", "") for each in changes}),
            f"{head}RecordTypes": sorted({each.get("Type", "") for each in sets}),
            f"{head}NormalizedRecordNames": sorted(
                {normalised(each.get("Name", "")) for each in sets}
            ),
        }
    vpc = params.get("VPC") or params
    if "VPCId" in vpc:
        return {"route53:VPCs": [f"VPCId={vpc['VPCId']},VPCRegion={vpc.get('VPCRegion', '')}"]}
    return {}


def normalised(name: str) -> str:
    """A record's name as its condition key has it: lower case, no dot at the end, other signs as octal escapes."""
    plain = name.rstrip(".").lower().replace("\\052", "*")
    return "".join(
        each if each.isalnum() or each in "-_." else f"\\{ord(each):03o}" for each in plain
    )


def organizations_keys(state: State, params: Mapping[str, Any]) -> Keys:
    """The policy's type and tags, and the request's tags."""
    organization = state.organization
    kind = params.get("PolicyType") or params.get("Type") or params.get("Filter")
    standing: Mapping[str, str] = {}
    for name in ("PolicyId", "ResourceId"):
        if organization and params.get(name) in organization.policies:
            kind = organization.policies[params[name]].type
            standing = organization.policies[params[name]].tags
    tags = {each["Key"]: each.get("Value", "") for each in params.get("Tags", ())}
    found: dict[str, Any] = {"organizations:PolicyType": kind} if kind else {}
    found.update({f"aws:ResourceTag/{key}": value for key, value in standing.items()})
    if tags:
        found.update(tag_keys(tags))
    if "TagKeys" in params:
        found["aws:TagKeys"] = list(params["TagKeys"])
    return found
