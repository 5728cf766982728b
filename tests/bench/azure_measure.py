# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Azure costs in the lab, this collection's way and azure.azcollection's. Usage: azure_measure.py COUNT FOLDER.

Each way gets a lab of its own that starts from the same open accounts, and the same playbook three times: to create,
where nothing is to do, and after somebody deleted the DNS record of every account. Seconds are taken inside the lab,
around the playbook; calls are lines of the lab's journal. A ratio within one run says something on a noisy machine;
the seconds are only there to see the size.

In the first lab azure.azcollection's reading modules then look at what this collection made, unmodified; when one of
them sees something else than what is there, the benchmark fails.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import requests
import yaml
from azure.identity import EnvironmentCredential
from azure_fleet import GROUP
from measure import BENCH, OURS, PEERS, ROOT, cost, playbook

STEPS = ("first", "second", "repairing")
RECORDS = f"https://management.azure.com{GROUP}/providers/Microsoft.Network/privateDnsZones/privatelink.openai.azure.com/A"
IN_PROCESS, ORDINARY = "in process (this collection)", "ordinary module (this collection)"
THEIRS = "azure.azcollection"
# The name of a way: its environment, its playbook, what the playbook gets, and the playbook that looks afterwards.
WAYS: dict[str, tuple[Path, str, tuple[str, ...], str]] = {
    IN_PROCESS: (OURS, "azure_ours.yml", (), "azure_seen.yml"),
    ORDINARY: (OURS, "azure_ours.yml", ("-e", "private_ai_endpoints_in_process=false"), ""),
    THEIRS: (PEERS, "azure_peers.yml", (), ""),
}


def inside(way: str, folder: Path, results: Path) -> None:
    """In the lab of one way: run its playbook for each step, look, and write down what that took."""
    binaries, name, extra, look = WAYS[way]
    command = playbook(binaries, name, folder, *extra)
    journal = Path(os.environ["LAB_JOURNAL"])
    found: dict[str, Any] = {"tasks": len(_tasks(name))}
    for step in STEPS:
        if step == "repairing":
            _records(folder, "DELETE")
        before = len(_calls(journal))
        changed = folder / "changed.json"
        took = cost(
            command,
            ANSIBLE_CALLBACK_PLUGINS=str(BENCH / "callback_plugins"),
            ANSIBLE_CALLBACKS_ENABLED="changes",
            BENCH_CHANGES=str(changed),
        )
        calls = _calls(journal)[before:]
        found[step] = {
            "wall": took.wall,
            "cpu": took.cpu,
            "changed": json.loads(changed.read_text()),
            "calls": sum(not call["operation"].startswith("login:") for call in calls),
            "writes": sum(call["write"] for call in calls),
            "logins": sum(call["operation"].startswith("login:") for call in calls),
            "records": _records(folder, "GET"),
        }
    if look:
        cost(playbook(PEERS, look, folder, "-e", f"seen_file={folder}/seen.yml"))
    results.write_text(json.dumps(found))


def _records(folder: Path, method: str) -> int:
    """How many accounts have their DNS record. Or, with DELETE, had it."""
    token = EnvironmentCredential().get_token("https://management.azure.com/.default").token
    answers = [
        requests.request(
            method,
            f"{RECORDS}/bench-{host}?api-version=2024-06-01",
            headers={"Authorization": f"Bearer {token}"},
            timeout=60,
        )
        for host in yaml.safe_load((folder / "inventory.yml").read_text())["all"]["hosts"]
    ]
    return sum(answer.status_code == 200 for answer in answers)


def _tasks(name: str) -> list[Any]:
    (play,) = yaml.safe_load((BENCH / name).read_text())
    tasks: list[Any] = play["tasks"]
    return tasks


def _calls(journal: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in journal.read_text().splitlines()]


def table(count: int, step: str, ways: dict[str, dict[str, Any]]) -> None:
    """One run of every way, with its ratios against the first."""
    base = ways[IN_PROCESS]
    columns = ("wall", "cpu", "calls")
    print(f"\n{step} run over {count} accounts, 5 forks; ratios against the first row\n")
    print(f"{'':34}" + "".join(f"{name:>9}{'ratio':>7}" for name in columns), end="")
    print(f"{'writes':>8}{'logins':>8}{'tasks':>7}{'ratio':>7}{'changed':>9}{'records':>9}")
    for name, way in ways.items():
        row, first = way[step], base[step]
        cells = [
            f"{row[key]:9.1f}{row[key] / first[key]:6.1f}x"
            if key != "calls"
            else f"{row[key]:9}{row[key] / first[key]:6.1f}x"
            for key in columns
        ]
        print(
            f"{name:34}{''.join(cells)}{row['writes']:8}{row['logins']:8}"
            f"{way['tasks']:7}{way['tasks'] / base['tasks']:6.1f}x"
            f"{sum(row['changed'].values()):9}{row['records']:9}"
        )
    for name, way in ways.items():
        if changed := way[step]["changed"]:
            said = ", ".join(f"{task} x{hosts}" for task, hosts in changed.items())
            print(f"  changed by {name}: {said}")


def seen(folder: Path) -> None:
    """What the other collection's reading modules saw of what this collection made."""
    hosts = yaml.safe_load((folder / "seen.yml").read_text())
    print(
        f"\nazure.azcollection's modules saw what this collection made, for each of {len(hosts)}:\n"
    )
    host, modules = next(iter(hosts.items()))
    for name, saw in modules.items():
        print(f"{host:12}{name:42}{saw}")


def main() -> None:
    count, folder = int(sys.argv[1]), Path(sys.argv[2]).resolve()
    ways = {}
    for number, way in enumerate(WAYS):
        results = folder / f"way-{number}.json"
        lab = [
            *(str(ROOT / "tests/lab/run"), "--world", str(folder / "world.yml")),
            *("--journal", str(folder / f"way-{number}.jsonl"), "--"),
        ]
        me = [sys.executable, str(Path(__file__)), "--inside", way, str(folder), str(results)]
        subprocess.run([*lab, *me], check=True)
        ways[way] = json.loads(results.read_text())
    for step in STEPS:
        table(count, step, ways)
    seen(folder)


if __name__ == "__main__":
    if sys.argv[1] == "--inside":
        inside(sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4]))
    else:
        main()
