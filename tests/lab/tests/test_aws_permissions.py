# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the control planes ask a caller for besides the action: dependent actions, resources, condition keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from lab.aws import Aws, sample
from lab.aws.iam_request import normalised
from lab.aws.records import Caller, Entity
from lab.aws.sample import INSIDE, SPOKE, SUBNET_A, VPC

GROUP = {"GroupName": "x", "Description": "y", "VpcId": VPC}
OURS = [{"Key": "ours", "Value": "true"}]
TAGS = {"TagSpecifications": [{"ResourceType": "security-group", "Tags": OURS}]}
ENDPOINT = {
    "VpcEndpointType": "Interface",
    "VpcId": VPC,
    "ServiceName": "com.amazonaws.us-east-1.bedrock-runtime",
    "SubnetIds": [SUBNET_A],
    "SecurityGroupIds": [sample.ENDPOINT_GROUP],
}
DEPENDENTS = [
    "ec2:DescribeVpcs",
    "ec2:DescribeSubnets",
    "ec2:DescribeSecurityGroups",
    "route53:AssociateVPCWithHostedZone",
]


@pytest.fixture
def aws() -> Aws:
    return Aws(sample.state(sample.Clock()))


def statement(*actions: str, **parts: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": "*", **parts}


def caller(aws: Aws, *statements: dict[str, Any], account: str = "222222222222") -> Any:
    """A maker of clients for a user with these statements."""
    arn = f"arn:aws:iam::{account}:user/limited"
    policy = {"Version": "2012-10-17", "Statement": list(statements)}
    entity = Entity(arn, account, "AIDALIMITED", (policy,))
    made = Caller(arn, account, "AIDALIMITED", entity, "AKIALIMITED000000000", "limited")
    aws.state.entities[arn] = entity
    aws.state.callers[made.access_key] = made
    return lambda service: sample.client(
        aws, service, INSIDE, access_key=made.access_key, secret_key=made.secret_key
    )


def lacks(action: str, call: Callable[..., Any], **arguments: Any) -> None:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    assert f"not authorized to perform: {action}" in caught.value.response["Error"]["Message"]


@pytest.mark.parametrize("missing", DEPENDENTS)
def test_an_endpoint_needs_its_dependent_actions(aws: Aws, missing: str) -> None:
    rest = [each for each in DEPENDENTS if each != missing]
    ec2 = caller(aws, statement("ec2:CreateVpcEndpoint", *rest))("ec2")
    before = len(aws.state.endpoints)
    lacks(missing, ec2.create_vpc_endpoint, **ENDPOINT)
    lacks(missing, ec2.create_vpc_endpoint, **ENDPOINT, DryRun=True)
    assert len(aws.state.endpoints) == before


def test_only_private_dns_needs_the_zone(aws: Aws) -> None:
    ec2 = caller(aws, statement("ec2:CreateVpcEndpoint", *DEPENDENTS[:3]))("ec2")
    assert ec2.create_vpc_endpoint(**ENDPOINT, PrivateDnsEnabled=False)["VpcEndpoint"]


@pytest.mark.parametrize(
    ("action", "arguments"),
    [
        ("CreateHostedZone", {"Name": "a.example", "CallerReference": "1"}),
        ("ListHostedZonesByVPC", None),
    ],
)
def test_route53_wants_to_know_whether_the_vpc_may_be_seen(
    aws: Aws, action: str, arguments: dict[str, Any] | None
) -> None:
    place = {"VPCId": SPOKE, "VPCRegion": "us-east-1"}
    given = {**arguments, "VPC": place} if arguments else place
    name = {"CreateHostedZone": "create_hosted_zone"}.get(action, "list_hosted_zones_by_vpc")
    alone = caller(aws, statement(f"route53:{action}"))("route53")
    lacks("ec2:DescribeVpcs", getattr(alone, name), **given)
    both = caller(aws, statement(f"route53:{action}", "ec2:DescribeVpcs"))("route53")
    assert getattr(both, name)(**given)


def test_a_creation_may_be_bound_to_the_tags_that_it_sets(aws: Aws) -> None:
    marked = {"StringEquals": {"aws:RequestTag/ours": "true"}}
    group = "arn:aws:ec2:*:*:security-group/*"
    at_creation = {"StringEquals": {"ec2:CreateAction": "CreateSecurityGroup"}}
    ec2 = caller(
        aws,
        statement("ec2:CreateSecurityGroup", Resource="arn:aws:ec2:*:*:vpc/*"),
        statement("ec2:CreateSecurityGroup", Resource=group, Condition=marked),
        statement("ec2:CreateTags", Resource=group, Condition=at_creation),
    )("ec2")
    lacks("ec2:CreateSecurityGroup", ec2.create_security_group, **GROUP)
    made = ec2.create_security_group(**GROUP, **TAGS)["GroupId"]
    lacks("ec2:CreateTags", ec2.create_tags, Resources=[made], Tags=OURS)


def test_what_stands_may_be_told_apart_by_its_tags(aws: Aws) -> None:
    ours = {"StringEquals": {"aws:ResourceTag/ours": "true"}}
    free = statement("ec2:CreateSecurityGroup", "ec2:CreateTags")
    ec2 = caller(aws, free, statement("ec2:DeleteSecurityGroup", Condition=ours))("ec2")
    tagged = ec2.create_security_group(**GROUP, **TAGS)["GroupId"]
    other = ec2.create_security_group(**{**GROUP, "GroupName": "z"})["GroupId"]
    lacks("ec2:DeleteSecurityGroup", ec2.delete_security_group, GroupId=other)
    assert ec2.delete_security_group(GroupId=tagged)["Return"]


def test_a_change_of_an_endpoint_is_asked_of_all_that_it_names(aws: Aws) -> None:
    endpoints = statement("ec2:ModifyVpcEndpoint", Resource="arn:aws:ec2:*:*:vpc-endpoint/*")
    ec2 = caller(aws, endpoints)("ec2")
    given = {"VpcEndpointId": sample.ENDPOINT, "AddSecurityGroupIds": [sample.APP_GROUP]}
    lacks("ec2:ModifyVpcEndpoint on resource: arn:aws:ec2", ec2.modify_vpc_endpoint, **given)
    assert ec2.modify_vpc_endpoint(VpcEndpointId=sample.ENDPOINT, ResetPolicy=True)["Return"]


def test_records_may_be_bound_to_names_and_types(aws: Aws) -> None:
    head = "route53:ChangeResourceRecordSets"
    limits = {
        "ForAllValues:StringLike": {f"{head}NormalizedRecordNames": ["*.example"]},
        "ForAllValues:StringEquals": {f"{head}RecordTypes": ["A"], f"{head}Actions": ["UPSERT"]},
    }
    free = statement("route53:CreateHostedZone", "ec2:DescribeVpcs")
    route53 = caller(aws, free, statement(head, Condition=limits))("route53")
    place = {"VPCId": SPOKE, "VPCRegion": "us-east-1"}
    made = route53.create_hosted_zone(Name="b.example", CallerReference="2", VPC=place)

    def change(action: str, kind: str, value: str) -> dict[str, Any]:
        record = {"Name": "b.example", "Type": kind, "TTL": 60}
        record["ResourceRecords"] = [{"Value": value}]  # type: ignore[assignment]
        batch = {"Changes": [{"Action": action, "ResourceRecordSet": record}]}
        return {"HostedZoneId": made["HostedZone"]["Id"], "ChangeBatch": batch}

    assert route53.change_resource_record_sets(**change("UPSERT", "A", "10.0.0.1"))
    for wrong in (("UPSERT", "TXT", '"x"'), ("CREATE", "A", "10.0.0.2")):
        lacks(head, route53.change_resource_record_sets, **change(*wrong))


def test_names_of_records_are_normalised_as_route_53_does() -> None:
    assert normalised("*.Studio.Example.") == "\\052.studio.example"


def test_policies_of_an_organization_are_bound_to_type_and_tags(aws: Aws) -> None:
    scp = {"StringEquals": {"organizations:PolicyType": "SERVICE_CONTROL_POLICY"}}
    ours = {"StringEquals": {"aws:ResourceTag/ours": "true"}}
    keys = {"ForAllValues:StringLike": {"aws:TagKeys": ["ours"]}}
    organizations = caller(
        aws,
        statement("organizations:CreatePolicy", "organizations:ListPolicies", Condition=scp),
        statement("organizations:TagResource", Condition=keys),
        statement("organizations:DeletePolicy", Condition=ours),
        account="111111111111",
    )("organizations")
    text = '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"a:b","Resource":"*"}]}'
    common = {"Description": "", "Type": "SERVICE_CONTROL_POLICY", "Content": text}
    create = organizations.create_policy
    other = [{"Key": "theirs", "Value": "true"}]
    lacks("organizations:TagResource", create, Name="a", **common, Tags=other)
    mine = create(Name="b", **common, Tags=OURS)["Policy"]["PolicySummary"]["Id"]
    theirs = create(Name="c", **common)["Policy"]["PolicySummary"]["Id"]
    lacks("organizations:DeletePolicy", organizations.delete_policy, PolicyId=theirs)
    organizations.delete_policy(PolicyId=mine)
    tags = {"Filter": "TAG_POLICY"}
    lacks("organizations:ListPolicies", organizations.list_policies, **tags)


def test_the_journal_is_told_what_was_asked_for_and_held(aws: Aws) -> None:
    ec2 = caller(aws, statement("ec2:CreateSecurityGroup", "ec2:CreateTags"))("ec2")
    asked: list[list[str]] = []
    parse = aws.parse

    def listening(request: Any) -> Any:
        call = parse(request)
        asked.append(call.authorized)
        return call

    aws.parse = listening  # type: ignore[method-assign]
    ec2.create_security_group(**GROUP, **TAGS)
    lacks("ec2:DescribeVpcs", ec2.describe_vpcs)
    assert [sorted(set(each)) for each in asked] == [
        ["ec2:CreateSecurityGroup", "ec2:CreateTags"],
        [],
    ]
