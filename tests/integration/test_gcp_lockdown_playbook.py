# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The main job on Google, in one lab from wide open to torn down again: predicted, run, repeated, moved, unlocked."""

from __future__ import annotations

import json

import pytest

from .conftest import GCP_INVENTORY, Lab
from .story import Chapter, Story, cells, changes

POLICY = "accessPolicies/600000000001"
PERIMETER = f"{POLICY}/servicePerimeters/vertex"
HOSTS = {f"{place}aiplatform.googleapis.com" for place in ("", "us-central1-", "europe-west1-")}
PATCH = "accesscontextmanager.accessPolicies.servicePerimeters.patch"
# What stands of the access policy, and whether the application still reaches other APIs of Google by the public names.
LOOK = """
import json, sys
import google.auth
from google.auth.transport.requests import AuthorizedSession

session = AuthorizedSession(google.auth.default(["https://www.googleapis.com/auth/cloud-platform"])[0])
base = "https://accesscontextmanager.googleapis.com/v1/accessPolicies/600000000001/servicePerimeters"
found = {item["name"].rpartition("/")[2]: item for item in session.get(base).json()["servicePerimeters"]}
json.dump(found, open(sys.argv[1], "w"))
"""
STORAGE = """
import json, sys
import google.auth
from google.auth.transport.requests import AuthorizedSession

session = AuthorizedSession(google.auth.default(["https://www.googleapis.com/auth/cloud-platform"])[0])
answer = session.get("https://storage.googleapis.com/storage/v1/b?project=lab-vertex", timeout=10)
json.dump([answer.status_code, answer.json()], open(sys.argv[1], "w"))
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Lab, dict[str, Chapter]]:
    """The lab's folder, and every chapter by its name."""
    story = Story(lab := Lab(tmp_path_factory.mktemp("gcp")))
    lab.path("look.py").write_text(LOOK)
    lab.path("storage.py").write_text(STORAGE)
    soak = {"vertex_soak_seconds": 1}
    shown = {**soak, "private_endpoint_report_in_check_mode": True}

    def look(name: str) -> None:
        story.do(f"python {lab.path('look.py')} {lab.path(name + '.json')}")

    look("before")
    story.tell("predicted", GCP_INVENTORY, "lockdown.yml --check --diff", **shown)
    story.tell("locked", GCP_INVENTORY, "lockdown.yml", **soak)
    look("after")
    for vantage in ("gcp-app", "gcp-spoke"):
        story.do(
            f"$LAB_RUN/python-{vantage} {lab.path('storage.py')} {lab.path(vantage + '.json')}"
        )
    story.tell("again", GCP_INVENTORY, "lockdown.yml", **soak)
    story.tell("predicted_again", GCP_INVENTORY, "lockdown.yml --check", **shown)
    moved = {**soak, "vertex_endpoint_address": "10.255.30.9", "vertex_dns_ttl": 1}
    story.tell("moved", GCP_INVENTORY, "lockdown.yml", **moved)
    story.tell("moved_again", GCP_INVENTORY, "lockdown.yml", **moved)
    story.tell("refused_teardown", GCP_INVENTORY, "teardown.yml")
    story.tell("unlocked", "/dev/null", f"unlock.yml -e scope={PERIMETER}")
    story.tell("torn_down", GCP_INVENTORY, "teardown.yml")
    look("gone")
    story.tell("verified", GCP_INVENTORY, "verify.yml", private_endpoint_expect="open")
    story.tell("recorded", GCP_INVENTORY, "lockdown.yml", **soak, vertex_roll_out="dry_run")
    look("recorded")
    return lab, story.read()


@pytest.fixture
def story(told: tuple[Lab, dict[str, Chapter]]) -> dict[str, Chapter]:
    return told[1]


def perimeters(told: tuple[Lab, dict[str, Chapter]], name: str) -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = json.loads(told[0].path(f"{name}.json").read_text())
    return found


def test_check_mode_writes_nothing_and_predicts_the_run(story: dict[str, Chapter]) -> None:
    predicted = story["predicted"]
    assert predicted.code == 0, predicted.output
    assert predicted.writes == []
    assert changes(predicted)
    assert changes(predicted) == changes(story["locked"])
    for step in predicted.report["steps"]:
        assert bool(step["conditional_on"]) == (step["phase"] != "create"), step


def test_afterwards_the_target_is_reached_only_privately(story: dict[str, Chapter]) -> None:
    locked = story["locked"]
    assert locked.code == 0, locked.output
    assert all(target["summary"]["expectation_met"] for target in locked.report["targets"])
    seen = cells(locked)
    assert {host for _, host in seen} == HOSTS
    assert {vantage for vantage, _ in seen} == {"gcp-app", "gcp-app-eu", "gcp-spoke", "gcp-outside"}
    for (vantage, _), cell in seen.items():
        outside = vantage == "gcp-outside"
        assert cell == ("public denied_perimeter" if outside else "private admitted"), seen


def test_each_network_is_led_to_its_own_endpoint(story: dict[str, Chapter]) -> None:
    (target,) = story["locked"].report["targets"]
    shown = {row["vantage"]: row["cell"] for row in target["matrix"]}
    assert "10.255.30.2" in shown["gcp-app"]
    assert "10.255.31.2" in shown["gcp-spoke"]


@pytest.mark.parametrize("vantage", ["gcp-app", "gcp-spoke"])
def test_other_apis_of_google_go_on(told: tuple[Lab, dict[str, Chapter]], vantage: str) -> None:
    status, answer = json.loads(told[0].path(f"{vantage}.json").read_text())
    assert status == 200, answer
    assert [bucket["name"] for bucket in answer["items"]] == ["lab-vertex-data"]


def test_the_order_of_the_writes(story: dict[str, Chapter]) -> None:
    writes = [name for name in story["locked"].writes if not name.endswith(".token")]
    writes = [name for name in writes if "generateAccessToken" not in name]
    lock = next(n for n, name in enumerate(writes) if "servicePerimeters" in name)
    rule = writes.index("compute.globalForwardingRules.insert")
    records = writes.index("dns.managedZones.create")
    assert writes.index("compute.globalAddresses.insert") < rule < records < lock
    # The lock, and its seal.
    assert len(writes[lock:]) == 2, writes[lock:]


def test_another_team_s_perimeter_stays_as_it_was(told: tuple[Lab, dict[str, Chapter]]) -> None:
    before = perimeters(told, "before")["payments"]
    for name in ("after", "gone", "recorded"):
        assert perimeters(told, name)["payments"] == before


def test_a_second_run_changes_nothing(story: dict[str, Chapter]) -> None:
    for name in ("again", "predicted_again", "moved_again"):
        chapter = story[name]
        assert chapter.code == 0, chapter.output
        assert chapter.output.count(" changed=0 ") == 1, chapter.output
        assert writes(chapter) == []
        assert chapter.report["steps"] == []
    assert cells(story["again"]) == cells(story["locked"])


def writes(chapter: Chapter) -> list[str]:
    """Without tokens, which change nothing in the cloud."""
    return [name for name in chapter.writes if "token" not in name.lower()]


def test_an_address_is_changed_by_a_new_endpoint_beside_the_old(story: dict[str, Chapter]) -> None:
    moved = story["moved"]
    assert moved.code == 0, moved.output
    order = [
        name
        for name in writes(moved)
        if (name.split(".")[-1] in ("insert", "delete") and "Rules" in name) or "changes" in name
    ]
    assert order[0] == "compute.globalForwardingRules.insert"
    assert order[-1] == "compute.globalForwardingRules.delete"
    assert set(order[1:-1]) == {"dns.changes.create"}
    assert cells(moved) == cells(story["locked"])
    (target,) = moved.report["targets"]
    shown = {row["vantage"]: row["cell"] for row in target["matrix"]}
    assert "10.255.30.9" in shown["gcp-app"]


def test_no_token_in_output_or_report(story: dict[str, Chapter]) -> None:
    for chapter in story.values():
        for word in ("ya29.", "PRIVATE KEY"):
            assert word not in chapter.output
            assert word not in json.dumps(chapter.report)


def test_teardown_refuses_while_the_perimeter_lets_nobody_else_in(
    story: dict[str, Chapter],
) -> None:
    refused = story["refused_teardown"]
    assert refused.code != 0
    assert "unlock.yml" in refused.output
    assert writes(refused) == []


def test_unlock_needs_a_perimeter_and_nothing_else(
    told: tuple[Lab, dict[str, Chapter]], story: dict[str, Chapter]
) -> None:
    unlocked = story["unlocked"]
    assert unlocked.code == 0, unlocked.output
    assert len(writes(unlocked)) == 1
    # Nothing but ours was in it.
    assert set(perimeters(told, "gone")) == {"payments"}


def test_teardown_takes_names_away_before_endpoints(story: dict[str, Chapter]) -> None:
    down = story["torn_down"]
    assert down.code == 0, down.output
    order = writes(down)
    zones = order.index("dns.managedZones.delete")
    assert zones < order.index("compute.globalForwardingRules.delete")
    assert order.index("compute.globalForwardingRules.delete") < order.index(
        "compute.globalAddresses.delete"
    )


def test_then_it_is_as_open_as_it_was(story: dict[str, Chapter]) -> None:
    assert set(cells(story["verified"]).values()) == {"public admitted"}


def test_a_dry_run_refuses_nobody_and_says_so(
    told: tuple[Lab, dict[str, Chapter]], story: dict[str, Chapter]
) -> None:
    recorded = story["recorded"]
    assert recorded.code == 0, recorded.output
    vertex = perimeters(told, "recorded")["vertex"]
    assert not (vertex.get("status") or {}).get("restrictedServices")  # type: ignore[attr-defined]
    assert vertex["useExplicitDryRunSpec"] is True
    assert cells(recorded)["gcp-outside", "aiplatform.googleapis.com"] == "public admitted"
    assert cells(recorded)["gcp-app", "aiplatform.googleapis.com"] == "private admitted"
