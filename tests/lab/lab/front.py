# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The HTTPS front that every public and private address of the clouds has: TLS, HTTP/1.1, keep-alive.

It hands each request to the cloud that serves its host, lets faults happen to it, and keeps the journal.
"""

from __future__ import annotations

import http.client
import re
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from http.server import BaseHTTPRequestHandler
from io import BytesIO

from lab.cloud import Call, Cloud, Request, Response, Vantage
from lab.faults import Faults
from lab.journal import Journal

_IDLE = 75.0  # seconds that a kept-alive connection may be silent
_LARGEST_BODY = 16 * 1024 * 1024
Failure = Callable[[str, BaseException], None]


class Dispatcher:
    """From a request to its response. None means: close the connection without an answer."""

    def __init__(
        self,
        clouds: Sequence[Cloud],
        faults: Faults,
        journal: Journal,
        written: Callable[[], None],
        failure: Failure,
    ) -> None:
        self._clouds = clouds
        self._faults = faults
        self._journal = journal
        self._written = written
        self._failure = failure

    def serves(self, host: str) -> bool:
        return any(cloud.serves(host) for cloud in self._clouds)

    def dispatch(self, request: Request) -> Response | None:
        cloud = next((each for each in self._clouds if each.serves(request.host)), None)
        if cloud is None:
            text = f"The lab has no host {request.host!r}.\n".encode()
            return Response(421, {"Content-Type": "text/plain"}, text)
        try:
            return self._answer(cloud, request)
        except Exception as error:  # noqa: BLE001 - reported; the run as a whole then fails
            self._failure(f"answering {request.method} {request.host}{request.path}", error)
            text = b"The lab's simulator failed; see its standard error.\n"
            return Response(500, {"Content-Type": "text/plain"}, text)

    def _answer(self, cloud: Cloud, request: Request) -> Response | None:
        started = time.monotonic()
        call = cloud.parse(request)
        verdict = self._faults.judge(request, call)
        time.sleep(verdict.delay)
        response = self._execute(cloud, request, call, verdict.kind)
        fault = verdict.kind or ("delay" if verdict.delay else None)
        status = response.status if response else None
        self._journal.record(request, call, status, fault, time.monotonic() - started)
        return None if verdict.kind == "lost" else response

    def _execute(
        self, cloud: Cloud, request: Request, call: Call, kind: str | None
    ) -> Response | None:
        if kind == "reset":
            return None
        if kind == "throttle":
            return cloud.fault(call, "throttle")
        if kind == "error":
            return cloud.fault(call, "error")
        response = cloud.answer(request, call)
        if call.write:
            self._written()
        return response


class _BadBody(ValueError):
    """The request's body does not keep to HTTP."""


class _Handler(BaseHTTPRequestHandler):
    """One connection after its TLS handshake. BaseHTTPRequestHandler reads the requests."""

    protocol_version = "HTTP/1.1"

    def __init__(self, stream: ssl.SSLSocket, vantage: Vantage, address: str, front: Dispatcher):
        self._vantage = vantage
        self._address = address
        self._front = front
        super().__init__(stream, (vantage.address, 0), None)  # type: ignore[arg-type]

    def parse_request(self) -> bool:
        if not super().parse_request():
            return False
        # All methods end here: the base class would look for do_GET, do_POST and so on.
        self.method, self.command = self.command, "any"
        return True

    def do_any(self) -> None:
        try:
            body = self._body()
        except _BadBody as error:
            self.close_connection = True
            text = f"{error}\n".encode()
            self._send(Response(400, {"Content-Type": "text/plain"}, text))
            return
        path, _, query = self.path.partition("?")
        request = Request(
            vantage=self._vantage,
            address=self._address,
            host=self.headers.get("Host", "").split(":")[0].lower(),
            method=self.method,
            path=path,
            query=query,
            headers={name.lower(): value for name, value in self.headers.items()},
            body=body,
            time=time.time(),
        )
        response = self._front.dispatch(request)
        if response is None:
            self._reset()
        else:
            self._send(response)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            return self._chunks()
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or int(length) > _LARGEST_BODY:
            raise _BadBody("bad Content-Length")
        body = self.rfile.read(int(length))
        if len(body) != int(length):
            raise _BadBody("the body is cut short")
        return body

    def _chunks(self) -> bytes:
        body = BytesIO()
        while True:
            size = self.rfile.readline(64).split(b";")[0].strip()
            if not re.fullmatch(rb"[0-9a-fA-F]{1,8}", size):
                raise _BadBody("bad chunk size")
            length = int(size, 16)
            if body.tell() + length > _LARGEST_BODY:
                raise _BadBody("the body is too large")
            body.write(self.rfile.read(length))
            while self.rfile.readline(1024).strip():  # the end of the chunk, or trailers
                continue
            if length == 0:
                return body.getvalue()

    def _send(self, response: Response) -> None:
        # One write for all of it: two would meet Nagle's algorithm and delayed acknowledgements.
        phrase = http.client.responses.get(response.status, "")
        lines = [f"HTTP/1.1 {response.status} {phrase}", f"Date: {self.date_time_string()}"]
        lines += [f"{name}: {value}" for name, value in response.headers.items()]
        if not any(name.lower() == "content-length" for name in response.headers):
            lines.append(f"Content-Length: {len(response.body)}")
        lines.append(f"Connection: {'close' if self.close_connection else 'keep-alive'}")
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
        self.wfile.write(head + (b"" if self.method == "HEAD" else response.body))

    def _reset(self) -> None:
        """Close so that the client sees ECONNRESET: no TLS goodbye, no FIN."""
        self.close_connection = True
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)

    def log_message(self, format: str, *args: object) -> None:
        """Silence: what matters is in the journal."""


class Front:
    """Accepts connections and serves each in a thread of its own."""

    def __init__(
        self, dispatcher: Dispatcher, context: ssl.SSLContext, vantages: Mapping[str, Vantage]
    ) -> None:
        self._dispatcher = dispatcher
        self._context = context
        self._vantages = vantages

    def serve(self, listener: socket.socket) -> None:
        """Start accepting, in threads that end with the process."""
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            connection, client = listener.accept()
            threading.Thread(target=self._greet, args=(connection, client[0]), daemon=True).start()

    def _greet(self, connection: socket.socket, source: str) -> None:
        vantage = self._vantages.get(source)
        if vantage is None:
            connection.close()
            return
        self.converse(connection, vantage, connection.getsockname()[0])

    def converse(self, connection: socket.socket, vantage: Vantage, address: str) -> None:
        """TLS, then requests until the client has had enough."""
        connection.settimeout(_IDLE)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            with self._context.wrap_socket(connection, server_side=True) as stream:
                _Handler(stream, vantage, address, self._dispatcher)
        except OSError:  # the client went away, was silent too long, or did not trust us
            connection.close()
