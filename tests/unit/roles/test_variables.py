# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Roles, their argument specs, their defaults and the examples speak of the same variables."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
ROLES = ["bedrock", "azure_openai", "vertex", "verify", "report"]
# What a role itself sets for whoever comes after it.
RESULTS = {"verify_results", "report_result"}


def load(path: str) -> Any:
    return yaml.safe_load((ROOT / path).read_text())


def described(role: str) -> set[str]:
    specs = load(f"roles/{role}/meta/argument_specs.yml")["argument_specs"]
    return {name for spec in specs.values() for name in spec["options"]}


def entry_points(role: str) -> set[str]:
    return {path.stem for path in (ROOT / f"roles/{role}/tasks").glob("*.yml")}


def expressions(role: str) -> str:
    """Everything between braces in the role's tasks, variables and defaults."""
    files = [*(ROOT / f"roles/{role}").glob("[dtv]*/**/*.yml")]
    return "\n".join(
        part for path in files for part in re.findall(r"{{(.*?)}}", path.read_text(), re.DOTALL)
    )


@pytest.mark.parametrize("role", ROLES)
def test_every_entry_point_is_described(role: str) -> None:
    specs = load(f"roles/{role}/meta/argument_specs.yml")["argument_specs"]
    assert set(specs) == entry_points(role)


@pytest.mark.parametrize("role", ROLES)
def test_every_default_is_described(role: str) -> None:
    assert set(load(f"roles/{role}/defaults/main.yml")) - RESULTS <= described(role)


@pytest.mark.parametrize("role", ROLES)
def test_every_variable_that_is_used_is_described(role: str) -> None:
    used = set(re.findall(rf"(?<![\w.']){role}_\w+", expressions(role)))
    assert used - RESULTS <= described(role)


@pytest.mark.parametrize("role", ROLES)
def test_every_described_variable_is_used(role: str) -> None:
    tasks = "\n".join(path.read_text() for path in (ROOT / f"roles/{role}").glob("[tv]*/**/*.yml"))
    unused = {name for name in described(role) if not re.search(rf"(?<!\w){name}(?!\w)", tasks)} - {
        "verify_needed_positions"
    }
    assert unused == set()


@pytest.mark.parametrize("role", ["bedrock", "azure_openai"])
def test_the_examples_use_variables_that_exist(role: str) -> None:
    inventory = load("examples/inventory/targets.yml")[role]
    names = {name for host in inventory["hosts"].values() for name in host} | set(inventory["vars"])
    commented = set(
        re.findall(rf"# ({role}_\w+):", (ROOT / "examples/inventory/targets.yml").read_text())
    )
    assert commented
    assert {name for name in names | commented if name.startswith(f"{role}_")} <= described(role)


@pytest.mark.parametrize("role", ["bedrock", "azure_openai"])
def test_the_examples_name_vantages_that_exist(role: str) -> None:
    vantages = load("examples/inventory/vantages.yml")["vantages"]["hosts"]
    hosts = load("examples/inventory/targets.yml")[role]["hosts"]
    named = {name for host in hosts.values() for name in host["vantages"] if isinstance(name, str)}
    assert named <= set(vantages)
    for host in hosts.values():
        positions = {
            vantages[name]["vantage_position"] for name in host["vantages"] if isinstance(name, str)
        }
        assert {"inside", "outside"} <= positions
