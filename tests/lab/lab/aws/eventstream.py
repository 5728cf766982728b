# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""AWS's event stream encoding, in which streaming operations answer.

https://smithy.io/2.0/aws/amazon-eventstream.html: each message is total length, header length and a CRC32 of
both, then the headers, the payload and a CRC32 of everything before it.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterable, Mapping
from typing import Any

CONTENT_TYPE = "application/vnd.amazon.eventstream"
_STRING = 7


def encode(events: Iterable[tuple[str, Mapping[str, Any]]]) -> bytes:
    """A whole stream of (event type, JSON payload)."""
    return b"".join(_message(name, json.dumps(payload).encode()) for name, payload in events)


def exception(name: str, message: str) -> bytes:
    """A stream that ends in an exception of the operation's model (its member's name)."""
    return _message(name, json.dumps({"message": message}).encode(), "exception")


def _message(name: str, payload: bytes, kind: str = "event") -> bytes:
    headers = b"".join(
        _header(key, value)
        for key, value in (
            (f":{kind}-type", name),
            (":content-type", "application/json"),
            (":message-type", kind),
        )
    )
    prelude = struct.pack("!II", 12 + len(headers) + len(payload) + 4, len(headers))
    message = prelude + struct.pack("!I", zlib.crc32(prelude)) + headers + payload
    return message + struct.pack("!I", zlib.crc32(message))


def _header(key: str, value: str) -> bytes:
    name, text = key.encode(), value.encode()
    return struct.pack("!B", len(name)) + name + struct.pack("!BH", _STRING, len(text)) + text
