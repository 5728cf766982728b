# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Several commands one after the other in the same lab: what each said, reported, and asked of the cloud."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from .conftest import Lab


@dataclass
class Chapter:
    """One command: its exit code, output, report and writes."""

    code: int
    output: str
    report: dict[str, Any]
    writes: list[str]

    @property
    def failures(self) -> dict[str, str]:
        """Why targets failed, by their name."""
        listed = self.report["targets"]
        return {item["target"]: item["failure"] for item in listed if item["failure"]}


class Story:
    """Commands that are told one by one and then run together."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.names: list[str] = []
        self.script: list[str] = []

    def do(self, command: str) -> None:
        """Something between two chapters, which has to work."""
        self.script.append(f"{command} || exit 9")

    def tell(self, name: str, inventory: Path | str, playbook: str, **variables: Any) -> None:
        """Run a playbook, with a report of its own."""
        own = self.lab.path(name)
        own.mkdir()
        said = own / "variables.json"
        said.write_text(json.dumps({"private_endpoint_report_dir": str(own), **variables}))
        self.names.append(name)
        self.script += [
            f"wc -l < $LAB_JOURNAL > {own}/from",
            f"ansible-playbook -i {inventory} playbooks/{playbook} -e @{said} > {own}/output 2>&1",
            f"echo $? > {own}/code",
            f"wc -l < $LAB_JOURNAL > {own}/to",
        ]

    def read(self, **options: Any) -> dict[str, Chapter]:
        """Run everything in one lab; each chapter by its name."""
        outcome = self.lab.run("\n".join(self.script), timeout=1800, **options)
        assert outcome.code == 0, outcome.output
        return {name: self._chapter(name, outcome.journal) for name in self.names}

    def _chapter(self, name: str, journal: list[dict[str, Any]]) -> Chapter:
        own = self.lab.path(name)
        report = own / "findings.json"
        start, end = (int((own / edge).read_text()) for edge in ("from", "to"))
        return Chapter(
            code=int((own / "code").read_text()),
            output=(own / "output").read_text(),
            report=json.loads(report.read_text()) if report.exists() else {},
            writes=[entry["operation"] for entry in journal[start:end] if entry["write"]],
        )


class Told(Protocol):
    """A chapter, as far as its report goes."""

    report: dict[str, Any]


def changes(chapter: Told) -> set[tuple[str, str, str]]:
    """(resource, action, attribute) of every step."""
    return {
        (step["resource"], step["action"], attribute)
        for step in chapter.report["steps"]
        for attribute in {*step["before"], *step["after"]}
    }


def cells(chapter: Told) -> dict[tuple[str, str], str]:
    """(vantage, host) → where and how it was answered."""
    return {
        (row["vantage"], row["host"]): f"{row['where']} {row['outcome']}"
        for target in chapter.report["targets"]
        for row in target["matrix"]
    }
