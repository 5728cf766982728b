# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""AWS over the lab's real network: the control plane changes, and names, packets and answers follow."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

CHECKOUT = Path(__file__).resolve().parents[3]
ENDPOINT = "vpce-0a0000000000000e1"

# What a vantage sees of Bedrock: the addresses of its name, and the answer at its name or at an address.
LOOK = """
import json, socket, sys, boto3
from botocore.config import Config
if len(sys.argv) > 1:
    real = socket.getaddrinfo
    socket.getaddrinfo = lambda host, *rest, **more: real(sys.argv[1], *rest, **more)
config = Config(connect_timeout=0.7, read_timeout=5, retries={"total_max_attempts": 1})
client = boto3.client("bedrock", config=config)
found = socket.getaddrinfo("bedrock.us-east-1.amazonaws.com", 443, type=socket.SOCK_STREAM)
try:
    client.list_foundation_models()
    answer = "admitted"
except Exception as error:
    answer = getattr(error, "response", {}).get("Error", {}).get("Message") or type(error).__name__
print(json.dumps({"addresses": sorted(each[4][0] for each in found), "answer": answer}))
"""

# The story: who sees what at the start, by a zone for the spoke, and once the group is shut.
STORY = """
import json, os, subprocess, sys, time, boto3
def look(vantage, *address):
    command = [f"{os.environ['LAB_RUN']}/in-{vantage}", sys.executable, sys.argv[1], *address]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
session = boto3.client("sts").assume_role(
    RoleArn="arn:aws:iam::222222222222:role/network-automation", RoleSessionName="story"
)["Credentials"]
keys = dict(
    aws_access_key_id=session["AccessKeyId"],
    aws_secret_access_key=session["SecretAccessKey"],
    aws_session_token=session["SessionToken"],
)
ec2, dns = boto3.client("ec2", **keys), boto3.client("route53", **keys)
endpoint = ec2.describe_vpc_endpoints(VpcEndpointIds=[sys.argv[2]])["VpcEndpoints"][0]
cards = ec2.describe_network_interfaces(NetworkInterfaceIds=endpoint["NetworkInterfaceIds"])
private = sorted(each["PrivateIpAddress"] for each in cards["NetworkInterfaces"])
seen = {"private": private}
seen["start"] = {each: look(each) for each in ("app-a", "spoke-a", "outside")}
seen["pinned"] = {"spoke-a": look("spoke-a", private[0]), "outside": look("outside", private[0])}
host = "bedrock.us-east-1.amazonaws.com"
spoke = {"VPCRegion": "us-east-1", "VPCId": "vpc-0b00000000000000b"}
zone = dns.create_hosted_zone(Name=host, VPC=spoke, CallerReference="story")["HostedZone"]["Id"]
name = endpoint["DnsEntries"][0]
alias = {"HostedZoneId": name["HostedZoneId"], "DNSName": name["DnsName"], "EvaluateTargetHealth": False}
record = {"Name": host, "Type": "A", "AliasTarget": alias}
change = dns.change_resource_record_sets(
    HostedZoneId=zone, ChangeBatch={"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]}
)["ChangeInfo"]["Id"]
while dns.get_change(Id=change)["ChangeInfo"]["Status"] != "INSYNC":
    time.sleep(0.1)
seen["zone"] = look("spoke-a")
ec2.revoke_security_group_ingress(
    GroupId="sg-0a0000000000000e1",
    IpPermissions=[{
        "IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]
    }],
)
seen["shut"] = look("app-a")
print(json.dumps(seen))
"""


def lock() -> dict[str, Any]:
    condition = {
        "StringNotEqualsIfExists": {"aws:SourceVpce": [ENDPOINT]},
        "BoolIfExists": {"aws:ViaAWSService": "false"},
    }
    statement = {"Effect": "Deny", "Action": "bedrock:*", "Resource": "*", "Condition": condition}
    return {"Version": "2012-10-17", "Statement": [statement]}


@pytest.fixture
def world(tmp_path: Path) -> Path:
    """The default world with an endpoint for Bedrock and a lock on the application's account."""
    text = (CHECKOUT / "tests/lab/worlds/default.yml").read_text(encoding="utf-8")
    made = yaml.safe_load(text)
    aws = made["aws"]
    ingress = [{"protocol": "tcp", "from_port": 443, "to_port": 443, "cidr": "10.0.0.0/8"}]
    group = {"id": "sg-0a0000000000000e1", "name": "endpoints", "ingress": ingress}
    aws["vpcs"][0]["security_groups"].append(group)
    aws["endpoints"] = [
        {
            "id": ENDPOINT,
            "vpc": aws["vpcs"][0]["id"],
            "service": "bedrock",
            "subnets": ["subnet-0a0000000000000a1", "subnet-0a0000000000000b1"],
            "security_groups": [group["id"]],
        }
    ]
    policy = {"id": "p-lablock01", "name": "lock", "content": lock(), "targets": ["222222222222"]}
    aws["organization"]["policies"] = [policy]
    path = tmp_path / "world.yml"
    path.write_text(yaml.safe_dump(made), encoding="utf-8")
    return path


def test_names_packets_and_answers_follow_the_control_plane(
    world: Path, tmp_path: Path, lab_run: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    look, story = tmp_path / "look.py", tmp_path / "story.py"
    look.write_text(LOOK, encoding="utf-8")
    story.write_text(STORY, encoding="utf-8")
    done = lab_run("--world", str(world), "--", sys.executable, str(story), str(look), ENDPOINT)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    refusal = "with an explicit deny in a service control policy"
    assert seen["start"]["app-a"] == {"addresses": seen["private"], "answer": "admitted"}
    for vantage in ("spoke-a", "outside"):
        assert all(each.startswith("203.0.113.") for each in seen["start"][vantage]["addresses"])
        assert refusal in seen["start"][vantage]["answer"]
    assert seen["pinned"]["spoke-a"]["answer"] == "admitted"
    assert seen["pinned"]["outside"]["answer"] == "ConnectTimeoutError"
    assert seen["zone"] == seen["start"]["app-a"]
    assert seen["shut"]["answer"] == "ConnectTimeoutError"
