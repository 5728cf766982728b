# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What clouds and vantages said, made fit for a reader: no secret, no control character, no endless name.

Evidence holds no secret by contract. An error text of a library or a proxy may, so that everything which enters a
report or a bundle passes through `scrubbed` once more.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Any, Final

HIDDEN: Final = "[hidden]"
# Longer texts are cut where they are shown; findings.json and the bundle have them whole.
LONGEST: Final = 1200

# Bounded, so that a name of any length takes a time that grows with it and no faster.
_SECRETS: Final = (
    re.compile(
        r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL
    ),
    # JSON web tokens, Google's access and refresh tokens, AWS session tokens.
    re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"),
    re.compile(r"\b(?:ya29\.|1//0)[A-Za-z0-9_.-]{16,}"),
    # Google's API keys.
    re.compile(r"\bAIza[0-9A-Za-z_-]{35}"),
    re.compile(r"\b(?:FwoG|IQoJ|FQoG)[A-Za-z0-9/+=]{60,}"),
)
# Keys of Azure's services say so in their middle.
_AZURE_KEY: Final = re.compile(r"[A-Za-z0-9+/]{40,90}AzCa[A-Za-z0-9+/]{4,40}={0,2}")
# A name that tells, and the value after it: the name stays, the value goes.
_NAMED: Final = re.compile(
    r"(?i)(\b(?:authorization|proxy-authorization|x-api-key|api[-_]?key|ocp-apim-subscription-key|client[-_]?secret|"
    r"aws[-_]secret[-_]access[-_]key|secret[-_]?access[-_]?key|secret[-_]?key|account[-_]?key|x-amz-security-token|"
    r"session[-_]?token|access[-_]?token|refresh[-_]?token|bearer[-_]?token|password|passwd|sig)\b"
    r"[\"']?\s*[:=>]\s*[\"']?(?:(?:bearer|basic)\s+)?)([^\s\"'&,;<>]{6,})"
)
_BEARER: Final = re.compile(r"(?i)(\b(?:bearer|basic)\s+)([A-Za-z0-9_.~+/=-]{16,})")
_URL_PASSWORD: Final = re.compile(
    r"(\b[a-z][a-z0-9+.-]{1,20}://[^\s/:@]{1,200}:)([^\s@]{1,400}(?:@[^\s@/]{1,400})*)(@)"
)

# CSI, OSC and two-character escape sequences, with a terminator or cut off.
_ESCAPES: Final = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]?|\][^\x07\x1b]*(?:\x07|\x1b\\)?|.)?", re.DOTALL
)
_INVISIBLE: Final = ("Cc", "Cf", "Cs", "Zl", "Zp")


# The shortest text that says a secret, and the longest that is worth remembering: reports repeat themselves.
_SHORTEST: Final = 10
_REPEATED: Final = 400


def scrub(text: str) -> str:
    """A text without what looks like a secret."""
    if len(text) < _SHORTEST:
        return text
    return _remembered(text) if len(text) <= _REPEATED else _scrub(text)


@lru_cache(maxsize=16_384)
def _remembered(text: str) -> str:
    return _scrub(text)


def _scrub(text: str) -> str:
    for pattern in _SECRETS:
        text = pattern.sub(HIDDEN, text)
    if "AzCa" in text:
        text = _AZURE_KEY.sub(HIDDEN, text)
    text = _NAMED.sub(rf"\1{HIDDEN}", text)
    text = _BEARER.sub(rf"\1{HIDDEN}", text)
    return _URL_PASSWORD.sub(rf"\1{HIDDEN}\3", text)


def scrubbed(value: Any) -> Any:
    """Plain data, the same way, in every text inside; keys stay."""
    if isinstance(value, str):
        return scrub(value)
    if isinstance(value, dict):
        return {str(key): scrubbed(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [scrubbed(item) for item in value]
    return value


def line(text: object, longest: int = LONGEST) -> str:
    """One line of visible text: no escape sequence, no control or direction mark, not longer than this."""
    bare = _ESCAPES.sub("", str(text))
    if not bare.isascii() or not bare.isprintable():
        bare = "".join(" " if unicodedata.category(sign) in _INVISIBLE else sign for sign in bare)
    shown = " ".join(bare.split())
    if len(shown) <= longest:
        return shown
    return f"{shown[:longest]}… ({len(shown) - longest} more characters)"


def lines(text: object, longest: int = LONGEST) -> list[str]:
    """The lines of a text, each made visible; empty ones are left out."""
    return [shown for part in str(text).splitlines() if (shown := line(part, longest))]
