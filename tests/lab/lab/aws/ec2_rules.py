# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""EC2: security group rules as they travel: IpPermissions in, rules and permissions out."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .ec2_common import tag_list
from .errors import AwsError
from .network import Rule, SecurityGroup
from .operation import Control
from .state import new_id

_NUMBERS = {"6": "tcp", "17": "udp", "1": "icmp", "58": "icmpv6", "all": "-1"}
_DESCRIPTION = frozenset(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ._-:/()#,@[]+=&;{}!$*"
)
Key = tuple[bool, str, int, int, str, str, str, str]


def key(rule: Rule) -> Key:
    """What makes two rules the same: all but id, description and tags."""
    return (
        rule.egress,
        rule.protocol,
        rule.from_port,
        rule.to_port,
        rule.cidr,
        rule.ipv6_cidr,
        rule.prefix_list_id,
        rule.group_id,
    )


def wanted(control: Control, group: SecurityGroup, *, egress: bool) -> list[Rule]:
    """The rules that IpPermissions, or the older flat parameters, describe; each is checked."""
    permissions = list(control.params.get("IpPermissions", ()))
    if control.params.get("IpProtocol") or control.params.get("CidrIp"):
        permissions.append(_flat(control.params))
    if not permissions:
        raise AwsError(
            "MissingParameter",
            "Either 'ipPermissions' or 'securityGroupRuleIds' should be provided.",
        )
    rules = [
        rule for each in permissions for rule in _from_permission(control, group, each, egress)
    ]
    if len({key(each) for each in rules}) < len(rules):
        raise AwsError(
            "InvalidParameterValue", "The same permission must not appear multiple times"
        )
    return rules


def _flat(params: Mapping[str, Any]) -> dict[str, Any]:
    permission = {
        name: params[name] for name in ("IpProtocol", "FromPort", "ToPort") if name in params
    }
    if "CidrIp" in params:
        permission["IpRanges"] = [{"CidrIp": params["CidrIp"]}]
    if "SourceSecurityGroupName" in params:
        raise AwsError(
            "InvalidParameterValue",
            "Group names are not supported in a VPC; use the group's id.",
        )
    return permission


def _from_permission(
    control: Control, group: SecurityGroup, given: Mapping[str, Any], egress: bool
) -> Iterable[Rule]:
    protocol, from_port, to_port = ports(given)
    base = (egress, protocol, from_port, to_port)
    found = []
    for each in given.get("IpRanges", ()):
        found.append(_rule(base, each, cidr=block(each.get("CidrIp", ""), 4)))
    for each in given.get("Ipv6Ranges", ()):
        found.append(_rule(base, each, ipv6_cidr=block(each.get("CidrIpv6", ""), 6)))
    for each in given.get("PrefixListIds", ()):
        found.append(_rule(base, each, prefix_list_id=prefix_list(control, each["PrefixListId"])))
    for each in given.get("UserIdGroupPairs", ()):
        referenced = each.get("GroupId", "")
        found.append(_rule(base, each, group_id=peer_group(control, group, referenced)))
    if not found:
        raise AwsError(
            "InvalidParameterValue",
            "The request must contain a range, a prefix list or a security group for each permission",
        )
    return found


def _rule(base: tuple[bool, str, int, int], given: Mapping[str, Any], **peer: str) -> Rule:
    rule = Rule(new_id("sgr"), *base, description=description(given.get("Description", "")))
    for name, value in peer.items():
        setattr(rule, name, value)
    return rule


def description(text: str) -> str:
    if len(text) > 255 or set(text) - _DESCRIPTION:
        raise AwsError(
            "InvalidParameterValue",
            f"Invalid rule description '{text}'. Valid descriptions are strings less than 256 "
            "characters from the following set:  a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*",
        )
    return text


def ports(given: Mapping[str, Any]) -> tuple[str, int, int]:
    """(protocol, from, to); -1 stands for all protocols and then for all ports."""
    raw = str(given.get("IpProtocol", ""))
    if not raw:
        raise AwsError("MissingParameter", "The request must contain the parameter ipProtocol")
    protocol = _NUMBERS.get(raw.lower(), raw.lower())
    known = protocol in ("tcp", "udp", "icmp", "icmpv6", "-1")
    if not known and not (protocol.isdigit() and int(protocol) <= 255):
        raise AwsError(
            "InvalidParameterValue", f"Invalid value '{raw}' for IP protocol. Unknown protocol."
        )
    first, last = given.get("FromPort"), given.get("ToPort")
    if protocol in ("tcp", "udp"):
        if first is None or last is None:
            raise AwsError(
                "InvalidParameterValue",
                "Invalid value 'Must specify both from and to ports with TCP/UDP.' for portRange.",
            )
        if not 0 <= first <= last <= 65535:
            raise AwsError("InvalidParameterValue", f"Invalid TCP/UDP port range ({first}:{last})")
    elif protocol in ("icmp", "icmpv6"):
        first = -1 if first is None else first
        last = -1 if last is None else last
    else:
        # AWS ignores ports for every other protocol.
        first = last = -1
    return protocol, first, last


def block(text: str, version: int) -> str:
    """The CIDR in its canonical form: EC2 clears host bits silently."""
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise AwsError("InvalidParameterValue", f"CIDR block {text} is malformed") from None
    if network.version != version or "/" not in text:
        raise AwsError("InvalidParameterValue", f"CIDR block {text} is malformed")
    return str(network)


def prefix_list(control: Control, wanted_id: str) -> str:
    found = control.state.prefix_lists.get(wanted_id)
    if found is None or found.region != control.region:
        raise AwsError(
            "InvalidPrefixListID.NotFound", f"The prefix list ID '{wanted_id}' does not exist"
        )
    return wanted_id


def peer_group(control: Control, group: SecurityGroup, wanted_id: str) -> str:
    """A group of the same VPC, or of a VPC with an active peering."""
    found = control.state.security_groups.get(wanted_id)
    if found is None:
        raise AwsError("InvalidGroup.NotFound", f"The security group '{wanted_id}' does not exist")
    peered = any(
        {each.requester, each.accepter} == {group.vpc_id, found.vpc_id}
        for each in control.state.peerings.values()
        if each.status == "active"
    )
    if found.vpc_id != group.vpc_id and not peered:
        raise AwsError(
            "InvalidGroup.NotFound",
            "You have specified two resources that belong to different networks.",
        )
    return wanted_id


def sentence(rule: Rule) -> str:
    """A rule as EC2's duplicate message words it."""
    peer = rule.cidr or rule.ipv6_cidr or rule.prefix_list_id or rule.group_id
    if rule.protocol == "-1":
        return f"peer: {peer}, ALL, ALLOW"
    where = f"from port: {rule.from_port}, to port: {rule.to_port}"
    return f"peer: {peer}, {rule.protocol.upper()}, {where}, ALLOW"


def shown(control: Control, group: SecurityGroup, rule: Rule) -> dict[str, Any]:
    """A rule as DescribeSecurityGroupRules gives it."""
    view: dict[str, Any] = {
        "SecurityGroupRuleId": rule.id,
        "SecurityGroupRuleArn": f"arn:aws:ec2:{group.region}:{group.account}:security-group-rule/{rule.id}",
        "GroupId": group.id,
        "GroupOwnerId": group.account,
        "IsEgress": rule.egress,
        "IpProtocol": rule.protocol,
        "FromPort": rule.from_port,
        "ToPort": rule.to_port,
        "CidrIpv4": rule.cidr or None,
        "CidrIpv6": rule.ipv6_cidr or None,
        "PrefixListId": rule.prefix_list_id or None,
        "Description": rule.description or None,
        "Tags": tag_list(rule.tags),
    }
    if rule.group_id:
        other = control.state.security_groups.get(rule.group_id)
        owner = other.account if other else group.account
        view["ReferencedGroupInfo"] = {"GroupId": rule.group_id, "UserId": owner}
    return view


def permissions(control: Control, rules: Sequence[Rule]) -> list[dict[str, Any]]:
    """Rules gathered by protocol and ports, as DescribeSecurityGroups gives them."""
    gathered: dict[tuple[str, int, int], dict[str, Any]] = {}
    for rule in rules:
        entry = gathered.setdefault(
            (rule.protocol, rule.from_port, rule.to_port), _empty_permission(rule)
        )
        text = {"Description": rule.description} if rule.description else {}
        if rule.cidr:
            entry["IpRanges"].append({"CidrIp": rule.cidr, **text})
        elif rule.ipv6_cidr:
            entry["Ipv6Ranges"].append({"CidrIpv6": rule.ipv6_cidr, **text})
        elif rule.prefix_list_id:
            entry["PrefixListIds"].append({"PrefixListId": rule.prefix_list_id, **text})
        else:
            other = control.state.security_groups.get(rule.group_id)
            owner = other.account if other else control.account
            pair = {"GroupId": rule.group_id, "UserId": owner, **text}
            entry["UserIdGroupPairs"].append(pair)
    return list(gathered.values())


def _empty_permission(rule: Rule) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "IpProtocol": rule.protocol,
        "IpRanges": [],
        "Ipv6Ranges": [],
        "PrefixListIds": [],
        "UserIdGroupPairs": [],
    }
    if rule.protocol != "-1":
        entry.update(FromPort=rule.from_port, ToPort=rule.to_port)
    return entry
