# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Small real servers on loopback for the probe to look at."""

from __future__ import annotations

import contextlib
import datetime
import ipaddress
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Record = tuple[str, int, int, bytes]  # owner, type, TTL, data


def encoded(name: str) -> bytes:
    return b"".join(bytes([len(p)]) + p.encode() for p in name.split(".")) + b"\0"


def a(owner: str, address: str, ttl: int = 60) -> Record:
    packed = ipaddress.ip_address(address).packed
    return owner, 1 if len(packed) == 4 else 28, ttl, packed


def cname(owner: str, target: str) -> Record:
    return owner, 5, 60, encoded(target)


class Dns:
    """Answers from `records` by question type; counts what came over TCP."""

    def __init__(self, records: dict[int, list[Record]], code: int = 0, cut: bool = False) -> None:
        self.records, self.code, self.cut, self.over_tcp = records, code, cut, 0

    def reply(self, question: bytes, tcp: bool) -> bytes:
        (kind,) = struct.unpack(">H", question[-4:-2])
        found = self.records.get(kind, [])
        truncated = self.cut and not tcp
        self.over_tcp += tcp
        shown = [] if truncated else found
        flags = 0x8180 | self.code | (0x0200 if truncated else 0)
        head = question[:2] + struct.pack(">HHHHH", flags, 1, len(shown), 0, 0)
        body = b"".join(
            encoded(owner) + struct.pack(">HHIH", rtype, 1, ttl, len(data)) + data
            for owner, rtype, ttl, data in shown
        )
        return head + question[12:] + body


@contextlib.contextmanager
def dns_server(dns: Dns) -> Iterator[int]:
    """Serve on 127.0.0.1, UDP and TCP; gives the port."""
    stream = socket.create_server(("127.0.0.1", 0))
    port: int = stream.getsockname()[1]
    datagram = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    datagram.bind(("127.0.0.1", port))

    def serve_udp() -> None:
        with contextlib.suppress(OSError):
            while True:
                question, sender = datagram.recvfrom(65535)
                if not question:
                    return
                datagram.sendto(dns.reply(question, False), sender)

    def serve_tcp() -> None:
        with contextlib.suppress(OSError):
            while True:
                channel, _ = stream.accept()
                with channel:
                    question = channel.recv(65535)[2:]
                    answer = dns.reply(question, True)
                    channel.sendall(struct.pack(">H", len(answer)) + answer)

    for serve in (serve_udp, serve_tcp):
        threading.Thread(target=serve, daemon=True).start()
    try:
        yield port
    finally:
        for channel in (stream, datagram):
            with contextlib.suppress(OSError):
                channel.shutdown(socket.SHUT_RDWR)
            channel.close()


class Authority:
    """A certificate authority that lasts for one test run."""

    def __init__(self, folder: Path, name: str = "Test Authority") -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name(
            [
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Tests"),
                x509.NameAttribute(NameOID.COMMON_NAME, name),
            ]
        )
        self.folder = folder
        own = self._certificate(self.name, self.key, ca=True)
        self.path = folder / f"{name}.pem"
        self.path.write_bytes(own.public_bytes(serialization.Encoding.PEM))

    def issue(self, *names: str, days: int = 30) -> tuple[x509.Certificate, Path]:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
        certificate = self._certificate(subject, key, names, days)
        path = self.folder / f"{names[0]}{days}.pem"
        path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        return certificate, path

    def _certificate(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        names: tuple[str, ...] = (),
        days: int = 30,
        ca: bool = False,
    ) -> x509.Certificate:
        now = datetime.datetime.now(datetime.timezone.utc)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=40))
            .not_valid_after(now + datetime.timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca, None), critical=True)
        )
        if names:
            builder = builder.add_extension(
                x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False
            )
        return builder.sign(self.key, hashes.SHA256())


@contextlib.contextmanager
def tls_server(
    certificate: Path, answer: Callable[[bytes, str | None], bytes]
) -> Iterator[tuple[int, list[str | None]]]:
    """Serve one HTTPS answer per connection; gives the port and the SNI names seen."""
    names: list[str | None] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    context.sni_callback = lambda _channel, name, _context: names.append(name)
    listener = socket.create_server(("127.0.0.1", 0), backlog=300)

    def serve_one(channel: socket.socket) -> None:
        with (
            contextlib.suppress(OSError),
            context.wrap_socket(channel, server_side=True) as secured,
        ):
            data = b""
            while b"\r\n\r\n" not in data:
                part = secured.recv(65535)
                if not part:
                    return
                data += part
            secured.sendall(answer(data, names[-1]))

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                channel, _ = listener.accept()
                threading.Thread(target=serve_one, args=(channel,), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield listener.getsockname()[1], names
    finally:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
