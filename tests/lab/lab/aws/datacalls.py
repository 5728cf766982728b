# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each data-plane operation is authorised as, and on which resources.

Actions and resource types: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonbedrock.html
and .../list_amazonsagemaker.html.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.model import OperationModel

from . import foundation
from .models import model
from .records import Caller
from .state import State

# The operation -> the IAM action, where the names differ.
_ACTIONS = {
    "Converse": "InvokeModel",
    "ConverseStream": "InvokeModelWithResponseStream",
    "RetrieveAndGenerateStream": "RetrieveAndGenerate",
    "InvokeEndpointWithResponseStream": "InvokeEndpoint",
}
# Resources with the condition keys that go with each.
Resources = Iterable[tuple[str, Mapping[str, Any]]]


@dataclass(frozen=True)
class DataCall:
    """One authenticated call of a data plane; `service` is botocore's name."""

    state: State
    caller: Caller
    service: str
    region: str
    operation: OperationModel
    params: Mapping[str, Any]

    def arn(self, resource: str) -> str:
        """ARN of a resource of the caller's own account in this Region."""
        prefix = model(self.service).signing_name
        return f"arn:aws:{prefix}:{self.region}:{self.caller.account}:{resource}"


def action(call: DataCall) -> str:
    """The IAM action that a call needs."""
    name = call.operation.name
    return f"{model(call.service).signing_name}:{_ACTIONS.get(name, name)}"


def resources(call: DataCall) -> Resources:
    """Every resource that the action must be allowed on; `*` for actions without resources."""
    if "modelId" in call.params and call.service == "bedrock-runtime":
        return list(_model_resources(call, str(call.params["modelId"])))
    if "modelIdentifier" in call.params:
        given = str(call.params["modelIdentifier"])
        is_arn = given.startswith("arn:")
        return [(given if is_arn else foundation.model_arn(call.region, given), {})]
    for member, template in _RESOURCES.items():
        if member in call.params:
            given = str(call.params[member])
            if given.startswith("arn:"):
                return [(given, {})]
            return [(call.arn(template.format(given, **call.params)), {})]
    return [("*", {})]


# The parameter that names the resource -> its ARN's last part, most specific first.
_RESOURCES = {
    "agentAliasId": "agent-alias/{agentId}/{0}",
    "agentId": "agent/{0}",
    "knowledgeBaseId": "knowledge-base/{0}",
    "guardrailIdentifier": "guardrail/{0}",
    "inferenceProfileIdentifier": "inference-profile/{0}",
    "EndpointName": "endpoint/{0}",
}


def _model_resources(call: DataCall, model_id: str) -> Resources:
    """A model, or an inference profile with its model in every destination Region.

    https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-prereq.html
    """
    short = model_id.rpartition("/")[2]
    profile = next((each for each in foundation.profiles(call.region) if each.id == short), None)
    if profile is None:
        given = model_id.startswith("arn:")
        yield (model_id if given else foundation.model_arn(call.region, model_id)), {}
        return
    arn = foundation.profile_arn(call.region, call.caller.account, profile.id)
    yield arn, {}
    for region in profile.regions:
        # A global profile may run anywhere: AWS says so by this value.
        keys = {"aws:RequestedRegion": region or "unspecified", "bedrock:InferenceProfileArn": arn}
        yield foundation.model_arn(region, profile.model_id), keys
