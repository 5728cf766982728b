# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report's words: the verdict, and the two questions that everybody asks first."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.private_ai.endpoints.plugins.module_utils.core.report.document import build
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.report.render import (
    files,
)
from ansible_collections.private_ai.endpoints.tests.unit.support import report_case as runs


def report(*remembered: dict[str, Any], **values: Any) -> dict[str, Any]:
    options = {"job": "verify", "check_mode": False, "now": runs.NOW, **values}
    return build(remembered, **options)


def answer(document: dict[str, Any], which: int, target: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = document["targets"][target]["answers"][which]
    return found


def test_all_is_well() -> None:
    document = report(runs.aws_run(), runs.azure_run())
    assert document["verdict"]["status"] == "pass"
    assert (
        document["verdict"]["headline"]
        == "All 2 AI services are private, and the public path is shut"
    )
    assert [item["answer"] for target in document["targets"] for item in target["answers"]] == [
        "yes"
    ] * 4
    assert document["ok"]


def test_an_azure_endpoint_without_a_private_dns_zone() -> None:
    """The first of the two questions: clients go on resolving the public address."""
    document = report(runs.azure_run(runs.azure_without_zone))
    found = answer(document, 0)
    assert found["answer"] == "no"
    assert found["text"].startswith("Private endpoint exists, traffic is public")
    assert "clients still find the public address" in found["text"]
    assert "private DNS zone" in found["text"]
    assert "lockdown refuses" in found["text"]
    critical = [
        item
        for item in document["findings"]
        if item["misconfiguration"] == "M2" and item["status"] == "fail" and not item["vantage"]
    ]
    assert {item["severity"] for item in critical} == {"critical"}
    assert document["verdict"]["status"] == "fail"
    assert document["verdict"]["headline"] == "The AI service is not private"
    assert "Private endpoint exists, traffic is public" in document["verdict"]["sentences"][0]


def test_an_identity_policy_is_no_enforcement() -> None:
    """The second of the two questions: only a rule above the callers counts."""
    document = report(runs.aws_run(runs.aws_identity_only))
    found = answer(document, 1)
    assert found["answer"] == "no"
    assert "identity policy alone is not accepted as enforcement" in found["text"]
    assert "administrators of the account can remove it" in found["text"]
    assert answer(document, 0)["answer"] == "yes"
    assert document["verdict"]["status"] == "fail"
    locked = answer(report(runs.aws_run()), 1)
    assert locked["answer"] == "yes"
    assert "service control policy of the organisation" in locked["text"]


@pytest.mark.parametrize("form", ["report.html", "report.md", "summary.txt", "findings.json"])
def test_both_answers_are_in_every_form_that_people_read(form: str) -> None:
    remembered = [runs.azure_run(runs.azure_without_zone), runs.aws_run(runs.aws_identity_only)]
    made = files(report(*remembered), remembered, None)[form]
    assert "rivate endpoint exists, traffic is public" in made
    if form != "summary.txt":
        assert "identity policy alone is not accepted" in made
    else:
        assert "enforced" in made


def test_a_lock_that_is_not_made_yet_is_no_failure() -> None:
    document = report(runs.aws_run(runs.aws_unlocked, expect="private"))
    assert document["verdict"]["status"] == "warn"
    assert "not shut yet" in document["verdict"]["headline"]


def test_nothing_is_said_of_what_was_not_judged() -> None:
    document = report({"target": "app", "failure": "no variable"}, runs.azure_run())
    assert document["verdict"]["status"] == "unknown"
    assert [item["answer"] for item in document["targets"][0]["answers"]] == ["unknown"] * 2
    assert "1 of 2" in document["verdict"]["headline"]
    assert report()["verdict"]["status"] == "unknown"


def test_one_vantage_that_did_not_report_leaves_it_open() -> None:
    def blind(parts: dict[str, Any]) -> None:
        parts["observations"] = [x for x in parts["observations"] if x["vantage"] != "app-b"]

    assert answer(report(runs.aws_run(blind)), 0)["answer"] == "unknown"


def test_a_run_that_failed_for_another_reason_says_so() -> None:
    run = {**runs.aws_run(), "failure": "canary: the batch job was refused"}
    document = report(run)
    assert document["verdict"]["status"] == "fail"
    assert document["verdict"]["headline"] == "The run failed"
    assert "yet the run failed" in document["verdict"]["sentences"][0]


def test_the_tables_are_by_cloud() -> None:
    document = report(runs.aws_run(), runs.azure_run(runs.azure_without_zone))
    by_cloud = {cloud["cloud"]: cloud for cloud in document["clouds"]}
    statuses = {
        name: next(row["status"] for row in cloud["checklist"] if row["id"] == "C1")
        for name, cloud in by_cloud.items()
    }
    assert statuses == {"aws": "pass", "azure": "fail"}
    assert [row["id"] for row in by_cloud["aws"]["misconfigurations"]] == [
        f"M{n}" for n in range(1, 8)
    ]
    aspects = {item["id"]: item for item in by_cloud["azure"]["strategy"]}
    assert set(aspects) == {"mechanism", "services", "dns", "policy", "enforcement"}
    assert aspects["dns"]["status"] == "fail"
    assert "No privatelink zone was found." in [x["text"] for x in aspects["dns"]["observed"]]
    assert "publicNetworkAccess Enabled" in aspects["enforcement"]["observed"][0]["text"]


def test_every_finding_says_what_it_was_made_of() -> None:
    document = report(runs.aws_run())
    known = {item["id"]: item for item in document["evidence"]}
    for item in document["findings"]:
        sources = [known[name] for name in item["evidence"]]
        assert sources
        assert {source["vantage"] for source in sources} == {item["vantage"]}
        assert {source["target"] for source in sources} == {item["target"]}


def test_what_counts_is_what_nobody_accepted() -> None:
    signed = {
        "check": "azure_m2_names",
        "resource": "x",
        "reason": "y",
        "until": "2026-12-31",
        "status": "fail",
    }
    run = runs.azure_run(runs.azure_without_zone)
    whole = report(run, fail_on="high")["counting"]["foundry"]
    named = [
        {**signed, "resource": item["resource"]}
        for item in report(run)["findings"]
        if item["check"] == "azure_m2_names" and item["status"] == "fail"
    ]
    rest = report(run, fail_on="high", accepted=named)
    assert rest["counting"]["foundry"] == whole - rest["counts"]["accepted"]
    assert rest["counts"]["accepted"] == len(named)
    assert rest["verdict"]["status"] == "fail"
    assert report(run, fail_on="never")["counting"] == {}
    expired = report(run, fail_on="high", accepted=[{**x, "until": "2026-01-01"} for x in named])
    assert expired["counting"]["foundry"] == whole
    assert any("expired" in item for item in expired["verdict"]["sentences"])
