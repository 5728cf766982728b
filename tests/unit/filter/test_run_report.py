# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report of a run."""

from __future__ import annotations

from typing import Any

from ansible_collections.private_ai.endpoints.plugins.filter.run_report import run_report

STEP = {
    "resource": "vpc-1/bedrock",
    "action": "create",
    "before": {},
    "after": {"x": 1},
    "conditional_on": None,
}


def run(name: str = "app", **changes: Any) -> dict[str, Any]:
    return {
        "target": name,
        "failure": None,
        "steps": {"dns": [STEP], "create": [STEP]},
        "results": {
            "pinned": {"findings": [{"check": "early"}], "observations": [{"pinned": "x"}]},
            "private": {
                "findings": [{"check": "late"}],
                "observations": [],
                "summary": {"expect": "private"},
                "text": "TABLE",
            },
        },
        **changes,
    }


def test_steps_come_in_the_order_of_the_phases() -> None:
    document = run_report([run()], "job")["document"]
    assert [step["phase"] for step in document["steps"]] == ["create", "dns"]
    assert document["ok"]
    assert not document["check_mode"]


def test_a_prediction_says_what_its_steps_hang_on() -> None:
    steps = run_report([run()], "job", True)["document"]["steps"]
    assert [bool(step["conditional_on"]) for step in steps] == [False, True]
    given = {**STEP, "conditional_on": "a proof"}
    (step,) = run_report([run(steps={"lockdown": [given]})], "job", True)["document"]["steps"]
    assert step["conditional_on"] == "a proof"


def test_the_last_judgement_counts() -> None:
    report = run_report([run()], "job")
    assert [item["check"] for item in report["document"]["findings"]] == ["late"]
    assert report["document"]["targets"][0]["expected"] == "private"
    assert report["evidence"]["app"]["observations"]["pinned"] == [{"pinned": "x"}]
    assert "TABLE" in report["summary"]
    assert "TABLE" not in report["brief"]


def test_one_failure_is_the_runs_and_is_named() -> None:
    report = run_report([run(), run("other", failure="the reason", results={}, steps={})], "job")
    assert not report["document"]["ok"]
    assert [target["ok"] for target in report["document"]["targets"]] == [True, False]
    assert "other: FAILED" in report["brief"]
    assert "the reason" in report["brief"]


def test_a_target_that_failed_at_once_has_a_report_too() -> None:
    document = run_report([{"target": "app", "failure": "typo"}], "job")["document"]
    assert document["targets"][0]["failure"] == "typo"
