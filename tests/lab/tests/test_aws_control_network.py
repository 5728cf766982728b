# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""EC2's networks, firewalls and tags as a real boto client sees them."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from lab.aws import Aws, sample
from lab.aws.sample import (
    APP_GROUP,
    ENDPOINT,
    ENDPOINT_GROUP,
    INSIDE,
    SPOKE,
    SUBNET_A,
    SUBNET_B,
    VPC,
)
from lab.aws.state import State

PEERING = "pcx-0ab0000000000000b"
MISSING = "0123456789abcdef0"


@pytest.fixture(scope="module")
def standing() -> Aws:
    return Aws(sample.state(sample.Clock()))


@pytest.fixture
def aws() -> Aws:
    return Aws(sample.state(sample.Clock()))


def client(aws: Aws) -> Any:
    return sample.client(aws, "ec2", INSIDE)


def fingerprint(state: State) -> str:
    return repr(
        (state.vpcs, state.subnets, state.route_tables, state.network_acls, state.security_groups)
    )


def permission(**changes: Any) -> dict[str, Any]:
    base = {
        "IpProtocol": "tcp",
        "FromPort": 443,
        "ToPort": 443,
        "IpRanges": [{"CidrIp": "10.0.0.0/8"}],
    }
    return {key: value for key, value in {**base, **changes}.items() if value is not None}


def ingress(**changes: Any) -> dict[str, Any]:
    return {"GroupId": ENDPOINT_GROUP, "IpPermissions": [permission(**changes)]}


def group(**changes: Any) -> dict[str, Any]:
    return {"GroupName": "new", "Description": "new", "VpcId": VPC, **changes}


TABLE = "rtb-" + MISSING
ACL = "acl-" + MISSING
ENTRY = {
    "RuleNumber": 1,
    "Protocol": "6",
    "RuleAction": "deny",
    "Egress": False,
    "CidrBlock": "0.0.0.0/0",
    "PortRange": {"From": 443, "To": 443},
}
# The marker {table}, {acl} stands for the ids that the application VPC really has.
WRONG: list[tuple[str, dict[str, Any], str, str]] = [
    ("describe_vpcs", {"VpcIds": ["vpc-" + MISSING]}, "InvalidVpcID.NotFound", "vpc ID"),
    (
        "describe_vpcs",
        {"Filters": [{"Name": "x", "Values": ["y"]}]},
        "InvalidParameterValue",
        "'x'",
    ),
    ("describe_vpcs", {"NextToken": "cGFnZTp4"}, "InvalidNextToken", "token"),
    (
        "describe_subnets",
        {"SubnetIds": ["subnet-" + MISSING]},
        "InvalidSubnetID.NotFound",
        "subnet",
    ),
    ("describe_route_tables", {"RouteTableIds": [TABLE]}, "InvalidRouteTableID.NotFound", TABLE),
    ("describe_route_tables", {"RouteTableIds": ["x"]}, "InvalidRouteTableId.Malformed", "x"),
    ("describe_network_acls", {"NetworkAclIds": [ACL]}, "InvalidNetworkAclID.NotFound", ACL),
    (
        "describe_security_groups",
        {"GroupIds": ["sg-" + MISSING]},
        "InvalidGroup.NotFound",
        "sg-" + MISSING,
    ),
    ("describe_security_groups", {"GroupIds": ["web"]}, "InvalidGroupId.Malformed", "web"),
    ("describe_security_groups", {"GroupNames": ["web"]}, "InvalidGroup.NotFound", "web"),
    (
        "describe_security_group_rules",
        {"SecurityGroupRuleIds": ["sgr-" + MISSING]},
        "InvalidSecurityGroupRuleId.NotFound",
        "sgr-",
    ),
    (
        "describe_vpc_peering_connections",
        {"VpcPeeringConnectionIds": ["pcx-" + MISSING]},
        "InvalidVpcPeeringConnectionID.NotFound",
        "pcx-",
    ),
    (
        "describe_network_interfaces",
        {"NetworkInterfaceIds": ["eni-" + MISSING]},
        "InvalidNetworkInterfaceID.NotFound",
        "eni-",
    ),
    ("describe_availability_zones", {"ZoneNames": ["us-east-1z"]}, "InvalidParameterValue", "1z"),
    ("describe_regions", {"RegionNames": ["mars-1"]}, "InvalidParameterValue", "mars-1"),
    (
        "describe_vpc_attribute",
        {"VpcId": "vpc-" + MISSING, "Attribute": "enableDnsSupport"},
        "InvalidVpcID.NotFound",
        "vpc ID",
    ),
    ("modify_vpc_attribute", {"VpcId": VPC}, "InvalidParameterCombination", "No attributes"),
    (
        "modify_vpc_attribute",
        {"VpcId": VPC, "EnableDnsSupport": {"Value": True}, "EnableDnsHostnames": {"Value": True}},
        "InvalidParameterCombination",
        "one",
    ),
    (
        "create_subnet",
        {"VpcId": VPC, "CidrBlock": "10.99.0.0/24"},
        "InvalidSubnet.Range",
        "10.99.0.0/24",
    ),
    (
        "create_subnet",
        {"VpcId": VPC, "CidrBlock": "10.10.1.0/28"},
        "InvalidSubnet.Conflict",
        "10.10",
    ),
    ("create_subnet", {"VpcId": VPC, "CidrBlock": "ten"}, "InvalidParameterValue", "ten"),
    (
        "create_subnet",
        {"VpcId": VPC, "CidrBlock": "10.10.9.0/24", "AvailabilityZone": "us-east-1z"},
        "InvalidParameterValue",
        "us-east-1z",
    ),
    (
        "create_route",
        {"RouteTableId": TABLE, "DestinationCidrBlock": "10.0.0.0/8", "GatewayId": "igw-1"},
        "InvalidRouteTableID.NotFound",
        TABLE,
    ),
    (
        "create_route",
        {
            "RouteTableId": "{table}",
            "DestinationCidrBlock": "10.20.0.0/16",
            "VpcPeeringConnectionId": PEERING,
        },
        "RouteAlreadyExists",
        "10.20.0.0/16",
    ),
    (
        "create_route",
        {
            "RouteTableId": "{table}",
            "DestinationCidrBlock": "10.21.0.0/16",
            "VpcPeeringConnectionId": "pcx-" + MISSING,
        },
        "InvalidVpcPeeringConnectionID.NotFound",
        "pcx-",
    ),
    (
        "delete_route",
        {"RouteTableId": "{table}", "DestinationCidrBlock": "10.99.0.0/16"},
        "InvalidRoute.NotFound",
        "10.99",
    ),
    (
        "delete_route",
        {"RouteTableId": "{table}", "DestinationCidrBlock": "10.10.0.0/16"},
        "InvalidParameterValue",
        "local",
    ),
    (
        "create_network_acl_entry",
        {**ENTRY, "NetworkAclId": "{acl}", "RuleNumber": 100},
        "NetworkAclEntryAlreadyExists",
        "100",
    ),
    (
        "create_network_acl_entry",
        {**ENTRY, "NetworkAclId": "{acl}", "RuleNumber": 32767},
        "InvalidParameterValue",
        "32767",
    ),
    (
        "replace_network_acl_entry",
        {**ENTRY, "NetworkAclId": "{acl}"},
        "InvalidNetworkAclEntry.NotFound",
        "1",
    ),
    (
        "delete_network_acl_entry",
        {"NetworkAclId": "{acl}", "RuleNumber": 5, "Egress": True},
        "InvalidNetworkAclEntry.NotFound",
        "egress",
    ),
    ("create_security_group", group(GroupName="default"), "InvalidGroup.Reserved", "default"),
    ("create_security_group", group(GroupName="application"), "InvalidGroup.Duplicate", VPC),
    ("create_security_group", group(GroupName="sg-x"), "InvalidParameterValue", "sg-*"),
    ("create_security_group", group(Description="é"), "InvalidParameterValue", "ASCII"),
    ("create_security_group", group(VpcId="vpc-" + MISSING), "InvalidVpcID.NotFound", "vpc ID"),
    ("delete_security_group", {"GroupId": APP_GROUP}, "DependencyViolation", APP_GROUP),
    ("delete_security_group", {"GroupId": "{default}"}, "CannotDelete", "default"),
    ("authorize_security_group_ingress", ingress(), "InvalidPermission.Duplicate", "TCP"),
    (
        "authorize_security_group_ingress",
        # Host bits are cleared before the comparison.
        ingress(IpRanges=[{"CidrIp": "10.1.2.3/8"}]),
        "InvalidPermission.Duplicate",
        "10.0.0.0/8",
    ),
    (
        "authorize_security_group_ingress",
        ingress(IpRanges=[{"CidrIp": "10.0.0.1/33"}]),
        "InvalidParameterValue",
        "malformed",
    ),
    (
        "authorize_security_group_ingress",
        ingress(IpRanges=[{"CidrIp": "10.9.0.0/16"}, {"CidrIp": "10.9.0.0/16"}]),
        "InvalidParameterValue",
        "multiple times",
    ),
    ("authorize_security_group_ingress", ingress(ToPort=80), "InvalidParameterValue", "443:80"),
    ("authorize_security_group_ingress", ingress(ToPort=None), "InvalidParameterValue", "both"),
    ("authorize_security_group_ingress", ingress(IpProtocol="x"), "InvalidParameterValue", "'x'"),
    ("authorize_security_group_ingress", {"GroupId": ENDPOINT_GROUP}, "MissingParameter", "ipPerm"),
    (
        "authorize_security_group_ingress",
        ingress(IpRanges=None, UserIdGroupPairs=[{"GroupId": "sg-" + MISSING}]),
        "InvalidGroup.NotFound",
        "sg-",
    ),
    (
        "authorize_security_group_ingress",
        ingress(IpRanges=None, PrefixListIds=[{"PrefixListId": "pl-" + MISSING}]),
        "InvalidPrefixListID.NotFound",
        "pl-",
    ),
    (
        "authorize_security_group_ingress",
        ingress(IpRanges=[{"CidrIp": "10.9.0.0/16", "Description": "ünsafe"}]),
        "InvalidParameterValue",
        "description",
    ),
    (
        "authorize_security_group_ingress",
        ingress(IpRanges=[{"CidrIp": f"10.{number}.0.0/16"} for number in range(60)]),
        "RulesPerSecurityGroupLimitExceeded",
        "maximum",
    ),
    ("revoke_security_group_ingress", ingress(FromPort=80), "InvalidPermission.NotFound", "rule"),
    (
        "revoke_security_group_egress",
        {"GroupId": ENDPOINT_GROUP, "SecurityGroupRuleIds": ["sgr-" + MISSING]},
        "InvalidSecurityGroupRuleId.NotFound",
        "sgr-",
    ),
    (
        "update_security_group_rule_descriptions_ingress",
        ingress(FromPort=80),
        "InvalidPermission.NotFound",
        "rule",
    ),
    (
        "modify_security_group_rules",
        {
            "GroupId": ENDPOINT_GROUP,
            "SecurityGroupRules": [
                {"SecurityGroupRuleId": "sgr-" + MISSING, "SecurityGroupRule": {"IpProtocol": "-1"}}
            ],
        },
        "InvalidSecurityGroupRuleId.NotFound",
        "sgr-",
    ),
    ("create_tags", {"Resources": ["x-1"], "Tags": [{"Key": "a"}]}, "InvalidID", "x-1"),
    (
        "create_tags",
        {"Resources": ["vpc-" + MISSING], "Tags": [{"Key": "a", "Value": "b"}]},
        "InvalidVpcID.NotFound",
        "vpc",
    ),
    (
        "create_tags",
        {"Resources": [VPC], "Tags": [{"Key": "aws:x", "Value": "b"}]},
        "InvalidParameterValue",
        "reserved",
    ),
    (
        "create_tags",
        {"Resources": [VPC], "Tags": [{"Key": str(n), "Value": ""} for n in range(51)]},
        "TagLimitExceeded",
        "maximum",
    ),
    (
        "get_managed_prefix_list_entries",
        {"PrefixListId": "pl-" + MISSING},
        "InvalidPrefixListID.NotFound",
        "pl-",
    ),
]


def filled(state: State, arguments: dict[str, Any]) -> dict[str, Any]:
    known = {
        "{table}": state.route_table_of(SUBNET_A).id,
        "{acl}": state.network_acl_of(SUBNET_A).id,
        "{default}": state.default_group(VPC).id,
    }
    return {
        key: known.get(value, value) if isinstance(value, str) else value
        for key, value in arguments.items()
    }


@pytest.mark.parametrize(("call", "arguments", "code", "words"), WRONG)
def test_ec2_refuses_and_changes_nothing(
    standing: Aws, call: str, arguments: dict[str, Any], code: str, words: str
) -> None:
    before = fingerprint(standing.state)
    with pytest.raises(ClientError) as caught:
        getattr(client(standing), call)(**filled(standing.state, arguments))
    error = caught.value.response["Error"]
    assert (error["Code"], words in error["Message"]) == (code, True), error
    assert fingerprint(standing.state) == before


def test_filters_are_anded_and_their_values_ored(standing: Aws) -> None:
    ec2 = client(standing)

    def found(*filters: tuple[str, list[str]]) -> set[str]:
        listed = [{"Name": name, "Values": values} for name, values in filters]
        return {each["SubnetId"] for each in ec2.describe_subnets(Filters=listed)["Subnets"]}

    assert found(("vpc-id", [VPC])) == {SUBNET_A, SUBNET_B}
    assert found(("availability-zone", ["us-east-1?"])) > {SUBNET_A, SUBNET_B}
    assert found(("vpc-id", [VPC]), ("availability-zone", ["us-east-1b", "x"])) == {SUBNET_B}
    assert found(("tag:Name", ["none"])) == set()


def test_every_interface_shows_whose_it_is(standing: Aws) -> None:
    ec2 = client(standing)
    filters = [{"Name": "interface-type", "Values": ["vpc_endpoint"]}]
    pages = ec2.get_paginator("describe_network_interfaces").paginate(Filters=filters)
    shown = {each["SubnetId"]: each for page in pages for each in page["NetworkInterfaces"]}
    assert set(shown) == {SUBNET_A, SUBNET_B}
    assert shown[SUBNET_A]["Description"] == f"VPC Endpoint Interface {ENDPOINT}"
    assert shown[SUBNET_A]["Groups"][0]["GroupId"] == ENDPOINT_GROUP
    worn = ec2.describe_network_interfaces(
        Filters=[{"Name": "addresses.private-ip-address", "Values": [INSIDE.address]}]
    )["NetworkInterfaces"]
    assert [each["Groups"][0]["GroupId"] for each in worn] == [APP_GROUP]


def test_dns_attributes_are_read_as_they_were_written(aws: Aws) -> None:
    ec2 = client(aws)
    ec2.modify_vpc_attribute(VpcId=VPC, EnableDnsHostnames={"Value": False})
    answer = ec2.describe_vpc_attribute(VpcId=VPC, Attribute="enableDnsHostnames")
    assert answer["EnableDnsHostnames"] == {"Value": False}
    support = ec2.describe_vpc_attribute(VpcId=VPC, Attribute="enableDnsSupport")
    assert support["EnableDnsSupport"] == {"Value": True}


def test_a_new_subnet_uses_the_main_table_and_the_default_acl(aws: Aws) -> None:
    tags = [{"ResourceType": "subnet", "Tags": [{"Key": "a", "Value": "b"}]}]
    made = client(aws).create_subnet(
        VpcId=VPC, CidrBlock="10.10.9.0/24", AvailabilityZone="us-east-1b", TagSpecifications=tags
    )["Subnet"]
    assert made["AvailabilityZoneId"] == "use1-az2"
    assert aws.state.route_table_of(made["SubnetId"]).main
    assert aws.state.network_acl_of(made["SubnetId"]).default


def test_routes_come_and_go(aws: Aws) -> None:
    ec2, table = client(aws), aws.state.route_table_of(SUBNET_A).id
    peering = {"RouteTableId": table, "DestinationCidrBlock": "10.20.0.0/16"}
    ec2.delete_route(**peering)
    shown = ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"][0]["Routes"]
    assert "10.20.0.0/16" not in [each["DestinationCidrBlock"] for each in shown]
    assert ec2.create_route(**peering, VpcPeeringConnectionId=PEERING)["Return"]
    by_peering = [{"Name": "route.vpc-peering-connection-id", "Values": [PEERING]}]
    assert len(ec2.describe_route_tables(Filters=by_peering)["RouteTables"]) == 2


def test_acl_entries_are_created_replaced_and_deleted(aws: Aws) -> None:
    ec2, acl = client(aws), aws.state.network_acl_of(SUBNET_A).id
    ec2.create_network_acl_entry(NetworkAclId=acl, **ENTRY)
    ec2.replace_network_acl_entry(NetworkAclId=acl, **{**ENTRY, "RuleAction": "allow"})
    shown = ec2.describe_network_acls(NetworkAclIds=[acl])["NetworkAcls"][0]["Entries"]
    inbound = [(each["RuleNumber"], each["RuleAction"]) for each in shown if not each["Egress"]]
    assert inbound == [(1, "allow"), (100, "allow"), (32767, "deny")]
    ec2.delete_network_acl_entry(NetworkAclId=acl, RuleNumber=1, Egress=False)
    assert [each.number for each in aws.state.network_acls[acl].entries] == [100, 100]


def test_a_group_is_born_open_outwards_and_its_rules_are_kept(aws: Aws) -> None:
    ec2 = client(aws)
    made = ec2.create_security_group(**group())["GroupId"]
    pair = permission(IpRanges=None, UserIdGroupPairs=[{"GroupId": APP_GROUP}])
    six = permission(IpRanges=None, Ipv6Ranges=[{"CidrIpv6": "2001:DB8::1/32"}])
    answer = ec2.authorize_security_group_ingress(
        GroupId=made, IpPermissions=[permission(), pair, six]
    )
    rule_ids = [each["SecurityGroupRuleId"] for each in answer["SecurityGroupRules"]]
    shown = ec2.describe_security_groups(GroupIds=[made])["SecurityGroups"][0]
    assert shown["IpPermissionsEgress"][0]["IpRanges"] == [{"CidrIp": "0.0.0.0/0"}]
    (inbound,) = shown["IpPermissions"]
    assert inbound["Ipv6Ranges"] == [{"CidrIpv6": "2001:db8::/32"}]
    assert inbound["UserIdGroupPairs"][0]["GroupId"] == APP_GROUP
    assert aws.state.security_groups[made].rules.keys() >= set(rule_ids)
    change = {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 2, "CidrIpv4": "10.3.0.0/16"}
    ec2.modify_security_group_rules(
        GroupId=made,
        SecurityGroupRules=[{"SecurityGroupRuleId": rule_ids[0], "SecurityGroupRule": change}],
    )
    only = [{"Name": "group-id", "Values": [made]}]
    rules = ec2.describe_security_group_rules(Filters=only)["SecurityGroupRules"]
    changed = next(each for each in rules if each["SecurityGroupRuleId"] == rule_ids[0])
    assert (changed["CidrIpv4"], changed["FromPort"], changed["IsEgress"]) == (
        "10.3.0.0/16",
        1,
        False,
    )
    ec2.update_security_group_rule_descriptions_ingress(
        GroupId=made,
        SecurityGroupRuleDescriptions=[{"SecurityGroupRuleId": rule_ids[0], "Description": "d"}],
    )
    assert aws.state.security_groups[made].rules[rule_ids[0]].description == "d"
    gone = ec2.revoke_security_group_ingress(GroupId=made, SecurityGroupRuleIds=rule_ids)
    assert len(gone["RevokedSecurityGroupRules"]) == 3
    assert ec2.delete_security_group(GroupId=made)["GroupId"] == made


def test_a_group_that_another_names_cannot_go(aws: Aws) -> None:
    ec2 = client(aws)
    made = ec2.create_security_group(**group())["GroupId"]
    pair = permission(IpRanges=None, UserIdGroupPairs=[{"GroupId": made}])
    ec2.authorize_security_group_ingress(GroupId=ENDPOINT_GROUP, IpPermissions=[pair])
    with pytest.raises(ClientError, match="DependencyViolation"):
        ec2.delete_security_group(GroupId=made)
    ec2.revoke_security_group_ingress(GroupId=ENDPOINT_GROUP, IpPermissions=[pair])
    assert ec2.delete_security_group(GroupId=made)["Return"]


def test_tags_are_written_listed_and_deleted_by_value(aws: Aws) -> None:
    ec2 = client(aws)
    tags = [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]
    ec2.create_tags(Resources=[VPC, ENDPOINT], Tags=tags)
    listed = ec2.describe_tags(Filters=[{"Name": "resource-id", "Values": [ENDPOINT]}])["Tags"]
    assert [(each["Key"], each["Value"], each["ResourceType"]) for each in listed] == [
        ("a", "1", "vpc-endpoint"),
        ("b", "2", "vpc-endpoint"),
    ]
    ec2.delete_tags(Resources=[VPC], Tags=[{"Key": "a", "Value": "other"}, {"Key": "b"}])
    assert aws.state.vpcs[VPC].tags == {"a": "1"}


def test_a_peering_shows_both_sides(standing: Aws) -> None:
    (shown,) = client(standing).describe_vpc_peering_connections()["VpcPeeringConnections"]
    assert shown["Status"]["Code"] == "active"
    assert shown["RequesterVpcInfo"]["VpcId"] == VPC
    assert shown["AccepterVpcInfo"]["CidrBlockSet"] == [{"CidrBlock": "10.20.0.0/16"}]
    assert shown["AccepterVpcInfo"]["VpcId"] == SPOKE
