# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the main job does when something does not hold: nobody is locked out, and the reason is named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from .conftest import INVENTORY, Lab, Outcome


def lock(lab: Lab, *, inventory: str = "", **options: Any) -> tuple[Outcome, dict[str, Any]]:
    """Run the main job; its outcome and its report."""
    variables = {"private_endpoint_report_dir": str(lab.path("report")), **options.pop("with_", {})}
    outcome = lab.run(
        f"ansible-playbook -i {INVENTORY} {inventory} playbooks/lockdown.yml -e '{json.dumps(variables)}'",
        timeout=900,
        **options,
    )
    return outcome, json.loads(lab.path("report/findings.json").read_text())


def operations(outcome: Outcome) -> set[str]:
    """The writes without their service's name."""
    return {name.split(":")[1] for name in outcome.writes}


def test_a_spoke_that_would_resolve_publicly(lab: Lab) -> None:
    outcome, report = lock(lab, with_={"bedrock_spoke_vpcs": []})
    assert outcome.code != 0
    (target,) = report["targets"]
    assert "spoke-a" in target["failure"]
    assert "public" in target["failure"]
    assert "The names were switched back." in target["failure"]
    switched = [step for step in target["steps"] if step["phase"] == "dns"]
    restored = [step for step in target["steps"] if step["phase"] == "restore_dns"]
    assert switched
    assert {step["resource"]: step["after"] for step in restored} == {
        step["resource"]: step["before"] for step in switched
    }
    assert not any("organizations" in name for name in outcome.writes)


def test_a_security_group_that_keeps_the_spoke_out(lab: Lab) -> None:
    outcome, report = lock(lab, with_={"bedrock_allowed_cidrs": ["10.10.0.0/16"]})
    assert outcome.code != 0
    (target,) = report["targets"]
    assert "aws_pinned fail" in target["failure"]
    assert "spoke-a" in target["failure"]
    assert "timed out" in target["failure"]
    assert operations(outcome).isdisjoint(
        {"ModifyVpcEndpoint", "CreateHostedZone", "CreatePolicy", "AttachPolicy"}
    )


def test_a_refusal_that_is_not_seen_is_undone(lab: Lab) -> None:
    """The outside vantage signs as a break-glass user, whom the lock does not bind."""
    outcome, report = lock(
        lab,
        with_={
            "bedrock_break_glass_arns": ["arn:aws:iam::222222222222:user/app"],
            "verify_refusal_timeout": 4,
            "bedrock_soak_seconds": 0,
        },
    )
    assert outcome.code != 0
    (target,) = report["targets"]
    assert "aws_m1_public_access" in target["failure"]
    assert "user/app" in target["failure"]
    assert "The lock was undone, and calls are admitted again." in target["failure"]
    writes = [name.split(":")[1] for name in outcome.writes]
    assert writes.index("AttachPolicy") < writes.index("DetachPolicy") < len(writes)
    assert "DeletePolicy" in writes


def second_target(lab: Lab, **variables: Any) -> str:
    """An inventory that adds another target of the same scope."""
    path: Path = lab.path("second.yml")
    host = {
        "bedrock_region": "us-east-1",
        "bedrock_vpc_id": "vpc-0b00000000000000b",
        "bedrock_subnet_ids": ["subnet-0b0000000000000a1"],
        "bedrock_assume_role_arn": "arn:aws:iam::222222222222:role/network-automation",
        "bedrock_lockdown_targets": ["222222222222"],
        "vantages": ["spoke-a", "outside"],
        **variables,
    }
    path.write_text(yaml.safe_dump({"bedrock": {"hosts": {"spoke-use1": host}}}))
    return f"-i {path}"


def test_one_member_that_is_not_proved_keeps_its_scope_open(lab: Lab) -> None:
    """A misspelt variable stops its target before any write; the other goes on, but the scope stays open."""
    inventory = second_target(lab, bedrock_subnet_idz=["subnet-0b0000000000000a1"])
    outcome, report = lock(lab, inventory=inventory)
    assert outcome.code != 0
    failures = {target["target"]: target["failure"] for target in report["targets"]}
    assert "Did you mean bedrock_subnet_ids?" in failures["spoke-use1"]
    assert "spoke-use1" in failures["app-use1"]
    assert "is not locked" in failures["app-use1"]
    assert operations(outcome) >= {"CreateVpcEndpoint", "ModifyVpcEndpoint"}
    assert not any("organizations" in name for name in outcome.writes)


def test_when_every_target_fails_there_is_still_a_report(lab: Lab) -> None:
    outcome, report = lock(
        lab,
        inventory=second_target(lab, vantages=["spoke-a", "nowhere"]),
        with_={"bedrock_lockdown_targetz": ["222222222222"]},
    )
    assert outcome.code != 0
    assert outcome.writes == []
    failures = {target["target"]: target["failure"] for target in report["targets"]}
    assert set(failures) == {"app-use1", "spoke-use1"}
    assert all("Did you mean bedrock_lockdown_targets?" in text for text in failures.values())


def test_vantages_that_cannot_prove_anything_are_named_before_any_write(lab: Lab) -> None:
    vantages = ["app-a", "nowhere", {"name": "described", "position": "spoke"}]
    outcome, report = lock(lab, with_={"vantages": vantages})
    assert outcome.code != 0
    assert outcome.writes == []
    (target,) = report["targets"]
    assert "nowhere is no host of this inventory" in target["failure"]
    assert "none of them is in the position outside" in target["failure"]
    assert "described" not in target["failure"]


def test_a_vantage_that_is_unreachable_is_missing_coverage(lab: Lab) -> None:
    described = {
        "name": "gone",
        "position": "inside",
        "ansible_connection": "local",
        "ansible_python_interpreter": "/nonexistent/python3",
    }
    vantages = ["app-a", "spoke-a", "outside", described]
    outcome, report = lock(lab, with_={"vantages": vantages})
    assert outcome.code != 0
    (target,) = report["targets"]
    assert "gone" in target["failure"]
    assert "aws_pinned unknown" in target["failure"]
    assert "ModifyVpcEndpoint" not in operations(outcome)
