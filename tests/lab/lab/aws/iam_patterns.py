# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wildcards, ARNs and policy variables, as policies write them.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable

# What a variable stands for; None when the request does not say.
Lookup = Callable[[str], str | None]

_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_COLON = re.compile(r":(?![^{]*\})")
_LITERALS = {"*": "*", "?": "?", "$": "$"}


def _value(variable: str, lookup: Lookup) -> str | None:
    if variable in _LITERALS:
        return _LITERALS[variable]
    name, _, default = variable.partition(",")
    found = lookup(name.strip())
    if found is None and default:
        return default.strip().strip("'")
    return found


def expand(text: str, lookup: Lookup) -> str | None:
    """The text with its variables replaced, or None when one of them has no value."""
    pieces = _VARIABLE.split(text)  # literal, variable, literal, ...
    for index in range(1, len(pieces), 2):
        found = _value(pieces[index], lookup)
        if found is None:
            return None
        pieces[index] = found
    return "".join(pieces)


def glob(pattern: str, text: str, lookup: Lookup | None = None, ignore_case: bool = False) -> bool:
    """Whether `*` (any run) and `?` (one character) match the whole text.

    Variables are replaced by literal text when `lookup` is given: a `*` in a value is no wildcard.
    """
    pieces = _VARIABLE.split(pattern) if lookup else [pattern]
    expression = ""
    for index, piece in enumerate(pieces):
        if index % 2 == 0:
            expression += _wildcards(piece)
            continue
        found = _value(piece, lookup) if lookup else None
        if found is None:
            return False
        expression += re.escape(found)
    return bool(_compiled(expression, ignore_case).fullmatch(text))


def _wildcards(piece: str) -> str:
    return "".join({"*": ".*", "?": "."}.get(each) or re.escape(each) for each in piece)


@functools.lru_cache(maxsize=4096)
def _compiled(expression: str, ignore_case: bool) -> re.Pattern[str]:
    return re.compile(expression, re.DOTALL | (re.IGNORECASE if ignore_case else 0))


def arn_matches(pattern: str, arn: str, lookup: Lookup | None = None) -> bool:
    """Whether an ARN matches: each of the six parts by itself; missing parts of the pattern are `*`.

    A bare `*` matches anything, an ARN or not (the resource of an action without resources is `*`).
    """
    if pattern == "*":
        return True
    wanted = _COLON.split(pattern, maxsplit=5)
    given = arn.split(":", 5)
    if len(given) != 6:
        return False
    wanted += ["*"] * (6 - len(wanted))
    return all(glob(part, text, lookup) for part, text in zip(wanted, given, strict=True))
