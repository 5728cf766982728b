# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs tasks and playbooks in labs, and reads back results and the journal."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
BIN = ROOT / os.environ.get("LAB_VENV", ".venv") / "bin"
DEFAULT_WORLD = ROOT / "tests/lab/worlds/default.yml"
# One file for each cloud; the folder is all of them.
INVENTORIES = ROOT / "tests/lab/inventory"
INVENTORY = INVENTORIES / "aws.yml"
AZURE_INVENTORY = INVENTORIES / "azure.yml"
GCP_INVENTORY = INVENTORIES / "gcp.yml"
ACTION_PLUGINS = ROOT / "tests/integration/action_plugins"

World = Mapping[str, Any] | Path | None


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Tests that read one story, told once for their module, stay on one worker; others go wherever one is free."""
    from xdist.scheduler import LoadScopeScheduling

    class Stories(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            module = nodeid.split("::")[0]
            return module if 'scope="module"' in (config.rootpath / module).read_text() else nodeid

    return Stories(config, log)


@dataclass
class Outcome:
    """What one run in a lab left: exit code, output, journal, and the results of its tasks in order."""

    code: int
    output: str
    journal: list[dict[str, Any]]
    results: list[dict[str, Any]] = field(default_factory=list)

    @property
    def writes(self) -> list[str]:
        """Operations that changed something in the cloud."""
        return [entry["operation"] for entry in self.journal if entry["write"]]

    @property
    def reads(self) -> list[str]:
        """Operations that changed nothing."""
        return [entry["operation"] for entry in self.journal if not entry["write"]]


class Lab:
    """A fresh lab per call; everything it writes lies in the test's own folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._count = 0

    def path(self, name: str) -> Path:
        """A file of this test's own."""
        return self.folder / name

    def run(
        self,
        script: str,
        *,
        world: World = None,
        faults: Sequence[Mapping[str, Any]] | None = None,
        environment: Mapping[str, str] | None = None,
        timeout: int = 900,
    ) -> Outcome:
        """A shell script in the controller's network; `ansible*` and `python` are the environment's own."""
        self._count += 1
        journal = self.path(f"journal-{self._count}.jsonl")
        command = [str(ROOT / "tests/lab/run"), "--journal", str(journal)]
        if world is not None:
            command += ["--world", str(self._world(world))]
        if faults is not None:
            path = self.path(f"faults-{self._count}.yml")
            path.write_text(yaml.safe_dump(list(faults)))
            command += ["--faults", str(path)]
        variables = {**os.environ, **(environment or {}), "ANSIBLE_FORCE_COLOR": "0"}
        variables.pop("PYTHONDONTWRITEBYTECODE", None)
        variables["PATH"] = f"{BIN}:{variables['PATH']}"
        done = subprocess.run(
            [*command, "--", "sh", "-c", script],
            cwd=ROOT,
            env=variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
            check=False,
        )
        entries = journal.read_text().splitlines() if journal.exists() else []
        return Outcome(done.returncode, done.stdout, [json.loads(line) for line in entries])

    def tasks(
        self,
        *tasks: Mapping[str, Any],
        check: bool = False,
        in_process: bool = True,
        world: World = None,
        faults: Sequence[Mapping[str, Any]] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> Outcome:
        """Tasks on the controller, one play; a failed task does not stop the next. `results` has one entry each."""
        self._count += 1
        answers = self.path(f"results-{self._count}.json")
        listed = [
            {"name": f"Task {n}", **task, "register": f"result_{n}", "ignore_errors": True}
            for n, task in enumerate(tasks)
        ]
        names = ", ".join(f"result_{n}" for n in range(len(tasks)))
        keep = {
            "name": "Keep the results",
            "keep": {"content": "{{ [" + names + "] | to_json }}", "dest": str(answers)},
            "check_mode": False,
        }
        play = {
            "name": "Tasks under test",
            "hosts": "localhost",
            "gather_facts": False,
            "vars": {
                "ansible_python_interpreter": "{{ ansible_playbook_python }}",
                "private_ai_endpoints_in_process": in_process,
            },
            "tasks": [*listed, keep],
        }
        playbook = self.path(f"play-{self._count}.yml")
        playbook.write_text(yaml.safe_dump([play], sort_keys=False))
        script = f"ansible-playbook {'--check --diff ' if check else ''}{playbook}"
        own = {"ANSIBLE_ACTION_PLUGINS": str(ACTION_PLUGINS), **(environment or {})}
        outcome = self.run(script, world=world, faults=faults, environment=own)
        assert answers.exists(), outcome.output
        outcome.results = json.loads(answers.read_text())
        return outcome

    def playbook(self, name: str, *arguments: str, **options: Any) -> Outcome:
        """One of the collection's playbooks against the default inventory."""
        words = " ".join(arguments)
        return self.run(f"ansible-playbook -i {INVENTORY} playbooks/{name} {words}", **options)

    def _world(self, world: Mapping[str, Any] | Path) -> Path:
        if isinstance(world, Path):
            return world
        path = self.path(f"world-{self._count}.yml")
        path.write_text(yaml.safe_dump({"extends": str(DEFAULT_WORLD), **world}))
        return path


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    """Labs for one test."""
    return Lab(tmp_path)
