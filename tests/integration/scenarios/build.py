# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One world with a target for each scenario, and the inventories to judge and repair it with."""

from __future__ import annotations

import string
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).resolve().parent
KEYS = {"title", "cell", "check", "fix", "repaired_by", "because", "world", "by_hand", "without"}
KEYS |= {"variables", "outside"}


@dataclass(frozen=True)
class Scenario:
    """One file of cells/, its target's number and what it says."""

    name: str
    number: int
    said: dict[str, Any]

    @property
    def account(self) -> str:
        return f"2222222222{self.number}"

    def fill(self, text: str) -> str:
        """A template for this target."""
        return string.Template(text).substitute(n=self.number, name=self.name, account=self.account)

    @property
    def vantages(self) -> dict[str, str]:
        """Name → position."""
        places = {"a": "inside", "b": "inside", "spoke": "spoke", "outside": "outside"}
        return {f"{self.name}-{place}": position for place, position in places.items()}


def scenarios() -> list[Scenario]:
    """All of them, by name."""
    found = []
    # Templates (.yml.in): a placeholder inside a flow mapping is no YAML until it is filled.
    for number, path in enumerate(sorted((HERE / "cells").glob("*.yml.in")), start=11):
        name = path.name.removesuffix(".yml.in")
        blank = Scenario(name, number, {})
        said = yaml.safe_load(blank.fill(path.read_text()))
        if unknown := set(said) - KEYS:
            raise ValueError(f"{path}: unknown keys {sorted(unknown)}")
        found.append(Scenario(name, number, said))
    return found


def world(all_of: list[Scenario], folder: Path) -> Path:
    """A chain of world files: the organisation, each target as it should be, then what each scenario breaks."""
    template = (HERE / "base/target.yml.in").read_text()
    layers = [yaml.safe_load(each.fill(template)) for each in all_of]
    layers += [each.said["world"] for each in all_of if "world" in each.said]
    layers += [_blind(each) for each in all_of if each.said.get("without", {}).get("actions")]
    path = HERE / "base/organization.yml"
    for position, layer in enumerate(layers):
        below, path = path, folder / f"world-{position}.yml"
        path.write_text(yaml.safe_dump({"extends": str(below), **layer}))
    return path


def _blind(scenario: Scenario) -> dict[str, Any]:
    """The role that may not read what the scenario's check needs."""
    denied = scenario.said["without"]["actions"]
    statements = [
        {"Effect": "Allow", "Action": ["ec2:*", "route53:*", "cloudtrail:*"], "Resource": "*"},
        {"Effect": "Deny", "Action": denied, "Resource": "*"},
    ]
    policy = {"Version": "2012-10-17", "Statement": statements}
    role = f"arn:aws:iam::{scenario.account}:role/blind"
    return {"aws": {"principals": [{"arn": role, "policies": [policy]}]}}


def inventory(all_of: list[Scenario], folder: Path, *, blind: bool = False) -> Path:
    """Targets and vantages; blind: without the evidence that each scenario takes away."""
    listed = [each for each in all_of if not blind or "without" in each.said]
    document = {
        "bedrock": {
            "hosts": {each.name: _target(each, blind) for each in listed},
            "vars": {
                "ansible_connection": "local",
                "ansible_python_interpreter": "{{ ansible_playbook_python }}",
                "bedrock_region": "us-east-1",
                "bedrock_services": ["bedrock"],
                "bedrock_organization_id": "o-labprivate1",
                "bedrock_soak_seconds": 0,
                "verify_timeout": 3,
            },
        },
        "vantages": {
            "hosts": {
                name: _vantage(each, name, position)
                for each in listed
                for name, position in each.vantages.items()
            },
            "vars": {"ansible_connection": "local"},
        },
    }
    path = folder / ("blind.yml" if blind else "inventory.yml")
    path.write_text(yaml.safe_dump(document))
    return path


def _target(scenario: Scenario, blind: bool) -> dict[str, Any]:
    n, without = scenario.number, scenario.said.get("without", {}) if blind else {}
    role = "blind" if without.get("actions") else "network-automation"
    gone = without.get("vantages", [])
    return {
        "bedrock_vpc_id": f"vpc-0a0000000000000{n}",
        "bedrock_subnet_ids": [f"subnet-0a00000000000a{n}1", f"subnet-0a00000000000b{n}1"],
        "bedrock_allowed_cidrs": [f"10.{n}.0.0/16", f"172.16.{n}.0/24"],
        "bedrock_spoke_vpcs": [f"vpc-0b0000000000000{n}"],
        "bedrock_assume_role_arn": f"arn:aws:iam::{scenario.account}:role/{role}",
        "bedrock_lockdown_targets": [scenario.account],
        "bedrock_lockdown_policy_name": f"lock-{scenario.name}",
        "bedrock_egress_addresses": [f"198.51.100.1{n}"],
        "vantages": [name for name in scenario.vantages if name not in gone],
        **scenario.said.get("variables", {}),
        **without.get("variables", {}),
    }


def _vantage(scenario: Scenario, name: str, position: str) -> dict[str, Any]:
    place = name.removeprefix(f"{scenario.name}-")
    n = scenario.number
    sits = {
        "a": {"vantage_subnet_id": f"subnet-0a00000000000a{n}1"},
        "b": {"vantage_subnet_id": f"subnet-0a00000000000b{n}1"},
        "spoke": {"vantage_network_id": f"vpc-0b0000000000000{n}"},
    }
    return {
        "vantage_position": position,
        "vantage_aws_access_key_id": f"AKIALABSCENARIOAPP{n}",
        "vantage_aws_secret_access_key": f"lab-secret-{scenario.name}",
        "ansible_python_interpreter": "{{ lookup('ansible.builtin.env', 'LAB_RUN') }}/python-"
        + name,
        **sits.get(place, {}),
        **(scenario.said.get("outside", {}) if place == "outside" else {}),
    }
