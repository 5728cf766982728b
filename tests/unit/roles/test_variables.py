# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Roles, their argument specs, their defaults and the examples speak of the same variables."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
PLUGINS = "ansible_collections.private_ai.endpoints.plugins"
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


@pytest.mark.parametrize("role", ROLES)
def test_the_documented_defaults_are_the_defaults(role: str) -> None:
    """A default that is computed is described in words; every other one is shown, and no other."""
    kept = load(f"roles/{role}/defaults/main.yml")
    literal = {name: value for name, value in kept.items() if "{{" not in str(value)}
    specs = load(f"roles/{role}/meta/argument_specs.yml")["argument_specs"]
    for entry, spec in specs.items():
        for name, option in spec["options"].items():
            where = f"{entry}: {name}"
            assert option.get("default") == literal.get(name), where
            assert not (option.get("required") and "default" in option), where
            if "choices" in option and option.get("default"):
                chosen = option["default"]
                assert {*(chosen if isinstance(chosen, list) else [chosen])} <= {
                    *option["choices"]
                }, where


@pytest.mark.parametrize("role", ROLES)
def test_a_variable_is_described_alike_everywhere(role: str) -> None:
    specs = load(f"roles/{role}/meta/argument_specs.yml")["argument_specs"]
    seen: dict[str, Any] = {}
    for spec in specs.values():
        for name, option in spec["options"].items():
            # One entry point may need what another can do without, and mean it by another's words.
            same = {
                key: value
                for key, value in option.items()
                if key not in ("required", "description")
            }
            assert seen.setdefault(name, same) == same, name


# What a role takes in another form than its module, and why.
OTHERWISE = {
    "bedrock_policy": "a document or its text, and a module's type for that is json",
    "bedrock_spoke_vpcs": "an id alone is enough where nothing else is to be said",
}


def handed_over(role: str) -> list[tuple[str, str, str]]:
    """(variable, module, option) of every variable that a task of the role gives to a module as it is."""
    as_it_is = rf"{{{{ ({role}_\w+)( \| default\(omit(, true)?\)| if .+ else omit)? }}}}"
    found = []
    for path in (ROOT / f"roles/{role}/tasks").glob("**/*.yml"):
        for task in yaml.safe_load(path.read_text()):
            for key, arguments in task.items():
                if key.startswith("private_ai.endpoints.") and isinstance(arguments, dict):
                    found += [
                        (match[1], key.rpartition(".")[2], option)
                        for option, value in arguments.items()
                        if (match := re.fullmatch(as_it_is, str(value)))
                    ]
    return found


@pytest.mark.parametrize("role", ROLES)
def test_variables_are_what_the_modules_take(role: str) -> None:
    specs = load(f"roles/{role}/meta/argument_specs.yml")["argument_specs"]
    described_as = {name: each for spec in specs.values() for name, each in spec["options"].items()}
    handed = handed_over(role)
    assert handed
    for variable, module, option in handed:
        if variable not in described_as or variable in OTHERWISE:
            continue
        theirs = options_of(module)[option]
        ours = described_as[variable]
        for key in ("type", "elements"):
            assert ours.get(key) == theirs.get(key), (variable, key)
        assert set(ours.get("choices") or ()) == set(theirs.get("choices") or ()), variable


def options_of(module: str) -> dict[str, Any]:
    """The options that a module documents; ansible-test holds its argument spec to them."""
    source = importlib.import_module(f"{PLUGINS}.modules.{module}")
    documented = yaml.safe_load(source.DOCUMENTATION)
    options: dict[str, Any] = dict(documented["options"])
    for name in documented.get("extends_documentation_fragment") or ():
        fragment = importlib.import_module(f"{PLUGINS}.doc_fragments.{name.rpartition('.')[2]}")
        options |= yaml.safe_load(fragment.ModuleDocFragment.DOCUMENTATION)["options"]
    return options


@pytest.mark.parametrize("role", ["bedrock", "azure_openai", "vertex"])
def test_the_examples_use_variables_that_exist(role: str) -> None:
    inventory = load("examples/inventory/targets.yml")[role]
    names = {name for host in inventory["hosts"].values() for name in host} | set(inventory["vars"])
    commented = set(
        re.findall(rf"# ({role}_\w+):", (ROOT / "examples/inventory/targets.yml").read_text())
    )
    assert commented
    assert {name for name in names | commented if name.startswith(f"{role}_")} <= described(role)


@pytest.mark.parametrize("role", ["bedrock", "azure_openai", "vertex"])
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
