# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whom an endpoint policy admits.

A policy is as wide as its widest Allow: one statement with a condition does not excuse another without. A condition
counts only when it binds the principal, and stays true to that when the key is absent.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

# Operators that are true only when the key is present and equal.
_POSITIVE = frozenset(
    ("stringequals", "stringequalsignorecase", "stringlike", "arnequals", "arnlike")
)
_PATTERNS = frozenset(("stringlike", "arnequals", "arnlike"))
_ACCOUNT = re.compile(r"\d{12}")
_ARN = re.compile(r"arn:[\w-]+:(?:iam|sts)::(\d{12}):.+", re.DOTALL)


@dataclass(frozen=True)
class Problem:
    """Why one Allow statement is too wide."""

    statement: str
    reason: str


def as_list(value: Any) -> list[Any]:
    """IAM writes one value or a list of values; here it is always a list."""
    if value is None:
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]


def statements(policy: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The statements of a policy document."""
    return [item for item in as_list(policy.get("Statement")) if isinstance(item, Mapping)]


def label(statement: Mapping[str, Any], index: int) -> str:
    """A name for a statement: its Sid, else its place."""
    sid = statement.get("Sid")
    return f"statement {sid}" if sid else f"statement {index + 1}"


def too_wide(
    policy: Mapping[str, Any],
    *,
    organization_id: str | None = None,
    accounts: Iterable[str] = (),
) -> list[Problem]:
    """What is too wide in the Allow statements of an endpoint policy; empty when all are bound.

    organization_id, accounts: the own ones, when known; a statement bound to somebody else's organisation is too wide.
    """
    own = _Own(organization_id, frozenset(accounts))
    problems = []
    for index, statement in enumerate(statements(policy)):
        if str(statement.get("Effect", "")).lower() != "allow":
            continue
        name = label(statement, index)
        problems += [Problem(name, reason) for reason in _reasons(statement, own)]
    return problems


@dataclass(frozen=True)
class _Own:
    organization_id: str | None
    accounts: frozenset[str]


def _reasons(statement: Mapping[str, Any], own: _Own) -> list[str]:
    reasons = [
        f"uses {key}, which admits everything it does not name"
        for key in ("NotPrincipal", "NotAction", "NotResource")
        if key in statement
    ]
    if "NotPrincipal" not in statement and not _binds(statement, own):
        reasons.append(_unbound(statement, own))
    if "*" in (str(action) for action in as_list(statement.get("Action"))):
        reasons.append("allows every action (`*`)")
    return reasons


def _binds(statement: Mapping[str, Any], own: _Own) -> bool:
    if _named_principals(statement.get("Principal"), own):
        return True
    return any(
        _binding_condition(operator, key, values, own)
        for operator, key, values in conditions(statement)
    )


def conditions(statement: Mapping[str, Any]) -> list[tuple[str, str, list[str]]]:
    """The conditions of a statement: operator and key in lower case, and the values as strings."""
    found = []
    block = statement.get("Condition")
    for operator, keys in block.items() if isinstance(block, Mapping) else ():
        for key, values in keys.items() if isinstance(keys, Mapping) else ():
            texts = [_text(value) for value in as_list(values)]
            found.append((str(operator).lower(), str(key).lower(), texts))
    return found


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _named_principals(principal: Any, own: _Own) -> bool:
    """Whether every principal is a literal AWS account or an identity in one."""
    if not isinstance(principal, Mapping) or set(principal) != {"AWS"}:
        return False
    named = [str(value) for value in as_list(principal["AWS"])]
    accounts = [value if _ACCOUNT.fullmatch(value) else _account(value) for value in named]
    return bool(named) and all(account and _is_own_account(account, own) for account in accounts)


def _account(arn: str) -> str | None:
    found = _ARN.fullmatch(arn)
    return found.group(1) if found else None


def _is_own_account(account: str, own: _Own) -> bool:
    return not own.accounts or account in own.accounts


def _binding_condition(operator: str, key: str, values: list[str], own: _Own) -> bool:
    # ForAllValues and IfExists are true when the key is absent; ForAnyValue is not.
    plain = operator.removeprefix("foranyvalue:")
    if plain not in _POSITIVE or not values:
        return False
    pattern = plain in _PATTERNS
    return all(_binding_value(key, value, pattern, own) for value in values)


def _binding_value(key: str, value: str, pattern: bool, own: _Own) -> bool:
    if key == "aws:principalorgid":
        return _literal(value, pattern) and own.organization_id in (None, value)
    if key == "aws:principalorgpaths":
        organization = value.split("/")[0]
        return _literal(organization, pattern) and own.organization_id in (None, organization)
    if key == "aws:principalaccount":
        return _literal(value, pattern) and _is_own_account(value, own)
    if key == "aws:principalarn":
        account = _account(value)
        return account is not None and _is_own_account(account, own)
    return False


def _literal(value: str, pattern: bool) -> bool:
    # A policy variable stands for what the request itself says: `${aws:PrincipalOrgID}` is equal to itself.
    if not value or "${" in value:
        return False
    return not (pattern and any(sign in value for sign in "*?"))


def _unbound(statement: Mapping[str, Any], own: _Own) -> str:
    keys = sorted({key for _operator, key, _values in conditions(statement)})
    if not keys:
        return "admits any principal, without a condition"
    suffix = (
        f" of {own.organization_id}" if own.organization_id else " of the organisation or account"
    )
    return f"its conditions ({', '.join(keys)}) do not bind the principal to one{suffix}"
