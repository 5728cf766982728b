# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Resolvers that mean harm: reading ends in time, nothing crashes, and what is shown is text."""

from __future__ import annotations

import ipaddress
import socket
import struct
import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.private_ai.endpoints.plugins.module_utils.probe import dns, text

from .hostile import datagram_server, dripping, message, over_tcp, stream_server
from .servers import Dns, a, cname, dns_server, encoded

HOST = "bedrock.us-east-1.amazonaws.com"
OWNER = b"\xc0\x0c"  # the name of the question


def ask(answers: Callable[[bytes], list[bytes]], timeout: float = 0.6) -> dns.Reply:
    with datagram_server(answers) as port:
        return dns.ask(HOST, "A", ["127.0.0.1"], timeout, port)


def record(kind: int, data: bytes, ttl: int = 60, owner: bytes = OWNER) -> bytes:
    return owner + struct.pack(">HHIH", kind, 1, ttl, len(data)) + data


def cut(question: bytes) -> list[bytes]:
    """Says that the whole answer is to be had over TCP."""
    return [message(question, b"", 0, cut=True)]


@pytest.mark.parametrize(
    ("records", "said"),
    [
        # A pointer to itself: the header has 12 bytes, and the question 37.
        (struct.pack(">H", 0xC000 | 49) + bytes(10), "points at itself"),
        (record(5, struct.pack(">H", 0xC000 | 61)), "points at itself"),
        (b"\xff\xff" + bytes(10), "malformed"),
        (record(5, b"\x3f" + b"a" * 63 + (b"\x3f" + b"b" * 63) * 4 + b"\0"), "longer than names"),
        (b"\x80" + bytes(20), "nobody uses"),
        (record(1, b"\x0a\x00"), "malformed"),
        (b"", "malformed"),
    ],
)
def test_names_and_records_that_are_none(records: bytes, said: str) -> None:
    reply = ask(lambda question: [message(question, records, 1)])
    assert reply.status == "error"
    assert said in (reply.error or "")


def test_a_flood_of_answers_to_other_questions_ends() -> None:
    def flood(question: bytes) -> list[bytes]:
        other = bytes([question[0] ^ 1]) + question[1:]
        return [message(other, record(1, b"\x0a\x00\x00\x01"), 1)] * 50

    started = time.monotonic()
    reply = ask(flood)
    assert time.monotonic() - started < 1.5
    assert (reply.status, reply.answers) == ("timeout", [])


def test_the_answer_to_another_name_is_not_taken() -> None:
    def other(question: bytes) -> list[bytes]:
        asked = question[:12] + encoded("login.example") + question[-4:]
        return [message(asked, record(1, b"\x0a\x00\x00\x01"), 1)]

    reply = ask(other)
    assert (reply.status, reply.answers) == ("error", [])
    assert "another question" in (reply.error or "")


@pytest.mark.parametrize("noise", [b"", b"\0", b"\x1b[2J" * 30, bytes(5000), b"<script>" * 8])
def test_garbage_is_no_answer(noise: bytes) -> None:
    reply = ask(lambda question: [question[:2] + noise, noise])
    assert reply.status in ("error", "timeout")
    assert (reply.error or "").isprintable()


def test_names_with_control_characters_and_markup_are_text() -> None:
    alias = "\x1b[31mred\n<b>.ex\\am.ple"
    records = [cname(HOST, alias), a(alias, "10.0.0.1")]
    with dns_server(Dns({1: records})) as port:
        reply = dns.ask(HOST, "A", ["127.0.0.1"], 1.0, port)
    assert reply.chain == ["\\027[31mred\\010<b>.ex\\\\am.ple"]
    assert [entry["address"] for entry in reply.answers] == ["10.0.0.1"]


def test_as_many_answers_as_a_message_holds_are_all_read() -> None:
    count = 4000
    first = int(ipaddress.ip_address("10.0.0.0"))
    records = b"".join(record(1, struct.pack(">I", first + n)) for n in range(count))

    def whole(channel: socket.socket) -> None:
        channel.sendall(over_tcp(message(channel.recv(65535)[2:], records, count)))

    with stream_server(whole) as port, datagram_server(cut, port):
        reply = dns.ask(HOST, "A", ["127.0.0.1"], 10.0, port)
    assert (reply.status, len({entry["address"] for entry in reply.answers})) == ("ok", count)


def test_an_answer_that_drips_over_tcp_ends_in_time() -> None:
    started = time.monotonic()
    with stream_server(dripping(b"\xff" * 100)) as port, datagram_server(cut, port):
        reply = dns.ask(HOST, "A", ["127.0.0.1"], 0.8, port)
    assert time.monotonic() - started < 1.2
    assert reply.status == "timeout"


def test_a_ttl_counts_the_aliases_and_who_answered_is_told() -> None:
    with dns_server(
        Dns({1: [(HOST, 5, 7, encoded("x.example")), a("x.example", "10.0.0.1")]})
    ) as port:
        reply = dns.ask(HOST, "A", ["127.0.0.1"], 1.0, port)
    assert (reply.ttl, reply.server) == (7, "127.0.0.1")
    endless = ask(lambda question: [message(question, record(1, b"\x0a\0\0\1", 0xFFFFFFFF), 1)])
    assert endless.ttl == 0


@given(st.binary(max_size=400), st.integers(0, 40))
def test_whatever_an_answer_holds_reading_it_ends(noise: bytes, count: int) -> None:
    question = dns.build(HOST, 1, 5)
    try:
        reply = dns.parse(message(question, noise, count), HOST, "A", 5)
    except dns.MalformedMessage:
        return
    assert all(name.isprintable() for name in reply.chain)


@given(st.text(max_size=300), st.integers(10, 200))
def test_text_stays_text(raw: str, longest: int) -> None:
    shown = text.plain(raw, longest)
    assert len(shown) <= longest
    assert not any(character in shown for character in "\x1b\n\r\x00\x9b\u202e\u2028")
    shown.encode("utf-8")
