# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verification of AWS Signature Version 4 in the Authorization header.

https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html
"""

from __future__ import annotations

import calendar
import hashlib
import hmac
import posixpath
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, unquote

from .errors import CredentialError
from .records import Caller
from .state import State

_ALGORITHM = "AWS4-HMAC-SHA256"
_FIELDS = re.compile(r"(Credential|SignedHeaders|Signature)=([^,\s]+)")


@dataclass(frozen=True)
class _Signature:
    access_key: str
    date: str
    region: str
    service: str
    signed_headers: tuple[str, ...]
    signature: str

    @property
    def scope(self) -> str:
        return f"{self.date}/{self.region}/{self.service}/aws4_request"


def verify(
    state: State,
    *,
    method: str,
    path: str,
    query: str,
    headers: Mapping[str, str],
    body: bytes,
    service: str,
    region: str,
) -> Caller:
    """Who signed this request; raises CredentialError when AWS would refuse the credentials.

    headers have lower-case names; path and query are as sent; service is the signing name.
    """
    signature = _parse(headers.get("authorization", ""))
    caller = state.caller_by_key(signature.access_key)
    if caller is None or caller.session_token != headers.get("x-amz-security-token", ""):
        raise CredentialError("unknown_key")
    _check_scope(signature, service, region)
    stamp = headers.get("x-amz-date", "")
    _check_date(signature, stamp, state.now(), state.timing.skew)
    if {"host", "x-amz-date"} - set(signature.signed_headers):
        raise CredentialError("signature")
    canonical = _canonical(signature, method, path, query, headers, body)
    to_sign = "\n".join(
        [_ALGORITHM, stamp, signature.scope, hashlib.sha256(canonical.encode()).hexdigest()]
    )
    expected = _sign(caller.secret_key, signature, to_sign)
    if not hmac.compare_digest(expected, signature.signature):
        raise CredentialError("signature")
    if caller.expires is not None and caller.expires <= state.now():
        raise CredentialError("expired")
    return caller


def _parse(header: str) -> _Signature:
    if not header.startswith(_ALGORITHM):
        raise CredentialError("missing")
    fields = dict(_FIELDS.findall(header))
    parts = fields.get("Credential", "").split("/")
    if len(parts) != 5 or parts[4] != "aws4_request" or len(fields) != 3:
        raise CredentialError("missing")
    access_key, date, region, service, _ = parts
    signed = tuple(fields["SignedHeaders"].split(";"))
    return _Signature(access_key, date, region, service, signed, fields["Signature"])


def _check_scope(signature: _Signature, service: str, region: str) -> None:
    if signature.service != service:
        raise CredentialError(
            "scope", f"Credential should be scoped to correct service: '{service}'. "
        )
    if signature.region != region:
        raise CredentialError(
            "scope", f"Credential should be scoped to a valid region, not '{signature.region}'. "
        )


def _check_date(signature: _Signature, stamp: str, now: float, skew: float) -> None:
    try:
        signed = calendar.timegm(time.strptime(stamp, "%Y%m%dT%H%M%SZ"))
    except ValueError:
        raise CredentialError("signature") from None
    if not stamp.startswith(signature.date):
        raise CredentialError("skew", "Date in Credential scope does not match YYYYMMDD")
    if abs(now - signed) > skew:
        limit = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now - skew))
        raise CredentialError("skew", f"Signature expired: {stamp} is now earlier than {limit}")


def _canonical(
    signature: _Signature,
    method: str,
    path: str,
    query: str,
    headers: Mapping[str, str],
    body: bytes,
) -> str:
    lines = []
    for name in signature.signed_headers:
        if name not in headers:
            raise CredentialError("signature")
        lines.append(f"{name}:{' '.join(headers[name].split())}\n")
    digest = hashlib.sha256(body).hexdigest()
    if headers.get("x-amz-content-sha256", digest) != digest:
        raise CredentialError("signature")
    return "\n".join(
        [
            method,
            _canonical_path(path),
            _canonical_query(query),
            "".join(lines),
            ";".join(signature.signed_headers),
            digest,
        ]
    )


def _canonical_path(path: str) -> str:
    """The path as sent, normalised and encoded once more, as every service but S3 wants it."""
    normal = posixpath.normpath(path or "/").replace("//", "/")
    if path.endswith("/") and normal != "/":
        normal += "/"
    return quote(normal, safe="/~-_.")


def _canonical_query(query: str) -> str:
    pairs = []
    for part in filter(None, query.split("&")):
        key, _, value = part.partition("=")
        pairs.append((quote(unquote(key), safe="-_.~"), quote(unquote(value), safe="-_.~")))
    return "&".join(f"{key}={value}" for key, value in sorted(pairs))


def _sign(secret: str, signature: _Signature, to_sign: str) -> str:
    key = f"AWS4{secret}".encode()
    for part in (signature.date, signature.region, signature.service, "aws4_request", to_sign):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key.hex()
