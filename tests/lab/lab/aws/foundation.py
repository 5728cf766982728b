# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What there is to call in every account and Region of the lab: models, profiles, an agent, an endpoint.

Ids are AWS's own where AWS has them, and begin with "lab" or "LAB" where a customer would choose.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

AGENT_ID = "LABAGENT01"
AGENT_ALIAS_ID = "LABALIAS01"
KNOWLEDGE_BASE_ID = "LABKNOWL01"
SAGEMAKER_ENDPOINT = "lab-endpoint"


@dataclass(frozen=True)
class FoundationModel:
    id: str
    name: str
    provider: str
    output: str = "TEXT"  # or EMBEDDING


@dataclass(frozen=True)
class InferenceProfile:
    """A system-defined profile; `regions` are its destinations ("" is the Region-less global one)."""

    id: str
    model_id: str
    regions: tuple[str, ...]


MODELS: tuple[FoundationModel, ...] = (
    FoundationModel("anthropic.claude-3-haiku-20240307-v1:0", "Claude 3 Haiku", "Anthropic"),
    FoundationModel("anthropic.claude-sonnet-4-20250514-v1:0", "Claude Sonnet 4", "Anthropic"),
    FoundationModel("amazon.nova-lite-v1:0", "Nova Lite", "Amazon"),
    FoundationModel("amazon.titan-text-express-v1", "Titan Text G1 - Express", "Amazon"),
    FoundationModel("amazon.titan-embed-text-v2:0", "Titan Embed v2", "Amazon", "EMBEDDING"),
)
_PROFILED = MODELS[:3]
_US = ("us-east-1", "us-east-2", "us-west-2")


def model_by_id(model_id: str) -> FoundationModel | None:
    return next((each for each in MODELS if each.id == model_id), None)


def profiles(region: str) -> Sequence[InferenceProfile]:
    """The system-defined inference profiles that a Region offers."""
    regional = [InferenceProfile(f"us.{each.id}", each.id, _US) for each in _PROFILED]
    everywhere = [
        InferenceProfile(f"global.{each.id}", each.id, (region, "")) for each in _PROFILED[1:2]
    ]
    return [*(regional if region in _US else []), *everywhere]


def model_arn(region: str, model_id: str) -> str:
    return f"arn:aws:bedrock:{region}::foundation-model/{model_id}"


def profile_arn(region: str, account: str, profile_id: str) -> str:
    return f"arn:aws:bedrock:{region}:{account}:inference-profile/{profile_id}"
