# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The probe on the lab's Google vantages: with a short-lived token that is made for it and shown nowhere."""

from __future__ import annotations

from typing import Any

from .conftest import Lab

APP = "app@lab-vertex.iam.gserviceaccount.com"
LOOKUP = "private_ai.endpoints.vertex_token"
TOKEN = f"{{{{ lookup('{LOOKUP}', '{APP}') }}}}"
HOST = "us-central1-aiplatform.googleapis.com"
TARGET = {
    "host": HOST,
    "cloud": "gcp",
    "target": "lab-vertex",
    "service": "aiplatform",
    "plane": "runtime",
    "probe_action": {
        "name": "aiplatform.endpoints.list",
        "path": "/v1/projects/lab-vertex/locations/us-central1/endpoints?pageSize=1",
        "auth": "bearer",
    },
}


def probe(**options: Any) -> dict[str, Any]:
    return {"private_ai.endpoints.private_endpoint_probe": {"targets": [TARGET], **options}}


def answers(result: dict[str, Any]) -> set[str]:
    return {
        entry["http"]["answer"]
        for item in result["observations"]
        for entry in item["connections"]
        if entry["http"]
    }


def test_a_token_is_made_for_the_probe_and_shown_nowhere(lab: Lab) -> None:
    told = {"bearer_token": TOKEN, "bearer_principal": APP}
    refused = lab.tasks(
        probe(),
        {**probe(**told), "loop": ["a", "b"]},
        probe(bearer_token="ya29.not-a-token", bearer_principal=APP),
        {
            "ansible.builtin.debug": {
                "msg": f"{{{{ lookup('{LOOKUP}', 'admin@lab-vertex.iam.gserviceaccount.com') }}}}"
            }
        },
        {"ansible.builtin.debug": {"msg": f"{{{{ lookup('{LOOKUP}', '') }}}}"}},
        environment={"ANSIBLE_VERBOSITY": "3"},
    )
    nobody, both, wrong, another, none = refused.results
    assert answers(nobody) == {"unauthenticated"}
    assert [answers(item) for item in both["results"]] == [{"admitted"}, {"admitted"}]
    assert {item["observations"][0]["principal"] for item in both["results"]} == {APP}
    assert nobody["observations"][0]["principal"] is None
    assert answers(wrong) == {"bad_credentials"}
    for word in ("iam.serviceAccounts.getAccessToken", "admin@lab-vertex"):
        assert word in another["msg"]
    assert "Give the email of a service account" in none["msg"]
    # One token for all vantages of a task, and none of them in the output.
    made = [
        entry for entry in refused.journal if entry["operation"].endswith("generateAccessToken")
    ]
    assert len(made) == 2
    assert "ya29." not in refused.output.replace("ya29.not-a-token", "")
