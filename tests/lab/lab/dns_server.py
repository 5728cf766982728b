# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab's resolver on 192.0.2.53: asks the clouds, and answers each vantage by its own view."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Mapping, Sequence

from lab import dns_message
from lab.cloud import Cloud, DnsAnswer, Vantage
from lab.dns_message import Malformed

_IDLE = 10.0  # seconds that a TCP client may be silent

Failure = Callable[[str, BaseException], None]


class Resolver:
    """Answers over UDP and TCP. `failure` is told of a cloud that raised; the client gets SERVFAIL."""

    def __init__(
        self, clouds: Sequence[Cloud], vantages: Mapping[str, Vantage], failure: Failure
    ) -> None:
        self._clouds = clouds
        self._vantages = vantages
        self._failure = failure

    def lookup(self, vantage: Vantage, name: str, qtype: str) -> DnsAnswer | None:
        """The first cloud that knows the name answers; None: nobody does."""
        for cloud in self._clouds:
            answer = cloud.resolve(vantage, name, qtype)
            if answer is not None:
                return answer
        return None

    def reply(self, source: str, message: bytes, udp: bool) -> bytes | None:
        """The bytes that answer a message from an address; None if it deserves none."""
        vantage = self._vantages.get(source)
        if vantage is None:
            return None
        try:
            question = dns_message.parse(message)
        except Malformed:
            return dns_message.refuse(message)
        try:
            found = self.lookup(vantage, question.name, question.qtype)
            return dns_message.answer(question, found, udp)
        except Exception as error:  # noqa: BLE001 - reported, and the client sees SERVFAIL
            self._failure(f"resolving {question.name} for {vantage.name}", error)
            return dns_message.servfail(question)

    def serve(self, address: str) -> None:
        """Listen on port 53 of an address, in threads that end with the process."""
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.bind((address, 53))
        tcp = socket.create_server((address, 53), backlog=64)
        threading.Thread(target=self._serve_udp, args=(udp,), daemon=True).start()
        threading.Thread(target=self._serve_tcp, args=(tcp,), daemon=True).start()

    def _serve_udp(self, listener: socket.socket) -> None:
        while True:
            message, client = listener.recvfrom(65535)
            reply = self.reply(client[0], message, udp=True)
            if reply is not None:
                listener.sendto(reply, client)

    def _serve_tcp(self, listener: socket.socket) -> None:
        while True:
            connection, client = listener.accept()
            threading.Thread(
                target=self._serve_connection, args=(connection, client[0]), daemon=True
            ).start()

    def _serve_connection(self, connection: socket.socket, source: str) -> None:
        connection.settimeout(_IDLE)
        with connection, connection.makefile("rb") as stream:
            try:
                while len(prefix := stream.read(2)) == 2:
                    message = stream.read(int.from_bytes(prefix, "big"))
                    reply = self.reply(source, message, udp=False)
                    if reply is None:
                        return
                    connection.sendall(len(reply).to_bytes(2, "big") + reply)
            except OSError:  # the client went away, or was silent for too long
                return
