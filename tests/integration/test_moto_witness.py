# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The AWS modules against moto, an AWS simulator that others wrote: a second witness beside the lab.

moto is laxer than AWS (endpoints are available at once, ModifyVpcEndpoint ignores private DNS and address
types), so this proves that the modules speak to a server which shares no line and no mistake with the lab:
they create, find again what they made, change it, and take it away. witness/serve.py says what moto is lent.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
SERVICES = ("bedrock", "bedrock-runtime")
Runner = Callable[..., list[dict[str, Any]]]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A server of one's own, ended with the module."""
    command = [sys.executable, str(HERE / "witness/serve.py")]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        assert server.stdout is not None
        lines = iter(server.stdout.readline, "")
        found = next((line.strip() for line in lines if line.startswith("http://")), "")
        assert found, "moto's server ended before it served"
        try:
            yield found
        finally:
            server.terminate()


def client(url: str, service: str, role: str = "") -> Any:
    """A client of the management account, or of the account whose role is assumed first."""
    keys = {"aws_access_key_id": "witness", "aws_secret_access_key": "witness"}
    if role:
        sts = client(url, "sts")
        given = sts.assume_role(RoleArn=role, RoleSessionName="witness")["Credentials"]
        keys = {
            "aws_access_key_id": given["AccessKeyId"],
            "aws_secret_access_key": given["SecretAccessKey"],
            "aws_session_token": given["SessionToken"],
        }
    return boto3.client(service, region_name="us-east-1", endpoint_url=url, **keys)


@dataclass(frozen=True)
class Place:
    """A workload account of an organisation, and a VPC in it."""

    url: str
    account: str
    role: str
    vpc: str
    subnets: list[str]

    def endpoints(self) -> dict[str, dict[str, Any]]:
        """What moto itself says of the VPC's endpoints, by the service's short name."""
        filters = [{"Name": "vpc-id", "Values": [self.vpc]}]
        found = client(self.url, "ec2", self.role).describe_vpc_endpoints(Filters=filters)
        live = [each for each in found["VpcEndpoints"] if each["State"].lower() == "available"]
        by_name = {each["ServiceName"].rpartition(".")[2]: each for each in live}
        assert len(by_name) == len(live), "two endpoints of one service"
        return by_name

    def options(self, **changes: Any) -> dict[str, Any]:
        return {
            "assume_role_arn": self.role,
            "vpc_id": self.vpc,
            "services": list(SERVICES),
            "subnet_ids": self.subnets,
            "allowed_cidrs": ["10.10.0.0/16"],
            "organization_id": "o-labprivate1",
            "tags": {"team": "one"},
            "wait_timeout": 20,
            **changes,
        }


@pytest.fixture(scope="module")
def place(url: str) -> Place:
    organizations = client(url, "organizations")
    organizations.create_organization(FeatureSet="ALL")
    root = organizations.list_roots()["Roots"][0]["Id"]
    organizations.enable_policy_type(RootId=root, PolicyType="SERVICE_CONTROL_POLICY")
    created = organizations.create_account(Email="app@example.com", AccountName="app")
    account = created["CreateAccountStatus"]["AccountId"]
    role = f"arn:aws:iam::{account}:role/network-automation"
    ec2 = client(url, "ec2", role)
    vpc = ec2.create_vpc(CidrBlock="10.10.0.0/16")["Vpc"]["VpcId"]
    for attribute in ("EnableDnsSupport", "EnableDnsHostnames"):
        ec2.modify_vpc_attribute(VpcId=vpc, **{attribute: {"Value": True}})
    subnets = [
        ec2.create_subnet(
            VpcId=vpc, CidrBlock=f"10.10.{number}.0/24", AvailabilityZone=f"us-east-1{zone}"
        )["Subnet"]["SubnetId"]
        for number, zone in ((1, "a"), (2, "b"))
    ]
    return Place(url, account, role, vpc, subnets)


@pytest.fixture
def run(url: str, tmp_path: Path) -> Runner:
    """run(module, options...): one play with a task for each mapping of options; their results."""

    def play(module: str, *tasks: Mapping[str, Any], check: bool = False) -> list[dict[str, Any]]:
        connection = {
            "region": "us-east-1",
            "endpoint_url": url,
            "access_key": "witness",
            "secret_key": "witness",
        }
        listed = [
            {
                "name": f"Task {n}",
                f"private_ai.endpoints.{module}": {**connection, **each},
                "register": f"r{n}",
            }
            for n, each in enumerate(tasks)
        ]
        results = tmp_path / "results.json"
        names = ", ".join(f"r{n}" for n in range(len(tasks)))
        keep = {"content": "{{ [" + names + "] | to_json }}", "dest": str(results), "mode": "0600"}
        book = {
            "name": "Witness",
            "hosts": "localhost",
            "gather_facts": False,
            "vars": {"ansible_python_interpreter": sys.executable},
            "tasks": [
                *listed,
                {"name": "Keep", "ansible.builtin.copy": keep, "check_mode": False, "diff": False},
            ],
        }
        path = tmp_path / "play.yml"
        path.write_text(yaml.safe_dump([book]))
        done = subprocess.run(
            [str(ROOT / ".venv/bin/ansible-playbook"), *(["--check"] if check else []), str(path)],
            cwd=ROOT,
            env=_environment(tmp_path),
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        found: list[dict[str, Any]] = json.loads(results.read_text())
        return found

    return play


def _environment(folder: Path) -> dict[str, str]:
    """No credentials, profile or proxy of whoever runs the tests."""
    kept = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith("AWS_") and not key.lower().endswith("_proxy")
    }
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    return {
        **kept,
        "ANSIBLE_HOME": str(folder),
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def test_endpoints_are_made_found_again_changed_and_taken_away(place: Place, run: Runner) -> None:
    (predicted,) = run("bedrock_vpc_endpoint", place.options(), check=True)
    assert predicted["changed"]
    assert place.endpoints() == {}

    made, again = run("bedrock_vpc_endpoint", place.options(), place.options())
    assert made["changed"]
    assert not again["changed"]
    seen = place.endpoints()
    assert set(seen) == set(SERVICES)
    for each in seen.values():
        assert set(each["SubnetIds"]) == set(place.subnets)
        assert "o-labprivate1" in each["PolicyDocument"]
        assert {"Key": "team", "Value": "one"} in each["Tags"]
    (group,) = {each["GroupId"] for one in seen.values() for each in one["Groups"]}
    shown = client(place.url, "ec2", place.role).describe_security_groups(GroupIds=[group])[
        "SecurityGroups"
    ][0]
    assert [each["CidrIp"] for one in shown["IpPermissions"] for each in one["IpRanges"]] == [
        "10.10.0.0/16"
    ]

    other = place.options(organization_id="o-another001", tags={"team": "two"})
    changed, settled = run("bedrock_vpc_endpoint", other, other)
    assert changed["changed"]
    assert not settled["changed"]
    seen = place.endpoints()
    assert all("o-another001" in each["PolicyDocument"] for each in seen.values())
    assert all({"Key": "team", "Value": "two"} in each["Tags"] for each in seen.values())

    asked = {"assume_role_arn": place.role, "vpc_id": place.vpc, "gather": ["network", "endpoints"]}
    (info,) = run("bedrock_vpc_endpoint_info", asked)
    known = {
        each["service"].rpartition(".")[2]: each["id"] for each in info["evidence"]["endpoints"]
    }
    assert known == {name: each["VpcEndpointId"] for name, each in seen.items()}

    absent = place.options(state="absent")
    gone, nothing = run("bedrock_vpc_endpoint", absent, absent)
    assert gone["changed"]
    assert not nothing["changed"]
    assert place.endpoints() == {}


def test_a_policy_of_the_organization_is_made_attached_and_taken_away(
    place: Place, run: Runner
) -> None:
    organizations = client(place.url, "organizations")
    run("bedrock_vpc_endpoint", place.options())
    member = {
        "target": "app",
        "region": "us-east-1",
        "vpc_id": place.vpc,
        "assume_role_arn": place.role,
    }
    lock = {
        "targets": [place.account],
        "vpc_endpoint_ids": [each["VpcEndpointId"] for each in place.endpoints().values()],
        "members": [member],
        "require_proof": False,
        "run_id": "witness",
    }

    def attached() -> list[str]:
        listed = organizations.list_policies_for_target(
            TargetId=place.account, Filter="SERVICE_CONTROL_POLICY"
        )
        return [each["Name"] for each in listed["Policies"] if each["Name"] != "FullAWSAccess"]

    locked, again = run("bedrock_lockdown", lock, lock)
    assert locked["changed"]
    assert not again["changed"]
    assert attached() == ["private-ai-endpoints"]
    opened, settled = run(
        "bedrock_lockdown",
        {"state": "unlocked", "targets": [place.account]},
        {"state": "unlocked", "targets": [place.account]},
    )
    assert opened["changed"]
    assert not settled["changed"]
    assert attached() == []
