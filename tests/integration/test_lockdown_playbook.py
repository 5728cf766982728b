# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The main job, in one lab from wide open to torn down again: predicted, run, repeated, unlocked."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from .conftest import INVENTORY, Lab
from .story import cells, changes

EMERGENCY = "ansible-playbook playbooks/unlock.yml -e scope=222222222222"


@dataclass
class Chapter:
    """One command of the story: its exit code, output, report, and what it asked of the cloud."""

    code: int
    output: str
    report: dict[str, Any]
    writes: list[str]

    @property
    def recap(self) -> str:
        """Ansible's last line about the target."""
        return next(line for line in reversed(self.output.splitlines()) if "changed=" in line)


class Story:
    """Commands one after the other in the same lab."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.script: list[str] = []

    def tell(self, name: str, command: str) -> None:
        """Add a command that writes its report to a folder of its own."""
        own = self.folder / name
        own.mkdir()
        self.script += [
            f"wc -l < $LAB_JOURNAL > {own}/from",
            f"{command} -e private_endpoint_report_dir={own} -e bedrock_soak_seconds=1 > {own}/output 2>&1",
            f"echo $? > {own}/code",
        ]

    def read(self, name: str, journal: list[dict[str, Any]], until: int | None) -> Chapter:
        """What a command left."""
        own = self.folder / name
        report = own / "findings.json"
        entries = journal[int((own / "from").read_text()) : until]
        return Chapter(
            code=int((own / "code").read_text()),
            output=(own / "output").read_text(),
            report=json.loads(report.read_text()) if report.exists() else {},
            writes=[entry["operation"] for entry in entries if entry["write"]],
        )


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Chapter]:
    """Every chapter by its name."""
    folder = tmp_path_factory.mktemp("story")
    told = Story(folder)
    playbook = f"ansible-playbook -i {INVENTORY} playbooks/"
    asked = "-e private_endpoint_report_in_check_mode=true"
    told.tell("predicted", f"{playbook}lockdown.yml --check --diff {asked}")
    told.tell("locked", f"{playbook}lockdown.yml")
    told.tell("again", f"{playbook}lockdown.yml")
    told.tell("predicted_again", f"{playbook}lockdown.yml --check {asked}")
    told.tell("refused_teardown", f"{playbook}teardown.yml")
    told.tell("unlocked", EMERGENCY)
    told.tell("torn_down", f"{playbook}teardown.yml")
    told.tell("verified", f"{playbook}verify.yml -e private_endpoint_expect=open")
    outcome = Lab(folder).run("\n".join(told.script), timeout=1800)
    names = [path.name for path in sorted(folder.iterdir()) if (path / "from").exists()]
    names.sort(key=lambda name: int((folder / name / "from").read_text()))
    starts = [int((folder / name / "from").read_text()) for name in names]
    ends = [*starts[1:], None]
    return {
        name: told.read(name, outcome.journal, end) for name, end in zip(names, ends, strict=True)
    }


def test_check_mode_writes_nothing_and_does_not_fail(story: dict[str, Chapter]) -> None:
    predicted = story["predicted"]
    assert predicted.code == 0, predicted.output
    assert predicted.writes == []
    assert predicted.report["check_mode"]


def test_the_prediction_is_what_a_run_then_changes(story: dict[str, Chapter]) -> None:
    assert changes(story["predicted"])
    assert changes(story["predicted"]) == changes(story["locked"])


def test_steps_that_hang_on_a_proof_say_so(story: dict[str, Chapter]) -> None:
    for step in story["predicted"].report["steps"]:
        assert bool(step["conditional_on"]) == (step["phase"] != "create"), step
    assert not any(step["conditional_on"] for step in story["locked"].report["steps"])


def test_afterwards_it_is_reached_only_privately(story: dict[str, Chapter]) -> None:
    locked = story["locked"]
    assert locked.code == 0, locked.output
    assert locked.report["ok"]
    assert locked.report["targets"][0]["summary"]["expectation_met"]
    seen = cells(locked)
    assert len(seen) == 12
    for (vantage, _), cell in seen.items():
        assert cell == ("public denied_scp" if vantage == "outside" else "private admitted"), seen


def test_the_order_of_the_writes(story: dict[str, Chapter]) -> None:
    writes = [name.split(":")[1] for name in story["locked"].writes]
    endpoints, names = writes.index("CreateVpcEndpoint"), writes.index("ModifyVpcEndpoint")
    lock, seal = writes.index("AttachPolicy"), writes.index("UntagResource")
    assert endpoints < names < lock < seal
    assert writes.index("CreatePolicy") < lock


def test_a_second_run_changes_nothing(story: dict[str, Chapter]) -> None:
    for name in ("again", "predicted_again"):
        chapter = story[name]
        assert chapter.code == 0, chapter.output
        assert " changed=0 " in chapter.recap
        assert chapter.writes == []
        assert chapter.report["steps"] == []
    assert cells(story["again"]) == cells(story["locked"])


def test_no_secret_in_output_or_report(story: dict[str, Chapter]) -> None:
    for chapter in story.values():
        assert "lab-secret" not in chapter.output
        assert "lab-secret" not in json.dumps(chapter.report)


def test_teardown_refuses_while_a_lock_relies_on_the_endpoints(story: dict[str, Chapter]) -> None:
    refused = story["refused_teardown"]
    assert refused.code != 0
    assert "unlock.yml" in refused.output
    assert refused.writes == []


def test_unlock_needs_a_scope_and_nothing_else(story: dict[str, Chapter]) -> None:
    unlocked = story["unlocked"]
    assert unlocked.code == 0, unlocked.output
    assert unlocked.writes == ["organizations:DetachPolicy", "organizations:DeletePolicy"]


def test_teardown_takes_names_away_before_endpoints(story: dict[str, Chapter]) -> None:
    down = story["torn_down"]
    assert down.code == 0, down.output
    zones, endpoints = (
        down.writes.index("route53:DeleteHostedZone"),
        down.writes.index("ec2:DeleteVpcEndpoints"),
    )
    assert zones < endpoints
    assert "ec2:DeleteSecurityGroup" in down.writes


def test_then_it_is_as_open_as_it_was(story: dict[str, Chapter]) -> None:
    assert set(cells(story["verified"]).values()) == {"public admitted"}
