# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""bedrock_vpc_endpoint when things go wrong: lost answers, throttling, two runs at once, names that linger."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

NAME = "private_ai.endpoints.bedrock_vpc_endpoint"
VPC = "vpc-0a00000000000000a"
A, B = "subnet-0a0000000000000a1", "subnet-0a0000000000000b1"
GROUP = "sg-0a0000000000000a9"
WANTED: dict[str, Any] = {
    "region": "us-east-1",
    "assume_role_arn": "arn:aws:iam::222222222222:role/network-automation",
    "vpc_id": VPC,
    "services": ["bedrock"],
    "subnet_ids": [A, B],
    "allowed_cidrs": ["10.10.0.0/16"],
    "organization_id": "o-labprivate1",
}
FAST = {"timing": {"endpoint_pending": 0.3, "endpoint_delete": 0.3}}
COUNT = """
import boto3, json
ec2 = boto3.client("ec2", region_name="us-east-1", aws_access_key_id="AKIALABAPPADMIN00000",
                   aws_secret_access_key="lab-secret-app-admin")
mine = [dict(Name="vpc-id", Values=["vpc-0a00000000000000a"])]
groups = ec2.describe_security_groups(Filters=mine)["SecurityGroups"]
print(json.dumps(dict(
    services=sorted(e["ServiceName"].split(".")[-1] for e in ec2.describe_vpc_endpoints(Filters=mine)["VpcEndpoints"]),
    groups=[g["GroupName"] for g in groups if g["GroupName"].startswith("private-ai")],
)))
"""
ONE_SET = {"services": ["bedrock", "bedrock-runtime"], "groups": ["private-ai-endpoints"]}


def module(**options: Any) -> dict[str, Any]:
    return {NAME: {**WANTED, **options}}


def count() -> dict[str, Any]:
    return {"ansible.builtin.command": {"argv": ["{{ ansible_playbook_python }}", "-c", COUNT]}}


def succeeded(outcome: Any) -> list[dict[str, Any]]:
    failed = [item for item in outcome.results if item.get("failed")]
    assert not failed, failed
    results: list[dict[str, Any]] = outcome.results
    return results


@pytest.mark.parametrize("kind", ["lost", "reset", "error", "throttle"])
def test_each_write_goes_wrong_once(lab: Any, kind: str) -> None:
    writes = (
        "CreateSecurityGroup",
        "AuthorizeSecurityGroupIngress",
        "RevokeSecurityGroupIngress",
        "CreateVpcEndpoint",
        "ModifyVpcEndpoint",
        "CreateTags",
        "DeleteTags",
        "DeleteVpcEndpoints",
        "DeleteSecurityGroup",
    )
    # Rehearsals are not writes, and do not use a fault up.
    faults = [
        {"match": {"operation": f"ec2:{name}", "write": True}, "kind": kind, "count": 1}
        for name in writes
    ]
    changed = {
        "allowed_cidrs": ["10.20.0.0/16"],
        "subnet_ids": [B],
        "endpoint_policy": "full",
        "tags": {"team": "y"},
    }
    first = {"tags": {"team": "x", "old": "z"}}
    outcome = lab.tasks(
        module(**first),
        count(),
        module(**changed),
        module(**changed),
        module(state="absent"),
        module(state="absent"),
        world={"aws": FAST},
        faults=faults,
    )
    made, one, modified, again, gone, nothing = succeeded(outcome)
    struck = {entry["operation"].split(":")[1] for entry in outcome.journal if entry["fault"]}
    assert struck == set(writes)
    assert json.loads(one["stdout"]) == ONE_SET
    assert made["changed"] and modified["changed"] and gone["changed"]
    assert not again["changed"] and not nothing["changed"]
    assert [item["subnet_ids"] for item in modified["endpoints"]] == [[B], [B]]
    assert modified["endpoints"][0]["tags"]["team"] == "y"
    assert "old" not in modified["endpoints"][0]["tags"]
    assert gone["endpoints"] == []


@pytest.mark.parametrize("other", [{}, {"tags": {"team": "x"}, "endpoint_policy": "full"}])
def test_two_first_runs_at_once_make_one_set(lab: Any, other: dict[str, Any]) -> None:
    for host, options in (("one", {}), ("two", other)):
        play = [
            {
                "hosts": "localhost",
                "gather_facts": False,
                "tasks": [{"name": "Create", NAME: {**WANTED, **options}}],
            }
        ]
        lab.path(f"{host}.yml").write_text(yaml.safe_dump(play))
    lab.path("count.py").write_text(COUNT)
    one, two = lab.path("one.yml"), lab.path("two.yml")
    outcome = lab.run(
        f"ansible-playbook {one} & first=$!; ansible-playbook {two} && wait $first && "
        f"python {lab.path('count.py')}",
        # Both runs have read before either of them writes.
        faults=[
            {
                "match": {"operation": "ec2:DescribeSubnets"},
                "kind": "delay",
                "seconds": 2,
                "nth": [1, 2],
            }
        ],
        world={"aws": FAST},
    )
    assert outcome.code == 0, outcome.output
    assert json.loads(outcome.output.splitlines()[-1]) == ONE_SET
    made = [e for e in outcome.journal if e["operation"] == "ec2:CreateVpcEndpoint" and e["write"]]
    assert len(made) == 4, "the runs did not meet"


def test_names_of_a_deleted_endpoint_linger(lab: Any) -> None:
    own = {key: value for key, value in WANTED.items() if key != "allowed_cidrs"}
    present = {NAME: {**own, "security_group_ids": [GROUP], "private_dns": "enabled"}}
    outcome = lab.tasks(
        present,
        module(state="absent"),
        present,
        world={"aws": {"timing": {**FAST["timing"], "private_dns_linger": 2.0}}},
    )
    made, _, remade = succeeded(outcome)
    assert 400 in {
        e["status"] for e in outcome.journal if e["operation"] == "ec2:CreateVpcEndpoint"
    }
    ids = [{item["id"] for item in result["endpoints"]} for result in (made, remade)]
    assert not ids[0] & ids[1]
    assert all(item["private_dns_enabled"] for item in remade["endpoints"])


def test_a_hosted_zone_that_has_the_name_is_named_before_any_write(lab: Any) -> None:
    zone = {
        "id": "Z0LABZONE0000000001",
        "name": "bedrock-runtime.us-east-1.amazonaws.com",
        "account": "222222222222",
        "private": True,
        "vpcs": [{"region": "us-east-1", "id": VPC}],
        "records": [],
    }
    outcome = lab.tasks(module(private_dns="enabled"), world={"aws": {**FAST, "zones": [zone]}})
    (result,) = outcome.results
    assert result["failed"]
    assert "private hosted zone Z0LABZONE0000000001 already has the name" in result["msg"]
    assert outcome.writes == []


def test_the_wait_has_a_bound_and_says_what_it_waited_for(lab: Any) -> None:
    outcome = lab.tasks(
        module(services=["sagemaker"], wait_timeout=1),
        module(services=["sagemaker"], wait=False),
        module(services=["sagemaker"]),
        world={"aws": {"timing": {"endpoint_pending": 3.0}}},
    )
    late, unwaited, waited = outcome.results
    assert late["failed"]
    assert "waited 1 seconds" in late["msg"] and "is pending" in late["msg"]
    assert {item["state"] for item in unwaited["endpoints"]} == {"pending"}
    assert not unwaited["changed"] and not waited["changed"]
    assert {item["state"] for item in waited["endpoints"]} == {"available"}
