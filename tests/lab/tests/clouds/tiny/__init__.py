# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A cloud of one screen, to test the lab's network half without a real one.

`PUT /endpoints/ADDRESS?pending=SECONDS` at api.tiny.test makes a private endpoint, which is admitted for
vantages at position `inside` (and resolved for them) once it is no longer pending; DELETE removes it.
Every other request is answered with what the cloud saw of it.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs

from lab.cloud import Call, DnsAnswer, Request, Response, Vantage

PUBLIC = "203.0.113.10"


class Tiny:
    name = "tiny"

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ready: dict[str, float] = {}  # endpoint address -> when it is available

    def serves(self, host: str) -> bool:
        return host.endswith(".tiny.test")

    def parse(self, request: Request) -> Call:
        control = request.host == "api.tiny.test"
        write = request.method in ("PUT", "DELETE")
        return Call(
            "tiny",
            "control" if control else "data",
            f"tiny:{request.method.title()}Endpoint" if control else "tiny:Use",
            request.headers.get("x-principal", "nobody"),
            {"path": request.path, "SecretKey": "hush", "ClientToken": "t-1"},
            control and write,
        )

    def answer(self, request: Request, call: Call) -> Response:
        if request.path == "/crash":
            raise RuntimeError("the tiny cloud crashed")
        address = request.path.rpartition("/")[2]
        with self._lock:
            if call.operation == "tiny:PutEndpoint":
                pending = float(parse_qs(request.query).get("pending", ["0"])[0])
                self._ready[address] = time.time() + pending
            elif call.operation == "tiny:DeleteEndpoint":
                self._ready.pop(address, None)
        seen = {
            "vantage": request.vantage.name,
            "address": request.address,
            "host": request.host,
            "method": request.method,
            "path": request.path,
            "query": request.query,
            "headers": dict(request.headers),
            "body": request.body.decode(),
        }
        return Response(200, {"Content-Type": "application/json"}, json.dumps(seen).encode())

    def fault(self, call: Call, kind: str) -> Response:
        return Response(429 if kind == "throttle" else 503, {}, kind.encode())

    def resolve(self, vantage: Vantage, name: str, qtype: str) -> DnsAnswer | None:
        if not name.endswith(".tiny.test"):
            return None
        if name == "crash.tiny.test":
            raise RuntimeError("the tiny cloud's names crashed")
        if name == "nowhere.tiny.test":
            return DnsAnswer("nxdomain")
        chain = (
            (("alias.tiny.test", "middle.tiny.test"), ("middle.tiny.test", "data.tiny.test"))
            if name == "alias.tiny.test"
            else ()
        )
        if name == "both.tiny.test" and qtype == "AAAA":
            return DnsAnswer("ok", (), ("2001:db8::10",), 30)
        if name == "many.tiny.test" and qtype == "A":
            return DnsAnswer("ok", (), tuple(f"203.0.113.{number}" for number in range(60)))
        if qtype != "A":
            return DnsAnswer("nodata", chain)
        private = sorted(self.admitted(vantage)) if name != "api.tiny.test" else []
        return DnsAnswer("ok", chain, tuple(private) or (PUBLIC,), 30)

    def admitted(self, vantage: Vantage) -> frozenset[str]:
        if vantage.position != "inside":
            return frozenset()
        with self._lock:
            now = time.time()
            return frozenset(each for each, ready in self._ready.items() if ready <= now)

    def next_change(self) -> float | None:
        with self._lock:
            now = time.time()
            return min((each for each in self._ready.values() if each > now), default=None)


def build(world: Mapping[str, Any], vantages: Sequence[Vantage], ca_pem: bytes) -> Tiny:
    if (world["tiny"] or {}).get("broken"):
        raise RuntimeError("the tiny cloud is broken")
    return Tiny()


def check(world: Mapping[str, Any]) -> list[str]:
    return [f"tiny.{key}: unknown key" for key in world["tiny"] or {} if key != "broken"]
