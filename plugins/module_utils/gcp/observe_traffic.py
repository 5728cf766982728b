# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The traffic part of the evidence: who called Vertex AI, by what path, from the project's audit logs.

Three logs: calls that read or write data, which have to be switched on, calls that change resources, and what
VPC Service Controls refuses or would refuse. https://cloud.google.com/logging/docs/audit
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from ..core.gcp import traffic as core
from ..core.proof import timestamp
from .client import Connection
from .log_entries import newest
from .observe_access import SERVICE
from .reads import Read, Reader

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
            call=lambda: newest(connection, [path], text, most, path),
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
