# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The security group that this collection makes for its endpoints: HTTPS from the named sources and nothing else."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

DESCRIPTION = "HTTPS to private AI endpoints, managed by private_ai.endpoints"
HTTPS = 443

SourceKind = Literal["cidr", "cidr_v6", "group", "prefix_list"]
_GROUP = re.compile(r"^(?:(?P<account>\d{12})/)?(?P<group>sg-[0-9a-f]{8,})$")


@dataclass(frozen=True, kw_only=True, order=True)
class Rule:
    """One ingress rule. protocol as EC2 writes it (`tcp`, `-1`); ports None where the protocol has none."""

    protocol: str
    from_port: int | None
    to_port: int | None
    kind: SourceKind
    source: str

    def text(self) -> str:
        """`tcp 443 from 10.0.0.0/16`."""
        ports = (
            ""
            if self.from_port is None
            else f" {self.from_port}"
            if self.from_port == self.to_port
            else f" {self.from_port}-{self.to_port}"
        )
        return f"{self.protocol}{ports} from {self.source}"


@dataclass(frozen=True, kw_only=True)
class Group:
    """A security group as it stands; only its ingress matters here."""

    id: str
    name: str
    vpc_id: str
    tags: Mapping[str, str]
    rules: frozenset[Rule]


def https_from(cidrs: Sequence[str], groups: Sequence[str]) -> frozenset[Rule]:
    """The rules that admit exactly these sources. The sources passed `source_problems`."""
    rules = {_https(*_network(cidr)) for cidr in cidrs}
    rules |= {_https("group", group.rsplit("/", 1)[-1]) for group in groups}
    return frozenset(rules)


def source_problems(cidrs: Sequence[str], groups: Sequence[str]) -> list[str]:
    """What is no CIDR and no group id."""
    problems = []
    for cidr in cidrs:
        try:
            _network(cidr)
        except ValueError:
            problems.append(f"allowed_cidrs: {cidr!r} is not a network such as 10.0.0.0/16")
    problems += [
        f"allowed_security_groups: {group!r} is not a group such as sg-0123456789abcdef0"
        " or, in another account, 123456789012/sg-0123456789abcdef0"
        for group in groups
        if not _GROUP.match(group)
    ]
    return problems


def rules_of(permissions: Iterable[Mapping[str, Any]]) -> frozenset[Rule]:
    """EC2's IpPermissions, one rule per source."""
    return frozenset(rule for permission in permissions for rule in _flat(permission))


def permissions(rules: Iterable[Rule], accounts: Mapping[str, str]) -> list[dict[str, Any]]:
    """EC2's IpPermissions for a set of rules. accounts: group id → its account, for groups of other accounts."""
    return [_permission(rule, accounts) for rule in sorted(rules, key=Rule.text)]


def accounts_of(groups: Sequence[str]) -> dict[str, str]:
    """Group id → account, for the groups that were given with one."""
    found = (_GROUP.match(group) for group in groups)
    return {item["group"]: item["account"] for item in found if item and item["account"]}


def _https(kind: SourceKind, source: str) -> Rule:
    return Rule(protocol="tcp", from_port=HTTPS, to_port=HTTPS, kind=kind, source=source)


def _network(cidr: str) -> tuple[SourceKind, str]:
    # EC2 cuts the host part off, too.
    network = ipaddress.ip_network(cidr, strict=False)
    return ("cidr" if network.version == 4 else "cidr_v6"), str(network)


_SOURCES: tuple[tuple[SourceKind, str, str], ...] = (
    ("cidr", "IpRanges", "CidrIp"),
    ("cidr_v6", "Ipv6Ranges", "CidrIpv6"),
    ("group", "UserIdGroupPairs", "GroupId"),
    ("prefix_list", "PrefixListIds", "PrefixListId"),
)


def _flat(permission: Mapping[str, Any]) -> list[Rule]:
    rules = []
    for kind, members, key in _SOURCES:
        for member in permission.get(members) or ():
            source = str(member[key])
            if kind == "cidr_v6":
                source = _network(source)[1]
            rules.append(
                Rule(
                    protocol=str(permission["IpProtocol"]),
                    from_port=permission.get("FromPort"),
                    to_port=permission.get("ToPort"),
                    kind=kind,
                    source=source,
                )
            )
    return rules


def _permission(rule: Rule, accounts: Mapping[str, str]) -> dict[str, Any]:
    members, key = next((members, key) for kind, members, key in _SOURCES if kind == rule.kind)
    member = {key: rule.source}
    if rule.source in accounts:
        member["UserId"] = accounts[rule.source]
    found: dict[str, Any] = {"IpProtocol": rule.protocol, members: [member]}
    if rule.from_port is not None:
        found |= {"FromPort": rule.from_port, "ToPort": rule.to_port}
    return found
