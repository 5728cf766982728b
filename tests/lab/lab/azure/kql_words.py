# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The words of a Kusto query, and the errors that Log Analytics has for what it cannot read."""

from __future__ import annotations

import re
from dataclasses import dataclass

_WORD = re.compile(
    r"""(?P<space>\s+|//[^\n]*)
      | (?P<text>@?"(?:[^"\\\n]|\\.)*"|@?'(?:[^'\\\n]|\\.)*')
      | (?P<span>\d+(?:\.\d+)?(?:ms|d|h|m|s)\b)
      | (?P<number>\d+(?:\.\d+)?)
      | (?P<name>[A-Za-z_$][A-Za-z0-9_]*)
      | (?P<mark>!in~|!in\b|!has\b|!contains\b|!startswith\b|!endswith\b|==|!=|=~|!~|<=|>=|\.\.|[-|()\[\],.:<>=+*/;~])
    """,
    re.VERBOSE,
)


class QueryError(ValueError):
    """What Log Analytics answers: `kind` SyntaxError or SemanticError, its own code, its sentence."""

    def __init__(self, kind: str, code: str, message: str) -> None:
        super().__init__(message)
        self.kind, self.code, self.message = kind, code, message


def semantic(code: str, message: str) -> QueryError:
    return QueryError("SemanticError", code, message)


@dataclass(frozen=True)
class Word:
    kind: str
    text: str
    at: int


def words(text: str) -> list[Word]:
    found, at = [], 0
    while at < len(text):
        match = _WORD.match(text, at)
        if match is None:
            raise unreadable(text[at], at)
        if match.lastgroup != "space":
            found.append(Word(str(match.lastgroup), match.group(), at))
        at = match.end()
    return found


def unreadable(token: str, at: int) -> QueryError:
    return QueryError("SyntaxError", "SYN0002", f"Query could not be parsed at '{token}' on [{at}]")
