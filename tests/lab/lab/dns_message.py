# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""DNS messages (RFC 1035, EDNS0 from RFC 6891): questions in, answers out, bytes and nothing else."""

from __future__ import annotations

import ipaddress
import struct
from dataclasses import dataclass

from lab.cloud import DnsAnswer

TYPES = {
    "A": 1,
    "NS": 2,
    "CNAME": 5,
    "SOA": 6,
    "PTR": 12,
    "MX": 15,
    "TXT": 16,
    "AAAA": 28,
    "SRV": 33,
    "HTTPS": 65,
    "CAA": 257,
}
_TYPE_NAMES = {number: name for name, number in TYPES.items()}
_CLASS_IN, _OPT = 1, 41
_NOERROR, _FORMERR, _SERVFAIL, _NXDOMAIN, _NOTIMP = 0, 1, 2, 3, 4
_QR, _AA, _TC, _RD, _RA = 0x8000, 0x0400, 0x0200, 0x0100, 0x0080
_SMALLEST, _LARGEST = 512, 4096  # bytes of a UDP answer: without EDNS, and at most with it
_HEADER = struct.Struct("!HHHHHH")


class Malformed(ValueError):
    """These bytes are no DNS question."""


@dataclass(frozen=True)
class Question:
    """One question. `name` is in lower case without the trailing dot, `raw` is its wire form as asked
    (resolvers check that the answer repeats their spelling), `limit` the bytes that fit in UDP."""

    identifier: int
    flags: int
    name: str
    raw: bytes
    qtype: str
    number: int
    limit: int
    edns: bool

    @property
    def is_query(self) -> bool:
        return not self.flags & 0x7800


def parse(message: bytes) -> Question:
    """Read a question. Raises Malformed; names in questions are never compressed."""
    try:
        identifier, flags, questions, _, _, additional = _HEADER.unpack_from(message)
        if flags & _QR or questions != 1:
            raise Malformed("not one question")
        labels, position = [], _HEADER.size
        while length := message[position]:
            if length > 63:
                raise Malformed("a label over 63 bytes")
            labels.append(message[position + 1 : position + 1 + length].decode("ascii"))
            position += 1 + length
        raw = message[_HEADER.size : position + 1]
        number, _ = struct.unpack_from("!HH", message, position + 1)
        limit = _edns_limit(message[position + 5 :]) if additional else 0
    except (IndexError, struct.error, UnicodeDecodeError) as error:
        raise Malformed("cut short or not ASCII") from error
    return Question(
        identifier,
        flags,
        ".".join(labels).lower(),
        raw,
        _TYPE_NAMES.get(number, f"TYPE{number}"),
        number,
        min(max(limit, _SMALLEST), _LARGEST),
        bool(limit),
    )


def _edns_limit(rest: bytes) -> int:
    """The requester's UDP size from an OPT record, which has the root's name; 0 if there is none."""
    if len(rest) >= 11 and rest[0] == 0:
        kind, size = struct.unpack_from("!HH", rest, 1)
        if kind == _OPT:
            return max(int(size), _SMALLEST)
    return 0


def refuse(message: bytes) -> bytes | None:
    """FORMERR for bytes that parse() did not like; None if they are too short to answer."""
    if len(message) < _HEADER.size or message[2] & 0x80:
        return None
    return _HEADER.pack(int.from_bytes(message[:2], "big"), _QR | _FORMERR, 0, 0, 0, 0)


def servfail(question: Question) -> bytes:
    """Say that answering failed."""
    return _assemble(question, _QR | _RA | (question.flags & _RD) | _SERVFAIL, [], [])


def answer(question: Question, found: DnsAnswer | None, udp: bool) -> bytes:
    """The answer's bytes; None stands for a name that nobody serves: NXDOMAIN."""
    if not question.is_query:
        return _HEADER.pack(
            question.identifier, _QR | (question.flags & 0x7800) | _NOTIMP, 0, 0, 0, 0
        )
    records = _answers(question, found) if found else []
    # A negative answer needs the zone's SOA, or resolvers do not know how long to remember it.
    authority = [] if found and found.addresses else [_soa(question)]
    code = _NXDOMAIN if found is None or found.status == "nxdomain" else _NOERROR
    flags = _QR | _AA | _RA | (question.flags & _RD) | code
    whole = _assemble(question, flags, records, authority)
    if udp and len(whole) > question.limit:
        return _assemble(question, flags | _TC, [], [])
    return whole


def _assemble(
    question: Question, flags: int, records: list[bytes], authority: list[bytes]
) -> bytes:
    opt = [b"\0" + struct.pack("!HHIH", _OPT, _LARGEST, 0, 0)] if question.edns else []
    header = _HEADER.pack(question.identifier, flags, 1, len(records), len(authority), len(opt))
    asked = question.raw + struct.pack("!HH", question.number, _CLASS_IN)
    return header + asked + b"".join(records) + b"".join(authority) + b"".join(opt)


def _name(text: str) -> bytes:
    labels = [label.encode("ascii") for label in text.rstrip(".").split(".") if label]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def _record(owner: bytes, kind: int, ttl: int, data: bytes) -> bytes:
    return owner + struct.pack("!HHIH", kind, _CLASS_IN, ttl, len(data)) + data


def _answers(question: Question, found: DnsAnswer) -> list[bytes]:
    owner, records = question.raw, []
    for alias, target in found.chain:
        spelled = question.raw if alias == question.name else _name(alias)
        records.append(_record(spelled, TYPES["CNAME"], found.ttl, _name(target)))
        owner = _name(target)
    for address in found.addresses:
        packed = ipaddress.ip_address(address).packed
        kind = TYPES["A"] if len(packed) == 4 else TYPES["AAAA"]
        records.append(_record(owner, kind, found.ttl, packed))
    return records


def _soa(question: Question) -> bytes:
    """A start of authority for the parent of the name (the root for a top-level name)."""
    _, _, parent = question.name.partition(".")
    numbers = struct.pack("!IIIII", 1, 7200, 900, 1209600, 60)
    data = _name("ns.lab.invalid") + _name("hostmaster.lab.invalid") + numbers
    return _record(_name(parent), TYPES["SOA"], 60, data)
