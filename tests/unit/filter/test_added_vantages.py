# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which vantages a job adds to its inventory, and what cannot be said of them there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.errors import AnsibleFilterError

from ansible_collections.private_ai.endpoints.plugins.filter.added_vantages import (
    VARIABLES,
    added_vantages,
)

ROLE = Path(__file__).resolve().parents[3] / "roles/verify"
CATALOGUE = {
    "app": {"vantage_position": "inside", "ansible_host": "10.0.0.1"},
    "office": {"vantage_position": "outside", "groups": ["vantages", "offices"]},
    "unused": {"vantage_position": "inside"},
}


def target(*names: Any, **described: Any) -> dict[str, Any]:
    return {"vantages": list(names), "private_endpoint_vantages": {**CATALOGUE, **described}}


def test_what_a_target_names_and_the_inventory_lacks_is_added_once() -> None:
    hosts = {"a": target("app", "office"), "b": target("app", "elsewhere")}
    assert added_vantages(hosts, hosts, ["a", "b"]) == [
        {
            "name": "app",
            "groups": ["vantages"],
            "vantage_position": "inside",
            "ansible_host": "10.0.0.1",
        },
        {"name": "office", "groups": ["vantages", "offices"], "vantage_position": "outside"},
    ]


def test_a_host_keeps_its_own_variables() -> None:
    hosts = {"a": target("app", "office")}
    assert [item["name"] for item in added_vantages(hosts, hosts, ["a", "app"])] == ["office"]


def test_a_target_describes_one_itself() -> None:
    described = {"name": "own", "position": "canary", "ansible_host": "10.0.0.2"}
    hosts = {"a": target(described)}
    assert added_vantages(hosts, hosts, ["a", "own"]) == [
        {
            "name": "own",
            "groups": ["vantages"],
            "vantage_position": "canary",
            "ansible_host": "10.0.0.2",
        }
    ]


def test_nothing_is_added_without_a_description() -> None:
    assert added_vantages(["a"], {"a": {"vantages": ["app"]}}, []) == []
    assert added_vantages(["a"], {"a": {}}, []) == []


@pytest.mark.parametrize(
    ("described", "said"),
    [
        ({"vantage_aws_secret_access_key": "x"}, "would be shown in the output"),
        ({"vantage_postion": "inside"}, "vantage_postion cannot be described there"),
        ({"ansible_password": "x"}, "ansible_password cannot be described there"),
    ],
)
def test_what_cannot_be_described_is_named(described: dict[str, Any], said: str) -> None:
    hosts = {"a": target("app", app=described)}
    with pytest.raises(AnsibleFilterError, match=said):
        added_vantages(hosts, hosts, ["a"])


@pytest.mark.parametrize("groups", ["linux, offices", "linux,offices,", ["linux", "offices"]])
def test_groups_are_a_list_or_a_text_with_commas(groups: Any) -> None:
    hosts = {"a": target("app", app={"groups": groups})}
    (added,) = added_vantages(hosts, hosts, ["a"])
    assert added["groups"] == ["linux", "offices"]


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        (target({"position": "inside"}), "a: vantages: an entry .* has to have its name"),
        ({"vantages": {"app": {"position": "inside"}}}, "a: vantages: it has to be a list"),
        ({"vantages": "app, office"}, "a: vantages: it has to be a list"),
        ({"vantages": 3}, "a: vantages: it has to be a list"),
        (target("app", app={"groups": {"linux": {}}}), "app: groups: it has to be a list"),
        (target("app", app={"groups": [1]}), "app: groups: it has to be a list"),
        (target("app", app="inside"), "app: it has to be a dictionary"),
        (target("app") | {"private_endpoint_vantages": ["app"]}, "a: private_endpoint_vantages"),
    ],
)
def test_what_has_another_form_is_named(variables: dict[str, Any], said: str) -> None:
    with pytest.raises(AnsibleFilterError, match=said):
        added_vantages(["a"], {"a": variables}, ["a"])


def test_two_descriptions_are_refused() -> None:
    hosts = {"a": target("app"), "b": target("app", app={"vantage_position": "spoke"})}
    with pytest.raises(
        AnsibleFilterError, match="app is described in two ways, in the second by b"
    ):
        added_vantages(hosts, hosts, [])


def test_the_task_passes_on_all_that_can_be_described() -> None:
    (task,) = (
        item["ansible.builtin.add_host"]
        for item in yaml.safe_load((ROLE / "tasks/phases/described.yml").read_text())
        if "ansible.builtin.add_host" in item
    )
    assert set(task) - {"name", "groups"} == set(VARIABLES)
