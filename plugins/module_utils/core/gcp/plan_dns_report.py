# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The changes of the DNS phase as steps, and what the module tells of zones, policies and names."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..contracts import Step
from .plan_dns_types import Change, Entry, Holder, View


def steps(changes: Iterable[Change]) -> list[Step]:
    """One step for each zone or policy that changes."""
    return [_step(item) for item in changes]


def after(view: View, changes: Iterable[Change]) -> View:
    """What there is to see once the changes are made."""
    known = {item.id: item for item in view.holders}
    for change in changes:
        known.pop(change.id, None)
        if change.after is not None:
            known[change.id] = change.after
    return View(holders=tuple(known[name] for name in sorted(known)), networks=view.networks)


def replaced(changes: Iterable[Change], hosts: Iterable[str]) -> int | None:
    """The longest time, in seconds, that a client may go on with an answer which the changes take back; None for none.

    Only of records that the networks were answered with, and only where the addresses are others.
    """
    hosts = list(hosts)
    found = [
        record.ttl
        for change in changes
        if change.before is not None and change.before.networks
        for host in hosts
        if change.before.addresses(host)
        != (change.after.addresses(host) if change.after is not None else ())
        for entry in change.before.at(host)
        for record in entry.records
    ]
    return max(found, default=None)


def document(holder: Holder) -> dict[str, Any]:
    """A zone or policy as the module shows it."""
    shown: dict[str, Any] = {
        "id": holder.id,
        "name": holder.name,
        "networks": list(holder.networks),
        "managed": holder.managed,
    }
    if holder.kind == "policy":
        return {**shown, "rules": [_rule(item) for item in holder.entries or ()]}
    records = [record for item in holder.entries or () for record in _records(item)]
    return {**shown, "dns_name": holder.dns_name, "records": records}


def _step(change: Change) -> Step:
    old, new = _shown(change.before), _shown(change.after)
    if change.before is None:
        return Step(resource=change.id, action="create", after=new)
    if change.after is None:
        return Step(resource=change.id, action="delete", before=old)
    differing = [key for key in new if old[key] != new[key]]
    return Step(
        resource=change.id,
        action="update",
        before={key: old[key] for key in differing},
        after={key: new[key] for key in differing},
    )


def _shown(holder: Holder | None) -> dict[str, Any]:
    if holder is None:
        return {}
    found: dict[str, Any] = {"networks": list(holder.networks)}
    if holder.kind == "policy":
        return {**found, "rules": [_rule(item) for item in holder.entries or ()]}
    records = [record for item in holder.entries or () for record in _records(item)]
    return {**found, "dns_name": holder.dns_name, "records": records}


def _records(entry: Entry) -> list[dict[str, Any]]:
    return [
        {"name": item.name, "type": item.type, "ttl": item.ttl, "values": list(item.values)}
        for item in entry.records
    ]


def _rule(entry: Entry) -> dict[str, Any]:
    return {
        "name": entry.key,
        "dns_name": entry.name,
        "bypass": entry.bypass,
        "records": _records(entry),
    }
