# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Carry out a plan of the DNS phase, and remember what was changed so that exactly that can be switched back.

What is independent is begun at once, then all of it is waited for. Every write is conditional on what was read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import Any

from ..core.azure.arm_id import key
from ..core.azure.plan_dns_done import Done
from ..core.azure.plan_dns_types import (
    DnsPlan,
    GroupChange,
    Link,
    LinkChange,
    RecordChange,
    View,
    ZoneChange,
)
from ..waiting import Deadline
from . import dns_convert
from .client import AzureError, Connection, gather
from .dns_places import Places


def carry_out(places: Places, view: View, plan: DnsPlan, done: Done, deadline: Deadline) -> None:
    """Do all of it. What was done is in `done`, also when this fails.

    AzureError with `changed_meanwhile` when another run was faster.
    """
    stages: list[Callable[[], None]] = [
        lambda: _all(partial(_zone, places, item, done, deadline) for item in plan.zones),
        lambda: _all(
            partial(_records, places, several, done, deadline) for several in _by_name(plan.records)
        ),
        lambda: _group(places, view, plan.group, done, deadline),
        lambda: _all(partial(_link, places, item, done, deadline) for item in plan.links),
    ]
    if plan.backward:
        # Links first, so that names leave before their records do; records after the group, which takes its own along.
        stages = [stages[3], stages[2], stages[1], stages[0]]
    for stage in stages:
        stage()


def _all(calls: Iterable[Callable[[], Any]]) -> None:
    gather({str(number): call for number, call in enumerate(calls)})


def _zone(places: Places, change: ZoneChange, done: Done, deadline: Deadline) -> None:
    connection = places.of(change.zone_id)
    if change.delete:
        _delete(connection, change.zone_id, None, deadline)
        return
    # Before the call: if its response is lost, it may be there. Its tags say whether it is this run's.
    done.zones.append(change.zone_id)
    body = dns_convert.zone_body(done.run)
    connection.write("PUT", change.zone_id, body, new=True, deadline=deadline)


def _by_name(changes: Iterable[RecordChange]) -> list[list[RecordChange]]:
    """Changes of one name belong together: Azure takes no address beside an alias, so what goes goes first."""
    found: dict[tuple[str, str], list[RecordChange]] = {}
    for change in changes:
        one = change.after or change.before
        if one:
            found.setdefault((key(change.zone_id), one.name.lower()), []).append(change)
    return [sorted(several, key=lambda item: item.after is not None) for several in found.values()]


def _records(
    places: Places, changes: Iterable[RecordChange], done: Done, deadline: Deadline
) -> None:
    for change in changes:
        done.records.append(change)
        try:
            _record(places.of(change.zone_id), change, deadline)
        except AzureError as error:
            if error.changed_meanwhile:
                done.records.remove(change)
            raise


def _record(connection: Connection, change: RecordChange, deadline: Deadline) -> None:
    one = change.after or change.before
    path = f"{change.zone_id}/{one.type}/{one.name}" if one else ""
    etag = change.before.etag if change.before else ""
    if change.after is None:
        _delete(connection, path, etag, deadline)
        return
    body = dns_convert.record_body(change.after)
    new = change.before is None
    connection.write("PUT", path, body, etag=etag or None, new=new, deadline=deadline)


def _group(
    places: Places, view: View, change: GroupChange | None, done: Done, deadline: Deadline
) -> None:
    if change is None:
        return
    made = change.after or change.before
    path = f"{change.endpoint_id}/privateDnsZoneGroups/{made.name if made else ''}"
    done.regroup(view, change)
    if change.after is None:
        _delete(places.main, path, None, deadline)
    else:
        places.main.write("PUT", path, dns_convert.group_body(change.after), deadline=deadline)


def _link(places: Places, change: LinkChange, done: Done, deadline: Deadline) -> None:
    connection = places.of(change.zone_id)
    made = change.after or change.before
    path = f"{change.zone_id}/virtualNetworkLinks/{made.name if made else ''}"
    if change.after is None:
        _delete(connection, path, change.before.etag if change.before else None, deadline)
    elif change.before is None:
        done.links.append(replace(change, after=replace(change.after, run=done.run)))
        body = dns_convert.link_body(change.after, done.run)
        try:
            connection.write("PUT", path, body, new=True, deadline=deadline)
        except AzureError as error:
            if error.kind == "conflict" and not error.changed_meanwhile:
                raise _unseen(error, change.zone_id, change.after) from error
            raise
    else:
        done.links.append(change)
        body = dns_convert.link_settings(change.after)
        connection.write("PATCH", path, body, etag=change.before.etag or None, deadline=deadline)


def _unseen(error: AzureError, zone_id: str, link: Link) -> AzureError:
    """The zones that can be seen were looked through before: it is one that cannot."""
    return AzureError(
        f"it cannot be linked to {link.network_id}: {error.what}",
        kind=error.kind,
        status=error.status,
        resource=zone_id,
        code=error.code,
        fix="Another zone of this name is linked to that network, perhaps in a subscription that these credentials "
        "cannot see: delete its link, or set zone_resource_group and zone_subscription_id to that zone's",
    )


def _delete(connection: Connection, path: str, etag: str | None, deadline: Deadline) -> None:
    try:
        connection.write("DELETE", path, etag=etag or None, deadline=deadline)
    except AzureError as error:
        if error.kind != "missing":
            raise
