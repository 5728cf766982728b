# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Organisation policies of projects that support a lock: what is to stand, what stood, and how it is undone.

They restrict what may be used, not by which path, so they are never the lock itself. A policy has what is enforced
(`spec`) and a dry run (`dryRunSpec`); each is set as a whole, and put back as a whole where it still stands as it was
made.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from ..canonical import canonical_json
from ..errors import EndpointError

# Name of a policy → its parts, those that are there; empty for a policy that does not exist.
Policies: TypeAlias = "Mapping[str, Mapping[str, Any]]"
# `NAME PART` → what it was and what it became; None for none.
Changes: TypeAlias = "Mapping[str, tuple[Any, Any]]"

SPEC, DRY_RUN_SPEC = "spec", "dryRunSpec"
_CONSTRAINT = re.compile(r"(?:constraints/)?(?P<name>[a-zA-Z]+(?:\.[A-Za-z][A-Za-z0-9]*)+)")


def content(document: Mapping[str, Any]) -> dict[str, Any]:
    """A policy as the API returns it, without what the API adds."""
    return {
        part: {
            key: value
            for key, value in document[part].items()
            if key not in ("etag", "updateTime") and value not in (None, False, [])
        }
        for part in (SPEC, DRY_RUN_SPEC)
        if document.get(part) is not None
    }


def wanted(
    options: Iterable[Mapping[str, Any]], numbers: Mapping[str, str], *, dry_run: bool
) -> dict[str, Any]:
    """`NAME PART` → the part. numbers: project → projects/NUMBER. dry_run: none of them is enforced."""
    found: dict[str, Any] = {}
    for item in options:
        name = f"{numbers[item['project']]}/policies/{item['constraint']}"
        part = DRY_RUN_SPEC if dry_run or item.get("dry_run") else SPEC
        found[f"{name} {part}"] = {"rules": [_rule(item)]}
    return found


def checked(options: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The option with plain names of constraints; EndpointError for an entry that says nothing, or two things."""
    found = []
    for number, item in enumerate(options):
        parsed = _CONSTRAINT.fullmatch(str(item["constraint"]).strip())
        about = f"organization_policies[{number}]"
        if not parsed:
            raise EndpointError(
                f"{item['constraint']!r} is no constraint",
                resource=about,
                fix="Write it as vertexai.allowedModels",
            )
        said = [
            key
            for key in ("allowed_values", "denied_values", "enforce")
            if item.get(key) is not None
        ]
        if not said or ("enforce" in said and len(said) > 1):
            raise EndpointError(
                "says nothing, or two things" if not said else "is both a list and a switch",
                resource=about,
                fix="Set allowed_values and denied_values, or enforce",
            )
        found.append({**item, "constraint": parsed["name"]})
    return found


def _rule(item: Mapping[str, Any]) -> dict[str, Any]:
    if item.get("enforce") is not None:
        return {"enforce": bool(item["enforce"])}
    values = {
        "allowedValues": list(item.get("allowed_values") or ()),
        "deniedValues": list(item.get("denied_values") or ()),
    }
    return {"values": {key: value for key, value in values.items() if value}}


def put(stands: Policies, parts: Mapping[str, Any]) -> tuple[Policies, Changes]:
    """The policies with these parts, and what that changes."""
    changes = {
        key: (_part(stands, key), value)
        for key, value in parts.items()
        if not _same(_part(stands, key), value)
    }
    return _with(stands, {key: value for key, (_was, value) in changes.items()}), changes


def undo(stands: Policies, changes: Changes) -> Policies:
    """The policies as they were, where what was made still stands. Those that were not read stay out of it."""
    back = {
        key: before
        for key, (before, made) in changes.items()
        if name_of(key) in stands and _same(_part(stands, key), made)
    }
    return _with(stands, back)


def then(one: Changes, later: Changes) -> dict[str, tuple[Any, Any]]:
    """Two changes as one."""
    joined = dict(one)
    for key, (before, made) in later.items():
        # What others wrote in between is what stood before this.
        known = joined.get(key)
        ours = known is not None and any(_same(before, item) for item in known)
        first = known[0] if known is not None and ours else before
        joined[key] = (first, made)
        if _same(first, made):
            del joined[key]
    return joined


def lacking(stands: Policies, changes: Changes) -> list[str]:
    """Of what was made, what no longer stands."""
    return [
        f"the organisation policy {name_of(key)}"
        for key, (_was, made) in changes.items()
        if not _same(_part(stands, key), made)
    ]


def enforces(changes: Changes) -> bool:
    """Whether anything of it is enforced, and not only in the dry run."""
    return any(key.endswith(f" {SPEC}") and made for key, (_was, made) in changes.items())


def read_changes(document: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """From JSON; ValueError for anything else."""
    found = {}
    for key, pair in document.items():
        if not isinstance(pair, list) or len(pair) != 2 or " " not in key:
            raise ValueError(f"{key} is {pair!r}")
        found[key] = (pair[0], pair[1])
    return found


def name_of(key: str) -> str:
    """The policy's name in `NAME PART`."""
    return key.partition(" ")[0]


def _part(stands: Policies, key: str) -> Any:
    return stands.get(name_of(key), {}).get(key.partition(" ")[2])


def _with(stands: Policies, parts: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    made = {name: dict(policy) for name, policy in stands.items()}
    for key, value in parts.items():
        policy = made.setdefault(name_of(key), {})
        part = key.partition(" ")[2]
        if value is None:
            policy.pop(part, None)
        else:
            policy[part] = value
    return made


def _same(one: Any, other: Any) -> bool:
    return _key(one) == _key(other)


def _key(value: Any) -> str:
    return canonical_json(_plain(value))


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return sorted((_plain(item) for item in value), key=canonical_json)
    return value
