# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What others wrote, as text that stays text: nothing in it moves a terminal's cursor, and it has an end.

Markup is left as it is, since it is text here; whoever makes a page of it escapes it there.
"""

from __future__ import annotations

import unicodedata

_ELLIPSIS = "…"
# Control (C0, C1), format (bidirectional overrides, zero width), lone surrogates, line and paragraph separators.
_UNSAFE = ("Cc", "Cf", "Cs", "Zl", "Zp")


def plain(text: object, longest: int) -> str:
    """At most `longest` characters; what is no visible character is shown by its number, as \\x1b or \\u202e."""
    # Cut first: a megabyte is not worth looking at.
    cut = str(text)[: longest + 1]
    shown = "".join(_shown(character) for character in cut)
    return shown if len(shown) <= longest else shown[: longest - 1] + _ELLIPSIS


def _shown(character: str) -> str:
    if unicodedata.category(character) not in _UNSAFE:
        return character
    number = ord(character)
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"
