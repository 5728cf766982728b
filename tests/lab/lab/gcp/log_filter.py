# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The part of the Logging query language that this lab understands; the rest is refused, not guessed.

Comparisons (`=`, `!=`, `:`, `<`, `<=`, `>`, `>=`, `=~`, `!~`) of fields with values or `(a OR b)`, `log_id("...")`,
joined by AND (or by nothing), OR, NOT, `-` and parentheses. https://cloud.google.com/logging/docs/view/logging-query-language
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from .errors import GoogleError
from .records import Resource

Test = Callable[[Resource], bool]
_TOKEN = re.compile(
    r"\s*(?:--[^\n]*\s*)*("
    r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|<=|>=|!=|=~|!~|[=:<>()]|-(?=[A-Za-z(])|[^\s=:<>()!\"']+)"
)
_OPERATORS = ("=", "!=", ":", "<", "<=", ">", ">=", "=~", "!~")


def compile_filter(text: str) -> Test:
    """A test of log entries. Raises Google's error for what is no filter, or none that the lab knows."""
    tokens, position = [], 0
    text = text.strip()
    while position < len(text):
        found = _TOKEN.match(text, position)
        if found is None:
            raise _unparseable(text, text[position:])
        tokens.append(found.group(1))
        position = found.end()
        while position < len(text) and text[position].isspace():
            position += 1
    if not tokens:
        return lambda entry: True
    parser = _Parser(text, tokens)
    test = parser.either()
    parser.end()
    return test


def _unparseable(text: str, at: str) -> GoogleError:
    return GoogleError(400, f"Unparseable filter: syntax error near '{at[:40]}' in '{text}'")


class _Parser:
    def __init__(self, text: str, tokens: list[str]) -> None:
        self._text = text
        self._tokens = tokens
        self._at = 0

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _take(self) -> str:
        token = self._peek()
        self._at += 1
        return token

    def _expect(self, wanted: str) -> None:
        if self._take() != wanted:
            raise _unparseable(self._text, self._peek() or wanted)

    def end(self) -> None:
        if self._peek():
            raise _unparseable(self._text, self._peek())

    def either(self) -> Test:
        tests = [self._all()]
        while self._peek() == "OR":
            self._take()
            tests.append(self._all())
        return tests[0] if len(tests) == 1 else lambda entry: any(each(entry) for each in tests)

    def _all(self) -> Test:
        tests = [self._one()]
        while self._peek() not in ("", "OR", ")"):
            if self._peek() == "AND":
                self._take()
            tests.append(self._one())
        return tests[0] if len(tests) == 1 else lambda entry: all(each(entry) for each in tests)

    def _one(self) -> Test:
        token = self._take()
        if token in ("NOT", "-"):
            inner = self._one()
            return lambda entry: not inner(entry)
        if token == "(":
            inner = self.either()
            self._expect(")")
            return inner
        if token == "log_id" and self._peek() == "(":
            self._take()
            name = _plain(self._take())
            self._expect(")")
            return lambda entry: unquote(entry["logName"].rpartition("/logs/")[2]) == name
        operator = self._take()
        if operator not in _OPERATORS or not re.fullmatch(r"[A-Za-z_][\w.@-]*", token):
            raise _unparseable(self._text, token)
        if self._peek() == "(":
            self._take()
            return self._alternatives(token, operator)
        value = self._take()
        if value in ("", ")", "AND", "OR"):
            raise _unparseable(self._text, value or operator)
        return _comparison(token, operator, _plain(value))

    def _alternatives(self, field: str, operator: str) -> Test:
        values, joiner = [_plain(self._take())], ""
        while self._peek() != ")":
            word = self._take()
            if word not in ("OR", "AND") or joiner not in ("", word):
                raise _unparseable(self._text, word)
            joiner = word
            values.append(_plain(self._take()))
        self._take()
        tests = [_comparison(field, operator, each) for each in values]
        if joiner == "AND":
            return lambda entry: all(each(entry) for each in tests)
        return lambda entry: any(each(entry) for each in tests)


def _plain(token: str) -> str:
    if token[:1] in ("'", '"'):
        return re.sub(r"\\(.)", r"\1", token[1:-1])
    return token


def _values(node: Any, parts: list[str]) -> list[Any]:
    """What a path leads to; a list on the way means each of its items."""
    if isinstance(node, list):
        return [found for each in node for found in _values(each, parts)]
    if not parts:
        return [node]
    if isinstance(node, dict) and parts[0] in node:
        return _values(node[parts[0]], parts[1:])
    return []


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _comparison(field: str, operator: str, wanted: str) -> Test:
    parts = field.split(".")

    def test(entry: Resource) -> bool:
        values = [_text(each) for each in _values(entry, parts)]
        if operator == ":":
            return (
                bool(values)
                if wanted == "*"
                else any(wanted.lower() in each.lower() for each in values)
            )
        if operator in ("=", "!="):
            same = any(each.lower() == wanted.lower() for each in values)
            return same == (operator == "=")
        if operator in ("=~", "!~"):
            met = any(re.search(wanted, each) for each in values)
            return met == (operator == "=~")
        return any(_ordered(each, operator, wanted) for each in values)

    return test


def _ordered(value: str, operator: str, wanted: str) -> bool:
    one, other = (each.replace("+00:00", "Z").rstrip("Z") for each in (value, wanted))
    # Times are text that sorts, once they have the same number of digits.
    if re.match(r"\d{4}-\d\d-\d\dT", one):
        one, other = (each if "." in each else f"{each}." for each in (one, other))
        width = max(len(one), len(other))
        one, other = one.ljust(width, "0"), other.ljust(width, "0")
    return {"<": one < other, "<=": one <= other, ">": one > other, ">=": one >= other}[operator]
