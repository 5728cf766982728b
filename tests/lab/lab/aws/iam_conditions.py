# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Condition element of a policy, decided against the context of one request.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
All operators of a block are ANDed, all keys of an operator are ANDed, the values of a key are ORed
(NORed under a negated operator). A key that the request lacks makes a positive operator false, a
negated one true, anything with IfExists or ForAllValues true, and ForAnyValue false.
"""

from __future__ import annotations

import datetime
import ipaddress
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from .iam_patterns import arn_matches, expand, glob

Test = Callable[[str, str, "Context"], bool]


class Context:
    """The keys of one request: case-insensitive names, one or more string values each."""

    def __init__(self, keys: Mapping[str, Any], variables: bool = True) -> None:
        """`keys` may hold strings, booleans, numbers or lists of them; empty lists count as absent.

        `variables` says whether policy variables are replaced (policy version 2012-10-17).
        """
        self._keys = {name.lower(): values(value) for name, value in keys.items()}
        self.variables = variables

    def get(self, name: str) -> tuple[str, ...]:
        return self._keys.get(name.lower(), ())

    def with_variables(self, variables: bool) -> Context:
        """The same keys for a policy of another version."""
        made = Context({}, variables)
        made._keys = self._keys
        return made

    def variable(self, name: str) -> str | None:
        """What a policy variable stands for; None when the key is absent or has several values."""
        if not self.variables:
            return None
        found = self.get(name)
        return found[0] if len(found) == 1 else None


def values(value: Any) -> tuple[str, ...]:
    """One or many JSON values as the strings that policies compare."""
    many = value if isinstance(value, (list, tuple, set, frozenset)) else [value]
    return tuple(
        str(each).lower() if isinstance(each, bool) else str(each)
        for each in many
        if each is not None
    )


def holds(condition: Mapping[str, Any], context: Context) -> bool:
    """Whether a whole Condition element holds. An unknown operator raises ValueError."""
    return all(
        _decide(operator, key, values(wanted), context)
        for operator, keys in condition.items()
        for key, wanted in keys.items()
    )


def _decide(operator: str, key: str, wanted: tuple[str, ...], context: Context) -> bool:
    quantifier, _, name = operator.rpartition(":")
    base, if_exists = (name[:-8], True) if name.endswith("IfExists") else (name, False)
    found = context.get(key)
    if base == "Null":
        return any((value.lower() == "true") == (not found) for value in wanted)
    if base not in _OPERATORS:
        raise ValueError(f"unknown condition operator {operator}")
    test, negated = _OPERATORS[base]
    if not found:
        if if_exists or quantifier == "ForAllValues":
            return True
        return negated and quantifier != "ForAnyValue"

    def passes(value: str) -> bool:
        return negated != any(test(value, pattern, context) for pattern in wanted)

    if quantifier == "ForAllValues" or (negated and not quantifier):
        return all(passes(value) for value in found)
    return any(passes(value) for value in found)


def _exactly(value: str, pattern: str, context: Context) -> bool:
    expanded = expand(pattern, context.variable) if context.variables else pattern
    return value == expanded


def _ignoring_case(value: str, pattern: str, context: Context) -> bool:
    expanded = expand(pattern, context.variable) if context.variables else pattern
    return expanded is not None and value.lower() == expanded.lower()


def _like(value: str, pattern: str, context: Context) -> bool:
    return glob(pattern, value, context.variable if context.variables else None)


def _arn(value: str, pattern: str, context: Context) -> bool:
    return arn_matches(pattern, value, context.variable if context.variables else None)


def _boolean(value: str, pattern: str, context: Context) -> bool:
    return value.lower() == pattern.lower()


def _address(value: str, pattern: str, context: Context) -> bool:
    try:
        return ipaddress.ip_address(value) in ipaddress.ip_network(pattern, strict=False)
    except ValueError:
        return False


def _comparison(read: Callable[[str], float], accept: Callable[[float, float], bool]) -> Test:
    def test(value: str, pattern: str, context: Context) -> bool:
        try:
            return accept(read(value), read(pattern))
        except ValueError:
            return False

    return test


def _moment(text: str) -> float:
    """ISO 8601 or seconds since the epoch."""
    try:
        return float(text)
    except ValueError:
        moment = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
        return (moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)).timestamp()


def _ordered(prefix: str, read: Callable[[str], float]) -> Iterable[tuple[str, tuple[Test, bool]]]:
    for suffix, accept in (
        ("LessThan", lambda mine, theirs: mine < theirs),
        ("LessThanEquals", lambda mine, theirs: mine <= theirs),
        ("GreaterThan", lambda mine, theirs: mine > theirs),
        ("GreaterThanEquals", lambda mine, theirs: mine >= theirs),
        ("Equals", lambda mine, theirs: mine == theirs),
    ):
        yield prefix + suffix, (_comparison(read, accept), False)
    yield prefix + "NotEquals", (_comparison(read, lambda mine, theirs: mine == theirs), True)


# Name -> (does one value match one pattern, is the operator negated).
_OPERATORS: dict[str, tuple[Test, bool]] = {
    "StringEquals": (_exactly, False),
    "StringNotEquals": (_exactly, True),
    "StringEqualsIgnoreCase": (_ignoring_case, False),
    "StringNotEqualsIgnoreCase": (_ignoring_case, True),
    "StringLike": (_like, False),
    "StringNotLike": (_like, True),
    # ArnEquals and ArnLike behave alike: AWS says so.
    "ArnEquals": (_arn, False),
    "ArnLike": (_arn, False),
    "ArnNotEquals": (_arn, True),
    "ArnNotLike": (_arn, True),
    "Bool": (_boolean, False),
    "BinaryEquals": (_exactly, False),
    "IpAddress": (_address, False),
    "NotIpAddress": (_address, True),
    **dict(_ordered("Numeric", float)),
    **dict(_ordered("Date", _moment)),
}

OPERATORS = frozenset(_OPERATORS) | {"Null"}
