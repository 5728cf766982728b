# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bad input to bedrock_vpc_endpoint: one clear sentence with the option, AWS's code and the fix, before any write."""

from __future__ import annotations

import json
from typing import Any

NAME = "private_ai.endpoints.bedrock_vpc_endpoint"
VPC = "vpc-0a00000000000000a"
A, B, C = "subnet-0a0000000000000a1", "subnet-0a0000000000000b1", "subnet-0a0000000000000c1"
SPOKE = "subnet-0b0000000000000a1"
SAME_ZONE = "subnet-0a0000000000000a2"
RUNTIME = "com.amazonaws.us-east-1.bedrock-runtime"
GOOD: dict[str, Any] = {
    "region": "us-east-1",
    "assume_role_arn": "arn:aws:iam::222222222222:role/network-automation",
    "vpc_id": VPC,
    "services": ["bedrock"],
    "subnet_ids": [A, B],
    "allowed_cidrs": ["10.10.0.0/16"],
    "organization_id": "o-labprivate1",
}
READER = "arn:aws:iam::222222222222:role/reader"
WORLD = {
    "aws": {
        "principals": [
            {
                "arn": READER,
                "trusted": ["arn:aws:iam::111111111111:user/automation"],
                "policies": [
                    {
                        "Version": "2012-10-17",
                        "Statement": [
                            {"Effect": "Allow", "Action": "ec2:Describe*", "Resource": "*"}
                        ],
                    }
                ],
            },
            {
                "arn": "arn:aws:iam::111111111111:user/automation",
                "policies": [
                    {
                        "Version": "2012-10-17",
                        "Statement": [
                            {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}
                        ],
                    }
                ],
            },
        ],
        "regions": {
            "us-east-1": {
                "services": {
                    "bedrock-mantle": {"offered": False},
                    "sagemaker.metrics": {"policy_supported": False},
                }
            }
        },
        "vpcs": [
            {
                "id": VPC,
                "subnets": [{"id": SAME_ZONE, "cidr": "10.10.9.0/24", "zone": "us-east-1a"}],
                "security_groups": [
                    {"id": "sg-0a000000000000077", "name": "taken", "description": "not ours"}
                ],
            },
            {"id": "vpc-0b00000000000000b", "dns_hostnames": False},
        ],
        "endpoints": [
            {
                "id": "vpce-0a000000000000009",
                "vpc": VPC,
                "service": "bedrock-agent",
                "subnets": [A],
                "state": "failed",
            }
        ],
    }
}
KEYS = {"access_key": "AKIALABAUTOMATION000", "secret_key": "wrong"}
# What is wrong → the options that differ, and what the sentence must say.
CASES: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "no such VPC": (
        {"vpc_id": "vpc-0000000000000dead"},
        ("vpc-0000000000000dead does not exist in us-east-1", "InvalidVpcID.NotFound"),
    ),
    "no such subnet": (
        {"subnet_ids": [A, "subnet-0000000000000dead"]},
        ("subnet_ids: subnet-0000000000000dead does not exist", "InvalidSubnetId.NotFound"),
    ),
    "a subnet of another VPC": (
        {"subnet_ids": [A, SPOKE]},
        (f"{SPOKE} lies in vpc-0b00000000000000b, not in {VPC}",),
    ),
    "two subnets in one zone": (
        {"subnet_ids": [A, SAME_ZONE]},
        (f"{A} and {SAME_ZONE} both lie in us-east-1a", "DuplicateSubnetsInSameZone"),
    ),
    "filters that find nothing": (
        {"subnet_ids": None, "subnet_filters": {"tag:tier": "none"}},
        ("subnet_filters: no subnet",),
    ),
    "no zone with the service": (
        {"services": [RUNTIME], "subnet_ids": [C]},
        ("bedrock-runtime: none of the subnets", "us-east-1a, us-east-1b"),
    ),
    "a service that the Region lacks": (
        {"services": ["bedrock", "bedrock-mantle"]},
        ("com.amazonaws.us-east-1.bedrock-mantle is not offered", "InvalidServiceName"),
    ),
    "a word that is no service": ({"services": ["bedrok"]}, ("services: 'bedrok' is neither",)),
    "a policy that is not JSON": (
        {"endpoint_policy": "custom", "policy": "{nonsense"},
        ("policy: is not JSON",),
    ),
    "a policy that EC2 would refuse": (
        {
            "endpoint_policy": "custom",
            "policy": {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}},
        },
        ("policy: statement 1 needs one of Principal and NotPrincipal",),
    ),
    "a service without policies": (
        {
            "services": ["sagemaker.metrics"],
            "endpoint_policy": "custom",
            "policy": {
                "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}]
            },
        },
        ("only supports the full-access endpoint policy",),
    ),
    "a source that is no network": (
        {"allowed_cidrs": ["10.0.0.0/33"], "allowed_security_groups": ["sg"]},
        ("allowed_cidrs: '10.0.0.0/33'", "allowed_security_groups: 'sg'"),
    ),
    "a group that does not exist": (
        {"allowed_cidrs": None, "security_group_ids": ["sg-0000000000000dead"]},
        ("security_group_ids: sg-0000000000000dead does not exist", "InvalidGroup.NotFound"),
    ),
    "a group of another VPC": (
        {"allowed_cidrs": None, "security_group_ids": ["sg-0b00000000000000d"]},
        ("sg-0b00000000000000d lies in vpc-0b00000000000000b",),
    ),
    "a group name that somebody else uses": (
        {"security_group_name": "taken"},
        ("security_group_name: sg-0a000000000000077", "InvalidGroup.Duplicate"),
    ),
    "no subnets and no group for a new endpoint": (
        {"subnet_ids": None, "allowed_cidrs": None},
        ("Set subnet_ids or subnet_filters", "Set allowed_cidrs"),
    ),
    "an address type that the subnets lack": (
        {"ip_address_type": "dualstack"},
        (f"ip_address_type: {A} has no IPv6 range",),
    ),
    "private DNS where the VPC has none": (
        {"vpc_id": "vpc-0b00000000000000b", "subnet_ids": [SPOKE], "private_dns": "enabled"},
        ("private_dns: enableDnsHostnames of vpc-0b00000000000000b is off",),
    ),
    "an endpoint that failed": (
        {"services": ["bedrock-agent"]},
        ("vpce-0a000000000000009 (bedrock-agent): is failed", "state: absent"),
    ),
    "all problems at once": (
        {
            "services": ["bedrock", "bedrock-mantle"],
            "subnet_ids": [A, SPOKE, SAME_ZONE],
            "security_group_name": "taken",
        },
        (
            "InvalidSubnetId.NotFound",
            "DuplicateSubnets",
            "InvalidServiceName",
            "sg-0a000000000000077",
        ),
    ),
    "a permission to read that is denied": (
        {
            "assume_role_arn": None,
            "access_key": "AKIALABAPPLICATION00",
            "secret_key": "lab-secret-application",
        },
        ("permission denied for ec2:DescribeVpcEndpoints", "UnauthorizedOperation"),
    ),
    "permissions to write that are denied": (
        {"assume_role_arn": READER},
        ("denied for ec2:CreateSecurityGroup", "denied for ec2:CreateVpcEndpoint"),
    ),
    "a role that may not be assumed": (
        {"assume_role_arn": "arn:aws:iam::222222222222:role/break-glass"},
        ("permission denied for sts:AssumeRole", "AccessDenied"),
    ),
    "keys that are wrong": (KEYS, ("AWS does not accept the credentials", "SignatureDoesNotMatch")),
    "an unknown profile": ({"profile": "nobody"}, ("profile: ", "nobody", "ProfileNotFound")),
    "half a pair of keys": ({"access_key": "AKIA"}, ("secret_key: ", "one of them is missing")),
    "a Region that does not exist": (
        {"region": "us-nowhere-7"},
        ("region: us-nowhere-7 is no Region", "EndpointConnectionError"),
    ),
}


# Cases that need other variables than the controller's.
ENVIRONMENTS: dict[str, tuple[dict[str, str], dict[str, Any], tuple[str, ...]]] = {
    "no credentials": (
        {
            "AWS_ACCESS_KEY_ID": "",
            "AWS_SECRET_ACCESS_KEY": "",
            "AWS_EC2_METADATA_DISABLED": "true",
        },
        {},
        ("no AWS credentials were found", "Set AWS_ACCESS_KEY_ID"),
    ),
    "an authority that did not sign": (
        {"AWS_CA_BUNDLE": "/etc/ssl/certs/ca-certificates.crt"},
        {},
        ("TLS to AWS failed", "aws_ca_bundle"),
    ),
    "no Region": (
        {"AWS_REGION": "", "AWS_DEFAULT_REGION": ""},
        {"region": None},
        ("region: no AWS Region is set",),
    ),
}


def module(options: dict[str, Any]) -> dict[str, Any]:
    given = {**GOOD, **options}
    return {NAME: {name: value for name, value in given.items() if value is not None}}


def test_bad_input_is_one_sentence_and_no_write(lab: Any) -> None:
    cases: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
        **{name: (module(options), words) for name, (options, words) in CASES.items()},
        **{
            name: ({**module(options), "environment": variables}, words)
            for name, (variables, options, words) in ENVIRONMENTS.items()
        },
    }
    # None of them writes, so that one lab does for all.
    outcome = lab.tasks(*(task for task, _ in cases.values()), world=WORLD)
    assert outcome.writes == []
    wrong = {}
    for (name, (_, words)), result in zip(cases.items(), outcome.results, strict=True):
        message = result.get("msg", "")
        if not result.get("failed") or "Traceback" in json.dumps(result):
            wrong[name] = result
        elif not all(word in message for word in words):
            wrong[name] = {"msg": message, "wanted": words}
    assert not wrong, json.dumps(wrong, indent=1)


def test_expired_credentials(lab: Any) -> None:
    code = (
        "import boto3, json, time; c = boto3.client('sts').assume_role(RoleSessionName='late', "
        f"RoleArn='{GOOD['assume_role_arn']}')['Credentials']; time.sleep(1.5); "
        "print(json.dumps({k: str(v) for k, v in c.items()}))"
    )
    keys = {
        "access_key": "{{ (result_0.stdout | from_json).AccessKeyId }}",
        "secret_key": "{{ (result_0.stdout | from_json).SecretAccessKey }}",
        "session_token": "{{ (result_0.stdout | from_json).SessionToken }}",
        "assume_role_arn": None,
    }
    outcome = lab.tasks(
        {"ansible.builtin.command": {"argv": ["{{ ansible_playbook_python }}", "-c", code]}},
        module(keys),
        world={"aws": {"timing": {"session": 1.0}}},
    )
    message = outcome.results[1]["msg"]
    assert "credentials have expired" in message and "RequestExpired" in message, message
    assert "Get new credentials" in message
    assert outcome.results[0]["stdout"].count('"') and "SecretAccessKey" not in message
