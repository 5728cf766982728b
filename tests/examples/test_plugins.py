# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every example in the documentation of a plugin runs, in order, and a second time without a change."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from .cases import AGAIN, Case, all_cases
from .documented import ROOT, plugin_examples, writes

HERE = Path(__file__).parent
CASES = all_cases()


def test_every_documented_plugin_has_examples() -> None:
    assert [name for name, tasks in plugin_examples().items() if not tasks] == []


def test_every_example_has_its_place() -> None:
    """No plugin is forgotten, none runs twice, and nothing is told of an example that is not there any more."""
    assert sorted(name for case in CASES.values() for name in case.plugins) == sorted(
        plugin_examples()
    )
    for case in CASES.values():
        for play in case.plays:
            names = [task["name"] for task in plugin_examples()[play["plugin"]]]
            assert len(set(names)) == len(names)
            assert set(play.get("examples") or {}) <= set(names)


@pytest.mark.parametrize("name", CASES)
def test_examples_of_plugins_run(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    seen, output = run(case, tmp_path)
    problems = [
        f"{plugin}: {example}: {problem}"
        for plugin, example, told in case.expected()
        for problem in judge(plugin, example, told, seen)
    ]
    examples = {(plugin, example) for plugin, example, _ in case.expected()}
    problems += [
        f"{play}: {task}: {line['msg']}"
        for (play, task), line in seen.items()
        if line["failed"] and (play, task.removesuffix(AGAIN)) not in examples
    ]
    assert problems == [], "\n".join([*(line[:900] for line in problems), output[-4000:]])


def judge(
    plugin: str, example: str, told: Mapping[str, Any], seen: Mapping[tuple[str, str], Any]
) -> Iterator[str]:
    """What is wrong with one example."""
    first = seen.get((plugin, example))
    if first is None:
        yield "did not run"
        return
    if "refused" in told:
        if not first["failed"] or told["refused"] not in first["msg"]:
            yield f"was not refused with {told['refused']!r}: {first['msg']}"
        return
    if first["failed"]:
        yield first["msg"]
        return
    task = next(task for task in plugin_examples()[plugin] if task["name"] == example)
    if writes(task):
        if first["changed"] == ("unchanged" in told):
            yield f"changed={first['changed']}"
        if (
            "once" not in told
            and seen.get((plugin, example + AGAIN), {}).get("changed") is not False
        ):
            yield "changed something a second time"


def run(case: Case, folder: Path) -> tuple[dict[tuple[str, str], Any], str]:
    """(play, task) → its result, and what ansible-playbook printed."""
    shutil.copytree(HERE / "reader" / "plugins", folder, dirs_exist_ok=True)
    playbook = folder / "examples.yml"
    playbook.write_text(yaml.safe_dump(case.playbook(), sort_keys=False, allow_unicode=True))
    results = folder / "results.jsonl"
    command = [str(ROOT / "tests/lab/run"), "--world", str(HERE / f"worlds/{case.world}.yml"), "--"]
    command += ["ansible-playbook", str(playbook), "-i", "controller.yml"]
    if case.inventory:
        command += ["-i", str(ROOT / "tests/lab/inventory" / case.inventory)]
    environment = {
        **os.environ,
        "PATH": f"{ROOT / '.venv/bin'}:{os.environ['PATH']}",
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "playbooks/collections"),
        "ANSIBLE_CALLBACK_PLUGINS": str(HERE / "callback_plugins"),
        "ANSIBLE_CALLBACKS_ENABLED": "task_results",
        "TASK_RESULTS": str(results),
        "ANSIBLE_FORCE_COLOR": "0",
    }
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=1800,
        check=False,
    )
    lines = results.read_text().splitlines() if results.exists() else []
    listed = [json.loads(line) for line in lines]
    return {(line["play"], line["task"]): line for line in listed}, done.stdout
