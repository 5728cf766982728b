# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every misconfiguration in one lab: found, blind, repaired, gone. Usage: run.py FOLDER

Prints a table, leaves it as table.txt and rows.json in FOLDER, and fails when a scenario did not go as its file says.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from build import Scenario, inventory, scenarios, world

ROOT = Path(__file__).resolve().parents[3]
STAGES = (
    ("found", "inventory", "verify.yml"),
    ("without", "blind", "verify.yml"),
    ("repaired", "inventory", "lockdown.yml"),
    ("after", "inventory", "verify.yml"),
)
HANDS = """
import boto3
def client(number, name):
    keys = dict(aws_access_key_id=f"AKIALABSCENARIOADM{number}", aws_secret_access_key=f"lab-secret-admin-{name}")
    return boto3.client("ec2", region_name="us-east-1", **keys)
"""


@dataclass
class Row:
    """How one scenario went; problems: where that is not what its file says."""

    scenario: str
    title: str
    found: str = ""
    fix: str = ""
    repaired_by: str = ""
    because: str = ""
    after: str = ""
    without: str = ""
    problems: list[str] = field(default_factory=list)


def run(folder: Path) -> list[Row]:
    """Half of the scenarios in one lab and half in another at the same time, since Ansible itself uses one core."""
    listed = scenarios()
    halves = (listed[::2], listed[1::2])
    with ThreadPoolExecutor() as pool:
        done = pool.map(_lab, halves, (folder / "even", folder / "odd"))
        return sorted((row for rows in done for row in rows), key=lambda row: row.scenario)


def _lab(listed: list[Scenario], folder: Path) -> list[Row]:
    """All stages in one lab, then what each target's reports say."""
    folder.mkdir(parents=True, exist_ok=True)
    inventory(listed, folder)
    inventory(listed, folder, blind=True)
    (folder / "hands.py").write_text(_hands(listed))
    script = []
    for name, of, playbook in STAGES:
        if name == "after":
            script.append(f"python {folder}/hands.py")
        script.append(
            f"ansible-playbook -f 8 -i {folder}/{of}.yml playbooks/{playbook} "
            f"-e private_endpoint_report_dir={folder}/{name} > {folder}/{name}.log 2>&1"
        )
    environment = {**os.environ, "PATH": f"{ROOT}/.venv/bin:{os.environ['PATH']}"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    command = [str(ROOT / "tests/lab/run"), "--world", str(world(listed, folder))]
    command += ["--journal", str(folder / "journal.jsonl"), "--", "sh", "-c", "\n".join(script)]
    subprocess.run(command, cwd=ROOT, env=environment, timeout=1800, check=False)
    reports = {name: _report(folder / name) for name, _of, _playbook in STAGES}
    return [_row(each, reports) for each in listed]


def _hands(listed: list[Scenario]) -> str:
    """What a person does where the playbook cannot: as the administrator of the account, behind its back."""
    lines = [HANDS]
    for each in listed:
        if "by_hand" in each.said:
            lines.append(f"ec2 = client({each.number}, {each.name!r})\n{each.said['by_hand']}\n")
    return "".join(lines)


def _report(folder: Path) -> dict[str, Any]:
    path = folder / "findings.json"
    if not path.exists():
        raise RuntimeError(f"{folder.name}: the playbook wrote no report; see {folder}.log")
    document: dict[str, Any] = json.loads(path.read_text())
    return document


def _of(report: dict[str, Any], scenario: Scenario) -> dict[str, Any]:
    target: dict[str, Any] = next(x for x in report["targets"] if x["target"] == scenario.name)
    return target


def _cells(target: dict[str, Any], status: str) -> list[str]:
    return [row["id"] for row in target["misconfigurations"] if row["status"] == status]


def _row(scenario: Scenario, reports: dict[str, dict[str, Any]]) -> Row:
    row = Row(scenario.name, scenario.said["title"])
    failed = [
        item
        for item in reports["found"]["findings"]
        if item["target"] == scenario.name and item["status"] == "fail"
    ]
    row.found = ", ".join(_cells(_of(reports["found"], scenario), "fail")) or "nothing"
    row.fix = next((item["fix"] for item in failed), "")
    repaired, after = _of(reports["repaired"], scenario), _of(reports["after"], scenario)
    row.because = repaired["failure"] or ""
    row.repaired_by = (
        "a person" if row.because else "lockdown.yml" if repaired["steps"] else "nobody"
    )
    row.after = "passes" if after["ok"] else "FAILS: " + ", ".join(_cells(after, "fail"))
    if "without" in scenario.said:
        blind = _of(reports["without"], scenario)
        cell = scenario.said["cell"]
        row.without = next(x["status"] for x in blind["misconfigurations"] if x["id"] == cell)
    row.problems = list(_problems(scenario.said, row, failed))
    return row


def _problems(said: dict[str, Any], row: Row, failed: list[dict[str, Any]]) -> list[str]:
    expected = {
        "found": said.get("cell", "nothing"),
        "repaired_by": said["repaired_by"],
        "after": "passes",
        "without": "unknown" if "without" in said else "",
    }
    wrong = [
        f"{name} is {getattr(row, name)!r}, not {value!r}"
        for name, value in expected.items()
        if getattr(row, name) != value
    ]
    checks = {item["check"] for item in failed}
    if checks != ({said["check"]} if "check" in said else set()):
        wrong.append(f"the checks that fail are {sorted(checks)}")
    wrong += [
        f"a finding's fix is {item['fix']!r}"
        for item in failed
        if said.get("fix", "") not in item["fix"]
    ]
    if said.get("because", "") not in row.because:
        wrong.append(f"lockdown.yml says {row.because!r}")
    return wrong


def table(rows: list[Row]) -> str:
    """For a terminal."""
    heads = ("scenario", "found", "fix", "repaired by", "after", "without evidence")
    cells = [
        (x.scenario, x.found, _short(x.fix), x.repaired_by, x.after, x.without or "-") for x in rows
    ]
    widths = [max(map(len, column)) for column in zip(heads, *cells, strict=True)]
    lines = [heads, tuple("-" * width for width in widths), *cells]
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def _short(text: str, longest: int = 72) -> str:
    text = text.replace("private_ai.endpoints.", "")
    return text if len(text) <= longest else text[: longest - 1] + "…"


def main() -> None:
    folder = Path(sys.argv[1]).resolve()
    rows = run(folder)
    (folder / "rows.json").write_text(json.dumps([asdict(row) for row in rows], indent=2))
    text = table(rows)
    (folder / "table.txt").write_text(text + "\n")
    print(text)
    wrong = [f"{row.scenario}: {problem}" for row in rows for problem in row.problems]
    if wrong:
        raise SystemExit("\n".join(["", *wrong, f"The whole output is in {folder}"]))


if __name__ == "__main__":
    main()
