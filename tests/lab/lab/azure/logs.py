# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Log Analytics workspaces, and the rows that data calls and the world leave in them.

AI accounts write to AzureDiagnostics, with the caller's address masked in its last part.
https://learn.microsoft.com/azure/ai-services/openai/how-to/monitor-openai
"""

from __future__ import annotations

import datetime
import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from . import insights
from .control import Control
from .errors import bad_request
from .kql import Table
from .kql_values import datetime_value, type_of
from .registry import Answer, operation, resource_type, shown
from .resources import registrable
from .state import Resource, State
from .stock import readable
from .world import world_section

TABLE = "AzureDiagnostics"
VERSIONS = (
    *("2015-11-01-preview", "2020-03-01-preview", "2020-08-01", "2020-10-01", "2021-06-01"),
    *("2021-12-01-preview", "2022-10-01", "2023-09-01", "2025-02-01", "2025-07-01"),
)
# The columns that every such table has; those of a service's own end in _s, _d, _g or _b, and exist
# once a row had them.
_COLUMNS = {
    "TenantId": "string",
    "TimeGenerated": "datetime",
    "ResourceId": "string",
    "Category": "string",
    "ResourceGroup": "string",
    "SubscriptionId": "string",
    "ResourceProvider": "string",
    "Resource": "string",
    "ResourceType": "string",
    "OperationName": "string",
    "ResultType": "string",
    "CorrelationId": "string",
    "ResultDescription": "string",
    "CallerIPAddress": "string",
    "DurationMs": "long",
    "ResultSignature": "string",
    "SourceSystem": "string",
    "Type": "string",
    "_ResourceId": "string",
}
_SUFFIXES = {"_s": "string", "_d": "real", "_g": "string", "_b": "bool", "_t": "datetime"}


def _view(_: State, workspace: Resource) -> dict[str, Any]:
    properties = {
        "retentionInDays": 30,
        "sku": {"name": "PerGB2018"},
        "publicNetworkAccessForIngestion": "Enabled",
        "publicNetworkAccessForQuery": "Enabled",
        **workspace.properties,
        "provisioningState": workspace.state,
    }
    return {**workspace.body, "properties": properties}


WORKSPACES = resource_type(insights.WORKSPACES, VERSIONS, view=_view, etag='"{}"')
readable(WORKSPACES)
registrable("Microsoft.OperationalInsights")


@operation(WORKSPACES, "PUT")
def put(control: Control) -> Answer:
    """Made by world files alone, which may choose the id that queries name it by."""
    if not control.at_start:
        raise bad_request("InvalidRequest", "The lab makes no workspaces after its start.")
    properties = dict(control.properties)
    properties.setdefault("customerId", str(uuid.uuid5(uuid.NAMESPACE_URL, control.id.key)))
    control.state.add(Resource(control.id, {**control.body, "properties": properties}))
    return Answer(201, shown(control.state, control.resource()))


def workspace_by(state: State, customer_id: str) -> Resource | None:
    for each in state.of_type(WORKSPACES.name):
        if each.properties["customerId"].lower() == customer_id.lower():
            return each
    return None


def rows_of(state: State, workspace_id: str) -> list[dict[str, Any]]:
    kept: dict[str, list[dict[str, Any]]] = state.extra.setdefault("logs", {})
    return kept.setdefault(workspace_id.lower(), [])


def tables(state: State, workspace: Resource) -> dict[str, Table]:
    """What a query finds. Until the first row there is no table, as in Azure."""
    latest = datetime.datetime.fromtimestamp(
        state.now() - state.timing.log_delay, datetime.timezone.utc
    )
    rows = [each for each in rows_of(state, str(workspace.id)) if each["TimeGenerated"] <= latest]
    if not rows:
        return {}
    columns = dict(_COLUMNS)
    for row in rows:
        for name, value in row.items():
            columns.setdefault(name, _SUFFIXES.get(name[-2:], type_of(value)))
    empty = dict.fromkeys(columns)
    return {TABLE: Table(columns, [{**empty, **each} for each in rows])}


def masked(address: str) -> str:
    """A caller's address as the logs show it."""
    return ".".join([*address.split(".")[:3], "***"])


def record(
    state: State,
    account: Resource,
    *,
    operation: str,
    status: int,
    address: str,
    object_id: str,
    api: str,
    category: str = "RequestResponse",
) -> None:
    """Leave the row of one call in every workspace that the account's settings name."""
    row = _row(
        account,
        time=datetime.datetime.fromtimestamp(state.now(), datetime.timezone.utc),
        category=category,
        given={
            "OperationName": operation,
            "ResultSignature": str(status),
            "CallerIPAddress": masked(address),
            "DurationMs": 12,
            "properties_s": json.dumps({"apiName": api, "objectId": object_id}),
        },
    )
    for workspace_id in insights.sent(state, str(account.id), category):
        workspace = state.find(workspace_id)
        if workspace is not None:
            customer = workspace.properties["customerId"]
            rows_of(state, workspace_id).append({**row, "TenantId": customer})


def _row(
    account: Resource, *, time: datetime.datetime, category: str, given: Mapping[str, Any]
) -> dict[str, Any]:
    return {
        "TimeGenerated": time,
        "ResourceId": str(account.id).upper(),
        "Category": category,
        "ResourceGroup": account.id.resource_group.upper(),
        "SubscriptionId": account.id.subscription,
        "ResourceProvider": "MICROSOFT.COGNITIVESERVICES",
        "Resource": account.id.name.upper(),
        "ResourceType": "ACCOUNTS",
        "ResultType": "",
        "CorrelationId": str(uuid.uuid4()),
        "ResultDescription": "",
        "SourceSystem": "Azure",
        "Type": TABLE,
        "_ResourceId": account.id.key,
        "Tenant_s": account.body["location"],
        "location_s": account.body["location"],
        "event_s": "ShoeboxCallResult",
        **given,
    }


@world_section(
    "logs",
    [
        {
            "workspace!": str,
            "account!": str,
            "age!": (int, float),
            "category": str,
            "row!": {"*": object},
        }
    ],
)
def load(state: State, given: Sequence[Mapping[str, Any]] | None) -> None:
    """Rows of the past: `age` seconds before the start, `row` as AzureDiagnostics has it."""
    for each in given or ():
        account, workspace = state.find(each["account"]), state.find(each["workspace"])
        if account is None or workspace is None:
            raise ValueError(f"there is no {each['account']} or no {each['workspace']}")
        moment = datetime.datetime.fromtimestamp(state.now() - each["age"], datetime.timezone.utc)
        row = dict(each["row"])
        if isinstance(row.get("properties_s"), Mapping):
            row["properties_s"] = json.dumps(row["properties_s"])
        if "TimeGenerated" in row:
            moment = datetime_value(str(row.pop("TimeGenerated"))) or moment
        category = each.get("category", "RequestResponse")
        made = _row(account, time=moment, category=category, given=row)
        customer = workspace.properties["customerId"]
        rows_of(state, str(workspace.id)).append({**made, "TenantId": customer})
