# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Access tokens: issued by the login hosts, checked by everybody else."""

from __future__ import annotations

import base64
import functools
import json
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from ..cloud import Request
from .clouds import Environment
from .errors import ArmError
from .state import Principal, State, Token

KEY_ID = "lab-signing-key"


@functools.cache
def signing_key() -> rsa.RSAPrivateKey:
    """The key that signs every token of this process."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _part(value: Any) -> str:
    return encode(json.dumps(value, separators=(",", ":")).encode())


def issue(state: State, principal: Principal, audience: str, environment: Environment) -> str:
    """A signed token for one audience, with the claims that Azure's have."""
    now = int(state.now())
    expires = now + state.timing.token_lifetime
    claims = {
        "aud": audience,
        "iss": f"https://sts.windows.net/{principal.tenant}/",
        "iat": now,
        "nbf": now,
        "exp": int(expires),
        "appid": principal.client_id,
        "idtyp": "app" if principal.type == "ServicePrincipal" else "user",
        "oid": principal.object_id,
        "sub": principal.object_id,
        "tid": principal.tenant,
        "uti": secrets.token_urlsafe(16),
        "ver": "1.0",
    }
    token = _signed(claims)
    state.tokens[token] = Token(principal, audience, expires, environment)
    return token


def _signed(claims: Mapping[str, Any]) -> str:
    signed = f"{_part({'typ': 'JWT', 'alg': 'RS256', 'kid': KEY_ID})}.{_part(claims)}"
    signature = signing_key().sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"{signed}.{encode(signature)}"


def identity(
    state: State, principal: Principal, form: Mapping[str, str], environment: Environment
) -> str:
    """The token that tells the application who its user is."""
    now = int(state.now())
    return _signed(
        {
            "aud": form.get("client_id", ""),
            "iss": f"https://{environment.login}/{principal.tenant}/v2.0",
            "iat": now,
            "nbf": now,
            "exp": now + int(state.timing.token_lifetime),
            "oid": principal.object_id,
            "sub": principal.object_id,
            "tid": principal.tenant,
            "preferred_username": principal.username,
            "ver": "2.0",
        }
    )


def bearer(request: Request) -> str:
    """The token of a request, "" when it carries none."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def authenticate(
    state: State, request: Request, environment: Environment, audiences: Sequence[str]
) -> Principal:
    """Who sends a request to a host that takes tokens for `audiences`. Raises ARM's 401."""
    challenge = {
        "WWW-Authenticate": f'Bearer authorization_uri="https://{environment.login}/", '
        'error="invalid_token", error_description="The access token is missing or invalid."'
    }

    def refused(code: str, message: str) -> ArmError:
        return ArmError(401, code, message, headers=challenge)

    text = bearer(request)
    if not text:
        raise refused(
            "AuthenticationFailed",
            "Authentication failed. The 'Authorization' header is missing.",
        )
    token = state.tokens.get(text)
    if token is None:
        raise refused("InvalidAuthenticationToken", "The access token is invalid.")
    if token.audience.rstrip("/") not in audiences or token.environment is not environment:
        allowed = ",".join(f"{each}/" for each in audiences)
        raise refused(
            "InvalidAuthenticationTokenAudience",
            f"The access token has been obtained for wrong audience or resource '{token.audience}'. "
            f"It should exactly match with one of the allowed audiences '{allowed}'.",
        )
    if token.expires <= state.now():
        raise refused("ExpiredAuthenticationToken", "The access token expiry UTC time is over.")
    return token.principal
