# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One ansible-playbook over many principals, each a host: what every task of a phase said to each of them."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import yaml

from . import permission_holders as holders
from . import permission_table
from .conftest import Lab
from .permission_holders import Holder


@dataclass(frozen=True)
class Case:
    """One principal of one phase: a host with its variables."""

    host: str
    holder: Holder
    variables: Mapping[str, Any]


@dataclass(frozen=True)
class Phase:
    """What a phase runs for each of its cases, task after task until one fails.

    tasks: of the principal under test. after: done by an administrator whatever happened, so that the next one finds
    what this one found; then the cases take turns.
    """

    name: str
    tasks: Sequence[Mapping[str, Any]]
    before: Sequence[Mapping[str, Any]] = field(default_factory=tuple)
    after: Sequence[Mapping[str, Any]] = field(default_factory=tuple)

    def register(self, number: int) -> str:
        return f"result_{self.name}_{number}"

    def play(self) -> dict[str, Any]:
        """The phase as a play over its group."""
        tasks: list[dict[str, Any]] = [
            {"name": "Before", **task, "register": "prepared"} for task in self.before
        ]
        for number, task in enumerate(self.tasks):
            earlier = [f"{self.register(item)} is success" for item in range(number)]
            tasks.append(
                {
                    "name": f"{self.name} {number}",
                    **task,
                    "register": self.register(number),
                    "ignore_errors": True,
                    **({"when": earlier} if earlier else {}),
                }
            )
        tasks += [{"name": "After", **task} for task in self.after]
        return {
            "name": self.name,
            "hosts": self.name,
            "gather_facts": False,
            **({"serial": 1} if self.after else {}),
            "tasks": tasks,
        }


class Runs:
    """The phases' plays and their inventory, and the results afterwards."""

    def __init__(self, lab: Lab, phases: Sequence[Phase], cases: Sequence[Case]) -> None:
        self.folder = lab.folder
        self.phases, self.cases = phases, cases

    def command(self, *names: str) -> str:
        """Run these phases."""
        chosen = [phase for phase in self.phases if phase.name in names]
        label = "-".join(names)
        inventory, play = self.folder / f"{label}-hosts.yml", self.folder / f"{label}.yml"
        groups = {
            phase.name: {
                "hosts": {
                    case.host: dict(case.variables)
                    for case in self.cases
                    if case.host.startswith(f"{phase.name}-")
                }
            }
            for phase in chosen
        }
        common = {
            "ansible_connection": "local",
            "ansible_python_interpreter": "{{ ansible_playbook_python }}",
        }
        inventory.write_text(yaml.safe_dump({"all": {"children": groups, "vars": common}}))
        plays = [phase.play() for phase in chosen]
        play.write_text(yaml.safe_dump([*plays, self._keep(chosen, label)], sort_keys=False))
        said = self.folder / f"{label}.out"
        return (
            f"ANSIBLE_FORKS=4 ansible-playbook -i {inventory} {play} "
            f"> {shlex.quote(str(said))} 2>&1 || {{ tail -60 {shlex.quote(str(said))}; exit 9; }}"
        )

    def _keep(self, phases: Sequence[Phase], label: str) -> dict[str, Any]:
        names = {
            phase.name: [phase.register(n) for n in range(len(phase.tasks))] for phase in phases
        }
        known = (
            "{% set kept = {} %}"
            "{% for group, registers in names.items() %}{% for host in groups[group] %}"
            "{% set _ = kept.update({host: registers | map('extract', hostvars[host]) | list}) %}"
            "{% endfor %}{% endfor %}{{ kept | to_json }}"
        )
        copy = {"content": known, "dest": str(self.folder / f"{label}.json"), "mode": "0600"}
        return {
            "name": "Keep the results",
            "hosts": "localhost",
            "connection": "local",
            "gather_facts": False,
            "tasks": [
                {"name": "Keep them", "ansible.builtin.copy": copy, "vars": {"names": names}}
            ],
        }

    def results(self, *names: str) -> dict[str, list[dict[str, Any]]]:
        """Host → the results of its tasks; of one that was not reached any more a skip."""
        found: dict[str, list[dict[str, Any]]] = json.loads(
            (self.folder / f"{'-'.join(names)}.json").read_text()
        )
        return found


def failed(results: Sequence[Mapping[str, Any]]) -> bool:
    return any(item.get("failed") for item in results)


def told(results: Sequence[Mapping[str, Any]], permission: str) -> str:
    """What the run said about a permission: its error, its warning, or what its evidence lacks; empty for nothing."""
    wanted = re.compile(rf"(?<![\w./]){re.escape(permission)}(?![\w./])", re.IGNORECASE)
    for item in results:
        for text in (item.get("msg") if item.get("failed") else "", *(item.get("warnings") or ())):
            if wanted.search(str(text)):
                return " ".join(str(text).split())
        for entry in (item.get("evidence") or {}).get("missing") or ():
            if wanted.search(entry["action"]):
                return f"missing: {entry['part']}, {entry['resource']}: {entry['code']}"
        for answer in _messages(item.get("observations")):
            if wanted.search(answer):
                return f"observed: {answer}"
    return ""


def _messages(value: Any) -> Iterator[str]:
    """What a cloud answered to probes."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key == "message" and inner:
                yield str(inner)
            else:
                yield from _messages(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _messages(inner)


class Told(Protocol):
    """What a cloud's story has to have: its lab, its principals, and what every task said to each of them."""

    @property
    def lab(self) -> Lab: ...
    @property
    def cases(self) -> Sequence[Case]: ...
    @property
    def results(self) -> Mapping[str, list[dict[str, Any]]]: ...


def assert_playbooks_passed(story: Told, runs: int, targets: Sequence[str]) -> None:
    """Each run of a playbook ended well, and verify.yml met its expectation for each target."""
    outputs = {path.stem: path for path in story.lab.folder.glob("*.output")}
    assert len(outputs) == runs
    for path in outputs.values():
        assert path.with_suffix(".output.code").read_text().strip() == "0", path.read_text()[-6000:]
    report = json.loads((story.lab.path("verify") / "findings.json").read_text())
    met = {item["target"]: item["summary"]["expectation_met"] for item in report["targets"]}
    assert met == dict.fromkeys(targets, True)


def assert_files_are_enough(story: Told, phases: set[str]) -> None:
    """With whole files each of these phases ran, and nothing was denied."""
    seen = set()
    for case in story.cases:
        if case.host in story.results and case.holder.lacks is None:
            results = story.results[case.host]
            assert not failed(results), results
            warned = [text for item in results for text in item.get("warnings") or ()]
            assert not any("permission denied" in text for text in warned), warned
            seen.add(case.host.rpartition("-")[0])
    assert seen == phases


def assert_lacking_is_named(story: Told, cloud: str) -> None:
    """Each permission that was taken out of a file is named, and the file where the run failed; prints the table."""
    index = holders.index(cloud)
    rows: list[tuple[str, str, str]] = []
    wrong: list[Any] = []
    for case in story.cases:
        if case.host not in story.results or case.holder.lacks is None:
            continue
        name, permission = case.holder.lacks
        results = story.results[case.host]
        text = told(results, permission)
        withheld = permission in index[name].get("withheld", {})
        rows.append((name, permission, text or "nothing"))
        errors = [str(item.get("msg")) for item in results if item.get("failed")]
        unnamed = [said for said in errors if f"permissions/{cloud}/{name}" not in said]
        if not text or failed(results) == withheld or unnamed:
            said = [item.get("msg") or item.get("warnings") for item in results]
            wrong.append((name, permission, f"failed={failed(results)}", said))
    permission_table.write(cloud, rows)
    assert not wrong, "\n".join(map(str, wrong))
