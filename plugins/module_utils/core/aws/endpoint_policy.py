# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The policy of each endpoint: what its service needs, for the principals of one organisation or of named accounts.

One policy per endpoint, since each carries other actions. Converse is authorised as InvokeModel, ConverseStream as
InvokeModelWithResponseStream. The read that a probe makes is always admitted, or no proof could succeed.
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonbedrock.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from .catalogue import Service

# What an endpoint has that nobody gave a policy; ModifyVpcEndpoint's ResetPolicy brings it back.
FULL_ACCESS: Mapping[str, Any] = MappingProxyType(
    {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]}
)
# https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-limits-endpoints.html
MAX_CHARACTERS = 20480

# These name a model or an inference profile as their resource; the others of the service do not.
_ON_MODELS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "bedrock-runtime": ("InvokeModel", "InvokeModelWithResponseStream", "CountTokens"),
        "sagemaker.runtime": (
            "InvokeEndpoint",
            "InvokeEndpointAsync",
            "InvokeEndpointWithResponseStream",
        ),
    }
)
_ACTIONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "bedrock": (
            "ListFoundationModels",
            "GetFoundationModel",
            "GetFoundationModelAvailability",
            "ListInferenceProfiles",
            "GetInferenceProfile",
            "ListGuardrails",
            "GetGuardrail",
            "GetModelInvocationLoggingConfiguration",
        ),
        "bedrock-runtime": ("ApplyGuardrail", "GetAsyncInvoke", "ListAsyncInvokes"),
        "bedrock-mantle": (
            "CreateInference",
            "GetInference",
            "CancelInference",
            "ListModels",
            "GetModel",
        ),
        "bedrock-agent": ("List*", "Get*"),
        "bedrock-agent-runtime": (
            "InvokeAgent",
            "InvokeInlineAgent",
            "InvokeFlow",
            "Retrieve",
            "RetrieveAndGenerate",
            "Rerank",
            "GenerateQuery",
            "OptimizePrompt",
            "CreateSession",
            "GetSession",
            "ListSessions",
            "UpdateSession",
            "EndSession",
            "DeleteSession",
            "CreateInvocation",
            "ListInvocations",
            "PutInvocationStep",
            "GetInvocationStep",
            "ListInvocationSteps",
        ),
        "bedrock-data-automation": (
            "ListDataAutomationProjects",
            "GetDataAutomationProject",
            "ListBlueprints",
            "GetBlueprint",
        ),
        "bedrock-data-automation-runtime": (
            "InvokeDataAutomation",
            "InvokeDataAutomationAsync",
            "GetDataAutomationStatus",
        ),
        "bedrock-agentcore": (
            "Invoke*",
            "Get*",
            "List*",
            "Retrieve*",
            "CreateEvent",
            "StartBrowserSession",
            "StopBrowserSession",
            "StartCodeInterpreterSession",
            "StopCodeInterpreterSession",
            "StopRuntimeSession",
        ),
        "bedrock-agentcore-control": ("List*", "Get*"),
        "bedrock-agentcore.gateway": ("InvokeGateway",),
        "sagemaker.api": ("List*", "Describe*"),
        "sagemaker.runtime": (),
        "sagemaker.featurestore-runtime": (
            "BatchGetRecord",
            "GetRecord",
            "PutRecord",
            "DeleteRecord",
        ),
        "sagemaker.metrics": ("BatchGetMetrics", "BatchPutMetrics"),
    }
)


@dataclass(frozen=True, kw_only=True)
class Admission:
    """Whom a generated policy admits, and to what.

    organization_id, organization_paths, account_ids: conditions on the principal, all of which must hold; at least
    one of them is given. resources: ARNs of models, inference profiles and SageMaker endpoints; none means any.
    extra_actions: IAM actions beside those that the service needs.
    """

    organization_id: str | None = None
    organization_paths: tuple[str, ...] = ()
    account_ids: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    extra_actions: tuple[str, ...] = ()


def generate(service: Service | None, admission: Admission) -> dict[str, Any]:
    """The policy of one service's endpoint. A service without a list of actions admits all of them (`is_listed`)."""
    prefix = service.iam_prefix if service else None
    kind = _kind(service)
    resources = _of_service(admission.resources, prefix)
    narrowed = _named(prefix, _ON_MODELS.get(kind, ())) if resources else []
    open_actions = _named(prefix, _ACTIONS.get(kind, ()))
    if not resources:
        open_actions += _named(prefix, _ON_MODELS.get(kind, ()))
    if not is_listed(service):
        open_actions = [f"{prefix}:*" if prefix else "*"]
    if service and service.probe:
        open_actions.append(service.probe.name)
    open_actions += [item for item in admission.extra_actions if item.split(":")[0] == prefix]
    statements = []
    if narrowed:
        statements.append(_allow("NamedModels", narrowed, resources, admission))
    if open_actions:
        statements.append(_allow("Service", open_actions, ["*"], admission))
    return {"Version": "2012-10-17", "Statement": statements}


def is_listed(service: Service | None) -> bool:
    """Whether the actions that callers of this service need are known."""
    return _kind(service) in _ACTIONS


def model_arns(model_ids: Sequence[str], *, partition: str, region: str) -> list[str]:
    """Foundation models of the home Region."""
    return [f"arn:{partition}:bedrock:{region}::foundation-model/{name}" for name in model_ids]


# The prefix of a cross-Region profile's id → the Regions that it may send a request to. The lists of Regions grow, so
# that they are patterns; `regions` of the option narrows them.
# https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-support.html
_GEOGRAPHIES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "us": ("us-*",),
        "us-gov": ("us-gov-*",),
        "eu": ("eu-*",),
        "apac": ("ap-*",),
        "jp": ("ap-northeast-*",),
        "au": ("ap-southeast-*",),
        "ca": ("ca-*", "us-*"),
        "global": ("*",),
    }
)


def profile_arns(profile: Mapping[str, Any], *, partition: str, region: str) -> list[str]:
    """The profile and its model in every destination Region; a global profile also needs the ARN without a Region.

    profile: `id` (an id such as `us.anthropic.claude-…` or an ARN), `model_id` and `regions`, both optional.
    """
    name = str(profile["id"])
    short = name.rsplit("/", 1)[-1]
    geography, _unused, rest = short.partition(".")
    model = profile.get("model_id") or (rest if geography in _GEOGRAPHIES else None)
    regions = profile.get("regions") or _GEOGRAPHIES.get(geography, ("*",))
    arn = (
        name
        if name.startswith("arn:")
        else f"arn:{partition}:bedrock:{region}:*:inference-profile/{name}"
    )
    found = [arn]
    if model:
        places = [*regions, ""] if geography == "global" else list(regions)
        found += [f"arn:{partition}:bedrock:{place}::foundation-model/{model}" for place in places]
    return found


def profile_problem(profile: Mapping[str, Any]) -> str | None:
    """Why the models behind a profile cannot be named; None when they can."""
    short = str(profile["id"]).rsplit("/", 1)[-1]
    if profile.get("model_id") or short.partition(".")[0] in _GEOGRAPHIES:
        return None
    return f"inference_profiles: {profile['id']} does not say its model: add model_id"


_ACTION = re.compile(r"^[a-z0-9-]+:[A-Za-z0-9*?]+$")


def action_problem(action: str, prefixes: set[str]) -> str | None:
    """Why an entry of extra_actions can be of no use; None when it can."""
    if not _ACTION.match(action):
        return f"extra_actions: {action!r} is not an IAM action such as bedrock:CreateGuardrail"
    if action.split(":")[0] not in prefixes:
        return f"extra_actions: no service asked for has the action {action}"
    return None


def _kind(service: Service | None) -> str:
    """The service whose actions count: a FIPS variant has those of the plain one."""
    return service.short.removesuffix("-fips") if service else ""


def _named(prefix: str | None, actions: Sequence[str]) -> list[str]:
    return [f"{prefix}:{action}" for action in actions]


def _of_service(arns: Sequence[str], prefix: str | None) -> list[str]:
    """A model of Bedrock restricts nothing on a SageMaker endpoint."""
    return [arn for arn in arns if arn.split(":")[2:3] == [prefix]]


def _allow(
    sid: str, actions: Sequence[str], resources: Sequence[str], admission: Admission
) -> dict[str, Any]:
    condition: dict[str, dict[str, Any]] = {}
    if admission.organization_id:
        condition.setdefault("StringEquals", {})["aws:PrincipalOrgID"] = admission.organization_id
    if admission.account_ids:
        accounts = sorted(admission.account_ids)
        condition.setdefault("StringEquals", {})["aws:PrincipalAccount"] = accounts
    if admission.organization_paths:
        paths = sorted(admission.organization_paths)
        condition["ForAnyValue:StringLike"] = {"aws:PrincipalOrgPaths": paths}
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": "*",
        "Action": sorted(set(actions)),
        "Resource": sorted(set(resources)),
        "Condition": condition,
    }
