# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""VPC endpoints as a real boto client sees them: what AWS refuses, and how an endpoint lives."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from lab.aws import Aws, sample
from lab.aws.sample import (
    ENDPOINT,
    ENDPOINT_GROUP,
    INSIDE,
    SPOKE,
    SPOKE_SUBNET,
    SUBNET_A,
    SUBNET_B,
    VPC,
)
from lab.aws.state import State

BARE = "vpc-0c00000000000000c"  # a VPC without DNS host names
BARE_SUBNET = "subnet-0c0000000000000a1"
SUBNET_A2 = "subnet-0a0000000000000a2"
RUNTIME = "com.amazonaws.us-east-1.bedrock-runtime"
ZONES = {"us-east-1a": "use1-az1", "us-east-1b": "use1-az2"}


def make(clock: sample.Clock, **timing: float) -> Aws:
    """The sample world with a second subnet in a zone, a VPC without DNS and a zone without a service."""
    vpcs = copy.deepcopy(sample.WORLD["aws"]["vpcs"])
    vpcs[0]["subnets"].append({"id": SUBNET_A2, "cidr": "10.10.4.0/24", "zone": "us-east-1a"})
    vpcs.append(
        {
            "id": BARE,
            "account": "222222222222",
            "region": "us-east-1",
            "cidr": "10.30.0.0/16",
            "subnets": [{"id": BARE_SUBNET, "cidr": "10.30.1.0/24", "zone": "us-east-1a"}],
        }
    )
    regions = {
        "us-east-1": {
            "zones": ZONES,
            "services": {"bedrock-agent": {"zones": ["us-east-1a"]}},
        },
        "us-west-2": {"zones": {"us-west-2a": "usw2-az1"}},
    }
    return Aws(sample.state(clock, vpcs=vpcs, regions=regions, timing=timing))


def client(aws: Aws, **credentials: Any) -> Any:
    return sample.client(aws, "ec2", INSIDE, **credentials)


def code_of(call: Any, **arguments: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def fingerprint(state: State) -> str:
    return repr((state.endpoints, state.interfaces, state.security_groups, state.vpcs))


@pytest.fixture(scope="module")
def standing() -> Aws:
    return make(sample.Clock())


@pytest.fixture
def clock() -> sample.Clock:
    return sample.Clock()


@pytest.fixture
def aws(clock: sample.Clock) -> Aws:
    return make(clock, endpoint_pending=30, endpoint_delete=10, private_dns_linger=60)


def statement(**changes: Any) -> str:
    base = {"Effect": "Allow", "Principal": "*", "Action": "bedrock:*", "Resource": "*"}
    kept = {key: value for key, value in {**base, **changes}.items() if value is not None}
    return json.dumps({"Version": "2012-10-17", "Statement": [kept]})


CREATE: dict[str, Any] = {
    "VpcEndpointType": "Interface",
    "VpcId": VPC,
    "ServiceName": RUNTIME,
    "SubnetIds": [SUBNET_A],
}
WRONG_CREATE = [
    ({"VpcId": "vpc-0123456789abcdef0"}, "InvalidVpcID.NotFound", "vpc-0123456789abcdef0"),
    ({"ServiceName": None}, "MissingParameter", "ServiceName"),
    ({"ServiceName": "com.amazonaws.us-east-1.nothing"}, "InvalidServiceName", "nothing"),
    ({"ServiceName": "com.amazonaws.us-west-2.bedrock"}, "InvalidServiceName", "us-west-2"),
    ({"VpcEndpointType": None, "SubnetIds": None}, "InvalidParameter", "Endpoint type (Gateway)"),
    ({"VpcEndpointType": "Gatway"}, "InvalidParameterValue", "Gatway"),
    ({"SubnetIds": ["subnet-0123456789abcdef0"]}, "InvalidSubnetID.NotFound", "does not exist"),
    ({"SubnetIds": [SPOKE_SUBNET]}, "InvalidParameter", "does not belong"),
    ({"SubnetIds": [SUBNET_A, SUBNET_A2]}, "DuplicateSubnetsInSameZone", SUBNET_A2),
    (
        {"ServiceName": "com.amazonaws.us-east-1.bedrock-agent", "SubnetIds": [SUBNET_B]},
        "InvalidParameter",
        "does not support the availability zone of the subnet",
    ),
    ({"SecurityGroupIds": ["sg-0123456789abcdef0"]}, "InvalidGroup.NotFound", "does not exist"),
    ({"SecurityGroupIds": ["web"]}, "InvalidGroupId.Malformed", "web"),
    ({"RouteTableIds": ["rtb-0123456789abcdef0"]}, "InvalidParameter", "Route table IDs"),
    (
        {"ServiceName": "com.amazonaws.us-east-1.bedrock"},
        "InvalidParameter",
        "conflicting DNS domain",
    ),
    (
        {"VpcId": BARE, "SubnetIds": [BARE_SUBNET]},
        "InvalidParameter",
        "both enableDnsSupport and enableDnsHostnames",
    ),
    ({"IpAddressType": "dualstack"}, "InvalidParameter", "does not have an IPv6 CIDR"),
    (
        {"ServiceName": "com.amazonaws.us-east-1.kms", "IpAddressType": "ipv6"},
        "InvalidParameter",
        "does not support the IP address type",
    ),
    ({"IpAddressType": "ipv5"}, "InvalidParameterValue", "ipv5"),
    ({"DnsOptions": {"DnsRecordIpType": "ipv6"}}, "InvalidParameter", "not compatible"),
    ({"PolicyDocument": "{"}, "InvalidPolicyDocument", "not a valid JSON"),
    ({"PolicyDocument": statement(Principal=None)}, "InvalidPolicyDocument", "not a valid JSON"),
    ({"PolicyDocument": statement(Effect="Permit")}, "InvalidPolicyDocument", "not a valid JSON"),
    ({"PolicyDocument": statement(Sid="x" * 20480)}, "InvalidPolicyDocument", "20480"),
    (
        {
            "ServiceName": "aws.sagemaker.us-east-1.experiments",
            "PolicyDocument": statement(Action="sagemaker:*"),
        },
        "InvalidParameter",
        "only supports full-access endpoint policy",
    ),
    (
        {"TagSpecifications": [{"ResourceType": "subnet", "Tags": [{"Key": "a", "Value": "b"}]}]},
        "InvalidParameterValue",
        "taggable resource type",
    ),
    (
        {
            "TagSpecifications": [
                {"ResourceType": "vpc-endpoint", "Tags": [{"Key": "aws:a", "Value": "b"}]}
            ]
        },
        "InvalidParameterValue",
        "reserved",
    ),
    ({"DryRun": True}, "DryRunOperation", "would have succeeded"),
]


@pytest.mark.parametrize(("changes", "code", "words"), WRONG_CREATE)
def test_create_refuses(standing: Aws, changes: dict[str, Any], code: str, words: str) -> None:
    before = fingerprint(standing.state)
    arguments = {key: value for key, value in {**CREATE, **changes}.items() if value is not None}
    found, message = code_of(client(standing).create_vpc_endpoint, **arguments)
    assert found == code
    assert words in message
    assert fingerprint(standing.state) == before


WRONG_MODIFY = [
    (
        {"VpcEndpointId": "vpce-0123456789abcdef0"},
        "InvalidVpcEndpointId.NotFound",
        "does not exist",
    ),
    ({"VpcEndpointId": "vpce-1"}, "InvalidVpcEndpointId.Malformed", "vpce-1"),
    (
        {"AddSubnetIds": [SUBNET_A2], "RemoveSubnetIds": [SUBNET_A]},
        "DuplicateSubnetsInSameZone",
        SUBNET_A2,
    ),
    ({"RemoveSubnetIds": [SUBNET_A2]}, "InvalidParameter", "not associated"),
    ({"AddSubnetIds": ["subnet-0123456789abcdef0"]}, "InvalidSubnetID.NotFound", "does not exist"),
    ({"RemoveSecurityGroupIds": [ENDPOINT_GROUP]}, "InvalidParameter", "at least one"),
    ({"AddSecurityGroupIds": ["sg-0123456789abcdef0"]}, "InvalidGroup.NotFound", "does not exist"),
    ({"PolicyDocument": "[]"}, "InvalidPolicyDocument", "not a valid JSON"),
    (
        {"PolicyDocument": statement(), "ResetPolicy": True},
        "InvalidParameterCombination",
        "together",
    ),
    ({"IpAddressType": "ipv6"}, "InvalidParameter", "IPv6"),
    ({"DnsOptions": {"DnsRecordIpType": "dualstack"}}, "InvalidParameter", "not compatible"),
    ({"AddRouteTableIds": ["rtb-0123456789abcdef0"]}, "InvalidParameter", "Route table IDs"),
    # The group would be changed, but the whole call is refused.
    (
        {"AddSecurityGroupIds": [sample.APP_GROUP], "AddSubnetIds": [SUBNET_A2]},
        "DuplicateSubnetsInSameZone",
        SUBNET_A2,
    ),
]


@pytest.mark.parametrize(("changes", "code", "words"), WRONG_MODIFY)
def test_modify_refuses_and_changes_nothing(
    standing: Aws, changes: dict[str, Any], code: str, words: str
) -> None:
    before = fingerprint(standing.state)
    arguments = {"VpcEndpointId": ENDPOINT, **changes}
    found, message = code_of(client(standing).modify_vpc_endpoint, **arguments)
    assert found == code
    assert words in message
    assert fingerprint(standing.state) == before


def created(aws: Aws, **changes: Any) -> dict[str, Any]:
    answer: dict[str, Any] = client(aws).create_vpc_endpoint(**{**CREATE, **changes})["VpcEndpoint"]
    return answer


def described(aws: Aws, endpoint_id: str) -> dict[str, Any]:
    answer: dict[str, Any] = client(aws).describe_vpc_endpoints(VpcEndpointIds=[endpoint_id])
    found: dict[str, Any] = answer["VpcEndpoints"][0]
    return found


def test_an_endpoint_is_pending_then_available_and_its_interfaces_live(
    aws: Aws, clock: sample.Clock
) -> None:
    made = created(
        aws,
        TagSpecifications=[{"ResourceType": "vpc-endpoint", "Tags": [{"Key": "a", "Value": "b"}]}],
    )
    assert made["State"] == "Pending"
    assert [each["GroupName"] for each in made["Groups"]] == ["default"]
    view = described(aws, made["VpcEndpointId"])
    assert view["State"] == "pending"
    assert view["DnsEntries"][-1]["HostedZoneId"] == "ZONEIDPENDING"
    interface = aws.state.interfaces[view["NetworkInterfaceIds"][0]]
    assert not interface.live
    assert aws.next_change() == clock.time + 30
    clock.time += 30
    view = described(aws, made["VpcEndpointId"])
    assert view["State"] == "available"
    assert interface.live
    assert view["Tags"] == [{"Key": "a", "Value": "b"}]
    names = {each["DnsName"]: each["HostedZoneId"] for each in view["DnsEntries"]}
    assert names["bedrock-runtime.us-east-1.amazonaws.com"] not in (
        "ZONEIDPENDING",
        "Z7HUB22UULQXV",
    )
    assert list(names.values()).count("Z7HUB22UULQXV") == 2
    assert json.loads(view["PolicyDocument"])["Statement"][0]["Principal"] == "*"


@pytest.mark.parametrize(
    ("change", "pending"),
    [
        ({"AddSubnetIds": [SUBNET_B]}, True),
        ({"RemoveSubnetIds": [SUBNET_A]}, True),
        ({"PrivateDnsEnabled": False}, True),
        ({"PrivateDnsEnabled": True}, False),
        ({"PolicyDocument": statement()}, False),
        ({"AddSecurityGroupIds": [ENDPOINT_GROUP]}, False),
    ],
)
def test_only_subnet_and_dns_changes_go_back_to_pending(
    aws: Aws, clock: sample.Clock, change: dict[str, Any], pending: bool
) -> None:
    endpoint_id = created(aws)["VpcEndpointId"]
    clock.time += 30
    assert client(aws).modify_vpc_endpoint(VpcEndpointId=endpoint_id, **change)["Return"]
    assert described(aws, endpoint_id)["State"] == ("pending" if pending else "available")
    clock.time += 30
    assert described(aws, endpoint_id)["State"] == "available"


def test_modify_converges_every_attribute(aws: Aws, clock: sample.Clock) -> None:
    endpoint_id = created(aws, PrivateDnsEnabled=False)["VpcEndpointId"]
    clock.time += 30
    ec2 = client(aws)
    default = described(aws, endpoint_id)["Groups"][0]["GroupId"]
    ec2.modify_vpc_endpoint(VpcEndpointId=endpoint_id, RemoveSubnetIds=[SUBNET_A])
    ec2.modify_vpc_endpoint(
        VpcEndpointId=endpoint_id,
        AddSubnetIds=[SUBNET_A2, SUBNET_B],
        AddSecurityGroupIds=[ENDPOINT_GROUP],
        RemoveSecurityGroupIds=[default],
        PrivateDnsEnabled=True,
        PolicyDocument=statement(),
    )
    clock.time += 30
    view = described(aws, endpoint_id)
    assert set(view["SubnetIds"]) == {SUBNET_A2, SUBNET_B}
    assert [each["GroupId"] for each in view["Groups"]] == [ENDPOINT_GROUP]
    assert view["PrivateDnsEnabled"]
    assert view["PolicyDocument"] == statement()
    interfaces = aws.state.endpoint_interfaces(aws.state.endpoints[endpoint_id])
    assert {each.subnet_id for each in interfaces} == {SUBNET_A2, SUBNET_B}
    assert all(each.security_groups == [ENDPOINT_GROUP] and each.live for each in interfaces)
    ec2.modify_vpc_endpoint(VpcEndpointId=endpoint_id, ResetPolicy=True)
    assert (
        json.loads(described(aws, endpoint_id)["PolicyDocument"])["Statement"][0]["Action"] == "*"
    )


def test_delete_is_asynchronous_and_its_names_conflict_for_a_while(
    aws: Aws, clock: sample.Clock
) -> None:
    ec2 = client(aws)
    unknown = "vpce-0123456789abcdef0"
    answer = ec2.delete_vpc_endpoints(VpcEndpointIds=[ENDPOINT, unknown])
    assert [(each["ResourceId"], each["Error"]["Code"]) for each in answer["Unsuccessful"]] == [
        (unknown, "InvalidVpcEndpoint.NotFound")
    ]
    assert described(aws, ENDPOINT)["State"] == "deleting"
    assert code_of(ec2.delete_security_group, GroupId=ENDPOINT_GROUP)[0] == "DependencyViolation"
    clock.time += 10
    found, _ = code_of(ec2.describe_vpc_endpoints, VpcEndpointIds=[ENDPOINT])
    assert found == "InvalidVpcEndpointId.NotFound"
    assert ec2.delete_security_group(GroupId=ENDPOINT_GROUP)["Return"]
    again = {**CREATE, "ServiceName": "com.amazonaws.us-east-1.bedrock"}
    assert "conflicting DNS domain" in code_of(ec2.create_vpc_endpoint, **again)[1]
    clock.time += 60
    assert ec2.create_vpc_endpoint(**again)["VpcEndpoint"]["State"] == "Pending"


def test_a_client_token_makes_creation_idempotent(aws: Aws) -> None:
    first = created(aws, ClientToken="t")
    assert created(aws, ClientToken="t")["VpcEndpointId"] == first["VpcEndpointId"]
    other = {**CREATE, "ClientToken": "t", "SubnetIds": [SUBNET_B]}
    found, _ = code_of(client(aws).create_vpc_endpoint, **other)
    assert found == "IdempotentParameterMismatch"


def test_a_vpc_holds_fifty_interface_endpoints(aws: Aws) -> None:
    for _ in range(49):
        created(aws, PrivateDnsEnabled=False, SubnetIds=[])
    arguments = {**CREATE, "PrivateDnsEnabled": False}
    found, _ = code_of(client(aws).create_vpc_endpoint, **arguments)
    assert found == "VpcEndpointLimitExceeded"


def test_services_say_what_they_offer(standing: Aws) -> None:
    names = [RUNTIME, "com.amazonaws.us-east-1.bedrock-agent"]
    answer = client(standing).describe_vpc_endpoint_services(ServiceNames=names)
    agent, runtime = answer["ServiceDetails"]
    assert agent["AvailabilityZones"] == ["us-east-1a"]
    assert runtime["PrivateDnsNames"] == [
        {"PrivateDnsName": "bedrock-runtime.us-east-1.amazonaws.com"}
    ]
    assert runtime["VpcEndpointPolicySupported"]
    found, _ = code_of(client(standing).describe_vpc_endpoint_services, ServiceNames=["x"])
    assert found == "InvalidServiceName"


def test_services_come_in_pages(standing: Aws) -> None:
    pages = client(standing).get_paginator("describe_vpc_endpoint_services")
    chunks = list(pages.paginate(PaginationConfig={"PageSize": 7}))
    names = [each["ServiceName"] for chunk in chunks for each in chunk["ServiceDetails"]]
    assert len(chunks) > 3
    assert len(set(names)) == len(names) == len(standing.state.services["us-east-1"])


def test_gateway_endpoints_take_route_tables_only(aws: Aws) -> None:
    ec2 = client(aws)
    table = aws.state.route_table_of(SUBNET_A)
    gateway = {"VpcId": VPC, "ServiceName": "com.amazonaws.us-east-1.s3"}
    refused = code_of(ec2.create_vpc_endpoint, **gateway, SubnetIds=[SUBNET_A])
    assert refused[0] == "InvalidParameter"
    made = ec2.create_vpc_endpoint(**gateway, RouteTableIds=[table.id])["VpcEndpoint"]
    assert made["State"] == "Available"
    assert table.routes[-1].target == made["VpcEndpointId"]


def test_the_spoke_has_its_own_names(aws: Aws) -> None:
    """The same service with private DNS in another VPC is no conflict."""
    made = created(
        aws, VpcId=SPOKE, SubnetIds=[SPOKE_SUBNET], ServiceName="com.amazonaws.us-east-1.bedrock"
    )
    assert made["PrivateDnsEnabled"]
