# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Subscriptions, their locations and providers, and resource groups."""

from __future__ import annotations

from typing import Any

from . import access, stock
from .arm_ids import RESOURCES
from .control import Control
from .errors import conflict, not_found
from .registry import LOCATIONS, OPERATIONS, TYPES, Answer, operation, resource_type, shown
from .state import Resource, State, Subscription

VERSIONS = (
    *("2014-04-01", "2015-01-01", "2015-11-01", "2016-02-01", "2016-06-01", "2016-09-01"),
    *("2017-05-10", "2018-02-01", "2018-05-01", "2019-03-01", "2019-05-01", "2019-05-10"),
    *("2019-06-01", "2019-07-01", "2019-08-01", "2019-10-01", "2019-11-01", "2020-01-01"),
    *("2020-06-01", "2020-08-01", "2020-10-01", "2021-01-01", "2021-04-01", "2022-09-01"),
    *("2022-12-01", "2024-03-01", "2024-11-01", "2025-04-01"),
)


def _group(_: State, resource: Resource) -> dict[str, Any]:
    return {**resource.body, "properties": {"provisioningState": resource.state}}


SUBSCRIPTIONS = resource_type(f"{RESOURCES}/subscriptions", VERSIONS, tracked=False, etag="")
PROVIDERS = resource_type(f"{RESOURCES}/subscriptions/providers", VERSIONS, tracked=False, etag="")
PLACES = resource_type(f"{RESOURCES}/subscriptions/locations", VERSIONS, tracked=False, etag="")
RESOURCE_LIST = resource_type(
    f"{RESOURCES}/subscriptions/resources", VERSIONS, tracked=False, etag=""
)
GROUP_RESOURCES = resource_type(
    f"{RESOURCES}/subscriptions/resourceGroups/resources", VERSIONS, tracked=False, etag=""
)
TENANTS = resource_type(f"{RESOURCES}/tenants", VERSIONS, tracked=False, etag="")
GROUPS = resource_type(f"{RESOURCES}/subscriptions/resourceGroups", VERSIONS, view=_group, etag="")
stock.taggable(GROUPS)


def _subscription(given: Subscription) -> dict[str, Any]:
    return {
        "id": f"/subscriptions/{given.id}",
        "subscriptionId": given.id,
        "tenantId": given.tenant,
        "displayName": given.name,
        "state": "Enabled",
        "authorizationSource": "RoleBased",
        "subscriptionPolicies": {
            "spendingLimit": "Off",
            "quotaId": "EnterpriseAgreement_2014-09-01",
        },
        "managedByTenants": [],
    }


def _known(control: Control) -> Subscription:
    return control.state.subscriptions[control.id.subscription.lower()]


@operation(SUBSCRIPTIONS, "GET")
def get_subscription(control: Control) -> Answer:
    return Answer(200, _subscription(_known(control)))


@operation(SUBSCRIPTIONS, "LIST", action="")
def list_subscriptions(control: Control) -> Answer:
    """The subscriptions of the caller's tenant that it has any access to."""
    found = [
        _subscription(each)
        for each in control.state.subscriptions.values()
        if each.tenant == control.caller.tenant
        and each.environment is control.environment
        and access.sees(control.state, control.caller, each.id)
    ]
    return stock.paged(control, found)


@operation(TENANTS, "LIST", action="")
def list_tenants(control: Control) -> Answer:
    tenant = control.caller.tenant
    return stock.paged(control, [{"id": f"/tenants/{tenant}", "tenantId": tenant}])


@operation(PLACES, "LIST")
def list_locations(control: Control) -> Answer:
    base = f"/subscriptions/{control.id.subscription}/locations"
    return stock.paged(
        control, [{"id": f"{base}/{each}", "name": each, "displayName": each} for each in LOCATIONS]
    )


def _namespaces() -> dict[str, str]:
    return {each.namespace.lower(): each.namespace for each in TYPES.values()}


def _provider(control: Control, namespace: str) -> dict[str, Any]:
    canonical = _namespaces().get(namespace.lower())
    if canonical is None:
        raise not_found(
            "InvalidResourceNamespace", f"The resource namespace '{namespace}' is invalid."
        )
    registered = canonical == RESOURCES or namespace.lower() in _known(control).registered
    return {
        "id": f"/subscriptions/{control.id.subscription}/providers/{canonical}",
        "namespace": canonical,
        "registrationState": "Registered" if registered else "NotRegistered",
        "registrationPolicy": "RegistrationRequired",
        "resourceTypes": [
            {
                "resourceType": each.short,
                "locations": list(each.locations),
                "apiVersions": sorted(each.api_versions, reverse=True),
            }
            for each in TYPES.values()
            if each.namespace == canonical
        ],
    }


@operation(PROVIDERS, "GET", action=f"{RESOURCES}/subscriptions/providers/read")
def get_provider(control: Control) -> Answer:
    return Answer(200, _provider(control, control.id.namespace))


@operation(PROVIDERS, "LIST")
def list_providers(control: Control) -> Answer:
    names = sorted(set(_namespaces().values()) - {RESOURCES})
    return stock.paged(control, [_provider(control, each) for each in names])


def registrable(namespace: str) -> None:
    """Register `POST /subscriptions/S/providers/NAMESPACE/register`."""
    kind = resource_type(f"{namespace}/register", VERSIONS, tracked=False, etag="")

    @operation(kind, "POST", write=True, action=f"{namespace}/register/action")
    def register(control: Control) -> Answer:
        _known(control).registered.add(namespace.lower())
        return Answer(200, _provider(control, namespace))


@operation(GROUPS, "GET")
def get_group(control: Control) -> Answer:
    found = control.existing()
    if found is None:
        raise not_found(
            "ResourceGroupNotFound", f"Resource group '{control.id.name}' could not be found."
        )
    return Answer(200, shown(control.state, found))


@operation(GROUPS, "LIST")
def list_groups(control: Control) -> Answer:
    below = f"/subscriptions/{control.id.subscription}"
    found = control.state.of_type(GROUPS.name, below)
    return stock.paged(control, [shown(control.state, each) for each in found])


@operation(GROUPS, "HEAD")
def head_group(control: Control) -> Answer:
    return Answer(204 if control.existing() else 404)


@operation(GROUPS, "PUT")
def put_group(control: Control) -> Answer:
    standing = control.existing()
    body = {"location": control.body["location"], "tags": dict(control.body.get("tags") or {})}
    if standing:
        standing.body["tags"] = body["tags"]
        return Answer(200, shown(control.state, standing))
    made = control.state.add(Resource(control.id, body))
    return Answer(201, shown(control.state, made))


@operation(GROUPS, "DELETE")
def delete_group(control: Control) -> Answer:
    """Only an empty group: what is in it would need its own order of deleting."""
    found = control.existing()
    if found is None:
        raise not_found(
            "ResourceGroupNotFound", f"Resource group '{control.id.name}' could not be found."
        )
    below = found.id.key + "/"
    if any(each.startswith(below) for each in control.state.resources):
        raise conflict(
            "ResourceGroupDeletionBlocked",
            f"Deletion of resource group '{control.id.name}' failed as resources in it exist.",
        )
    control.state.remove(found.id)
    return Answer(200)


def _in_list(control: Control, scope: str) -> Answer:
    """Tracked top-level resources; `$filter=resourceType eq 'X'` chooses."""
    wanted = control.query.get("$filter", "")
    type = wanted.split("'")[1].lower() if wanted.lower().startswith("resourcetype eq '") else ""
    below = scope.lower() + "/"
    found = [
        {key: value for key, value in shown(control.state, each).items() if key in _BRIEF}
        for name, each in control.state.resources.items()
        if name.startswith(below)
        and len(each.id.types) == 1
        and TYPES[each.id.type.lower()].tracked
        and type in ("", each.id.type.lower())
    ]
    return stock.paged(control, found)


_BRIEF = ("id", "name", "type", "location", "tags", "kind", "sku")


@operation(RESOURCE_LIST, "LIST", action=f"{RESOURCES}/subscriptions/resources/read")
def list_resources(control: Control) -> Answer:
    return _in_list(control, f"/subscriptions/{control.id.subscription}")


@operation(
    GROUP_RESOURCES, "LIST", action=f"{RESOURCES}/subscriptions/resourceGroups/resources/read"
)
def list_group_resources(control: Control) -> Answer:
    return _in_list(control, control.id.group_id)


def namespaces() -> set[str]:
    """Every provider that has registered an operation, lower case."""
    return {type.split("/")[0] for type, _ in OPERATIONS} - {RESOURCES.lower()}
