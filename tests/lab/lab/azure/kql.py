# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the small part of Kusto that `kql_syntax` reads over rows of a workspace."""

from __future__ import annotations

import datetime
import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from . import kql_functions
from .kql_syntax import Expression, Query, Step, parse
from .kql_values import to_text, type_of
from .kql_words import semantic

Row = Mapping[str, Any]
_NUMBERS = ("long", "real")


@dataclass(frozen=True)
class Table:
    """Named, typed columns (in order) and rows that have all of them."""

    columns: Mapping[str, str]
    rows: Sequence[Row]


def run(text: str, tables: Mapping[str, Table], now: datetime.datetime) -> Table:
    """The result of a query, or QueryError."""
    query: Query = parse(text)
    table = tables.get(query.table)
    if table is None:
        where = f"'{query.steps[0].kind}' operator: " if query.steps else ""
        raise semantic(
            "SEM0100", f"{where}Failed to resolve table or column expression named '{query.table}'"
        )
    for step in query.steps:
        table = _STEPS[step.kind](step, table, now)
    return table


# Scalars


def _value(expression: Expression, row: Row, now: datetime.datetime) -> Any:
    kind, parts = expression.kind, expression.parts
    if kind == "value":
        return parts[0]
    if kind == "name":
        return row[parts[0]]
    if kind == "member":
        holder = _value(parts[0], row, now)
        return holder.get(parts[1]) if isinstance(holder, Mapping) else None
    if kind == "negate":
        return -_value(parts[0], row, now)
    if kind in ("add", "subtract"):
        return kql_functions.arithmetic(kind, *(_value(each, row, now) for each in parts))
    if kind == "call":
        name, arguments = parts
        if name == "column_ifexists":
            present = arguments[0].parts[0] in row
            return row[arguments[0].parts[0]] if present else _value(arguments[1], row, now)
        return kql_functions.scalar(name, [_value(each, row, now) for each in arguments], now)
    return _truth(expression, row, now)


def _truth(expression: Expression, row: Row, now: datetime.datetime) -> bool:
    kind, parts = expression.kind, expression.parts
    if kind == "and":
        return _truth(parts[0], row, now) and _truth(parts[1], row, now)
    if kind == "or":
        return _truth(parts[0], row, now) or _truth(parts[1], row, now)
    if kind == "not":
        return not _truth(parts[0], row, now)
    if kind == "compare":
        operator, left, right = parts
        values = (
            [_value(each, row, now) for each in right]
            if isinstance(right, tuple)
            else _value(right, row, now)
        )
        return kql_functions.compare(operator, _value(left, row, now), values)
    return bool(_value(expression, row, now))


def _check(expression: Any, columns: Mapping[str, str]) -> None:
    """Every name must be a column and every function known, whether or not there are rows."""
    if isinstance(expression, tuple):
        for each in expression:
            _check(each, columns)
    if not isinstance(expression, Expression):
        return
    if expression.kind == "name" and expression.parts[0] not in columns:
        raise semantic(
            "SEM0100", f"Failed to resolve scalar expression named '{expression.parts[0]}'"
        )
    if expression.kind == "call":
        name, arguments = expression.parts
        if name in kql_functions.AGGREGATES:
            raise semantic("SEM0029", f"Function '{name}' cannot be invoked in current context.")
        kql_functions.check(name, len(arguments))
        if name == "column_ifexists" and arguments[0].kind != "value":
            raise semantic("SEM0022", "column_ifexists(): argument #1 must be a constant string")
    for part in expression.parts:
        _check(part, columns)


def _type(expression: Expression, columns: Mapping[str, str], values: Iterable[Any]) -> str:
    """The type of a column: known of a name, else of the first value that is not null."""
    kind, parts = expression.kind, expression.parts
    if kind == "name":
        return columns[parts[0]]
    if kind == "call" and parts[0] in kql_functions.RESULT_TYPES:
        return kql_functions.RESULT_TYPES[parts[0]]
    if kind in ("compare", "and", "or", "not"):
        return "bool"
    return next((type_of(each) for each in values if each is not None), "dynamic")


# Operators


def _where(step: Step, table: Table, now: datetime.datetime) -> Table:
    assert step.condition is not None
    _check(step.condition, table.columns)
    return Table(table.columns, [each for each in table.rows if _truth(step.condition, each, now)])


def _project(step: Step, table: Table, now: datetime.datetime) -> Table:
    columns: dict[str, str] = {}
    cells: dict[str, list[Any]] = {}
    for name, expression in step.columns:
        _check(expression, table.columns)
        cells[name] = [_value(expression, row, now) for row in table.rows]
        columns[name] = _type(expression, table.columns, cells[name])
    rows = [{name: cells[name][at] for name in columns} for at in range(len(table.rows))]
    return Table(columns, rows)


def _extend(step: Step, table: Table, now: datetime.datetime) -> Table:
    added = _project(step, table, now)
    rows = [{**row, **more} for row, more in zip(table.rows, added.rows, strict=True)]
    return Table({**table.columns, **added.columns}, rows)


def _distinct(step: Step, table: Table, now: datetime.datetime) -> Table:
    shown = _project(step, table, now)
    kept = {tuple(to_text(each) for each in row.values()): row for row in reversed(shown.rows)}
    return Table(shown.columns, list(reversed(kept.values())))


def _summarize(step: Step, table: Table, now: datetime.datetime) -> Table:
    keys = _project(Step("project", columns=step.by), table, now)
    groups: dict[tuple[str, ...], tuple[Row, list[Row]]] = {}
    for key, row in zip(keys.rows, table.rows, strict=True):
        identity = tuple(to_text(each) for each in key.values())
        groups.setdefault(identity, (key, []))[1].append(row)
    if not step.by and not groups:
        groups[()] = ({}, [])
    columns, rows = dict(keys.columns), [dict(key) for key, _ in groups.values()]
    for name, expression in step.columns:
        if expression.kind != "call" or expression.parts[0] not in kql_functions.AGGREGATES:
            raise semantic("SEM0137", f"summarize: '{name}' is not an aggregation")
        _check(expression.parts[1], table.columns)
        function, arguments = expression.parts
        kql_functions.check(function, len(arguments))
        for made, (_, members) in zip(rows, groups.values(), strict=True):
            made[name] = kql_functions.aggregate(function, _cells(arguments, members, now))
        columns[name] = _type(expression, table.columns, [each[name] for each in rows])
    return Table(columns, rows)


def _cells(
    arguments: Sequence[Expression], rows: Sequence[Row], now: datetime.datetime
) -> list[list[Any]]:
    return [[_value(each, row, now) for each in arguments] for row in rows]


def _order(step: Step, table: Table, now: datetime.datetime) -> Table:
    rows = list(table.rows)
    # From the last key to the first: sorting is stable.
    for expression, descending in reversed(step.keys):
        _check(expression, table.columns)
        rows.sort(key=_sort_key(expression, now), reverse=descending)
    return Table(table.columns, rows)


def _sort_key(expression: Expression, now: datetime.datetime) -> Callable[[Row], Any]:
    compare = functools.cmp_to_key(kql_functions.rank)
    return lambda row: compare(_value(expression, row, now))


def _take(step: Step, table: Table, now: datetime.datetime) -> Table:
    return Table(table.columns, table.rows[: step.count])


def _top(step: Step, table: Table, now: datetime.datetime) -> Table:
    return _take(step, _order(step, table, now), now)


def _count(step: Step, table: Table, now: datetime.datetime) -> Table:
    return Table({"Count": "long"}, [{"Count": len(table.rows)}])


_STEPS = {
    "where": _where,
    "project": _project,
    "extend": _extend,
    "distinct": _distinct,
    "summarize": _summarize,
    "order": _order,
    "take": _take,
    "top": _top,
    "count": _count,
}
