# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From an HTTP request to an operation and its parameters, for all five of AWS's protocols.

Names, nesting and types come from the service's model alone. What the model does not know becomes a
Violation; what cannot be read at all raises AwsError.
"""

from __future__ import annotations

import base64
import binascii
import datetime
import json
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote

from botocore.model import OperationModel
from botocore.utils import parse_timestamp

from .errors import AwsError, Violation, unknown_operation
from .models import ServiceModel, Shape

Parsed = tuple[OperationModel, dict[str, Any], list[Violation]]


def parse(
    model: ServiceModel, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes
) -> Parsed:
    """The operation, its parameters and what the model does not know among them.

    path and query are as sent, headers have lower-case names. Raises AwsError for an operation that the
    service lacks or a body that cannot be read.
    """
    name = str(model.metadata["protocol"])
    if name in ("ec2", "query"):
        return _parse_query(model, query, body)
    if name == "json":
        return _parse_json(model, headers, body)
    return _parse_rest(model, method, path, query, headers, body)


def _parse_query(model: ServiceModel, query: str, body: bytes) -> Parsed:
    protocol = str(model.metadata["protocol"])
    fields = dict(parse_qsl(body.decode("utf-8", "replace") or query, keep_blank_values=True))
    action = fields.pop("Action", "")
    version = fields.pop("Version", "")
    if not action:
        raise AwsError("MissingAction", "The request must contain the parameter Action")
    if action not in model.operation_names or version != model.metadata["apiVersion"]:
        raise unknown_operation(protocol, action, version)
    operation = model.operation_model(action)
    tree: dict[str, Any] = {}
    for key, value in fields.items():
        node = tree
        *parents, last = key.split(".")
        for part in parents:
            child = node.setdefault(part, {})
            node = child if isinstance(child, dict) else {}
        node[last] = value
    found: list[Violation] = []
    params = _from_tree(operation.input_shape, tree, "", protocol == "ec2", found)
    return operation, params or {}, found


def _wire_name(name: str, shape: Shape, ec2: bool) -> str:
    serialization = shape.serialization
    if ec2:
        own = serialization.get("queryName")
        given = own or serialization.get("name", name)
        return str(own or given[:1].upper() + given[1:])
    return str(serialization.get("name", name))


def _from_tree(shape: Shape | None, tree: Any, path: str, ec2: bool, found: list[Violation]) -> Any:
    if shape is None:
        return {}
    if shape.type_name in ("structure", "list", "map") and not isinstance(tree, dict):
        if tree == "" and shape.type_name == "list":
            return []
        found.append(Violation(path, "type", tree, shape.type_name))
        return None
    if shape.type_name == "structure":
        members = {_wire_name(name, each, ec2): name for name, each in shape.members.items()}
        result = {}
        for key, value in tree.items():
            where = f"{path}.{key}" if path else key
            if key not in members:
                found.append(Violation(where, "unknown", value))
                continue
            name = members[key]
            result[name] = _from_tree(shape.members[name], value, where, ec2, found)
        return result
    if shape.type_name == "list":
        if not ec2 and not shape.serialization.get("flattened"):
            inner = shape.member.serialization.get("name", "member")
            tree = tree.get(inner, {})
        if not all(key.isdigit() for key in tree):
            bad = next(key for key in tree if not key.isdigit())
            found.append(Violation(f"{path}.{bad}", "unknown", tree[bad]))
            return []
        ordered = sorted(tree, key=int)
        return [_from_tree(shape.member, tree[key], f"{path}.{key}", ec2, found) for key in ordered]
    if isinstance(tree, dict):
        found.append(Violation(path, "unknown", tree))
        return None
    return _scalar(shape, tree, path, found)


def _scalar(shape: Shape, text: str, path: str, found: list[Violation]) -> Any:
    """A value that travels as text: in a form, an XML element, a header or the query string."""
    try:
        if shape.type_name == "boolean":
            return {"true": True, "false": False}[text.lower()]
        if shape.type_name in ("integer", "long"):
            return int(text)
        if shape.type_name in ("float", "double"):
            return float(text)
        if shape.type_name == "timestamp":
            return parse_timestamp(text)
        if shape.type_name == "blob":
            return base64.b64decode(text, validate=True)
    except (KeyError, ValueError, binascii.Error):
        found.append(Violation(path, "type", text, shape.type_name))
        return None
    return text


def _parse_json(model: ServiceModel, headers: Mapping[str, str], body: bytes) -> Parsed:
    target = headers.get("x-amz-target", "")
    prefix, _, action = target.rpartition(".")
    if prefix != model.metadata["targetPrefix"] or action not in model.operation_names:
        raise unknown_operation("json", target, "")
    operation = model.operation_model(action)
    found: list[Violation] = []
    params = _from_json(operation.input_shape, _load_json(body), "", found)
    return operation, params or {}, found


def _load_json(body: bytes) -> Any:
    try:
        document = json.loads(body or b"{}")
    except ValueError:
        raise AwsError("SerializationException", "The request body is not valid JSON") from None
    if not isinstance(document, dict):
        raise AwsError("SerializationException", "The request body must be a JSON object")
    return document


_JSON_TYPES: Mapping[str, tuple[type, ...]] = {
    "structure": (dict,),
    "map": (dict,),
    "list": (list,),
    "boolean": (bool,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "timestamp": (int, float, str),
    "string": (str,),
    "blob": (str,),
}


def _from_json(shape: Shape | None, value: Any, path: str, found: list[Violation]) -> Any:
    if shape is None or value is None:
        return None
    kind = shape.type_name
    wrong = not isinstance(value, _JSON_TYPES[kind])
    if wrong or (isinstance(value, bool) and kind != "boolean"):
        found.append(Violation(path, "type", value, kind))
        return None
    if kind == "structure":
        if getattr(shape, "is_document_type", False):
            return value
        members = {
            each.serialization.get("name", name): name for name, each in shape.members.items()
        }
        result = {}
        for key, item in value.items():
            where = f"{path}.{key}" if path else key
            if key not in members:
                found.append(Violation(where, "unknown", item))
            elif item is not None:
                name = members[key]
                result[name] = _from_json(shape.members[name], item, where, found)
        return result
    if kind == "list":
        return [
            _from_json(shape.member, item, f"{path}.{index + 1}.member", found)
            for index, item in enumerate(value)
        ]
    if kind == "map":
        return {
            key: _from_json(shape.value, each, f"{path}.{key}", found)
            for key, each in value.items()
        }
    if kind == "timestamp":
        return parse_timestamp(value)
    return _scalar(shape, value, path, found) if kind == "blob" else value


def _parse_rest(
    model: ServiceModel, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes
) -> Parsed:
    operation, labels = _route(model, method, path, query)
    shape: Shape = operation.input_shape
    params: dict[str, Any] = {}
    found: list[Violation] = []
    if shape is None:
        return operation, params, found
    arguments: dict[str, list[str]] = {}
    for key, value in parse_qsl(query, keep_blank_values=True):
        arguments.setdefault(key, []).append(value)
    in_body = {}
    payload = shape.serialization.get("payload")
    for name, member in shape.members.items():
        place = member.serialization.get("location")
        wire = member.serialization.get("name", name)
        if place == "uri":
            params[name] = _scalar(member, labels[wire], name, found)
        elif place == "querystring" and wire in arguments:
            values = arguments[wire]
            if member.type_name == "list":
                params[name] = [_scalar(member.member, each, name, found) for each in values]
            else:
                params[name] = _scalar(member, values[0], name, found)
        elif place == "header" and wire.lower() in headers:
            params[name] = _scalar(member, headers[wire.lower()], name, found)
        elif place is None:
            in_body[name] = member
    if payload:
        params.update(_payload(model, shape, payload, body, found))
    elif in_body and body:
        params.update(_rest_body(model, shape, body, found))
    return operation, {key: value for key, value in params.items() if value is not None}, found


def _payload(
    model: ServiceModel, shape: Shape, payload: str, body: bytes, found: list[Violation]
) -> dict[str, Any]:
    member = shape.members[payload]
    if member.type_name == "blob":
        return {payload: body}
    if member.type_name == "string":
        return {payload: body.decode("utf-8", "replace")}
    return {payload: _rest_body(model, member, body, found)} if body else {}


def _rest_body(model: ServiceModel, shape: Shape, body: bytes, found: list[Violation]) -> Any:
    if model.metadata["protocol"] == "rest-json":
        return _from_json(shape, _load_json(body), "", found)
    try:
        root = ElementTree.fromstring(body)
    except ElementTree.ParseError as problem:
        raise AwsError("InvalidInput", f"Invalid XML ; {problem}") from None
    expected = shape.serialization.get("name", shape.name)
    if _tag(root) != expected:
        raise AwsError("InvalidInput", f"Invalid XML ; cvc-elt.1: no declaration of '{_tag(root)}'")
    return _from_xml(shape, root, "", found)


def _tag(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


def _from_xml(shape: Shape, element: ElementTree.Element, path: str, found: list[Violation]) -> Any:
    if shape.type_name == "structure":
        members = {
            each.serialization.get("name", name): name
            for name, each in shape.members.items()
            if "location" not in each.serialization
        }
        result = {}
        for child in element:
            where = f"{path}.{_tag(child)}" if path else _tag(child)
            if _tag(child) not in members:
                found.append(Violation(where, "unknown", child.text))
                continue
            name = members[_tag(child)]
            result[name] = _from_xml(shape.members[name], child, where, found)
        return result
    if shape.type_name == "list":
        wire = shape.member.serialization.get("name", "member")
        for child in element:
            if _tag(child) != wire:
                found.append(Violation(f"{path}.{_tag(child)}", "unknown", child.text))
        return [
            _from_xml(shape.member, child, f"{path}.{index + 1}.member", found)
            for index, child in enumerate(element)
        ]
    return _scalar(shape, element.text or "", path, found)


def _route(
    model: ServiceModel, method: str, path: str, query: str
) -> tuple[OperationModel, dict[str, str]]:
    """The operation whose URI template fits best: the one with the most literal characters."""
    keys = dict(parse_qsl(query, keep_blank_values=True))
    best: tuple[int, OperationModel, dict[str, str]] | None = None
    for name in model.operation_names:
        operation = model.operation_model(name)
        if operation.http["method"] != method:
            continue
        template, _, wanted = operation.http["requestUri"].partition("?")
        if any(keys.get(key) != value for key, value in parse_qsl(wanted, keep_blank_values=True)):
            continue
        if match := re.fullmatch(_pattern(template), path):
            literal = len(re.sub(r"\{[^}]*\}", "", template)) + len(wanted)
            if best is None or literal > best[0]:
                labels = {_label(key): value for key, value in _labels(template, match)}
                best = (literal, operation, labels)
    if best is None:
        raise unknown_operation(str(model.metadata["protocol"]), f"{method} {path}", "")
    return best[1], best[2]


def _pattern(template: str) -> str:
    parts = re.split(r"(\{[^}]*\})", template.rstrip("/"))
    found = "".join(
        ("(.+)" if part.endswith("+}") else "([^/]+)") if part.startswith("{") else re.escape(part)
        for part in parts
    )
    return found + "/?"


def _labels(template: str, match: re.Match[str]) -> list[tuple[str, str]]:
    names = re.findall(r"\{([^}]*)\}", template)
    return [(name, unquote(value)) for name, value in zip(names, match.groups(), strict=True)]


def _label(name: str) -> str:
    return name.removesuffix("+")


def iso(moment: float | datetime.datetime) -> datetime.datetime:
    """A time in UTC, as responses carry it."""
    if isinstance(moment, datetime.datetime):
        return moment.astimezone(datetime.timezone.utc)
    return datetime.datetime.fromtimestamp(moment, datetime.timezone.utc)
