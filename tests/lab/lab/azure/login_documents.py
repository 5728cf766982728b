# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the login hosts publish, and signatures of client certificates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from ..cloud import Request
from . import tokens
from .clouds import ENVIRONMENTS, Environment


def signed_by(pem: str, header: Mapping[str, Any], signed: bytes, signature: bytes) -> bool:
    """Whether an assertion names this certificate by its thumbprint and verifies with its key."""
    certificate = x509.load_pem_x509_certificate(pem.encode())
    named = [
        (header.get("x5t"), hashes.SHA1()),
        (header.get("x5t#S256"), hashes.SHA256()),
    ]
    if not any(
        isinstance(print_, str) and tokens.decode(print_) == certificate.fingerprint(algorithm)
        for print_, algorithm in named
    ):
        return False
    key = certificate.public_key()
    if not isinstance(key, rsa.RSAPublicKey):
        return False
    scheme: Any = padding.PKCS1v15()
    if header.get("alg") == "PS256":
        scheme = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32)
    try:
        key.verify(signature, signed, scheme, hashes.SHA256())
    except InvalidSignature:
        return False
    return True


def openid(tenant: str, environment: Environment) -> dict[str, Any]:
    """Where a tenant's endpoints are."""
    base = f"https://{environment.login}/{tenant}"
    return {
        "token_endpoint": f"{base}/oauth2/v2.0/token",
        "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
        "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
        "jwks_uri": f"{base}/discovery/v2.0/keys",
        "issuer": f"{base}/v2.0",
        "response_types_supported": ["code", "id_token", "token"],
        "subject_types_supported": ["pairwise"],
        "token_endpoint_auth_methods_supported": [
            "client_secret_post",
            "private_key_jwt",
            "client_secret_basic",
        ],
        "tenant_region_scope": None,
        "cloud_instance_name": environment.login.removeprefix("login."),
    }


def instances(request: Request, environment: Environment) -> dict[str, Any]:
    """Which login hosts there are."""
    query = dict(parse_qsl(request.query))
    host = environment.login
    endpoint = query.get("authorization_endpoint", f"https://{host}/common/oauth2/v2.0/authorize")
    tenant = endpoint.split("/")[3] if endpoint.count("/") > 3 else "common"
    return {
        "tenant_discovery_endpoint": f"https://{host}/{tenant}/v2.0/.well-known/openid-configuration",
        "api-version": query.get("api-version", "1.1"),
        "metadata": [
            {
                "preferred_network": each.login,
                "preferred_cache": each.login,
                "aliases": [each.login],
            }
            for each in ENVIRONMENTS.values()
        ],
    }


def keys() -> dict[str, Any]:
    """The key that verifies tokens."""
    numbers = tokens.signing_key().public_key().public_numbers()

    def number(value: int) -> str:
        return tokens.encode(value.to_bytes((value.bit_length() + 7) // 8, "big"))

    key = {"kty": "RSA", "use": "sig", "kid": tokens.KEY_ID, "alg": "RS256"}
    return {"keys": [{**key, "n": number(numbers.n), "e": number(numbers.e)}]}
