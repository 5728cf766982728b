# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""AWS Signature Version 4 for one request, in the standard library.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

from __future__ import annotations

import hashlib
import hmac
import time
from dataclasses import dataclass, field
from typing import Dict, Mapping, Tuple
from urllib.parse import quote

ALGORITHM = "AWS4-HMAC-SHA256"
_UNRESERVED = "-_.~"


@dataclass(frozen=True)
class Credentials:
    """Keys of one AWS identity. The session token only belongs to temporary ones."""

    access_key: str
    secret_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)


def sign(
    credentials: Credentials,
    *,
    method: str,
    host: str,
    path: str,
    headers: Mapping[str, str],
    body: bytes,
    region: str,
    service: str,
    at: float | None = None,
) -> Dict[str, str]:
    """The headers to send: those given, and the ones that sign them.

    path: as in the request line, with its query; at: seconds since the epoch, now when left out.
    """
    moment = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(at))
    sent = {**headers, "X-Amz-Date": moment}
    if credentials.session_token:
        sent["X-Amz-Security-Token"] = credentials.session_token
    signed = {name.lower(): " ".join(value.split()) for name, value in sent.items()}
    signed["host"] = host
    scope = f"{moment[:8]}/{region}/{service}/aws4_request"
    request = canonical_request(method, path, signed, body)
    text = "\n".join([ALGORITHM, moment, scope, hashlib.sha256(request.encode()).hexdigest()])
    key = _key(credentials.secret_key, moment[:8], region, service)
    signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    sent["Authorization"] = (
        f"{ALGORITHM} Credential={credentials.access_key}/{scope}, "
        f"SignedHeaders={';'.join(sorted(signed))}, Signature={signature}"
    )
    return sent


def canonical_request(method: str, path: str, headers: Mapping[str, str], body: bytes) -> str:
    """What is signed: method, path, query, headers and body in one agreed spelling."""
    location, _unused, query = path.partition("?")
    pairs = sorted(_pair(part) for part in query.split("&") if part)
    return "\n".join(
        [
            method,
            # A path that is already encoded is encoded once more, by every service but S3.
            quote(location or "/", safe="/" + _UNRESERVED),
            "&".join(f"{name}={value}" for name, value in pairs),
            *(f"{name}:{headers[name]}" for name in sorted(headers)),
            "",
            ";".join(sorted(headers)),
            hashlib.sha256(body).hexdigest(),
        ]
    )


def _pair(part: str) -> Tuple[str, str]:
    name, _unused, value = part.partition("=")
    return name, value


def _key(secret: str, date: str, region: str, service: str) -> bytes:
    key = ("AWS4" + secret).encode()
    for part in (date, region, service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key
