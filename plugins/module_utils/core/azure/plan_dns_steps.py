# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The changes of the DNS phase as steps: what check mode predicts, what the diff shows, and what the result says."""

from __future__ import annotations

from typing import Any

from ..contracts import Action, Step
from .plan_dns_types import (
    DnsPlan,
    Endpoint,
    GroupChange,
    Link,
    LinkChange,
    Record,
    RecordChange,
    ZoneChange,
    label,
)


def steps(plan: DnsPlan, endpoint: Endpoint) -> tuple[Step, ...]:
    """All steps of a plan, in the order in which they are carried out."""
    parts = [
        [_zone(change) for change in plan.zones],
        [_record(change) for change in plan.records],
        [_group(plan.group, endpoint)] if plan.group else [],
        [_link(change) for change in plan.links],
    ]
    if plan.backward:
        parts = [parts[3], parts[2], parts[1], parts[0]]
    return tuple(step for part in parts for step in part)


def _zone(change: ZoneChange) -> Step:
    shown = {"id": change.zone_id}
    resource = f"private DNS zone {change.name}"
    if change.delete:
        return Step(resource=resource, action="delete", before=shown)
    return Step(resource=resource, action="create", after=shown)


def _record(change: RecordChange) -> Step:
    one = change.after or change.before
    name = f"{one.type} {one.name}" if one else ""
    before, after = _shown_record(change.before), _shown_record(change.after)
    return _step(f"record {name} in {label(change.zone_id)}", before, after)


def _shown_record(record: Record | None) -> dict[str, Any] | None:
    if record is None:
        return None
    return {"values": list(record.values), "ttl": record.ttl}


def _group(change: GroupChange, endpoint: Endpoint) -> Step:
    # By the account, which is known before the endpoint is.
    resource = f"zone group of the endpoint for {label(endpoint.account_id)}"
    before = {item.zone: item.zone_id for item in change.before.configs} if change.before else None
    after = {item.zone: item.zone_id for item in change.after.configs} if change.after else None
    return _step(resource, before, after)


def _link(change: LinkChange) -> Step:
    one = change.after or change.before
    network = label(one.network_id) if one else ""
    before, after = _shown_link(change.before), _shown_link(change.after)
    return _step(f"link of {label(change.zone_id)} to {network}", before, after)


def _shown_link(link: Link | None) -> dict[str, Any] | None:
    if link is None:
        return None
    return {
        "network_id": link.network_id,
        "registration_enabled": link.registration,
        "resolution_policy": link.policy,
    }


def _step(resource: str, before: dict[str, Any] | None, after: dict[str, Any] | None) -> Step:
    """All attributes of what is made or deleted, and those that differ of what is changed."""
    if before is None or after is None:
        action: Action = "create" if before is None else "delete"
        return Step(resource=resource, action=action, before=before or {}, after=after or {})
    differ = {name for name in {*before, *after} if before.get(name) != after.get(name)}
    return Step(
        resource=resource,
        action="update",
        before={name: before[name] for name in sorted(differ) if name in before},
        after={name: after[name] for name in sorted(differ) if name in after},
    )
