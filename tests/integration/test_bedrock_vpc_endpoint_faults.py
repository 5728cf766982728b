# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""bedrock_vpc_endpoint when things go wrong: names that linger or are taken, endpoints that are late."""

from __future__ import annotations

from typing import Any

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


def module(**options: Any) -> dict[str, Any]:
    return {NAME: {**WANTED, **options}}


def succeeded(outcome: Any) -> list[dict[str, Any]]:
    failed = [item for item in outcome.results if item.get("failed")]
    assert not failed, failed
    results: list[dict[str, Any]] = outcome.results
    return results


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
