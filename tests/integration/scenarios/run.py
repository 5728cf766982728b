# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every misconfiguration in the lab: found, blind, repaired, gone. Usage: run.py FOLDER [CLOUD/SCENARIO…]

Prints a table, leaves it as table.txt and rows.json in FOLDER, and fails when a scenario did not go as its file says.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

from clouds import VALUES
from rows import Row, judged, table

from build import Scenario, inventory, scenarios, world

ROOT = Path(__file__).resolve().parents[3]
# again: what a person has put right is locked after all. after: where a person did something, and one of each lab's
# that lockdown.yml repaired; of the others its own last look, from every vantage and the control plane, says the same.
STAGES = (
    ("found", "inventory", "verify.yml"),
    ("without", "blind", "verify.yml"),
    ("repaired", "inventory", "lockdown.yml"),
    ("again", "again", "lockdown.yml"),
    ("after", "looked_at", "verify.yml"),
)


def run(folder: Path, wanted: list[str]) -> list[Row]:
    """Each cloud's scenarios in two labs, as many labs at a time as there are processors: Ansible itself uses one.

    wanted: only these, as cloud/name; all of them when there is none.
    """
    labs = {}
    for cloud in VALUES:
        listed = [x for x in scenarios(cloud) if not wanted or f"{cloud}/{x.name}" in wanted]
        labs.update({f"{cloud}-{half}": listed[half::2] for half in (0, 1) if listed[half::2]})
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        done = pool.map(_lab, labs.values(), [folder / name for name in labs])
        found = [row for rows in done for row in rows]
        return sorted(found, key=lambda row: (row.cloud, row.scenario))


def _lab(listed: list[Scenario], folder: Path) -> list[Row]:
    """All stages in one lab, then what each target's reports say."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = {
        "inventory": listed,
        "blind": [each for each in listed if each.without],
        "again": [each for each in listed if each.said.get("again")],
        "looked_at": _looked_at(listed),
    }
    for name, part in parts.items():
        inventory(part, folder, name=name)
    (folder / "hands.py").write_text(_hands(listed))
    stages = [stage for stage in STAGES if parts[stage[1]]]
    script = []
    for name, of, playbook in stages:
        script.append(
            f"ansible-playbook -f 8 -i {folder}/{of}.yml playbooks/{playbook} "
            f"-e private_endpoint_report_dir={folder}/{name} > {folder}/{name}.log 2>&1"
        )
        if name == "repaired":
            script.append(f"python {folder}/hands.py > {folder}/hands.log 2>&1")
    environment = {**os.environ, "PATH": f"{ROOT}/.venv/bin:{os.environ['PATH']}"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    command = [str(ROOT / "tests/lab/run"), "--world", str(world(listed, folder))]
    command += ["--journal", str(folder / "journal.jsonl"), "--", "sh", "-c", "\n".join(script)]
    subprocess.run(command, cwd=ROOT, env=environment, timeout=1800, check=False)
    reports = {name: _report(folder / name) for name, _of, _playbook in stages}
    return [judged(each, reports) for each in listed]


def _looked_at(listed: list[Scenario]) -> list[Scenario]:
    """Which ones verify.yml looks at in the end."""
    repaired = [each for each in listed if each.said["repaired_by"] == "lockdown.yml"]
    return [each for each in listed if "by_hand" in each.said or each in repaired[:1]]


def _hands(listed: list[Scenario]) -> str:
    """What a person does where the playbook cannot: as an administrator, behind its back."""
    parts = [
        f"{each.base('hands.py.in')}\n{each.said['by_hand']}\n"
        for each in listed
        if "by_hand" in each.said
    ]
    return "\n".join(parts)


def _report(folder: Path) -> dict[str, Any]:
    path = folder / "findings.json"
    if not path.exists():
        raise RuntimeError(f"{folder.name}: the playbook wrote no report; see {folder}.log")
    document: dict[str, Any] = json.loads(path.read_text())
    return document


def main() -> None:
    folder = Path(sys.argv[1]).resolve()
    rows = run(folder, sys.argv[2:])
    (folder / "rows.json").write_text(json.dumps([asdict(row) for row in rows], indent=2))
    text = table(rows)
    (folder / "table.txt").write_text(text + "\n")
    print(text)
    wrong = [f"{row.cloud} {row.scenario}: {problem}" for row in rows for problem in row.problems]
    if wrong:
        raise SystemExit("\n".join(["", *wrong, f"The whole output is in {folder}"]))


if __name__ == "__main__":
    main()
