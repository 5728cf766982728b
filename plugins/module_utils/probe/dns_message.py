# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""DNS messages, written and read. Whatever is in one, reading it ends, and what it names is text.

RFC 1035 (messages, name compression), RFC 2181, section 8 (a TTL with its highest bit set counts as zero).
"""

from __future__ import annotations

import ipaddress
import struct
from dataclasses import dataclass, field
from typing import Any, Dict, List, Tuple

TYPES = {"A": 1, "AAAA": 28}
CNAME = 5
IN = 1
_RECURSION_DESIRED = 0x0100
_RESPONSE = 0x8000
_NXDOMAIN = 3
_RCODES = {1: "FORMERR", 2: "SERVFAIL", 4: "NOTIMP", 5: "REFUSED"}
_LONGEST_NAME = 255
# A name has 127 labels at most, and no honest message points more often than that.
_MOST_STEPS = 128
_MOST_TTL = 0x7FFFFFFF
# Longer than any chain that a resolver follows.
_LONGEST_CHAIN = 32


class MalformedMessage(Exception):
    """What came back is no DNS answer to the question."""


@dataclass
class Reply:
    """One question's answer.

    status: ok | nxdomain | nodata | timeout | error. chain: the names that CNAMEs led to, in order.
    answers: `{type, address, ttl}` with the TTL in seconds. ttl: the smallest of the aliases and answers, after which
    a cache asks again. server: who answered.
    """

    status: str
    chain: List[str] = field(default_factory=list)
    answers: List[Dict[str, Any]] = field(default_factory=list)
    error: str | None = None
    ttl: int | None = None
    server: str | None = None


def build(name: str, kind: int, number: int) -> bytes:
    """A recursive question for one name. Raises MalformedMessage for a name that DNS cannot hold."""
    header = struct.pack(">HHHHHH", number, _RECURSION_DESIRED, 1, 0, 0, 0)
    try:
        labels = [label.encode("idna") for label in name.rstrip(".").split(".")]
    except UnicodeError as problem:
        raise MalformedMessage(f"{name[:80]} is no host name: {problem}") from problem
    encoded = b"".join(bytes([len(label)]) + label for label in labels) + b"\0"
    if len(encoded) > _LONGEST_NAME or b"" in labels:
        raise MalformedMessage(f"{name[:80]} is no host name: it is too long, or empty")
    return header + encoded + struct.pack(">HH", kind, IN)


def parse(message: bytes, name: str, kind: str, number: int) -> Reply:
    """Read an answer; follows the CNAMEs from `name` and leaves out what does not belong to it."""
    try:
        return _parse(message, name, kind, number)
    except (struct.error, IndexError, ValueError) as problem:
        raise MalformedMessage(f"malformed answer: {problem}") from problem


def _parse(message: bytes, name: str, kind: str, number: int) -> Reply:
    got, flags, questions, count = struct.unpack(">HHHH", message[:8])
    if got != number or not flags & _RESPONSE:
        raise MalformedMessage("an answer to another question")
    code = flags & 0x000F
    if code not in (0, _NXDOMAIN):
        return Reply("error", error=f"{_RCODES.get(code, f'RCODE {code}')} for {kind}")
    asked = name.rstrip(".").lower()
    at = _after_questions(message, questions, asked, TYPES[kind])
    aliases: Dict[str, Tuple[str, int]] = {}
    found: List[Tuple[str, Dict[str, Any]]] = []
    for _unused in range(count):
        owner, at = _read_name(message, at)
        rtype, _unused, ttl, length = struct.unpack(">HHIH", message[at : at + 10])
        at += 10
        ttl = 0 if ttl > _MOST_TTL else ttl
        if rtype == CNAME:
            aliases[owner] = (_read_name(message, at)[0], ttl)
        elif rtype == TYPES[kind]:
            address = str(ipaddress.ip_address(message[at : at + length]))
            found.append((owner, {"type": kind, "address": address, "ttl": ttl}))
        at += length
    first = _spelled(asked)
    chain, ttls = _follow(aliases, first)
    last = chain[-1] if chain else first
    answers = [answer for owner, answer in found if owner == last]
    lasts = min([*ttls, *(answer["ttl"] for answer in answers)], default=None)
    if code == _NXDOMAIN:
        return Reply("nxdomain", chain, ttl=lasts)
    return Reply("ok" if answers else "nodata", chain, answers, ttl=lasts)


def _after_questions(message: bytes, questions: int, asked: str, kind: int) -> int:
    """Where the answers begin. A question that is repeated must be the one that was asked."""
    at = 12
    for _unused in range(questions):
        owner, at = _read_name(message, at)
        (got,) = struct.unpack(">H", message[at : at + 2])
        if owner != _spelled(asked) or got != kind:
            raise MalformedMessage("an answer to another question")
        at += 4
    return at


def _spelled(name: str) -> str:
    """A host name as messages spell it: as it is where it is ASCII, else in IDNA."""
    try:
        return ".".join(label.encode("idna").decode("ascii") for label in name.split(".")).lower()
    except UnicodeError:
        return name


def _follow(aliases: Dict[str, Tuple[str, int]], name: str) -> Tuple[List[str], List[int]]:
    chain: List[str] = []
    ttls: List[int] = []
    while name in aliases and aliases[name][0] not in chain and len(chain) < _LONGEST_CHAIN:
        name, ttl = aliases[name]
        chain.append(name)
        ttls.append(ttl)
    return chain, ttls


def _read_name(message: bytes, at: int) -> Tuple[str, int]:
    """The lower-case name at an offset, and the offset after it. RFC 1035, section 5.1, for what is not printable."""
    labels: List[str] = []
    after = None
    size = 0
    for _unused in range(_MOST_STEPS):
        length = message[at]
        if length >= 0xC0:
            after = at + 2 if after is None else after
            at = struct.unpack(">H", message[at : at + 2])[0] & 0x3FFF
        elif length > 63:
            raise MalformedMessage("a label of a kind that nobody uses")
        elif length == 0:
            return ".".join(labels).lower(), at + 1 if after is None else after
        else:
            label = message[at + 1 : at + 1 + length]
            size += 1 + length
            if len(label) < length or size > _LONGEST_NAME:
                raise MalformedMessage("a name longer than names can be")
            labels.append("".join(_printable(octet) for octet in label))
            at += 1 + length
    raise MalformedMessage("a name that points at itself")


def _printable(octet: int) -> str:
    if octet in b'."();@$\\':
        return "\\" + chr(octet)
    return chr(octet) if 0x21 <= octet <= 0x7E else f"\\{octet:03d}"
