# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Resource Manager checks for every provider before the provider sees a request."""

from __future__ import annotations

from dataclasses import replace

from . import arm_ids, body
from .arm_ids import RESOURCES, ArmId
from .control import Control, missing
from .errors import bad_request, conflict, not_found
from .registry import LOCATIONS, TYPES, Answer


def run(control: Control) -> Answer:
    """What Resource Manager checks for every provider, then the provider's handler."""
    id, operation = control.id, control.operation
    _group_exists(control)
    _parents_exist(control)
    if operation.method == "PUT":
        _registered(control)
        _placed(control)
    if operation.method in ("PUT", "PATCH", "DELETE") and id.is_resource:
        control.check_etag(control.existing())
    if operation.model is not None:
        checked = body.clean(*operation.model, control.body)
        control = replace(control, body=checked)
    return operation.handler(control)


def _group_exists(control: Control) -> None:
    id = control.id
    if not id.resource_group or (id.namespace == RESOURCES and id.is_resource):
        return
    if control.state.find(id.group_id) is None:
        raise not_found(
            "ResourceGroupNotFound", f"Resource group '{id.resource_group}' could not be found."
        )


def _parents_exist(control: Control) -> None:
    id = control.id
    holder = id.parent
    if id.namespace != RESOURCES and _extends(id):
        scope = arm_ids.parse(id.scope)
        if control.state.find(scope) is None:
            raise missing(scope)
    if holder is None or TYPES.get(holder.type.lower()) is None or not holder.is_resource:
        return
    if holder.type.lower() == f"{RESOURCES}/subscriptions".lower():
        return
    if control.state.find(holder) is not None:
        return
    if control.operation.method == "PUT":
        raise not_found(
            "ParentResourceNotFound",
            f"Failed to perform 'write' on resource(s) of type '{control.operation.type.short}', "
            f"because the parent resource '{holder}' could not be found.",
        )
    raise missing(holder)


def _extends(id: ArmId) -> bool:
    """Whether the scope is itself a resource (the id is that of an extension resource)."""
    return "/providers/" in id.scope.lower()


def _registered(control: Control) -> None:
    namespace = control.operation.type.namespace
    known = control.state.subscriptions.get(control.id.subscription.lower())
    if control.at_start or namespace == RESOURCES or known is None:
        return  # a world may hold what was there before the provider was unregistered
    if namespace.lower() in known.registered:
        return
    raise conflict(
        "MissingSubscriptionRegistration",
        f"The subscription is not registered to use namespace '{namespace}'. See "
        "https://aka.ms/rps-not-found for how to register subscriptions.",
        details=[
            {
                "code": "MissingSubscriptionRegistration",
                "target": namespace,
                "message": f"The subscription is not registered to use namespace '{namespace}'. "
                "See https://aka.ms/rps-not-found for how to register subscriptions.",
            }
        ],
    )


def _placed(control: Control) -> None:
    """A tracked resource has a location that exists, and stays where it is."""
    type, id = control.operation.type, control.id
    if not type.tracked or not id.is_resource:
        return
    location = control.body.get("location")
    if not isinstance(location, str) or not location:
        raise bad_request(
            "LocationRequired", "The location property is required for this definition."
        )
    place = location.replace(" ", "").lower()
    if place not in type.locations:
        known = LOCATIONS if type.namespace == RESOURCES else type.locations
        raise bad_request(
            "LocationNotAvailableForResourceType",
            f"The provided location '{location}' is not available for resource type '{type.name}'. "
            f"List of available regions for the resource type is '{','.join(known)}'.",
        )
    control.body["location"] = place
    standing = control.existing()
    if standing and standing.body.get("location") != place:
        raise conflict(
            "InvalidResourceLocation",
            f"The resource '{id.name}' already exists in location "
            f"'{standing.body.get('location')}' in resource group '{id.resource_group}'. A resource "
            f"with the same name cannot be created in location '{location}'. Please select a new "
            "resource name.",
        )
