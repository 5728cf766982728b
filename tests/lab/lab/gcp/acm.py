# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Access Context Manager: policies, access levels, supported services and operations.

Reads are of the policy as it stands; a write is an operation, and a policy has one at a time.
"""

from __future__ import annotations

import copy
import ipaddress
import re
import uuid
from collections.abc import Callable
from typing import Any

from . import perimeter
from .errors import GoogleError
from .operation import Control, Result, method, page
from .records import AccessPolicy, Operation, Resource
from .state import digest

_TYPE = "type.googleapis.com/google.identity.accesscontextmanager.v1."
LEVEL = re.compile(r"[a-zA-Z][a-zA-Z0-9_]{0,49}")


def authorize(control: Control, permission: str, shown: str) -> None:
    control.authorize(f"accesscontextmanager.{permission}", control.state.organization, shown)


def etag(policy: AccessPolicy) -> str:
    return digest((policy.name, policy.version))


def policy_of(control: Control, name: str) -> AccessPolicy:
    found = control.state.access_policies.get("/".join(name.split("/")[:2]))
    if found is None:
        raise missing(name)
    return found


def missing(name: str) -> GoogleError:
    return GoogleError(404, f"Requested entity was not found: '{name}'.")


def wrong(message: str) -> GoogleError:
    return GoogleError(400, message)


def check_etag(given: str | None, *valid: str) -> None:
    if given and given not in valid:
        message = "The etag in the request does not match the current one: the resource was changed meanwhile."
        raise GoogleError(409, message, "", "ABORTED")


def begin(
    control: Control, policy: AccessPolicy, kind: str, name: str, effect: Callable[[], Resource]
) -> Result:
    """Start an operation on a policy; its effect gives the response."""
    state = control.state
    if policy.busy:
        message = f"Another operation on {policy.name} is in progress: {policy.busy}."
        raise GoogleError(409, message, "", "ABORTED")
    path = f"operations/{policy.name}/{kind}/{uuid.uuid4().hex[:16]}"
    operation = Operation(path, kind, name, "", control.caller.email, state.now())
    state.operations[path] = operation
    policy.busy = path
    failure = state.failure_of(control.method)

    def end() -> None:
        operation.done, operation.ended, policy.busy = True, state.now(), ""
        if failure is not None:
            operation.error = (failure.code, failure.message, failure.status)
            return
        operation.response = effect()
        policy.version += 1
        state.bind_perimeters()

    state.after(state.timing.policy_operation, end)
    return show(operation)


def show(operation: Operation) -> dict[str, Any]:
    made: dict[str, Any] = {
        "name": operation.name,
        "metadata": {"@type": f"{_TYPE}AccessContextManagerOperationMetadata"},
    }
    if not operation.done:
        return made
    made["done"] = True
    if operation.error is None:
        return made | {"response": operation.response}
    code, message, _ = operation.error
    return made | {"error": {"code": _RPC.get(code, 13), "message": message}}


_RPC = {
    "INVALID_ARGUMENT": 3,
    "PERMISSION_DENIED": 7,
    "FAILED_PRECONDITION": 9,
    "ABORTED": 10,
    "INTERNAL": 13,
    "UNAVAILABLE": 14,
}


def typed(kind: str, resource: Resource) -> Resource:
    return (
        {"@type": f"{_TYPE}{kind}", **resource}
        if kind
        else {"@type": "type.googleapis.com/google.protobuf.Empty"}
    )


@method("accesscontextmanager.operations.get")
def get_operation(control: Control) -> Result:
    found = control.state.operations.get(control.path["name"])
    if found is None:
        raise missing(control.path["name"])
    return show(found)


def _shown(policy: AccessPolicy) -> dict[str, Any]:
    return {
        "name": policy.name,
        "parent": policy.parent,
        "title": policy.title,
        "etag": etag(policy),
    }


@method("accesscontextmanager.accessPolicies.list")
def list_policies(control: Control) -> Result:
    parent = control.query.get("parent", "")
    if not re.fullmatch(r"organizations/\d+", parent):
        raise wrong(
            f"Invalid value for parent: '{parent}'. It must have the format organizations/{{organization_id}}."
        )
    control.authorize("accesscontextmanager.policies.list", parent)
    found = [
        _shown(each) for each in control.state.access_policies.values() if each.parent == parent
    ]
    items, following = page(control, found, "pageSize", 100)
    answer: dict[str, Any] = {"accessPolicies": items} if items else {}
    return answer | ({"nextPageToken": following} if following else {})


@method("accesscontextmanager.accessPolicies.get")
def get_policy(control: Control) -> Result:
    authorize(control, "policies.get", control.path["name"])
    return _shown(policy_of(control, control.path["name"]))


@method("accesscontextmanager.accessPolicies.accessLevels.list")
def list_levels(control: Control) -> Result:
    authorize(control, "accessLevels.list", control.path["parent"])
    levels = list(policy_of(control, control.path["parent"]).levels.values())
    items, following = page(control, levels, "pageSize", 100)
    answer: dict[str, Any] = {"accessLevels": items} if items else {}
    return answer | ({"nextPageToken": following} if following else {})


@method("accesscontextmanager.accessPolicies.accessLevels.get")
def get_level(control: Control) -> Result:
    name = control.path["name"]
    authorize(control, "accessLevels.get", name)
    level = policy_of(control, name).levels.get(name)
    if level is None:
        raise missing(name)
    return level


@method("accesscontextmanager.accessPolicies.accessLevels.create")
def create_level(control: Control) -> Result:
    policy = policy_of(control, control.path["parent"])
    body = copy.deepcopy(dict(control.body))
    name = body.get("name", "")
    authorize(control, "accessLevels.create", policy.name)
    prefix, _, short = name.rpartition("/")
    if prefix != f"{policy.name}/accessLevels" or not LEVEL.fullmatch(short):
        raise wrong(f"Invalid access level name: '{name}'.")
    if ("basic" in body) == ("custom" in body):
        raise wrong("An access level must be either basic or custom.")
    for condition in body.get("basic", {}).get("conditions", []):
        for each in condition.get("ipSubnetworks", []):
            try:
                ipaddress.ip_network(each)
            except ValueError:
                raise wrong(f"Invalid IP subnetwork: '{each}'.") from None
    if name in policy.levels:
        raise GoogleError(409, f"Access level '{name}' already exists.")

    def effect() -> Resource:
        policy.levels[name] = body
        return typed("AccessLevel", body)

    return begin(control, policy, "create_access_level", name, effect)


@method("accesscontextmanager.accessPolicies.accessLevels.delete")
def delete_level(control: Control) -> Result:
    name = control.path["name"]
    policy = policy_of(control, name)
    authorize(control, "accessLevels.delete", name)
    if name not in policy.levels:
        raise missing(name)
    for each in policy.perimeters.values():
        if name in repr(each):
            raise wrong(f"The access level '{name}' is referenced by '{each['name']}'.")

    def effect() -> Resource:
        del policy.levels[name]
        return typed("", {})

    return begin(control, policy, "delete_access_level", name, effect)


def _service(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "title": name.partition(".")[0],
        "serviceSupportStage": "GA",
        "availableOnRestrictedVip": True,
    }


@method("accesscontextmanager.services.list")
def list_services(control: Control) -> Result:
    items, following = page(
        control, [_service(each) for each in sorted(perimeter.SUPPORTED)], "pageSize", 100
    )
    answer: dict[str, Any] = {"supportedServices": items}
    return answer | ({"nextPageToken": following} if following else {})


@method("accesscontextmanager.services.get")
def get_service(control: Control) -> Result:
    name = control.path["name"]
    if name not in perimeter.SUPPORTED:
        raise missing(name)
    return _service(name)
