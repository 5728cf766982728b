# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Calls that were really made in the lab: by what path the evidence says that they came, and what the dry run says."""

from __future__ import annotations

from typing import Any

PROJECT = "projects/lab-vertex"
APP = f"{PROJECT}/global/networks/app"
POLICY = "accessPolicies/600000000001"
PERIMETER = f"{POLICY}/servicePerimeters/vertex"
HOST, REGIONAL = "aiplatform.googleapis.com", "us-central1-aiplatform.googleapis.com"
ADDRESS = "10.255.30.2"
CALLER = "app@lab-vertex.iam.gserviceaccount.com"
CALL = """
import json, sys, urllib.error, urllib.request
import google.auth
from google.auth.transport.requests import Request

credentials, _ = google.auth.default(scopes=["https://www.googleapis.com/auth/cloud-platform"])
credentials.refresh(Request())
url = "https://us-central1-aiplatform.googleapis.com/v1/projects/lab-vertex/locations/us-central1/models"
asked = urllib.request.Request(url, headers={"Authorization": "Bearer " + credentials.token, **json.loads(sys.argv[1])})
try:
    print(urllib.request.urlopen(asked, timeout=20).status)
except urllib.error.HTTPError as error:
    print(error.code, error.read().decode())
"""
PROBE = '{"User-Agent": "private_ai.endpoints"}'


def called(lab: Any, vantage: str, headers: str = "{}") -> dict[str, Any]:
    """A call of the application from a vantage, by whatever path its name leads to."""
    script = lab.path("call.py")
    script.write_text(CALL)
    run = "{{ lookup('ansible.builtin.env', 'LAB_RUN') }}"
    return {"ansible.builtin.command": {"argv": [f"{run}/python-{vantage}", str(script), headers]}}


def read() -> dict[str, Any]:
    gather = ["endpoints", "dns", "perimeter", "traffic"]
    asked = {"project": "lab-vertex", "network": APP, "regions": ["us-central1"]}
    return {"private_ai.endpoints.vertex_psc_endpoint_info": {**asked, "gather": gather}}


def world(**perimeter: Any) -> dict[str, Any]:
    """An endpoint in use, and a perimeter around the project with this configuration."""
    subnet = {"name": "app-a", "region": "us-central1", "range": "10.30.1.0/24"}
    record = {"name": f"{REGIONAL}.", "type": "A", "ttl": 60, "values": [ADDRESS]}
    guard = {"name": "vertex", "title": "vertex", "perimeterType": "PERIMETER_TYPE_REGULAR"}
    return {
        "gcp": {
            "networks": [{"id": APP, "subnets": [{**subnet, "private_google_access": True}]}],
            "endpoints": [{"name": "pscvertex", "network": APP, "address": ADDRESS}],
            "zones": [
                {
                    "id": f"{PROJECT}/managedZones/vertex",
                    "dns_name": f"{REGIONAL}.",
                    "networks": [APP],
                    "records": [record],
                }
            ],
            "access_policies": [{"id": "600000000001", "perimeters": [{**guard, **perimeter}]}],
        }
    }


CONFIG = {"resources": ["projects/500000000001"], "restrictedServices": [HOST]}
PLANNED = {"status": {}, "spec": CONFIG, "useExplicitDryRunSpec": True}


def groups(result: dict[str, Any]) -> list[dict[str, Any]]:
    assert not result.get("failed"), result
    found: list[dict[str, Any]] = result["evidence"]["traffic"]["groups"]
    return found


def test_who_the_lock_would_cut_off_is_named_by_the_dry_run(lab: Any) -> None:
    outcome = lab.tasks(
        called(lab, "gcp-app"),
        called(lab, "gcp-outside"),
        called(lab, "gcp-outside", PROBE),
        read(),
        world=world(**PLANNED),
    )
    assert all(item["stdout"] == "200" for item in outcome.results[:3]), outcome.results
    result = outcome.results[3]
    seen = groups(result)
    assert {item["principal"] for item in seen} == {CALLER}
    assert {item["region"] for item in seen} == {"us-central1"}
    calls = {
        (item["path"], item["network"], item["probe"]) for item in seen if not item["violation"]
    }
    assert calls == {("private", APP, False), ("public", "", False), ("public", "", True)}
    refused = [item for item in seen if item["violation"]]
    assert {(item["probe"], item["path"]) for item in refused} == {
        (False, "public"),
        (True, "public"),
    }
    for item in refused:
        assert item["violation"]["perimeter"] == PERIMETER and item["violation"]["dry_run"] is True
        assert item["count"] == 1 and item["source_ip"] == "198.51.100.14"
    (perimeter,) = result["evidence"]["perimeters"]
    assert perimeter["resources"] == [] and perimeter["holds_project"]
    assert perimeter["dry_run"]["resources"] == ["projects/500000000001"]


def test_a_refused_call_is_no_caller_that_was_let_in(lab: Any) -> None:
    outcome = lab.tasks(
        called(lab, "gcp-app"), called(lab, "gcp-outside"), read(), world=world(status=CONFIG)
    )
    assert outcome.results[0]["stdout"] == "200", outcome.results[0]
    assert "VPC_SERVICE_CONTROLS" in outcome.results[1]["stdout"], outcome.results[1]
    seen = groups(outcome.results[2])
    assert {(item["path"], item["error_code"]) for item in seen} == {
        ("private", None),
        ("public", "PERMISSION_DENIED"),
    }
    (refused,) = [item for item in seen if item["violation"]]
    assert refused["violation"]["dry_run"] is False
