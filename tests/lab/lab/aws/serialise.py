# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From an operation's result or an error to the HTTP response its protocol wants.

A result that the model does not know is a defect of the simulator and raises KeyError.
"""

from __future__ import annotations

import base64
import datetime
import json
import uuid
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from typing import Any

from botocore.model import OperationModel

from ..cloud import Response
from .errors import AwsError
from .models import ServiceModel, Shape
from .protocol import iso

_JSON = {"json": "application/x-amz-json-1.1", "rest-json": "application/json"}


def success(model: ServiceModel, operation: OperationModel, result: Mapping[str, Any]) -> Response:
    """The response of an operation that worked; result has the model's member names."""
    protocol = str(model.metadata["protocol"])
    request_id = str(uuid.uuid4())
    shape = operation.output_shape
    headers = {"x-amzn-RequestId": request_id}
    if protocol in _JSON:
        body = json.dumps(_to_json(shape, result) if shape is not None else {}).encode()
        headers["Content-Type"] = _JSON[protocol]
        return Response(200, headers, body)
    namespace = model.metadata.get("xmlNamespace") or _input_namespace(operation)
    if protocol == "rest-xml":
        root = ElementTree.Element(operation.name + "Response")
        if shape is not None:
            root.tag = shape.serialization.get("name", shape.name)
            for name, member in shape.members.items():
                if member.serialization.get("location") == "header" and name in result:
                    headers[member.serialization["name"]] = str(result[name])
            _fill(root, shape, {k: v for k, v in result.items() if not _located(shape, k)})
    else:
        root = ElementTree.Element(operation.name + "Response")
        if protocol == "ec2":
            ElementTree.SubElement(root, "requestId").text = request_id
            _fill_optional(root, shape, result)
        else:
            if shape is not None:
                wrapper = shape.serialization.get("resultWrapper", f"{operation.name}Result")
                _fill(ElementTree.SubElement(root, wrapper), shape, result)
            metadata = ElementTree.SubElement(root, "ResponseMetadata")
            ElementTree.SubElement(metadata, "RequestId").text = request_id
    if namespace:
        root.set("xmlns", namespace)
    status = int(operation.http.get("responseCode", 200))
    return _xml(status, root, headers)


def _input_namespace(operation: OperationModel) -> str:
    shape = operation.input_shape
    space = shape.serialization.get("xmlNamespace") if shape is not None else None
    return str(space["uri"]) if space else "https://route53.amazonaws.com/doc/2013-04-01/"


def _located(shape: Shape, name: str) -> bool:
    return "location" in shape.members[name].serialization


def _fill_optional(
    root: ElementTree.Element, shape: Shape | None, value: Mapping[str, Any]
) -> None:
    if shape is None:
        # Operations without output answer <return>true</return>.
        ElementTree.SubElement(root, "return").text = "true"
    else:
        _fill(root, shape, value)


def _fill(element: ElementTree.Element, shape: Shape, value: Any) -> None:
    if shape.type_name == "structure":
        for name, item in value.items():
            member = shape.members[name]
            if item is None:
                continue
            wire = member.serialization.get("name", name)
            if member.type_name == "list" and member.serialization.get("flattened"):
                inner = member.member.serialization.get("name", wire)
                for each in item:
                    _fill(ElementTree.SubElement(element, inner), member.member, each)
            else:
                _fill(ElementTree.SubElement(element, wire), member, item)
    elif shape.type_name == "list":
        inner = shape.member.serialization.get("name", "member")
        for each in value:
            _fill(ElementTree.SubElement(element, inner), shape.member, each)
    else:
        element.text = _text(shape, value)


def _text(shape: Shape, value: Any) -> str:
    if shape.type_name == "boolean":
        return "true" if value else "false"
    if shape.type_name == "timestamp":
        stamp = iso(value)
        return stamp.strftime("%Y-%m-%dT%H:%M:%S.") + f"{stamp.microsecond // 1000:03d}Z"
    if shape.type_name == "blob":
        return base64.b64encode(value).decode()
    return str(value)


def _to_json(shape: Shape, value: Any) -> Any:
    if value is None:
        return None
    if shape.type_name == "structure":
        return {
            shape.members[name].serialization.get("name", name): _to_json(shape.members[name], item)
            for name, item in value.items()
            if item is not None
        }
    if shape.type_name == "list":
        return [_to_json(shape.member, item) for item in value]
    if shape.type_name == "map":
        return {key: _to_json(shape.value, item) for key, item in value.items()}
    if shape.type_name == "timestamp":
        if shape.serialization.get("timestampFormat") == "iso8601":
            return _text(shape, value)
        return value.timestamp() if isinstance(value, datetime.datetime) else value
    if shape.type_name == "blob":
        return base64.b64encode(value).decode()
    return value


def failure(model: ServiceModel, error: AwsError) -> Response:
    """The response of an error in the service's protocol."""
    protocol = str(model.metadata["protocol"])
    request_id = str(uuid.uuid4())
    headers = {"x-amzn-RequestId": request_id}
    if protocol in _JSON:
        headers["Content-Type"] = _JSON[protocol]
        headers["x-amzn-ErrorType"] = error.code
        body: dict[str, Any] = {"message": error.message, **error.fields}
        if protocol == "json":
            body = {"__type": error.code, "Message": error.message, **error.fields}
        return Response(error.status, headers, json.dumps(body).encode())
    if protocol == "ec2":
        root = ElementTree.Element("Response")
        _error_element(ElementTree.SubElement(root, "Errors"), error)
        ElementTree.SubElement(root, "RequestID").text = request_id
        return _xml(error.status, root, headers)
    namespace = (
        model.metadata.get("xmlNamespace") or "https://route53.amazonaws.com/doc/2013-04-01/"
    )
    root = ElementTree.Element("ErrorResponse", {"xmlns": namespace})
    _error_element(root, error, "Receiver" if error.status >= 500 else "Sender")
    ElementTree.SubElement(root, "RequestId").text = request_id
    return _xml(error.status, root, headers)


def _error_element(parent: ElementTree.Element, error: AwsError, kind: str = "") -> None:
    element = ElementTree.SubElement(parent, "Error")
    if kind:
        ElementTree.SubElement(element, "Type").text = kind
    ElementTree.SubElement(element, "Code").text = error.code
    ElementTree.SubElement(element, "Message").text = error.message


def _xml(status: int, root: ElementTree.Element, headers: dict[str, str]) -> Response:
    body = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return Response(status, {**headers, "Content-Type": "text/xml;charset=UTF-8"}, body)
