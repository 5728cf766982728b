# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The writing modules of AWS, as the harness takes them."""

from __future__ import annotations

from typing import Any

from .harness import Act, Subject

APP, SPOKE, FAR = "vpc-0a00000000000000a", "vpc-0b00000000000000b", "vpc-0c00000000000000c"
A, B = "subnet-0a0000000000000a1", "subnet-0a0000000000000b1"
ACCOUNT, OTHER, UNIT = "222222222222", "333333333333", "ou-lab1-sandboxx"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/network-automation"
FAR_ROLE = f"arn:aws:iam::{OTHER}:role/network-automation"
HOST = "bedrock-runtime.us-east-1.amazonaws.com"
MANAGED = {"private-ai-endpoints:managed": "true"}
TIMING = {
    "endpoint_pending": 0.1,
    "endpoint_delete": 0.1,
    "policy_type_pending": 0.1,
    "route53_pending": 0.1,
    "scp_propagation": 0.1,
}
NETWORK = {"region": "us-east-1", "assume_role_arn": ROLE}
NOTHING: dict[str, list[str]] = {"endpoints": [], "groups": [], "zones": [], "lock": []}


def endpoint(name: str, vpc: str, service: str, *subnets: str) -> dict[str, Any]:
    """An endpoint of a world file, ours."""
    return {
        "id": name,
        "vpc": vpc,
        "service": service,
        "subnets": list(subnets),
        "private_dns": False,
        "tags": MANAGED,
    }


CREATE: dict[str, Any] = {
    **NETWORK,
    "vpc_id": APP,
    "services": ["bedrock"],
    "subnet_ids": [A, B],
    "allowed_cidrs": ["10.10.0.0/16"],
    "organization_id": "o-labprivate1",
    "tags": {"team": "x", "old": "z"},
}
CHANGE = {
    **CREATE,
    "allowed_cidrs": ["10.20.0.0/16"],
    "subnet_ids": [B],
    "endpoint_policy": "full",
    "tags": {"team": "y"},
}
ENDPOINTS = Subject(
    module="private_ai.endpoints.bedrock_vpc_endpoint",
    writes=[
        "ec2:CreateSecurityGroup",
        "ec2:AuthorizeSecurityGroupIngress",
        "ec2:RevokeSecurityGroupIngress",
        "ec2:CreateVpcEndpoint",
        "ec2:ModifyVpcEndpoint",
        "ec2:CreateTags",
        "ec2:DeleteTags",
        "ec2:DeleteVpcEndpoints",
        "ec2:DeleteSecurityGroup",
    ],
    acts=[
        Act(
            options=CREATE,
            after={
                "endpoints": [
                    f"{name} available 2 public old=z team=x"
                    for name in ("bedrock", "bedrock-runtime")
                ],
                "groups": ["private-ai-endpoints 10.10.0.0/16"],
            },
        ),
        Act(
            options=CHANGE,
            after={
                "endpoints": [
                    f"{name} available 1 public team=y" for name in ("bedrock", "bedrock-runtime")
                ],
                "groups": ["private-ai-endpoints 10.20.0.0/16"],
            },
        ),
        Act(options={**NETWORK, "vpc_id": APP, "state": "absent"}, after=NOTHING),
    ],
    world={"aws": {"timing": TIMING}},
    cloud="aws",
    meets="ec2:CreateSecurityGroup",
    width=2,
)

IN_ACCOUNT, ACROSS = (
    {"vpc_id": SPOKE},
    {"vpc_id": FAR, "region": "us-west-2", "assume_role_arn": FAR_ROLE},
)
NAMES: dict[str, Any] = {
    **NETWORK,
    "vpc_id": APP,
    "services": ["bedrock-runtime"],
    "spoke_vpcs": [IN_ACCOUNT],
}
DNS = Subject(
    module="private_ai.endpoints.bedrock_private_dns",
    writes=[
        "ec2:ModifyVpcEndpoint",
        "route53:CreateHostedZone",
        "route53:ChangeResourceRecordSets",
        "route53:ChangeTagsForResource",
        "route53:CreateVPCAssociationAuthorization",
        "route53:AssociateVPCWithHostedZone",
        "route53:DeleteVPCAssociationAuthorization",
        "route53:DisassociateVPCFromHostedZone",
        "route53:DeleteHostedZone",
    ],
    acts=[
        Act(
            options=NAMES,
            after={
                "endpoints": ["bedrock-runtime available 2 private"],
                "zones": [f"{HOST} {SPOKE} aliases=1 tags=2 authorisations=0"],
            },
        ),
        Act(
            options={**NAMES, "spoke_vpcs": [IN_ACCOUNT, ACROSS]},
            after={"zones": [f"{HOST} {SPOKE} {FAR} aliases=1 tags=2 authorisations=0"]},
        ),
        Act(
            options={
                **NAMES,
                "spoke_vpcs": [IN_ACCOUNT, ACROSS],
                "state": "restored",
                "undo": {
                    "vpc_id": APP,
                    "private_dns": {},
                    "created": [],
                    "records": [],
                    "associated": [
                        {
                            "zone_id": "{{ result_0.results[-1].zones[0].id }}",
                            "name": HOST,
                            "zone_account": ACCOUNT,
                            "vpc_id": FAR,
                            "region": "us-west-2",
                            "account": OTHER,
                        }
                    ],
                },
            },
            after={"zones": [f"{HOST} {SPOKE} aliases=1 tags=2 authorisations=0"]},
        ),
        Act(
            options={**NAMES, "state": "absent"},
            after={"endpoints": ["bedrock-runtime available 2 public"], "zones": []},
        ),
    ],
    world={
        "aws": {
            "timing": TIMING,
            "endpoints": [endpoint("vpce-0a0000000000000e0", APP, "bedrock-runtime", A, B)],
            "principals": [
                {
                    "arn": "arn:aws:iam::111111111111:user/automation",
                    "policies": [
                        {
                            "Version": "2012-10-17",
                            "Statement": [
                                {
                                    "Effect": "Allow",
                                    "Action": "sts:AssumeRole",
                                    "Resource": [ROLE, FAR_ROLE],
                                }
                            ],
                        }
                    ],
                },
                {
                    "arn": FAR_ROLE,
                    "trusted": ["arn:aws:iam::111111111111:user/automation"],
                    "policies": [
                        {
                            "Version": "2012-10-17",
                            "Statement": [
                                {
                                    "Effect": "Allow",
                                    "Action": ["ec2:*", "route53:*"],
                                    "Resource": "*",
                                }
                            ],
                        }
                    ],
                },
            ],
            "vpcs": [
                {
                    "id": FAR,
                    "account": OTHER,
                    "region": "us-west-2",
                    "cidrs": ["10.30.0.0/16"],
                    "dns_hostnames": True,
                }
            ],
        }
    },
    cloud="aws",
    meets="route53:CreateHostedZone",
)

IDS = ["vpce-0a0000000000000e0", "vpce-0a0000000000000e1"]
LOCK: dict[str, Any] = {
    "region": "us-east-1",
    "targets": [ACCOUNT],
    "vpc_endpoint_ids": IDS,
    "members": [{"target": "app", "vpc_id": APP, **NETWORK}],
    "break_glass_arns": [f"arn:aws:iam::{ACCOUNT}:role/break-glass"],
    "require_proof": False,
    "run_id": "one",
}
OPEN = {"region": "us-east-1", "state": "unlocked"}
MORE = {
    **LOCK,
    "targets": ["ou-lab1-workload"],
    "vpc_endpoint_ids": ["vpce-0b0000000000000e0"],
    "members": [{"target": "spoke", "vpc_id": SPOKE, **NETWORK}],
    "run_id": "two",
}
LOCKDOWN = Subject(
    module="private_ai.endpoints.bedrock_lockdown",
    writes=[
        "organizations:EnablePolicyType",
        "organizations:CreatePolicy",
        "organizations:AttachPolicy",
        "organizations:TagResource",
        "organizations:UpdatePolicy",
        "organizations:UntagResource",
        "organizations:DetachPolicy",
        "organizations:DeletePolicy",
    ],
    acts=[
        Act(options=LOCK, after={"lock": [f"admits bedrock bedrock-runtime at {ACCOUNT} pending"]}),
        Act(
            options={**LOCK, "state": "sealed"},
            after={"lock": [f"admits bedrock bedrock-runtime at {ACCOUNT} sealed"]},
        ),
        Act(
            options=MORE,
            after={
                "lock": [
                    f"admits bedrock bedrock bedrock-runtime at {ACCOUNT} ou-lab1-workload pending"
                ]
            },
        ),
        Act(
            options={**OPEN, "run_id": "two", "vpc_endpoint_ids": MORE["vpc_endpoint_ids"]}
            | {"targets": MORE["targets"]},
            after={"lock": [f"admits bedrock bedrock-runtime at {ACCOUNT} sealed"]},
        ),
        Act(options={**OPEN, "targets": [ACCOUNT]}, after={"lock": []}),
    ],
    world={
        "aws": {
            "timing": TIMING,
            "organization": {"scp": "disabled"},
            "endpoints": [
                endpoint(IDS[0], APP, "bedrock", A),
                endpoint(IDS[1], APP, "bedrock-runtime", A),
                endpoint("vpce-0b0000000000000e0", SPOKE, "bedrock", "subnet-0b0000000000000a1"),
            ],
        }
    },
    cloud="aws",
    meets="organizations:CreatePolicy",
)

SUBJECTS = [ENDPOINTS, DNS, LOCKDOWN]

# A first run of all of them, one after the other, in a world that has nothing yet.
FIRST_RUN: list[dict[str, Any]] = [
    {ENDPOINTS.module: CREATE, "register": "made"},
    {DNS.module: {**NAMES, "services": ["bedrock"]}},
    {
        LOCKDOWN.module: {
            **{key: value for key, value in LOCK.items() if key != "run_id"},
            "vpc_endpoint_ids": "{{ made.endpoints | map(attribute='id') }}",
        },
        "register": "locked",
    },
    {
        LOCKDOWN.module: {
            "region": "us-east-1",
            "state": "sealed",
            "run_id": "{{ locked.run_id }}",
            "targets": [ACCOUNT],
        }
    },
]
AFTER_FIRST_RUN = {
    "endpoints": [
        f"{name} available 2 private old=z team=x" for name in ("bedrock", "bedrock-runtime")
    ],
    "groups": ["private-ai-endpoints 10.10.0.0/16"],
    "zones": [
        f"{host}.us-east-1.amazonaws.com {SPOKE} aliases=1 tags=2 authorisations=0"
        for host in ("bedrock-runtime", "bedrock")
    ],
    "lock": [f"admits bedrock bedrock-runtime at {ACCOUNT} sealed"],
}
