# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Make the changes of the DNS phase, zones and policies beside each other, and remember what was changed.

What is made answers nowhere at first: it gets its records, and then its networks, so that no name stops to resolve.
On the way back the networks leave first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from ..core.gcp.plan_dns_done import Done
from ..core.gcp.plan_dns_types import Change, Entry, Holder
from ..waiting import Deadline, until
from . import dns_convert as convert
from .client import Connection, GoogleError, gather

# Another run may join a network at the same moment; each repair meets at most one of those.
_MEETINGS = 5


def carry_out(
    connection: Connection, changes: Sequence[Change], done: Done, deadline: Deadline
) -> None:
    """Make all changes. What was begun is in `done`, also when this fails."""
    gather({item.id: partial(_change, connection, item, done, deadline) for item in changes})


def _change(connection: Connection, change: Change, done: Done, deadline: Deadline) -> None:
    before, after = change.before, change.after
    done.add(change)
    if after is None:
        if before is not None:
            _remove(connection, before, deadline)
        return
    now = before
    if now is None:
        _create(connection, after, done.run)
        now = replace(after, networks=(), entries=())
    leaving = set(now.networks) - set(after.networks)
    if leaving:
        _attach(connection, now, after, deadline)
    _fill(connection, now, after, deadline)
    if not leaving and now.networks != after.networks:
        _attach(connection, now, after, deadline)


def _remove(connection: Connection, holder: Holder, deadline: Deadline) -> None:
    bare = replace(holder, networks=(), entries=())
    if holder.networks:
        _attach(connection, holder, bare, deadline)
    _fill(connection, holder, bare, deadline)
    _gone(connection, holder.id, holder.id)


def _create(connection: Connection, holder: Holder, run: str) -> None:
    folder = holder.id.rpartition("/")[0]
    body = convert.new_body(holder, run)
    connection.rest("dns", "POST", folder, body, resource=holder.id)


def _fill(connection: Connection, now: Holder, after: Holder, deadline: Deadline) -> None:
    """Bring the entries to what they are to be; those of a zone all at once or not at all."""
    old = {item.key: item for item in now.entries or ()}
    new = {item.key: item for item in after.entries or ()}
    going = [item for key, item in old.items() if new.get(key) != item]
    coming = [item for key, item in new.items() if old.get(key) != item]
    if not going and not coming:
        return
    if now.kind == "policy":
        _rules(connection, now, {item.key for item in going}, coming)
        return
    body = {"additions": _bodies(coming), "deletions": _bodies(going)}
    path = f"{now.id}/changes"
    made = connection.rest("dns", "POST", path, body, resource=now.id)
    _settle(connection, f"{path}/{made['id']}", made, now.id, deadline)


def _bodies(items: Iterable[Entry]) -> list[dict[str, Any]]:
    return [convert.record_body(record) for item in items for record in item.records]


def _rules(
    connection: Connection, policy: Holder, going: set[str], coming: Iterable[Entry]
) -> None:
    for item in coming:
        body = convert.rule_body(item)
        if item.key in going:
            going.discard(item.key)
            path = f"{policy.id}/rules/{item.key}"
            # PUT: what the old rule had and the new one lacks goes.
            connection.rest("dns", "PUT", path, body, resource=path)
        else:
            path = f"{policy.id}/rules"
            connection.rest("dns", "POST", path, body, resource=f"{path}/{item.key}")
    for key in sorted(going):
        _gone(connection, f"{policy.id}/rules/{key}", policy.id)


def _attach(connection: Connection, now: Holder, after: Holder, deadline: Deadline) -> None:
    """Let networks join or leave. The list is replaced as a whole, so that it is read just before.

    A zone's answer tells the list that was replaced: a network that another run had added in between is put back.
    """
    joining = set(after.networks) - set(now.networks)
    leaving = set(now.networks) - set(after.networks)
    document = connection.get("dns", now.id, resource=now.id)
    for _unused in range(_MEETINGS):
        known = _networks(document, now)
        listed = sorted((known | joining) - leaving)
        if set(listed) == known:
            return
        answer = connection.rest(
            "dns", "PATCH", now.id, _body(document, now, listed), resource=now.id
        )
        if now.kind == "policy":
            return
        _settle(connection, f"{now.id}/operations/{answer['id']}", answer, now.id, deadline)
        replaced = (answer.get("zoneContext") or {}).get("oldValue") or document
        lost = _networks(replaced, now) - known - leaving
        back = known - _networks(replaced, now) - joining
        if not lost and not back:
            return
        joining |= lost
        leaving |= back
        document = connection.get("dns", now.id, resource=now.id)


def _networks(document: Any, holder: Holder) -> set[str]:
    make = convert.zone if holder.kind == "zone" else convert.policy
    return set(make(document, holder.project).networks)


def _body(document: Any, holder: Holder, networks: Iterable[str]) -> dict[str, Any]:
    """The list of networks, with the clusters that stand beside it."""
    listed = convert.network_bodies(networks)
    if holder.kind == "policy":
        return {"networks": listed}
    config = document.get("privateVisibilityConfig") or {}
    kept = {"gkeClusters": config["gkeClusters"]} if config.get("gkeClusters") else {}
    return {"privateVisibilityConfig": {"networks": listed, **kept}}


def _settle(
    connection: Connection, path: str, document: Any, resource: str, deadline: Deadline
) -> None:
    """Wait until a change or an operation is done."""
    latest = [document]

    def pending() -> str:
        if str(latest[0].get("status") or "done").lower() == "done":
            return ""
        latest[0] = connection.get("dns", path, resource=resource)
        done = str(latest[0].get("status") or "done").lower() == "done"
        return "" if done else f"{path} is not done"

    until(deadline, resource, pending)


def _gone(connection: Connection, path: str, resource: str) -> None:
    """What another run has deleted is deleted."""
    try:
        connection.rest("dns", "DELETE", path, resource=resource)
    except GoogleError as error:
        if error.kind != "missing":
            raise
