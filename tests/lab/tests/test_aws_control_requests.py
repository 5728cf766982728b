# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control planes' door: signatures, credentials, permissions and malformed requests, per protocol."""

from __future__ import annotations

import dataclasses
import json
import re
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from lab.aws import Aws, sample
from lab.aws.records import Caller, Entity
from lab.aws.sample import INSIDE, OUTSIDE
from lab.cloud import Response

KEY, SECRET = "AKIALABAPPLICATION00", "app-secret"
EC2 = "https://ec2.us-east-1.amazonaws.com/"
FORM = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
VERSION = "Version=2016-11-15"
HOSTS = {
    "ec2": ("POST", EC2, FORM, f"Action=DescribeVpcs&{VERSION}"),
    "sts": (
        "POST",
        "https://sts.us-east-1.amazonaws.com/",
        FORM,
        "Action=GetCallerIdentity&Version=2011-06-15",
    ),
    "organizations": (
        "POST",
        "https://organizations.us-east-1.amazonaws.com/",
        {
            "X-Amz-Target": "AWSOrganizationsV20161128.ListRoots",
            "Content-Type": "application/x-amz-json-1.1",
        },
        "{}",
    ),
    "route53": ("GET", "https://route53.amazonaws.com/2013-04-01/hostedzone", {}, ""),
    "access-analyzer": (
        "POST",
        "https://access-analyzer.us-east-1.amazonaws.com/policy/validation",
        {"Content-Type": "application/json"},
        json.dumps({"policyDocument": "{}", "policyType": "SERVICE_CONTROL_POLICY"}),
    ),
}


@pytest.fixture
def clock() -> sample.Clock:
    return sample.Clock()


@pytest.fixture
def aws(clock: sample.Clock) -> Aws:
    return Aws(sample.state(clock))


def send(
    aws: Aws,
    service: str,
    *,
    key: str = KEY,
    secret: str = SECRET,
    token: str | None = None,
    signing_name: str = "",
    body: str | None = None,
    sign: bool = True,
    change: dict[str, str] | None = None,
    path: str = "",
    target: str = "",
) -> Response:
    """One request of the service, signed unless told not to, changed after signing by `change`."""
    method, url, headers, text = HOSTS[service]
    if target:
        headers = {**headers, "X-Amz-Target": target}
    text = text if body is None else body
    request = AWSRequest(method, url.rstrip("/") + path if path else url, dict(headers), text)
    if sign:
        credentials = Credentials(key, secret, token)
        SigV4Auth(credentials, signing_name or service, "us-east-1").add_auth(request)
    prepared = request.prepare()
    prepared.headers.update(change or {})
    arrived = sample.request_of(prepared, OUTSIDE, "203.0.113.64")
    return aws.answer(arrived, aws.parse(arrived))


def code_in(answer: Response) -> str:
    """The error's code, from the header of JSON services or the element of the others."""
    found = re.search(r"<Code>(.*?)</Code>", answer.body.decode())
    return answer.headers.get("x-amzn-ErrorType") or (found.group(1) if found else "")


@pytest.mark.parametrize("service", HOSTS)
def test_a_signed_request_is_answered(aws: Aws, service: str) -> None:
    key = {"organizations": ("AKIALABADMIN00000000", "admin-secret")}.get(service, (KEY, SECRET))
    answer = send(aws, service, key=key[0], secret=key[1])
    assert answer.status == 200, answer.body


FAULTS: dict[str, dict[str, tuple[int, str]]] = {
    "ec2": {
        "missing": (401, "AuthFailure"),
        "unknown": (401, "AuthFailure"),
        "secret": (401, "AuthFailure"),
        "scope": (401, "AuthFailure"),
        "expired": (400, "RequestExpired"),
    },
    "sts": {
        "missing": (403, "MissingAuthenticationToken"),
        "unknown": (403, "InvalidClientTokenId"),
        "secret": (403, "SignatureDoesNotMatch"),
        "scope": (403, "SignatureDoesNotMatch"),
        "expired": (403, "ExpiredToken"),
    },
    "organizations": {
        "missing": (400, "MissingAuthenticationTokenException"),
        "unknown": (400, "UnrecognizedClientException"),
        "secret": (400, "InvalidSignatureException"),
        "scope": (400, "InvalidSignatureException"),
        "expired": (400, "ExpiredTokenException"),
    },
    "route53": {
        "missing": (403, "MissingAuthenticationToken"),
        "unknown": (403, "InvalidClientTokenId"),
        "secret": (403, "SignatureDoesNotMatch"),
        "scope": (403, "SignatureDoesNotMatch"),
        "expired": (403, "ExpiredToken"),
    },
    "access-analyzer": {
        "missing": (403, "MissingAuthenticationTokenException"),
        "unknown": (403, "UnrecognizedClientException"),
        "secret": (403, "InvalidSignatureException"),
        "scope": (403, "InvalidSignatureException"),
        "expired": (403, "ExpiredTokenException"),
    },
}
CASES = [(service, fault) for service, faults in FAULTS.items() for fault in faults]


@pytest.mark.parametrize(("service", "fault"), CASES)
def test_each_service_words_refused_credentials_its_own_way(
    aws: Aws, clock: sample.Clock, service: str, fault: str
) -> None:
    status, code = FAULTS[service][fault]
    if fault == "missing":
        answer = send(aws, service, sign=False)
    elif fault == "unknown":
        answer = send(aws, service, key="AKIALABNOBODY0000000")
    elif fault == "secret":
        answer = send(aws, service, secret="wrong")
    elif fault == "scope":
        answer = send(aws, service, signing_name="s3")
    else:
        user = aws.state.callers[KEY]
        session = dataclasses.replace(
            user, access_key="ASIALABSESSION000000", session_token="t", expires=clock.time - 1
        )
        aws.state.callers[session.access_key] = session
        answer = send(aws, service, key=session.access_key, token="t")
    assert (answer.status, code_in(answer)) == (status, code)


def test_what_was_signed_must_arrive(aws: Aws) -> None:
    assert b"AuthFailure" in send(aws, "ec2", change={"X-Amz-Date": "20200101T000000Z"}).body
    assert b"AuthFailure" in send(aws, "ec2", change={"Content-Type": "text/plain"}).body


def test_a_signature_is_good_for_minutes_only(aws: Aws, clock: sample.Clock) -> None:
    clock.time += 400
    assert b"Signature expired" in send(aws, "sts").body


def test_a_session_needs_its_token(aws: Aws, clock: sample.Clock) -> None:
    session = dataclasses.replace(
        aws.state.callers[KEY], access_key="ASIALABSESSION000000", session_token="t"
    )
    aws.state.callers[session.access_key] = session
    assert send(aws, "sts", key=session.access_key, token="t").status == 200
    assert b"InvalidClientTokenId" in send(aws, "sts", key=session.access_key, token="u").body
    assert b"InvalidClientTokenId" in send(aws, "sts", key=session.access_key).body


WRONG = [
    ("ec2", {"body": f"Action=DescribeDreams&{VERSION}"}, "InvalidAction"),
    ("ec2", {"body": "Action=DescribeVpcs&Version=2010-01-01"}, "InvalidAction"),
    ("ec2", {"body": VERSION}, "MissingAction"),
    # In the model, but not simulated: also no valid action here.
    ("ec2", {"body": f"Action=RunInstances&{VERSION}"}, "InvalidAction"),
    ("ec2", {"body": f"Action=DescribeVpcs&{VERSION}&VpcIdentifier=x"}, "UnknownParameter"),
    ("ec2", {"body": f"Action=DescribeVpcs&{VERSION}&VpcId.first=x"}, "UnknownParameter"),
    ("ec2", {"body": f"Action=DescribeVpcs&{VERSION}&MaxResults=many"}, "InvalidParameterValue"),
    ("ec2", {"body": f"Action=DescribeVpcs&{VERSION}&MaxResults=2"}, "InvalidParameterValue"),
    ("ec2", {"body": f"Action=DescribeVpcs&{VERSION}&NextToken=x"}, "InvalidNextToken"),
    ("ec2", {"body": f"Action=DescribeVpcAttribute&{VERSION}&VpcId=vpc-1"}, "MissingParameter"),
    (
        "ec2",
        {"body": f"Action=DescribeVpcs&{VERSION}&Filter.1.Name=colour&Filter.1.Value.1=red"},
        "InvalidParameterValue",
    ),
    ("sts", {"body": "Action=GetDreams&Version=2011-06-15"}, "InvalidAction"),
    ("sts", {"body": "Action=AssumeRole&Version=2011-06-15"}, "ValidationError"),
    (
        "organizations",
        {"target": "AWSOrganizationsV20161128.ListDreams"},
        "UnknownOperationException",
    ),
    ("organizations", {"target": "Other.ListRoots"}, "UnknownOperationException"),
    ("organizations", {"body": "{"}, "SerializationException"),
    ("organizations", {"body": '{"MaxResults": "x"}'}, "SerializationException"),
    ("organizations", {"body": '{"Colour": 1}'}, "SerializationException"),
    ("organizations", {"body": '{"MaxResults": 21}'}, "InvalidInputException"),
    ("route53", {"path": "/../dream"}, "UnknownOperationException"),
    ("route53", {"path": "?maxitems=none"}, "InvalidInput"),
    ("access-analyzer", {"body": '{"policyDocument": "{}"}'}, "ValidationException"),
    (
        "access-analyzer",
        {"body": '{"policyDocument": "{}", "policyType": "DREAM"}'},
        "ValidationException",
    ),
]


@pytest.mark.parametrize(("service", "request_", "code"), WRONG)
def test_requests_outside_the_model_are_refused(
    aws: Aws, service: str, request_: dict[str, Any], code: str
) -> None:
    answer = send(aws, service, **request_)
    assert answer.status in (400, 404)
    assert code_in(answer) == code


def test_a_broken_request_still_makes_a_call_for_the_journal(aws: Aws) -> None:
    request = AWSRequest("POST", EC2, dict(FORM), f"Action=DeleteVpcEndpoints&{VERSION}").prepare()
    call = aws.parse(sample.request_of(request, OUTSIDE, "203.0.113.64"))
    assert (call.operation, call.principal, call.write) == (
        "ec2:DeleteVpcEndpoints",
        "anonymous",
        True,
    )


@pytest.mark.parametrize(
    ("kind", "service", "code"),
    [
        ("throttle", "ec2", "RequestLimitExceeded"),
        ("throttle", "sts", "Throttling"),
        ("throttle", "organizations", "TooManyRequestsException"),
        ("error", "ec2", "InternalError"),
        ("error", "organizations", "ServiceException"),
    ],
)
def test_faults_are_the_services_own(aws: Aws, kind: Any, service: str, code: str) -> None:
    method, url, headers, body = HOSTS[service]
    request = AWSRequest(method, url, dict(headers), body).prepare()
    answer = aws.fault(aws.parse(sample.request_of(request, OUTSIDE, "203.0.113.64")), kind)
    assert code in answer.body.decode()


def limited(aws: Aws, *actions: str, **more: Any) -> Caller:
    """A user who may do these actions only."""
    policy = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": "*", **more}],
    }
    entity = Entity("arn:aws:iam::222222222222:user/limited", "222222222222", "AIDAL", (policy,))
    caller = Caller(entity.arn, entity.account, "AIDAL", entity, "AKIALABLIMITED000000", "limited")
    aws.state.callers[caller.access_key] = caller
    return caller


def as_(aws: Aws, service: str, caller: Caller) -> Any:
    return sample.client(
        aws, service, INSIDE, access_key=caller.access_key, secret_key=caller.secret_key
    )


def refusal(call: Any, **arguments: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_ec2_names_the_action_that_is_missing(aws: Aws) -> None:
    ec2 = as_(aws, "ec2", limited(aws, "ec2:Describe*"))
    assert ec2.describe_vpcs()["Vpcs"]
    code, message = refusal(ec2.delete_vpc_endpoints, VpcEndpointIds=[sample.ENDPOINT])
    assert code == "UnauthorizedOperation"
    assert "ec2:DeleteVpcEndpoints" in message
    assert "Encoded authorization failure message: " in message
    assert aws.state.endpoints[sample.ENDPOINT].state == "available"
    assert (
        refusal(ec2.delete_vpc_endpoints, VpcEndpointIds=["vpce-1"], DryRun=True)[0]
        == "UnauthorizedOperation"
    )


def test_tags_at_creation_need_their_own_permission(aws: Aws) -> None:
    ec2 = as_(aws, "ec2", limited(aws, "ec2:Describe*", "ec2:CreateSecurityGroup"))
    group = {"GroupName": "x", "Description": "y", "VpcId": sample.VPC}
    tags = [{"ResourceType": "security-group", "Tags": [{"Key": "a", "Value": "b"}]}]
    code, message = refusal(ec2.create_security_group, **group, TagSpecifications=tags)
    assert (code, "ec2:CreateTags" in message) == ("UnauthorizedOperation", True)
    assert ec2.create_security_group(**group)["GroupId"]


def test_permissions_hold_for_the_resources_that_they_name(aws: Aws) -> None:
    arn = f"arn:aws:ec2:us-east-1:222222222222:vpc-endpoint/{sample.ENDPOINT}"
    ec2 = as_(aws, "ec2", limited(aws, "ec2:ModifyVpcEndpoint", Resource=arn))
    assert ec2.modify_vpc_endpoint(VpcEndpointId=sample.ENDPOINT, ResetPolicy=True)["Return"]
    other = refusal(ec2.modify_vpc_endpoint, VpcEndpointId="vpce-0123456789abcdef0")
    assert other[0] == "UnauthorizedOperation"


def test_the_other_services_deny_in_their_words(aws: Aws) -> None:
    caller = limited(aws, "ec2:Describe*")
    assert refusal(as_(aws, "route53", caller).list_hosted_zones)[0] == "AccessDenied"
    trail = refusal(as_(aws, "cloudtrail", caller).lookup_events)
    assert trail[0] == "AccessDeniedException"
    assert "cloudtrail:LookupEvents" in trail[1]
    analyzer = as_(aws, "accessanalyzer", caller)
    arguments = {"policyDocument": "{}", "policyType": "SERVICE_CONTROL_POLICY"}
    assert "access-analyzer:ValidatePolicy" in refusal(analyzer.validate_policy, **arguments)[1]


def test_a_service_control_policy_binds_the_control_plane_too(clock: sample.Clock) -> None:
    organization = dict(sample.WORLD["aws"]["organization"])
    content = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Deny", "Action": "ec2:*", "Resource": "*"}],
    }
    policy = {"id": "p-lablock01", "name": "no", "content": content, "targets": ["r-lab1"]}
    aws = Aws(sample.state(clock, organization={**organization, "policies": [policy]}))
    code, message = refusal(sample.client(aws, "ec2", INSIDE).describe_vpcs)
    assert (code, "service control policy" in message) == ("UnauthorizedOperation", True)


def test_other_accounts_and_regions_see_nothing(aws: Aws) -> None:
    admin = {"access_key": "AKIALABADMIN00000000", "secret_key": "admin-secret"}
    foreign = sample.client(aws, "ec2", OUTSIDE, **admin)
    assert foreign.describe_vpcs()["Vpcs"] == []
    assert refusal(foreign.describe_vpcs, VpcIds=[sample.VPC])[0] == "InvalidVpcID.NotFound"
    west = sample.client(aws, "ec2", OUTSIDE, region="us-west-2")
    assert west.describe_vpc_endpoints()["VpcEndpoints"] == []


def test_only_regions_of_the_world_answer(aws: Aws) -> None:
    assert aws.serves("ec2.us-west-2.amazonaws.com")
    assert not aws.serves("ec2.eu-west-1.amazonaws.com")
    assert not aws.serves("s3.us-east-1.amazonaws.com")


def test_a_role_is_entered_by_both_sides_consent_and_left_in_time(clock: sample.Clock) -> None:
    role = {
        "arn": "arn:aws:iam::222222222222:role/network",
        "trusted": [sample.ADMIN],
        "external_id": "lab",
        "policies": [sample.FULL],
        "tags": {"team": "network"},
    }
    aws = Aws(sample.state(clock, principals=[*sample.WORLD["aws"]["principals"], role]))
    admin = {"access_key": "AKIALABADMIN00000000", "secret_key": "admin-secret"}
    sts = sample.client(aws, "sts", OUTSIDE, **admin)
    wanted = {"RoleArn": role["arn"], "RoleSessionName": "night"}
    assert refusal(sts.assume_role, **wanted)[0] == "AccessDenied"
    stranger = sample.client(aws, "sts", OUTSIDE)
    assert refusal(stranger.assume_role, **wanted, ExternalId="lab")[0] == "AccessDenied"
    nobody = {**wanted, "RoleArn": "arn:aws:iam::222222222222:role/none"}
    code, message = refusal(sts.assume_role, **nobody, ExternalId="lab")
    assert (code, "sts:AssumeRole" in message) == ("AccessDenied", True)
    given = sts.assume_role(**wanted, ExternalId="lab", DurationSeconds=900)["Credentials"]
    session = {
        "access_key": given["AccessKeyId"],
        "secret_key": given["SecretAccessKey"],
        "token": given["SessionToken"],
    }
    inside = sample.client(aws, "sts", OUTSIDE, **session)
    identity = inside.get_caller_identity()
    assert identity["Arn"] == "arn:aws:sts::222222222222:assumed-role/network/night"
    assert sample.client(aws, "ec2", OUTSIDE, **session).describe_vpcs()["Vpcs"]
    late = {**wanted, "ExternalId": "lab", "DurationSeconds": 7200}
    assert refusal(inside.assume_role, **late)[0] in ("ValidationError", "AccessDenied")
    aws.state.timing = dataclasses.replace(aws.state.timing, skew=10_000)
    clock.time += 901
    assert refusal(inside.get_caller_identity)[0] == "ExpiredToken"
    ec2 = sample.client(aws, "ec2", OUTSIDE, **session)
    assert refusal(ec2.describe_vpcs)[0] == "RequestExpired"
