# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""EC2: security groups and their rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from . import ec2_rules
from .ec2_common import Facts, Kind, matches, paged, required, specified_tags, tag_list, tagging
from .ec2_network import VPC
from .errors import AwsError
from .network import Rule, SecurityGroup
from .operation import Control, Result, operation
from .state import new_id

RULE_QUOTA = 60  # per direction
_CHARACTERS = frozenset(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ._-:/()#,@[]+=&;{}!$*"
)


def _groups(control: Control) -> Iterable[SecurityGroup]:
    return [
        each
        for each in control.state.security_groups.values()
        if each.account == control.account and each.region == control.region
    ]


def _facts(_: Control, group: SecurityGroup) -> Facts:
    facts: dict[str, Sequence[str]] = {
        "group-id": [group.id],
        "group-name": [group.name],
        "description": [group.description],
        "owner-id": [group.account],
        "vpc-id": [group.vpc_id],
    }
    for prefix, egress in (("ip-permission", False), ("egress.ip-permission", True)):
        rules = [each for each in group.rules.values() if each.egress == egress]
        facts.update(
            {
                f"{prefix}.cidr": [each.cidr for each in rules if each.cidr],
                f"{prefix}.ipv6-cidr": [each.ipv6_cidr for each in rules if each.ipv6_cidr],
                f"{prefix}.group-id": [each.group_id for each in rules if each.group_id],
                f"{prefix}.prefix-list-id": [each.prefix_list_id for each in rules],
                f"{prefix}.from-port": [str(each.from_port) for each in rules],
                f"{prefix}.to-port": [str(each.to_port) for each in rules],
                f"{prefix}.protocol": [each.protocol for each in rules],
            }
        )
    return facts


def _shown(control: Control, group: SecurityGroup) -> Mapping[str, Any]:
    rules = list(group.rules.values())
    return {
        "GroupId": group.id,
        "GroupName": group.name,
        "Description": group.description,
        "VpcId": group.vpc_id,
        "OwnerId": group.account,
        "SecurityGroupArn": f"arn:aws:ec2:{group.region}:{group.account}:security-group/{group.id}",
        "IpPermissions": ec2_rules.permissions(control, [r for r in rules if not r.egress]),
        "IpPermissionsEgress": ec2_rules.permissions(control, [r for r in rules if r.egress]),
        "Tags": tag_list(group.tags),
    }


GROUP = Kind[SecurityGroup](
    "sg",
    "GroupIds",
    "SecurityGroups",
    "InvalidGroup.NotFound",
    "The security group '{}' does not exist",
    _groups,
    lambda group: group.id,
    _facts,
    lambda group: group.tags,
    _shown,
    "InvalidGroupId.Malformed",
)


@operation("ec2", "DescribeSecurityGroups")
def describe_security_groups(control: Control) -> Result:
    if control.params.get("GroupNames"):
        # Names find groups of the default VPC only, and nobody here has one.
        name = control.params["GroupNames"][0]
        raise AwsError("InvalidGroup.NotFound", f"The security group '{name}' does not exist")
    return GROUP.describe(control)


@operation("ec2", "DescribeSecurityGroupRules")
def describe_security_group_rules(control: Control) -> Result:
    wanted = control.params.get("SecurityGroupRuleIds", ())
    shown = []
    for group in sorted(_groups(control), key=lambda each: each.id):
        for rule in group.rules.values():
            facts = {
                "group-id": [group.id],
                "security-group-rule-id": [rule.id],
                "tag-key": list(rule.tags),
                **{f"tag:{tag}": [value] for tag, value in rule.tags.items()},
            }
            passed = matches(control.params.get("Filters", ()), facts)
            if passed and (not wanted or rule.id in wanted):
                shown.append(ec2_rules.shown(control, group, rule))
    found = {each["SecurityGroupRuleId"] for each in shown}
    if missing := [each for each in wanted if each not in found]:
        raise _no_rule(missing[0])
    return paged(control, "SecurityGroupRules", shown)


def _no_rule(rule_id: str) -> AwsError:
    return AwsError(
        "InvalidSecurityGroupRuleId.NotFound",
        f"The security group rule ID '{rule_id}' does not exist",
    )


def _create_arns(control: Control) -> Sequence[str]:
    return [
        control.arn("vpc", control.params.get("VpcId", "")),
        control.arn("security-group", "*"),
    ]


@operation(
    "ec2", "CreateSecurityGroup", resources=_create_arns, dependents=tagging("security-group")
)
def create_security_group(control: Control) -> Result:
    name, description = control.params["GroupName"], control.params["Description"]
    for parameter, value in (("GroupName", name), ("GroupDescription", description)):
        if len(value) > 255 or not value or set(value) - _CHARACTERS:
            raise AwsError(
                "InvalidParameterValue",
                f"Value ({value}) for parameter {parameter} is invalid. "
                "Character sets beyond ASCII are not supported.",
            )
    if name.startswith("sg-"):
        raise AwsError(
            "InvalidParameterValue",
            f"Value ({name}) for parameter GroupName is invalid. "
            "Group names may not be in the format sg-*.",
        )
    if name == "default":
        raise AwsError("InvalidGroup.Reserved", "The security group 'default' is reserved")
    if not control.params.get("VpcId"):
        raise AwsError("VPCIdNotSpecified", "No default VPC for this user")
    vpc = VPC.find(control, control.params["VpcId"])
    if any(each.vpc_id == vpc.id and each.name == name for each in _groups(control)):
        raise AwsError(
            "InvalidGroup.Duplicate",
            f"The security group '{name}' already exists for VPC '{vpc.id}'",
        )
    group = SecurityGroup(
        new_id("sg", control.state.security_groups),
        name,
        description,
        vpc.id,
        vpc.account,
        vpc.region,
        tags=specified_tags(control, "security-group"),
    )
    everything = Rule(new_id("sgr"), True, "-1", -1, -1, cidr="0.0.0.0/0")
    group.rules[everything.id] = everything
    control.state.security_groups[group.id] = group
    return {
        "GroupId": group.id,
        "Tags": tag_list(group.tags),
        "SecurityGroupArn": _shown(control, group)["SecurityGroupArn"],
    }


def _group_arn(control: Control) -> Sequence[str]:
    return (control.arn("security-group", control.params.get("GroupId", "")),)


def _group(control: Control) -> SecurityGroup:
    if control.params.get("GroupName") and not control.params.get("GroupId"):
        name = control.params["GroupName"]
        raise AwsError(
            "InvalidGroup.NotFound", f"The security group '{name}' does not exist in default VPC"
        )
    return GROUP.find(control, required(control, "GroupId"))


@operation("ec2", "DeleteSecurityGroup", resources=_group_arn)
def delete_security_group(control: Control) -> Result:
    group, state = _group(control), control.state
    if group.default:
        raise AwsError(
            "CannotDelete",
            f'the specified group: "{group.id}" name: "default" cannot be deleted by a user',
        )
    worn = any(group.id in each.security_groups for each in state.interfaces.values())
    worn = worn or any(
        group.id in each.security_groups
        for each in state.endpoints.values()
        if each.state != "deleting"
    )
    named = any(
        rule.group_id == group.id
        for other in state.security_groups.values()
        for rule in other.rules.values()
        if other.id != group.id
    )
    if worn or named:
        raise AwsError("DependencyViolation", f"resource {group.id} has a dependent object")
    del state.security_groups[group.id]
    return {"Return": True, "GroupId": group.id}


def _authorize(control: Control, *, egress: bool) -> Result:
    group = _group(control)
    rules = ec2_rules.wanted(control, group, egress=egress)
    tags = specified_tags(control, "security-group-rule")
    have = {ec2_rules.key(each) for each in group.rules.values()}
    for rule in rules:
        if ec2_rules.key(rule) in have:
            raise AwsError(
                "InvalidPermission.Duplicate",
                f'the specified rule "{ec2_rules.sentence(rule)}" already exists',
            )
    if sum(each.egress == egress for each in group.rules.values()) + len(rules) > RULE_QUOTA:
        raise AwsError(
            "RulesPerSecurityGroupLimitExceeded",
            "The maximum number of rules per security group has been reached.",
        )
    for rule in rules:
        rule.tags = dict(tags)
        group.rules[rule.id] = rule
    return {
        "Return": True,
        "SecurityGroupRules": [ec2_rules.shown(control, group, each) for each in rules],
    }


_TAGGING_RULES = tagging("security-group-rule")


@operation("ec2", "AuthorizeSecurityGroupIngress", resources=_group_arn, dependents=_TAGGING_RULES)
def authorize_security_group_ingress(control: Control) -> Result:
    return _authorize(control, egress=False)


@operation("ec2", "AuthorizeSecurityGroupEgress", resources=_group_arn, dependents=_TAGGING_RULES)
def authorize_security_group_egress(control: Control) -> Result:
    return _authorize(control, egress=True)


def _revoke(control: Control, *, egress: bool) -> Result:
    group = _group(control)
    gone = []
    for rule_id in control.params.get("SecurityGroupRuleIds", ()):
        rule = group.rules.get(rule_id)
        if rule is None or rule.egress != egress:
            raise _no_rule(rule_id)
        gone.append(rule)
    if not gone:
        by_key = {ec2_rules.key(each): each for each in group.rules.values()}
        for wanted in ec2_rules.wanted(control, group, egress=egress):
            if ec2_rules.key(wanted) not in by_key:
                raise AwsError(
                    "InvalidPermission.NotFound",
                    "The specified rule does not exist in this security group.",
                )
            gone.append(by_key[ec2_rules.key(wanted)])
    for rule in gone:
        group.rules.pop(rule.id, None)
    return {
        "Return": True,
        "RevokedSecurityGroupRules": [_revoked(group, each) for each in gone],
    }


def _revoked(group: SecurityGroup, rule: Rule) -> dict[str, Any]:
    return {
        "SecurityGroupRuleId": rule.id,
        "GroupId": group.id,
        "IsEgress": rule.egress,
        "IpProtocol": rule.protocol,
        "FromPort": rule.from_port,
        "ToPort": rule.to_port,
        "CidrIpv4": rule.cidr or None,
        "CidrIpv6": rule.ipv6_cidr or None,
        "PrefixListId": rule.prefix_list_id or None,
        "ReferencedGroupId": rule.group_id or None,
        "Description": rule.description or None,
    }


@operation("ec2", "RevokeSecurityGroupIngress", resources=_group_arn)
def revoke_security_group_ingress(control: Control) -> Result:
    return _revoke(control, egress=False)


@operation("ec2", "RevokeSecurityGroupEgress", resources=_group_arn)
def revoke_security_group_egress(control: Control) -> Result:
    return _revoke(control, egress=True)


@operation("ec2", "ModifySecurityGroupRules", resources=_group_arn)
def modify_security_group_rules(control: Control) -> Result:
    """All rules change or none does."""
    group = _group(control)
    changed: dict[str, Rule] = {}
    for update in control.params["SecurityGroupRules"]:
        rule = group.rules.get(update["SecurityGroupRuleId"])
        if rule is None:
            raise _no_rule(update["SecurityGroupRuleId"])
        changed[rule.id] = _changed(control, group, rule, update.get("SecurityGroupRule", {}))
    after = {**group.rules, **changed}
    if len({ec2_rules.key(each) for each in after.values()}) < len(after):
        double = ec2_rules.sentence(next(iter(changed.values())))
        raise AwsError(
            "InvalidPermission.Duplicate", f'the specified rule "{double}" already exists'
        )
    group.rules.update(changed)
    return {"Return": True}


def _changed(control: Control, group: SecurityGroup, rule: Rule, given: Mapping[str, Any]) -> Rule:
    protocol, first, last = ec2_rules.ports(given)
    peers = {
        "cidr": ec2_rules.block(given["CidrIpv4"], 4) if given.get("CidrIpv4") else "",
        "ipv6_cidr": ec2_rules.block(given["CidrIpv6"], 6) if given.get("CidrIpv6") else "",
        "prefix_list_id": "",
        "group_id": "",
    }
    if given.get("PrefixListId"):
        peers["prefix_list_id"] = ec2_rules.prefix_list(control, given["PrefixListId"])
    if given.get("ReferencedGroupId"):
        peers["group_id"] = ec2_rules.peer_group(control, group, given["ReferencedGroupId"])
    if sum(bool(each) for each in peers.values()) != 1:
        raise AwsError(
            "InvalidParameterCombination",
            "Exactly one of CidrIpv4, CidrIpv6, PrefixListId, ReferencedGroupId must be given.",
        )
    words = ec2_rules.description(given.get("Description", ""))
    made = Rule(rule.id, rule.egress, protocol, first, last, description=words, tags=rule.tags)
    for name, value in peers.items():
        setattr(made, name, value)
    return made


def _describe_rules(control: Control, *, egress: bool) -> Result:
    group = _group(control)
    pairs: list[tuple[Rule, str]] = []
    for update in control.params.get("SecurityGroupRuleDescriptions", ()):
        rule = group.rules.get(update.get("SecurityGroupRuleId", ""))
        if rule is None or rule.egress != egress:
            raise _no_rule(update.get("SecurityGroupRuleId", ""))
        pairs.append((rule, ec2_rules.description(update.get("Description", ""))))
    if not pairs:
        by_key = {ec2_rules.key(each): each for each in group.rules.values()}
        for wanted in ec2_rules.wanted(control, group, egress=egress):
            found = by_key.get(ec2_rules.key(wanted))
            if found is None:
                raise AwsError(
                    "InvalidPermission.NotFound",
                    "The specified rule does not exist in this security group.",
                )
            pairs.append((found, wanted.description))
    for rule, words in pairs:
        rule.description = words
    return {"Return": True}


@operation("ec2", "UpdateSecurityGroupRuleDescriptionsIngress", resources=_group_arn)
def update_security_group_rule_descriptions_ingress(control: Control) -> Result:
    return _describe_rules(control, egress=False)


@operation("ec2", "UpdateSecurityGroupRuleDescriptionsEgress", resources=_group_arn)
def update_security_group_rule_descriptions_egress(control: Control) -> Result:
    return _describe_rules(control, egress=True)
