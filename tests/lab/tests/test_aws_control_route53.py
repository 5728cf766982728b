# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Route 53's private zones as a real boto client sees them."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from lab.aws import Aws, sample
from lab.aws.sample import ENDPOINT, IN_SPOKE, INSIDE, OUTSIDE, SPOKE, VPC

HOST = "bedrock.us-east-1.amazonaws.com"
HUB = {"VPCRegion": "us-east-1", "VPCId": VPC}
FAR = {"VPCRegion": "us-east-1", "VPCId": SPOKE}
OTHERS = "Z0LABOTHERS000000001"
STRANGER = {"access_key": "AKIALABADMIN00000000", "secret_key": "admin-secret"}


@pytest.fixture
def clock() -> sample.Clock:
    return sample.Clock()


@pytest.fixture
def aws(clock: sample.Clock) -> Aws:
    others = {"id": OTHERS, "name": "other.example", "account": "111111111111", "private": True}
    return Aws(sample.state(clock, timing={"route53_pending": 5}, zones=[others]))


def client(aws: Aws, **credentials: str) -> Any:
    return sample.client(aws, "route53", INSIDE, **credentials)


def refusal(call: Any, **arguments: Any) -> tuple[str, str, int]:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    answer = caught.value.response
    status = answer["ResponseMetadata"]["HTTPStatusCode"]
    return answer["Error"]["Code"], answer["Error"]["Message"], status


def made(aws: Aws, name: str = HOST, vpc: dict[str, str] = FAR) -> str:
    answer = client(aws).create_hosted_zone(Name=name, VPC=vpc, CallerReference=name)
    assert answer["ChangeInfo"]["Status"] == "PENDING"
    zone: str = answer["HostedZone"]["Id"].removeprefix("/hostedzone/")
    return zone


def record(name: str = HOST, *values: str, kind: str = "A", **changes: Any) -> dict[str, Any]:
    listed = [{"Value": each} for each in values or ("10.10.1.5",)]
    base = {"Name": name, "Type": kind, "TTL": 60, "ResourceRecords": listed, **changes}
    return {key: value for key, value in base.items() if value is not None}


def batch(*changes: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    return {
        "Changes": [{"Action": action, "ResourceRecordSet": given} for action, given in changes]
    }


def alias(aws: Aws, name: str = HOST) -> dict[str, Any]:
    """An alias to the sample endpoint's regional name."""
    ec2 = sample.client(aws, "ec2", INSIDE)
    entry = ec2.describe_vpc_endpoints(VpcEndpointIds=[ENDPOINT])["VpcEndpoints"][0]["DnsEntries"][
        0
    ]
    target = {
        "HostedZoneId": entry["HostedZoneId"],
        "DNSName": entry["DnsName"],
        "EvaluateTargetHealth": False,
    }
    return {"Name": name, "Type": "A", "AliasTarget": target}


def test_a_spoke_resolves_by_the_zone_once_it_is_in_sync(aws: Aws, clock: sample.Clock) -> None:
    route53, zone = client(aws), made(aws)
    change = route53.change_resource_record_sets(
        HostedZoneId=zone, ChangeBatch=batch(("UPSERT", alias(aws)))
    )["ChangeInfo"]
    before = aws.resolve(IN_SPOKE, HOST, "A")
    assert before is not None
    assert not any(each.startswith("10.10.") for each in before.addresses)
    clock.time += 5
    assert route53.get_change(Id=change["Id"])["ChangeInfo"]["Status"] == "INSYNC"
    after = aws.resolve(IN_SPOKE, HOST, "A")
    assert after is not None
    interfaces = aws.state.endpoint_interfaces(aws.state.endpoints[ENDPOINT])
    assert set(after.addresses) == {each.address for each in interfaces}
    outside = aws.resolve(OUTSIDE, HOST, "A")
    assert outside is not None
    assert not set(outside.addresses) & set(after.addresses)


WRONG_BATCHES: list[tuple[list[tuple[str, dict[str, Any]]], str]] = [
    ([("CREATE", record(f"a.{HOST}"))], "already exists"),
    ([("DELETE", record(f"b.{HOST}"))], "was not found"),
    ([("DELETE", record(f"a.{HOST}", "10.9.9.9"))], "do not match"),
    ([("CREATE", record("other.example"))], "is not permitted in zone"),
    ([("CREATE", record(HOST, "a.example", kind="CNAME"))], "not permitted at apex"),
    ([("CREATE", record(f"a.{HOST}", "b.example", kind="CNAME"))], "conflicting RRSet"),
    ([("CREATE", record(f"c.{HOST}", "ten"))], "not a valid IPv4"),
    ([("CREATE", record(f"c.{HOST}", "10.0.0.1", kind="AAAA"))], "not a valid IPv6"),
    ([("CREATE", record(f"c.{HOST}", "10.0.0.1", "10.0.0.1"))], "Duplicate"),
    ([("CREATE", record(f"c.{HOST}", TTL=None))], "found none"),
    ([("CREATE", record(f"c.{HOST}", ResourceRecords=None))], "found none"),
    # All or nothing: the first change alone would do.
    ([("CREATE", record(f"d.{HOST}")), ("DELETE", record(f"e.{HOST}"))], "was not found"),
]


@pytest.mark.parametrize(("changes", "words"), WRONG_BATCHES)
def test_a_batch_with_one_wrong_change_changes_nothing(
    aws: Aws, changes: list[tuple[str, dict[str, Any]]], words: str
) -> None:
    route53, zone = client(aws), made(aws)
    first = batch(("CREATE", record(f"a.{HOST}")))
    route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=first)
    before = repr(aws.state.zones[zone].records)
    change = route53.change_resource_record_sets
    code, message, status = refusal(change, HostedZoneId=zone, ChangeBatch=batch(*changes))
    assert (code, status) == ("InvalidChangeBatch", 400)
    assert words in message
    assert repr(aws.state.zones[zone].records) == before


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("HostedZoneId", "Z0000000000000000000", "target zone was not found"),
        ("DNSName", "vpce-1.example.com", "does not lie within the target zone"),
        ("DNSName", "vpce-1-x.bedrock.us-east-1.vpce.amazonaws.com", "target was not found"),
    ],
)
def test_an_alias_must_lead_somewhere(aws: Aws, field: str, value: str, words: str) -> None:
    zone, given = made(aws), alias(aws)
    given["AliasTarget"][field] = value
    change = client(aws).change_resource_record_sets
    code, message, _ = refusal(change, HostedZoneId=zone, ChangeBatch=batch(("UPSERT", given)))
    assert (code, words in message) == ("InvalidChangeBatch", True)


def test_an_alias_has_no_ttl(aws: Aws) -> None:
    given = {**alias(aws), "TTL": 60}
    change = client(aws).change_resource_record_sets
    _, message, _ = refusal(change, HostedZoneId=made(aws), ChangeBatch=batch(("UPSERT", given)))
    assert "more than one" in message


def test_the_zones_own_records_stay(aws: Aws) -> None:
    route53, zone = client(aws), made(aws)
    (ns, soa) = route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    assert (ns["Type"], soa["Type"]) == ("NS", "SOA")
    for own in (ns, soa):
        change = route53.change_resource_record_sets
        _, message, _ = refusal(change, HostedZoneId=zone, ChangeBatch=batch(("DELETE", own)))
        assert "A HostedZone must contain" in message


def test_zones_conflict_in_one_vpc_with_zones_and_with_endpoints(aws: Aws) -> None:
    create = client(aws).create_hosted_zone
    made(aws)
    again = {"Name": HOST, "VPC": FAR, "CallerReference": "again"}
    assert refusal(create, **again)[0] == "ConflictingDomainExists"
    # The sample endpoint's private DNS holds the name in the hub.
    assert refusal(create, **{**again, "VPC": HUB})[0] == "ConflictingDomainExists"
    found = refusal(create, **{**again, "CallerReference": HOST})
    assert (found[0], found[2]) == ("HostedZoneAlreadyExists", 409)


def test_a_zone_takes_the_name_from_an_endpoint(aws: Aws) -> None:
    """The other way round: private DNS cannot be enabled where a zone has the name."""
    made(aws, "bedrock-runtime.us-east-1.amazonaws.com", HUB)
    ec2 = sample.client(aws, "ec2", INSIDE)
    wanted = {
        "VpcEndpointType": "Interface",
        "VpcId": VPC,
        "ServiceName": "com.amazonaws.us-east-1.bedrock-runtime",
    }
    code, message, _ = refusal(ec2.create_vpc_endpoint, **wanted)
    assert (code, "conflicting DNS domain" in message) == ("InvalidParameter", True)
    assert ec2.create_vpc_endpoint(**wanted, PrivateDnsEnabled=False)["VpcEndpoint"]


WRONG: list[tuple[str, dict[str, Any], str, int]] = [
    ("get_hosted_zone", {"Id": "Z1NOTHING"}, "NoSuchHostedZone", 404),
    ("get_hosted_zone", {"Id": OTHERS}, "AccessDenied", 403),
    ("get_change", {"Id": "C1"}, "NoSuchChange", 404),
    ("delete_hosted_zone", {"Id": "Z1"}, "NoSuchHostedZone", 404),
    ("list_resource_record_sets", {"HostedZoneId": "Z1"}, "NoSuchHostedZone", 404),
    (
        "create_hosted_zone",
        {"Name": "a..b", "VPC": FAR, "CallerReference": "x"},
        "InvalidDomainName",
        400,
    ),
    (
        "create_hosted_zone",
        {"Name": "a.b", "VPC": {**FAR, "VPCId": "vpc-1"}, "CallerReference": "x"},
        "InvalidVPCId",
        400,
    ),
    (
        "create_hosted_zone",
        {"Name": "a.b", "VPC": {**FAR, "VPCRegion": "us-west-2"}, "CallerReference": "x"},
        "InvalidVPCId",
        400,
    ),
    (
        "create_hosted_zone",
        {"Name": "a.b", "CallerReference": "x", "HostedZoneConfig": {"PrivateZone": True}},
        "InvalidInput",
        400,
    ),
    ("list_hosted_zones_by_vpc", {"VPCId": "vpc-1", "VPCRegion": "us-east-1"}, "InvalidVPCId", 400),
    ("list_hosted_zones_by_name", {"HostedZoneId": "Z1"}, "InvalidInput", 400),
    ("associate_vpc_with_hosted_zone", {"HostedZoneId": "Z1", "VPC": HUB}, "NoSuchHostedZone", 404),
    (
        "associate_vpc_with_hosted_zone",
        {"HostedZoneId": OTHERS, "VPC": HUB},
        "NotAuthorizedException",
        401,
    ),
    (
        "list_tags_for_resource",
        {"ResourceType": "hostedzone", "ResourceId": "Z1"},
        "NoSuchHostedZone",
        404,
    ),
]


@pytest.mark.parametrize(("call", "arguments", "code", "status"), WRONG)
def test_route53_refuses(
    aws: Aws, call: str, arguments: dict[str, Any], code: str, status: int
) -> None:
    found = refusal(getattr(client(aws), call), **arguments)
    assert (found[0], found[2]) == (code, status)


def test_vpcs_are_associated_and_the_last_one_stays(aws: Aws, clock: sample.Clock) -> None:
    route53, zone = client(aws), made(aws, "lab.example")
    route53.associate_vpc_with_hosted_zone(HostedZoneId=zone, VPC=HUB)
    assert aws.state.zones[zone].live_vpcs == ()
    clock.time += 5
    aws.state.settle()
    assert len(aws.state.zones[zone].live_vpcs) == 2
    assert route53.get_hosted_zone(Id=zone)["VPCs"] == [FAR, HUB]
    again = refusal(route53.associate_vpc_with_hosted_zone, HostedZoneId=zone, VPC=HUB)
    assert again[0] == "ConflictingDomainExists"
    route53.disassociate_vpc_from_hosted_zone(HostedZoneId=zone, VPC=FAR)
    leave = route53.disassociate_vpc_from_hosted_zone
    assert refusal(leave, HostedZoneId=zone, VPC=FAR)[0] == "VPCAssociationNotFound"
    assert refusal(leave, HostedZoneId=zone, VPC=HUB)[0] == "LastVPCAssociation"


def test_another_accounts_zone_needs_its_authorisation(aws: Aws) -> None:
    owner, mine = client(aws, **STRANGER), client(aws)
    owner.create_vpc_association_authorization(HostedZoneId=OTHERS, VPC=HUB)
    assert owner.list_vpc_association_authorizations(HostedZoneId=OTHERS)["VPCs"] == [HUB]
    mine.associate_vpc_with_hosted_zone(HostedZoneId=OTHERS, VPC=HUB)
    owner.delete_vpc_association_authorization(HostedZoneId=OTHERS, VPC=HUB)
    gone = refusal(owner.delete_vpc_association_authorization, HostedZoneId=OTHERS, VPC=HUB)
    assert gone[0] == "VPCAssociationAuthorizationNotFound"
    listed = mine.list_hosted_zones_by_vpc(VPCId=VPC, VPCRegion="us-east-1")
    owners = {each["Name"]: each["Owner"] for each in listed["HostedZoneSummaries"]}
    assert owners == {
        "other.example.": {"OwningAccount": "111111111111"},
        f"{HOST}.": {"OwningService": "vpce.amazonaws.com"},
    }


def test_a_zone_goes_when_it_is_empty(aws: Aws, clock: sample.Clock) -> None:
    route53, zone = client(aws), made(aws)
    change = route53.change_resource_record_sets
    change(HostedZoneId=zone, ChangeBatch=batch(("CREATE", record())))
    assert refusal(route53.delete_hosted_zone, Id=zone)[0] == "HostedZoneNotEmpty"
    change(HostedZoneId=zone, ChangeBatch=batch(("DELETE", record())))
    assert route53.delete_hosted_zone(Id=zone)["ChangeInfo"]["Status"] == "PENDING"
    assert refusal(route53.get_hosted_zone, Id=zone)[0] == "NoSuchHostedZone"


def test_lists_come_in_order_and_pages(aws: Aws) -> None:
    route53, zone = client(aws), made(aws, "lab.example")
    names = ["z.lab.example", "a.b.lab.example", "*.lab.example"]
    changes = batch(*(("CREATE", record(each)) for each in names))
    route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=changes)
    pages = route53.get_paginator("list_resource_record_sets")
    chunks = list(pages.paginate(HostedZoneId=zone, PaginationConfig={"PageSize": 2}))
    assert [len(each["ResourceRecordSets"]) for each in chunks] == [2, 2, 1]
    found = [each["Name"] for chunk in chunks for each in chunk["ResourceRecordSets"]]
    assert found == [
        "lab.example.",
        "lab.example.",
        "\\052.lab.example.",
        "a.b.lab.example.",
        "z.lab.example.",
    ]
    made(aws, "b.example"), made(aws, "a.example.net")
    listed = route53.list_hosted_zones_by_name(DNSName="c.example", MaxItems="1")
    assert [each["Name"] for each in listed["HostedZones"]] == ["lab.example."]
    assert listed["NextDNSName"] == "a.example.net."
    zones = [
        each["Name"]
        for page in route53.get_paginator("list_hosted_zones").paginate(
            PaginationConfig={"PageSize": 1}
        )
        for each in page["HostedZones"]
    ]
    assert sorted(zones) == ["a.example.net.", "b.example.", "lab.example."]


def test_zones_carry_tags(aws: Aws) -> None:
    route53, zone = client(aws), made(aws)
    target = {"ResourceType": "hostedzone", "ResourceId": zone}
    assert refusal(route53.change_tags_for_resource, **target)[0] == "InvalidInput"
    route53.change_tags_for_resource(**target, AddTags=[{"Key": "a", "Value": "b"}])
    assert route53.list_tags_for_resource(**target)["ResourceTagSet"]["Tags"] == [
        {"Key": "a", "Value": "b"}
    ]
    route53.change_tags_for_resource(**target, RemoveTagKeys=["a"])
    sets = route53.list_tags_for_resources(ResourceType="hostedzone", ResourceIds=[zone])
    assert sets["ResourceTagSets"][0]["Tags"] == []
