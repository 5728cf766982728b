# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who calls: keys, tokens, impersonation and federation, and what is answered without them."""

from __future__ import annotations

import json
from typing import Any

import google.auth.exceptions
import google.auth.impersonated_credentials
import google.auth.transport.requests
import pytest
import requests
from google.oauth2 import service_account

from lab.cloud import Request
from lab.gcp import Gcp, keys, sample
from lab.gcp.sample import ADMIN, APP, OTHER, OUTSIDE, VIEWER
from lab.gcp.tokens import EVERYTHING

PROJECT = "https://cloudresourcemanager.googleapis.com/v1/projects/lab-vertex"
NETWORKS = "https://compute.googleapis.com/compute/v1/projects/lab-vertex/global/networks"
READ_ONLY = "https://www.googleapis.com/auth/logging.read"


@pytest.fixture
def clock() -> sample.Clock:
    return sample.Clock()


@pytest.fixture
def cloud(clock: sample.Clock) -> Gcp:
    return Gcp(sample.state(clock))


def transport(cloud: Gcp) -> Any:
    return google.auth.transport.requests.Request(sample.anonymous(cloud))


def bearer(cloud: Gcp, token: str, url: str = PROJECT) -> requests.Response:
    return sample.anonymous(cloud).get(url, headers={"Authorization": f"Bearer {token}"})


def info(answer: requests.Response) -> str:
    return str(answer.json()["error"]["details"][0]["reason"])


def test_a_key_is_exchanged_for_a_token_that_expires(cloud: Gcp, clock: sample.Clock) -> None:
    credentials = sample.credentials(cloud, ADMIN)
    credentials.refresh(transport(cloud))
    assert credentials.token.startswith("ya29.")
    assert bearer(cloud, credentials.token).status_code == 200
    clock.time += 3600
    late = bearer(cloud, credentials.token)
    assert (late.status_code, info(late)) == (401, "ACCESS_TOKEN_EXPIRED")


def test_a_key_of_another_account_is_refused(cloud: Gcp) -> None:
    document = keys.key_file(ADMIN, "lab-vertex", 1)  # the application's key under another's name
    forged = service_account.Credentials.from_service_account_info(document, scopes=[EVERYTHING])
    with pytest.raises(google.auth.exceptions.RefreshError, match="Invalid JWT Signature"):
        forged.refresh(transport(cloud))
    unknown = {**document, "client_email": "nobody@lab-vertex.iam.gserviceaccount.com"}
    stranger = service_account.Credentials.from_service_account_info(unknown, scopes=[EVERYTHING])
    with pytest.raises(google.auth.exceptions.RefreshError, match="account not found"):
        stranger.refresh(transport(cloud))


def self_signed(cloud: Gcp, audience: str, number: int = 0) -> str:
    document = keys.key_file(ADMIN, "lab-vertex", number)
    credentials = service_account.Credentials.from_service_account_info(document)
    credentials._create_self_signed_jwt(audience)
    credentials.refresh(transport(cloud))
    token = credentials.token
    return token.decode() if isinstance(token, bytes) else str(token)


def test_a_self_signed_token_is_for_one_service(cloud: Gcp) -> None:
    token = self_signed(cloud, "https://compute.googleapis.com/")
    assert bearer(cloud, token, NETWORKS).status_code == 200
    assert bearer(cloud, token).status_code == 401
    forged = self_signed(cloud, "https://compute.googleapis.com/", 1)
    assert bearer(cloud, forged, NETWORKS).status_code == 401


def test_without_credentials(cloud: Gcp) -> None:
    for url in (
        PROJECT,
        NETWORKS,
        "https://aiplatform.googleapis.com/v1/projects/lab-vertex/locations",
    ):
        answer = sample.anonymous(cloud).get(url)
        assert (answer.status_code, info(answer)) == (401, "CREDENTIALS_MISSING")
        assert "missing required authentication credential" in answer.json()["error"]["message"]
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    wrong = bearer(cloud, "ya29.invented")
    assert (wrong.status_code, info(wrong)) == (401, "ACCESS_TOKEN_TYPE_UNSUPPORTED")


def test_scopes_bind(cloud: Gcp) -> None:
    credentials = sample.credentials(cloud, ADMIN).with_scopes([READ_ONLY])
    credentials.refresh(transport(cloud))
    answer = bearer(cloud, credentials.token, NETWORKS)
    assert (answer.status_code, info(answer)) == (403, "ACCESS_TOKEN_SCOPE_INSUFFICIENT")


def test_impersonation_needs_permission(cloud: Gcp) -> None:
    def impersonated(source: str) -> Any:
        return google.auth.impersonated_credentials.Credentials(
            source_credentials=sample.credentials(cloud, source),
            target_principal=APP,
            target_scopes=[EVERYTHING],
            lifetime=600,
        )

    credentials = impersonated(VIEWER)
    credentials.refresh(transport(cloud))
    token = cloud.state.tokens[credentials.token]
    assert (token.principal.email, token.expires) == (APP, cloud.state.now() + 600)
    with pytest.raises(
        google.auth.exceptions.RefreshError, match=r"iam\.serviceAccounts\.getAccessToken"
    ):
        impersonated(OTHER).refresh(transport(cloud))


def test_google_auth_may_ask_for_allowed_locations(cloud: Gcp) -> None:
    url = f"https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/{ADMIN}/allowedLocations"
    answer = sample.session(cloud).get(url)
    assert (answer.status_code, answer.json()["encodedLocations"]) == (200, "0x0")


def test_a_token_of_another_issuer_is_exchanged(clock: sample.Clock) -> None:
    audience = "//iam.googleapis.com/projects/500000000001/locations/global/workloadIdentityPools/p/providers/q"
    member = "principal://iam.googleapis.com/projects/500000000001/subject/runner"
    known = {"audience": audience, "subject_token": "a-jwt", "member": member}
    cloud = Gcp(sample.state(clock, federated=[known]))
    form = {
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
        "audience": audience,
        "scope": EVERYTHING,
        "subject_token": "a-jwt",
    }
    answer = sample.anonymous(cloud).post("https://sts.googleapis.com/v1/token", data=form)
    assert answer.status_code == 200
    assert cloud.state.tokens[answer.json()["access_token"]].principal.member == member
    wrong = sample.anonymous(cloud).post(
        "https://sts.googleapis.com/v1/token", data={**form, "subject_token": "b"}
    )
    assert (wrong.status_code, wrong.json()["error"]) == (400, "invalid_grant")


def arrived(host: str, path: str, body: bytes = b"", method: str = "POST") -> Request:
    return Request(OUTSIDE, "203.0.113.192", host, method, path, "", {}, body, 0.0)


def test_secrets_stay_out_of_the_journal(cloud: Gcp) -> None:
    body = b"grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=very-secret"
    call = cloud.parse(arrived("oauth2.googleapis.com", "/token", body))
    assert (call.operation, call.write, call.plane) == ("oauth2.token", False, "control")
    assert "very-secret" not in repr(call.parameters)


def test_faults_speak_googles_words(cloud: Gcp) -> None:
    def fault(host: str, path: str, kind: Any) -> tuple[int, str, str]:
        answer = cloud.fault(cloud.parse(arrived(host, path, method="GET")), kind)
        error = json.loads(answer.body)["error"]
        reason = error.get("errors", [{"reason": ""}])[0]["reason"]
        return answer.status, error["status"], reason

    compute = ("compute.googleapis.com", "/compute/v1/projects/lab-vertex/global/networks")
    acm = ("accesscontextmanager.googleapis.com", "/v1/accessPolicies/600000000001")
    vertex = ("aiplatform.googleapis.com", "/v1/projects/lab-vertex/locations")
    assert fault(*compute, "throttle") == (403, "PERMISSION_DENIED", "rateLimitExceeded")
    assert fault(*compute, "error") == (503, "UNAVAILABLE", "backendError")
    assert fault(*acm, "throttle") == (429, "RESOURCE_EXHAUSTED", "")
    assert fault(*acm, "error") == (503, "UNAVAILABLE", "")
    assert fault(*vertex, "throttle") == (429, "RESOURCE_EXHAUSTED", "")


def test_operations_are_named_as_google_names_them(cloud: Gcp) -> None:
    path = "/compute/v1/projects/lab-vertex/global/forwardingRules"
    for method, host, where, name, write in (
        ("POST", "compute", path, "compute.globalForwardingRules.insert", True),
        ("GET", "compute", path, "compute.globalForwardingRules.list", False),
        ("GET", "www", path, "compute.globalForwardingRules.list", False),
        ("POST", "compute", f"{path}/a/setLabels", "compute.globalForwardingRules.setLabels", True),
        ("PATCH", "dns", "/dns/v1/projects/p/managedZones/z", "dns.managedZones.patch", True),
        ("POST", "logging", "/v2/entries:list", "logging.entries.list", False),
        (
            "POST",
            "cloudresourcemanager",
            "/v1/projects/p:getIamPolicy",
            "cloudresourcemanager.projects.getIamPolicy",
            False,
        ),
        (
            "GET",
            "accesscontextmanager",
            "/v1/operations/a/b/c",
            "accesscontextmanager.operations.get",
            False,
        ),
    ):
        call = cloud.parse(arrived(f"{host}.googleapis.com", where, method=method))
        assert (call.operation, call.write, call.cloud) == (name, write, "gcp")
