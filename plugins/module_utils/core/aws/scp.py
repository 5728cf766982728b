# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The service control policy that locks AI services to endpoints: made from rules, and read back from what stands.

A document holds other people's statements, which are kept as they are; our own statements, found by their Sids; and
in ours the list of endpoints. Statements without that list are called the frame: the frame converges to the rules,
while the list is changed by delta, since several runs share it.
https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_syntax.html
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..canonical import digest
from . import policy_compare
from .binding import EXCLUSION_TAG
from .policy_analysis import as_list, statements

SID = "PrivateAiEndpoints"
# The tag exempts, so setting it is denied: by exact pattern for the whole family, and without regard to case for the
# key itself, because tag keys in condition keys are not case-sensitive.
SID_EXCLUSION = "PrivateAiEndpointsExclusionTag"
SID_EXCLUSION_ANY_CASE = "PrivateAiEndpointsExclusionTagAnyCase"
OUR_SIDS = frozenset((SID, SID_EXCLUSION, SID_EXCLUSION_ANY_CASE))

ACTION_PREFIXES = ("bedrock", "bedrock-agentcore", "bedrock-mantle", "sagemaker")

# https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html
MAX_CHARACTERS = 10_240
MAX_POLICIES_PER_TARGET = 10

_SOURCE = "aws:SourceVpce"
_TAGGING = ("iam:CreateRole", "iam:CreateUser", "iam:TagRole", "iam:TagUser", "sts:TagSession")

Statement = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Rules:
    """All that our statements say, except which endpoints."""

    action_prefixes: tuple[str, ...] = ACTION_PREFIXES
    break_glass_arns: tuple[str, ...] = ()
    opt_in_tag: tuple[str, str] | None = None
    exclusion_tag: bool = False

    def describe(self) -> dict[str, Any]:
        """The rules as attributes of a step."""
        tag = {"key": self.opt_in_tag[0], "value": self.opt_in_tag[1]} if self.opt_in_tag else None
        return {
            "roll_out": "tagged" if self.opt_in_tag else "enforced",
            "opt_in_tag": tag,
            "action_prefixes": sorted(self.action_prefixes),
            "break_glass_arns": sorted(self.break_glass_arns),
            "exclusion_tag": self.exclusion_tag,
        }


@dataclass(frozen=True, kw_only=True)
class Document:
    """A service control policy taken apart; frame is None when nothing of ours is in it."""

    version: str = "2012-10-17"
    foreign: tuple[Statement, ...] = ()
    frame: tuple[Statement, ...] | None = None
    endpoint_ids: frozenset[str] = frozenset()


def frame(rules: Rules) -> tuple[Statement, ...]:
    """Our statements for these rules, with an empty list of endpoints."""
    not_equal: dict[str, Any] = {_SOURCE: []}
    if rules.exclusion_tag:
        not_equal[f"aws:PrincipalTag/{EXCLUSION_TAG[0]}"] = EXCLUSION_TAG[1]
    condition: dict[str, Any] = {
        "StringNotEqualsIfExists": not_equal,
        "BoolIfExists": {"aws:ViaAWSService": "false"},
        **_except_break_glass(rules),
    }
    if rules.opt_in_tag:
        key, value = rules.opt_in_tag
        condition["StringEquals"] = {f"aws:PrincipalTag/{key}": value}
    lock: Statement = {
        "Sid": SID,
        "Effect": "Deny",
        "Action": [f"{prefix}:*" for prefix in sorted(set(rules.action_prefixes))],
        "Resource": "*",
        "Condition": condition,
    }
    return (lock, *(_tag_guards(rules) if rules.exclusion_tag else ()))


def _tag_guards(rules: Rules) -> tuple[Statement, ...]:
    key = EXCLUSION_TAG[0]
    family = key.rpartition(":")[0] + ":*"
    return tuple(
        {
            "Sid": sid,
            "Effect": "Deny",
            "Action": list(_TAGGING),
            "Resource": "*",
            "Condition": {operator: {"aws:TagKeys": [value]}, **_except_break_glass(rules)},
        }
        for sid, operator, value in (
            (SID_EXCLUSION, "ForAnyValue:StringLike", family),
            (SID_EXCLUSION_ANY_CASE, "ForAnyValue:StringEqualsIgnoreCase", key),
        )
    )


def _except_break_glass(rules: Rules) -> dict[str, Any]:
    arns = sorted(set(rules.break_glass_arns))
    return {"ArnNotLikeIfExists": {"aws:PrincipalArn": arns}} if arns else {}


def read(content: Mapping[str, Any]) -> Document:
    """Take a policy document apart. Never fails: what is not recognised as ours is somebody else's."""
    ours: list[Statement] = []
    foreign: list[Statement] = []
    endpoint_ids: set[str] = set()
    for statement in statements(content):
        if statement.get("Sid") not in OUR_SIDS:
            foreign.append(copy.deepcopy(dict(statement)))
            continue
        bare = copy.deepcopy(dict(statement))
        for keys in _source_lists(bare):
            endpoint_ids.update(str(item) for item in as_list(keys[_SOURCE]))
            keys[_SOURCE] = []
        ours.append(bare)
    return Document(
        version=str(content.get("Version", "2012-10-17")),
        foreign=tuple(foreign),
        frame=tuple(ours) or None,
        endpoint_ids=frozenset(endpoint_ids),
    )


def render(document: Document) -> dict[str, Any]:
    """Put a document together again; others' statements first, as they were."""
    ours = copy.deepcopy(list(document.frame or ()))
    for statement in ours:
        for keys in _source_lists(statement):
            keys[_SOURCE] = sorted(document.endpoint_ids)
    return {
        "Version": document.version,
        "Statement": [*copy.deepcopy(list(document.foreign)), *ours],
    }


def text(document: Document) -> str:
    """As it is sent: without white space, which AWS would count."""
    return json.dumps(render(document), separators=(",", ":"), ensure_ascii=False)


def rules_of(frame_: Iterable[Statement] | None) -> Rules | None:
    """The rules that a frame was made from; None when someone edited it by hand."""
    parts = {str(item.get("Sid")): item for item in frame_ or ()}
    lock = parts.get(SID)
    if lock is None or not isinstance(lock.get("Condition"), Mapping):
        return None
    condition = lock["Condition"]
    tags = [
        (key.partition("/")[2], str(value))
        for key, value in _mapping(condition.get("StringEquals")).items()
        if key.startswith("aws:PrincipalTag/")
    ]
    arns = _mapping(condition.get("ArnNotLikeIfExists")).get("aws:PrincipalArn")
    found = Rules(
        action_prefixes=tuple(
            sorted(str(item).removesuffix(":*") for item in as_list(lock.get("Action")))
        ),
        break_glass_arns=tuple(sorted(str(item) for item in as_list(arns))),
        opt_in_tag=tags[0] if tags else None,
        exclusion_tag=SID_EXCLUSION in parts,
    )
    return found if same_frame(frame(found), tuple(frame_ or ())) else None


def same_frame(left: Iterable[Statement] | None, right: Iterable[Statement] | None) -> bool:
    """Whether two frames mean the same, whatever the order and the form of their lists."""
    return meaning(left) == meaning(right)


def meaning(frame_: Iterable[Statement] | None) -> str:
    """One digest for all ways to write a frame."""
    return digest(policy_compare.normal({"Statement": list(frame_ or ())}))


def _source_lists(statement: Statement) -> list[dict[str, Any]]:
    """The condition blocks of a statement that name endpoints."""
    condition = _mapping(statement.get("Condition"))
    return [keys for keys in condition.values() if isinstance(keys, dict) and _SOURCE in keys]


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
