# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""DNS questions asked directly, so that every answer, the CNAME chain and the TTLs are seen.

getaddrinfo hides all of that; it is asked too (see resolver.py), since it is what clients use. Messages are read in
dns_message.py. RFC 7766 (TCP after a truncated answer).
"""

from __future__ import annotations

import secrets
import socket
import struct
from typing import Any, List

from .dns_message import TYPES, MalformedMessage, Reply, build, parse
from .text import plain
from .together import now

__all__ = ["TYPES", "MalformedMessage", "Reply", "ask", "build", "parse"]

_TRUNCATED = 0x0200
_TRIES_PER_SERVER = 2
_HEADER = 12
# More than this many wrong answers to one question is a flood, and reading on would only cost time.
_MOST_STRANGERS = 1000


def ask(name: str, kind: str, servers: List[str], timeout: float, port: int = 53) -> Reply:
    """Ask the servers in turn, twice each, within `timeout` seconds altogether."""
    ends = now() + timeout
    patience = timeout / (_TRIES_PER_SERVER * max(1, len(servers)))
    error, status = "no name server", "error"
    for server in list(servers) * _TRIES_PER_SERVER:
        until = min(now() + patience, ends)
        if until <= now():
            break
        try:
            reply = _ask_one(name, kind, server, until, port)
        except socket.timeout:
            status, error = "timeout", f"{server} did not answer {kind}"
        except (OSError, MalformedMessage) as problem:
            status, error = "error", f"{server}: {plain(problem, 200)}"
        else:
            reply.server = server
            if reply.status != "error":
                return reply
            status, error = reply.status, f"{server}: {reply.error}"
    return Reply(status, error=error)


def _ask_one(name: str, kind: str, server: str, ends: float, port: int) -> Reply:
    number = secrets.randbelow(65536)
    question = build(name, TYPES[kind], number)
    family, _kind, _protocol, _canonical, address = socket.getaddrinfo(
        server, port, type=socket.SOCK_DGRAM, flags=socket.AI_NUMERICHOST
    )[0]
    message = _over_udp(question, family, address, ends)
    if struct.unpack(">H", message[2:4])[0] & _TRUNCATED:
        message = _over_tcp(question, family, address, ends)
    return parse(message, name, kind, number)


def _over_udp(question: bytes, family: int, address: Any, ends: float) -> bytes:
    with socket.socket(family, socket.SOCK_DGRAM) as channel:
        # Connected: the kernel drops what other addresses send.
        channel.settimeout(_left(ends))
        channel.connect(address)
        channel.send(question)
        for _unused in range(_MOST_STRANGERS):
            channel.settimeout(_left(ends))
            message = channel.recv(65535)
            # A late answer to an earlier question is not an answer to this one.
            if len(message) >= _HEADER and message[:2] == question[:2]:
                return message
    raise MalformedMessage("it answers with nothing but answers to other questions")


def _over_tcp(question: bytes, family: int, address: Any, ends: float) -> bytes:
    with socket.socket(family, socket.SOCK_STREAM) as channel:
        channel.settimeout(_left(ends))
        channel.connect(address)
        channel.settimeout(_left(ends))
        channel.sendall(struct.pack(">H", len(question)) + question)
        (length,) = struct.unpack(">H", _exactly(channel, 2, ends))
        return _exactly(channel, length, ends)


def _exactly(channel: socket.socket, length: int, ends: float) -> bytes:
    data = bytearray()
    while len(data) < length:
        # A server that sends a byte now and then must not start the wait again with each.
        channel.settimeout(_left(ends))
        part = channel.recv(length - len(data))
        if not part:
            raise MalformedMessage("the connection ended inside an answer")
        data += part
    return bytes(data)


def _left(ends: float) -> float:
    left = ends - now()
    if left <= 0:
        raise socket.timeout
    return left
