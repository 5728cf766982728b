# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A fleet of three clouds run as AWX runs it: locked by one job, verified by three slices, reported once.

The jobs have the variables that AWX's credential types inject and no others, and hand over what AWX hands over.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from .conftest import ROOT, Lab

JOBS = ROOT / "tests/integration/awx/jobs.py"
FLEET = ROOT / "tests/integration/awx/fleet.yml"
# Every third one in the order of their names.
SLICES = {
    1: {"app-use1", "lab-foundry", "lab-vertex-spoke"},
    2: {"hub-use1", "lab-openai"},
    3: {"lab-absent", "lab-vertex"},
}
# An account that does not exist cannot be locked, and fails everywhere else.
ABSENT = "lab-absent"
TARGETS = set.union(*SLICES.values()) - {ABSENT}
SECRETS = (
    "lab-secret-automation",
    "lab-secret-application",
    "lab-azure-secret",
    "PRIVATE KEY",
)
# When it was, how many probes had called by then, and Google's name for one refusal.
OF_THE_MOMENT = re.compile(
    r"\d{4}-\d\d-\d\dT[\d:]{8}Z|\d+ (?=refused or made by probes)"
    r"|(?<=vpcServiceControlsUniqueIdentifier: )[\w-]+"
)
QUICK = {"bedrock_soak_seconds": 0, "azure_openai_soak_seconds": 0, "vertex_soak_seconds": 0}
VERIFY = {"private_endpoint_hand_over": "bundle", "private_endpoint_fail_on": "critical"}


@dataclass
class Job:
    """One job, or one slice: exit code, output, artifacts, what it asked the clouds, report and its folder."""

    folder: Path
    code: int
    artifacts: dict[str, Any]
    asked: int

    @property
    def output(self) -> str:
        return (self.folder / "artifacts/job/stdout").read_text()

    @property
    def report(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads((self.folder / "report/findings.json").read_text())
        return document


@dataclass
class Told:
    """The jobs by name and slice, and what was asked of the clouds."""

    jobs: dict[str, dict[int, Job]]
    journal: list[dict[str, Any]]

    def job(self, name: str) -> Job:
        (only,) = self.jobs[name].values()
        return only


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    lab = Lab(tmp_path_factory.mktemp("awx"))
    jobs: list[dict[str, Any]] = [
        {"name": "refused", "playbook": "lockdown.yml", "slices": 3, "only": [2]},
        {
            "name": "locked",
            "playbook": "lockdown.yml",
            "limit": f"all:!{ABSENT}",
            "extra_vars": {**QUICK, "private_endpoint_hand_over": "verdict"},
        },
        {"name": "whole", "playbook": "verify.yml", "extra_vars": VERIFY},
        {"name": "sliced", "playbook": "verify.yml", "slices": 3, "extra_vars": VERIFY},
        {
            "name": "merged",
            "playbook": "report.yml",
            "takes": ["sliced"],
            "extra_vars": {"private_endpoint_fail_on": "critical"},
        },
        {
            "name": "dropped",
            "playbook": "report.yml",
            "takes": ["sliced"],
            "drop": [2],
            "extra_vars": {"private_endpoint_hand_over": "verdict"},
        },
        {"name": "twice", "playbook": "report.yml", "takes": ["whole", "sliced"]},
        {"name": "nothing", "playbook": "report.yml"},
    ]
    return run(lab, FLEET, jobs)


def run(lab: Lab, inventory: Path, jobs: list[dict[str, Any]]) -> Told:
    """Jobs one after the other in one lab."""
    plan = {
        "folder": str(lab.path("jobs")),
        "inventory": str(inventory),
        # What the credential type of the vantages injects (extensions/awx).
        "injected": {
            "vantage_aws_access_key_id": "AKIALABAPPLICATION00",
            "vantage_aws_secret_access_key": "lab-secret-application",
        },
        "jobs": jobs,
    }
    lab.path("plan.json").write_text(json.dumps(plan))
    outcome = lab.run(f"python {JOBS} {lab.path('plan.json')}", timeout=2400)
    assert outcome.code == 0, outcome.output
    return Told(
        {
            job["name"]: {
                int(path.parent.name): Job(path.parent, **json.loads(path.read_text()))
                for path in lab.path("jobs").glob(f"{job['name']}/*/result.json")
            }
            for job in jobs
        },
        outcome.journal,
    )


def comparable(report: dict[str, Any]) -> dict[str, Any]:
    """A report without its times, seals and digests, and without what only says how it came about."""
    apart = {"made_at", "made_by", "seal", "evidence", "merged"}
    kept = {key: value for key, value in report.items() if key not in apart}
    kept = json.loads(OF_THE_MOMENT.sub("…", json.dumps(kept)))
    return {
        **kept,
        "evidence": [
            {key: item[key] for key in ("id", "kind", "target", "vantage")}
            for item in report["evidence"]
        ],
    }


def test_a_whole_fleet_is_locked_with_the_variables_of_awx(told: Told) -> None:
    job = told.job("locked")
    assert job.code == 0, job.output
    assert {item["target"] for item in job.report["targets"]} == TARGETS
    assert job.report["ok"]
    clouds = {entry["cloud"] for entry in told.journal if entry["write"]}
    assert clouds == {"aws", "azure", "gcp"}
    assert job.artifacts["private_endpoint_verdict"]["failures"] == {}
    assert job.artifacts["private_endpoint_verdict"]["seal"] == job.report["seal"]
    assert job.report["made_by"]["who"] == "operator"


def test_a_slice_never_locks(told: Told) -> None:
    (job,) = told.jobs["refused"].values()
    assert job.code != 0
    assert "a scope is locked with all its members" in " ".join(job.output.split())
    assert job.asked == 0
    assert told.job("locked").asked > 0
    assert not (job.folder / "report").exists()


def test_each_slice_sees_its_own_targets(told: Told) -> None:
    seen = {
        number: {item["target"] for item in job.report["targets"]}
        for number, job in told.jobs["sliced"].items()
    }
    assert seen == SLICES


def test_the_merged_report_is_that_of_one_run(told: Told) -> None:
    whole, merged = told.job("whole"), told.job("merged")
    assert whole.code != 0, whole.output
    assert merged.code != 0, merged.output
    failed = [item["target"] for item in whole.report["targets"] if item["failure"]]
    assert failed == [ABSENT]
    assert len(whole.report["findings"]) > 100
    assert comparable(merged.report) == comparable(whole.report)
    seals = [job.report["seal"] for _, job in sorted(told.jobs["sliced"].items())]
    assert [item["seal"] for item in merged.report["merged"]] == seals
    assert merged.report["rejudged"] is None
    for name in ("report.html", "report.md", "junit.xml", "bundle.json", "evidence.json"):
        assert (merged.folder / "report" / name).exists()


def test_a_slice_that_is_missing_makes_nothing_private(told: Told) -> None:
    job = told.job("dropped")
    assert job.code != 0
    assert job.report["verdict"]["status"] in {"unknown", "fail"}
    failures = {item["target"] for item in job.report["targets"] if item["failure"]}
    assert failures == SLICES[2] | {ABSENT}
    assert set(job.artifacts["private_endpoint_verdict"]["failures"]) == failures
    for name in SLICES[2]:
        assert f"{name}: no bundle holds it." in " ".join(job.output.split())


def test_a_target_of_two_runs_is_refused(told: Told) -> None:
    job = told.job("twice")
    assert job.code != 0
    assert "is in two bundles" in job.output
    assert not (job.folder / "report").exists()


def test_a_report_of_nothing_is_refused(told: Told) -> None:
    job = told.job("nothing")
    assert job.code != 0
    assert "There is no bundle to put together" in job.output


def test_accounts_of_one_network_are_named_from_slices(tmp_path: Path) -> None:
    """A link would take the names away that another slice's account has. It waits for that slice, or is refused."""
    lab = Lab(tmp_path)
    fleet = yaml.safe_load(FLEET.read_text())
    del fleet["azure_openai"]["hosts"][ABSENT]
    inventory = lab.path("azure.yml")
    inventory.write_text(
        yaml.safe_dump({name: fleet[name] for name in ("all", "azure_openai", "vantages")})
    )
    hasty = {"azure_openai_wait_timeout": 5}
    jobs: list[dict[str, Any]] = [
        {"name": "created", "playbook": "create.yml", "slices": 2},
        {"name": "alone", "playbook": "dns.yml", "slices": 2, "only": [1], "extra_vars": hasty},
        {"name": "both", "playbook": "dns.yml", "slices": 2, "at_once": True},
    ]
    told = run(lab, inventory, jobs)
    assert [job.code for job in told.jobs["created"].values()] == [0, 0]
    alone = told.job("alone")
    assert alone.code != 0
    said = " ".join(alone.output.split())
    assert "would make names of other accounts stop to resolve" in said
    # Its records stay, for the other slice to find.
    assert "No name was changed" not in said
    assert "Written before, and kept: create private DNS zone" in said
    assert [job.code for job in told.jobs["both"].values()] == [0, 0]
    writes = [entry["operation"] for entry in told.journal if entry["write"]]
    link = "Microsoft.Network/privateDnsZones/virtualNetworkLinks:PUT"
    group = "Microsoft.Network/privateEndpoints/privateDnsZoneGroups:PUT"
    # Both accounts have their records before the first link is made.
    assert writes.count(group) == 2
    assert max(at for at, name in enumerate(writes) if name == group) < writes.index(link)


def test_what_is_handed_over_is_small(told: Told) -> None:
    for job in told.jobs["sliced"].values():
        packed = {name: len(text) for name, text in job.artifacts.items() if "bundle" in name}
        assert len(packed) == 1
        # Two targets; a megabyte would hold some dozens.
        assert max(packed.values()) < 100_000, packed


def test_no_secret_is_in_what_a_job_leaves(told: Told) -> None:
    for jobs in told.jobs.values():
        for job in jobs.values():
            left = [
                *job.folder.glob("artifacts/job/job_events/*.json"),
                job.folder / "artifacts/job/stdout",
                *job.folder.glob("report/*"),
                job.folder / "result.json",
            ]
            assert len(left) > 5
            for path in left:
                text = path.read_text()
                assert not [secret for secret in SECRETS if secret in text], path
