# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The traffic part of the evidence: who called Vertex AI, by what path, from the project's audit logs.

Three logs: calls that read or write data, which have to be switched on, calls that change resources, and what
VPC Service Controls refuses or would refuse. https://cloud.google.com/logging/docs/audit
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from ..core.gcp import traffic as core
from ..core.proof import timestamp
from .client import Connection
from .observe_access import SERVICE
from .reads import Read, Reader

_PAGE = 1000
_PRIVATE = "logging.privateLogEntries.list"
FILTER = (
    'timestamp>="{start}" AND timestamp<"{end}" AND protoPayload.serviceName="{service}" AND '
    '(log_id("cloudaudit.googleapis.com/data_access") OR log_id("cloudaudit.googleapis.com/activity") OR '
    'log_id("cloudaudit.googleapis.com/policy"))'
)


def traffic_reads(
    connection: Connection, project: str, start: datetime, end: datetime, most: int
) -> dict[str, Read]:
    """The entries, and whether these credentials may read all kinds of them: Google leaves out the others silently."""
    path = f"projects/{project}"
    # Time stamps are whole seconds: the one that has begun belongs to the window.
    text = FILTER.format(
        start=timestamp(start), end=timestamp(end + timedelta(seconds=1)), service=SERVICE
    )
    return {
        "entries": Read(
            part="traffic",
            resource=path,
            action="logging.logEntries.list",
            call=lambda: _entries(connection, path, text, most),
        ),
        "entries may": Read(
            part="traffic",
            resource=path,
            action=_PRIVATE,
            call=lambda: connection.rest(
                "cloudresourcemanager",
                "POST",
                f"{path}:testIamPermissions",
                {"permissions": [_PRIVATE]},
                resource=path,
            ),
            tolerant=True,
        ),
    }


def traffic(
    reader: Reader, answers: Mapping[str, Any], project: str, start: datetime, end: datetime
) -> dict[str, Any] | None:
    """`traffic` of the evidence; None when not all of it could be read."""
    may = answers["entries may"]
    if may is not None and _PRIVATE not in (may.get("permissions") or ()):
        reader.note(
            "traffic",
            f"projects/{project}",
            _PRIVATE,
            "PERMISSION_DENIED",
            f"without {_PRIVATE} Google leaves out data access entries, so that callers do not show",
        )
        return None
    if may is None or answers["entries"] is None:
        return None
    entries, complete = answers["entries"]
    return {
        "start": timestamp(start),
        "end": timestamp(end),
        "complete": complete,
        "groups": core.groups(entries),
    }


def _entries(
    connection: Connection, path: str, text: str, most: int
) -> tuple[list[dict[str, Any]], bool]:
    """The newest entries, and whether these are all."""
    found: list[dict[str, Any]] = []
    body: dict[str, Any] = {
        "resourceNames": [path],
        "filter": text,
        "orderBy": "timestamp desc",
        "pageSize": min(_PAGE, most + 1),
    }
    while True:
        # A page may be empty and still not be the last one.
        document = connection.rest("logging", "POST", "entries:list", body, resource=path)
        found += _listed(document)
        if len(found) > most:
            return found[:most], False
        if not document.get("nextPageToken"):
            return found, True
        body = {**body, "pageToken": document["nextPageToken"]}


def _listed(document: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    return [dict(item) for item in document.get("entries") or ()]
