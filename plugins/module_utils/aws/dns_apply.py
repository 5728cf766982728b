# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Carry out a plan of the DNS phase, and remember what was changed so that exactly that can be switched back."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ..core.aws.plan_create_types import ChangeEndpoint
from ..core.aws.plan_dns_types import (
    DnsPlan,
    Done,
    EndpointChange,
    Spoke,
    Zone,
    ZoneChange,
    record_to,
)
from ..waiting import Deadline
from . import zone_associations, zones
from .client import Connection, gather
from .create_apply import change, wait_available
from .dns_read import Reading


@dataclass
class Work:
    """One run's changes so far. pending: Route 53's changes that have not reached its servers."""

    done: Done
    pending: list[tuple[Connection, str]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def wait_for(self, connection: Connection, change_id: str) -> None:
        """Remember a change to wait for."""
        if change_id:
            with self.lock:
                self.pending.append((connection, change_id))


def carry_out(reading: Reading, plan: DnsPlan, work: Work, deadline: Deadline) -> None:
    """Begin everything at once, then wait for all of it. What was done is in `work`, also when this fails."""
    own = reading.of(reading.view.account)
    calls: dict[str, Any] = {
        f"zone {index}": partial(_zone, reading, item, work)
        for index, item in enumerate(plan.zones)
    }
    if plan.endpoints:
        calls["endpoints"] = partial(_switch, own, reading, plan.endpoints, work, deadline)
    gather(calls)
    gather(
        {
            "endpoints": partial(
                wait_available, own, [item.endpoint_id for item in plan.endpoints], deadline
            ),
            "zones": partial(zones.wait_insync, list(work.pending), deadline),
        }
    )
    work.pending.clear()


def _switch(
    connection: Connection,
    reading: Reading,
    changes: Iterable[EndpointChange],
    work: Work,
    deadline: Deadline,
) -> None:
    for item in changes:
        # Before the call: if its response is lost, the change may have been made.
        work.done.private_dns.setdefault(item.endpoint_id, not item.enabled)
    change(
        connection,
        reading.view.vpc_id,
        [
            ChangeEndpoint(
                endpoint_id=item.endpoint_id,
                short=item.short,
                first={"PrivateDnsEnabled": item.enabled},
                then={},
                tags=None,
                before={"private_dns_enabled": not item.enabled},
                after={"private_dns_enabled": item.enabled},
            )
            for item in changes
        ],
        deadline,
    )


def _zone(reading: Reading, item: ZoneChange, work: Work) -> None:
    owner = reading.of(item.account)
    if item.zone_id is None and item.home:
        zone = _created(reading, item, item.home, work)
    else:
        known = {zone.id: zone for zone in reading.view.zones}
        zone = known[str(item.zone_id)]
    if item.delete:
        zones.delete(owner, zone, item.remove)
        return
    # Records before anything else: a new zone answers at once, and without them it answers that there is no such name.
    if item.upsert or item.remove:
        if item.zone_id is not None:
            work.done.records.append(_records(zone, item))
        work.wait_for(
            owner, zones.change_records(owner, zone, upsert=item.upsert, remove=item.remove)
        )
    if item.tag:
        zones.tag(owner, zone, reading.view.vpc_id)
    for spoke in item.associate:
        if item.zone_id is not None:
            work.done.associated.append(_association(zone, spoke))
        other = reading.of(spoke.account)
        work.wait_for(owner, zone_associations.associate(owner, other, zone, spoke))
    for spoke in item.revoke:
        zone_associations.revoke(owner, zone, spoke)
    for spoke in item.disassociate:
        other = reading.of(spoke.account)
        work.wait_for(other, zone_associations.disassociate(other, zone, spoke))


def _created(reading: Reading, item: ZoneChange, home: Spoke, work: Work) -> Zone:
    owner = reading.of(item.account)
    zone, change_id = zones.create(owner, item.name, home, reading.view.vpc_id)
    work.done.created.append(_named(zone))
    work.wait_for(owner, change_id)
    return zone


def _named(zone: Zone) -> dict[str, str]:
    return {"zone_id": zone.id, "name": zone.name, "zone_account": zone.account}


def _association(zone: Zone, spoke: Spoke) -> dict[str, str]:
    return {
        **_named(zone),
        "vpc_id": spoke.vpc_id,
        "region": spoke.region,
        "account": spoke.account,
    }


def _records(zone: Zone, item: ZoneChange) -> dict[str, Any]:
    touched = {(record.name, record.type) for record in (*item.upsert, *item.remove)}
    held = [record for record in zone.records or () if (record.name, record.type) in touched]
    return {
        **_named(zone),
        "before": [record_to(record) for record in held],
        "after": [record_to(record) for record in item.upsert],
    }
