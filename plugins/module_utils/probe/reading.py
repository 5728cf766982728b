# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An HTTP answer read within a time and a size, whatever the server sends, and however slowly."""

from __future__ import annotations

import http.client
import io
import socket
import ssl
from typing import Any

from .together import now

# Headers and the part of the body that is read, together.
_MOST_BYTES = 96 * 1024


class TooMuch(http.client.HTTPException):
    """The answer goes on beyond what is read of one."""


class Bounded:
    """What http.client takes for a socket: reads until `ends` (a `now()`), and only so much."""

    def __init__(self, channel: ssl.SSLSocket, ends: float) -> None:
        self._channel, self._ends = channel, ends

    def makefile(self, *_mode: Any) -> io.BufferedReader:
        """The one stream that an answer is read from."""
        return io.BufferedReader(_Stream(self._channel, self._ends))


class _Stream(io.RawIOBase):
    def __init__(self, channel: ssl.SSLSocket, ends: float) -> None:
        super().__init__()
        self._channel, self._ends, self._read = channel, ends, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        left = self._ends - now()
        if left <= 0:
            raise socket.timeout("timed out")
        if self._read >= _MOST_BYTES:
            raise TooMuch(f"an answer of more than {_MOST_BYTES} bytes")
        # One wait for all reads: each gets what is left of it.
        self._channel.settimeout(left)
        got = self._channel.recv_into(buffer)
        self._read += got
        return got
