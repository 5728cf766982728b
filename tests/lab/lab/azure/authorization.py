# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Microsoft.Authorization: role definitions and assignments, and what they permit.

https://learn.microsoft.com/rest/api/authorization/role-assignments/list-for-scope
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from . import access, arm_ids
from .control import Control, missing
from .errors import bad_request, conflict
from .registry import Answer, operation, resource_type, shown
from .roles import BUILT_IN, Role
from .state import Permission, Principal, Resource, State
from .stock import paged

NAMESPACE = "Microsoft.Authorization"
VERSIONS = (
    *("2015-07-01", "2018-01-01-preview", "2018-07-01", "2018-09-01-preview"),
    *("2020-04-01-preview", "2020-08-01-preview", "2020-10-01-preview"),
    *("2022-04-01", "2022-05-01-preview"),
)
_FILTER = re.compile(r"\s*(\w+)\s+eq\s+'([^']*)'\s*", re.IGNORECASE)


def _assignment(_: State, resource: Resource) -> dict[str, Any]:
    return {"properties": {**resource.properties, "scope": resource.id.scope or "/"}}


ASSIGNMENTS = resource_type(
    f"{NAMESPACE}/roleAssignments", VERSIONS, view=_assignment, tracked=False, etag=""
)
DEFINITIONS = resource_type(
    f"{NAMESPACE}/roleDefinitions", VERSIONS, view=lambda _, each: each.body, tracked=False, etag=""
)
PERMISSIONS = resource_type(f"{NAMESPACE}/permissions", VERSIONS, tracked=False, etag="")


@operation(PERMISSIONS, "LIST")
def list_permissions(control: Control) -> Answer:
    """What the caller itself may do at the scope.

    https://learn.microsoft.com/rest/api/authorization/permissions/list-for-resource
    """
    caller = control.caller
    found = [
        {
            "actions": list(each.actions),
            "notActions": list(each.not_actions),
            "dataActions": [],
            "notDataActions": [],
        }
        for each in (*caller.permissions, *access.assigned(control.state, caller))
        if _holds(each.scope, control.id.scope)
    ]
    return paged(control, found)


@operation(ASSIGNMENTS, "GET")
def get_assignment(control: Control) -> Answer:
    return Answer(200, shown(control.state, control.resource()))


@operation(ASSIGNMENTS, "LIST")
def list_assignments(control: Control) -> Answer:
    """Those that apply at the scope: at it, above it and, unless atScope() is asked for, below it."""
    wanted = control.query.get("$filter", "")
    at_scope = "atscope()" in wanted.lower().replace(" ", "")
    rest = re.sub(r"(?i)atScope\(\)|\band\b", " ", wanted).strip()
    principal = re.fullmatch(r"(?i)(?:principalId\s+eq|assignedTo)\s*\(?\s*'([^']*)'\s*\)?", rest)
    if rest and principal is None:
        raise bad_request("UnsupportedQuery", "The filter is not supported.")
    scope = control.id.scope
    found = [
        each
        for each in control.state.of_type(ASSIGNMENTS.name)
        if (_holds(each.id.scope, scope) or (not at_scope and _holds(scope, each.id.scope)))
        and (principal is None or each.properties["principalId"] == principal[1])
    ]
    return paged(control, [shown(control.state, each) for each in found])


def _holds(outer: str, inner: str) -> bool:
    return (inner.rstrip("/").lower() + "/").startswith(outer.rstrip("/").lower() + "/")


@operation(ASSIGNMENTS, "PUT")
def put_assignment(control: Control) -> Answer:
    """Give a role; an assignment cannot be changed afterwards."""
    given = control.properties
    for name in ("roleDefinitionId", "principalId"):
        if not isinstance(given.get(name), str):
            raise bad_request("InvalidRoleAssignmentProperty", f"The property {name} is missing.")
    role = role_of(control.state, given["roleDefinitionId"])
    if role is None:
        raise bad_request(
            "InvalidRoleDefinitionId",
            f"The role definition ID '{given['roleDefinitionId']}' is not valid.",
        )
    if control.existing() is not None:
        raise conflict("RoleAssignmentExists", "The role assignment already exists.")
    properties = {
        "roleDefinitionId": _definition_id(control.id.subscription, role),
        "principalId": given["principalId"],
        "principalType": given.get("principalType", "ServicePrincipal"),
        "condition": given.get("condition"),
        "conditionVersion": given.get("conditionVersion"),
    }
    made = control.state.add(Resource(control.id, {"properties": properties}))
    return Answer(201, shown(control.state, made))


@operation(ASSIGNMENTS, "DELETE")
def delete_assignment(control: Control) -> Answer:
    """Take a role away; the answer shows what there was."""
    standing = control.existing()
    if standing is None:
        return Answer(204)
    document = shown(control.state, standing)
    control.state.remove(standing.id)
    return Answer(200, document)


def _definition_id(subscription: str, role: Role) -> str:
    return f"/subscriptions/{subscription}/providers/{NAMESPACE}/roleDefinitions/{role.id}"


def _definition(subscription: str, role: Role) -> dict[str, Any]:
    return {
        "id": _definition_id(subscription, role) if subscription else role.tenant_id,
        "name": role.id,
        "type": DEFINITIONS.name,
        "properties": {
            "roleName": role.name,
            "type": "BuiltInRole" if role.built_in else "CustomRole",
            "description": role.name,
            "assignableScopes": ["/"] if role.built_in else [f"/subscriptions/{subscription}"],
            "permissions": [
                {
                    "actions": list(role.actions),
                    "notActions": list(role.not_actions),
                    "dataActions": list(role.data_actions),
                    "notDataActions": list(role.not_data_actions),
                }
            ],
        },
    }


@operation(DEFINITIONS, "GET")
def get_definition(control: Control) -> Answer:
    role = role_of(control.state, str(control.id))
    if role is None:
        raise missing(control.id)
    return Answer(200, _definition(control.id.subscription, role))


@operation(DEFINITIONS, "LIST")
def list_definitions(control: Control) -> Answer:
    """All of them, or those that a `roleName eq '…'` or `type eq '…'` filter names."""
    found = [_definition(control.id.subscription, each) for each in _roles(control.state)]
    if wanted := control.query.get("$filter", ""):
        match = _FILTER.fullmatch(wanted.replace("atScopeAndBelow() and ", ""))
        if match is None or match[1].lower() not in ("rolename", "type"):
            raise bad_request("UnsupportedQuery", "The filter is not supported.")
        key = "roleName" if match[1].lower() == "rolename" else "type"
        found = [each for each in found if each["properties"][key].lower() == match[2].lower()]
    return paged(control, found)


@operation(DEFINITIONS, "PUT")
def put_definition(control: Control) -> Answer:
    """A custom role."""
    given = control.properties
    if not isinstance(given.get("roleName"), str) or not isinstance(given.get("permissions"), list):
        raise bad_request(
            "RoleDefinitionInvalid", "The role definition needs roleName and permissions."
        )
    control.state.add(Resource(control.id, {"properties": dict(given)}))
    role = role_of(control.state, str(control.id))
    assert role is not None
    return Answer(201, _definition(control.id.subscription, role))


def _roles(state: State) -> Iterator[Role]:
    yield from BUILT_IN
    for each in state.of_type(DEFINITIONS.name):
        yield _custom(each)


def _custom(resource: Resource) -> Role:
    first: Mapping[str, Any] = (resource.properties.get("permissions") or [{}])[0]
    return Role(
        id=resource.id.name.lower(),
        name=str(resource.properties["roleName"]),
        actions=tuple(first.get("actions") or ()),
        not_actions=tuple(first.get("notActions") or ()),
        data_actions=tuple(first.get("dataActions") or ()),
        not_data_actions=tuple(first.get("notDataActions") or ()),
        built_in=False,
    )


def role_of(state: State, definition_id: str) -> Role | None:
    """The role behind an id, by its last part."""
    wanted = arm_ids.parse(definition_id).name.lower()
    return next((each for each in _roles(state) if each.id == wanted), None)


def _roles_held(state: State, principal: Principal) -> Iterator[tuple[str, Role]]:
    for each in state.of_type(ASSIGNMENTS.name):
        role = role_of(state, each.properties["roleDefinitionId"])
        if role is not None and each.properties["principalId"] == principal.object_id:
            yield each.id.scope or "/", role


def install(state: State) -> None:
    """Let assignments count where Resource Manager asks for permission."""
    state.extra["assigned permissions"] = lambda principal: (
        Permission(scope, role.actions, role.not_actions)
        for scope, role in _roles_held(state, principal)
    )


def may_use_data(state: State, principal: Principal, action: str, scope: str) -> bool:
    """Whether a principal has a data action: by the world's permissions or by a role's data actions."""
    held = (
        Permission(where, role.data_actions, role.not_data_actions)
        for where, role in _roles_held(state, principal)
    )
    return access.permits((*principal.permissions, *held), action, scope)
