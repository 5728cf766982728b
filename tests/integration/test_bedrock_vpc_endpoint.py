# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""bedrock_vpc_endpoint in the lab: prediction, drift in each attribute, adoption, deletion."""

from __future__ import annotations

import itertools
import textwrap
from typing import Any

NAME = "private_ai.endpoints.bedrock_vpc_endpoint"
VPC = "vpc-0a00000000000000a"
A, B, C = "subnet-0a0000000000000a1", "subnet-0a0000000000000b1", "subnet-0a0000000000000c1"
APPLICATION_GROUP = "sg-0a0000000000000a9"
RUNTIME = "com.amazonaws.us-east-1.bedrock-runtime"
WANTED: dict[str, Any] = {
    "region": "us-east-1",
    "assume_role_arn": "arn:aws:iam::222222222222:role/network-automation",
    "vpc_id": VPC,
    "services": ["bedrock"],
    "subnet_ids": [A, B, C],
    "allowed_cidrs": ["10.10.0.0/16", "10.20.0.0/16"],
    "organization_id": "o-labprivate1",
}
# Endpoints of the application VPC have IPv6 here, and pending is short.
FAST = {"timing": {"endpoint_pending": 0.4, "endpoint_delete": 0.3}}
IPV6 = {
    "aws": {
        **FAST,
        "vpcs": [
            {
                "id": VPC,
                "ipv6_cidrs": ["fd00:10::/56"],
                "subnets": [
                    {"id": A, "ipv6_cidrs": ["fd00:10:0:1::/64"]},
                    {"id": B, "ipv6_cidrs": ["fd00:10:0:2::/64"]},
                    {"id": C, "ipv6_cidrs": ["fd00:10:0:3::/64"]},
                ],
            }
        ],
    }
}


def module(**options: Any) -> dict[str, Any]:
    given = {**WANTED, **options}
    return {NAME: {name: value for name, value in given.items() if value is not None}}


def behind_its_back(code: str) -> dict[str, Any]:
    """Python in the hands of the account's administrator: `ec2`, and the runtime endpoint and managed group."""
    prelude = f"""
    import boto3, time
    ec2 = boto3.client("ec2", region_name="us-east-1")
    vpc = [dict(Name="vpc-id", Values=["{VPC}"])]
    runtime = vpc + [dict(Name="service-name", Values=["{RUNTIME}"])]
    endpoint = [e["VpcEndpointId"] for e in ec2.describe_vpc_endpoints(Filters=runtime)["VpcEndpoints"]]
    name = vpc + [dict(Name="group-name", Values=["private-ai-endpoints"])]
    group = [g["GroupId"] for g in ec2.describe_security_groups(Filters=name)["SecurityGroups"]]
    """
    return {
        "ansible.builtin.command": {
            "argv": [
                "{{ ansible_playbook_python }}",
                "-c",
                textwrap.dedent(prelude) + textwrap.dedent(code),
            ]
        },
        "environment": {
            "AWS_ACCESS_KEY_ID": "AKIALABAPPADMIN00000",
            "AWS_SECRET_ACCESS_KEY": "lab-secret-app-admin",
        },
    }


def marker() -> dict[str, Any]:
    """A read that the module never makes, to find one's way in the journal."""
    return behind_its_back("ec2.describe_tags()")


def between_markers(journal: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    parts: list[list[dict[str, Any]]] = [[]]
    for entry in journal:
        if entry["operation"] == "ec2:DescribeTags":
            parts.append([])
        elif entry["principal"].endswith("private-ai-endpoints") or "automation" in str(
            entry["principal"]
        ):
            parts[-1].append(entry)
    return parts


def succeeded(outcome: Any) -> list[dict[str, Any]]:
    """The results, none of which is a failure: a failed task has not changed anything either."""
    failed = [item for item in outcome.results if item.get("failed")]
    assert not failed, failed
    results: list[dict[str, Any]] = outcome.results
    return results


def shape(steps: list[dict[str, Any]]) -> set[tuple[str, str, str]]:
    return {(s["resource"], s["action"], name) for s in steps for name in (*s["after"], "")}


def test_check_mode_predicts_and_a_second_run_reads_little(lab: Any) -> None:
    outcome = lab.tasks(
        {**module(), "check_mode": True, "diff": True},
        marker(),
        {**module(), "diff": True},
        marker(),
        module(),
        world={"aws": FAST},
    )
    predicted, _, made, _, again = succeeded(outcome)
    checking, making, repeating = between_markers(outcome.journal)
    assert [entry for entry in checking if entry["write"]] == []
    assert [entry for entry in making if entry["write"]] != []
    assert predicted["changed"] and made["changed"] and not again["changed"]
    assert shape(predicted["steps"]) == shape(made["steps"])
    assert again["steps"] == []
    assert predicted["probe_targets"] == []
    assert predicted["endpoints"][0]["id"] == "(known after apply)"
    assert "(known after apply)" in predicted["diff"]["after"]
    assert made["diff"]["before"] == "" and "tcp 443 from 10.10.0.0/16" in made["diff"]["after"]
    assert made["subnets_left_out"] == {"bedrock-runtime": [C]}
    assert any("us-east-1c" in text for text in made["warnings"])
    hosts = {item["host"]: item for item in made["probe_targets"]}
    assert set(hosts) == {
        "bedrock.us-east-1.amazonaws.com",
        "bedrock-runtime.us-east-1.amazonaws.com",
    }
    assert len(hosts["bedrock.us-east-1.amazonaws.com"]["addresses"]) == 3
    assert made["probe_targets"] == again["probe_targets"]
    assert made["endpoints"] == again["endpoints"]
    assert {item["state"] for item in made["endpoints"]} == {"available"}
    assert {item["private_dns_enabled"] for item in made["endpoints"]} == {False}
    reads = [e for e in repeating if e["operation"].startswith("ec2:")]
    assert 0 < len(reads) <= 6
    assert not [entry for entry in repeating if entry["write"]]


def test_a_run_without_changes_takes_two_round_trips(lab: Any) -> None:
    slow = [{"match": {"operation": "ec2:Describe*"}, "kind": "delay", "seconds": 0.5}]
    world = {
        "aws": {
            **FAST,
            "endpoints": [
                {
                    "id": "vpce-0a000000000000001",
                    "vpc": VPC,
                    "service": "bedrock-runtime",
                    "subnets": [A, B],
                    "security_groups": [APPLICATION_GROUP],
                    "private_dns": True,
                }
            ],
        }
    }
    options = {
        "services": [RUNTIME],
        "allowed_cidrs": None,
        "security_group_ids": [APPLICATION_GROUP],
        "endpoint_policy": "full",
        "private_dns": "enabled",
    }
    outcome = lab.tasks(module(**options), world=world, faults=slow)
    (result,) = succeeded(outcome)
    assert not result["changed"], result
    # Delayed answers of one round trip come close together, those of the next half a second later.
    answers = sorted(e["time"] for e in outcome.journal if e["operation"].startswith("ec2:"))
    assert 4 <= len(answers) <= 6
    seconds = [float(text[17:26]) for text in answers]
    rounds = 1 + sum((later - earlier) % 60 > 0.3 for earlier, later in itertools.pairwise(seconds))
    assert rounds <= 2


DRIFTS = {
    "policy": "ec2.modify_vpc_endpoint(VpcEndpointId=endpoint[0], ResetPolicy=True)",
    "subnet_ids": f"ec2.modify_vpc_endpoint(VpcEndpointId=endpoint[0], RemoveSubnetIds=['{B}'])",
    "security_group_ids": "ec2.modify_vpc_endpoint(VpcEndpointId=endpoint[0], AddSecurityGroupIds="
    f"['{APPLICATION_GROUP}'], RemoveSecurityGroupIds=group)",
    "private_dns_enabled": "ec2.modify_vpc_endpoint(VpcEndpointId=endpoint[0], PrivateDnsEnabled=True)",
    "tags": "ec2.create_tags(Resources=endpoint, Tags=[dict(Key='team', Value='x'), dict(Key='y', Value='')])",
    "ip_address_type": "ec2.modify_vpc_endpoint(VpcEndpointId=endpoint[0], IpAddressType='dualstack')",
    "ingress": """
        rule = lambda cidr: [dict(IpProtocol='tcp', FromPort=443, ToPort=443, IpRanges=[dict(CidrIp=cidr)])]
        ec2.authorize_security_group_ingress(GroupId=group[0], IpPermissions=rule('0.0.0.0/0'))
        ec2.revoke_security_group_ingress(GroupId=group[0], IpPermissions=rule('10.20.0.0/16'))
    """,
}


def test_drift_in_each_attribute_is_found_and_repaired(lab: Any) -> None:
    wanted = {"private_dns": "disabled", "ip_address_type": "ipv4", "tags": {"team": "platform"}}
    tasks = [module(**wanted)]
    for code in DRIFTS.values():
        tasks += [
            behind_its_back(code),
            {**module(**wanted), "check_mode": True, "diff": True},
            {**module(**wanted), "diff": True},
            module(**wanted),
        ]
    outcome = lab.tasks(*tasks, world=IPV6)
    results = iter(succeeded(outcome))
    first = next(results)
    assert first["changed"], first
    for attribute in DRIFTS:
        drifted, predicted, repaired, again = (next(results) for _ in range(4))
        assert drifted["rc"] == 0, (attribute, drifted)
        assert predicted["changed"], attribute
        assert repaired["changed"], attribute
        assert not again["changed"], (attribute, again)
        assert shape(predicted["steps"]) == shape(repaired["steps"]), attribute
        assert predicted["diff"] == repaired["diff"], attribute
        (step,) = repaired["steps"]
        assert step["action"] == "update"
        also = {"dns_record_ip_type"} if attribute == "ip_address_type" else set()
        assert set(step["after"]) == {attribute} | also
        assert again["endpoints"][1]["tags"]["team"] == "platform"
    endpoints = {item["short_name"]: item for item in outcome.results[-1]["endpoints"]}
    assert endpoints["bedrock-runtime"]["subnet_ids"] == [A, B]
    assert endpoints["bedrock-runtime"]["id"] == first["endpoints"][1]["id"]


def test_dual_stack_and_another_subnet_of_the_same_zone(lab: Any) -> None:
    other = "subnet-0a0000000000000a2"
    world = {
        "aws": {
            **FAST,
            "vpcs": [
                {
                    "id": VPC,
                    "ipv6_cidrs": ["fd00:10::/56"],
                    "subnets": [
                        {
                            "id": other,
                            "cidr": "10.10.9.0/24",
                            "zone": "us-east-1a",
                            "ipv6_cidrs": ["fd00:10:0:9::/64"],
                            "tags": {"tier": "endpoints"},
                        }
                    ],
                }
            ],
        }
    }
    outcome = lab.tasks(
        module(services=[RUNTIME], subnet_ids=[A]),
        module(services=[RUNTIME], subnet_ids=[other], ip_address_type="dualstack"),
        module(
            services=[RUNTIME],
            subnet_ids=None,
            subnet_filters={"tag:tier": "endpoints"},
            ip_address_type="dualstack",
        ),
        module(services=[RUNTIME], subnet_ids=[A], ip_address_type="ipv4"),
        module(services=[RUNTIME], subnet_ids=[A], ip_address_type="ipv4"),
        world=world,
    )
    first, swapped, filtered, back, again = succeeded(outcome)
    assert first["changed"], first
    (endpoint,) = swapped["endpoints"]
    assert endpoint["id"] == first["endpoints"][0]["id"]
    assert (endpoint["subnet_ids"], endpoint["ip_address_type"]) == ([other], "dualstack")
    assert len(endpoint["ipv6_addresses"]) == 1
    assert len(swapped["probe_targets"][0]["addresses"]) == 2
    assert not filtered["changed"], filtered
    assert back["endpoints"][0]["subnet_ids"] == [A]
    assert not again["changed"], again


def test_what_exists_is_adopted_and_not_deleted(lab: Any) -> None:
    world = {
        "aws": {
            **FAST,
            "endpoints": [
                {
                    "id": "vpce-0a000000000000001",
                    "vpc": VPC,
                    "service": "bedrock-runtime",
                    "subnets": [A],
                    "security_groups": [APPLICATION_GROUP],
                    "private_dns": True,
                    "tags": {"owner": "somebody"},
                }
            ],
        }
    }
    bare = {"subnet_ids": None, "allowed_cidrs": None, "services": [RUNTIME]}
    outcome = lab.tasks(
        module(**bare, endpoint_policy="keep"),
        module(),
        module(),
        module(state="absent", services=None),
        module(state="absent"),
        module(state="absent", force=True),
        module(state="absent", force=True),
        world=world,
    )
    kept, adopted, again, gone, refused, forced, nothing = succeeded(outcome)
    assert not kept["changed"], kept
    assert adopted["changed"] and not again["changed"]
    endpoint = adopted["endpoints"][1]
    assert endpoint["id"] == "vpce-0a000000000000001"
    assert endpoint["tags"] == {"owner": "somebody"}
    assert endpoint["private_dns_enabled"]
    assert endpoint["subnet_ids"] == [A, B]
    assert any("not created by this collection" in text for text in adopted["warnings"])
    # Its group stays, too: the adopted endpoint wears it.
    assert [step["resource"] for step in gone["steps"]] == [f"{VPC}/bedrock"]
    assert not refused["changed"]
    assert any("force: true" in text for text in refused["warnings"])
    assert {step["resource"] for step in forced["steps"]} == {
        f"{VPC}/bedrock-runtime",
        f"{VPC}/security-group/private-ai-endpoints",
    }
    assert not nothing["changed"] and nothing["endpoints"] == []


def test_many_endpoints_wait_as_long_as_the_slowest(lab: Any) -> None:
    outcome = lab.tasks(
        module(services=["bedrock_all", "sagemaker"]),
        world={
            "aws": {
                "timing": {"endpoint_pending": 2.0},
                "regions": {"us-east-1": {"services": {"bedrock-mantle": {"offered": False}}}},
            }
        },
    )
    (made,) = succeeded(outcome)
    assert made["services_not_offered"] == ["bedrock-mantle"]
    assert len(made["endpoints"]) == 11, made
    times = [e["time"] for e in outcome.journal if e["operation"] == "ec2:CreateVpcEndpoint"]
    last = outcome.journal[-1]["time"]
    seconds = (float(last[17:26]) - float(min(times)[17:26])) % 60
    assert seconds < 4.5
