# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""playbooks/report.yml on files of bundles, without a lab: nothing passes that a run over the services would fail."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.private_ai.endpoints.plugins.module_utils.core.rejudge import sealed
from ansible_collections.private_ai.endpoints.tests.unit.support import aws_case as aws
from ansible_collections.private_ai.endpoints.tests.unit.support import report_case as runs

ROOT = Path(__file__).resolve().parents[2]
TARGETS = {
    "bedrock": {"hosts": {"app-use1": None}},
    "azure_openai": {"hosts": {"foundry": None}},
}


def wide(parts: dict[str, Any]) -> None:
    """Everybody may connect to the endpoint: of severity high, and nothing that the expectation needs."""
    parts["evidence"][0]["security_groups"][0]["rules"].append(aws.rule("0.0.0.0/0"))


class Report:
    """One run of the playbook: bundles as files, and how it ended."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "targets.yml").write_text(yaml.safe_dump(TARGETS))

    def bundle(self, name: str, *remembered: dict[str, Any]) -> str:
        """A bundle in a folder of its own."""
        made = sealed(remembered, header={"job": "verify"}, now=runs.NOW)
        (self.folder / name).mkdir(parents=True)
        (self.folder / name / "bundle.json").write_text(json.dumps(made))
        return str(self.folder / name)

    def run(self, *bundles: str, limit: str = "all", **variables: Any) -> tuple[int, str]:
        """Exit code and output, in one line."""
        given = {
            "private_endpoint_bundles": bundles,
            "private_endpoint_report_dir": str(self.folder / "report"),
            "private_endpoint_bundle_max_age": 0,
            **variables,
        }
        given = {name: value for name, value in given.items() if value is not None}
        done = subprocess.run(
            [
                str(Path(sys.executable).with_name("ansible-playbook")),
                *("-i", str(self.folder / "targets.yml"), "--limit", limit),
                *("-e", json.dumps(given)),
                "playbooks/report.yml",
            ],
            cwd=ROOT,
            env={**os.environ, "HOME": str(self.folder)},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return done.returncode, " ".join((done.stdout + done.stderr).split())


@pytest.fixture
def report(tmp_path: Path) -> Report:
    return Report(tmp_path)


def test_open_findings_count_though_the_runs_let_them_pass(report: Report) -> None:
    # Each was judged with fail_on: never.
    folder = report.folder / "jobs"
    bundle = report.bundle("jobs/101", runs.aws_run(wide))
    report.bundle("jobs/102", runs.azure_run())
    code, output = report.run(str(folder), bundle)
    assert code == 2, output
    assert "app-use1: findings of severity high or higher are open" in output
    assert "foundry: findings" not in output
    code, output = report.run(str(folder), private_endpoint_fail_on="critical")
    assert code == 0, output


def test_an_old_bundle_says_nothing_of_today(report: Report) -> None:
    bundle = report.bundle("old", runs.aws_run(), runs.azure_run())
    code, output = report.run(bundle, private_endpoint_bundle_max_age=None)
    assert code == 2, output
    assert "foundry: bundle" in output
    assert "says what was judged at 2026-03-01T12:00:00Z" in output
    assert "more than the 24 hours" in output


def test_a_target_outside_the_play_counts_too(report: Report) -> None:
    unjudged = report.bundle("unjudged", runs.aws_run(), {**runs.azure_run(), "results": {}})
    code, output = report.run(unjudged, limit="app-use1")
    assert code == 2, output
    assert "holds no judgement of it" in output
    counted = report.bundle("counted", runs.aws_run(wide), runs.azure_run())
    code, output = report.run(counted, limit="foundry")
    assert code == 2, output
    assert "app-use1: findings that count" in output
