# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""DNS questions against a real server on loopback."""

from __future__ import annotations

import socket
import struct
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.private_ai.endpoints.plugins.module_utils.probe import dns, resolver

from .servers import Dns, Record, a, cname, dns_server

HOST = "bedrock.us-east-1.amazonaws.com"
ALIAS = "vpce-1.bedrock.us-east-1.vpce.amazonaws.com"


def ask(server: Dns, kind: str = "A", host: str = HOST) -> dns.Reply:
    with dns_server(server) as port:
        return dns.ask(host, kind, ["127.0.0.1"], 2.0, port)


def test_every_answer_with_its_ttl() -> None:
    reply = ask(Dns({1: [a(HOST, "10.10.1.5", 7), a(HOST, "10.10.2.5", 8)]}))
    assert reply.status == "ok"
    assert reply.chain == []
    assert reply.answers == [
        {"type": "A", "address": "10.10.1.5", "ttl": 7},
        {"type": "A", "address": "10.10.2.5", "ttl": 8},
    ]


def test_ipv6_answers() -> None:
    reply = ask(Dns({28: [a(HOST, "fd00::5")]}), "AAAA")
    assert reply.answers == [{"type": "AAAA", "address": "fd00::5", "ttl": 60}]


def test_the_chain_of_aliases_whatever_the_order_and_case() -> None:
    records: list[Record] = [
        a("z.example", "10.0.0.1"),
        cname(ALIAS, "z.example"),
        cname(HOST, ALIAS.upper()),
        a("other.example", "203.0.113.1"),
    ]
    reply = ask(Dns({1: records}), host=HOST.upper() + ".")
    assert reply.chain == [ALIAS, "z.example"]
    assert [entry["address"] for entry in reply.answers] == ["10.0.0.1"]


def test_aliases_in_a_circle_end() -> None:
    reply = ask(Dns({1: [cname(HOST, ALIAS), cname(ALIAS, HOST)]}))
    assert (reply.status, reply.answers) == ("nodata", [])


def test_a_truncated_answer_is_asked_for_over_tcp() -> None:
    server = Dns({1: [a(HOST, f"10.0.{n // 250}.{n % 250}") for n in range(500)]}, cut=True)
    reply = ask(server)
    assert len(reply.answers) == 500
    assert server.over_tcp == 1


@pytest.mark.parametrize(
    ("code", "status", "error"),
    [(0, "nodata", None), (3, "nxdomain", None), (2, "error", "SERVFAIL")],
)
def test_no_answers(code: int, status: str, error: str | None) -> None:
    reply = ask(Dns({}, code))
    assert reply.status == status
    assert (error or "") in (reply.error or "")


def test_a_silent_server_is_a_timeout_and_the_next_one_is_asked() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.2", 0))
        port = silent.getsockname()[1]
        assert dns.ask(HOST, "A", ["127.0.0.2"], 0.2, port).status == "timeout"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.bind(("127.0.0.3", port))
            other.settimeout(2)

            # Answers the third question: the servers are asked in turn, and again.
            def answer() -> None:
                other.recvfrom(512)
                question, sender = other.recvfrom(512)
                other.sendto(Dns({1: [a(HOST, "10.0.0.1")]}).reply(question, False), sender)

            threading.Thread(target=answer, daemon=True).start()
            reply = dns.ask(HOST, "A", ["127.0.0.2", "127.0.0.3"], 2.0, port)
    assert reply.status == "ok"


def test_an_answer_to_another_question_is_not_taken() -> None:
    message = Dns({1: [a(HOST, "10.0.0.1")]}).reply(dns.build(HOST, 1, 5), False)
    assert dns.parse(message, HOST, "A", 5).status == "ok"
    with pytest.raises(dns.MalformedMessage):
        dns.parse(message, HOST, "A", 6)


@given(st.binary(max_size=80), st.integers(0, 200))
def test_malformed_answers_never_crash(noise: bytes, cut: int) -> None:
    whole = Dns({1: [cname(HOST, ALIAS), a(ALIAS, "10.0.0.1")]}).reply(dns.build(HOST, 1, 5), False)
    for message in (whole[:cut], whole[:12] + noise, struct.pack(">HH", 5, 0x8180) + noise):
        try:
            dns.parse(message, HOST, "A", 5)
        except dns.MalformedMessage:
            continue


def test_a_name_that_is_none_is_an_error() -> None:
    reply = dns.ask("x" * 64 + ".example", "A", ["127.0.0.1"], 1.0, 9)
    assert reply.status == "error"


def test_resolv_conf_and_hosts(tmp_path: Path) -> None:
    path = tmp_path / "resolv.conf"
    path.write_text("search a\n# nameserver 9.9.9.9\nnameserver 192.0.2.53\nnameserver fd00::53\n")
    assert resolver.nameservers(path) == ["192.0.2.53", "fd00::53"]
    assert resolver.nameservers(tmp_path / "none") == ["127.0.0.1"]
    path.write_text(f"10.0.0.1 x # {HOST}\n10.0.0.2\tother {HOST.upper()}\n")
    assert resolver.hosts_file(HOST, path) == ["10.0.0.2"]
    assert not resolver.hosts_file("other.example", path)
    path.write_text(f"10.0.0.1 x # {HOST}\n")
    assert not resolver.hosts_file(HOST, path)


def test_proxies_are_named_without_their_password() -> None:
    environment = {"HTTPS_PROXY": "http://u:pass@proxy.example:3128/", "all_proxy": "p2:80"}
    assert resolver.proxies(HOST, environment) == [
        {"variable": "HTTPS_PROXY", "host": "proxy.example:3128", "bypassed": False},
        {"variable": "all_proxy", "host": "p2:80", "bypassed": False},
    ]
    excepted = {**environment, "no_proxy": "localhost,.amazonaws.com"}
    assert [item["bypassed"] for item in resolver.proxies(HOST, excepted)] == [True, True]
    broken = {"http_proxy": "http://u:secret@[::1", "HTTPS_PROXY": "http://\x07red/"}
    hosts = [item["host"] for item in resolver.proxies(HOST, broken)]
    assert hosts == ["\\x07red", "(not a URL)"]
