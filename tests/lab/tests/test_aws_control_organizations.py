# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Organizations, Access Analyzer and CloudTrail as a real boto client sees them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from lab.aws import Aws, sample
from lab.aws.records import TrailEvent
from lab.aws.sample import OUTSIDE
from lab.aws.world import load

ADMIN = {"access_key": "AKIALABADMIN00000000", "secret_key": "admin-secret"}
ACCOUNT, UNIT, ROOT = "222222222222", "ou-lab1-workload", "r-lab1"
SCP = "SERVICE_CONTROL_POLICY"
NOBODY = "p-12345678"


def document(**changes: Any) -> str:
    base = {"Effect": "Deny", "Action": "bedrock:*", "Resource": "*"}
    kept = {key: value for key, value in {**base, **changes}.items() if value is not None}
    return json.dumps({"Version": "2012-10-17", "Statement": [kept]})


DENY = document()


@pytest.fixture
def clock() -> sample.Clock:
    return sample.Clock()


@pytest.fixture
def aws(clock: sample.Clock) -> Aws:
    return Aws(sample.state(clock, timing={"scp_propagation": 5, "policy_type_pending": 3}))


def organizations(aws: Aws, **credentials: str) -> Any:
    return sample.client(aws, "organizations", OUTSIDE, **(credentials or ADMIN))


def refusal(call: Any, **arguments: Any) -> dict[str, Any]:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    answer: dict[str, Any] = caught.value.response
    return {"code": answer["Error"]["Code"], "reason": answer.get("Reason"), **answer["Error"]}


def created(aws: Aws, name: str = "guard", text: str = DENY, **more: Any) -> str:
    answer = organizations(aws).create_policy(
        Name=name, Description="", Content=text, Type=SCP, **more
    )
    identity: str = answer["Policy"]["PolicySummary"]["Id"]
    return identity


NEW = {"Name": "new", "Description": "", "Content": DENY, "Type": SCP}
WRONG: list[tuple[str, dict[str, Any], str, str | None]] = [
    ("create_policy", {**NEW, "Name": "standing"}, "DuplicatePolicyException", None),
    ("create_policy", {**NEW, "Content": "{"}, "MalformedPolicyDocumentException", None),
    (
        "create_policy",
        {**NEW, "Content": document(Principal="*")},
        "MalformedPolicyDocumentException",
        None,
    ),
    (
        "create_policy",
        {**NEW, "Content": document(Sid="x" * 10240)},
        "ConstraintViolationException",
        "POLICY_CONTENT_LIMIT_EXCEEDED",
    ),
    ("create_policy", {**NEW, "Type": "DREAM_POLICY"}, "InvalidInputException", "INVALID_ENUM"),
    (
        "create_policy",
        {**NEW, "Type": "TAG_POLICY"},
        "PolicyTypeNotAvailableForOrganizationException",
        None,
    ),
    (
        "create_policy",
        {**NEW, "Tags": [{"Key": "aws:x", "Value": ""}]},
        "InvalidInputException",
        "INVALID_SYSTEM_TAGS_PARAMETER",
    ),
    ("update_policy", {"PolicyId": NOBODY, "Content": DENY}, "PolicyNotFoundException", None),
    (
        "update_policy",
        {"PolicyId": "{standing}", "Content": "[]"},
        "MalformedPolicyDocumentException",
        None,
    ),
    (
        "update_policy",
        {"PolicyId": "p-FullAWSAccess", "Content": DENY},
        "AccessDeniedException",
        None,
    ),
    ("describe_policy", {"PolicyId": NOBODY}, "PolicyNotFoundException", None),
    ("describe_policy", {"PolicyId": "guard"}, "InvalidInputException", "INVALID_PATTERN"),
    ("delete_policy", {"PolicyId": "{standing}"}, "PolicyInUseException", None),
    ("delete_policy", {"PolicyId": NOBODY}, "PolicyNotFoundException", None),
    (
        "attach_policy",
        {"PolicyId": "{standing}", "TargetId": ACCOUNT},
        "DuplicatePolicyAttachmentException",
        None,
    ),
    (
        "attach_policy",
        {"PolicyId": "{standing}", "TargetId": "999999999999"},
        "TargetNotFoundException",
        None,
    ),
    ("attach_policy", {"PolicyId": NOBODY, "TargetId": ACCOUNT}, "PolicyNotFoundException", None),
    (
        "attach_policy",
        {"PolicyId": "{standing}", "TargetId": "x"},
        "InvalidInputException",
        "INVALID_PATTERN",
    ),
    (
        "detach_policy",
        {"PolicyId": "{standing}", "TargetId": UNIT},
        "PolicyNotAttachedException",
        None,
    ),
    (
        "detach_policy",
        {"PolicyId": "p-FullAWSAccess", "TargetId": UNIT},
        "ConstraintViolationException",
        "MIN_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED",
    ),
    (
        "enable_policy_type",
        {"RootId": ROOT, "PolicyType": SCP},
        "PolicyTypeAlreadyEnabledException",
        None,
    ),
    ("enable_policy_type", {"RootId": "r-none", "PolicyType": SCP}, "RootNotFoundException", None),
    (
        "disable_policy_type",
        {"RootId": ROOT, "PolicyType": "TAG_POLICY"},
        "PolicyTypeNotEnabledException",
        None,
    ),
    ("list_parents", {"ChildId": "999999999999"}, "ChildNotFoundException", None),
    ("list_parents", {"ChildId": ROOT}, "InvalidInputException", "INVALID_PATTERN"),
    (
        "list_children",
        {"ParentId": "ou-lab1-nothing1", "ChildType": "ACCOUNT"},
        "ParentNotFoundException",
        None,
    ),
    ("list_accounts_for_parent", {"ParentId": "r-none"}, "ParentNotFoundException", None),
    ("describe_account", {"AccountId": "999999999999"}, "AccountNotFoundException", None),
    (
        "list_policies_for_target",
        {"TargetId": "r-none", "Filter": SCP},
        "TargetNotFoundException",
        None,
    ),
    ("list_targets_for_policy", {"PolicyId": NOBODY}, "PolicyNotFoundException", None),
    (
        "list_policies",
        {"Filter": SCP, "NextToken": "x"},
        "InvalidInputException",
        "INVALID_NEXT_TOKEN",
    ),
    ("tag_resource", {"ResourceId": "999999999999", "Tags": []}, "TargetNotFoundException", None),
    (
        "tag_resource",
        {"ResourceId": "{standing}", "Tags": [{"Key": str(n), "Value": ""} for n in range(51)]},
        "ConstraintViolationException",
        "MAX_TAG_LIMIT_EXCEEDED",
    ),
    ("tag_resource", {"ResourceId": "p-FullAWSAccess", "Tags": []}, "AccessDeniedException", None),
]


@pytest.fixture(scope="module")
def standing() -> tuple[Aws, str]:
    aws = Aws(sample.state(sample.Clock()))
    policy = created(aws, "standing")
    organizations(aws).attach_policy(PolicyId=policy, TargetId=ACCOUNT)
    return aws, policy


@pytest.mark.parametrize(("call", "arguments", "code", "reason"), WRONG)
def test_organizations_refuses_and_changes_nothing(
    standing: tuple[Aws, str], call: str, arguments: dict[str, Any], code: str, reason: str | None
) -> None:
    aws, policy = standing
    organization = aws.state.organization
    before = repr(organization)
    given = {key: policy if value == "{standing}" else value for key, value in arguments.items()}
    found = refusal(getattr(organizations(aws), call), **given)
    assert (found["code"], found["reason"]) == (code, reason)
    assert repr(organization) == before


def test_only_the_management_account_may_look(aws: Aws) -> None:
    member = sample.client(aws, "organizations", OUTSIDE)
    assert member.describe_organization()["Organization"]["Id"] == "o-labprivate1"
    for call in (member.list_roots, member.list_accounts):
        assert refusal(call)["code"] == "AccessDeniedException"


def test_an_account_outside_is_in_no_organization(clock: sample.Clock) -> None:
    world = sample.world()
    del world["aws"]["organization"]
    aws = Aws(load(world, (), clock))
    found = refusal(organizations(aws).describe_organization)
    assert found["code"] == "AWSOrganizationsNotInUseException"


def binds(aws: Aws) -> bool:
    """Whether the deny reaches the account now."""
    aws.state.settle()
    organization = aws.state.organization
    assert organization is not None
    levels = organization.effective(ACCOUNT) or []
    return any(each["Statement"][0]["Effect"] == "Deny" for level in levels for each in level)


def test_a_policy_binds_and_lets_go_only_after_a_while(aws: Aws, clock: sample.Clock) -> None:
    orgs, policy = organizations(aws), created(aws)
    orgs.attach_policy(PolicyId=policy, TargetId=UNIT)
    shown = orgs.list_policies_for_target(TargetId=UNIT, Filter=SCP)["Policies"]
    assert [each["Name"] for each in shown] == ["FullAWSAccess", "guard"]
    assert not binds(aws)
    clock.time += 5
    assert binds(aws)
    orgs.update_policy(PolicyId=policy, Content=document(Effect="Allow", Action="*"))
    assert binds(aws)
    clock.time += 5
    assert not binds(aws)
    orgs.update_policy(PolicyId=policy, Content=DENY)
    clock.time += 5
    assert binds(aws)
    orgs.detach_policy(PolicyId=policy, TargetId=UNIT)
    assert orgs.list_targets_for_policy(PolicyId=policy)["Targets"] == []
    assert binds(aws)
    clock.time += 5
    assert not binds(aws)
    orgs.delete_policy(PolicyId=policy)
    assert refusal(orgs.describe_policy, PolicyId=policy)["code"] == "PolicyNotFoundException"


def test_ten_policies_are_the_most_that_a_node_holds(aws: Aws) -> None:
    orgs = organizations(aws)
    for number in range(9):
        orgs.attach_policy(PolicyId=created(aws, f"n{number}"), TargetId=UNIT)
    found = refusal(orgs.attach_policy, PolicyId=created(aws, "last"), TargetId=UNIT)
    assert found["reason"] == "MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED"


def test_a_policy_type_is_switched_asynchronously(aws: Aws, clock: sample.Clock) -> None:
    orgs = organizations(aws)
    orgs.attach_policy(PolicyId=created(aws), TargetId=ROOT)

    def status() -> list[str]:
        return [each["Status"] for each in orgs.list_roots()["Roots"][0]["PolicyTypes"]]

    answer = orgs.disable_policy_type(RootId=ROOT, PolicyType=SCP)
    assert answer["Root"]["PolicyTypes"][0]["Status"] == "PENDING_DISABLE"
    clock.time += 3
    assert status() == []
    assert refusal(orgs.attach_policy, PolicyId="p-FullAWSAccess", TargetId=ROOT)["code"] == (
        "PolicyTypeNotEnabledException"
    )
    orgs.enable_policy_type(RootId=ROOT, PolicyType=SCP)
    assert status() == ["PENDING_ENABLE"]
    clock.time += 3
    assert status() == ["ENABLED"]
    shown = orgs.list_policies_for_target(TargetId=ROOT, Filter=SCP)["Policies"]
    assert [each["Name"] for each in shown] == ["FullAWSAccess"]


def test_policies_carry_tags(aws: Aws) -> None:
    orgs = organizations(aws)
    policy = created(aws, Tags=[{"Key": "owner", "Value": "me"}])
    orgs.tag_resource(ResourceId=policy, Tags=[{"Key": "pending", "Value": "run"}])
    orgs.untag_resource(ResourceId=policy, TagKeys=["owner"])
    assert orgs.list_tags_for_resource(ResourceId=policy)["Tags"] == [
        {"Key": "pending", "Value": "run"}
    ]


def test_the_tree_is_walked_both_ways_and_in_pages(aws: Aws) -> None:
    orgs = organizations(aws)
    assert orgs.list_parents(ChildId=ACCOUNT)["Parents"] == [
        {"Id": UNIT, "Type": "ORGANIZATIONAL_UNIT"}
    ]
    assert orgs.list_parents(ChildId=UNIT)["Parents"] == [{"Id": ROOT, "Type": "ROOT"}]
    children = orgs.list_children(ParentId=ROOT, ChildType="ACCOUNT")["Children"]
    assert [each["Id"] for each in children] == ["111111111111"]
    assert orgs.list_accounts_for_parent(ParentId=UNIT)["Accounts"][0]["Id"] == ACCOUNT
    assert (
        orgs.list_organizational_units_for_parent(ParentId=ROOT)["OrganizationalUnits"][0]["Id"]
        == UNIT
    )
    pages = orgs.get_paginator("list_accounts").paginate(PaginationConfig={"PageSize": 1})
    assert [each["Id"] for page in pages for each in page["Accounts"]] == ["111111111111", ACCOUNT]


FINDINGS: list[tuple[str, str, str | None]] = [
    ("{", SCP, "JSON_SYNTAX_ERROR"),
    ("{}", SCP, "MISSING_STATEMENT"),
    (DENY, SCP, None),
    (document(Condition={"StringNotEqualsIfExists": {"aws:SourceVpce": ["vpce-1"]}}), SCP, None),
    (document(Condition={"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": ["o/*"]}}), SCP, None),
    (
        document(Condition={"StringNotEqual": {"aws:SourceVpce": "x"}}),
        SCP,
        "INVALID_CONDITION_OPERATOR",
    ),
    (document(Condition={"NullIfExists": {"aws:SourceVpce": "true"}}), SCP, "NULL_WITH_IF_EXISTS"),
    (document(Condition={"Bool": {"aws:ViaAWSService": "no"}}), SCP, "TYPE_MISMATCH_BOOLEAN"),
    (document(Condition={"IpAddress": {"aws:SourceIp": "ten"}}), SCP, "TYPE_MISMATCH_IP_RANGE"),
    (
        document(Condition={"StringEquals": {"SourceVpce": "x"}}),
        SCP,
        "INVALID_CONDITION_KEY_FORMAT",
    ),
    (document(Condition={"StringEquals": {"aws:SourceVpce": {}}}), SCP, "DATA_TYPE_MISMATCH"),
    (document(Principal="*"), SCP, "SCP_SYNTAX_ERROR_PRINCIPAL"),
    (document(Action="bedrock"), SCP, "INVALID_ACTION"),
    (document(NotAction="iam:*"), SCP, "UNSUPPORTED_ELEMENT_COMBINATION"),
    (document(Action=None), SCP, "MISSING_ACTION"),
    (document(Resource=None), SCP, "MISSING_RESOURCE"),
    (document(Resource="bedrock"), SCP, "INVALID_ARN_PREFIX"),
    (document(Resource="arn:aws:bedrock"), SCP, "MISSING_ARN_FIELD"),
    (document(Effect="Refuse"), SCP, "INVALID_EFFECT"),
    (document(Effect=None), SCP, "MISSING_EFFECT"),
    (document(Effects="Deny"), SCP, "INVALID_POLICY_ELEMENT"),
    (document(Sid="x" * 10240), SCP, "POLICY_SIZE_EXCEEDS_SCP_QUOTA"),
    (document(), "RESOURCE_POLICY", "MISSING_PRINCIPAL"),
    (document(Principal="*"), "RESOURCE_POLICY", None),
    (document(Principal="*"), "IDENTITY_POLICY", "UNSUPPORTED_PRINCIPAL"),
]


@pytest.mark.parametrize(("text", "kind", "code"), FINDINGS)
def test_access_analyzer_finds_what_is_malformed(text: str, kind: str, code: str | None) -> None:
    aws = Aws(sample.state())
    analyzer = sample.client(aws, "accessanalyzer", OUTSIDE)
    found = analyzer.validate_policy(policyDocument=text, policyType=kind)["findings"]
    errors = [each["issueCode"] for each in found if each["findingType"] == "ERROR"]
    assert errors == ([code] if code else [])


def recorded(aws: Aws, name: str, moment: float, **changes: Any) -> None:
    facts: dict[str, Any] = {
        "id": f"{name}-{moment}",
        "time": moment,
        "account": ACCOUNT,
        "region": "us-east-1",
        "name": name,
        "source": "bedrock.amazonaws.com",
        "username": "app",
        "access_key": "AKIA",
        "read_only": True,
        "detail": {"eventName": name, "vpcEndpointId": "vpce-1"},
    }
    aws.state.trail.append(TrailEvent(**{**facts, **changes}))


def trail(aws: Aws) -> Any:
    return sample.client(aws, "cloudtrail", OUTSIDE)


def test_events_are_found_newest_first_by_time_and_attribute(aws: Aws, clock: sample.Clock) -> None:
    now = clock.time
    for age in range(1, 8):
        recorded(aws, "InvokeModel", now - age)
    recorded(aws, "Converse", now - 3.5)
    recorded(aws, "Retrieve", now - 1, management=False)
    recorded(aws, "InvokeModel", now - 1, account="111111111111")
    recorded(aws, "InvokeModel", now - 1, region="us-west-2")
    recorded(aws, "InvokeModel", now - 91 * 86400)
    pages = trail(aws).get_paginator("lookup_events").paginate(PaginationConfig={"PageSize": 3})
    events = [each for page in pages for each in page["Events"]]
    assert [now - each["EventTime"].timestamp() for each in events] == [1, 2, 3, 3.5, 4, 5, 6, 7]
    assert json.loads(events[0]["CloudTrailEvent"])["vpcEndpointId"] == "vpce-1"
    by_name = [{"AttributeKey": "EventName", "AttributeValue": "Converse"}]
    found = trail(aws).lookup_events(LookupAttributes=by_name, StartTime=now - 5)["Events"]
    assert [each["EventName"] for each in found] == ["Converse"]
    assert trail(aws).lookup_events(LookupAttributes=by_name, StartTime=now - 3)["Events"] == []


def test_events_show_after_a_delay_and_lookups_are_throttled(clock: sample.Clock) -> None:
    aws = Aws(sample.state(clock, timing={"trail_delay": 60, "trail_rate": 2}))
    recorded(aws, "InvokeModel", clock.time)
    lookup = trail(aws).lookup_events
    assert lookup()["Events"] == []
    clock.time += 60
    assert len(lookup()["Events"]) == 1
    lookup()
    assert refusal(lookup)["code"] == "ThrottlingException"
    clock.time += 1.1
    assert len(lookup()["Events"]) == 1


def test_lookups_outside_the_rules_are_refused(aws: Aws, clock: sample.Clock) -> None:
    one = {"AttributeKey": "EventName", "AttributeValue": "x"}
    lookup = trail(aws).lookup_events
    assert (
        refusal(lookup, LookupAttributes=[one, one])["code"] == "InvalidLookupAttributesException"
    )
    assert refusal(lookup, MaxResults=50, NextToken="x")["code"] == "InvalidNextTokenException"
    late = {"StartTime": clock.time, "EndTime": clock.time - 9}
    assert refusal(lookup, **late)["code"] == "InvalidTimeRangeException"
