# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Services that mean harm: the probe ends by its deadline, and what it reports is short, and text."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.private_ai.endpoints.plugins.module_utils.probe import observe, reading

from .hostile import TLS_DRIP, Handler, dripping, once, over_tls, sending, stream_server
from .servers import Authority
from .test_observe import HOST, target, vantage

TIMEOUT = 0.6
OK, DENIED = b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 403 Forbidden\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
DEEP = b"[" * 30_000
ANSI = json.dumps({"message": "\x1b[2J\x9b31m<script>\r\n\u202eevil\ud800" * 300}).encode()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def certificate(authority: Authority) -> Path:
    return authority.issue(HOST)[1]


def seen_of(handle: Handler, authority: Authority) -> dict[str, Any]:
    """The one connection that a probe saw, which must have taken no longer than its waits."""
    with stream_server(handle) as port:
        started = time.monotonic()
        (seen,) = observe.observe([target(port)], True, vantage(authority, timeout=TIMEOUT))
        took = time.monotonic() - started
    assert took < 3 * TIMEOUT
    whole = json.dumps(seen, ensure_ascii=False)
    assert len(whole.encode()) < 8000
    assert whole.isprintable()
    only: dict[str, Any] = seen["connections"][0]
    return only


def test_a_handshake_that_drips_ends(authority: Authority) -> None:
    seen = seen_of(TLS_DRIP, authority)
    assert (seen["tls"]["ok"], seen["tls"]["error"]) == (False, "timed out")


def test_what_is_no_tls_is_told(authority: Authority) -> None:
    seen = seen_of(sending(b"\x1b[31mHTTP/1.1 200 OK\r\n\r\n", b"x" * 1000), authority)
    assert not seen["tls"]["ok"]
    assert seen["tls"]["error"]


@pytest.mark.parametrize(
    ("handle", "status", "answer", "said"),
    [
        (dripping(OK + b"X-Drip: " + b"a" * 5000), None, "other", "timed out"),
        (dripping(b"HTTP/1.1 200 " + b"O" * 5000), None, "other", "timed out"),
        (sending(OK, b"X-More: and more\r\n"), None, "other", "headers"),
        (sending(OK + b"X-Long: ", b"a" * 1000), None, "other", "header line"),
        (sending(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), None, "other", ""),
        (sending(b"\0" * 10, b"\xff" * 1000), None, "other", ""),
        # Let in is let in, whatever comes after it.
        (sending(OK + b"\r\n", b"<b>" * 1000), 200, "admitted", None),
        (sending(OK + CHUNKED, b"5\r\nabcde\r\n"), 200, "admitted", None),
        (sending(OK + CHUNKED, b"zz\r\n"), 200, "admitted", None),
        (sending(OK + b"Content-Length: 99999999999\r\n\r\n", b"a", 0.05), 200, "admitted", None),
        # A refusal whose reason never comes says nothing about who refused.
        (sending(DENIED + b"Content-Length: 999\r\n\r\n", b"a", 0.05), 403, "other", "timed out"),
        (sending(DENIED + CHUNKED, b"-5\r\nabcde\r\n"), 403, "other", ""),
        (sending(DENIED + b"\r\n", b"<b>" * 1000), 403, "denied_other", None),
        (once(DENIED + b"\r\n" + DEEP), 403, "denied_other", None),
        (once(DENIED + b'\r\n{"a":' * 5000), 403, "denied_other", None),
        (
            once(DENIED + b"x-amzn-ErrorType: " + b"A" * 10_000 + b"\r\n\r\n{}"),
            403,
            "denied_other",
            None,
        ),
        (once(DENIED + b"\r\n" + b"<Code>" * 5000), 403, "denied_other", None),
    ],
)
def test_answers_that_never_end_or_are_none(
    authority: Authority,
    certificate: Path,
    handle: Handler,
    status: int | None,
    answer: str,
    said: str | None,
) -> None:
    http = seen_of(over_tls(certificate, handle), authority)["http"]
    assert (http["status"], http["answer"]) == (status, answer)
    assert http["message"] is None if said is None else said in http["message"]


def test_an_error_with_control_characters_is_text(authority: Authority, certificate: Path) -> None:
    head = DENIED + b"x-amzn-requestid: \x1b[31mred" + b"r" * 5000 + b"\r\n\r\n"
    http = seen_of(over_tls(certificate, once(head + ANSI)), authority)["http"]
    assert http["message"].startswith("\\x1b[2J\\x9b31m<script>\\x0d\\x0a\\u202eevil\\ud800")
    assert http["request_id"].startswith("\\x1b[31mred")


def test_a_certificate_with_any_names_is_short_and_text(authority: Authority) -> None:
    many = (f"{'x' * 60}.{n}.example" for n in range(1000))
    _, path = authority.issue(HOST, *many, days=20)
    with stream_server(over_tls(path, once(OK + b"\r\n"))) as port:
        (seen,) = observe.observe([target(port)], True, vantage(authority, timeout=5.0))
    assert seen["connections"][0]["tls"]["ok"]
    assert len(seen["connections"][0]["tls"]["names"]) == 200


PROBE = """
import json, re, sys, time
from ansible_collections.private_ai.endpoints.plugins.module_utils.probe import connection, observe, resolver

ports, ca, host = json.loads(sys.argv[1]), sys.argv[2], sys.argv[3]
many = [f"127.1.{n // 250}.{n % 250 + 1}" for n in range(5000)]
answers = [{"type": "A", "address": address, "ttl": 60} for address in many]
resolver.look_up = lambda *_: {**resolver.skipped(), "status": "ok", "answers": answers, "system": many}
base = {"host": host, "addresses": ["127.0.0.1"], "cloud": "aws", "target": "t", "service": "s", "plane": "runtime"}
action = {"name": "n", "path": "/", "auth": None}
targets = [{**base, "port": port, "probe_action": action} for port in ports for _unused in range(40)]
vantage = observe.Vantage("v", "inside", connection.Means(connection.trust(ca), 2.0), 6.0)
started = time.monotonic()
pinned = observe.observe(targets, True, vantage)
first = time.monotonic() - started
named = observe.observe(targets[::20], False, vantage)
took = [first, time.monotonic() - started - first]
# Not getrusage: there a process inherits the peak of the one that started it.
most = int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) // 1024
shown = max(len(json.dumps(item)) for item in pinned)
counts = [(len(x["dns"]["answers"]), len(x["connections"]), x["not_connected"]) for x in named]
print(json.dumps({"took": took, "mb": most, "longest": shown, "counts": counts, "seen": len(pinned)}))
"""


@pytest.fixture
def everything(certificate: Path) -> Iterator[list[int]]:
    """One port for each way of meaning harm."""
    handlers = [
        TLS_DRIP,
        over_tls(certificate, sending(OK + CHUNKED, b"ffff\r\n" + b"a" * 65535 + b"\r\n")),
        over_tls(certificate, sending(OK, b"X-More: " + b"m" * 60_000 + b"\r\n")),
        over_tls(certificate, once(DENIED + b"\r\n" + DEEP)),
        over_tls(certificate, sending(DENIED + b"\r\n", b"[{}," * 10_000)),
    ]
    with (
        stream_server(handlers[0]) as one,
        stream_server(handlers[1]) as two,
        stream_server(handlers[2]) as three,
        stream_server(handlers[3]) as four,
        stream_server(handlers[4]) as five,
    ):
        yield [one, two, three, four, five]


def test_all_at_once_ends_by_the_deadline_in_little_memory(
    authority: Authority, everything: list[int]
) -> None:
    command = [sys.executable, "-c", PROBE, json.dumps(everything), str(authority.path), HOST]
    environment = {"PYTHONPATH": "playbooks/collections"}
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=True, cwd=root, env=environment
    )
    told = json.loads(done.stdout)
    assert told["seen"] == 200
    assert max(told["took"]) < 7
    assert told["mb"] < 200
    assert told["longest"] < 8000
    # Every answer is reported, and only so many are connected to.
    assert all(entry == [5000, 64, 4936] for entry in told["counts"])


def test_an_answer_is_read_up_to_a_size() -> None:
    endless = types.SimpleNamespace(settimeout=lambda _: None, recv_into=len)
    stream = reading.Bounded(endless, time.monotonic() + 60).makefile("rb")  # type: ignore[arg-type]
    with pytest.raises(reading.TooMuch):
        stream.read(10_000_000)
