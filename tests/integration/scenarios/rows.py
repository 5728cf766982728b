# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a scenario came to, by the reports of its stages, and the table of all."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from build import Scenario


@dataclass
class Row:
    """How one scenario went; problems: where that is not what its file says."""

    cloud: str
    scenario: str
    title: str
    found: str = ""
    fix: str = ""
    repaired_by: str = ""
    because: str = ""
    after: str = ""
    without: str = ""
    problems: list[str] = field(default_factory=list)


def judged(scenario: Scenario, reports: dict[str, dict[str, Any]]) -> Row:
    """The row of a scenario. reports: what each stage's playbook wrote, by the stage's name."""
    said = scenario.said
    row = Row(scenario.cloud, scenario.name, said["title"])
    failed = _failed(reports["found"], scenario)
    row.found = _cells(_of(reports["found"], scenario))
    fixes = [str(item["fix"]) for item in failed]
    row.fix = next((fix for fix in fixes if said.get("fix", "") in fix), "".join(fixes[:1]))
    repaired = _of(reports["repaired"], scenario)
    # What lockdown.yml does not change shows in its report, with what a person has to do.
    left = [item["fix"] for item in _failed(reports["repaired"], scenario)]
    row.because = repaired["failure"] or "; ".join(dict.fromkeys(left))
    row.repaired_by = (
        "a person" if row.because else "lockdown.yml" if repaired["steps"] else "nobody"
    )
    looked_at = [item["target"] for item in reports["after"]["targets"]]
    last = reports["after" if scenario.name in looked_at else "repaired"]
    after = _of(last, scenario)
    passes = after["ok"] and not _failed(last, scenario)
    row.after = "passes" if passes else f"FAILS: {_cells(after)}"
    if scenario.without:
        row.without = _status(
            _of(reports["without"], scenario), scenario.without.get("cell", said["cell"])
        )
    row.problems = list(_problems(said, row, failed))
    return row


def _of(report: dict[str, Any], scenario: Scenario) -> dict[str, Any]:
    target: dict[str, Any] = next(x for x in report["targets"] if x["target"] == scenario.name)
    return target


def _failed(report: dict[str, Any], scenario: Scenario) -> list[dict[str, Any]]:
    return [
        item
        for item in report["findings"]
        if item["target"] == scenario.name and item["status"] == "fail"
    ]


def _cells(target: dict[str, Any]) -> str:
    """The misconfigurations that were found; without one, the statements of the checklist that do not hold."""
    for table in ("misconfigurations", "checklist"):
        if found := [row["id"] for row in target[table] if row["status"] == "fail"]:
            return ", ".join(found)
    return "nothing"


def _status(target: dict[str, Any], cell: str) -> str:
    rows = [*target["misconfigurations"], *target["checklist"]]
    return next(str(row["status"]) for row in rows if row["id"] == cell)


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
    checks = sorted({item["check"] for item in failed})
    if ", ".join(checks) != said.get("check", ""):
        wrong.append(f"the checks that fail are {', '.join(checks)}")
    for name in ("observed", "fix"):
        texts = [str(item[name]) for item in failed]
        if failed and not any(said.get(name, "") in text for text in texts):
            wrong.append(f"{name} is {texts}")
    if said.get("because", "") not in row.because:
        wrong.append(f"lockdown.yml says {row.because!r}")
    return wrong


def table(rows: list[Row]) -> str:
    """For a terminal."""
    heads = ("cloud", "scenario", "found", "fix", "repaired by", "after", "without evidence")
    cells = [
        (x.cloud, x.scenario, x.found, _short(x.fix), x.repaired_by, x.after, x.without or "-")
        for x in rows
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
