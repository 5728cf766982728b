# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small schema for sections of a world file.

A schema is a type or a tuple of types, a pattern, a list of one item schema, {"*": schema} for free
keys, or a mapping of keys; a key that ends in `!` is required.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any


def problems(schema: Any, value: Any, path: str) -> Iterator[str]:
    """What is wrong with a value, each with its path."""
    if isinstance(schema, dict):
        yield from _mapping(schema, value, path)
    elif isinstance(schema, list):
        yield from _list(schema[0], value, path)
    elif isinstance(schema, re.Pattern):
        if not isinstance(value, str) or not schema.fullmatch(value):
            yield f"{path}: must match {schema.pattern}, not {value!r}"
    elif schema is not object and not _is(value, schema):
        yield f"{path}: must be {_words(schema)}, not {value!r}"


def _mapping(schema: dict[str, Any], value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{path}: must be a mapping"
        return
    if "*" in schema:
        for key, each in value.items():
            yield from problems(schema["*"], each, f"{path}.{key}")
        return
    keys = {each.rstrip("!"): inner for each, inner in schema.items()}
    for key, each in value.items():
        if key in keys:
            yield from problems(keys[key], each, f"{path}.{key}")
        else:
            yield f"{path}.{key}: unknown key (known: {', '.join(sorted(keys))})"
    for key in schema:
        if key.endswith("!") and key[:-1] not in value:
            yield f"{path}.{key[:-1]}: missing"


def _list(schema: Any, value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, list):
        yield f"{path}: must be a list"
        return
    for number, each in enumerate(value):
        label = ""
        if isinstance(each, dict):
            shown = each.get("id") or each.get("name") or each.get("client_id")
            label = f" ({shown})" if shown else ""
        yield from problems(schema, each, f"{path}[{number}]{label}")


def _is(value: Any, types: Any) -> bool:
    wanted = types if isinstance(types, tuple) else (types,)
    if isinstance(value, bool):
        return bool in wanted
    return isinstance(value, wanted)


def _words(types: Any) -> str:
    wanted = types if isinstance(types, tuple) else (types,)
    return " or ".join(each.__name__ for each in wanted)
