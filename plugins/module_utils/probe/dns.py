# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""DNS questions asked directly, so that every answer, the CNAME chain and the TTLs are seen.

getaddrinfo hides all of that; it is asked too (see resolver.py), since it is what clients use.
RFC 1035 (messages, name compression), RFC 7766 (TCP after a truncated answer).
"""

from __future__ import annotations

import ipaddress
import secrets
import socket
import struct
import time
from dataclasses import dataclass, field
from typing import Any, Dict, List, Tuple

TYPES = {"A": 1, "AAAA": 28}
CNAME = 5
IN = 1
_TRUNCATED = 0x0200
_RECURSION_DESIRED = 0x0100
_RESPONSE = 0x8000
_NXDOMAIN = 3
_RCODES = {1: "FORMERR", 2: "SERVFAIL", 4: "NOTIMP", 5: "REFUSED"}
_TRIES_PER_SERVER = 2


class MalformedMessage(Exception):
    """What came back is no DNS answer to the question."""


@dataclass
class Reply:
    """One question's answer.

    status: ok | nxdomain | nodata | timeout | error. chain: the names that CNAMEs led to, in order.
    answers: `{type, address, ttl}` with the TTL in seconds.
    """

    status: str
    chain: List[str] = field(default_factory=list)
    answers: List[Dict[str, Any]] = field(default_factory=list)
    error: str | None = None


def ask(name: str, kind: str, servers: List[str], timeout: float, port: int = 53) -> Reply:
    """Ask the servers in turn, twice each, within `timeout` seconds altogether."""
    ends = time.monotonic() + timeout
    patience = timeout / (_TRIES_PER_SERVER * len(servers))
    error, status = "no name server", "error"
    for server in list(servers) * _TRIES_PER_SERVER:
        left = min(patience, ends - time.monotonic())
        if left <= 0:
            break
        try:
            reply = _ask_one(name, kind, server, left, port)
        except socket.timeout:
            status, error = "timeout", f"{server} did not answer {kind}"
        except (OSError, MalformedMessage) as problem:
            status, error = "error", f"{server}: {problem}"
        else:
            if reply.status != "error":
                return reply
            status, error = reply.status, f"{server}: {reply.error}"
    return Reply(status, error=error)


def _ask_one(name: str, kind: str, server: str, timeout: float, port: int) -> Reply:
    number = secrets.randbelow(65536)
    question = build(name, TYPES[kind], number)
    family, _kind, _protocol, _canonical, address = socket.getaddrinfo(
        server, port, type=socket.SOCK_DGRAM, flags=socket.AI_NUMERICHOST
    )[0]
    message = _over_udp(question, number, family, address, timeout)
    if struct.unpack(">H", message[2:4])[0] & _TRUNCATED:
        message = _over_tcp(question, family, address, timeout)
    return parse(message, name, kind, number)


def _over_udp(question: bytes, number: int, family: int, address: Any, timeout: float) -> bytes:
    ends = time.monotonic() + timeout
    with socket.socket(family, socket.SOCK_DGRAM) as channel:
        # Connected: the kernel drops what other addresses send.
        channel.settimeout(timeout)
        channel.connect(address)
        channel.send(question)
        while True:
            left = ends - time.monotonic()
            if left <= 0:
                raise socket.timeout
            channel.settimeout(left)
            message = channel.recv(65535)
            # A late answer to an earlier question is not an answer to this one.
            if len(message) >= 12 and struct.unpack(">H", message[:2])[0] == number:
                return message


def _over_tcp(question: bytes, family: int, address: Any, timeout: float) -> bytes:
    with socket.socket(family, socket.SOCK_STREAM) as channel:
        channel.settimeout(timeout)
        channel.connect(address)
        channel.sendall(struct.pack(">H", len(question)) + question)
        (length,) = struct.unpack(">H", _exactly(channel, 2))
        return _exactly(channel, length)


def _exactly(channel: socket.socket, length: int) -> bytes:
    data = b""
    while len(data) < length:
        part = channel.recv(length - len(data))
        if not part:
            raise MalformedMessage("the connection ended inside an answer")
        data += part
    return data


def build(name: str, kind: int, number: int) -> bytes:
    """A recursive question for one name. Raises MalformedMessage for a name that DNS cannot hold."""
    header = struct.pack(">HHHHHH", number, _RECURSION_DESIRED, 1, 0, 0, 0)
    try:
        labels = [label.encode("idna") for label in name.rstrip(".").split(".")]
    except UnicodeError as problem:
        raise MalformedMessage(f"{name} is no host name: {problem}") from problem
    encoded = b"".join(bytes([len(label)]) + label for label in labels)
    return header + encoded + b"\0" + struct.pack(">HH", kind, IN)


def parse(message: bytes, name: str, kind: str, number: int) -> Reply:
    """Read an answer; follows the CNAMEs from `name` and leaves out what does not belong to it."""
    try:
        return _parse(message, name, kind, number)
    except (struct.error, IndexError, UnicodeDecodeError, ValueError) as problem:
        raise MalformedMessage(f"malformed answer: {problem}") from problem


def _parse(message: bytes, name: str, kind: str, number: int) -> Reply:
    got, flags, questions, count = struct.unpack(">HHHH", message[:8])
    if got != number or not flags & _RESPONSE:
        raise MalformedMessage("an answer to another question")
    code = flags & 0x000F
    if code not in (0, _NXDOMAIN):
        return Reply("error", error=f"{_RCODES.get(code, f'RCODE {code}')} for {kind}")
    at = 12
    for _unused in range(questions):
        at = _read_name(message, at)[1] + 4
    aliases: Dict[str, str] = {}
    found: List[Tuple[str, Dict[str, Any]]] = []
    for _unused in range(count):
        owner, at = _read_name(message, at)
        rtype, _unused, ttl, length = struct.unpack(">HHIH", message[at : at + 10])
        at += 10
        if rtype == CNAME:
            aliases[owner] = _read_name(message, at)[0]
        elif rtype == TYPES[kind]:
            address = str(ipaddress.ip_address(message[at : at + length]))
            found.append((owner, {"type": kind, "address": address, "ttl": ttl}))
        at += length
    chain = _follow(aliases, name.rstrip(".").lower())
    last = chain[-1] if chain else name.rstrip(".").lower()
    answers = [answer for owner, answer in found if owner == last]
    if code == _NXDOMAIN:
        return Reply("nxdomain", chain)
    return Reply("ok" if answers else "nodata", chain, answers)


def _follow(aliases: Dict[str, str], name: str) -> List[str]:
    chain: List[str] = []
    while name in aliases and aliases[name] not in chain:
        name = aliases[name]
        chain.append(name)
    return chain


def _read_name(message: bytes, at: int) -> Tuple[str, int]:
    """The lower-case name at an offset, and the offset after it."""
    labels: List[str] = []
    after = None
    for _unused in range(128):
        length = message[at]
        if length >= 0xC0:
            after = at + 2 if after is None else after
            at = struct.unpack(">H", message[at : at + 2])[0] & 0x3FFF
        elif length == 0:
            return ".".join(labels).lower(), at + 1 if after is None else after
        else:
            labels.append(message[at + 1 : at + 1 + length].decode("ascii"))
            at += 1 + length
    raise MalformedMessage("a name that points at itself")
