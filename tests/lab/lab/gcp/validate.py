# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a request fits its service's discovery document, in the words of Google's JSON parser.

Fields that are output only are accepted and dropped, as Google does.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from .discovery import Document, Method
from .errors import GoogleError, bad_payload, invalid

_INTEGERS = {"int32": "TYPE_INT32", "uint32": "TYPE_UINT32", "int64": "TYPE_INT64"}
_INTEGERS |= {"uint64": "TYPE_UINT64"}
_UNIVERSAL = {"$alt", "$prettyPrint", "$fields", "$.xgafv", "$apiVersion", "$userProject"}
_UUID = re.compile(r"[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")


def query_of(document: Document, method: Method, query: str) -> dict[str, Any]:
    """The query's parameters by name, repeated ones as lists."""
    found: dict[str, Any] = {}
    for name, text in parse_qsl(query, keep_blank_values=True):
        if name in document.parameters or name in _UNIVERSAL:
            continue
        schema = method.parameters.get(name)
        if schema is None or schema.get("location") != "query":
            raise bad_payload(
                document.name,
                "",
                f'Invalid JSON payload received. Unknown name "{name}": Cannot bind query parameter. '
                f"Field '{name}' could not be found in request message.",
            )
        value = _parameter(document, name, text, schema)
        if schema.get("repeated"):
            found.setdefault(name, []).append(value)
        else:
            found[name] = value
    if "requestId" in found and (
        not _UUID.fullmatch(found["requestId"]) or not found["requestId"].strip("0-")
    ):
        raise invalid(
            f"Invalid value for field 'requestId': '{found['requestId']}'. The requestId must be a valid UUID."
        )
    return found


def _parameter(document: Document, name: str, text: str, schema: Mapping[str, Any]) -> Any:
    if "enum" in schema and text not in schema["enum"]:
        raise bad_payload(document.name, name, f"Invalid value at '{name}', \"{text}\"")
    if schema.get("type") == "integer":
        if not re.fullmatch(r"-?\d+", text):
            kind = _INTEGERS.get(schema.get("format", ""), "TYPE_INT32")
            raise bad_payload(
                document.name, name, f"Invalid value at '{name}' ({kind}), \"{text}\""
            )
        return int(text)
    if schema.get("type") == "boolean":
        return text.lower() == "true"
    return text


def body_of(document: Document, method: Method, body: bytes) -> dict[str, Any]:
    """The body as the method's request schema has it; {} when the method takes none."""
    if not body.strip():
        return {}
    if not method.request:
        # Google refuses a body where there is none to take, unless it is empty JSON.
        if body.strip() == b"{}":
            return {}
        raise bad_payload(
            document.name,
            "",
            'Invalid JSON payload received. Unknown name "": Root element must be a message.',
        )
    try:
        value = json.loads(body)
    except ValueError:
        raise bad_payload(
            document.name, "", "Invalid JSON payload received. Parse error."
        ) from None
    if not isinstance(value, dict):
        raise bad_payload(
            document.name,
            "",
            'Invalid JSON payload received. Unknown name "": Root element must be a message.',
        )
    return _Reader(document, method).message(value, document.schemas[method.request], "")


def _name(spelled: str, properties: Mapping[str, Any]) -> str:
    """A field's name as the document has it: Google also takes the one of its own definition, start_time for startTime.

    https://protobuf.dev/programming-guides/json/. google.cloud's gcp_dns_resource_record_set sends that one.
    """
    camel = re.sub(r"_([a-z0-9])", lambda found: found.group(1).upper(), spelled)
    return camel if spelled not in properties and camel in properties else spelled


class _Reader:
    def __init__(self, document: Document, method: Method) -> None:
        self._document = document
        # Schemas name the regional twin: compute.addresses.insert for compute.globalAddresses.insert.
        regional = re.sub(r"\.global([A-Z])", lambda found: f".{found.group(1).lower()}", method.id)
        # A patch needs nothing, whatever its schema says, and the other verbs check for themselves.
        self._required_by = (
            {method.id, regional} if method.id.endswith(("insert", "create")) else set()
        )

    def message(
        self, value: Mapping[str, Any], schema: Mapping[str, Any], path: str
    ) -> dict[str, Any]:
        """A message without what is null or output only."""
        properties = schema.get("properties")
        rest = schema.get("additionalProperties")
        made: dict[str, Any] = {}
        for spelled, item in value.items():
            name = _name(spelled, properties or {})
            field = properties.get(name) if properties else None
            field = field if field is not None else rest
            if field is None:
                if properties is None and rest is None:
                    made[name] = item
                    continue
                raise self._unknown(name, path)
            if item is None:
                continue
            read = self.value(item, field, f"{path}.{name}" if path else name)
            if not field.get("readOnly"):
                made[name] = read
        for name, field in (properties or {}).items():
            if self._required_by & set(field.get("required_by", ())) and made.get(name) in (
                None,
                "",
            ):
                at = f"{path}.{name}" if path else name
                raise self._missing(at)
        return made

    def _unknown(self, name: str, path: str) -> GoogleError:
        at = f" at '{path}'" if path else ""
        said = f'Invalid JSON payload received. Unknown name "{name}"{at}: Cannot find field.'
        return bad_payload(self._document.name, path, said)

    def _missing(self, at: str) -> GoogleError:
        if self._document.name == "dns":
            return invalid(f"The 'entity.{at}' parameter is required but was missing.", "required")
        return invalid(f"Required field 'resource.{at}' not specified", "required")

    def value(self, value: Any, schema: Mapping[str, Any], path: str) -> Any:
        if "$ref" in schema:
            schema = self._document.schemas[schema["$ref"]]
        kind = schema.get("type", "any")
        if kind == "object":
            if not isinstance(value, dict):
                raise self._wrong(path, "TYPE_MESSAGE", value)
            return self.message(value, schema, path)
        if kind == "array":
            if not isinstance(value, list):
                value = [value]  # the parser takes a single value for a list
            items = schema["items"]
            return [self.value(each, items, f"{path}[{n}]") for n, each in enumerate(value)]
        return self._scalar(value, kind, schema, path)

    def _scalar(self, value: Any, kind: str, schema: Mapping[str, Any], path: str) -> Any:
        if kind == "string":
            return self._string(value, schema, path)
        if kind == "boolean":
            if value in ("true", "false"):
                return value == "true"
            if not isinstance(value, bool):
                raise self._wrong(path, "TYPE_BOOL", value)
        elif kind == "integer":
            if isinstance(value, str) and re.fullmatch(r"-?\d+", value):
                return int(value)
            if isinstance(value, bool) or not isinstance(value, int):
                raise self._wrong(
                    path, _INTEGERS.get(schema.get("format", ""), "TYPE_INT32"), value
                )
        elif kind == "number" and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise self._wrong(path, "TYPE_DOUBLE", value)
        return value

    def _string(self, value: Any, schema: Mapping[str, Any], path: str) -> Any:
        form = schema.get("format", "")
        if form in _INTEGERS:
            if isinstance(value, int) and not isinstance(value, bool):
                return str(value)
            if not isinstance(value, str) or not re.fullmatch(r"-?\d+", value):
                raise self._wrong(path, _INTEGERS[form], value)
            return value
        if not isinstance(value, str):
            raise self._wrong(path, "TYPE_STRING", value)
        if form == "byte":
            try:
                base64.b64decode(value.replace("-", "+").replace("_", "/"), validate=True)
            except binascii.Error:
                raise self._wrong(
                    path, "TYPE_BYTES", f'Base64 decoding failed for "{value}"'
                ) from None
        if "enum" in schema and value and value not in schema["enum"]:
            if self._document.name in ("compute", "dns"):
                allowed = ", ".join(schema["enum"])
                raise invalid(
                    f"Invalid value for field 'resource.{path}': '{value}'. "
                    f"Must be one of: [{allowed}]"
                )
            raise bad_payload(self._document.name, path, f"Invalid value at '{path}', \"{value}\"")
        return value

    def _wrong(self, path: str, kind: str, value: Any) -> GoogleError:
        shown = f'"{value}"' if isinstance(value, str) else json.dumps(value)
        return bad_payload(
            self._document.name, path, f"Invalid value at '{path}' ({kind}), {shown}"
        )
