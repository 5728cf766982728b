# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signing in to Azure as azure-identity does, and what a token opens."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from azure.core.exceptions import ClientAuthenticationError
from azure.core.pipeline.transport import RequestsTransport
from azure.identity import (
    CertificateCredential,
    ClientAssertionCredential,
    ClientSecretCredential,
    EnvironmentCredential,
    UsernamePasswordCredential,
    WorkloadIdentityCredential,
)
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from lab.azure import arm_ids, sample, tokens
from lab.azure.clouds import GOVERNMENT
from lab.azure.sample import OWNER, SUBSCRIPTION, TENANT
from lab.azure.sdk_client import Adapter, Sdk
from lab.azure.state import Resource

ARM = "https://management.azure.com/.default"
USER = "0a000000-0000-0000-0000-00000000000a"
US_TENANT = "7f000000-0000-0000-0000-00000000000f"
US_SUBSCRIPTION = "5f000000-0000-0000-0000-00000000000f"
US_CLIENT = "cf000000-0000-0000-0000-00000000000f"
ISSUER, SUBJECT = "https://tokens.example", "system:serviceaccount:automation:runner"


def pair() -> tuple[str, str]:
    """(certificate, certificate with key) as PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "automation")])
    now = datetime.datetime.now(datetime.timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    public = certificate.public_bytes(serialization.Encoding.PEM).decode()
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
    return public, public + private


@pytest.fixture(scope="module")
def known() -> tuple[str, str]:
    return pair()


@pytest.fixture
def lab(known: tuple[str, str]) -> sample.Lab:
    world = sample.world()["azure"]
    owner = {
        **world["principals"][0],
        "certificates": [known[0]],
        "federated": [{"issuer": ISSUER, "subject": SUBJECT}],
    }
    user = {
        "client_id": USER,
        "object_id": USER,
        "tenant": TENANT,
        "type": "User",
        "username": "admin@lab.onmicrosoft.com",
        "secrets": ["pass"],
    }
    american = {
        "client_id": US_CLIENT,
        "object_id": US_CLIENT,
        "tenant": US_TENANT,
        "secrets": ["us"],
    }
    made = sample.lab(
        tenants=[
            {"id": TENANT, "domains": ["lab.onmicrosoft.com"]},
            {"id": US_TENANT, "cloud": "AzureUSGovernment"},
        ],
        subscriptions=[
            {"id": SUBSCRIPTION, "tenant": TENANT},
            {"id": US_SUBSCRIPTION, "tenant": US_TENANT, "name": "government"},
        ],
        principals=[owner, user, american],
    )
    # What SDKs sign has the time of the machine.
    made.clock.time = datetime.datetime.now().timestamp()
    return made


@pytest.fixture
def transport(lab: sample.Lab) -> Iterator[RequestsTransport]:
    with requests.Session() as session:
        session.mount("https://", Adapter(lab.cloud, sample.OUTSIDE))
        yield RequestsTransport(session=session, session_owner=False)


def subscriptions(lab: sample.Lab, token: str) -> tuple[int, Any]:
    url = "https://management.azure.com/subscriptions?api-version=2022-12-01"
    return lab.send("GET", url, headers={"Authorization": f"Bearer {token}"})


def opens(lab: sample.Lab, token: str) -> bool:
    status, body = subscriptions(lab, token)
    return status == 200 and [each["subscriptionId"] for each in body["value"]] == [SUBSCRIPTION]


@pytest.mark.parametrize("tenant", [TENANT, "lab.onmicrosoft.com"])
def test_a_client_secret(lab: sample.Lab, transport: Any, tenant: str) -> None:
    credential = ClientSecretCredential(tenant, OWNER, "owner", transport=transport)
    token = credential.get_token(ARM)
    assert opens(lab, token.token)
    assert 3500 < token.expires_on - lab.clock.time <= 3600


@pytest.mark.parametrize("chain", [False, True])
def test_a_client_certificate(
    lab: sample.Lab, transport: Any, known: tuple[str, str], chain: bool
) -> None:
    credential = CertificateCredential(
        TENANT,
        OWNER,
        certificate_data=known[1].encode(),
        send_certificate_chain=chain,
        transport=transport,
    )
    assert opens(lab, credential.get_token(ARM).token)


def test_a_federated_token(lab: sample.Lab, transport: Any, tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text(assertion(iss=ISSUER, sub=SUBJECT, exp=lab.clock.time + 60))
    credential = WorkloadIdentityCredential(
        tenant_id=TENANT, client_id=OWNER, token_file_path=str(path), transport=transport
    )
    assert opens(lab, credential.get_token(ARM).token)


def test_the_environment(lab: sample.Lab, transport: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("TENANT_ID", TENANT), ("CLIENT_ID", OWNER), ("CLIENT_SECRET", "owner")):
        monkeypatch.setenv(f"AZURE_{name}", value)
    credential = EnvironmentCredential(transport=transport)
    assert opens(lab, credential.get_token(ARM).token)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_user_with_a_password(lab: sample.Lab, transport: Any) -> None:
    def credential(password: str) -> UsernamePasswordCredential:
        return UsernamePasswordCredential(
            OWNER, "admin@lab.onmicrosoft.com", password, tenant_id=TENANT, transport=transport
        )

    assert opens(lab, credential("pass").get_token(ARM).token)
    with pytest.raises(ClientAuthenticationError, match="AADSTS50126"):
        credential("wrong").get_token(ARM)


def assertion(**claims: Any) -> str:
    """A token as an issuer makes them; the lab trusts the issuer's name."""
    parts = [{"alg": "RS256", "kid": "theirs"}, claims]
    return ".".join([*(tokens.encode(json.dumps(each).encode()) for each in parts), "c2ln"])


def wrong_credentials(transport: Any, stranger: str, now: float) -> dict[str, Any]:
    """Credentials by the number of the refusal that they get."""

    def secret(tenant: str = TENANT, client: str = OWNER, secret: str = "owner") -> Any:
        return ClientSecretCredential(tenant, client, secret, transport=transport)

    def asserted(**claims: Any) -> Any:
        return ClientAssertionCredential(
            TENANT, OWNER, lambda: assertion(**claims), transport=transport
        )

    return {
        "AADSTS7000215": secret(secret="wrong"),
        "AADSTS700016": secret(client=SUBSCRIPTION),
        "AADSTS90002": secret(tenant="7e000000-0000-0000-0000-00000000000e"),
        "AADSTS700027": CertificateCredential(
            TENANT, OWNER, certificate_data=stranger.encode(), transport=transport
        ),
        "AADSTS70021": asserted(iss=ISSUER, sub="somebody", exp=now + 60),
        "AADSTS700024": asserted(iss=ISSUER, sub=SUBJECT, exp=now - 1),
        "AADSTS50027": ClientAssertionCredential(
            TENANT, OWNER, lambda: "nonsense", transport=transport
        ),
    }


@pytest.mark.parametrize(
    "number",
    [
        "AADSTS7000215",
        "AADSTS700016",
        "AADSTS90002",
        "AADSTS700027",
        "AADSTS70021",
        "AADSTS700024",
        "AADSTS50027",
    ],
)
def test_a_wrong_credential_is_refused_with_its_number(
    lab: sample.Lab, transport: Any, number: str
) -> None:
    credential = wrong_credentials(transport, pair()[1], lab.clock.time)[number]
    with pytest.raises((ClientAuthenticationError, ValueError)) as caught:
        credential.get_token(ARM)
    # MSAL words an unknown tenant itself.
    assert number in str(caught.value) or "Unable to get authority configuration" in str(
        caught.value
    )


def test_a_certificates_thumbprint_alone_opens_nothing(
    lab: sample.Lab, known: tuple[str, str]
) -> None:
    certificate = x509.load_pem_x509_certificate(known[0].encode())
    header = {
        "alg": "RS256",
        "x5t": tokens.encode(certificate.fingerprint(hashes.SHA1())),
    }
    claims = {
        "iss": OWNER,
        "sub": OWNER,
        "aud": f"https://login.microsoftonline.com/{TENANT}/oauth2/v2.0/token",
        "exp": lab.clock.time + 60,
    }
    parts = [tokens.encode(json.dumps(each).encode()) for each in (header, claims)]
    status, body = post(lab, client_assertion=".".join([*parts, tokens.encode(b"x" * 256)]))
    assert (status, body["error_codes"]) == (401, [700027])


def post(lab: sample.Lab, **form: str) -> tuple[int, Any]:
    given = {
        "client_id": OWNER,
        "grant_type": "client_credentials",
        "scope": ARM,
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        **form,
    }
    url = f"https://login.microsoftonline.com/{TENANT}/oauth2/v2.0/token"
    prepared = requests.Request("POST", url, data=given).prepare()
    response = Adapter(lab.cloud, sample.OUTSIDE).send(prepared)
    return response.status_code, response.json()


@pytest.mark.parametrize(
    ("form", "number", "error"),
    [
        ({}, 7000218, "invalid_client"),
        ({"grant_type": "device_code"}, 70003, "unsupported_grant_type"),
        ({"client_secret": "owner", "scope": ""}, 1002012, "invalid_scope"),
        (
            {"client_secret": "owner", "scope": "https://nothing.example/.default"},
            500011,
            "invalid_resource",
        ),
    ],
)
def test_a_malformed_token_request(
    lab: sample.Lab, form: dict[str, str], number: int, error: str
) -> None:
    _, body = post(lab, **form)
    assert (body["error_codes"], body["error"]) == ([number], error)
    assert body["error_description"].startswith(f"AADSTS{number}: ")


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ({}, "AuthenticationFailed"),
        ({"Authorization": "Basic eDp5"}, "AuthenticationFailed"),
        ({"Authorization": "Bearer nonsense"}, "InvalidAuthenticationToken"),
    ],
)
def test_requests_without_a_token_are_refused(
    lab: sample.Lab, header: dict[str, str], code: str
) -> None:
    url = "https://management.azure.com/subscriptions?api-version=2022-12-01"
    answer = lab.raw("GET", url, headers=header)
    assert answer.status == 401 and json.loads(answer.body)["error"]["code"] == code
    assert answer.headers["WWW-Authenticate"].startswith("Bearer authorization_uri=")


def test_a_token_for_something_else_is_refused(lab: sample.Lab, transport: Any) -> None:
    credential = ClientSecretCredential(TENANT, OWNER, "owner", transport=transport)
    token = credential.get_token("https://cognitiveservices.azure.com/.default").token
    status, body = subscriptions(lab, token)
    assert (status, body["error"]["code"]) == (401, "InvalidAuthenticationTokenAudience")


def test_a_token_ends(lab: sample.Lab) -> None:
    token = lab.token()
    lab.later(3600)
    status, body = subscriptions(lab, token)
    assert (status, body["error"]["code"]) == (401, "ExpiredAuthenticationToken")


def test_the_sovereign_cloud_is_a_world_of_its_own(lab: sample.Lab) -> None:
    american = Sdk(
        lab.cloud,
        sample.OUTSIDE,
        tenant=US_TENANT,
        client_id=US_CLIENT,
        secret="us",
        environment=GOVERNMENT,
    )
    assert list(american.network(US_SUBSCRIPTION).virtual_networks.list_all()) == []
    assert {call.principal for call, _ in american.adapter.calls} >= {US_CLIENT}

    # Its subscription is not in the public cloud, and its tenant cannot sign in there.
    status, body = lab.arm("GET", f"/subscriptions/{US_SUBSCRIPTION}", version="2022-12-01")
    assert (status, body["error"]["code"]) == (404, "SubscriptionNotFound")
    american.adapter.calls.clear()
    public = Sdk(lab.cloud, sample.OUTSIDE, tenant=US_TENANT, client_id=US_CLIENT, secret="us")
    with pytest.raises((ClientAuthenticationError, ValueError)):
        public.credential.get_token(ARM)


def test_an_endpoint_in_the_sovereign_cloud_has_its_names_and_zones(lab: sample.Lab) -> None:
    group = f"/subscriptions/{US_SUBSCRIPTION}/resourceGroups/ai"
    lab.state.add(Resource(arm_ids.parse(group), {"location": "usgovvirginia", "tags": {}}))
    network = f"{group}/providers/Microsoft.Network"
    account = sample.account(f"{group}/providers/Microsoft.CognitiveServices/accounts/us-openai")
    prefixes = {"addressSpace": {"addressPrefixes": ["10.30.0.0/16"]}}
    subnet = {"name": "endpoints", "properties": {"addressPrefix": "10.30.2.0/24"}}
    endpoint = sample.endpoint(
        f"{network}/privateEndpoints/us",
        account["id"],
        f"{network}/virtualNetworks/us/subnets/endpoints",
    )
    zone = f"{network}/privateDnsZones/privatelink.openai.azure.us"
    config = {"name": "openai", "properties": {"privateDnsZoneId": zone}}
    lab.add(
        {
            "id": f"{network}/virtualNetworks/us",
            "location": "usgovvirginia",
            "properties": {**prefixes, "subnets": [subnet]},
        },
        {**account, "location": "usgovvirginia"},
        {**endpoint, "location": "usgovvirginia"},
        {"id": zone, "location": "global"},
        {
            "id": f"{endpoint['id']}/privateDnsZoneGroups/default",
            "properties": {"privateDnsZoneConfigs": [config]},
        },
    )
    client = Sdk(
        lab.cloud,
        sample.OUTSIDE,
        tenant=US_TENANT,
        client_id=US_CLIENT,
        secret="us",
        environment=GOVERNMENT,
    )
    records = client.dns(US_SUBSCRIPTION).record_sets.list("ai", "privatelink.openai.azure.us")
    assert [each.name for each in records] == ["us-openai", "@"]


def test_a_subscription_of_another_tenant(known: tuple[str, str]) -> None:
    other = "7d000000-0000-0000-0000-00000000000d"
    stranger = {"client_id": USER, "object_id": USER, "tenant": other, "secrets": ["x"]}
    lab = sample.lab(tenants=[{"id": TENANT}, {"id": other}], principals=[stranger])
    answer = lab.arm("GET", sample.APP, version="2024-05-01", client=USER)
    assert sample.error(answer)[:2] == (401, "InvalidAuthenticationTokenTenant")
    assert lab.arm("GET", "/subscriptions", version="2022-12-01", client=USER)[1] == {"value": []}
