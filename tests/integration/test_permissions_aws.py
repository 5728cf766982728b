# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""permissions/aws: enough for every phase, nothing too much, and the lack of each single one is named."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import permission_files
import pytest
import yaml
from permission_files import Grant

from ansible_collections.private_ai.endpoints.plugins.module_utils.core.aws.catalogue import (
    CATALOGUE,
)

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
    """What each case of a run said, task by task, and what its principals were asked for: (file, permission)."""

    said: dict[str, list[dict[str, Any]]]
    asked: dict[str, set[tuple[str, str]]]
    output: str


def tell(folder: Path, cases: Sequence[Case]) -> Told:
    """Run all cases in one lab, with one ansible-playbook."""
    kept = folder / "results.jsonl"
    scenarios = [each for each in SCENARIOS if any(case.scenario is each for case in cases)]
    scenarios.sort(key=lambda each: not each.first)
    for name, content in (
        ("world", world(cases)),
        ("inventory", inventory(cases)),
        ("play", plays(scenarios)),
    ):
        (folder / f"{name}.yml").write_text(yaml.safe_dump(content, sort_keys=False))
    outcome = Lab(folder).run(
        f"ansible-playbook -f 8 -i {folder / 'inventory.yml'} {folder / 'play.yml'}",
        world=folder / "world.yml",
        environment={
            "ANSIBLE_CALLBACK_PLUGINS": str(Path(__file__).with_name("callback_plugins")),
            "ANSIBLE_CALLBACKS_ENABLED": "kept_results",
            "KEPT_RESULTS": str(kept),
        },
    )
    assert outcome.code == 0, outcome.output
    said: dict[str, list[dict[str, Any]]] = {case.host: [] for case in cases}
    for line in kept.read_text().splitlines():
        entry = json.loads(line)
        said[entry["host"]].append(entry)
    return Told(said, _asked(cases, outcome.journal), outcome.output)


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


def lacking(told: Told) -> list[Case]:
    """A case without each single grant, in a scenario that asks for it.

    Where several statements of a file have the permission, a case in each such scenario: there shows which one it is.
    """
    found: list[Case] = []
    twice = Counter((grant.file, grant.permission) for grant in GRANTS)
    for grant in GRANTS:
        asking = [case.scenario for case in ENOUGH if _asks(case, grant, told)]
        asking.sort(key=lambda each: each.first)
        if twice[grant.file, grant.permission] == 1:
            asking = asking[:1]
        found += [
            Case(number, scenario, grant) for number, scenario in enumerate(asking, len(found))
        ]
    # Somebody has to switch policies on after those that could not.
    found += [Case(len(found), each) for each in SCENARIOS if each.first]
    return found


def _asks(case: Case, grant: Grant, told: Told) -> bool:
    # The journal has control planes only.
    if grant.file in case.files.values() and case.scenario.phase == "probe":
        return grant.file == "probe.json"
    return (grant.file, grant.permission) in told.asked[case.host]


@pytest.fixture(scope="module")
def without(tmp_path_factory: pytest.TempPathFactory, enough: Told) -> dict[Grant, list[str]]:
    """Grant → what the runs said that lacked it; empty for one that passed as if nothing were missing."""
    cases = lacking(enough)
    told = tell(tmp_path_factory.mktemp("lacking"), cases)
    found: dict[Grant, list[str]] = {grant: [] for grant in GRANTS}
    for case in cases:
        if case.lacks:
            found[case.lacks].append(_words(told.said[case.host], case.lacks))
    permission_table.write(
        "aws",
        [
            (grant.file, f"{grant.permission} ({grant.statement})", max(said, key=len, default=""))
            for grant, said in found.items()
        ],
    )
    return found


def _words(said: Sequence[dict[str, Any]], grant: Grant) -> str:
    """What a run said about a permission, on one line; empty when it said nothing."""
    failed_first = sorted(said, key=lambda entry: not entry["failed"])
    texts = [text for entry in failed_first for text in _texts(entry["result"], entry["failed"])]
    named = (text for text in texts if grant.permission in text)
    return next((" ".join(text.split()) for text in named), "")


def _texts(result: dict[str, Any], failed: bool) -> Iterator[str]:
    """What people read of a result: the error, warnings, findings that are unknown, and what a probe was answered."""
    if failed and "findings" not in result:
        yield str(result["msg"])
        return
    yield from (f"warning: {text}" for text in result.get("warnings") or ())
    for finding in result.get("findings") or ():
        if finding["status"] == "unknown":
            yield f"{finding['check']} is unknown: {finding['observed']}"
    for observation in result.get("observations") or ():
        for connection in observation["connections"]:
            if answer := connection["http"]:
                yield f"{answer['answer']}: {answer['message']}"


def test_with_its_files_every_phase_passes(enough: Told) -> None:
    for case in ENOUGH:
        said = enough.said[case.host]
        assert said and said[-1]["task"].startswith(("as_phase", "private_ai")), said
        assert not any(entry["failed"] for entry in said), (case.scenario.name, said)


def test_no_file_has_a_permission_that_its_phase_never_needs(enough: Told) -> None:
    asked = set().union(*enough.asked.values())
    granted = {(grant.file, grant.permission) for grant in GRANTS}
    assert asked <= granted
    assert {item for item in granted - asked if item[0] != "probe.json"} == set()


@pytest.mark.parametrize("name", sorted(set(INDEX["files"]) - {"controller.json", "probe.json"}))
def test_the_index_says_what_not_every_run_needs(enough: Told, name: str) -> None:
    runs = [enough.asked[case.host] for case in ENOUGH if name in case.files.values()]
    always = set.intersection(*({each for file, each in run if file == name} for run in runs))
    granted = {grant.permission for grant in permission_files.grants("aws", name)}
    assert set(INDEX["files"][name].get("needed", {})) == granted - always


def test_the_probe_may_send_its_reads_and_nothing_else() -> None:
    reads = {item.probe.name for item in CATALOGUE.values() if item.probe}
    assert {grant.permission for grant in GRANTS if grant.file == "probe.json"} == reads


@pytest.mark.parametrize("grant", GRANTS, ids=str)
def test_the_lack_of_one_permission_is_named(without: dict[Grant, list[str]], grant: Grant) -> None:
    said = [text for text in without[grant] if text]
    assert said, f"nothing was said without {grant}"
    if grant.file != "probe.json" and INDEX["files"][grant.file]["phase"] != "observe":
        withheld = INDEX["files"][grant.file].get("withheld", {})
        assert all(text.startswith("warning: ") for text in said) == (grant.permission in withheld)
        assert any(f"permissions/aws/{grant.file}" in text for text in said), said
