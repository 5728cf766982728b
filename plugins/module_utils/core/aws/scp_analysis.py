# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which service control policies in effect for an account deny calls on the public path, whoever wrote them.

A Deny counts when it covers every action of a prefix, is true on the public path (without aws:SourceVpce or SourceVpc
negated operators are true), and is narrowed by nothing but exemptions that are understood. All
conditions of a statement must hold, so one that is not understood makes it count for nothing.
https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_evaluation.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .binding import Lock, matches
from .policy_analysis import as_list, conditions, label, statements

_NEGATIVE = frozenset(("stringnotequals", "stringnotequalsignorecase", "stringnotlike"))
_ARN_NEGATIVE = _NEGATIVE | {"arnnotequals", "arnnotlike"}
_SAME_TAG = frozenset(("stringequals", "stringequalsignorecase", "stringlike"))
_NETWORK = {"aws:sourcevpce": "endpoint_ids", "aws:sourcevpc": "vpc_ids"}
_TAG = "aws:principaltag/"
# Whoever may do one of these could give himself the exclusion tag.
_TAGGING = ("iam:CreateRole", "iam:CreateUser", "iam:TagRole", "iam:TagUser", "sts:TagSession")
# Patterns that leave the kind of identity open, or its whole name.
_ANYONE = re.compile(r"[*?]*|(role|user|assumed-role)/[*?/]*")


@dataclass(frozen=True, kw_only=True)
class Deny:
    """A Deny statement in effect, read for one purpose: does it close the public path?

    useless: why it does not count, as phrases; empty when it does. endpoint_ids, vpc_ids: what it lets through, as
    ids or patterns. any_endpoint: whether it lets every endpoint through, whose ever it is.
    """

    where: str
    useless: tuple[str, ...] = ()
    endpoint_ids: frozenset[str] = frozenset()
    vpc_ids: frozenset[str] = frozenset()
    any_endpoint: bool = False
    exempt_arns: tuple[str, ...] = ()
    opt_in: tuple[str, str] | None = None
    exclusion: tuple[str, str] | None = None

    def lets_in(self, endpoint_id: str, vpc_id: str) -> bool:
        """Whether calls through this endpoint escape the Deny (one condition that is false is enough)."""
        return (
            self.any_endpoint
            or any(matches(pattern, endpoint_id) for pattern in self.endpoint_ids)
            or any(matches(pattern, vpc_id) for pattern in self.vpc_ids)
        )


@dataclass
class _Reading:
    useless: list[str] = field(default_factory=list)
    endpoint_ids: set[str] = field(default_factory=set)
    vpc_ids: set[str] = field(default_factory=set)
    any_endpoint: bool = False
    exempt_arns: list[str] = field(default_factory=list)
    opt_in: tuple[str, str] | None = None
    exclusion: tuple[str, str] | None = None


def denies(enforcement: Mapping[str, Any], prefix: str) -> list[Deny]:
    """Every Deny in effect that touches a prefix's actions, those that count first."""
    found = [
        _read(statement, prefix, where)
        for where, statement in _in_effect(enforcement)
        if _touches(statement, prefix)
    ]
    return sorted(found, key=lambda item: (bool(item.useless), item.opt_in is not None))


def lock_of(enforcement: Mapping[str, Any], deny: Deny) -> Lock:
    """Whom a Deny binds."""
    return Lock(
        management_account_id=enforcement["management_account_id"],
        exempt_arns=deny.exempt_arns,
        opt_in=deny.opt_in,
        exclusion=deny.exclusion,
    )


def unprotected_tagging(enforcement: Mapping[str, Any], tag: str, value: str = "true") -> list[str]:
    """Actions by which an ordinary principal could give itself the exclusion tag: no Deny in effect stops them."""
    guards = [item for _unused, item in _in_effect(enforcement) if _guards(item, tag, value)]
    return [
        action
        for action in _TAGGING
        if not any(
            matches(str(pattern).lower(), action.lower())
            for item in guards
            for pattern in as_list(item.get("Action"))
        )
    ]


def too_broad(arn: str) -> bool:
    """Whether an exempt ARN pattern leaves the identity's name open."""
    account, _unused, resource = arn.partition(":iam::")[2].partition(":")
    return not account or _ANYONE.fullmatch(resource) is not None


def _in_effect(enforcement: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    if not enforcement["scp_enabled"]:
        return []
    return [
        (f"{policy['name']} ({policy['id']}) at {node['id']}, {label(statement, index)}", statement)
        for node in enforcement["path"]
        for policy in node["policies"]
        for index, statement in enumerate(statements(policy["content"]))
        if str(statement.get("Effect", "")).lower() == "deny"
    ]


def _touches(statement: Mapping[str, Any], prefix: str) -> bool:
    if "NotAction" in statement:
        return not any(_all_of(str(item), prefix) for item in as_list(statement["NotAction"]))
    return any(
        _all_of(str(item), prefix) or str(item).lower().startswith(prefix + ":")
        for item in as_list(statement.get("Action"))
    )


def _all_of(pattern: str, prefix: str) -> bool:
    """Whether an action pattern covers every action of a prefix."""
    service, colon, name = pattern.lower().partition(":")
    if not colon:
        return service.strip("*") == "" and bool(service)
    return matches(service, prefix) and name.strip("*") == "" and bool(name)


def _covers(statement: Mapping[str, Any], prefix: str) -> bool:
    if "NotAction" in statement:
        spared = [str(item).lower() for item in as_list(statement["NotAction"])]
        return not any(matches(item.partition(":")[0], prefix) for item in spared)
    return any(_all_of(str(item), prefix) for item in as_list(statement.get("Action")))


def _read(statement: Mapping[str, Any], prefix: str, where: str) -> Deny:
    reading = _Reading()
    if not _covers(statement, prefix):
        reading.useless.append(f"it does not deny all of {prefix}:*")
    if as_list(statement.get("Resource")) != ["*"]:
        reading.useless.append("it does not deny on every resource")
    for operator, key, values in conditions(statement):
        problem = _condition(reading, operator, key, values, _spelled(statement, key))
        if problem:
            reading.useless.append(problem)
    reading.useless += [
        f"it exempts {arn}, which leaves open who that is"
        for arn in reading.exempt_arns
        if too_broad(arn)
    ]
    return Deny(
        where=where,
        useless=tuple(reading.useless),
        endpoint_ids=frozenset(reading.endpoint_ids),
        vpc_ids=frozenset(reading.vpc_ids),
        any_endpoint=reading.any_endpoint,
        exempt_arns=tuple(reading.exempt_arns),
        opt_in=reading.opt_in,
        exclusion=reading.exclusion,
    )


def _condition(
    reading: _Reading, operator: str, key: str, values: list[str], spelled: str
) -> str | None:
    """Take one condition in; the reason when it makes the Deny count for nothing."""
    plain = operator.removesuffix("ifexists")
    if key in _NETWORK:
        if plain in _NEGATIVE:
            getattr(reading, _NETWORK[key]).update(values)
            return None
        if operator == "null" and [item.lower() for item in values] == ["true"]:
            reading.any_endpoint = True
            return None
        return f"{operator} on {spelled} is not true on the public path, where the key is absent"
    if key in ("aws:viaawsservice", "aws:principalisawsservice"):
        if plain == "bool" and [item.lower() for item in values] == ["false"]:
            return None
        return f"it only denies calls that {spelled} marks"
    if key == "aws:principalarn" and plain in _ARN_NEGATIVE:
        reading.exempt_arns += values
        return None
    if key.startswith(_TAG) and len(values) == 1:
        tag = (spelled.partition("/")[2], values[0])
        if plain in ("stringnotequals", "stringnotequalsignorecase") and not reading.exclusion:
            reading.exclusion = tag
            return None
        if operator == "stringequals" and not reading.opt_in:
            reading.opt_in = tag
            return None
    return f"it also asks for {spelled} ({operator} {', '.join(values)})"


def _spelled(statement: Mapping[str, Any], key: str) -> str:
    """The key as it is written: a tag's key has upper and lower case."""
    block = statement.get("Condition")
    for keys in block.values() if isinstance(block, Mapping) else ():
        for written in keys if isinstance(keys, Mapping) else ():
            if str(written).lower() == key:
                return str(written)
    return key


def _guards(statement: Mapping[str, Any], tag: str, value: str) -> bool:
    """Whether a Deny stops everybody but exempt identities from setting the tag; each condition narrows it."""
    found = conditions(statement)
    by_name = [condition for condition in found if _names_tag(*condition, tag, value)]
    exempting = [condition for condition in found if _exempts_named(*condition)]
    return (
        bool(by_name)
        and len(by_name) + len(exempting) == len(found)
        and as_list(statement.get("Resource")) == ["*"]
    )


def _names_tag(operator: str, key: str, values: list[str], tag: str, value: str) -> bool:
    """Whether a condition is true of every request that sets the tag to this value."""
    if key == "aws:tagkeys":
        return operator.removeprefix("foranyvalue:") in _SAME_TAG and (
            operator.startswith("foranyvalue:") and _any(values, tag)
        )
    if key != f"aws:requesttag/{tag.lower()}":
        return False
    if operator == "null":
        return [item.lower() for item in values] == ["false"]
    return operator.removesuffix("ifexists") in _SAME_TAG and _any(values, value)


def _exempts_named(operator: str, key: str, values: list[str]) -> bool:
    plain = operator.removesuffix("ifexists")
    return key == "aws:principalarn" and plain in _ARN_NEGATIVE and not any(map(too_broad, values))


def _any(patterns: Iterable[str], text: str) -> bool:
    return any(matches(pattern.lower(), text.lower()) for pattern in patterns)
