# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The data planes as real boto clients see them: admitted, refused, and by whom."""

from __future__ import annotations

import dataclasses
import json
from typing import Any
from urllib.parse import quote

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError, EventStreamError

from lab.aws import sample
from lab.aws.dataplane import DataPlane
from lab.aws.records import Caller, Entity
from lab.aws.sample import APP, ENDPOINT, INSIDE, OUTSIDE
from lab.aws.state import State

MODEL = "anthropic.claude-3-haiku-20240307-v1:0"


def lock(*endpoints: str) -> dict[str, Any]:
    """The SCP of the lockdown."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Deny",
                "Action": ["bedrock:*", "bedrock-agentcore:*", "sagemaker:*"],
                "Resource": "*",
                "Condition": {
                    "StringNotEqualsIfExists": {"aws:SourceVpce": list(endpoints)},
                    "BoolIfExists": {"aws:ViaAWSService": "false"},
                    "ArnNotLikeIfExists": {"aws:PrincipalArn": ["arn:aws:iam::*:role/break-glass"]},
                },
            }
        ],
    }


def locked(clock: sample.Clock | None = None) -> State:
    organization = dict(sample.WORLD["aws"]["organization"])
    policy = {
        "id": "p-lablock01",
        "name": "lock",
        "content": lock(ENDPOINT),
        "targets": ["222222222222"],
    }
    return sample.state(clock, organization={**organization, "policies": [policy]})


def address_of(state: State, number: int = 0) -> str:
    endpoint = state.endpoints[ENDPOINT]
    return state.interfaces[endpoint.interface_ids[number]].address


def refusal(call: Any, **arguments: Any) -> tuple[int, str, str]:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    answer = caught.value.response
    return (
        answer["ResponseMetadata"]["HTTPStatusCode"],
        answer["Error"]["Code"],
        answer["Error"]["Message"],
    )


CALLS = [
    ("bedrock", "list_foundation_models", {}, "modelSummaries"),
    ("bedrock", "get_foundation_model", {"modelIdentifier": MODEL}, "modelDetails"),
    ("bedrock", "list_guardrails", {}, "guardrails"),
    ("bedrock", "list_inference_profiles", {}, "inferenceProfileSummaries"),
    ("bedrock-runtime", "invoke_model", {"modelId": MODEL, "body": "{}"}, "body"),
    (
        "bedrock-runtime",
        "converse",
        {
            "modelId": f"us.{MODEL}",
            "messages": [{"role": "user", "content": [{"text": "Hello"}]}],
        },
        "output",
    ),
    ("bedrock-runtime", "list_async_invokes", {}, "ResponseMetadata"),
    ("bedrock-agent", "list_agents", {}, "agentSummaries"),
    ("bedrock-agent", "list_knowledge_bases", {}, "knowledgeBaseSummaries"),
    (
        "bedrock-agent-runtime",
        "retrieve",
        {"knowledgeBaseId": "LABKNOWL01", "retrievalQuery": {"text": "?"}},
        "retrievalResults",
    ),
    ("bedrock-agent-runtime", "list_sessions", {}, "sessionSummaries"),
    ("bedrock-data-automation", "list_data_automation_projects", {}, "projects"),
    ("bedrock-agentcore-control", "list_agent_runtimes", {}, "agentRuntimes"),
    ("sagemaker", "list_endpoints", {}, "Endpoints"),
    ("sagemaker", "describe_endpoint", {"EndpointName": "lab-endpoint"}, "EndpointArn"),
    (
        "sagemaker-runtime",
        "invoke_endpoint",
        {"EndpointName": "lab-endpoint", "Body": b"{}"},
        "Body",
    ),
]


@pytest.mark.parametrize(("service", "method", "arguments", "member"), CALLS)
def test_public_calls_are_admitted_by_default(
    service: str, method: str, arguments: dict[str, Any], member: str
) -> None:
    client = sample.client(DataPlane(sample.state()), service, OUTSIDE)
    assert member in getattr(client, method)(**arguments)


@pytest.mark.parametrize(("service", "method", "arguments", "member"), CALLS)
def test_the_lock_refuses_every_public_call(
    service: str, method: str, arguments: dict[str, Any], member: str
) -> None:
    client = sample.client(DataPlane(locked()), service, OUTSIDE)
    status, code, message = refusal(getattr(client, method), **arguments)
    # SageMaker's API speaks JSON 1.1, whose errors are all 400.
    assert (status, code) == (400 if service == "sagemaker" else 403, "AccessDeniedException")
    assert message.startswith(f"User: {APP} is not authorized to perform: {service[:7]}")
    assert message.endswith(
        " with an explicit deny in a service control policy: arn:aws:organizations::111111111111:"
        "policy/o-labprivate1/service_control_policy/p-lablock01"
    )


def test_streams_are_read_by_botocore() -> None:
    state = sample.state()
    runtime = sample.client(DataPlane(state), "bedrock-runtime", OUTSIDE)
    chunks = runtime.invoke_model_with_response_stream(modelId=MODEL, body="{}")["body"]
    assert [json.loads(each["chunk"]["bytes"])["role"] for each in chunks] == ["assistant"]
    messages = [{"role": "user", "content": [{"text": "Hello"}]}]
    stream = runtime.converse_stream(modelId=MODEL, messages=messages)["stream"]
    assert [next(iter(each)) for each in stream][0::4] == ["messageStart", "metadata"]


def invoke_agent(state: State, agent_id: str = "LABAGENT01") -> list[Any]:
    through = sample.client(DataPlane(state), "bedrock-agent-runtime", OUTSIDE)
    answer = through.invoke_agent(
        agentId=agent_id, agentAliasId="LABALIAS01", sessionId="one", inputText="Hello"
    )
    return list(answer["completion"])


def test_an_agent_calls_the_model_under_its_own_role() -> None:
    state = sample.state()
    assert [each["chunk"]["bytes"] for each in invoke_agent(state)] == [b"Hello from the lab."]
    by_service, by_user = state.trail
    assert (by_service.name, by_user.name) == ("InvokeModel", "InvokeAgent")
    identity = by_service.detail["userIdentity"]
    assert identity["invokedBy"] == by_service.detail["sourceIPAddress"] == "bedrock.amazonaws.com"
    assert identity["sessionContext"]["sessionIssuer"]["arn"] == sample.AGENT_ROLE
    assert "vpcEndpointId" not in by_service.detail
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        invoke_agent(state, "ABSENT")


@pytest.mark.parametrize("exempt", [False, True])
def test_a_lock_breaks_an_agent_unless_its_role_is_exempt(exempt: bool) -> None:
    state = locked()
    assert state.organization is not None and state.organization.binding is not None
    policy = lock(ENDPOINT)
    arns = policy["Statement"][0]["Condition"]["ArnNotLikeIfExists"]["aws:PrincipalArn"]
    arns += [APP, *([sample.AGENT_ROLE] if exempt else [])]
    binding = state.organization.binding
    state.organization.binding = {**binding, "222222222222": (sample.FULL, policy)}
    if exempt:
        assert invoke_agent(state)
        return
    with pytest.raises(EventStreamError, match="Access denied when calling Bedrock"):
        invoke_agent(state)
    assert state.trail[0].detail["errorCode"] == "AccessDenied"


def test_an_account_without_the_role_has_no_agent() -> None:
    state = sample.state()
    del state.entities[sample.AGENT_ROLE]
    agents = sample.client(DataPlane(state), "bedrock-agent", OUTSIDE)
    assert agents.list_agents()["agentSummaries"] == []


def test_another_accounts_role_makes_no_agent() -> None:
    keys = {"access_key": "AKIALABADMIN00000000", "secret_key": "admin-secret"}
    agents = sample.client(DataPlane(sample.state()), "bedrock-agent", OUTSIDE, **keys)
    assert agents.list_agents()["agentSummaries"] == []


@pytest.mark.parametrize(
    ("action", "plain", "streaming"),
    [
        ("bedrock:InvokeModel", True, False),
        ("bedrock:InvokeModelWithResponseStream", False, True),
        ("bedrock:Converse*", False, False),
    ],
)
def test_converse_is_authorised_as_invoke_model(action: str, plain: bool, streaming: bool) -> None:
    state = sample.state()
    statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
    state.callers["AKIALABAPPLICATION00"].entity.policies = ({"Statement": [statement]},)
    client = sample.client(DataPlane(state), "bedrock-runtime", OUTSIDE)
    arguments = {"modelId": MODEL, "messages": [{"role": "user", "content": [{"text": "?"}]}]}
    for call, allowed, wanted in (
        (client.converse, plain, "InvokeModel"),
        (client.converse_stream, streaming, "InvokeModelWithResponseStream"),
    ):
        if allowed:
            assert call(**arguments)
        else:
            message = refusal(call, **arguments)[2]
            assert f"not authorized to perform: bedrock:{wanted} on resource" in message


def test_a_denial_is_spelled_as_awss_front_spells_it() -> None:
    headers, bodies = [], []
    client = sample.client(DataPlane(locked()), "bedrock", OUTSIDE)

    def keep(response_dict: Any, **_: Any) -> None:
        headers.append(response_dict["headers"])
        bodies.append(json.loads(response_dict["body"]))

    client.meta.events.register("before-parse.bedrock.ListGuardrails", keep)
    refusal(client.list_guardrails)
    assert headers[0]["x-amzn-ErrorType"].startswith("AccessDeniedException:http://")
    assert list(bodies[0]) == ["Message"]


def test_hosts_that_do_not_exist_are_not_served() -> None:
    plane = DataPlane(sample.state())
    assert plane.serves("bedrock.us-east-1.amazonaws.com")
    assert plane.serves("vpce-1-a.runtime.sagemaker.us-east-1.vpce.amazonaws.com")
    for host in ("bedrock.us-east-1.api.aws", "bedrock.eu-north-1.amazonaws.com", "example.com"):
        assert not plane.serves(host)


def test_through_the_endpoint_the_lock_admits() -> None:
    state = locked()
    client = sample.client(DataPlane(state), "bedrock", INSIDE, address_of(state))
    assert client.list_foundation_models()["modelSummaries"]


def test_an_endpoint_answers_only_for_its_own_service() -> None:
    state = sample.state()
    client = sample.client(DataPlane(state), "bedrock-runtime", INSIDE, address_of(state))
    status, _, message = refusal(client.list_async_invokes)
    assert status == 404
    assert message.endswith("answers for bedrock-runtime.us-east-1.amazonaws.com")
    fips = "https://bedrock-fips.us-east-1.amazonaws.com"
    client = sample.client(
        DataPlane(state), "bedrock", INSIDE, address_of(state), endpoint_url=fips
    )
    assert refusal(client.list_foundation_models)[0] == 404


def test_an_endpoints_own_name_works_with_its_own_address() -> None:
    state = sample.state()
    endpoint = state.endpoints[ENDPOINT]
    url = f"https://{endpoint.id}-{endpoint.suffix}.bedrock.us-east-1.vpce.amazonaws.com"
    client = sample.client(DataPlane(state), "bedrock", INSIDE, address_of(state), endpoint_url=url)
    assert client.list_foundation_models()["modelSummaries"]


ONLY_LISTS = {
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": "*",
            "Action": "bedrock:ListFoundationModels",
            "Resource": "*",
        }
    ]
}
DENIES_GUARDRAILS = {
    "Statement": [
        {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"},
        {"Effect": "Deny", "Principal": "*", "Action": "bedrock:ListGuardrails", "Resource": "*"},
    ]
}


@pytest.mark.parametrize(
    ("policy", "phrase"),
    [
        (ONLY_LISTS, "because no VPC endpoint policy allows the bedrock:ListGuardrails action"),
        (DENIES_GUARDRAILS, "with an explicit deny in a VPC endpoint policy"),
    ],
)
def test_the_endpoint_policy_has_a_say(policy: dict[str, Any], phrase: str) -> None:
    state = sample.state()
    state.endpoints[ENDPOINT].policy = policy
    client = sample.client(DataPlane(state), "bedrock", INSIDE, address_of(state))
    assert client.list_foundation_models()["modelSummaries"]
    assert refusal(client.list_guardrails) == (
        403,
        "AccessDeniedException",
        f"User: {APP} is not authorized to perform: bedrock:ListGuardrails {phrase}",
    )
    public = sample.client(DataPlane(state), "bedrock", INSIDE)
    assert public.list_guardrails()["guardrails"] == []


def test_the_identity_policy_has_a_say_and_names_the_resource() -> None:
    state = sample.state()
    key = "AKIALABAPPLICATION00"
    caller = state.callers[key]
    state.callers[key] = dataclasses.replace(
        caller, entity=dataclasses.replace(caller.entity, policies=())
    )
    client = sample.client(DataPlane(state), "bedrock-runtime", OUTSIDE)
    _, _, message = refusal(client.invoke_model, modelId=MODEL, body="{}")
    assert message == (
        f"User: {APP} is not authorized to perform: bedrock:InvokeModel on resource: "
        f"arn:aws:bedrock:us-east-1::foundation-model/{MODEL} because no identity-based policy "
        "allows the bedrock:InvokeModel action"
    )


@pytest.mark.parametrize(
    "resources",
    [
        [f"arn:aws:bedrock:us-east-1::foundation-model/{MODEL}"],
        ["arn:aws:bedrock:us-east-1:222222222222:inference-profile/*"],
        [
            "arn:aws:bedrock:us-east-1:222222222222:inference-profile/*",
            f"arn:aws:bedrock:us-east-1::foundation-model/{MODEL}",
            f"arn:aws:bedrock:us-west-2::foundation-model/{MODEL}",
        ],
    ],
)
def test_a_profile_needs_the_model_in_every_destination(resources: list[str]) -> None:
    state = sample.state()
    statement = {"Effect": "Allow", "Action": "bedrock:*", "Resource": resources}
    state.callers["AKIALABAPPLICATION00"].entity.policies = ({"Statement": [statement]},)
    client = sample.client(DataPlane(state), "bedrock-runtime", OUTSIDE)
    arguments = {"modelId": f"us.{MODEL}", "body": "{}"}
    assert refusal(client.invoke_model, **arguments)[1] == "AccessDeniedException"
    everywhere = f"arn:aws:bedrock:*::foundation-model/{MODEL}"
    statement["Resource"] = [
        everywhere,
        "arn:aws:bedrock:us-east-1:222222222222:inference-profile/*",
    ]
    assert client.invoke_model(**arguments)["contentType"] == "application/json"


@pytest.mark.parametrize("service", ["bedrock", "bedrock-runtime", "sagemaker"])
def test_bad_credentials(service: str) -> None:
    plane = DataPlane(sample.state())
    method = {
        "bedrock": "list_guardrails",
        "bedrock-runtime": "list_async_invokes",
        "sagemaker": "list_endpoints",
    }[service]
    status = 400 if service == "sagemaker" else 403
    unknown = sample.client(plane, service, OUTSIDE, access_key="AKIAUNKNOWN000000000")
    assert refusal(getattr(unknown, method)) == (
        status,
        "UnrecognizedClientException",
        "The security token included in the request is invalid.",
    )
    wrong = sample.client(plane, service, OUTSIDE, secret_key="wrong")
    assert refusal(getattr(wrong, method))[:2] == (status, "InvalidSignatureException")


def test_an_expired_session() -> None:
    state = sample.state()
    role = Entity("arn:aws:iam::222222222222:role/app", "222222222222", "AROA1", (sample.FULL,))
    state.callers["ASIALAB"] = Caller(
        "arn:aws:sts::222222222222:assumed-role/app/one",
        "222222222222",
        "AROA1:one",
        role,
        "ASIALAB",
        "s",
        "token",
        expires=state.now() - 1,
    )
    client = sample.client(
        DataPlane(state), "bedrock", OUTSIDE, access_key="ASIALAB", secret_key="s", token="token"
    )
    assert refusal(client.list_guardrails)[:2] == (403, "ExpiredTokenException")


def test_without_credentials_the_header_names_the_error() -> None:
    from lab.cloud import Request

    plane = DataPlane(sample.state())
    request = Request(
        OUTSIDE,
        "203.0.113.64",
        "bedrock.us-east-1.amazonaws.com",
        "GET",
        "/foundation-models",
        "",
        {"host": "bedrock.us-east-1.amazonaws.com"},
        b"",
        0.0,
    )
    call = plane.parse(request)
    assert (call.operation, call.principal) == ("bedrock:ListFoundationModels", "anonymous")
    response = plane.answer(request, call)
    assert response.status == 403
    assert response.headers["x-amzn-ErrorType"] == "MissingAuthenticationTokenException"
    assert json.loads(response.body)["message"] == "Missing Authentication Token"


@pytest.mark.parametrize(
    ("service", "method", "arguments", "code"),
    [
        ("bedrock-runtime", "invoke_model", {"modelId": "no-such"}, "ValidationException"),
        (
            "bedrock-runtime",
            "invoke_model",
            {"modelId": MODEL, "body": "not json"},
            "ValidationException",
        ),
        (
            "bedrock",
            "get_guardrail",
            {"guardrailIdentifier": "absent"},
            "ResourceNotFoundException",
        ),
        ("bedrock", "list_guardrails", {"guardrailIdentifier": "!!"}, "ValidationException"),
        ("sagemaker", "describe_endpoint", {"EndpointName": "absent"}, "ValidationException"),
        (
            "sagemaker-runtime",
            "invoke_endpoint",
            {"EndpointName": "no", "Body": b""},
            "ValidationError",
        ),
    ],
)
def test_wrong_requests(service: str, method: str, arguments: dict[str, Any], code: str) -> None:
    client = sample.client(DataPlane(sample.state()), service, OUTSIDE)
    assert refusal(getattr(client, method), **arguments)[1] == code


def test_an_unbound_policy_change_binds_after_propagation() -> None:
    clock = sample.Clock()
    state = locked(clock)
    assert state.organization is not None
    client = sample.client(DataPlane(state), "bedrock", OUTSIDE)
    state.organization.attachments["222222222222"].remove("p-lablock01")
    state.bind_policies()
    assert refusal(client.list_guardrails)[1] == "AccessDeniedException"
    clock.time += state.timing.scp_propagation
    assert client.list_guardrails()["guardrails"] == []


def test_calls_leave_cloudtrail_events() -> None:
    state = locked()
    plane = DataPlane(state)
    sample.client(plane, "bedrock", INSIDE, address_of(state)).list_foundation_models()
    refusal(sample.client(plane, "bedrock-runtime", OUTSIDE).invoke_model, modelId=MODEL, body="{}")
    refusal(sample.client(plane, "bedrock-runtime", OUTSIDE).list_async_invokes)
    private, refused, data = state.trail
    assert private.detail["vpcEndpointId"] == ENDPOINT
    assert private.detail["sourceIPAddress"] == INSIDE.address
    assert private.detail["userIdentity"]["arn"] == APP
    assert (private.name, private.source) == ("ListFoundationModels", "bedrock.amazonaws.com")
    assert "errorCode" not in private.detail
    assert (refused.name, refused.detail["errorCode"]) == ("InvokeModel", "AccessDenied")
    assert "vpcEndpointId" not in refused.detail
    assert refused.detail["sourceIPAddress"] == OUTSIDE.address
    assert refused.detail["requestParameters"] == {"modelId": MODEL}
    assert [each.management for each in state.trail] == [True, True, False]
    assert data.detail["eventCategory"] == "Data"


@pytest.mark.parametrize(
    ("method", "path", "status", "operation"),
    [
        ("GET", "/v1/models", 200, "ListModels"),
        ("GET", f"/v1/models/{quote(MODEL, safe='')}", 200, "GetModel"),
        ("GET", "/v1/models/absent", 404, "GetModel"),
        ("POST", "/v1/chat/completions", 200, "CreateInference"),
    ],
)
def test_mantle_speaks_openai(method: str, path: str, status: int, operation: str) -> None:
    state = sample.state()
    plane = DataPlane(state)
    host = "bedrock-mantle.us-east-1.api.aws"
    body = json.dumps({"model": MODEL, "messages": [{"role": "user", "content": "?"}]})
    unsigned = AWSRequest(method, f"https://{host}{path}", data=body if method == "POST" else "")
    keys = Credentials("AKIALABAPPLICATION00", "app-secret")
    SigV4Auth(keys, "bedrock-mantle", "us-east-1").add_auth(unsigned)
    request = sample.request_of(unsigned.prepare(), OUTSIDE, "203.0.113.64")
    call = plane.parse(request)
    assert call.operation == f"bedrock-mantle:{operation}"
    assert plane.answer(request, call).status == status
    assert state.trail[0].management is (operation != "CreateInference")


def test_faults_speak_the_services_protocol() -> None:
    plane = DataPlane(sample.state())
    seen: list[tuple[int, str]] = []
    for kind in ("throttle", "error"):
        faulty = _Faulty(plane, kind)
        client = sample.client(faulty, "bedrock", OUTSIDE)
        seen.append(refusal(client.list_guardrails)[:2])
    assert seen == [(429, "ThrottlingException"), (500, "InternalServerException")]


class _Faulty:
    def __init__(self, plane: DataPlane, kind: Any) -> None:
        self.parse, self.plane, self.kind = plane.parse, plane, kind

    def answer(self, request: Any, call: Any) -> Any:
        return self.plane.fault(call, self.kind)
