# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The model of Bedrock's Mantle, an OpenAI-style API that botocore has no model of.

Paths are OpenAI's; the operations carry the names of the IAM actions.
https://docs.aws.amazon.com/bedrock/latest/userguide/bedrock-mantle.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SERVICE = "bedrock-mantle"


def _operation(name: str, method: str, path: str, shape: str, output: str) -> dict[str, Any]:
    return {
        "name": name,
        "http": {"method": method, "requestUri": path},
        "input": {"shape": shape},
        "output": {"shape": output},
    }


def _structure(members: Mapping[str, Any], required: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"type": "structure", "members": dict(members), "required": list(required)}


_TEXT, _ANYTHING = {"shape": "Text"}, {"shape": "Anything"}

MODEL: Mapping[str, Any] = {
    "version": "2.0",
    "metadata": {
        "apiVersion": "2025-11-01",
        "endpointPrefix": SERVICE,
        "protocol": "rest-json",
        "serviceFullName": "Amazon Bedrock Mantle",
        "serviceId": "Bedrock Mantle",
        "signatureVersion": "v4",
        "signingName": SERVICE,
        "uid": "bedrock-mantle-2025-11-01",
    },
    "operations": {
        "ListModels": _operation("ListModels", "GET", "/v1/models", "Nothing", "ModelList"),
        "GetModel": _operation("GetModel", "GET", "/v1/models/{model}", "OneModel", "Model"),
        "CreateInference": _operation(
            "CreateInference", "POST", "/v1/chat/completions", "Inference", "Completion"
        ),
    },
    "shapes": {
        "Text": {"type": "string"},
        "Anything": {"type": "structure", "members": {}, "document": True},
        "Nothing": _structure({}),
        "OneModel": _structure(
            {"model": {**_TEXT, "location": "uri", "locationName": "model"}}, ("model",)
        ),
        "Model": _structure({"id": _TEXT, "object": _TEXT, "owned_by": _TEXT}),
        "Models": {"type": "list", "member": {"shape": "Model"}},
        "ModelList": _structure({"object": _TEXT, "data": {"shape": "Models"}}),
        "Messages": {"type": "list", "member": _ANYTHING},
        "Inference": _structure({"model": _TEXT, "messages": {"shape": "Messages"}}, ("model",)),
        "Message": _structure({"role": _TEXT, "content": _TEXT}),
        "Choice": _structure({"message": {"shape": "Message"}, "finish_reason": _TEXT}),
        "Choices": {"type": "list", "member": {"shape": "Choice"}},
        "Completion": _structure({"object": _TEXT, "choices": {"shape": "Choices"}}),
    },
}
