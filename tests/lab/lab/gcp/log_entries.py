# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cloud Logging: reading entries."""

from __future__ import annotations

from typing import Any

from . import iam
from .audit import DATA_ACCESS
from .errors import GoogleError
from .log_filter import compile_filter
from .operation import Control, Result, method, page
from .records import Resource


@method("logging.entries.list")
def list_entries(control: Control) -> Result:
    body = control.body
    names = list(body.get("resourceNames", [])) + [
        f"projects/{each}" for each in body.get("projectIds", [])
    ]
    if not names:
        raise GoogleError(400, "At least one resource name is required.")
    size = body.get("pageSize", 50)
    if size < 0:
        raise GoogleError(400, "page_size must not be negative.")
    test = compile_filter(body.get("filter", ""))
    found = [each for name in names for each in _readable(control, name) if test(each)]
    order = body.get("orderBy", "timestamp asc")
    if order not in ("timestamp asc", "timestamp desc", "timestamp"):
        raise GoogleError(
            400, f"Invalid order_by: '{order}'. It must be 'timestamp asc' or 'timestamp desc'."
        )
    found.sort(
        key=lambda each: (each["timestamp"], each["insertId"]), reverse=order.endswith("desc")
    )
    items, following = page(control, found, "pageSize", 50)
    answer: dict[str, Any] = {"entries": items} if items else {}
    return answer | ({"nextPageToken": following} if following else {})


def _readable(control: Control, name: str) -> list[Resource]:
    """The entries of a project, without data access entries for those who may not read these."""
    kind, _, holder = name.partition("/")
    if kind == "organizations":
        control.authorize("logging.logEntries.list", name)
        return []  # nothing here logs at the organisation itself
    if kind != "projects":
        raise GoogleError(
            400, f"The lab reads logs of projects and organizations, not of '{name}'."
        )
    project = control.find_project(holder)
    resource = f"projects/{project.id}"
    control.authorize("logging.logEntries.list", resource)
    private = iam.allowed(control.state, control.caller, "logging.privateLogEntries.list", resource)
    return [
        each
        for each in control.state.log
        if each["logName"].startswith(f"{resource}/logs/")
        and (private or not each["logName"].endswith(DATA_ACCESS))
    ]
