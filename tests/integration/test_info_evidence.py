# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""bedrock_vpc_endpoint_info in the lab: one document, few requests, and what was denied is named."""

from __future__ import annotations

from typing import Any

import pytest

NAME = "private_ai.endpoints.bedrock_vpc_endpoint_info"
VPC, SPOKE = "vpc-0a00000000000000a", "vpc-0b00000000000000b"
ROLE = "arn:aws:iam::222222222222:role/network-automation"
APP = {"access_key": "AKIALABAPPLICATION00", "secret_key": "lab-secret-application"}
EVERYTHING = ["network", "endpoints", "dns", "enforcement", "traffic"]
FAST = {"aws": {"timing": {"endpoint_pending": 0.3}}}


def info(**options: Any) -> dict[str, Any]:
    return {NAME: {"region": "us-east-1", "vpc_id": VPC, "assume_role_arn": ROLE, **options}}


def created() -> list[dict[str, Any]]:
    """Endpoints with a zone for the spoke."""
    common = {"region": "us-east-1", "vpc_id": VPC, "assume_role_arn": ROLE}
    subnets = [f"subnet-0a0000000000000{letter}1" for letter in "abc"]
    endpoints = {"services": ["bedrock"], "subnet_ids": subnets, "allowed_cidrs": ["10.10.0.0/16"]}
    return [
        {"private_ai.endpoints.bedrock_vpc_endpoint": {**common, **endpoints}},
        {"private_ai.endpoints.bedrock_private_dns": {**common, "spoke_vpcs": [{"vpc_id": SPOKE}]}},
    ]


@pytest.mark.parametrize("in_process", [True, False], ids=["in process", "ordinary module"])
def test_everything_in_one_document(lab: Any, in_process: bool) -> None:
    outcome = lab.tasks(
        *created(), info(gather=EVERYTHING, target_name="app"), world=FAST, in_process=in_process
    )
    result = outcome.results[-1]
    assert not result.get("failed"), result
    evidence = result["evidence"]
    assert (evidence["target"], evidence["account_id"], evidence["missing"]) == (
        "app",
        "222222222222",
        [],
    )
    assert [item["id"] for item in evidence["subnets"]]
    assert {item["peer_vpc_id"] for item in evidence["peerings"]} == {SPOKE}
    by_service = {item["service"].rpartition(".")[2]: item for item in evidence["endpoints"]}
    assert set(by_service) == {"bedrock", "bedrock-runtime"}
    for item in by_service.values():
        addresses = [
            address for part in item["network_interfaces"] for address in part["addresses"]
        ]
        assert len(addresses) == len(item["subnet_ids"]) and item["private_dns_enabled"]
        assert item["policy"]["Statement"] and item["state"].lower() == "available"
    (group,) = evidence["security_groups"]
    assert [rule["cidr"] for rule in group["rules"] if not rule["egress"]] == ["10.10.0.0/16"]
    names = {zone["name"]: {vpc["id"] for vpc in zone["vpcs"]} for zone in evidence["zones"]}
    assert names["bedrock.us-east-1.amazonaws.com"] == {SPOKE}
    assert all(zone["records"] for zone in evidence["zones"])
    path = evidence["enforcement"]["path"]
    assert [node["type"] for node in path] == ["ROOT", "ORGANIZATIONAL_UNIT", "ACCOUNT"]
    assert path[0]["policies"][0]["content"]["Statement"][0]["Effect"] == "Allow"
    assert evidence["traffic"]["complete"] is True
    assert "lab-secret" not in outcome.output


def test_reading_writes_nothing_and_asks_once(lab: Any) -> None:
    outcome = lab.tasks(info(), world=FAST)
    assert outcome.writes == []
    reads = [name for name in outcome.reads if not name.startswith("sts:")]
    repeated = {"ec2:DescribeVpcAttribute": 2, "ec2:DescribeVpcPeeringConnections": 2}
    # The peer's endpoints and zones are asked for apart.
    repeated |= {"ec2:DescribeVpcEndpoints": 2, "route53:ListHostedZonesByVPC": 2}
    assert {name: reads.count(name) for name in set(reads)} == {
        **dict.fromkeys(
            (
                "ec2:DescribeVpcs",
                "ec2:DescribeSubnets",
                "ec2:DescribeRouteTables",
                "ec2:DescribeNetworkAcls",
                "ec2:DescribeVpcEndpointServices",
            ),
            1,
        ),
        **repeated,
    }


def test_what_is_denied_is_missing_by_name(lab: Any) -> None:
    outcome = lab.tasks(
        info(gather=EVERYTHING, organizations_role_arn=ROLE),
        {NAME: {"region": "us-east-1", "vpc_id": VPC, "gather": EVERYTHING, **APP}},
        world=FAST,
    )
    by_role, by_application = (result["evidence"] for result in outcome.results)
    assert {item["part"] for item in by_role["missing"]} == {"enforcement"}
    assert by_role["missing"][0]["action"] == "organizations:DescribeOrganization"
    assert by_role["enforcement"] is None
    denied = {item["action"] for item in by_application["missing"]}
    assert {
        "ec2:DescribeVpcs",
        "ec2:DescribeVpcEndpoints",
        "route53:ListHostedZonesByVPC",
        "cloudtrail:LookupEvents",
        "organizations:DescribeOrganization",
    } <= denied
    assert by_application["account_id"] == "222222222222"
    assert (by_application["vpc"]["dns_support"], by_application["traffic"]) == (None, None)
    assert any("ec2:DescribeVpcs" in text for text in outcome.results[1]["warnings"])


def test_bad_input_is_one_sentence(lab: Any) -> None:
    wrong = [
        (info(vpc_id="vpc-0123456789abcdef0"), ["vpc-0123456789abcdef0", "InvalidVpcID.NotFound"]),
        (info(secret_key="wrong", access_key="AKIALABAPPLICATION00"), ["credentials"]),
        (info(gather=["traffic"], traffic_days=91), ["traffic_days", "90"]),
        (info(gather=["traffic"], traffic_start="yesterday"), ["traffic_start"]),
        (info(gather=["everything"]), ["gather", "everything"]),
    ]
    outcome = lab.tasks(*(task for task, _ in wrong), world=FAST)
    for result, (_, said) in zip(outcome.results, wrong, strict=True):
        assert result["failed"]
        assert all(word in result["msg"] for word in said), result["msg"]


def test_a_records_limit_makes_them_incomplete(lab: Any) -> None:
    outcome = lab.tasks(info(gather=["traffic"], traffic_max_pages=1), world=FAST)
    assert outcome.results[0]["evidence"]["traffic"]["complete"] is False
    assert outcome.reads.count("cloudtrail:LookupEvents") == 1
