# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read entries of Cloud Logging, the newest first, as many as are wanted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .client import Connection

_PAGE = 1000


def newest(
    connection: Connection, resources: Sequence[str], text: str, most: int, about: str
) -> tuple[list[dict[str, Any]], bool]:
    """The newest entries that a filter finds in these projects, and whether these are all. about: for errors."""
    found: list[dict[str, Any]] = []
    body: dict[str, Any] = {
        "resourceNames": list(resources),
        "filter": text,
        "orderBy": "timestamp desc",
        "pageSize": min(_PAGE, most + 1),
    }
    while True:
        # A page may be empty and still not be the last one.
        document = connection.rest("logging", "POST", "entries:list", body, resource=about)
        found += document.get("entries") or ()
        if len(found) > most:
            return found[:most], False
        if not document.get("nextPageToken"):
            return found, True
        body = {**body, "pageToken": document["nextPageToken"]}
