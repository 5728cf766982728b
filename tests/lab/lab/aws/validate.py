# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether parameters keep what the service's model demands of them."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import Any

from .errors import Violation
from .models import Shape


def violations(shape: Shape | None, value: Any, path: str = "") -> Iterator[Violation]:
    """Every required member that is missing, and every enum, range, length or pattern that is broken."""
    if shape is None or value is None:
        return
    if shape.type_name == "structure":
        if getattr(shape, "is_document_type", False):
            return
        for name in shape.required_members:
            if value.get(name) is None:
                yield Violation(f"{path}.{name}" if path else name, "missing")
        for name, item in value.items():
            yield from violations(shape.members[name], item, f"{path}.{name}" if path else name)
        return
    yield from _limits(shape, value, path)
    if shape.type_name == "list":
        for index, item in enumerate(value):
            yield from violations(shape.member, item, f"{path}.{index + 1}.member")
    elif shape.type_name == "map":
        for key, item in value.items():
            yield from violations(shape.value, item, f"{path}.{key}")


def _limits(shape: Shape, value: Any, path: str) -> Iterator[Violation]:
    metadata = shape.metadata
    if shape.type_name == "string" and "enum" in metadata and value not in metadata["enum"]:
        yield Violation(path, "enum", value, metadata["enum"])
        return
    size = value if isinstance(value, (int, float)) else None
    if isinstance(value, (str, bytes, list, dict)):
        size = len(value)
    if size is not None and not isinstance(value, bool):
        if "min" in metadata and size < metadata["min"]:
            yield Violation(path, "min", value, metadata["min"])
        if "max" in metadata and size > metadata["max"]:
            yield Violation(path, "max", value, metadata["max"])
    if shape.type_name == "string" and "pattern" in metadata:
        pattern = _compiled(metadata["pattern"])
        if pattern is not None and not pattern.search(value):
            yield Violation(path, "pattern", value, metadata["pattern"])


@functools.cache
def _compiled(pattern: str) -> re.Pattern[str] | None:
    """The pattern for Python; None for the few that only Java's dialect knows."""
    try:
        return re.compile(pattern)
    except re.error:
        return None
