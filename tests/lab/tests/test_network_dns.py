# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""DNS messages: bytes in, bytes out."""

from __future__ import annotations

import socket
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab import dns_message
from lab.cloud import DnsAnswer
from lab.dns_message import Malformed

_label = st.text("abcdefghijklmnopqrstuvwxyz0123456789-_", min_size=1, max_size=20)
_name = st.lists(_label, min_size=1, max_size=6).map(".".join)


def _wire(name: str) -> bytes:
    return b"".join(bytes([len(each)]) + each.encode() for each in name.split(".")) + b"\0"


def _query(name: str, qtype: int = 1, edns: int = 0) -> bytes:
    head = struct.pack("!HHHHHH", 77, 0x0100, 1, 0, 0, bool(edns))
    opt = b"\0" + struct.pack("!HHIH", 41, edns, 0, 0) if edns else b""
    return head + _wire(name) + struct.pack("!HH", qtype, 1) + opt


def _records(message: bytes) -> tuple[int, list[tuple[str, int, int, bytes]]]:
    """The flags, and the answers as (owner, type, ttl, data). Names in answers are not compressed."""
    _, flags, _, answers, _, _ = struct.unpack_from("!HHHHHH", message)

    def name(at: int) -> tuple[str, int]:
        labels = []
        while message[at]:
            labels.append(message[at + 1 : at + 1 + message[at]].decode())
            at += 1 + message[at]
        return ".".join(labels), at + 1

    _, at = name(12)
    at, found = at + 4, []
    for _ in range(answers):
        owner, at = name(at)
        kind, _, ttl, length = struct.unpack_from("!HHIH", message, at)
        found.append((owner, kind, ttl, message[at + 10 : at + 10 + length]))
        at += 10 + length
    return flags, found


@given(_name, st.sampled_from([1, 5, 28, 65, 999]))
def test_a_question_is_read_as_it_was_asked(name, qtype):
    question = dns_message.parse(_query(name.upper(), qtype))
    assert (question.name, question.number, question.identifier) == (name, qtype, 77)
    assert question.raw == _wire(name.upper())


@given(st.binary(max_size=80))
def test_no_bytes_do_worse_than_malformed(message):
    try:
        question = dns_message.parse(message)
    except Malformed:
        assert dns_message.refuse(message) is None or message[2] < 0x80
    else:
        assert dns_message.answer(question, None, udp=True)


@given(_name, _name, st.lists(st.ip_addresses(v=4), min_size=1, max_size=5))
def test_a_chain_leads_from_the_name_to_its_addresses(name, end, addresses):
    found = DnsAnswer("ok", ((name, end),), tuple(map(str, addresses)), 33)
    message = dns_message.answer(dns_message.parse(_query(name.title())), found, udp=False)
    flags, (alias, *rest) = _records(message)
    assert flags & 0x8580 == 0x8580  # an answer, authoritative, recursion offered
    assert (alias[0].lower(), alias[1], alias[2], alias[3]) == (name, 5, 33, _wire(end))
    assert [each[:3] for each in rest] == [(end, 1, 33)] * len(addresses)
    assert [each[3] for each in rest] == [each.packed for each in addresses]


@pytest.mark.parametrize(
    ("found", "code"), [(None, 3), (DnsAnswer("nxdomain"), 3), (DnsAnswer("nodata"), 0)]
)
def test_negative_answers_carry_a_start_of_authority(found, code):
    message = dns_message.answer(dns_message.parse(_query("a.b.test")), found, udp=True)
    assert struct.unpack_from("!HHHHHH", message)[1] & 0xF == code
    assert struct.unpack_from("!HHHHHH", message)[2:] == (1, 0, 1, 0)


@pytest.mark.parametrize(("edns", "limit"), [(0, 512), (100, 512), (1232, 1232), (9000, 4096)])
def test_what_does_not_fit_is_cut_over_udp_alone(edns, limit):
    question = dns_message.parse(_query("many.test", edns=edns))
    found = DnsAnswer("ok", (), tuple(f"203.0.113.{number}" for number in range(256)))
    cut = dns_message.answer(question, found, udp=True)
    assert len(cut) <= limit
    assert _records(cut)[0] & 0x0200
    flags, records = _records(dns_message.answer(question, found, udp=False))
    assert (flags & 0x0200, len(records)) == (0, 256)


def test_addresses_of_both_families_have_their_type():
    found = DnsAnswer("ok", (), ("2001:db8::1",))
    _, records = _records(
        dns_message.answer(dns_message.parse(_query("a.test", 28)), found, udp=True)
    )
    assert records == [("a.test", 28, 60, socket.inet_pton(socket.AF_INET6, "2001:db8::1"))]


def test_other_opcodes_are_not_implemented():
    message = bytearray(_query("a.test"))
    message[2] |= 0x28  # an update
    answer = dns_message.answer(dns_message.parse(bytes(message)), None, udp=True)
    assert struct.unpack_from("!HH", answer)[1] & 0xF == 4
