# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two VPCs in two Regions under one unit: one lock for both, and none while somebody else would be cut off."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from .conftest import Lab
from .story import Chapter, Story

UNIT = "ou-lab1-workload"
ROLE = "arn:aws:iam::222222222222:role/network-automation"
UNLISTED = "vpce-0d0000000000000d1"
AS_APP = {
    "vantage_aws_access_key_id": "AKIALABAPPLICATION00",
    "vantage_aws_secret_access_key": "lab-secret-application",
}


def network(letter: str, region: str, second: int, zone: str) -> dict[str, Any]:
    return {
        "id": f"vpc-0{letter}00000000000000{letter}",
        "account": "222222222222",
        "region": region,
        "cidrs": [f"10.{second}.0.0/16"],
        "dns_hostnames": True,
        "internet_gateway": True,
        "subnets": [
            {"id": f"subnet-0{letter}0000000000000a1", "cidr": f"10.{second}.1.0/24", "zone": zone}
        ],
    }


def place(letter: str, name: str, second: int) -> dict[str, Any]:
    vpc, subnet = f"vpc-0{letter}00000000000000{letter}", f"subnet-0{letter}0000000000000a1"
    return {
        "name": name,
        "address": f"10.{second}.1.10",
        "position": "inside",
        "internet": True,
        "public_address": f"198.51.100.1{second}",
        "network": {"aws": {"vpc": vpc, "subnet": subnet}},
    }


WORLD = {
    "vantages": [place("c", "west-a", 70), place("d", "hidden-a", 80)],
    "aws": {
        "timing": {"endpoint_pending": 0.3, "scp_propagation": 0.3},
        "vpcs": [
            network("c", "us-west-2", 70, "us-west-2a"),
            network("d", "us-east-1", 80, "us-east-1a"),
        ],
        # An endpoint that some other team has, and the inventory lacks.
        "endpoints": [
            {
                "id": UNLISTED,
                "vpc": "vpc-0d00000000000000d",
                "service": "bedrock-runtime",
                "subnets": ["subnet-0d0000000000000a1"],
                "security_groups": ["sg-0d0000000000000d9"],
            }
        ],
        "peerings": [{"id": "pcx-0ab0000000000000b", "$remove": True}],
    },
}
WORLD["aws"]["vpcs"][1]["security_groups"] = [  # type: ignore[index]
    {
        "id": "sg-0d0000000000000d9",
        "name": "endpoints",
        "ingress": [{"protocol": "tcp", "from_port": 443, "to_port": 443, "cidr": "10.80.0.0/16"}],
    }
]

CALL = """
import sys, boto3
keys = dict(aws_access_key_id="AKIALABAPPLICATION00", aws_secret_access_key="lab-secret-application")
client = boto3.client("bedrock-runtime", region_name=sys.argv[1], **keys)
client.converse(modelId="amazon.nova-lite-v1:0", messages=[dict(role="user", content=[dict(text="hello")])])
"""


def target(letter: str, region: str, second: int, vantage: str) -> dict[str, Any]:
    return {
        "bedrock_region": region,
        "bedrock_vpc_id": f"vpc-0{letter}00000000000000{letter}",
        "bedrock_subnet_ids": [f"subnet-0{letter}0000000000000a1"],
        "bedrock_allowed_cidrs": [f"10.{second}.0.0/16"],
        "bedrock_assume_role_arn": ROLE,
        "bedrock_lockdown_targets": [UNIT],
        "bedrock_egress_addresses": ["198.51.100.101", "198.51.100.170"],
        "bedrock_organization_id": "o-labprivate1",
        "bedrock_soak_seconds": 0,
        "vantages": [vantage, "outside"],
    }


def inventory(lab: Lab, name: str, targets: dict[str, Any]) -> Path:
    def at(name: str, position: str) -> dict[str, Any]:
        python = "{{ lookup('ansible.builtin.env', 'LAB_RUN') }}/python-" + name
        return {"vantage_position": position, "ansible_python_interpreter": python}

    hosts = {"app-a": "inside", "west-a": "inside", "outside": "outside"}
    local = {"ansible_connection": "local"}
    here = {**local, "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    document = {
        "bedrock": {"hosts": targets, "vars": here},
        "vantages": {
            "hosts": {host: at(host, position) for host, position in hosts.items()},
            "vars": {**local, **AS_APP},
        },
    }
    path = lab.path(name)
    path.write_text(yaml.safe_dump(document))
    return path


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Chapter]:
    """Every run by its name."""
    told = Story(lab := Lab(tmp_path_factory.mktemp("scopes")))
    east = {"east": target("a", "us-east-1", 10, "app-a")}
    both = inventory(lab, "both.yml", {**east, "west": target("c", "us-west-2", 70, "west-a")})
    alone = inventory(lab, "alone.yml", east)
    lab.path("call.py").write_text(CALL)
    told.do(f"$LAB_RUN/in-hidden-a python {lab.path('call.py')} us-east-1")
    told.do(f"$LAB_RUN/in-app-a python {lab.path('call.py')} us-west-2")
    told.tell("region", alone, "lockdown.yml")
    told.tell("endpoint", both, "lockdown.yml")
    explained = [{"source": "10.80.*", "reason": "moves to an endpoint of this inventory first"}]
    told.tell("locked", both, "lockdown.yml", bedrock_explained_callers=explained)
    told.tell("again", both, "lockdown.yml")
    return told.read(world=WORLD)


def test_a_region_that_the_inventory_lacks_blocks_the_lock(story: dict[str, Chapter]) -> None:
    run = story["region"]
    assert run.code != 0
    assert "us-west-2 has no target in the inventory" in run.failures["east"]
    assert "Converse" in run.failures["east"]
    assert not any("Modify" in name or "organizations" in name for name in run.writes)


def test_an_endpoint_that_the_inventory_lacks_blocks_the_lock(story: dict[str, Chapter]) -> None:
    run = story["endpoint"]
    assert run.code != 0
    assert f"through {UNLISTED}, which the lock would not list" in run.failures["east"]
    assert not any("organizations" in name for name in run.writes)


def test_one_lock_after_all_members_are_proved(story: dict[str, Chapter]) -> None:
    run = story["locked"]
    assert run.code == 0, run.output
    lock = [name for name in run.writes if "organizations" in name]
    assert lock.count("organizations:CreatePolicy") == lock.count("organizations:AttachPolicy") == 1
    (policy,) = [
        step for step in run.report["steps"] if "policy private-ai-endpoints" in step["resource"]
    ]
    assert len(policy["after"]["vpc_endpoint_ids"]) == 4
    for target_report in run.report["targets"]:
        cells = {row["vantage"]: row["outcome"] for row in target_report["matrix"]}
        assert cells.pop("outside") == "denied_scp"
        assert set(cells.values()) == {"admitted"}


def test_what_the_records_still_show_does_not_fail_a_scope_that_is_locked(
    story: dict[str, Chapter],
) -> None:
    run = story["again"]
    assert run.code == 0, run.output
    assert run.writes == []
    assert any(UNLISTED in line for line in run.report["targets"][0]["preview"]["blocking"])
