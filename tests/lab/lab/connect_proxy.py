# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where no namespaces are permitted: a proxy on loopback through which the control planes are reached.

Clients that honour HTTPS_PROXY say `CONNECT host:443` and then speak TLS with the lab's front, so the
real SDKs still run unmodified. Hosts of the real world are refused.
"""

from __future__ import annotations

import re
import socket
import threading

from lab.cloud import Vantage
from lab.dns_server import Resolver
from lab.front import Front

_CONNECT = re.compile(rb"CONNECT ([A-Za-z0-9.-]+):443 HTTP/1\.[01]\r\n")
_LARGEST_HEAD = 16384
_PATIENCE = 10.0  # seconds for the CONNECT request to arrive


class ConnectProxy:
    """Hands tunnels to the front, as if the controller had dialled the host's address."""

    def __init__(self, front: Front, resolver: Resolver, controller: Vantage) -> None:
        self._front = front
        self._resolver = resolver
        self._controller = controller

    def serve(self, listener: socket.socket) -> None:
        """Accept for ever; a thread for each connection."""
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=self._greet, args=(connection,), daemon=True).start()

    def _greet(self, connection: socket.socket) -> None:
        connection.settimeout(_PATIENCE)
        try:
            asked = _CONNECT.match(self._head(connection))
            if asked is None:
                self._refuse(connection, "405 Method Not Allowed")
                return
            host = asked.group(1).decode().lower()
            found = self._resolver.lookup(self._controller, host, "A")
            if found is None or not found.addresses:
                self._refuse(connection, "502 Bad Gateway")
                return
            connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        except OSError:  # the client went away
            connection.close()
            return
        self._front.converse(connection, self._controller, found.addresses[0])

    @staticmethod
    def _head(connection: socket.socket) -> bytes:
        head = b""
        while b"\r\n\r\n" not in head and len(head) < _LARGEST_HEAD:
            # The client waits for our answer before it says more, so nothing is read too far.
            more = connection.recv(4096)
            if not more:
                break
            head += more
        return head

    @staticmethod
    def _refuse(connection: socket.socket, status: str) -> None:
        connection.sendall(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())
        connection.close()
