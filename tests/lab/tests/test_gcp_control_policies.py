# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Access Context Manager, organisation policies and Resource Manager."""

from __future__ import annotations

from typing import Any

import pytest

from lab.gcp import Gcp, sample
from lab.gcp.sample import ADMIN, OUTSIDE, POLICY, VIEWER

ACM = "https://accesscontextmanager.googleapis.com/v1"
PERIMETERS = f"{ACM}/{POLICY}/servicePerimeters"
NAME = f"{POLICY}/servicePerimeters/vertex"
CONFIG = {
    "resources": ["projects/500000000001"],
    "restrictedServices": ["aiplatform.googleapis.com"],
}
DRY = {
    "name": NAME,
    "title": "vertex",
    "perimeterType": "PERIMETER_TYPE_REGULAR",
    "useExplicitDryRunSpec": True,
    "spec": CONFIG,
}
ENFORCED = {"name": NAME, "title": "vertex", "status": CONFIG}
MODELS = "https://us-central1-aiplatform.googleapis.com/v1/projects/lab-vertex/locations/us-central1/models"


class Lab:
    def __init__(self, email: str = ADMIN, **sections: Any) -> None:
        self.clock = sample.Clock()
        self.cloud = Gcp(sample.state(self.clock, **sections))
        self.http = sample.session(self.cloud, email)

    def call(self, method: str, url: str, body: Any = None, **params: Any) -> tuple[int, Any]:
        answer = self.http.request(method, url, json=body, params=params)
        return answer.status_code, answer.json()

    def done(self, method: str, url: str, body: Any = None, **params: Any) -> Any:
        """The response of the operation that a call starts."""
        status, operation = self.call(method, url, body, **params)
        assert (status, operation.get("done")) == (200, None), operation
        self.clock.time += 0.5
        operation = self.call("GET", f"{ACM}/{operation['name']}")[1]
        assert operation["done"]
        return operation["response"]

    def outside(self) -> int:
        """The status that the application gets from outside."""
        return sample.session(self.cloud, sample.APP, OUTSIDE).get(MODELS).status_code


@pytest.fixture
def lab() -> Lab:
    return Lab()


def error(answer: Any) -> tuple[int, str]:
    return answer["error"]["code"], answer["error"]["status"]


def test_dry_run_then_enforced_then_undone(lab: Lab) -> None:
    before = lab.call("GET", f"{PERIMETERS}/payments")[1]
    etag = lab.call("GET", f"{ACM}/{POLICY}")[1]["etag"]
    made = lab.done("POST", PERIMETERS, DRY)
    assert (made["@type"].rpartition(".")[2], made["spec"]) == ("ServicePerimeter", CONFIG)
    lab.clock.time += 2
    assert lab.outside() == 200
    assert lab.call("GET", f"{ACM}/{POLICY}")[1]["etag"] != etag
    change = {"status": CONFIG, "useExplicitDryRunSpec": False}
    made = lab.done(
        "PATCH", f"{ACM}/{NAME}", change, updateMask="status,spec,useExplicitDryRunSpec"
    )
    assert ("spec" in made, made["status"]) == (False, CONFIG)
    # It is stored, and binds only when it has propagated.
    assert lab.outside() == 200
    due = lab.cloud.next_change()
    assert due is not None
    assert due > lab.clock.time
    lab.clock.time = due
    assert lab.outside() == 403
    undo = {"status": {**CONFIG, "restrictedServices": []}}
    lab.done("PATCH", f"{ACM}/{NAME}", undo, updateMask="status.restricted_services")
    lab.clock.time += 2
    assert lab.outside() == 200
    assert lab.call("GET", f"{PERIMETERS}/payments")[1] == before
    assert lab.done("DELETE", f"{ACM}/{NAME}")["@type"].endswith("Empty")
    assert lab.call("GET", f"{ACM}/{NAME}")[0] == 404


PERIMETER_ERRORS = [
    ({"name": f"{POLICY}/servicePerimeters/ver-tex"}, "must begin with a letter"),
    ({"name": "vertex"}, "Invalid service perimeter name"),
    ({"title": ""}, "title"),
    ({"title": "payments"}, "is used by another"),
    ({"colour": 1}, 'Unknown name "colour": Cannot find field.'),
    ({"perimeterType": "ROUND"}, "Invalid value at 'perimeterType'"),
    ({"useExplicitDryRunSpec": "perhaps"}, "TYPE_BOOL"),
    ({"useExplicitDryRunSpec": False}, "use_explicit_dry_run_spec must be set to true"),
    ({"spec": {**CONFIG, "resources": ["projects/lab-vertex"]}}, "Resources must be projects/"),
    ({"spec": {**CONFIG, "resources": ["projects/999999999999"]}}, "does not exist"),
    (
        {"spec": {**CONFIG, "resources": ["projects/500000000003"]}},
        "more than one regular Service Perimeter",
    ),
    (
        {"spec": {**CONFIG, "restrictedServices": ["moon.googleapis.com"]}},
        "not a service that VPC Service Controls",
    ),
    ({"spec": {**CONFIG, "accessLevels": [f"{POLICY}/accessLevels/none"]}}, "does not exist"),
    (
        {
            "spec": {
                **CONFIG,
                "vpcAccessibleServices": {"allowedServices": ["storage.googleapis.com"]},
            }
        },
        "enable_restriction",
    ),
    (
        {
            "spec": {
                **CONFIG,
                "ingressPolicies": [{"ingressTo": {"resources": ["projects/500000000002"]}}],
            }
        },
        "Only resources protected by this Service Perimeter",
    ),
    (
        {
            "spec": {
                **CONFIG,
                "ingressPolicies": [{"ingressFrom": {"sources": [{"resource": "*"}]}}],
            }
        },
        "'*' is not allowed",
    ),
    (
        {
            "spec": {
                **CONFIG,
                "ingressPolicies": [
                    {"ingressFrom": {"identityType": "ANY_IDENTITY", "identities": ["user:a@b.c"]}}
                ],
            }
        },
        "cannot both be set",
    ),
]


@pytest.mark.parametrize(("change", "says"), PERIMETER_ERRORS)
def test_perimeters_that_google_refuses(lab: Lab, change: dict[str, Any], says: str) -> None:
    status, answer = lab.call("POST", PERIMETERS, {**DRY, **change})
    assert (status, error(answer)) == (400, (400, "INVALID_ARGUMENT"))
    assert says in answer["error"]["message"]


def test_a_patch_says_what_it_changes(lab: Lab) -> None:
    lab.done("POST", PERIMETERS, DRY)
    for mask in ("", "colour", "status.resources.first", "title.first"):
        assert error(lab.call("PATCH", f"{ACM}/{NAME}", DRY, updateMask=mask)[1]) == (
            400,
            "INVALID_ARGUMENT",
        )
    renamed = {"name": f"{POLICY}/servicePerimeters/other"}
    assert lab.call("PATCH", f"{ACM}/{NAME}", renamed, updateMask="name")[0] == 400
    body = {"title": "new", "description": "not in the mask"}
    made = lab.done("PATCH", f"{ACM}/{NAME}", body, updateMask="title")
    assert (made["title"], "description" in made, made["spec"]) == ("new", False, CONFIG)


def test_concurrent_changes_are_refused(lab: Lab) -> None:
    lab.done("POST", PERIMETERS, DRY)
    seen = lab.call("GET", f"{ACM}/{NAME}")[1]["etag"]
    body = {"title": "one", "etag": seen}
    status, _ = lab.call("PATCH", f"{ACM}/{NAME}", body, updateMask="title")
    assert status == 200
    # While an operation is under way, and with an etag that is old.
    assert error(lab.call("PATCH", f"{ACM}/{NAME}", {"title": "two"}, updateMask="title")[1]) == (
        409,
        "ABORTED",
    )
    lab.clock.time += 1
    assert error(lab.call("PATCH", f"{ACM}/{NAME}", body, updateMask="title")[1]) == (
        409,
        "ABORTED",
    )
    assert error(lab.call("POST", PERIMETERS, DRY)[1]) == (409, "ALREADY_EXISTS")


def test_commit_enforces_the_dry_run_of_everybody() -> None:
    policy = dict(sample.WORLD["gcp"]["access_policies"][0])
    spec = {
        "resources": ["projects/500000000002"],
        "restrictedServices": ["storage.googleapis.com"],
    }
    policy["perimeters"] = [
        *policy["perimeters"],
        {"name": "theirs", "title": "theirs", "useExplicitDryRunSpec": True, "spec": spec},
    ]
    lab = Lab(access_policies=[policy])
    lab.done("POST", PERIMETERS, DRY)
    lab.done("POST", f"{PERIMETERS}:commit", {})
    assert lab.call("GET", f"{PERIMETERS}/theirs")[1]["status"] == spec


def test_an_operation_of_a_perimeter_can_fail() -> None:
    failure = {
        "operation": "accesscontextmanager.accessPolicies.servicePerimeters.create",
        "code": "ABORTED",
        "message": "The policy was changed.",
    }
    lab = Lab(failures=[failure])
    operation = lab.call("POST", PERIMETERS, DRY)[1]
    lab.clock.time += 1
    ended = lab.call("GET", f"{ACM}/{operation['name']}")[1]
    assert ended["error"] == {"code": 10, "message": "The policy was changed."}
    assert lab.call("GET", f"{ACM}/{NAME}")[0] == 404


def test_policies_levels_and_services_are_read(lab: Lab) -> None:
    found = lab.call("GET", f"{ACM}/accessPolicies", parent="organizations/400000000001")[1]
    assert [each["name"] for each in found["accessPolicies"]] == [POLICY]
    assert lab.call("GET", f"{ACM}/accessPolicies")[0] == 400
    levels = lab.call("GET", f"{ACM}/{POLICY}/accessLevels")[1]["accessLevels"]
    assert [each["title"] for each in levels] == ["office"]
    services = lab.call("GET", f"{ACM}/services", pageSize=3)[1]
    assert (len(services["supportedServices"]), bool(services["nextPageToken"])) == (3, True)
    viewer = Lab(VIEWER)
    status, answer = viewer.call("POST", PERIMETERS, DRY)
    permission = answer["error"]["details"][0]["metadata"]["permission"]
    assert (status, permission) == (403, "accesscontextmanager.servicePerimeters.create")


def test_levels_are_made_used_and_kept_while_used(lab: Lab) -> None:
    url = f"{ACM}/{POLICY}/accessLevels"
    name = f"{POLICY}/accessLevels/home"
    body = {
        "name": name,
        "title": "home",
        "basic": {"conditions": [{"ipSubnetworks": ["198.51.100.0/24"]}]},
    }
    wrong = {**body, "basic": {"conditions": [{"ipSubnetworks": ["198.51.100.7/24"]}]}}
    assert lab.call("POST", url, wrong)[0] == 400
    lab.done("POST", url, body)
    lab.done("POST", PERIMETERS, {**ENFORCED, "status": {**CONFIG, "accessLevels": [name]}})
    lab.clock.time += 2
    assert lab.outside() == 200
    assert lab.call("DELETE", f"{ACM}/{name}")[0] == 400


def test_a_projects_perimeters_are_looked_up(lab: Lab) -> None:
    url = f"{ACM}/projects/500000000001:lookupConfiguredServicePerimeter"
    assert lab.call("GET", url) == (200, {})
    lab.done("POST", PERIMETERS, DRY)
    found = lab.call("GET", url)[1]
    assert found == {
        "servicePerimeterDryRun": NAME,
        "restrictedResourceDryRun": "projects/500000000001",
    }


ORG = "https://orgpolicy.googleapis.com/v2"


def test_organisation_policies(lab: Lab) -> None:
    name = "projects/500000000001/policies/gcp.restrictServiceUsage"
    rules = [{"values": {"deniedValues": ["aiplatform.googleapis.com"]}}]
    body = {
        "name": "projects/lab-vertex/policies/gcp.restrictServiceUsage",
        "spec": {"rules": rules},
    }
    status, made = lab.call("POST", f"{ORG}/projects/lab-vertex/policies", body)
    assert (status, made["name"]) == (200, name)
    assert error(lab.call("POST", f"{ORG}/projects/lab-vertex/policies", body)[1]) == (
        409,
        "ALREADY_EXISTS",
    )
    assert lab.outside() == 200
    lab.clock.time += 1
    assert lab.outside() == 403
    assert lab.call("GET", f"{ORG}/{name}:getEffectivePolicy")[1]["spec"]["rules"] == rules
    assert len(lab.call("GET", f"{ORG}/projects/500000000001/policies")[1]["policies"]) == 1
    change = {"name": name, "spec": {"rules": [{"allowAll": True}]}, "etag": "old"}
    assert error(lab.call("PATCH", f"{ORG}/{name}", change)[1]) == (409, "ABORTED")
    assert lab.call("PATCH", f"{ORG}/{name}", {**change, "etag": made["etag"]})[0] == 200
    lab.clock.time += 1
    assert lab.outside() == 200
    wrong = {"name": name, "spec": {"rules": [{"enforce": True}]}}
    assert lab.call("PATCH", f"{ORG}/{name}", wrong)[0] == 400
    assert lab.call("DELETE", f"{ORG}/{name}")[0] == 200
    assert lab.call("GET", f"{ORG}/{name}")[0] == 404
    assert lab.call("GET", f"{ORG}/projects/lab-vertex/policies/moon.phase")[0] == 400
    constraints = lab.call("GET", f"{ORG}/organizations/400000000001/constraints")[1]["constraints"]
    assert any(each["name"].endswith("vertexai.allowedModels") for each in constraints)


CRM = "https://cloudresourcemanager.googleapis.com"


def test_projects_and_their_policies(lab: Lab) -> None:
    old = lab.call("GET", f"{CRM}/v1/projects/lab-vertex")[1]
    new = lab.call("GET", f"{CRM}/v3/projects/lab-vertex")[1]
    assert (old["projectNumber"], new["name"]) == ("500000000001", "projects/500000000001")
    policy = lab.call("POST", f"{CRM}/v1/projects/lab-vertex:getIamPolicy", {})[1]
    assert policy["auditConfigs"][0]["service"] == "aiplatform.googleapis.com"
    policy["bindings"].append({"role": "roles/aiplatform.user", "members": ["allUsers"]})
    status, stored = lab.call(
        "POST", f"{CRM}/v1/projects/lab-vertex:setIamPolicy", {"policy": policy}
    )
    assert (status, stored["bindings"][-1]["members"]) == (200, ["allUsers"])
    assert stored["auditConfigs"]
    again = lab.call("POST", f"{CRM}/v1/projects/lab-vertex:setIamPolicy", {"policy": policy})[1]
    assert error(again) == (409, "ABORTED")
    asked = {"permissions": ["compute.networks.get", "compute.networks.delete"]}
    held = Lab(VIEWER).call("POST", f"{CRM}/v1/projects/lab-vertex:testIamPermissions", asked)[1]
    assert held == {"permissions": ["compute.networks.get"]}
    status, answer = lab.call("GET", f"{CRM}/v1/projects/nobodys")
    assert (status, error(answer)) == (403, (403, "PERMISSION_DENIED"))
