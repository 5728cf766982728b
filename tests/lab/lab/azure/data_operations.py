# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The operations of the data planes: their paths, the data action that each needs, and their answers.

https://learn.microsoft.com/azure/ai-services/openai/reference
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .state import Resource

_AI = "Microsoft.CognitiveServices/accounts"
_CREATED = 1700000000


class DataError(Exception):
    """An error answer of the data plane."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


@dataclass(frozen=True)
class DataCall:
    """One call that was admitted: the account, its deployments, and what was asked."""

    account: Resource
    deployments: Sequence[Resource]
    path: Mapping[str, str]
    body: Mapping[str, Any]

    def deployment(self, name: str) -> Resource:
        for each in self.deployments:
            if each.id.name.lower() == name.lower():
                return each
        raise DataError(
            404,
            "DeploymentNotFound",
            "The API deployment for this resource does not exist. If you created the deployment "
            "within the last 5 minutes, please wait a moment and try again.",
        )


@dataclass(frozen=True)
class DataOperation:
    """`families`: the names that it is served at; `versioned`: it needs an api-version."""

    name: str
    method: str
    path: re.Pattern[str]
    families: tuple[str, ...]
    action: str
    answer: Callable[[DataCall], Any]
    versioned: bool = True


OPERATIONS: list[DataOperation] = []
_Answer = Callable[[DataCall], Any]


def _operation(
    name: str,
    method: str,
    path: str,
    families: Sequence[str],
    action: str,
    *,
    versioned: bool = True,
) -> Callable[[_Answer], _Answer]:
    pattern = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path))

    def register(answer: _Answer) -> _Answer:
        made = DataOperation(
            name, method, pattern, tuple(families), f"{_AI}/{action}", answer, versioned
        )
        OPERATIONS.append(made)
        return answer

    return register


def find(family: str, method: str, path: str) -> tuple[DataOperation, Mapping[str, str]] | None:
    """The operation at a path of a name, with what the path says."""
    for each in OPERATIONS:
        match = each.path.fullmatch(path)
        if match and family in each.families and method == each.method:
            return each, match.groupdict()
    return None


_OPENAI = ("openai", "cognitiveservices", "services.ai")


def _model(id: str, capabilities: Mapping[str, bool]) -> dict[str, Any]:
    return {
        "id": id,
        "object": "model",
        "status": "succeeded",
        "lifecycle_status": "generally-available",
        "created_at": _CREATED,
        "capabilities": {"fine_tune": False, "inference": True, **capabilities},
    }


@_operation("Models_List", "GET", "/openai/models", _OPENAI, "OpenAI/models/read")
def list_models(_: DataCall) -> Any:
    """The models of the Region, deployed or not."""
    return {
        "object": "list",
        "data": [
            _model("gpt-4o-2024-11-20", {"chat_completion": True, "embeddings": False}),
            _model("text-embedding-3-small", {"chat_completion": False, "embeddings": True}),
        ],
    }


@_operation(
    "Models_List", "GET", "/openai/v1/models", _OPENAI, "OpenAI/models/read", versioned=False
)
def list_models_v1(call: DataCall) -> Any:
    return list_models(call)


@_operation(
    "ChatCompletions_Create",
    "POST",
    "/openai/deployments/{deployment}/chat/completions",
    _OPENAI,
    "OpenAI/deployments/chat/completions/action",
)
def chat(call: DataCall) -> Any:
    """A greeting, whatever was said."""
    if not isinstance(call.body.get("messages"), list) or not call.body["messages"]:
        raise DataError(400, "BadRequest", "'messages' is a required property")
    return _completion(call.deployment(call.path["deployment"]))


@_operation(
    "ChatCompletions_Create",
    "POST",
    "/openai/v1/chat/completions",
    _OPENAI,
    "OpenAI/deployments/chat/completions/action",
    versioned=False,
)
def chat_v1(call: DataCall) -> Any:
    if not isinstance(call.body.get("messages"), list) or not call.body["messages"]:
        raise DataError(400, "BadRequest", "'messages' is a required property")
    return _completion(call.deployment(str(call.body.get("model") or "")))


def _completion(deployment: Resource) -> Any:
    model = deployment.properties.get("model") or {}
    return {
        "id": "chatcmpl-lab",
        "object": "chat.completion",
        "created": _CREATED,
        "model": model.get("name", deployment.id.name),
        "choices": [
            {
                "index": 0,
                "finish_reason": "stop",
                "message": {"role": "assistant", "content": "Hello from the lab."},
            }
        ],
        "usage": {"prompt_tokens": 1, "completion_tokens": 5, "total_tokens": 6},
    }


@_operation(
    "Embeddings_Create",
    "POST",
    "/openai/deployments/{deployment}/embeddings",
    _OPENAI,
    "OpenAI/deployments/embeddings/action",
)
def embed(call: DataCall) -> Any:
    deployment = call.deployment(call.path["deployment"])
    return {
        "object": "list",
        "model": deployment.id.name,
        "data": [{"object": "embedding", "index": 0, "embedding": [0.1, 0.2, 0.3]}],
        "usage": {"prompt_tokens": 1, "total_tokens": 1},
    }


@_operation("ModelInfo_Get", "GET", "/models/info", ("services.ai",), "MaaS/info/read")
def model_info(_: DataCall) -> Any:
    return {
        "model_name": "gpt-4o",
        "model_type": "chat-completion",
        "model_provider_name": "OpenAI",
    }


@_operation(
    "ChatCompletions_Create",
    "POST",
    "/models/chat/completions",
    ("services.ai",),
    "MaaS/chat/completions/action",
)
def inference(call: DataCall) -> Any:
    return chat_v1(call)


@_operation("Projects_List", "GET", "/api/projects", ("services.ai",), "AIServices/projects/read")
def list_projects(_: DataCall) -> Any:
    return {"value": []}


_COGNITIVE = ("cognitiveservices",)


@_operation(
    "DocumentIntelligence_Info",
    "GET",
    "/documentintelligence/info",
    _COGNITIVE,
    "FormRecognizer/info/read",
)
def document_info(_: DataCall) -> Any:
    return {"customDocumentModels": {"count": 0, "limit": 500}}


@_operation(
    "FormRecognizer_Info", "GET", "/formrecognizer/info", _COGNITIVE, "FormRecognizer/info/read"
)
def form_info(_: DataCall) -> Any:
    return {"customDocumentModels": {"count": 0, "limit": 500}}


@_operation(
    "TextAnalytics_Analyze",
    "POST",
    "/language/:analyze-text",
    _COGNITIVE,
    "TextAnalytics/analyze-text/action",
)
def analyze_text(_: DataCall) -> Any:
    return {"kind": "LanguageDetectionResults", "results": {"documents": [], "errors": []}}


@_operation(
    "ContentSafety_AnalyzeText",
    "POST",
    "/contentsafety/text:analyze",
    _COGNITIVE,
    "ContentSafety/text:analyze/action",
)
def analyze_safety(_: DataCall) -> Any:
    return {"blocklistsMatch": [], "categoriesAnalysis": [{"category": "Hate", "severity": 0}]}
