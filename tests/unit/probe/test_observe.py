# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whole observations, against real TLS servers on loopback."""

from __future__ import annotations

import contextlib
import json
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_certificate

from ansible_collections.private_ai.endpoints.plugins.module_utils.probe import (
    certificate,
    connection,
    observe,
    sigv4,
)

from .servers import Authority, Dns, a, dns_server, tls_server

HOST = "bedrock.us-east-1.amazonaws.com"
ACTION = {
    "name": "bedrock:ListFoundationModels",
    "method": "GET",
    "path": "/foundation-models?byOutputModality=TEXT",
    "headers": {},
    "body": "",
    "auth": "aws4",
    "signing_name": "bedrock",
    "region": "us-east-1",
}
REFUSAL = (
    "User: arn:aws:iam::222222222222:user/app is not authorized to perform: bedrock:ListFoundationModels "
    "with an explicit deny in a service control policy"
)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


def target(port: int, **changes: Any) -> dict[str, Any]:
    return {
        "schema_version": 1,
        "host": HOST,
        "port": port,
        "addresses": ["127.0.0.1"],
        "cloud": "aws",
        "target": "app-use1",
        "service": "bedrock",
        "plane": "management",
        "probe_action": ACTION,
        **changes,
    }


def vantage(authority: Authority | None, **changes: Any) -> observe.Vantage:
    credentials = changes.pop("credentials", sigv4.Credentials("AKID", "secret"))
    context = connection.trust(str(authority.path) if authority else None)
    values: dict[str, Any] = {
        "name": "app-a",
        "position": "inside",
        "means": connection.Means(context, changes.pop("timeout", 2.0), credentials),
        "deadline": 10.0,
        "nameservers": ["127.0.0.1"],
        **changes,
    }
    return observe.Vantage(**values)


def http(status: str, body: dict[str, Any], *headers: str) -> bytes:
    text = json.dumps(body)
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(text)}", *headers, "", text]
    return "\r\n".join(lines).encode()


ADMITTED = http("200 OK", {"modelSummaries": []}, "x-amzn-RequestId: r-1")
DENIED = http("403 Forbidden", {"message": REFUSAL}, "x-amzn-ErrorType: AccessDeniedException:x")


@contextlib.contextmanager
def service(authority: Authority, *answers: bytes) -> Iterator[tuple[int, list[Any], list[bytes]]]:
    """A service that gives one answer after the other, the last one for ever."""
    requests: list[bytes] = []

    def answer(data: bytes, _name: str | None) -> bytes:
        requests.append(data)
        return answers[min(len(requests), len(answers)) - 1]

    _, path = authority.issue(HOST)
    with tls_server(path, answer) as (port, names):
        yield port, names, requests


def test_pinned_uses_the_real_name_and_signs(authority: Authority) -> None:
    with service(authority, ADMITTED) as (port, names, requests):
        (seen,) = observe.observe([target(port)], True, vantage(authority))
    assert names == [HOST]
    head = requests[0].decode()
    assert head.startswith("GET /foundation-models?byOutputModality=TEXT HTTP/1.1\r\n")
    assert f"\r\nHost: {HOST}\r\n" in head
    assert "AWS4-HMAC-SHA256 Credential=AKID/" in head
    assert seen["pinned"] == "127.0.0.1"
    assert seen["dns"]["status"] == "skipped"
    (only,) = seen["connections"]
    assert only["tcp"]["ok"]
    assert only["tls"]["ok"]
    assert only["tls"]["names"] == [HOST]
    assert only["tls"]["issuer"] == "O=Tests, CN=Test Authority"
    assert (only["http"]["status"], only["http"]["answer"]) == (200, "admitted")
    assert only["http"]["request_id"] == "r-1"
    assert seen["error"] is None


def test_a_refusal_names_its_policy_and_the_caller(authority: Authority) -> None:
    with service(authority, DENIED) as (port, _, _requests):
        (seen,) = observe.observe([target(port)], True, vantage(authority))
    assert seen["connections"][0]["http"]["answer"] == "denied_scp"
    assert seen["connections"][0]["http"]["code"] == "AccessDeniedException"
    assert seen["principal"] == "arn:aws:iam::222222222222:user/app"


def test_azure_is_asked_without_credentials_and_its_refusal_is_told(authority: Authority) -> None:
    text = {
        "error": {
            "code": "403",
            "message": "Public access is disabled. Please configure private endpoint.",
        }
    }
    answers = (
        http(
            "401 Unauthorized",
            {"error": {"code": "401", "message": "no key"}},
            "apim-request-id: r-2",
        ),
        http("403 Forbidden", text),
    )
    action = {"name": "azure_openai:ListModels", "path": "/openai/models", "auth": None}
    with service(authority, *answers) as (port, _, requests):
        asked = target(port, cloud="azure", probe_action=action)
        (admitted,) = observe.observe([asked], True, vantage(authority))
        (denied,) = observe.observe([asked], True, vantage(authority))
    assert b"Authorization" not in b"".join(requests)
    assert admitted["connections"][0]["http"]["answer"] == "admitted"
    assert admitted["connections"][0]["http"]["request_id"] == "r-2"
    assert denied["connections"][0]["http"]["answer"] == "denied_public_access"
    assert (denied["principal"], denied["cloud"]) == (None, "azure")


def test_google_is_called_with_a_token_which_is_shown_nowhere(authority: Authority) -> None:
    action = {"name": "aiplatform.endpoints.list", "path": "/v1/x", "auth": "bearer"}
    context = connection.trust(str(authority.path))
    means = connection.Means(context, 2.0, token="ya29.secret")
    with service(authority, ADMITTED) as (port, _, requests):
        asked = target(port, cloud="gcp", probe_action=action)
        (seen,) = observe.observe([asked], True, vantage(authority, means=means))
    assert b"\r\nAuthorization: Bearer ya29.secret\r\n" in requests[0]
    assert "ya29" not in json.dumps(seen)
    assert seen["connections"][0]["http"]["answer"] == "admitted"


def test_a_network_with_addresses_of_its_own_is_pinned_to_them(authority: Authority) -> None:
    asked = target(1, addresses=["127.0.0.1", "127.0.0.2"], networks={"app": ["127.0.0.2"]})
    for network, expected in (
        ("app", ["127.0.0.2"]),
        ("spoke", asked["addresses"]),
        (None, asked["addresses"]),
    ):
        seen = observe.observe([asked], True, vantage(authority, network=network))
        assert [entry["pinned"] for entry in seen] == expected


def test_without_credentials_nothing_is_signed(authority: Authority) -> None:
    with service(authority, ADMITTED) as (port, _, requests):
        observe.observe([target(port)], True, vantage(authority, credentials=None))
    assert b"Authorization" not in requests[0]


def test_without_a_probe_action_it_ends_after_tls(authority: Authority) -> None:
    with service(authority, ADMITTED) as (port, _, requests):
        (seen,) = observe.observe([target(port, probe_action=None)], True, vantage(authority))
    assert seen["action"] is None
    assert seen["connections"][0]["tls"]["ok"]
    assert seen["connections"][0]["http"] is None
    assert requests == []


def test_by_name_sees_dns_and_every_address(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = "ansible_collections.private_ai.endpoints.plugins.module_utils.probe"
    records = {1: [a(HOST, "127.0.0.1"), a(HOST, "127.0.0.9")]}
    with (
        service(authority, ADMITTED) as (port, _, _requests),
        dns_server(Dns(records)) as dns_port,
    ):
        real = socket.getaddrinfo

        def lookup(host: Any, service: Any, *rest: Any, **named: Any) -> Any:
            """The system's resolver knows the host; port 53 is the test's DNS server."""
            if host == HOST:
                return real("127.0.0.1", service, type=socket.SOCK_STREAM)
            return real(host, dns_port if service == 53 else service, *rest, **named)

        monkeypatch.setattr(f"{module}.dns.socket.getaddrinfo", lookup)
        (seen,) = observe.observe([target(port)], False, vantage(authority))
    assert seen["pinned"] is None
    assert seen["dns"]["status"] == "ok"
    assert seen["dns"]["system"] == ["127.0.0.1"]
    assert [entry["address"] for entry in seen["dns"]["answers"]] == ["127.0.0.1", "127.0.0.9"]
    by_address = {entry["address"]: entry for entry in seen["connections"]}
    assert by_address["127.0.0.1"]["http"]["answer"] == "admitted"
    assert by_address["127.0.0.9"]["tcp"]["error"] == "Connection refused"


def test_an_unverified_certificate_is_refused_and_described(
    authority: Authority, tmp_path: Path
) -> None:
    proxy = Authority(tmp_path, "Inspecting Proxy")
    with service(proxy, ADMITTED) as (port, _, requests):
        (seen,) = observe.observe([target(port)], True, vantage(authority))
    tls = seen["connections"][0]["tls"]
    assert not tls["ok"]
    assert "verify failed" in tls["error"]
    assert tls["issuer"] == "O=Tests, CN=Inspecting Proxy"
    assert seen["connections"][0]["http"] is None
    assert requests == []


def test_a_trusted_proxys_chain_is_shown_with_its_issuer_and_fingerprints(tmp_path: Path) -> None:
    proxy = Authority(tmp_path, "Inspecting Proxy")
    with service(proxy, ADMITTED) as (port, _, _requests):
        (seen,) = observe.observe([target(port)], True, vantage(proxy))
    tls = seen["connections"][0]["tls"]
    assert tls["ok"]
    assert (tls["subject"], tls["issuer"]) == (f"CN={HOST}", "O=Tests, CN=Inspecting Proxy")
    (link,) = tls["chain"]
    issued = load_pem_x509_certificate((tmp_path / f"{HOST}30.pem").read_bytes())
    assert link["fingerprint"] == issued.fingerprint(SHA256()).hex()
    assert link["issuer"] == tls["issuer"]
    assert tls["chain_complete"] == (sys.version_info >= (3, 10))


def test_a_proxy_of_the_environment_is_reported_and_never_used(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        service(authority, ADMITTED) as (port, _, _requests),
        socket.create_server(("127.0.0.1", 0)) as proxy,
    ):
        proxy.settimeout(0.3)
        address = f"127.0.0.1:{proxy.getsockname()[1]}"
        for variable in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
            monkeypatch.setenv(variable, f"http://user:secret@{address}")
        (seen,) = observe.observe([target(port)], True, vantage(authority))
        with pytest.raises(TimeoutError):
            proxy.accept()
    assert seen["connections"][0]["http"]["answer"] == "admitted"
    assert {item["host"] for item in seen["proxy"]} == {address}
    assert not any(item["bypassed"] for item in seen["proxy"])
    assert "secret" not in json.dumps(seen)


def test_another_names_certificate_is_refused(authority: Authority) -> None:
    with service(authority, ADMITTED) as (port, _, requests):
        other = target(port, host="bedrock-runtime.us-east-1.amazonaws.com")
        (seen,) = observe.observe([other], True, vantage(authority))
    assert not seen["connections"][0]["tls"]["ok"]
    assert seen["connections"][0]["tls"]["names"] == [HOST]
    assert requests == []


def test_an_expired_certificate_is_refused(authority: Authority) -> None:
    _, path = authority.issue(HOST, days=-1)
    with tls_server(path, lambda *_: ADMITTED) as (port, _):
        (seen,) = observe.observe([target(port)], True, vantage(authority))
    assert "expired" in seen["connections"][0]["tls"]["error"]


def test_certificates_are_read_as_cryptography_reads_them(authority: Authority) -> None:
    for names in ((HOST,), (HOST, "*.example.org", "a.b")):
        issued, _ = authority.issue(*names)
        read = certificate.describe(issued.public_bytes(Encoding.DER))
        assert read["names"] == list(names)
        assert read["not_after"] == issued.not_valid_after_utc.strftime("%Y-%m-%dT%H:%M:%SZ")
    for broken in (b"", b"\x30", b"\x30\x82\xff\xff", issued.public_bytes(Encoding.DER)[:200]):
        with pytest.raises(ValueError, match="certificate"):
            certificate.describe(broken)


def test_repeats_until_all_refuse(authority: Authority) -> None:
    until = observe.Until(["denied_scp"], timeout=10, interval=0.05)
    with service(authority, ADMITTED, ADMITTED, DENIED) as (port, _, _requests):
        (seen,) = observe.observe_until([target(port)], True, vantage(authority), until)
    assert seen["attempts"] == 3
    assert seen["connections"][0]["http"]["answer"] == "denied_scp"


def test_gives_up_when_the_time_is_up(authority: Authority) -> None:
    until = observe.Until(["denied_scp"], timeout=0.3, interval=0.1)
    with service(authority, ADMITTED) as (port, _, _requests):
        started = time.monotonic()
        (seen,) = observe.observe_until([target(port)], True, vantage(authority), until)
    assert time.monotonic() - started < 2
    assert seen["attempts"] > 1
    assert seen["connections"][0]["http"]["answer"] == "admitted"


def test_nothing_to_wait_for_without_a_probe_action(authority: Authority) -> None:
    until = observe.Until(["denied_scp"], timeout=5, interval=0.1)
    with service(authority, ADMITTED) as (port, _, _requests):
        silent = target(port, probe_action=None)
        (seen,) = observe.observe_until([silent], True, vantage(authority), until)
    assert seen["attempts"] == 1


def test_many_targets_wait_together(authority: Authority) -> None:
    """A hundred that never finish their handshake cost one timeout, and do not hold up the others."""
    with (
        service(authority, ADMITTED) as (port, _, _requests),
        socket.create_server(("127.0.0.1", 0), backlog=300) as silent,
    ):
        # Few that answer: a hundred handshakes at once are work for a slow machine, and would not be waiting.
        targets = [target(port)] * 20 + [target(silent.getsockname()[1])] * 100
        started = time.monotonic()
        seen = observe.observe(targets, True, vantage(authority, timeout=2.0))
        took = time.monotonic() - started
    answers = [entry["connections"][0] for entry in seen]
    assert sum(1 for entry in answers if (entry["http"] or {}).get("answer") == "admitted") == 20
    assert sum(1 for entry in answers if (entry["tls"] or {}).get("error")) == 100
    assert took < 5


def test_the_deadline_ends_everything_and_what_was_seen_is_told(authority: Authority) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        late = vantage(authority, timeout=30.0, deadline=1.0)
        started = time.monotonic()
        (seen,) = observe.observe([target(silent.getsockname()[1])], True, late)
    assert time.monotonic() - started < 2
    (only,) = seen["connections"]
    assert only["tcp"]["ok"]
    assert (only["tls"]["ok"], only["tls"]["error"]) == (False, "timed out")


def test_a_resolver_that_never_returns_is_late(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(observe.resolver, "look_up", lambda *_: time.sleep(5))
    started = time.monotonic()
    (seen,) = observe.observe([target(443)], False, vantage(authority, deadline=0.3))
    assert time.monotonic() - started < 1
    assert "deadline" in seen["error"]
    assert seen["connections"] == []


def test_an_address_that_does_not_exist_yet_is_an_error(authority: Authority) -> None:
    unknown = target(443, addresses=["(known after apply)"])
    (seen,) = observe.observe([unknown], True, vantage(authority))
    assert "(known after apply)" in seen["error"]
