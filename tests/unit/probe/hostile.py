# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Servers on loopback that mean harm: they never end, drip, flood, or answer with what nobody asked."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

Handler = Callable[[socket.socket], None]
DRIP = 0.05


@contextlib.contextmanager
def stream_server(handle: Handler) -> Iterator[int]:
    """Handle each connection in a thread until whoever called hangs up; gives the port."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=500)

    def serve_one(channel: socket.socket) -> None:
        with contextlib.suppress(OSError), channel:
            handle(channel)

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                channel, _ = listener.accept()
                threading.Thread(target=serve_one, args=(channel,), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()


@contextlib.contextmanager
def datagram_server(answers: Callable[[bytes], list[bytes]], port: int = 0) -> Iterator[int]:
    """Send these datagrams for each question; gives the port, which may be one that a stream server has."""
    channel = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    channel.bind(("127.0.0.1", port))

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                question, sender = channel.recvfrom(65535)
                for answer in answers(question):
                    channel.sendto(answer, sender)

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield channel.getsockname()[1]
    finally:
        channel.close()


def dripping(data: bytes) -> Handler:
    """A byte now and then, each in time, and never an end."""

    def handle(channel: socket.socket) -> None:
        for number in range(100_000):
            channel.sendall(data[number % len(data) : number % len(data) + 1])
            time.sleep(DRIP)

    return handle


# A TLS record of 16 kB, of which a server hello is the beginning.
TLS_DRIP = dripping(b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc\x03\x03" + bytes(16000))


def over_tls(certificate: Path, handle: Handler) -> Handler:
    """The same after a handshake, and after the request was read."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def wrapped(channel: socket.socket) -> None:
        with context.wrap_socket(channel, server_side=True) as secured:
            data = b""
            while b"\r\n\r\n" not in data:
                part = secured.recv(65535)
                if not part:
                    return
                data += part
            handle(secured)

    return wrapped


def sending(head: bytes, again: bytes, pause: float = 0.0) -> Handler:
    """Something, and then something else for ever."""

    def handle(channel: socket.socket) -> None:
        channel.sendall(head)
        while True:
            channel.sendall(again)
            time.sleep(pause)

    return handle


def once(data: bytes) -> Handler:
    """One answer, and the end."""
    return lambda channel: channel.sendall(data)


def message(question: bytes, records: bytes, count: int, *, cut: bool = False) -> bytes:
    """A DNS answer with these records, whatever they are."""
    flags = 0x8180 | (0x0200 if cut else 0)
    return question[:2] + struct.pack(">HHHHH", flags, 1, count, 0, 0) + question[12:] + records


def over_tcp(answer: bytes) -> bytes:
    """The same as DNS sends it over TCP."""
    return struct.pack(">H", len(answer)) + answer
