# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tables for a terminal: plain text, no control characters, whatever the clouds and the vantages said."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

# CSI, OSC and two-character escape sequences, with a terminator or cut off.
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]?|\][^\x07\x1b]*(?:\x07|\x1b\\)?|.)?", re.DOTALL)
_LONGEST = 400


def plain(text: object, longest: int = _LONGEST) -> str:
    """One line of visible text: escape sequences removed, other control and formatting characters become a space."""
    bare = _ESCAPES.sub("", str(text))
    shown = "".join(
        " " if unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Zl", "Zp") else sign
        for sign in bare
    )
    line = " ".join(shown.split())
    return line if len(line) <= longest else line[: longest - 1] + "…"


def table(head: Sequence[object], rows: Sequence[Sequence[object]]) -> str:
    """Columns as wide as their widest cell, a line under the head."""
    lines = [[plain(cell) for cell in row] for row in (head, *rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    lines.insert(1, ["-" * width for width in widths])
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )
