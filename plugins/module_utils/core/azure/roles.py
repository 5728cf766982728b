# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Roles that let a principal call an AI account's data plane, and how far an assignment reaches.

https://learn.microsoft.com/azure/role-based-access-control/built-in-roles/ai-machine-learning
"""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any, Literal

from .arm_id import ArmId, key

# Built-in roles with data actions of Microsoft.CognitiveServices, by the last part of their ids.
DATA_ROLES = {
    "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd": "Cognitive Services OpenAI User",
    "a001fd3d-188f-4b5d-821b-7da978bf7442": "Cognitive Services OpenAI Contributor",
    "a97b65f3-24c7-4388-baec-2e87135dc908": "Cognitive Services User",
    "25fbc0a9-bd7c-42a3-aa1a-3b75d497ee68": "Cognitive Services Contributor",
    "53ca6127-db72-4b80-b1b0-d745d6d5456d": "Azure AI User",
    "64702f94-c441-49e6-a78b-ef80e0188fee": "Azure AI Developer",
    "eadc314b-1a2d-4efa-be10-5d325db5065e": "Azure AI Project Manager",
    "e47c6f54-e4a2-4754-9501-8e0985b135e1": "Azure AI Account Owner",
    "b78c5d69-af96-48a3-bf8d-a8b4d589de94": "Azure AI Administrator",
}
_ACTION = "microsoft.cognitiveservices/accounts/openai/deployments/chat/completions/action"

Reach = Literal["account", "group", "wide"]


def role_guid(role_id: str) -> str:
    """The last part of a role definition's id."""
    return role_id.rstrip("/").rpartition("/")[2].lower()


def calls_models(assignment: Mapping[str, Any]) -> bool:
    """Whether an assignment's role lets its principal call models: a built-in one, or a custom one's data actions."""
    if role_guid(str(assignment["role_id"])) in DATA_ROLES:
        return True
    return any(fnmatchcase(_ACTION, str(pattern).lower()) for pattern in assignment["data_actions"])


def reach(scope: str, account_id: str) -> Reach:
    """How far an assignment at this scope reaches: the account or a part of it, its resource group, or beyond."""
    if key(scope).startswith(key(account_id)):
        return "account"
    parsed = ArmId.read(scope)
    return "group" if parsed and parsed.resource_group else "wide"
