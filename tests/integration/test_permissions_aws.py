# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""permissions/aws: enough for every phase, nothing too much, and the lack of each single one is named."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import permission_files
import pytest
import yaml
from permission_files import Grant

from . import permission_table
from .conftest import Lab
from .permission_world_aws import Case, Scenario, inventory, plays, world

SCENARIOS = [
    Scenario(**item)
    for item in yaml.safe_load(
        (Path(__file__).with_name("permission_scenarios_aws.yml")).read_text()
    )
]
INDEX = permission_files.index("aws")
GRANTS = [grant for name in INDEX["files"] for grant in permission_files.grants("aws", name)]
ENOUGH = [Case(number, scenario) for number, scenario in enumerate(SCENARIOS)]


@dataclass
class Told:
    """What each case of a run said, and what its principals were asked for: (file, permission)."""

    said: dict[str, Any]
    asked: dict[str, set[tuple[str, str]]]
    output: str


def tell(folder: Path, cases: Sequence[Case]) -> Told:
    """Run all cases in one lab, with one ansible-playbook."""
    answers = folder / "said.json"
    scenarios = [each for each in SCENARIOS if any(case.scenario is each for case in cases)]
    scenarios.sort(key=lambda each: not each.first)
    for name, content in (
        ("world", world(cases)),
        ("inventory", inventory(cases)),
        ("play", plays(scenarios, str(answers))),
    ):
        (folder / f"{name}.yml").write_text(yaml.safe_dump(content, sort_keys=False))
    outcome = Lab(folder).run(
        f"ansible-playbook -f 8 -i {folder / 'inventory.yml'} {folder / 'play.yml'}",
        world=folder / "world.yml",
        environment={"ANSIBLE_LOCALHOST_WARNING": "false"},
    )
    assert answers.exists(), outcome.output
    return Told(json.loads(answers.read_text()), _asked(cases, outcome.journal), outcome.output)


def _asked(
    cases: Sequence[Case], journal: Sequence[dict[str, Any]]
) -> dict[str, set[tuple[str, str]]]:
    """Host → what its principals were asked for and had, as (file, permission)."""
    holders = {}
    for case in cases:
        holders[f"controller-{case.number}"] = (case, "controller")
        for place in case.scenario.files:
            holders[f"{place}-{case.number}"] = (case, place)
    found: dict[str, set[tuple[str, str]]] = {case.host: set() for case in cases}
    for entry in journal:
        name = entry["principal"].split("/")[1] if "/" in entry["principal"] else ""
        if name in holders:
            case, place = holders[name]
            found[case.host] |= {(case.files[place], each) for each in entry["authorized"]}
    return found


@pytest.fixture(scope="module")
def enough(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """Every scenario with the files as they are."""
    return tell(tmp_path_factory.mktemp("enough"), ENOUGH)


def test_with_its_files_every_phase_passes(enough: Told) -> None:
    for case in ENOUGH:
        said = enough.said[case.host]
        assert said is not None, (case.scenario.name, enough.output)
        assert not said["failure"], (case.scenario.name, said["failure"])
