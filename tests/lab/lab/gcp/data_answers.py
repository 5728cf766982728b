# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the data planes answer once a request is admitted, and how their methods are named elsewhere."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from ..cloud import Request
from .errors import GoogleError
from .records import Principal, Project
from .state import State

# What there is to call: one model of Google's, one endpoint, in every project and region.
MODEL = "gemini-2.0-flash"
ENDPOINT = "4000000000000000001"
_PREDICT = frozenset(
    [
        "predict",
        "rawPredict",
        "streamRawPredict",
        "serverStreamingPredict",
        "generateContent",
        "streamGenerateContent",
        "directPredict",
        "directRawPredict",
        "explain",
        "countTokens",
        "computeTokens",
        "fetchPredictOperation",
        "predictLongRunning",
    ]
)
_VERBS = {"patch": "update", "insert": "create"}
REGIONS = (
    "us-central1",
    "us-east1",
    "us-east4",
    "us-west1",
    "europe-west1",
    "europe-west4",
    "asia-northeast1",
)


def project_of(
    state: State, service: str, path: Mapping[str, str], query: Mapping[str, str], caller: Principal
) -> Project | None:
    """The project that a request is about; the caller's own where it names none."""
    if service == "storage" and path.get("bucket"):
        return state.projects.get(state.buckets.get(path["bucket"], ""))
    named = path.get("project") or query.get("project") or path.get("projectId")
    if not named:
        for value in path.values():
            found = re.match(r"projects/([^/]+)", value)
            if found:
                named = found.group(1)
    return state.project(named) if named else state.projects.get(caller.project)


def resource_of(path: Mapping[str, str], project: Project | None) -> str:
    named = next((each for each in path.values() if each.startswith("projects/")), "")
    if named:
        return named
    if "bucket" in path:
        return f"projects/_/buckets/{path['bucket']}"
    return f"projects/{project.id if project else path.get('project', '-')}"


def permission(service: str, method: str) -> str:
    """The IAM permission of a method: aiplatform.models.list for aiplatform.projects.locations.models.list."""
    if method == "unknown" or method.count(".") < 2:
        return ""
    *_, kind, verb = method.split(".")
    if service == "aiplatform" and verb in _PREDICT:
        return "aiplatform.endpoints.predict"
    return f"{service}.{kind}.{_VERBS.get(verb, verb)}"


def audit_name(service: str, method: str) -> str:
    """A method as audit logs name it: google.cloud.aiplatform.v1.ModelService.ListModels."""
    if service != "aiplatform" or method == "unknown":
        return method if method != "unknown" else f"{service}.unknown"
    *_, kind, verb = method.split(".")
    singular = kind[:1].upper() + (kind[:-1] if kind.endswith("s") else kind)[1:]
    upper = verb[:1].upper() + verb[1:]
    if verb in _PREDICT:
        return f"google.cloud.aiplatform.v1.PredictionService.{upper}"
    noun = {"list": f"{kind[:1].upper()}{kind[1:]}"}.get(verb, singular)
    verbs = {"patch": "Update"}
    return f"google.cloud.aiplatform.v1.{singular}Service.{verbs.get(verb, upper)}{noun}"


def answer(
    state: State,
    service: str,
    method: str,
    path: Mapping[str, str],
    request: Request,
    project: Project,
) -> dict[str, Any]:
    if service == "aiplatform":
        return _vertex(method, path, request, project)
    if service == "storage":
        return _storage(state, method, path, project)
    if request.method == "GET":
        return {}
    raise GoogleError(
        501, f"The lab does not simulate {request.method} of {request.host}{request.path}."
    )


def _vertex(
    method: str, path: Mapping[str, str], request: Request, project: Project
) -> dict[str, Any]:
    verb = method.rpartition(".")[2]
    named = next(iter(path.values()), "")
    place = re.search(r"/locations/([^/]+)", named)
    region = request.host.partition("-aiplatform")[0] if "-aiplatform" in request.host else ""
    if place and region and place.group(1) != region:
        raise GoogleError(400, f"The location {place.group(1)} is not served by {request.host}.")
    if verb in _PREDICT:
        return _predict(verb, named, request)
    if method == "aiplatform.projects.locations.list":
        listed = [
            {"name": f"projects/{project.id}/locations/{each}", "locationId": each}
            for each in REGIONS
        ]
        return {"locations": listed}
    if method == "aiplatform.projects.locations.endpoints.list":
        return {
            "endpoints": [{"name": f"{named}/endpoints/{ENDPOINT}", "displayName": "lab-endpoint"}]
        }
    if verb == "list":
        return {}
    if verb == "get" and named.endswith((f"/endpoints/{ENDPOINT}", f"/models/{MODEL}")):
        return {"name": named}
    if verb == "get":
        raise GoogleError(404, f"The resource {named} is not found.")
    raise GoogleError(501, f"The lab does not simulate {method}.")


def _predict(verb: str, named: str, request: Request) -> dict[str, Any]:
    if not named.endswith((f"/endpoints/{ENDPOINT}", f"/models/{MODEL}")):
        raise GoogleError(404, f"{named} is not found.")
    try:
        body = json.loads(request.body or b"{}")
    except ValueError:
        raise GoogleError(400, "Invalid JSON payload received. Parse error.") from None
    if verb == "countTokens":
        return {"totalTokens": 3}
    if verb.endswith("redict"):
        if "instances" not in body and verb == "predict":
            raise GoogleError(400, 'The request has no "instances".')
        return {"predictions": [{"text": "A lab says hello."}], "deployedModelId": "1"}
    if "contents" not in body:
        raise GoogleError(400, "contents is not specified.")
    text = {"role": "model", "parts": [{"text": "A lab says hello."}]}
    usage = {"promptTokenCount": 3, "candidatesTokenCount": 5, "totalTokenCount": 8}
    return {
        "candidates": [{"content": text, "finishReason": "STOP"}],
        "usageMetadata": usage,
        "modelVersion": MODEL,
    }


def _storage(
    state: State, method: str, path: Mapping[str, str], project: Project
) -> dict[str, Any]:
    def shown(name: str) -> dict[str, Any]:
        return {"kind": "storage#bucket", "id": name, "name": name, "projectNumber": project.number}

    if method == "storage.buckets.list":
        owned = [name for name, owner in state.buckets.items() if owner == project.id]
        return {"kind": "storage#buckets", "items": [shown(name) for name in owned]}
    if method == "storage.buckets.get":
        return shown(path["bucket"])
    if method == "storage.objects.list":
        return {"kind": "storage#objects"}
    if method == "storage.objects.get":
        raise GoogleError(404, f"No such object: {path['bucket']}/{path['object']}")
    raise GoogleError(501, f"The lab does not simulate {method}.")
