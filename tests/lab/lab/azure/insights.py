# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Microsoft.Insights/diagnosticSettings: what a resource logs, and where it sends that.

https://learn.microsoft.com/rest/api/monitor/diagnostic-settings
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .control import Control
from .errors import ArmError, bad_request, conflict, not_found
from .registry import Answer, operation, resource_type, shown
from .resources import registrable
from .state import Resource, State
from .stock import readable

VERSIONS = ("2016-09-01", "2017-05-01-preview", "2020-01-01-preview", "2021-05-01-preview")
WORKSPACES = "Microsoft.OperationalInsights/workspaces"
_DESTINATIONS = (
    "workspaceId",
    "storageAccountId",
    "eventHubAuthorizationRuleId",
    "serviceBusRuleId",
    "marketplacePartnerId",
)
_PROPERTIES = (*_DESTINATIONS, "eventHubName", "metrics", "logs", "logAnalyticsDestinationType")
_MOST = 5
# What accounts log, and which groups have it.
CATEGORIES: Mapping[str, tuple[str, ...]] = {
    "Audit": ("allLogs", "audit"),
    "RequestResponse": ("allLogs",),
    "AzureOpenAIRequestUsage": ("allLogs",),
    "Trace": ("allLogs",),
}


def _view(_: State, setting: Resource) -> dict[str, Any]:
    empty = dict.fromkeys((*_DESTINATIONS, "eventHubName", "logAnalyticsDestinationType"))
    properties = {"metrics": [], "logs": [], **empty, **setting.properties}
    return {"properties": properties, "location": None, "tags": None, "kind": None}


SETTINGS = resource_type(
    "Microsoft.Insights/diagnosticSettings", VERSIONS, view=_view, tracked=False, etag=""
)
readable(SETTINGS)
registrable("Microsoft.Insights")


@operation(SETTINGS, "PUT")
def put(control: Control) -> Answer:
    """Make a setting, or replace one."""
    given = control.properties
    for name in given:
        if name not in _PROPERTIES:
            raise bad_request(
                "BadRequest",
                f"Could not find member '{name}' on object of type "
                f"'ServiceDiagnosticSettings'. Path 'properties.{name}'.",
            )
    if not any(given.get(each) for each in _DESTINATIONS):
        raise bad_request(
            "BadRequest",
            "At least one data sink needs to be specified: a workspace, a storage account, an "
            "event hub or a partner.",
        )
    _check_workspace(control, given)
    logs = [_log(each) for each in given.get("logs") or ()]
    if not any(each["enabled"] for each in logs) and not given.get("metrics"):
        raise bad_request("BadRequest", "At least one metric or log must be enabled.")
    _check_others(control, given)
    setting = control.existing()
    properties = {**given, "logs": logs}
    if setting is None:
        setting = control.state.add(Resource(control.id, {"properties": properties}))
    else:
        setting.body["properties"] = properties
    return Answer(200, shown(control.state, setting))


def _check_workspace(control: Control, given: Mapping[str, Any]) -> None:
    wanted = given.get("workspaceId")
    workspace = control.state.find(str(wanted)) if wanted else None
    if wanted and (workspace is None or workspace.id.type.lower() != WORKSPACES.lower()):
        raise not_found("ResourceNotFound", f"The workspace '{wanted}' was not found.")


def _log(given: Mapping[str, Any]) -> dict[str, Any]:
    category, group = given.get("category"), given.get("categoryGroup")
    if bool(category) == bool(group):
        raise bad_request("BadRequest", "A log has either a category or a category group.")
    groups = {each for several in CATEGORIES.values() for each in several}
    if (category and category not in CATEGORIES) or (group and group not in groups):
        raise bad_request(
            "BadRequest", f"Category '{category or group}' is not supported for this resource."
        )
    return {
        "category": category,
        "categoryGroup": group,
        "enabled": bool(given.get("enabled")),
        "retentionPolicy": {"enabled": False, "days": 0},
    }


def _check_others(control: Control, given: Mapping[str, Any]) -> None:
    """At most five settings, and no two that send to one workspace."""
    others = [
        each
        for each in settings_of(control.state, control.id.scope)
        if each.id.key != control.id.key
    ]
    if control.existing() is None and len(others) >= _MOST:
        raise _too_many(control)
    wanted = str(given.get("workspaceId") or "").lower()
    for each in others:
        if wanted and str(each.properties.get("workspaceId") or "").lower() == wanted:
            raise conflict(
                "Conflict",
                f"Data sink '{given['workspaceId']}' is already used in diagnostic setting "
                f"'{each.id.name}' for the same categories. Data sinks can't be reused in "
                "different settings on the same category for the same resource.",
            )


def _too_many(control: Control) -> ArmError:
    return bad_request(
        "BadRequest",
        f"The limit of {_MOST} diagnostic settings was reached for '{control.id.scope}'.",
    )


@operation(SETTINGS, "DELETE")
def delete(control: Control) -> Answer:
    if control.existing() is None:
        return Answer(204)
    control.state.remove(control.id)
    return Answer(200)


def settings_of(state: State, resource_id: str) -> Iterator[Resource]:
    """The diagnostic settings of a resource."""
    for each in state.of_type(SETTINGS.name, resource_id):
        if each.id.scope.lower() == resource_id.lower():
            yield each


def sent(state: State, resource_id: str, category: str) -> list[str]:
    """The ids of the workspaces that a resource sends a category to."""
    groups = CATEGORIES[category]
    return [
        str(each.properties["workspaceId"])
        for each in settings_of(state, resource_id)
        if each.properties.get("workspaceId")
        and any(
            log["enabled"] and (log["category"] == category or log["categoryGroup"] in groups)
            for log in each.properties["logs"]
        )
    ]


CATEGORY_LIST = resource_type(
    "Microsoft.Insights/diagnosticSettingsCategories", VERSIONS, tracked=False, etag=""
)


@operation(CATEGORY_LIST, "LIST")
def list_categories(control: Control) -> Answer:
    found = [
        {
            "id": f"{control.id}/{name}",
            "name": name,
            "type": CATEGORY_LIST.name,
            "properties": {"categoryType": "Logs", "categoryGroups": list(groups)},
        }
        for name, groups in CATEGORIES.items()
    ]
    return Answer(200, {"value": found})
