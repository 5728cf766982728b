# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The traffic part of the evidence: who called the account, by what path, from its logs in Log Analytics.

Accounts log to AzureDiagnostics, with the last part of the caller's address masked:
https://learn.microsoft.com/azure/ai-services/openai/how-to/monitor-openai
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from ..core.azure import traffic as core
from ..core.azure.arm_id import key
from ..core.proof import timestamp
from ..core.views import PRIVATE_RANGES
from .client import AzureError, Connection
from .reads import Read, Reader, properties

CATEGORIES = ("Audit", "RequestResponse", "AzureOpenAIRequestUsage", "allLogs", "audit")
# Rows are groups already: one for each caller, operation, answer and address.
QUERY = """AzureDiagnostics
| where TimeGenerated between (datetime({start}) .. datetime({end}))
| where ResourceId =~ "{account}" and Category in ("Audit", "RequestResponse", "AzureOpenAIRequestUsage")
| extend details = parse_json(column_ifexists("properties_s", "")), place = column_ifexists("location_s", "")
| summarize calls = count(), first_seen = min(TimeGenerated), last_seen = max(TimeGenerated)
    by Category, OperationName, ResultSignature, CallerIPAddress, principal = tostring(details.objectId), region = place
| order by calls desc
| take {rows}"""
# What a query gets whose table does not exist: nothing was ever logged there.
_NO_TABLE = "BadArgumentError"
# A denial does not say which of the two is lacking: to query at all, or to read the table.
_QUERY = (
    "Microsoft.OperationalInsights/workspaces/query/read and "
    "Microsoft.OperationalInsights/workspaces/query/AzureDiagnostics/read"
)


def workspaces(logging: Mapping[str, Any] | None) -> list[str]:
    """Ids of the workspaces that the account's calls are sent to."""
    found = {
        key(item["workspace_id"]): str(item["workspace_id"])
        for item in (logging or {"settings": ()})["settings"]
        if item["workspace_id"] and set(item["categories"]) & set(CATEGORIES)
    }
    return list(found.values())


def traffic(
    reader: Reader,
    connection: Connection,
    *,
    evidence: Mapping[str, Any],
    start: datetime,
    end: datetime,
    max_rows: int,
) -> dict[str, Any] | None:
    """The evidence's `traffic`; None when nothing is sent to a workspace, or one could not be read."""
    sent = workspaces(evidence["logging"])
    account = evidence["account"]
    if not sent or account is None:
        return None
    # Time stamps are whole seconds: the one that has begun belongs to the window.
    until = timestamp(end + timedelta(seconds=1))
    query = QUERY.format(
        start=timestamp(start), end=until, account=account["id"], rows=max_rows + 1
    )
    answers = reader.all({item: _read(connection, item, query) for item in sent})
    if any(value is None for value in answers.values()):
        return None
    inside, exempt = _inside(evidence), _exempt(evidence)
    rows = [row for value in answers.values() for row in value[:max_rows]]
    return {
        "start": timestamp(start),
        "end": timestamp(end),
        "complete": all(len(value) <= max_rows for value in answers.values()),
        "groups": core.groups(
            rows, inside=inside, service_endpoints=exempt, region=str(account["location"])
        ),
    }


def _read(connection: Connection, workspace: str, query: str) -> Read:
    return Read(
        part="traffic",
        resource=workspace,
        action=_QUERY,
        call=lambda: _rows(connection, workspace, query),
        tolerant=True,
    )


def _rows(connection: Connection, workspace: str, query: str) -> list[dict[str, Any]]:
    customer = properties(connection.get(workspace))["customerId"]
    base = connection.cloud.log_analytics
    try:
        document = connection.rest(
            "POST",
            f"{base}/v1/workspaces/{customer}/query",
            {"query": query},
            scope=f"{base}/.default",
            resource=workspace,
            action=_QUERY,
        )
    except AzureError as error:
        if error.code == _NO_TABLE:
            return []
        raise
    table = document["tables"][0]
    names = [column["name"] for column in table["columns"]]
    return [dict(zip(names, row, strict=True)) for row in table["rows"]]


def _inside(evidence: Mapping[str, Any]) -> Sequence[str]:
    peers = [cidr for item in evidence["peerings"] for cidr in item["peer_cidrs"]]
    return [*evidence["network"]["cidrs"], *peers]


def _exempt(evidence: Mapping[str, Any]) -> list[str]:
    """CIDRs of subnets that the account's network rules let in: theirs are private addresses on the public path.

    A rule whose subnet was not read may stand for any private address.
    """
    rules = {key(item) for item in evidence["account"]["network_acls"]["virtual_network_rules"]}
    known = {
        key(subnet["id"]): subnet["cidrs"]
        for network in (evidence["network"], *evidence["peers"])
        for subnet in network["subnets"]
    }
    if rules - set(known):
        return [str(item) for item in PRIVATE_RANGES]
    return [str(cidr) for rule in sorted(rules) for cidr in known[rule]]
