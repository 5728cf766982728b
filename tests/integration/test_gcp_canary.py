# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A caller outside Google's perimeter: named before the lock, missed under it, working again after it was undone."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from .conftest import GCP_INVENTORY, Lab
from .story import Chapter, Story

BATCH = "batch@lab-other.iam.gserviceaccount.com"
WORLD = {
    "vantages": [
        {
            "name": "gcp-canary",
            "address": "198.51.100.60",
            "position": "canary",
            "internet": True,
        }
    ]
}
# One look at the models, as a batch job of another project that was never told of the endpoint.
CALL = """
import os, sys
from google.auth.transport.requests import AuthorizedSession
from google.oauth2 import service_account

key = os.environ["LAB_RUN"] + "/gcp/batch@lab-other.iam.gserviceaccount.com.json"
scopes = ["https://www.googleapis.com/auth/cloud-platform"]
session = AuthorizedSession(service_account.Credentials.from_service_account_file(key, scopes=scopes))
url = "https://us-central1-aiplatform.googleapis.com/v1/projects/lab-vertex/locations/us-central1/endpoints"
answer = session.get(url, timeout=10)
if answer.status_code != 200:
    sys.exit(f"{answer.status_code} {answer.json()['error']['message']}")
"""


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Chapter]:
    """Every run by its name."""
    told = Story(lab := Lab(tmp_path_factory.mktemp("gcp_canary")))
    script = lab.path("batch.py")
    script.write_text(CALL)
    canary = {
        "vantage_position": "canary",
        "vantage_canary_command": ["{{ ansible_playbook_python }}", str(script)],
        "ansible_connection": "local",
        "ansible_python_interpreter": "{{ lookup('ansible.builtin.env', 'LAB_RUN') }}/python-gcp-canary",
    }
    more = lab.path("more.yml")
    more.write_text(yaml.safe_dump({"vantages": {"hosts": {"gcp-canary": canary}}}))
    both = f"{GCP_INVENTORY} -i {more}"
    settings: dict[str, Any] = {
        "vantages": ["gcp-app", "gcp-app-eu", "gcp-spoke", "gcp-outside", "gcp-canary"],
        "vertex_soak_seconds": 0,
    }
    told.do(f"$LAB_RUN/in-gcp-canary python {script}")
    told.tell("stopped", both, "lockdown.yml", **settings)
    wrong = {"principal": BATCH, "reason": "is said to have moved"}
    told.tell("undone", both, "lockdown.yml", **settings, vertex_explained_callers=[wrong])
    told.do(f"$LAB_RUN/in-gcp-canary python {script}")
    told.tell("open", both, "verify.yml", **settings, private_endpoint_expect="private")
    # The dry run records the caller, and a later lock reads that.
    told.tell(
        "recorded",
        both,
        "lockdown.yml",
        **settings,
        vertex_roll_out="dry_run",
        vertex_explained_callers=[wrong],
    )
    told.do(f"$LAB_RUN/in-gcp-canary python {script}")
    told.tell("refused", both, "lockdown.yml", **settings)
    return told.read(world=WORLD)


def perimeters(run: Chapter) -> list[str]:
    return [name.rpartition(".")[2] for name in run.writes if "servicePerimeters" in name]


def test_the_preview_stops_the_scope_and_names_the_caller(story: dict[str, Chapter]) -> None:
    run = story["stopped"]
    assert run.code != 0
    assert f"{BATCH} called " in run.failures["lab-vertex"]
    callers = run.report["targets"][0]["preview"]["callers"]
    assert {item["class"] for item in callers if item["principal"] == BATCH} == {"public"}
    assert perimeters(run) == []


def test_explained_wrongly_the_soak_sees_it_fail_and_undoes_the_lock(
    story: dict[str, Chapter],
) -> None:
    run = story["undone"]
    assert run.code != 0
    failure = run.failures["lab-vertex"]
    assert "gcp-canary (canary) cannot do what it does: exit code 1: 403" in failure
    # Which is said only after the canary did its work once more.
    assert "The lock was undone, and calls are admitted again." in failure
    # A perimeter that the run made is gone again.
    assert perimeters(run) == ["create", "delete"]


def test_it_is_as_open_as_it_was(story: dict[str, Chapter]) -> None:
    run = story["open"]
    (target,) = run.report["targets"]
    seen = {row["vantage"]: f"{row['where']} {row['outcome']}" for row in target["matrix"]}
    assert seen["gcp-outside"] == "public admitted"
    assert seen["gcp-app"] == seen["gcp-spoke"] == "private admitted"


def test_a_dry_run_lets_it_go_on_and_the_lock_reads_what_it_recorded(
    story: dict[str, Chapter],
) -> None:
    recorded, refused = story["recorded"], story["refused"]
    assert recorded.code == 0, recorded.output
    assert refused.code != 0
    assert BATCH in refused.failures["lab-vertex"]
    assert perimeters(refused) == []
