# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Makes one playbook of the examples of several plugins: a play for each, with what is left to the reader."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from .documented import plugin_examples, writes

CASES = Path(__file__).parent / "cases"
AGAIN = " (again)"


@dataclass
class Case:
    """The plugins whose examples run in one lab, in this order."""

    name: str
    world: str = "aws"
    inventory: str = ""
    plays: list[dict[str, Any]] = field(default_factory=list)

    @property
    def plugins(self) -> list[str]:
        return [play["plugin"] for play in self.plays]

    def playbook(self) -> list[dict[str, Any]]:
        """Every play, with its examples unmodified."""
        return [_play(play) for play in self.plays]

    def expected(self) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
        """(plugin, example, what is told of it) of every example that runs."""
        for play in self.plays:
            for task in plugin_examples()[play["plugin"]]:
                yield play["plugin"], task["name"], _told(play, task["name"])


def all_cases() -> dict[str, Case]:
    """By the name of their file."""
    return {
        path.stem: Case(path.stem, **yaml.safe_load(path.read_text()))
        for path in sorted(CASES.glob("*.yml"))
    }


def _told(play: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    told: Mapping[str, Any] = (play.get("examples") or {}).get(name) or {}
    return told


def _play(play: Mapping[str, Any]) -> dict[str, Any]:
    tasks = list(play.get("before") or [])
    for example in plugin_examples()[play["plugin"]]:
        told = _told(play, example["name"])
        tasks += told.get("before") or []
        tasks.append(example)
        if writes(example) and "once" not in told:
            # A second run finds everything; what later examples take from the first is kept.
            copy = {key: value for key, value in example.items() if key != "register"}
            tasks.append({**copy, "name": example["name"] + AGAIN})
        tasks += told.get("then") or []
    return {
        "name": play["plugin"],
        "hosts": play.get("hosts", "localhost"),
        "gather_facts": False,
        # One that fails is told about, and the others are looked at too.
        "ignore_errors": True,
        "environment": play.get("environment") or {},
        "vars": play.get("reader") or {},
        "tasks": tasks,
    }
