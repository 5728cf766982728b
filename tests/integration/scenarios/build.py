# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One world with a target for each scenario, and the inventories to judge and repair it with.

A cloud has base/<cloud>/: shared.yml, the world below all targets; target.yml.in, one target as lockdown.yml leaves it;
inventory.yml.in, its part of the inventory; blind.yml.in, credentials that may not read everything; hands.py.in, what
a person uses. Templates are filled for each target (clouds.py).
"""

from __future__ import annotations

import json
import string
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

try:
    from .clouds import VALUES
except ImportError:  # run.py is run as a script
    from clouds import VALUES

HERE = Path(__file__).resolve().parent
KEYS = {"title", "cell", "check", "fix", "repaired_by", "because", "world", "by_hand", "again"}
KEYS |= {"without", "variables", "outside", "observed"}


@dataclass(frozen=True)
class Scenario:
    """One file of cells/<cloud>/, its target's number and what it says."""

    cloud: str
    name: str
    number: int
    said: dict[str, Any]

    def value(self, name: str) -> str:
        """What a template's placeholder is for this target."""
        return VALUES[self.cloud](self.number, self.name)[name]

    def fill(self, text: str, **more: str) -> str:
        """A template for this target."""
        values = VALUES[self.cloud](self.number, self.name)
        return string.Template(text).substitute(values, n=self.number, name=self.name, **more)

    def base(self, file: str, **more: str) -> str:
        """One of the cloud's templates."""
        return self.fill((HERE / "base" / self.cloud / file).read_text(), **more)

    @property
    def worlds(self) -> list[Mapping[str, Any]]:
        """What is broken, one layer of a world for each fault."""
        return [self.said["world"]] if "world" in self.said else list(self.said.get("worlds", []))

    @property
    def without(self) -> Mapping[str, Any]:
        """What evidence is taken away: actions, vantages, variables. cell: what is unknown then, if not its own."""
        found: Mapping[str, Any] = self.said.get("without", {})
        return found


def scenarios(cloud: str) -> list[Scenario]:
    """All of a cloud, by name."""
    return [load(cloud, name, name, number) for number, name in enumerate(cells(cloud), start=11)]


def cells(cloud: str) -> list[str]:
    """The names of a cloud's files."""
    return sorted(
        path.name.removesuffix(".yml.in") for path in (HERE / "cells" / cloud).glob("*.yml.in")
    )


def load(cloud: str, cell: str, name: str, number: int) -> Scenario:
    """What a cell's file says, for a target of this name and number."""
    path = HERE / "cells" / cloud / f"{cell}.yml.in"
    # Templates (.yml.in): a placeholder inside a flow mapping is no YAML until it is filled.
    said = yaml.safe_load(Scenario(cloud, name, number, {}).fill(path.read_text()))
    if unknown := set(said) - KEYS:
        raise ValueError(f"{path}: unknown keys {sorted(unknown)}")
    return Scenario(cloud, name, number, said)


def world(all_of: list[Scenario], folder: Path) -> Path:
    """A chain of world files: what is shared, each target as it should be, then what each scenario breaks."""
    layers = [yaml.safe_load(each.base("target.yml.in")) for each in all_of]
    layers += [layer for each in all_of for layer in each.worlds]
    layers += [_blind(each)["world"] for each in all_of if "actions" in each.without]
    path = HERE / "base" / all_of[0].cloud / "shared.yml"
    for position, layer in enumerate(layers):
        below, path = path, folder / f"world-{position}.yml"
        path.write_text(yaml.safe_dump({"extends": str(below), **layer}))
    return path


def _blind(scenario: Scenario) -> dict[str, Any]:
    """Credentials that may not do what the scenario takes away, and the variables that use them."""
    denied = json.dumps(scenario.without["actions"])
    found: dict[str, Any] = yaml.safe_load(scenario.base("blind.yml.in", denied=denied))
    return found


def inventory(all_of: list[Scenario], folder: Path, *, name: str = "inventory") -> Path:
    """Targets and vantages; named blind: without the evidence that each scenario takes away."""
    document: dict[str, Any] = {}
    for each in all_of:
        part = yaml.safe_load(each.base("inventory.yml.in"))
        vantages = part["vantages"]["hosts"]
        target = next(
            group["hosts"][each.name] for group in part.values() if each.name in group["hosts"]
        )
        target["vantages"] = list(vantages)
        target.update(each.said.get("variables", {}))
        if name == "blind":
            _take_away(each, target)
        vantages[f"{each.name}-outside"].update(each.said.get("outside", {}))
        for host, values in vantages.items():
            python = "{{ lookup('ansible.builtin.env', 'LAB_RUN') }}/python-" + host
            values.setdefault("ansible_python_interpreter", python)
        document = _merged(document, part)
    path = folder / f"{name}.yml"
    path.write_text(yaml.safe_dump(document))
    return path


def _take_away(scenario: Scenario, target: dict[str, Any]) -> None:
    without = scenario.without
    if "actions" in without:
        target.update(_blind(scenario)["variables"])
    target.update(without.get("variables", {}))
    gone = without.get("vantages", [])
    target["vantages"] = [name for name in target["vantages"] if name not in gone]


def _merged(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Both, key by key."""
    found = dict(one)
    for key, value in other.items():
        both = isinstance(value, dict) and isinstance(found.get(key), dict)
        found[key] = _merged(found[key], value) if both else value
    return found
