# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Google's data planes: ways in, permissions, perimeters, and the entries that calls leave."""

from __future__ import annotations

from typing import Any

import pytest

from lab.cloud import Vantage
from lab.gcp import Gcp, sample
from lab.gcp.sample import ADMIN, APP, APP_NETWORK, IN_SPOKE, INSIDE, OTHER, OUTSIDE, POLICY, VIEWER

VERTEX = (
    "https://us-central1-aiplatform.googleapis.com/v1/projects/lab-vertex/locations/us-central1"
)
MODELS = f"{VERTEX}/models"
GENERATE = f"{VERTEX}/publishers/google/models/gemini-2.0-flash:generateContent"
BUCKETS = "https://storage.googleapis.com/storage/v1/b?project=lab-vertex"
ADDRESS = "10.9.9.9"
CONFIG = {
    "resources": ["projects/500000000001"],
    "restrictedServices": ["aiplatform.googleapis.com"],
}
NETWORK = f"//compute.googleapis.com/{APP_NETWORK}"


def locked(bundle: str = "all-apis", clock: sample.Clock | None = None, **perimeter: Any) -> Gcp:
    """An endpoint in the application's network, and a perimeter around its project."""
    made = {"name": "vertex", "title": "vertex", **(perimeter or {"status": CONFIG})}
    policy = dict(sample.WORLD["gcp"]["access_policies"][0])
    policy["perimeters"] = [*policy["perimeters"], made]
    endpoint = {"name": "pscvertex", "network": APP_NETWORK, "address": ADDRESS, "bundle": bundle}
    return Gcp(sample.state(clock, endpoints=[endpoint], access_policies=[policy]))


def get(
    cloud: Gcp, place: Vantage = OUTSIDE, url: str = MODELS, email: str = APP, dial: str = ""
) -> Any:
    return sample.session(cloud, email, place, dial).get(url)


def test_a_refusal_names_the_perimeters_control() -> None:
    answer = get(locked())
    error = answer.json()["error"]
    assert (answer.status_code, error["status"]) == (403, "PERMISSION_DENIED")
    precondition, info = error["details"]
    assert precondition["violations"][0]["type"] == "VPC_SERVICE_CONTROLS"
    assert info["reason"] == "SECURITY_POLICY_VIOLATED"
    assert info["metadata"]["service"] == "aiplatform.googleapis.com"
    assert info["metadata"]["uid"] == precondition["violations"][0]["description"]
    assert info["metadata"]["uid"] in error["message"]


def test_without_credentials_nothing_is_learned() -> None:
    for cloud in (locked(), Gcp(sample.state())):
        answer = sample.anonymous(cloud).get(MODELS)
        assert (answer.status_code, answer.json()["error"]["status"]) == (401, "UNAUTHENTICATED")


def test_permission_is_asked_before_the_perimeter() -> None:
    answer = get(locked(), email="admin@lab-vertex.iam.gserviceaccount.com")
    assert "organization's policy" in answer.json()["error"]["message"]
    other = get(locked(), url=MODELS.replace("lab-vertex", "lab-other"))
    assert "Permission 'aiplatform.models.list' denied" in other.json()["error"]["message"]


def test_through_the_endpoint_it_works() -> None:
    cloud = locked()
    assert get(cloud, INSIDE, dial=ADDRESS).status_code == 200
    body = {"contents": [{"role": "user", "parts": [{"text": "Hello"}]}]}
    made = sample.session(cloud, APP, INSIDE, ADDRESS).post(GENERATE, json=body)
    assert made.json()["candidates"][0]["finishReason"] == "STOP"
    assert get(cloud, INSIDE, BUCKETS, dial=ADDRESS).json()["items"][0]["name"] == "lab-vertex-data"
    # The spoke's project is the same, but its network does not reach the address.
    assert get(cloud, IN_SPOKE, dial=ADDRESS).status_code == 404
    assert get(cloud, OUTSIDE, dial=ADDRESS).headers["Content-Type"].startswith("text/html")


def test_the_restricted_bundle_serves_only_what_perimeters_support() -> None:
    maps = "https://maps.googleapis.com/v1/projects/lab-vertex/maps"
    assert get(locked("all-apis"), INSIDE, maps, dial=ADDRESS).status_code == 200
    refused = get(locked("vpc-sc"), INSIDE, maps, dial=ADDRESS)
    assert (refused.status_code, refused.text[:15]) == (404, "<!DOCTYPE html>")
    assert get(locked("vpc-sc"), INSIDE, dial=ADDRESS).status_code == 200
    assert get(Gcp(sample.state()), INSIDE, maps, dial="199.36.153.4").status_code == 404
    assert get(Gcp(sample.state()), INSIDE, maps, dial="199.36.153.8").status_code == 200


def test_other_services_go_on_working() -> None:
    cloud = locked()
    assert get(cloud, OUTSIDE, BUCKETS).status_code == 200
    assert (
        get(
            cloud, OUTSIDE, "https://pubsub.googleapis.com/v1/projects/lab-vertex/topics"
        ).status_code
        == 200
    )


def rule(source: Any, **more: Any) -> dict[str, Any]:
    given = {"identityType": "ANY_IDENTITY", "sources": source, **more}
    operations = [
        {"serviceName": "aiplatform.googleapis.com", "methodSelectors": [{"method": "*"}]}
    ]
    return {"ingressFrom": given, "ingressTo": {"operations": operations, "resources": ["*"]}}


OFFICE = f"{POLICY}/accessLevels/office"
OPENINGS = [
    ({}, 403),
    ({"accessLevels": [OFFICE]}, 200),
    ({"ingressPolicies": [rule([])]}, 403),
    ({"ingressPolicies": [rule([{"accessLevel": "*"}])]}, 200),
    ({"ingressPolicies": [rule([{"accessLevel": OFFICE}])]}, 200),
    ({"ingressPolicies": [rule([{"resource": "projects/500000000002"}])]}, 403),
    ({"ingressPolicies": [rule([{"accessLevel": "*"}], identityType="ANY_USER_ACCOUNT")]}, 403),
    (
        {
            "ingressPolicies": [
                rule([{"accessLevel": "*"}], identityType="", identities=[f"serviceAccount:{APP}"])
            ]
        },
        200,
    ),
    (
        {
            "ingressPolicies": [
                rule([{"accessLevel": "*"}], identityType="", identities=["user:a@b.c"])
            ]
        },
        403,
    ),
    ({"resources": ["projects/500000000002"]}, 200),
    ({"restrictedServices": ["storage.googleapis.com"]}, 200),
]


@pytest.mark.parametrize(("change", "status"), OPENINGS)
def test_what_opens_a_perimeter(change: dict[str, Any], status: int) -> None:
    assert get(locked(status={**CONFIG, **change})).status_code == status


def test_networks_inside_may_reach_only_accessible_services() -> None:
    accessible = {"enableRestriction": True, "allowedServices": ["RESTRICTED-SERVICES"]}
    cloud = locked(status={**CONFIG, "vpcAccessibleServices": accessible})
    assert get(cloud, INSIDE, dial=ADDRESS).status_code == 200
    answer = get(cloud, INSIDE, BUCKETS, dial=ADDRESS)
    assert (answer.status_code, answer.json()["error"]["errors"][0]["reason"]) == (
        403,
        "vpcServiceControls",
    )


def test_egress_to_a_project_outside_is_refused() -> None:
    cloud = locked()
    cloud.state.projects["lab-other"].policy["bindings"] = [
        {"role": "roles/aiplatform.user", "members": [f"serviceAccount:{APP}"]}
    ]
    url = MODELS.replace("lab-vertex", "lab-other")
    answer = get(cloud, INSIDE, url, dial=ADDRESS)
    assert answer.json()["error"]["details"][1]["reason"] == "SECURITY_POLICY_VIOLATED"
    assert get(cloud, OUTSIDE, url).status_code == 200


LOGS = "https://logging.googleapis.com/v2/entries:list"


def entries(cloud: Gcp, text: str = "", email: str = ADMIN, **more: Any) -> Any:
    body = {"resourceNames": ["projects/lab-vertex"], "filter": text, **more}
    answer = sample.session(cloud, email).post(LOGS, json=body)
    return answer.json().get("entries", []) if answer.status_code == 200 else answer.json()


DRY_RUN = 'log_id("cloudaudit.googleapis.com/policy") AND protoPayload.metadata.dryRun="true"'


def test_a_dry_run_admits_and_leaves_entries() -> None:
    cloud = locked(useExplicitDryRunSpec=True, spec=CONFIG)
    assert get(cloud, email=OTHER).status_code == 200
    assert get(cloud, INSIDE, dial=ADDRESS).status_code == 200
    (entry,) = entries(cloud, DRY_RUN)
    payload = entry["protoPayload"]
    assert payload["authenticationInfo"]["principalEmail"] == OTHER
    assert payload["methodName"] == "google.cloud.aiplatform.v1.ModelService.ListModels"
    assert payload["requestMetadata"]["callerIp"] == "198.51.100.10"
    assert payload["metadata"]["violationReason"] == "NO_MATCHING_ACCESS_LEVEL"
    assert payload["metadata"]["ingressViolations"][0]["servicePerimeter"].endswith("/vertex")
    # The enforced refusal is an entry of its own, without the mark.
    cloud = locked()
    get(cloud)
    (entry,) = entries(cloud, 'log_id("cloudaudit.googleapis.com/policy")')
    assert "dryRun" not in entry["protoPayload"]["metadata"]


def test_data_access_entries_tell_the_way() -> None:
    cloud = locked()
    get(cloud, INSIDE, dial=ADDRESS)
    get(cloud)
    text = 'log_id("cloudaudit.googleapis.com/data_access") AND protoPayload.serviceName="aiplatform.googleapis.com"'
    inside, outside = (each["protoPayload"] for each in entries(cloud, text))
    assert inside["requestMetadata"]["callerIp"] == INSIDE.address
    assert inside["requestMetadata"]["callerNetwork"] == NETWORK
    assert outside["requestMetadata"]["callerIp"] == OUTSIDE.address
    assert "callerNetwork" not in outside["requestMetadata"]
    assert (inside["status"], outside["status"]["code"]) == ({}, 7)
    # A machine with an external address shows it, even through the endpoint.
    external = sample.vantage(
        "app", INSIDE.address, APP_NETWORK, sample.SUBNET, external_address=True
    )
    get(cloud, external, dial=ADDRESS)
    last = entries(cloud, text, orderBy="timestamp desc", pageSize=1)[0]["protoPayload"]
    assert last["requestMetadata"]["callerNetwork"] == NETWORK
    assert {
        each["protoPayload"]["requestMetadata"]["callerIp"] for each in entries(cloud, text)
    } >= {"198.51.100.200"}


def test_data_access_entries_need_switching_on_and_a_permission() -> None:
    cloud = locked(useExplicitDryRunSpec=True, spec=CONFIG)
    get(cloud)
    assert len(entries(cloud)) == 2
    assert [each["logName"].rpartition("%2F")[2] for each in entries(cloud, email=VIEWER)] == [
        "policy"
    ]
    assert entries(cloud, email=OTHER)["error"]["status"] == "PERMISSION_DENIED"
    cloud.state.projects["lab-vertex"].policy["auditConfigs"] = []
    get(cloud)
    assert len(entries(cloud)) == 3


NOW = "2000-01-01T00:00:00Z"
FILTERS = [
    ("", 2),
    (f'timestamp>="{NOW}"', 2),
    (f'timestamp<"{NOW}"', 0),
    ('protoPayload.methodName:"ListModels"', 2),
    ('protoPayload.methodName=~"^google\\.cloud"', 2),
    ("severity=ERROR OR severity=INFO", 2),
    ("severity=(ERROR OR INFO) NOT severity=INFO", 1),
    ('-log_id("cloudaudit.googleapis.com/policy")', 1),
    ("protoPayload.metadata.dryRun:*", 1),
    ('protoPayload.authenticationInfo.principalEmail!="x"', 2),
    ('(severity=ERROR) AND (resource.labels.service="aiplatform.googleapis.com")', 1),
    ('severity="INFO"\nprotoPayload.status.code=7', 0),
]


@pytest.mark.parametrize(("text", "count"), FILTERS)
def test_filters(text: str, count: int) -> None:
    cloud = locked(useExplicitDryRunSpec=True, spec=CONFIG)
    get(cloud)
    assert len(entries(cloud, text)) == count


@pytest.mark.parametrize(
    "text",
    [
        "severity",
        "severity=",
        "(severity=ERROR",
        "a=b)",
        "sample(insertId, 0.1)",
        "= 3",
        '"loose text"',
    ],
)
def test_filters_that_are_none(text: str) -> None:
    assert entries(locked(), text)["error"]["status"] == "INVALID_ARGUMENT"


def test_entries_of_the_world_are_there() -> None:
    known = {
        "project": "lab-vertex",
        "method": "google.cloud.aiplatform.v1.PredictionService.Predict",
        "principal": OTHER,
        "caller_ip": "198.51.100.77",
        "age": 7200,
    }
    cloud = Gcp(
        sample.state(
            log_entries=[known, {**known, "perimeter": f"{POLICY}/servicePerimeters/vertex"}]
        )
    )
    assert len(entries(cloud)) == 2
    (entry,) = entries(cloud, DRY_RUN)
    assert entry["protoPayload"]["authenticationInfo"]["principalEmail"] == OTHER


def test_what_there_is_to_call() -> None:
    cloud = Gcp(sample.state())
    http = sample.session(cloud, APP)
    listed = http.get(f"{VERTEX}/endpoints").json()["endpoints"]
    predicted = http.post(
        f"https://us-central1-aiplatform.googleapis.com/v1/{listed[0]['name']}:predict",
        json={"instances": [{}]},
    )
    assert predicted.json()["predictions"]
    assert http.get(f"{VERTEX}/models/none").status_code == 404
    assert http.get(f"{VERTEX}/nothing").status_code == 404
    wrong = MODELS.replace("us-central1-ai", "europe-west1-ai")
    assert http.get(wrong).status_code == 400
    everywhere = "https://aiplatform.googleapis.com/v1/projects/lab-vertex/locations"
    assert "us-central1" in [
        each["locationId"] for each in http.get(everywhere).json()["locations"]
    ]
    assert (
        http.get("https://storage.googleapis.com/storage/v1/b/lab-vertex-data/o").status_code == 200
    )
