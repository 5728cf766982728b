# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The same work in several ways, each in a lab of its own: what each step took, and the tables of them all.

Seconds are taken inside the lab, around the playbook; calls are lines of the lab's journal. A ratio within one run says
something on a noisy machine; the seconds are only there to see the size.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from measure import BENCH, OURS, PEERS, ROOT, cost, playbook

IN_PROCESS, ORDINARY = "in process (this collection)", "ordinary module (this collection)"
_RATIOS = {"wall": "9.1f", "cpu": "9.1f", "calls": "9"}


@dataclass(frozen=True)
class Way:
    """binaries: of its environment. look: the playbook of the other collection that looks at what this way made."""

    binaries: Path
    playbook: str
    extra: tuple[str, ...] = ()
    look: str = ""


def ways_of(cloud: str, theirs: str) -> dict[str, Way]:
    """In process, as an ordinary module, and the other collection's way."""
    ours = f"{cloud}_ours.yml"
    return {
        IN_PROCESS: Way(OURS, ours, look=f"{cloud}_seen.yml"),
        ORDINARY: Way(OURS, ours, ("-e", "private_ai_endpoints_in_process=false")),
        theirs: Way(PEERS, f"{cloud}_peers.yml"),
    }


def run(way: Way, folder: Path, *extra: str) -> dict[str, Any]:
    """In the lab of a way: run its playbook and return what that took and said. logins: requests for a token."""
    journal = Path(os.environ["LAB_JOURNAL"])
    before, said = len(_calls(journal)), folder / "changed.json"
    took = cost(
        playbook(way.binaries, way.playbook, folder, *way.extra, *extra),
        ANSIBLE_CALLBACK_PLUGINS=str(BENCH / "callback_plugins"),
        ANSIBLE_CALLBACKS_ENABLED="changes",
        BENCH_CHANGES=str(said),
    )
    calls = _calls(journal)[before:]
    logins = [call for call in calls if call["operation"].startswith(("login:", "oauth2."))]
    return {
        "wall": took.wall,
        "cpu": took.cpu,
        "tasks": len(_tasks(way)),
        **json.loads(said.read_text()),
        "calls": len(calls) - len(logins),
        "writes": sum(call["write"] for call in calls if call not in logins),
        "logins": len(logins),
    }


def look(way: Way, folder: Path) -> None:
    """In the lab of a way: have the other collection's reading modules look; one that sees something else ends it."""
    if way.look:
        cost(playbook(PEERS, way.look, folder, "-e", f"seen_file={folder}/seen.yml"))


def in_labs(script: str, ways: Mapping[str, Way], folder: Path) -> dict[str, dict[str, Any]]:
    """For each way a lab in which the script runs with `--inside WAY FOLDER RESULTS`: step → what `run` returned."""
    found = {}
    for number, name in enumerate(ways):
        results = folder / f"way-{number}.json"
        lab = [
            *(str(ROOT / "tests/lab/run"), "--world", str(folder / "world.yml")),
            *("--journal", str(folder / f"way-{number}.jsonl"), "--"),
        ]
        me = [sys.executable, script, "--inside", name, str(folder), str(results)]
        subprocess.run([*lab, *me], check=True)
        found[name] = json.loads(results.read_text())
    return found


def table(title: str, step: str, ways: Mapping[str, dict[str, Any]]) -> None:
    """One step of every way, with its ratios against the first."""
    rows = {name: way[step] for name, way in ways.items()}
    base = next(iter(rows.values()))
    print(f"\n{title}; ratios against the first row\n")
    print(f"{'':34}" + "".join(f"{name:>9}{'ratio':>7}" for name in _RATIOS), end="")
    print(f"{'writes':>8}{'logins':>8}{'tasks':>7}{'ratio':>7}{'modules':>9}", end="")
    print(f"{'changed':>9}{'skipped':>9}{'records':>9}")
    for name, row in rows.items():
        cells = [
            f"{row[key]:{form}}{row[key] / base[key]:6.1f}x"
            if base[key]
            else f"{row[key]:{form}}{'':7}"
            for key, form in _RATIOS.items()
        ]
        print(
            f"{name:34}{''.join(cells)}{row['writes']:8}{row['logins']:8}{row['tasks']:7}"
            f"{row['tasks'] / base['tasks']:6.1f}x{row['modules']:9}{sum(row['changed'].values()):9}"
            f"{sum(row['skipped'].values()):9}{row['records']:9}"
        )
    for name, row in rows.items():
        for what in ("changed", "skipped"):
            if row[what]:
                said = ", ".join(f"{task} x{hosts}" for task, hosts in row[what].items())
                print(f"  {what} by {name}: {said}")


def seen(folder: Path, theirs: str) -> None:
    """What the other collection's reading modules saw of what this collection made."""
    hosts = yaml.safe_load((folder / "seen.yml").read_text())
    print(f"\n{theirs}'s modules saw what this collection made, for each of {len(hosts)}:\n")
    host, modules = next(iter(hosts.items()))
    for name, saw in modules.items():
        print(f"{host:12}{name:42}{saw}")


def _tasks(way: Way) -> list[Any]:
    (play,) = yaml.safe_load((BENCH / way.playbook).read_text())
    tasks: list[Any] = play["tasks"]
    return tasks


def _calls(journal: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in journal.read_text().splitlines()]
