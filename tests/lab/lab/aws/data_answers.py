# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each data-plane operation answers, once it is allowed.

Operations without an answer of their own list nothing, find nothing, or say that the lab has them not.
"""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..cloud import Response
from . import agent, eventstream, foundation, serialise
from .datacalls import DataCall
from .errors import AwsError
from .models import Shape, model

_TEXT = "Hello from the lab."


def answer(call: DataCall) -> Response:
    """Carry the call out; raises AwsError for what the service refuses."""
    own = _ANSWERS.get((call.service, call.operation.name))
    if own is not None:
        return own(call)
    name = call.operation.name
    shape: Shape = call.operation.output_shape
    if name.startswith("List"):
        lists = [key for key in shape.required_members if _is_list(shape, key)]
        return _plain(call, {key: [] for key in lists})
    if name.startswith(("Get", "Describe")):
        raise _not_found(call)
    raise AwsError("NotImplementedException", f"The lab does not simulate {name}", 501)


def _is_list(shape: Shape, member: str) -> bool:
    return bool(shape.members[member].type_name == "list")


def _not_found(call: DataCall) -> AwsError:
    if call.service == "sagemaker":
        names = ", ".join(str(each) for each in call.params.values())
        return AwsError("ValidationException", f'Could not find "{names}".')
    return AwsError("ResourceNotFoundException", "The resource you requested was not found.", 404)


def _plain(call: DataCall, result: Mapping[str, Any]) -> Response:
    return serialise.success(model(call.service), call.operation, result)


def _raw(body: bytes, content_type: str, headers: Mapping[str, str] | None = None) -> Response:
    """A response whose body is a payload of the operation, not the serialised members."""
    return Response(
        200,
        {"x-amzn-RequestId": str(uuid.uuid4()), "Content-Type": content_type, **(headers or {})},
        body,
    )


def _summary(call: DataCall, each: foundation.FoundationModel) -> dict[str, Any]:
    text = each.output == "TEXT"
    return {
        "modelArn": foundation.model_arn(call.region, each.id),
        "modelId": each.id,
        "modelName": each.name,
        "providerName": each.provider,
        "inputModalities": ["TEXT"],
        "outputModalities": [each.output],
        "responseStreamingSupported": text,
        "customizationsSupported": [],
        "inferenceTypesSupported": ["ON_DEMAND"],
        "modelLifecycle": {"status": "ACTIVE"},
    }


def _list_models(call: DataCall) -> Response:
    wanted = call.params
    return _plain(
        call,
        {
            "modelSummaries": [
                _summary(call, each)
                for each in foundation.MODELS
                if wanted.get("byProvider", each.provider).lower() == each.provider.lower()
                and wanted.get("byOutputModality", each.output) == each.output
            ]
        },
    )


def _get_model(call: DataCall) -> Response:
    found = foundation.model_by_id(str(call.params["modelIdentifier"]).rpartition("/")[2])
    if found is None:
        raise AwsError("ValidationException", "The provided model identifier is invalid.")
    return _plain(call, {"modelDetails": _summary(call, found)})


def _list_profiles(call: DataCall) -> Response:
    moment = call.state.now()
    summaries = [
        {
            "inferenceProfileName": each.id,
            "inferenceProfileId": each.id,
            "inferenceProfileArn": foundation.profile_arn(
                call.region, call.caller.account, each.id
            ),
            "models": [
                {"modelArn": foundation.model_arn(region, each.model_id)} for region in each.regions
            ],
            "createdAt": moment,
            "updatedAt": moment,
            "status": "ACTIVE",
            "type": "SYSTEM_DEFINED",
        }
        for each in foundation.profiles(call.region)
    ]
    wanted = call.params.get("typeEquals", "SYSTEM_DEFINED") == "SYSTEM_DEFINED"
    return _plain(call, {"inferenceProfileSummaries": summaries if wanted else []})


def _model_of(call: DataCall) -> foundation.FoundationModel:
    """The model that will run; profiles lead to theirs."""
    short = str(call.params["modelId"]).rpartition("/")[2]
    for profile in foundation.profiles(call.region):
        if profile.id == short:
            short = profile.model_id
    found = foundation.model_by_id(short)
    if found is None:
        raise AwsError("ValidationException", "The provided model identifier is invalid.")
    return found


def _model_answer(call: DataCall) -> bytes:
    chosen = _model_of(call)
    try:
        json.loads(call.params.get("body", b""))
    except ValueError:
        raise AwsError(
            "ValidationException",
            "Malformed input request, please reformat your input and try again.",
        ) from None
    if chosen.output == "EMBEDDING":
        return json.dumps({"embedding": [0.0, 1.0], "inputTextTokenCount": 1}).encode()
    content = [{"type": "text", "text": _TEXT}]
    return json.dumps({"role": "assistant", "content": content, "model": chosen.id}).encode()


def _invoke(call: DataCall) -> Response:
    return _raw(_model_answer(call), "application/json")


def _invoke_streaming(call: DataCall) -> Response:
    chunk = {"bytes": base64.b64encode(_model_answer(call)).decode()}
    return _raw(
        eventstream.encode([("chunk", chunk)]),
        eventstream.CONTENT_TYPE,
        {"X-Amzn-Bedrock-Content-Type": "application/json"},
    )


_USAGE = {"inputTokens": 1, "outputTokens": 5, "totalTokens": 6}


def _converse(call: DataCall) -> Response:
    _model_of(call)
    message = {"role": "assistant", "content": [{"text": _TEXT}]}
    return _plain(
        call,
        {
            "output": {"message": message},
            "stopReason": "end_turn",
            "usage": _USAGE,
            "metrics": {"latencyMs": 1},
        },
    )


def _converse_streaming(call: DataCall) -> Response:
    _model_of(call)
    events: Sequence[tuple[str, Mapping[str, Any]]] = [
        ("messageStart", {"role": "assistant"}),
        ("contentBlockDelta", {"delta": {"text": _TEXT}, "contentBlockIndex": 0}),
        ("contentBlockStop", {"contentBlockIndex": 0}),
        ("messageStop", {"stopReason": "end_turn"}),
        ("metadata", {"usage": _USAGE, "metrics": {"latencyMs": 1}}),
    ]
    return _raw(eventstream.encode(events), eventstream.CONTENT_TYPE)


def _count_tokens(call: DataCall) -> Response:
    _model_of(call)
    return _plain(call, {"inputTokens": 1})


def _list_agents(call: DataCall) -> Response:
    summary = {
        "agentId": foundation.AGENT_ID,
        "agentName": "lab-agent",
        "agentStatus": "PREPARED",
        "updatedAt": call.state.now(),
        "latestAgentVersion": "1",
    }
    exists = agent.role_of(call.state, call.caller.account) is not None
    return _plain(call, {"agentSummaries": [summary] if exists else []})


def _invoke_agent(call: DataCall) -> Response:
    given = (call.params["agentId"], call.params["agentAliasId"])
    role = agent.role_of(call.state, call.caller.account)
    if role is None or given != (foundation.AGENT_ID, foundation.AGENT_ALIAS_ID):
        raise _not_found(call)
    if agent.call_model(call.state, role, call.region):
        chunk = {"bytes": base64.b64encode(_TEXT.encode()).decode()}
        body = eventstream.encode([("chunk", chunk)])
    else:
        # The stream has begun by then: the refusal comes inside a response of status 200.
        body = eventstream.exception(
            "accessDeniedException",
            "Access denied when calling Bedrock. Check your request permissions and retry the request.",
        )
    return _raw(
        body,
        eventstream.CONTENT_TYPE,
        {
            "x-amzn-bedrock-agent-content-type": "application/json",
            "x-amz-bedrock-agent-session-id": str(call.params["sessionId"]),
        },
    )


def _retrieve(call: DataCall) -> Response:
    if call.params["knowledgeBaseId"] != foundation.KNOWLEDGE_BASE_ID:
        raise _not_found(call)
    return _plain(call, {"retrievalResults": [{"content": {"text": _TEXT}, "score": 1.0}]})


def _sagemaker_endpoint(call: DataCall) -> dict[str, Any]:
    return {
        "EndpointName": foundation.SAGEMAKER_ENDPOINT,
        "EndpointArn": call.arn(f"endpoint/{foundation.SAGEMAKER_ENDPOINT}"),
        "EndpointStatus": "InService",
        "CreationTime": call.state.now(),
        "LastModifiedTime": call.state.now(),
    }


def _list_endpoints(call: DataCall) -> Response:
    return _plain(call, {"Endpoints": [_sagemaker_endpoint(call)]})


def _describe_endpoint(call: DataCall) -> Response:
    if call.params["EndpointName"] != foundation.SAGEMAKER_ENDPOINT:
        raise AwsError(
            "ValidationException",
            f'Could not find endpoint "{call.arn("endpoint/" + call.params["EndpointName"])}".',
        )
    return _plain(call, {**_sagemaker_endpoint(call), "EndpointConfigName": "lab-config"})


def _invoke_endpoint(call: DataCall) -> Response:
    name = call.params["EndpointName"]
    if name != foundation.SAGEMAKER_ENDPOINT:
        raise AwsError(
            "ValidationError", f"Endpoint {name} of account {call.caller.account} not found."
        )
    return _raw(
        json.dumps({"predictions": [1]}).encode(),
        "application/json",
        {"x-Amzn-Invoked-Production-Variant": "AllTraffic"},
    )


def _mantle_model(each: foundation.FoundationModel) -> dict[str, Any]:
    return {"id": each.id, "object": "model", "owned_by": each.provider.lower()}


def _mantle_models(call: DataCall) -> Response:
    models = [_mantle_model(each) for each in foundation.MODELS]
    return _plain(call, {"object": "list", "data": models})


def _mantle_get(call: DataCall) -> Response:
    found = foundation.model_by_id(call.params["model"])
    if found is None:
        raise _not_found(call)
    return _plain(call, _mantle_model(found))


def _mantle_infer(call: DataCall) -> Response:
    if foundation.model_by_id(call.params["model"]) is None:
        raise _not_found(call)
    message = {"role": "assistant", "content": _TEXT}
    choice = {"message": message, "finish_reason": "stop"}
    return _plain(call, {"object": "chat.completion", "choices": [choice]})


_ANSWERS: dict[tuple[str, str], Callable[[DataCall], Response]] = {
    ("bedrock", "ListFoundationModels"): _list_models,
    ("bedrock", "GetFoundationModel"): _get_model,
    ("bedrock", "ListInferenceProfiles"): _list_profiles,
    ("bedrock-runtime", "InvokeModel"): _invoke,
    ("bedrock-runtime", "InvokeModelWithResponseStream"): _invoke_streaming,
    ("bedrock-runtime", "Converse"): _converse,
    ("bedrock-runtime", "ConverseStream"): _converse_streaming,
    ("bedrock-runtime", "CountTokens"): _count_tokens,
    ("bedrock-agent", "ListAgents"): _list_agents,
    ("bedrock-agent-runtime", "InvokeAgent"): _invoke_agent,
    ("bedrock-agent-runtime", "Retrieve"): _retrieve,
    ("bedrock-mantle", "ListModels"): _mantle_models,
    ("bedrock-mantle", "GetModel"): _mantle_get,
    ("bedrock-mantle", "CreateInference"): _mantle_infer,
    ("sagemaker", "ListEndpoints"): _list_endpoints,
    ("sagemaker", "DescribeEndpoint"): _describe_endpoint,
    ("sagemaker-runtime", "InvokeEndpoint"): _invoke_endpoint,
}
