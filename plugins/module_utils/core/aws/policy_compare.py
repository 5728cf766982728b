# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compare IAM policies by meaning: `"*"` is `{"AWS": "*"}`, one value is a list of one, and no order counts.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from ..canonical import canonical_json

_ROOT = re.compile(r"^arn:[a-z0-9-]+:iam::(\d{12}):root$")
_ACTIONS = ("Action", "NotAction")
_RESOURCES = ("Resource", "NotResource")
_PRINCIPALS = ("Principal", "NotPrincipal")


def same(left: Mapping[str, Any] | None, right: Mapping[str, Any] | None) -> bool:
    """Whether two policies mean the same; None is "no policy" and equals only None."""
    if left is None or right is None:
        return left is right
    return normal(left) == normal(right)


def normal(policy: Mapping[str, Any]) -> dict[str, Any]:
    """A policy with everything that has no meaning taken away: two policies with equal results mean the same.

    Sids and the Id are dropped. The version stays only where it counts: policy variables need 2012-10-17.
    """
    statements = policy.get("Statement", [])
    if isinstance(statements, Mapping):
        statements = [statements]
    found = {canonical_json(one): one for one in (_statement(item) for item in statements)}
    result: dict[str, Any] = {"Statement": [found[key] for key in sorted(found)]}
    if "${" in canonical_json(result):
        result["Version"] = policy.get("Version", "2008-10-17")
    return result


def _statement(statement: Mapping[str, Any]) -> dict[str, Any]:
    result: dict[str, Any] = {"Effect": statement.get("Effect")}
    for key in _ACTIONS:
        if key in statement:
            # Actions are not case-sensitive.
            result[key] = _values(statement[key], str.lower)
    for key in _RESOURCES:
        if key in statement:
            result[key] = _values(statement[key])
    for key in _PRINCIPALS:
        if key in statement:
            result[key] = _principal(statement[key])
    condition = _condition(statement.get("Condition") or {})
    if condition:
        result["Condition"] = condition
    return result


def _principal(value: Any) -> dict[str, list[str]]:
    if not isinstance(value, Mapping):
        value = {"AWS": value}
    return {kind: _values(names, _account) for kind, names in value.items()}


def _account(name: str) -> str:
    """An account's root ARN is its number."""
    found = _ROOT.match(name)
    return found[1] if found else name


def _condition(condition: Mapping[str, Any]) -> dict[str, dict[str, list[str]]]:
    """Operators with their keys; the keys' names are not case-sensitive, and empty operators say nothing."""
    return {
        operator: {key.lower(): _values(values) for key, values in keys.items()}
        for operator, keys in condition.items()
        if keys
    }


def _values(value: Any, change: Any = str) -> list[str]:
    values = value if isinstance(value, (list, tuple)) else [value]
    return sorted({change(_text(item)) for item in values})


def _text(value: Any) -> str:
    """JSON's booleans and numbers are accepted where IAM means their text."""
    return value if isinstance(value, str) else json.dumps(value)
