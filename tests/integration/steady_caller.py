# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Clients that call Vertex AI every 50 ms until a file appears: one that resolves for each call, and one that keeps an
answer for its TTL.

Usage, at a vantage: steady_caller.py HOST STOP-FILE RESULTS-FILE. The results are one object for each client: its calls
as [time, address, HTTP status or what went wrong].
"""

from __future__ import annotations

import http.client
import json
import random
import re
import socket
import ssl
import struct
import sys
import threading
import time
from pathlib import Path
from typing import Any

import google.auth
from google.auth.transport.requests import Request

EVERY = 0.05
PATIENCE = 5.0
# The end, if nobody makes the file.
AT_MOST = 240.0
PATH = "/v1/projects/lab-vertex/locations/global/endpoints?pageSize=1"


def resolve(host: str) -> tuple[str, float]:
    """The first address of a name and the seconds that it may be kept, asked of the machine's name server."""
    server = re.findall(r"^nameserver\s+(\S+)", Path("/etc/resolv.conf").read_text(), re.M)[0]
    number = random.randrange(1 << 16)
    labels = b"".join(bytes([len(part)]) + part.encode() for part in host.split("."))
    question = struct.pack("!6H", number, 0x0100, 1, 0, 0, 0) + labels + b"\0\0\1\0\1"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(2.0)
        for _attempt in range(3):
            asking.sendto(question, (server, 53))
            try:
                answer = asking.recv(4096)
            except TimeoutError:
                continue
            if struct.unpack("!H", answer[:2])[0] == number:
                return address_in(answer, len(question))
    raise OSError("no answer from the name server")


def address_in(answer: bytes, at: int) -> tuple[str, float]:
    """The first A record behind the question."""
    for _record in range(struct.unpack("!H", answer[6:8])[0]):
        while answer[at] and answer[at] < 0xC0:
            at += 1 + answer[at]
        at += 2 if answer[at] else 1
        kind, _class, ttl, size = struct.unpack("!HHIH", answer[at : at + 10])
        at += 10
        if kind == 1:
            return socket.inet_ntoa(answer[at : at + 4]), float(ttl)
        at += size
    raise OSError(f"no address, code {answer[3] & 15}")


class Caller(threading.Thread):
    """One client. keeps: whether it uses an answer again for as long as it may."""

    def __init__(self, host: str, token: str, stop: Path, *, keeps: bool) -> None:
        super().__init__(daemon=True)
        self.host, self.token, self.stop, self.keeps = host, token, stop, keeps
        self.calls: list[list[Any]] = []
        self._known, self._until = "", 0.0
        self._trust = ssl.create_default_context()

    def run(self) -> None:
        ends = time.monotonic() + AT_MOST
        while not self.stop.exists() and time.monotonic() < ends:
            began = time.monotonic()
            address: str = "-"
            try:
                address = self.address()
                status: Any = self.call(address)
            except (OSError, http.client.HTTPException) as error:
                status = repr(error)
            self.calls.append([time.time(), address, status])
            time.sleep(max(0.0, EVERY - (time.monotonic() - began)))

    def address(self) -> str:
        if not self.keeps or time.monotonic() >= self._until:
            self._known, ttl = resolve(self.host)
            self._until = time.monotonic() + ttl
        return self._known

    def call(self, address: str) -> int:
        """The status of one call on a connection of its own."""
        with (
            socket.create_connection((address, 443), PATIENCE) as plain,
            self._trust.wrap_socket(plain, server_hostname=self.host) as channel,
        ):
            head = f"GET {PATH} HTTP/1.1\r\nHost: {self.host}\r\nConnection: close\r\n"
            channel.sendall(f"{head}Authorization: Bearer {self.token}\r\n\r\n".encode())
            answer = http.client.HTTPResponse(channel)
            answer.begin()
            answer.read()
            return answer.status


def main() -> None:
    host, stop, results = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    credentials, _project = google.auth.default(["https://www.googleapis.com/auth/cloud-platform"])
    credentials.refresh(Request())
    callers = {
        name: Caller(host, credentials.token, stop, keeps=name == "keeps")
        for name in ("asks", "keeps")
    }
    for caller in callers.values():
        caller.start()
    for caller in callers.values():
        caller.join()
    partial = results.with_suffix(".part")
    partial.write_text(json.dumps({name: caller.calls for name, caller in callers.items()}))
    partial.rename(results)


if __name__ == "__main__":
    main()
