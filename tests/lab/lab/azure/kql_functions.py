# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The comparisons, scalar functions and aggregations of Kusto that the lab's workspaces know."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .kql_values import datetime_value, parse_json, to_number, to_text
from .kql_words import semantic

# name -> how many arguments: (least, most)
_SCALARS: Mapping[str, tuple[int, int]] = {
    "ago": (1, 1),
    "bin": (2, 2),
    "coalesce": (2, 64),
    "column_ifexists": (2, 2),
    "iff": (3, 3),
    "iif": (3, 3),
    "isempty": (1, 1),
    "isnotempty": (1, 1),
    "isnotnull": (1, 1),
    "isnull": (1, 1),
    "now": (0, 1),
    "parse_json": (1, 1),
    "strcat": (1, 64),
    "todatetime": (1, 1),
    "todynamic": (1, 1),
    "toint": (1, 1),
    "tolong": (1, 1),
    "tolower": (1, 1),
    "tostring": (1, 1),
    "toupper": (1, 1),
}
AGGREGATES: Mapping[str, tuple[int, int]] = {
    "any": (1, 1),
    "count": (0, 0),
    "countif": (1, 1),
    "dcount": (1, 2),
    "make_set": (1, 2),
    "max": (1, 1),
    "min": (1, 1),
    "sum": (1, 1),
    "take_any": (1, 1),
}
RESULT_TYPES: Mapping[str, str] = {
    "ago": "datetime",
    "count": "long",
    "countif": "long",
    "dcount": "long",
    "isempty": "bool",
    "isnotempty": "bool",
    "isnotnull": "bool",
    "isnull": "bool",
    "make_set": "dynamic",
    "now": "datetime",
    "parse_json": "dynamic",
    "strcat": "string",
    "todatetime": "datetime",
    "todynamic": "dynamic",
    "toint": "int",
    "tolong": "long",
    "tolower": "string",
    "tostring": "string",
    "toupper": "string",
}


def check(name: str, arguments: int) -> None:
    """Refuse a function that is not known, or that takes another number of arguments."""
    bounds = _SCALARS.get(name) or AGGREGATES.get(name)
    if bounds is None:
        raise semantic("SEM0260", f"Unknown function: '{name}'.")
    if not bounds[0] <= arguments <= bounds[1]:
        raise semantic(
            "SEM0219", f"{name}(): function expects {bounds[0]} argument(s), got {arguments}."
        )


def compare(operator: str, left: Any, right: Any) -> bool:
    """A comparison; null compares as false, except for the negated ones."""
    if operator.startswith("!") and operator not in ("!=", "!~"):
        return not compare(operator[1:], left, right)
    if operator in ("!=", "!~"):
        return not compare("==" if operator == "!=" else "=~", left, right)
    if operator == "between":
        low, high = right
        return compare(">=", left, low) and compare("<=", left, high)
    if operator in ("in", "in~"):
        return any(compare("==" if operator == "in" else "=~", left, each) for each in right)
    if operator in _TEXTUAL:
        return _TEXTUAL[operator](to_text(left).lower(), to_text(right).lower())
    if operator == "==":
        return bool(left == right) if _alike(left, right) else to_text(left) == to_text(right)
    if left is None or right is None:
        return False
    if not _alike(left, right):
        raise semantic("SEM0064", f"Cannot compare values of types of the operands of '{operator}'")
    order = rank(left, right)
    return {"<": order < 0, ">": order > 0, "<=": order <= 0, ">=": order >= 0}[operator]


_TEXTUAL: Mapping[str, Callable[[str, str], bool]] = {
    "=~": lambda left, right: left == right,
    "contains": lambda left, right: right in left,
    "startswith": lambda left, right: left.startswith(right),
    "endswith": lambda left, right: left.endswith(right),
    # `has` looks for a whole term: letters and digits, nothing of them on either side.
    "has": lambda left, right: bool(
        re.search(rf"(?<![a-z0-9]){re.escape(right)}(?![a-z0-9])", left)
    ),
}


def _alike(left: Any, right: Any) -> bool:
    numbers = (int, float)
    if isinstance(left, numbers) and isinstance(right, numbers):
        return True
    return type(left) is type(right)


def rank(left: Any, right: Any) -> int:
    """-1, 0 or 1; null comes before everything, and unlike values are ordered as text."""
    if left is None or right is None:
        return (left is not None) - (right is not None)
    if not _alike(left, right) or isinstance(left, (dict, list)):
        left, right = to_text(left), to_text(right)
    return int(left > right) - int(left < right)


def arithmetic(kind: str, left: Any, right: Any) -> Any:
    if left is None or right is None:
        return None
    try:
        return left + right if kind == "add" else left - right
    except TypeError as error:
        raise semantic("SEM0064", f"Cannot {kind} values of these types") from error


def scalar(name: str, values: Sequence[Any], now: datetime.datetime) -> Any:
    """The value of a function that `check` has passed."""
    first = values[0] if values else None
    if name in ("now", "ago"):
        if first is not None and not isinstance(first, datetime.timedelta):
            raise semantic("SEM0022", f"{name}(): argument must be a timespan")
        shift = first or datetime.timedelta()
        return now - shift if name == "ago" else now + shift
    if name in ("iff", "iif"):
        return values[1] if values[0] else values[2]
    if name == "coalesce":
        return next((each for each in values if each not in (None, "")), None)
    if name == "strcat":
        return "".join(to_text(each) for each in values)
    if name == "bin":
        return _bin(first, values[1])
    return _UNARY[name](first)


def _bin(value: Any, step: Any) -> Any:
    if isinstance(value, datetime.datetime) and isinstance(step, datetime.timedelta):
        start = datetime.datetime(1, 1, 1, tzinfo=datetime.timezone.utc)
        return value - (value - start) % step
    if isinstance(value, (int, float)) and isinstance(step, (int, float)):
        return value - value % step
    return None


def _whole(value: Any) -> int | None:
    number = to_number(value)
    return None if number is None else int(number)


def _to_datetime(value: Any) -> datetime.datetime | None:
    return value if isinstance(value, datetime.datetime) else datetime_value(to_text(value))


_UNARY: Mapping[str, Callable[[Any], Any]] = {
    "isempty": lambda value: to_text(value) == "",
    "isnotempty": lambda value: to_text(value) != "",
    "isnull": lambda value: value is None,
    "isnotnull": lambda value: value is not None,
    "parse_json": parse_json,
    "todynamic": parse_json,
    "todatetime": _to_datetime,
    "toint": _whole,
    "tolong": _whole,
    "tolower": lambda value: to_text(value).lower(),
    "toupper": lambda value: to_text(value).upper(),
    "tostring": to_text,
}


def aggregate(name: str, cells: Sequence[Sequence[Any]]) -> Any:
    """An aggregation over a group; each member of `cells` has the function's arguments for one row."""
    if name == "count":
        return len(cells)
    values = [each[0] for each in cells]
    if name == "countif":
        return sum(1 for each in values if each)
    present = [each for each in values if each is not None]
    if name == "dcount":
        return len({to_text(each) for each in present})
    if name == "make_set":
        return list({to_text(each): each for each in present if each != ""}.values())
    if name in ("any", "take_any"):
        return present[0] if present else None
    if name == "sum":
        return sum(to_number(each) or 0 for each in present)
    best = None
    for each in present:
        if best is None or (rank(each, best) < 0) == (name == "min"):
            best = each
    return best
