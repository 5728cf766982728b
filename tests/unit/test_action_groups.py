# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The groups of module_defaults hold every module of their cloud, and each of these takes what a group is there for."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from ansible_collections.private_ai.endpoints.plugins.doc_fragments import aws, azure, gcp

ROOT = Path(__file__).resolve().parents[2]
GROUPS = yaml.safe_load((ROOT / "meta/runtime.yml").read_text())["action_groups"]
MODULES = {path.stem: path.read_text() for path in (ROOT / "plugins/modules").glob("*.py")}
PREFIXES = {"aws": "bedrock_", "azure": "azure_openai_", "gcp": "vertex_"}
FRAGMENTS = {"aws": aws, "azure": azure, "gcp": gcp}


@pytest.mark.parametrize("group", PREFIXES)
def test_a_group_holds_every_module_of_its_cloud(group: str) -> None:
    names = sorted(name for name in MODULES if name.startswith(PREFIXES[group]))
    assert sorted(GROUPS[group]) == [f"private_ai.endpoints.{name}" for name in names]


def test_there_are_no_other_groups() -> None:
    """A group of all modules would have nothing to say: no option is in each of them."""
    assert set(GROUPS) == set(PREFIXES)


@pytest.mark.parametrize("group", PREFIXES)
def test_every_module_of_a_group_takes_the_options_of_its_cloud(group: str) -> None:
    options = yaml.safe_load(FRAGMENTS[group].ModuleDocFragment.DOCUMENTATION)["options"]
    assert options
    for name in GROUPS[group]:
        source = MODULES[name.rpartition(".")[2]]
        assert f"- private_ai.endpoints.{group}\n" in source, name
