# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who a request comes from: access tokens, and JWTs that a service account signed itself.

https://developers.google.com/identity/protocols/oauth2/service-account
"""

from __future__ import annotations

import base64
import binascii
import json
import secrets
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from . import keys
from .records import Account, Principal, Token
from .state import State

SKEW = 300.0
LONGEST = 3600.0
EVERYTHING = "https://www.googleapis.com/auth/cloud-platform"


class BadToken(Exception):
    """The credentials are not valid; `reason` as in Google's ErrorInfo."""

    def __init__(self, message: str, reason: str = "ACCESS_TOKEN_TYPE_UNSUPPORTED") -> None:
        super().__init__(message)
        self.reason = reason


def issue(state: State, principal: Principal, scopes: frozenset[str], seconds: float) -> str:
    """A new access token."""
    value = f"ya29.c.{secrets.token_urlsafe(48)}"
    state.tokens[value] = Token(principal, scopes, state.now() + seconds)
    return value


def of_account(account: Account) -> Principal:
    return Principal(f"serviceAccount:{account.email}", account.email, account.project)


def authenticate(state: State, headers: Mapping[str, str], host: str) -> Token | None:
    """The token that a request carries, None when it carries none. Raises BadToken."""
    kind, _, value = headers.get("authorization", "").partition(" ")
    if not value:
        return None
    if kind.lower() != "bearer":
        raise BadToken("only bearer tokens are accepted")
    if value.count(".") == 2 and value.startswith("ey"):
        return _self_signed(state, value, host)
    token = state.tokens.get(value)
    if token is None:
        raise BadToken("unknown token")
    if token.expires <= state.now():
        raise BadToken("expired token", "ACCESS_TOKEN_EXPIRED")
    return token


def _self_signed(state: State, jwt: str, host: str) -> Token:
    account, claims = verify(state, jwt)
    audience = str(claims.get("aud", ""))
    scopes = frozenset(str(claims.get("scope", "")).split())
    if not scopes:
        if audience.rstrip("/") != f"https://{host}":
            raise BadToken(f"the audience {audience} is not https://{host}/")
        scopes = frozenset({EVERYTHING})
    return Token(of_account(account), scopes, float(claims["exp"]))


def verify(state: State, jwt: str) -> tuple[Account, dict[str, Any]]:
    """The account that signed a JWT, and its claims. Raises BadToken."""
    try:
        head, body, signature = jwt.split(".")
        header, claims = json.loads(_decode(head)), json.loads(_decode(body))
        signed = _decode(signature)
    except (ValueError, binascii.Error):
        raise BadToken("Invalid JWT: Failed to parse") from None
    account = state.accounts.get(str(claims.get("iss", "")))
    if account is None or account.disabled:
        raise BadToken("Invalid grant: account not found")
    if header.get("alg") != "RS256" or header.get("kid", keys.key_id(account.email)) != keys.key_id(
        account.email
    ):
        raise BadToken("Invalid JWT Signature.")
    public = keys.private_key(account.number).public_key()
    try:
        public.verify(signed, f"{head}.{body}".encode(), padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        raise BadToken("Invalid JWT Signature.") from None
    now = state.now()
    issued, expires = claims.get("iat", 0), claims.get("exp", 0)
    if not (issued - SKEW <= now < expires + SKEW and expires - issued <= LONGEST):
        raise BadToken(
            "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. "
            "Check your iat and exp values in the JWT claim.",
            "ACCESS_TOKEN_EXPIRED",
        )
    return account, claims


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
