# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The probe's own signer, with botocore as the oracle."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.private_ai.endpoints.plugins.module_utils.probe import sigv4

TEXT = st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF), max_size=12)
PARAMETERS = st.dictionaries(TEXT.filter(bool), TEXT, max_size=4)


def query(parameters: dict[str, str]) -> str:
    return "&".join(
        f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}"
        for name, value in parameters.items()
    )


def botocore_authorization(ours: dict[str, str], call: dict[str, Any], token: str | None) -> str:
    """Sign the same request with botocore, at the moment that ours was signed."""
    headers = {**call["headers"], "X-Amz-Date": ours["X-Amz-Date"]}
    request = AWSRequest(
        method=call["method"],
        url=f"https://{call['host']}{call['path']}",
        headers=headers,
        data=call["body"],
    )
    request.context["timestamp"] = ours["X-Amz-Date"]
    auth = SigV4Auth(Credentials("AKID", "sEcReT/+", token), call["service"], call["region"])
    if token:
        request.headers["X-Amz-Security-Token"] = token
    text = auth.string_to_sign(request, auth.canonical_request(request))
    signed = auth.signed_headers(auth.headers_to_sign(request))
    return (
        f"AWS4-HMAC-SHA256 Credential={auth.scope(request)}, SignedHeaders={signed}, "
        f"Signature={auth.signature(text, request)}"
    )


@given(
    method=st.sampled_from(["GET", "POST"]),
    segments=st.lists(TEXT.filter(bool), max_size=3),
    parameters=PARAMETERS,
    body=st.binary(max_size=30),
    token=st.none() | st.just("t0ken=="),
    header=st.text("abc  xyz", min_size=1, max_size=9).map(str.strip).filter(bool),
)
def test_signs_as_botocore_does(
    method: str,
    segments: list[str],
    parameters: dict[str, str],
    body: bytes,
    token: str | None,
    header: str,
) -> None:
    path = "/" + "/".join(quote(segment, safe="-_.~") for segment in segments)
    # botocore also normalises dot segments, which no probe action has.
    if any(segment in (".", "..") for segment in segments):
        return
    call: dict[str, Any] = {
        "method": method,
        "host": "bedrock.us-east-1.amazonaws.com",
        "path": path + (f"?{query(parameters)}" if parameters else ""),
        "headers": {"X-Amz-Target": header},
        "body": body,
        "region": "us-east-1",
        "service": "bedrock",
    }
    ours = sigv4.sign(sigv4.Credentials("AKID", "sEcReT/+", token), **call)
    assert ours["Authorization"] == botocore_authorization(ours, call, token)


def test_the_signature_changes_with_the_body() -> None:
    made = {
        body: sigv4.sign(
            sigv4.Credentials("AKID", "secret"),
            method="POST",
            host="h",
            path="/",
            headers={},
            body=body,
            region="r",
            service="s",
            at=0,
        )["Authorization"]
        for body in (b"", b"x")
    }
    assert len(set(made.values())) == 2


@pytest.mark.parametrize("secret", ["secret-value", "token-value"])
def test_credentials_do_not_print_their_secrets(secret: str) -> None:
    assert secret not in repr(sigv4.Credentials("AKID", "secret-value", "token-value"))
