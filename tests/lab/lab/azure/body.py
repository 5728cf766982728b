# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bodies against the SDK's models: what Azure refuses, and what it ignores because it is read-only."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from . import sdk_models
from .errors import ArmError, bad_request
from .sdk_models import Type

_WORDS: dict[str, tuple[type, ...]] = {
    "text": (str,),
    "enum": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}

# Beside what the models know, by package and model: azure.azcollection's azure_rm_privatednszonelink names a network by
# a whole virtual network with its defaults, and private DNS only takes the id.
_IGNORED = {("azure.mgmt.privatedns", "SubResource"): {"properties"}}


def parse(raw: bytes) -> dict[str, Any]:
    """The JSON object that a write must carry."""
    try:
        body = json.loads(raw) if raw.strip() else None
    except ValueError as error:
        raise _content(
            f"The request content was invalid and could not be parsed: {error}"
        ) from None
    if not isinstance(body, dict):
        raise _content("The request content must be a JSON object.")
    return body


def clean(package: str, model: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """A body with the SDK's spelling and without read-only properties. Raises what Azure answers."""
    return _model(package, model, body, "")


def _content(message: str) -> ArmError:
    return bad_request("InvalidRequestContent", message)


def _model(package: str, model: str, given: Mapping[str, Any], path: str) -> dict[str, Any]:
    known = sdk_models.fields(package, model)
    made: dict[str, Any] = {}
    for name, value in given.items():
        if str(name).lower() in _IGNORED.get((package, model), ()):
            continue
        at = f"{path}.{name}" if path else str(name)
        field = known.get(str(name).lower())
        if field is None:
            raise _unknown(str(name), model, at, top=not path)
        if not field.read_only and value is not None:
            made[field.key] = _value(package, field.type, value, at)
    return made


def _unknown(name: str, model: str, path: str, *, top: bool) -> ArmError:
    said = f"Could not find member '{name}' on object of type '{model}'. Path '{path}'."
    if top:
        return _content(f"The request content was invalid and could not be deserialized: '{said}'.")
    return bad_request(
        "InvalidRequestContent",
        f"The request content was invalid and could not be deserialized: '{said}'.",
        details=[{"code": "InvalidJson", "message": said}],
    )


def _value(package: str, type: Type, value: Any, path: str) -> Any:
    if type.kind == "model" and not sdk_models.has_model(package, type.name):
        return _enum(package, type.name, value, path)
    if type.kind == "model":
        if not isinstance(value, dict):
            raise _mismatch(value, type.name, path)
        return _model(package, type.name, value, path)
    if type.kind in ("list", "map") and type.of is not None:
        return _many(package, type, type.of, value, path)
    if type.kind == "any":
        return value
    if type.kind == "enum":
        return _enum(package, type.name, value, path)
    words = _WORDS[type.kind]
    if not isinstance(value, words) or (isinstance(value, bool) and bool not in words):
        raise _mismatch(value, type.kind, path)
    return value


def _many(package: str, type: Type, inner: Type, value: Any, path: str) -> Any:
    if type.kind == "list" and isinstance(value, list):
        return [
            _value(package, inner, each, f"{path}[{index}]") for index, each in enumerate(value)
        ]
    if type.kind == "map" and isinstance(value, dict):
        return {key: _value(package, inner, each, f"{path}.{key}") for key, each in value.items()}
    raise _mismatch(value, type.kind, path)


def _enum(package: str, name: str, value: Any, path: str) -> Any:
    known = sdk_models.enum_values(package, name)
    if not known:
        return value
    if not isinstance(value, str):
        raise _mismatch(value, name, path)
    found = next((each for each in known if each.lower() == value.lower()), None)
    if found is None:
        said = f"Error converting value \"{value}\" to type '{name}'. Path '{path}'."
        raise _content(f"The request content was invalid and could not be deserialized: '{said}'.")
    return found


def _mismatch(value: Any, kind: str, path: str) -> ArmError:
    shown = json.dumps(value)[:80]
    return _content(
        "The request content was invalid and could not be deserialized: "
        f"'Error converting value {shown} to type '{kind}'. Path '{path}'.'."
    )
