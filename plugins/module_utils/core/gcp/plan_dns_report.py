# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The changes of the DNS phase as steps, and what the module tells of zones, policies and names."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..contracts import Step
from .names import DOMAIN
from .plan_dns_problems import deciding_rule
from .plan_dns_types import Change, Entry, Holder, View, Wanted


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


def replaced(view: View, wanted: Wanted) -> int | None:
    """The longest time, in seconds, that a client may go on with another address than is wanted; None for none.

    Only of what networks are answered with by a response policy or a private zone, whatever it is to be changed by.
    """
    found = [
        record.ttl
        for network, address in wanted.places.items()
        for host in wanted.hosts
        for entry in _answer(view, host, network)
        for record in entry.records
        if record.values != (address,)
    ]
    return max(found, default=None)


def _answer(view: View, host: str, network: str) -> tuple[Entry, ...]:
    """What answers for a name in a network now, of what was read."""
    rule = deciding_rule(view.policy(network), host)
    if rule and not rule.bypass:
        return (rule,)
    zone = view.zone(host, network)
    if zone is not None:
        return zone.at(host)
    whole = view.zone(DOMAIN, network)
    return (whole.at(host) or whole.at(f"*.{DOMAIN}")) if whole else ()


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
