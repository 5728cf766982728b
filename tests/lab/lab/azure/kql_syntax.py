# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The text of a Kusto query, taken apart: words, then a table with the operators that follow it.

Only what an audit query needs is known; everything else is the syntax error that Log Analytics has.
https://learn.microsoft.com/kusto/query/
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .kql_values import datetime_value, timespan
from .kql_words import QueryError, Word, semantic, unreadable, words

_COMPARISONS = (
    *("==", "!=", "=~", "!~", "<", ">", "<=", ">="),
    *("has", "!has", "contains", "!contains", "startswith", "!startswith", "endswith"),
    *("!endswith", "in", "!in", "in~", "!in~", "between"),
)


@dataclass(frozen=True)
class Expression:
    """`kind` value, name, member, call, compare, and, or, not, negate, add, subtract; `parts` by kind."""

    kind: str
    parts: tuple[Any, ...]


@dataclass(frozen=True)
class Step:
    """One operator after a pipe: where, project, extend, summarize, order, take, distinct, count."""

    kind: str
    columns: tuple[tuple[str, Expression], ...] = ()
    by: tuple[tuple[str, Expression], ...] = ()
    condition: Expression | None = None
    keys: tuple[tuple[Expression, bool], ...] = ()  # order: expression, descending
    count: int = 0


@dataclass(frozen=True)
class Query:
    table: str
    steps: tuple[Step, ...]


def parse(text: str) -> Query:
    """A query, or QueryError."""
    return _Parser(words(text)).query()


class _Parser:
    """Recursive descent over the words; each method reads one thing and leaves what follows."""

    def __init__(self, words: Sequence[Word]) -> None:
        self._words, self._at = words, 0

    def query(self) -> Query:
        table = self._name()
        steps = []
        while self._accept("|"):
            steps.append(self._step())
        self._accept(";")
        if self._at < len(self._words):
            raise self._stuck()
        return Query(table, tuple(steps))

    # words

    def _stuck(self) -> QueryError:
        if self._at >= len(self._words):
            return QueryError(
                "SyntaxError", "SYN0001", "Query could not be parsed: it ends unexpectedly"
            )
        word = self._words[self._at]
        return unreadable(word.text, word.at)

    def _peek(self) -> str:
        return self._words[self._at].text if self._at < len(self._words) else ""

    def _accept(self, *texts: str) -> str:
        found = self._peek()
        if found in texts and self._words[self._at].kind != "text":
            self._at += 1
            return found
        return ""

    def _expect(self, text: str) -> None:
        if not self._accept(text):
            raise self._stuck()

    def _name(self) -> str:
        if self._at < len(self._words) and self._words[self._at].kind == "name":
            self._at += 1
            return self._words[self._at - 1].text
        raise self._stuck()

    def _number(self) -> int:
        if self._at < len(self._words) and self._words[self._at].text.isdecimal():
            self._at += 1
            return int(self._words[self._at - 1].text)
        raise self._stuck()

    # operators

    def _step(self) -> Step:
        kind = self._accept(
            *("where", "filter", "project", "extend", "summarize", "distinct", "count"),
            *("order", "sort", "take", "limit", "top"),
        )
        if kind in ("where", "filter"):
            return Step("where", condition=self._or())
        if kind in ("project", "extend", "distinct"):
            return Step(kind, columns=self._columns())
        if kind == "summarize":
            columns = () if self._peek() == "by" else self._columns()
            return Step(kind, columns=columns, by=self._columns() if self._accept("by") else ())
        if kind in ("order", "sort"):
            self._expect("by")
            return Step("order", keys=self._keys())
        if kind in ("take", "limit"):
            return Step("take", count=self._number())
        if kind == "top":
            count = self._number()
            self._expect("by")
            return Step(kind, keys=self._keys(), count=count)
        if kind == "count":
            return Step(kind)
        raise self._stuck()

    def _columns(self) -> tuple[tuple[str, Expression], ...]:
        columns = [self._column(1)]
        while self._accept(","):
            columns.append(self._column(len(columns) + 1))
        return tuple(columns)

    def _column(self, number: int) -> tuple[str, Expression]:
        """`name = expression`, or an expression that names itself as Kusto does."""
        if self._at + 1 < len(self._words) and self._words[self._at + 1].text == "=":
            name = self._name()
            self._expect("=")
            return name, self._or()
        expression = self._or()
        return _own_name(expression, number), expression

    def _keys(self) -> tuple[tuple[Expression, bool], ...]:
        keys = []
        while True:
            expression = self._sum()
            keys.append((expression, self._accept("asc", "desc") != "asc"))
            if not self._accept(","):
                return tuple(keys)

    # expressions

    def _or(self) -> Expression:
        left = self._and()
        while self._accept("or"):
            left = Expression("or", (left, self._and()))
        return left

    def _and(self) -> Expression:
        left = self._comparison()
        while self._accept("and"):
            left = Expression("and", (left, self._comparison()))
        return left

    def _comparison(self) -> Expression:
        left = self._sum()
        operator = self._accept(*_COMPARISONS)
        if operator == "in" and self._accept("~"):
            operator = "in~"
        if not operator:
            return left
        if operator == "between":
            self._expect("(")
            low = self._sum()
            self._expect("..")
            high = self._sum()
            self._expect(")")
            return Expression("compare", (operator, left, (low, high)))
        if operator.lstrip("!").startswith("in"):
            self._expect("(")
            return Expression("compare", (operator, left, self._arguments()))
        return Expression("compare", (operator, left, self._sum()))

    def _sum(self) -> Expression:
        left = self._member()
        while sign := self._accept("+", "-"):
            left = Expression("add" if sign == "+" else "subtract", (left, self._member()))
        return left

    def _member(self) -> Expression:
        value = self._primary()
        while mark := self._accept(".", "["):
            if mark == ".":
                value = Expression("member", (value, self._name()))
            else:
                value = Expression("member", (value, self._literal().parts[0]))
                self._expect("]")
        return value

    def _primary(self) -> Expression:
        if self._accept("("):
            inner = self._or()
            self._expect(")")
            return inner
        if self._accept("-"):
            return Expression("negate", (self._primary(),))
        if self._at < len(self._words) and self._words[self._at].kind != "name":
            return self._literal()
        name = self._name()
        if name in ("true", "false"):
            return Expression("value", (name == "true",))
        if not self._accept("("):
            return Expression("name", (name,))
        if name == "datetime":
            return self._datetime()
        if name == "not":
            inner = self._or()
            self._expect(")")
            return Expression("not", (inner,))
        return Expression("call", (name, self._arguments()))

    def _arguments(self) -> tuple[Expression, ...]:
        """What follows an opening bracket, the closing one included."""
        if self._accept(")"):
            return ()
        arguments = [self._or()]
        while self._accept(","):
            arguments.append(self._or())
        self._expect(")")
        return tuple(arguments)

    def _literal(self) -> Expression:
        if self._at >= len(self._words) or self._words[self._at].kind not in (
            "text",
            "span",
            "number",
        ):
            raise self._stuck()
        word = self._words[self._at]
        self._at += 1
        if word.kind == "text":
            return Expression("value", (_text(word.text),))
        if word.kind == "span":
            return Expression("value", (timespan(word.text),))
        return Expression("value", (float(word.text) if "." in word.text else int(word.text),))

    def _datetime(self) -> Expression:
        """datetime(2026-01-01T00:00:00Z): what is in the brackets is no expression."""
        parts = []
        while self._at < len(self._words) and self._peek() != ")":
            parts.append(self._words[self._at])
            self._at += 1
        self._expect(")")
        text = " ".join(_joined(parts)) if parts else ""
        value = datetime_value(text)
        if value is None:
            raise semantic("SEM0031", f"datetime(): argument is not a datetime: '{text}'")
        return Expression("value", (value,))


def _joined(words: Sequence[Word]) -> list[str]:
    """Neighbouring words as they stood, split where there was space between them."""
    runs = [words[0].text]
    for before, word in itertools.pairwise(words):
        if before.at + len(before.text) == word.at:
            runs[-1] += word.text
        else:
            runs.append(word.text)
    return runs


def _text(literal: str) -> str:
    if literal.startswith("@"):
        return literal[2:-1]
    return re.sub(
        r"\\(.)", lambda match: {"n": "\n", "t": "\t"}.get(match[1], match[1]), literal[1:-1]
    )


def _own_name(expression: Expression, number: int) -> str:
    """What Kusto calls a column that has no name of its own."""
    kind, parts = expression.kind, expression.parts
    if kind == "name":
        return str(parts[0])
    if kind == "member":
        return f"{_own_name(parts[0], number)}_{parts[1]}"
    if kind == "call" and parts[0] in ("count", "countif"):
        return f"{parts[0]}_"
    if kind == "call" and parts[1] and parts[1][0].kind == "name":
        own = str(parts[1][0].parts[0])
        return own if parts[0] in ("tostring", "bin") else f"{parts[0]}_{own}"
    return f"Column{number}"
