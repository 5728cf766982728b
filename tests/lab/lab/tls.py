# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab's certificate authority, and a TLS context that makes a certificate for each name asked for."""

from __future__ import annotations

import datetime
import ssl
import threading
from collections.abc import Callable
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

# Who signs for the hosts of a cloud, as its real ones do: what the names end in, organisation and name. Others are
# signed for by the root itself.
_ISSUERS = {
    (".amazonaws.com", ".amazonaws.com.cn", ".api.aws"): ("Amazon", "Amazon RSA 2048 M02"),
    (".azure.com", ".azure.us", ".azure.cn", ".azure-api.net", ".windows.net"): (
        "Microsoft Corporation",
        "Microsoft Azure RSA TLS Issuing CA 03",
    ),
    (".microsoftonline.com", ".microsoft.com", ".microsoft.us"): (
        "DigiCert Inc",
        "DigiCert SHA2 Secure Server CA",
    ),
    (".googleapis.com", ".google.com"): ("Google Trust Services", "WR2"),
}
_NOBODY = "unknown-host.lab.invalid"  # shown to who asks for no name, or for one that nobody serves
_YEAR = datetime.timedelta(days=365)
_DAY = datetime.timedelta(days=1)


class Authority:
    """A fresh authority. Files for OpenSSL, which loads keys from files alone, go to `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._leaf_key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Lab Root CA")])
        self._certificate = self._make_authority(self._name, 1)
        # One key for all of them: nobody has to break it.
        self._issuers = {
            ends: self._make_authority(_named(organisation, name), 0)
            for ends, (organisation, name) in _ISSUERS.items()
        }
        self.pem = self._certificate.public_bytes(serialization.Encoding.PEM)

    def _builder(
        self, subject: x509.Name, key: ec.EllipticCurvePublicKey, issuer: x509.Name
    ) -> x509.CertificateBuilder:
        now = datetime.datetime.now(datetime.timezone.utc)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _DAY)
            .not_valid_after(now + _YEAR)
        )

    def _make_authority(self, subject: x509.Name, below: int) -> x509.Certificate:
        """An authority that the root signs; `below` is how many may follow it in a chain before the host's own."""
        public = self._key.public_key()
        usage = x509.KeyUsage(
            digital_signature=True,
            key_cert_sign=True,
            crl_sign=True,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            encipher_only=False,
            decipher_only=False,
        )
        return (
            self._builder(subject, public, self._name)
            .add_extension(x509.BasicConstraints(ca=True, path_length=below), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .sign(self._key, hashes.SHA256())
        )

    def issue(self, name: str) -> Path:
        """Write a certificate for one host name, with its key; returns the file."""
        # The common name holds 64 characters at most, and host names may be longer: it is for show.
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])
        public = self._leaf_key.public_key()
        key_id = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        authority = next(
            (found for ends, found in self._issuers.items() if name.endswith(ends)),
            self._certificate,
        )
        certificate = (
            self._builder(subject, public, authority.subject)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(key_id, critical=False)
            .sign(self._key, hashes.SHA256())
        )
        key = self._leaf_key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        path = self._folder / f"{name}.pem"
        path.touch(mode=0o600)
        shown = [certificate] if authority is self._certificate else [certificate, authority]
        chain = b"".join(each.public_bytes(serialization.Encoding.PEM) for each in shown)
        path.write_bytes(chain + key)
        return path


def _named(organisation: str, name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "US"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation),
            x509.NameAttribute(NameOID.COMMON_NAME, name),
        ]
    )


class Contexts:
    """One TLS context per host name, made when it is first asked for. `serves` says which there are."""

    def __init__(self, authority: Authority, serves: Callable[[str], bool]) -> None:
        self._authority = authority
        self._serves = serves
        self._made: dict[str, ssl.SSLContext] = {}
        self._lock = threading.Lock()
        self.default = self._context(_NOBODY)
        self.default.sni_callback = self._choose

    def _choose(self, socket: ssl.SSLObject, name: str | None, _context: ssl.SSLContext) -> None:
        if name and self._serves(name.lower()):
            socket.context = self._context(name.lower())

    def _context(self, name: str) -> ssl.SSLContext:
        with self._lock:
            if name not in self._made:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.minimum_version = ssl.TLSVersion.TLSv1_2
                context.set_alpn_protocols(["http/1.1"])
                context.load_cert_chain(self._authority.issue(name))
                self._made[name] = context
            return self._made[name]
