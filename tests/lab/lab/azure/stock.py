# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Handlers that most resource types share: read, list in pages, change tags."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from .arm_ids import ArmId
from .control import Control
from .errors import bad_request, not_found
from .registry import Answer, ResourceType, operation, shown
from .state import Resource

PAGE = 100


def get(control: Control) -> Answer:
    resource = control.resource()
    answer = Answer(200, shown(control.state, resource))
    if control.operation.type.etag:
        answer.headers["ETag"] = control.operation.type.etag.format(resource.etag)
    return answer


def listed(control: Control) -> Answer:
    """All resources of the type below the collection's scope, in pages."""
    id = control.id
    if len(id.types) > 1:
        found = control.state.children(str(id).rsplit("/", 1)[0], id.types[-1])
    else:
        # Of a subscription or group, all that is in it; of a resource, what extends it and no child.
        whole = "/providers/" not in id.scope.lower()
        found = [
            each
            for each in control.state.of_type(control.operation.type.name, id.scope or "/")
            if whole or each.id.scope.lower() == id.scope.lower()
        ]
    return paged(control, [shown(control.state, each) for each in found])


def paged(control: Control, items: Sequence[Any]) -> Answer:
    """`{"value": [...]}` with a nextLink while there is more; `$top` makes pages smaller."""
    size, start = PAGE, 0
    try:
        size = min(int(control.query.get("$top", PAGE)), PAGE)
        start = int(control.query.get("$skipToken", 0))
    except ValueError:
        raise bad_request("InvalidSkipToken", "The skip token or $top is invalid.") from None
    if size < 1 or start < 0:
        raise bad_request("InvalidParameterValue", "The value of $top is invalid.")
    body: dict[str, Any] = {"value": list(items[start : start + size])}
    if start + size < len(items):
        more = {**control.query, "$skipToken": str(start + size)}
        body["nextLink"] = f"https://{control.environment.arm}{control.id}?{urlencode(more)}"
    return Answer(200, body)


def patch_tags(control: Control) -> Answer:
    """The tags of the body replace the resource's; nothing else can be changed this way."""
    resource = control.resource()
    control.idle(resource)
    for name in control.body:
        if name != "tags":
            raise bad_request(
                "InvalidRequestContent",
                "The request content was invalid and could not be deserialized: 'Could not find "
                f"member '{name}' on object of type 'TagsObject'. Path '{name}'.'.",
            )
    resource.body["tags"] = dict(control.body.get("tags") or {})
    resource.touch()
    return Answer(200, shown(control.state, resource))


def readable(type: ResourceType) -> None:
    """Register GET and LIST of a type."""
    operation(type, "GET")(get)
    operation(type, "LIST")(listed)


def taggable(type: ResourceType) -> None:
    operation(type, "PATCH")(patch_tags)


def existing_parent(control: Control) -> Resource:
    """The resource that this child, or collection of children, belongs to."""
    holder: ArmId | None = control.id.parent
    found = control.state.find(holder) if holder else None
    if found is None:
        raise not_found("ParentResourceNotFound", f"The parent of '{control.id}' was not found.")
    return found
