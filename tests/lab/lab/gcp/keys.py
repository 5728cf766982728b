# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The keys of the lab's service accounts, and the key files that clients read.

Making an RSA key takes a third of a second, which every start of a lab would pay for each account. So the keys are
made from the primes below: they are no secret, as the world file's other credentials are none, and open
nothing but a lab.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

TOKEN_URI = "https://oauth2.googleapis.com/token"
_EXPONENT = 65537
_PRIMES = (
    int(
        "efc6d08a66c7b761445e5a2f6fc672ef9a643576fa1c7d4cf1803ba4ed7e0276710396ffeae402c1"
        "c54c1e1c8623b57c56581fa38d50a685893df68629f4c2ff87d8d94310270ba424b2a4c4893c5bab"
        "44f0fa9ef2b909bd3a5d6405e28d199fa16b19824591dec0f2dbcb6349b5f4487f1dd6108a6ca5c9"
        "1234e1de300124db",
        16,
    ),
    int(
        "e9da095e887a9e25733ce1cee9a0cc4f3c8e08e6dbfa371215d6c3956083192457b17ed9cff8932b"
        "7f3e75dd4f187a6713a5d754e9f3ad108d2ebb603c4d2c67742adc8ec7e89d52155e90b9ddce1f7b"
        "0aa9cb1db8d29c145e2c061baee2596a748c6a79e699c25bc03e0201fe9a8cda487c45d02eb83658"
        "216519a826f8e75f",
        16,
    ),
    int(
        "d671daa4f51ad62315a4db090116b4f3735523bebaf34b111466f9e968800721dcb0a7b023be0bb6"
        "cf73f6a7fa5bd88fe7dd2ba583e5f5cac765200a1a5ab3c99133f634c7bd8723ee3486dac07ff64e"
        "080d1ea101ae58f0c26cd42bc60735a959f2c421362feb3ab8b74f249a8b9cca4d9442a5c36e7f14"
        "5bbe0b5c0209a74d",
        16,
    ),
    int(
        "cdc04d6b09e08e34ef69dfa0d5c9ff1afe7898946a59a5459162ff556d203e0d450baaf5b71bc202"
        "54f8ed0e19439e6664f3efc022969cee61dbc039899dfce7119fc731bbe7ef95684324b7ccf881dd"
        "c15e262ceca9d0a1c18198d10ff267c311d6462307dbd72b77e54de17b473eadcd14fd70e78134c1"
        "a862c2cfc57f2b47",
        16,
    ),
)
_PAIRS = tuple(itertools.combinations(_PRIMES, 2))


@functools.cache
def private_key(number: int) -> rsa.RSAPrivateKey:
    """The key of the account that is the world's `number`th."""
    p, q = _PAIRS[number % len(_PAIRS)]
    d = rsa.rsa_recover_private_exponent(_EXPONENT, p, q)
    public = rsa.RSAPublicNumbers(_EXPONENT, p * q)
    numbers = rsa.RSAPrivateNumbers(
        p, q, d, rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q), public
    )
    return numbers.private_key(unsafe_skip_rsa_key_validation=True)


def key_id(email: str) -> str:
    return hashlib.sha1(email.encode(), usedforsecurity=False).hexdigest()


def unique_id(email: str) -> str:
    """The account's number, which Google calls its unique or client id."""
    return str(10**20 + int(key_id(email), 16) % 10**19)


def key_file(email: str, project: str, number: int) -> dict[str, Any]:
    """The document that Google's console lets one download."""
    pem = private_key(number).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    certificates = "https://www.googleapis.com/robot/v1/metadata/x509"
    return {
        "type": "service_account",
        "project_id": project,
        "private_key_id": key_id(email),
        "private_key": pem.decode(),
        "client_email": email,
        "client_id": unique_id(email),
        "auth_uri": "https://accounts.google.com/o/oauth2/auth",
        "token_uri": TOKEN_URI,
        "auth_provider_x509_cert_url": "https://www.googleapis.com/oauth2/v1/certs",
        "client_x509_cert_url": f"{certificates}/{email.replace('@', '%40')}",
        "universe_domain": "googleapis.com",
    }


def path_of(run: Path, email: str) -> Path:
    """Where the lab puts the key file of an account: $LAB_RUN/gcp/EMAIL.json."""
    return run / "gcp" / f"{email}.json"


def write_all(run: Path, accounts: Mapping[str, tuple[str, int]]) -> None:
    """Write the key file of every account: email -> (project, number)."""
    (run / "gcp").mkdir(mode=0o700, exist_ok=True)
    for email, (project, number) in accounts.items():
        path = path_of(run, email)
        path.touch(mode=0o600)
        path.write_text(json.dumps(key_file(email, project, number), indent=2), encoding="utf-8")
