# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Until when clients may go on with an address that was taken out of DNS, by this run or by one before it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta, timezone
from functools import partial
from typing import Any

from ..core.gcp.plan_dns_types import Holder
from . import dns_convert as convert
from .client import Connection, gather

# A change that is done has been sent to Google's servers; when they answer by it is not told.
SERVED = timedelta(seconds=5)
_RECENT = 50


def drained(seconds: int | None, before: Iterable[datetime] = ()) -> str | None:
    """The moment in UTC, ISO 8601; None when it has passed.

    seconds: the longest TTL that this run replaced, None for none. before: when what was replaced earlier is drained.
    """
    now = datetime.now(timezone.utc)
    own = [] if seconds is None else [now + timedelta(seconds=seconds) + SERVED]
    last = max([*own, *before], default=now)
    # Up to the next whole second, which is never too early.
    return (last + timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%SZ") if last > now else None


def earlier(
    connection: Connection, holders: Iterable[Holder], hosts: Collection[str], gone: Collection[str]
) -> list[datetime]:
    """When answers with the addresses `gone` are drained that earlier runs took back; one read for each zone.

    A zone's changes tell. A response policy has no history: there what stands now is taken for what stood before.
    """
    now = datetime.now(timezone.utc)
    held = list(holders)
    zones = [item for item in held if item.kind == "zone"]
    found = gather({item.id: partial(_changes, connection, item) for item in zones})
    ends = [
        end
        for changes in found.values()
        for change in changes
        for end in _ends(change, hosts, set(gone), now)
    ]
    ends += [
        now + timedelta(seconds=record.ttl) + SERVED
        for item in held
        if item.kind == "policy"
        for host in hosts
        for entry in item.at(host)
        for record in entry.records
    ]
    return ends


def _changes(connection: Connection, zone: Holder) -> list[dict[str, Any]]:
    """The latest changes; older ones are drained long since."""
    params = {"sortOrder": "descending", "maxResults": _RECENT}
    found = connection.get("dns", f"{zone.id}/changes", params=params, resource=zone.id)
    return list(found.get("changes") or ())


def _ends(
    change: Mapping[str, Any], hosts: Collection[str], gone: set[str], now: datetime
) -> Iterable[datetime]:
    began = datetime.fromisoformat(str(change["startTime"]).replace("Z", "+00:00"))
    if change.get("status") != "done":
        began = now
    for item in change.get("deletions") or ():
        if convert.plain(str(item["name"])) in hosts and gone & set(item.get("rrdatas") or ()):
            yield began + timedelta(seconds=int(item.get("ttl") or 0)) + SERVED
