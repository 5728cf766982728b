# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Certificates look as the clouds' do, and whoever trusts the lab's root trusts them."""

from __future__ import annotations

import ssl

import pytest

from lab.tls import Authority, Contexts


@pytest.mark.parametrize(
    ("host", "organisation"),
    [
        ("bedrock.us-east-1.amazonaws.com", "Amazon"),
        ("bedrock.us-east-1.api.aws", "Amazon"),
        ("lab.openai.azure.com", "Microsoft Corporation"),
        ("login.microsoftonline.com", "DigiCert Inc"),
        ("us-central1-aiplatform.googleapis.com", "Google Trust Services"),
        ("example.lab.invalid", None),
    ],
)
def test_a_host_has_a_certificate_of_its_clouds_authority(tmp_path, host, organisation):
    authority = Authority(tmp_path)
    serving = Contexts(authority, lambda name: name == host).default
    trusting = ssl.create_default_context(cadata=authority.pem.decode())
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = trusting.wrap_bio(to_client, to_server, server_hostname=host)
    server = serving.wrap_bio(to_server, to_client, server_side=True)
    for _round in range(4):
        for side in (client, server):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    issuer = dict(pair for part in client.getpeercert()["issuer"] for pair in part)
    assert issuer.get("organizationName") == organisation
