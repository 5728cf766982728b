# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plan the DNS phase: private DNS of a VPC's endpoints, and zones that make their hosts resolve in spokes.

A zone is named exactly like its host, so that it answers for nothing else, and holds aliases to the endpoint's
Regional name. The most specific zone that a VPC is associated with answers, so a zone of a parent domain does not
override it; one of the same name excludes it.
https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/hosted-zone-private-considerations.html
"""

from __future__ import annotations

from collections.abc import Iterable

from ..contracts import Step
from .plan_dns_conflicts import (
    hosts_of,
    means_the_same,
    of_name,
    problems,
    wanted_records,
    warnings,
)
from .plan_dns_types import (
    DnsPlan,
    Done,
    Endpoint,
    EndpointChange,
    Host,
    Record,
    Spoke,
    View,
    Zone,
    ZoneChange,
    record_from,
)


def present(view: View, *, private_dns: bool) -> DnsPlan:
    """Make the hosts resolve to the endpoints, in the VPC by private DNS and in the spokes by zones."""
    switched = _switched(view.endpoints, private_dns)
    zones = [change for host in hosts_of(view) if (change := _zone_change(view, host))]
    return DnsPlan(
        endpoints=tuple(switched),
        zones=tuple(zones),
        steps=_steps(view, switched, zones),
        problems=tuple(problems(view, private_dns)),
        warnings=tuple(warnings(view, private_dns)),
    )


def absent(view: View) -> DnsPlan:
    """Take away what this collection made: its zones for this VPC, and private DNS of the endpoints it created."""
    going = [item for item in view.endpoints if item.managed]
    staying = [item for item in view.endpoints if item.private_dns and not item.managed]
    switched = _switched(going, False)
    zones = [_going(zone) for zone in view.zones if zone.vpc_id == view.vpc_id]
    return DnsPlan(
        endpoints=tuple(switched),
        zones=tuple(zones),
        steps=_steps(view, switched, zones),
        problems=tuple(
            f"hosted zone {zone.id} ({zone.name}) holds {item.name} {item.type}, which this collection did not write. "
            "Delete that record, or the zone, yourself"
            for zone in view.zones
            if zone.vpc_id == view.vpc_id
            for item in zone.records or ()
            if not _ours(zone, item)
        ),
        warnings=tuple(
            f"private DNS of {item.id} stays enabled: this collection did not create that endpoint"
            for item in staying
        ),
    )


def restored(view: View, undo: Done) -> DnsPlan:
    """Switch back what a run changed, as far as it still stands. view: holds the zones that `undo` names."""
    before = {item.id: item.private_dns for item in view.endpoints}
    switched = [
        EndpointChange(endpoint_id=item.id, short=item.short, enabled=undo.private_dns[item.id])
        for item in view.endpoints
        if item.id in undo.private_dns and undo.private_dns[item.id] is not before[item.id]
    ]
    standing = {zone.id: zone for zone in view.zones}
    zones = [
        _going(standing[item["zone_id"]]) for item in undo.created if item["zone_id"] in standing
    ]
    others = {item["zone_id"] for item in (*undo.associated, *undo.records)} & set(standing)
    for zone_id in sorted(others - {item["zone_id"] for item in undo.created}):
        change = _back(standing[zone_id], undo)
        if change.disassociate or change.upsert or change.remove:
            zones.append(change)
    return DnsPlan(
        endpoints=tuple(switched), zones=tuple(zones), steps=_steps(view, switched, zones)
    )


def _back(zone: Zone, undo: Done) -> ZoneChange:
    """The zone without the associations that a run added, and with the records that it replaced."""
    written = [item for item in undo.records if item["zone_id"] == zone.id]
    old = [record_from(item) for entry in written for item in entry["before"]]
    new = [record_from(item) for entry in written for item in entry["after"]]
    held = zone.records or ()
    kept = {(item.name, item.type) for item in old}
    return ZoneChange(
        name=zone.name,
        account=zone.account,
        zone_id=zone.id,
        disassociate=tuple(
            Spoke(vpc_id=item["vpc_id"], region=item["region"], account=item["account"])
            for item in undo.associated
            if item["zone_id"] == zone.id and item["vpc_id"] in zone.vpcs
        ),
        upsert=tuple(item for item in old if item not in held),
        # What someone wrote since is theirs.
        remove=tuple(item for item in new if item in held and (item.name, item.type) not in kept),
    )


def _going(zone: Zone) -> ZoneChange:
    return ZoneChange(
        name=zone.name,
        account=zone.account,
        zone_id=zone.id,
        remove=tuple(zone.records or ()),
        delete=True,
    )


def _ours(zone: Zone, record: Record) -> bool:
    """Whether a record of our zone is one that every zone has, or an alias that we write."""
    if record.type in ("NS", "SOA"):
        return True
    return record.alias is not None and record.name in (zone.name, f"*.{zone.name}")


def _steps(
    view: View, switched: Iterable[EndpointChange], zones: Iterable[ZoneChange]
) -> tuple[Step, ...]:
    return (
        *(_endpoint_step(view.vpc_id, change) for change in switched),
        *(step for change in zones for step in zone_steps(view, change)),
    )


def _switched(endpoints: Iterable[Endpoint], enabled: bool) -> list[EndpointChange]:
    return [
        EndpointChange(endpoint_id=item.id, short=item.short, enabled=enabled)
        for item in endpoints
        if item.private_dns is not enabled
    ]


def own_zone(view: View, name: str) -> Zone | None:
    """Our zone of this name for this VPC's endpoints, the one with most spokes first."""
    found = [zone for zone in view.zones if zone.name == name and zone.vpc_id == view.vpc_id]
    return min(found, key=lambda zone: (-len(zone.vpcs), zone.id), default=None)


def _zone_change(view: View, host: Host) -> ZoneChange | None:
    """What the zone of one host needs, for the spokes that have no equal zone of their own."""
    spokes = [spoke for spoke in view.spokes if not _served(view, spoke, host)]
    zone = own_zone(view, host.zone)
    wanted = wanted_records(host)
    if zone is None:
        if not spokes:
            return None
        home = next((spoke for spoke in spokes if spoke.account == view.account), spokes[0])
        return ZoneChange(
            name=host.zone,
            account=home.account,
            zone_id=None,
            home=home,
            tag=True,
            associate=tuple(spoke for spoke in spokes if spoke != home),
            upsert=wanted,
        )
    held = [item for item in zone.records or () if item.name == host.record]
    change = ZoneChange(
        name=zone.name,
        account=zone.account,
        zone_id=zone.id,
        tag=not zone.tagged,
        associate=tuple(spoke for spoke in spokes if spoke.vpc_id not in zone.vpcs),
        revoke=tuple(spoke for spoke in view.spokes if spoke.vpc_id in zone.authorised & zone.vpcs),
        upsert=tuple(item for item in wanted if item not in held),
        remove=tuple(
            item
            for item in held
            if item.type in ("A", "AAAA", "CNAME") and item.type not in host.alias.types
        ),
    )
    return change if zone_steps(view, change) else None


def _served(view: View, spoke: Spoke, host: Host) -> bool:
    """Whether somebody's zone already answers in a spoke exactly as ours would."""
    return any(
        zone.vpc_id != view.vpc_id and means_the_same(zone, host)
        for zone in of_name(view, host.zone, spoke.vpc_id)
    )


def _endpoint_step(vpc_id: str, change: EndpointChange) -> Step:
    return Step(
        resource=f"private DNS of {change.short} in {vpc_id}",
        action="update",
        before={"private_dns_enabled": not change.enabled},
        after={"private_dns_enabled": change.enabled},
    )


def zone_steps(view: View, change: ZoneChange) -> list[Step]:
    """The steps of one zone: itself, its associations, its records."""
    zone = f"hosted zone {change.name} for {view.vpc_id}"
    if change.delete:
        held = [_shown(item) for item in change.remove if item.type not in ("NS", "SOA")]
        return [Step(resource=zone, action="delete", before={"records": held})]
    found = []
    if change.zone_id is None:
        found.append(
            Step(
                resource=zone,
                action="create",
                after={"account_id": change.account, "records": list(map(_shown, change.upsert))},
            )
        )
    elif change.upsert or change.remove:
        found.append(_record_step(view, zone, change))
    if change.zone_id and change.tag:
        found.append(Step(resource=f"tags of {zone}", action="update", after={"managed": True}))
    joined = [*([change.home] if change.home else []), *change.associate]
    found += [
        Step(
            resource=f"association of {zone} with {spoke.vpc_id}",
            action="create",
            after={"associated": True},
        )
        for spoke in joined
    ]
    found += [
        Step(
            resource=f"association of {zone} with {spoke.vpc_id}",
            action="delete",
            before={"associated": True},
        )
        for spoke in change.disassociate
    ]
    found += [
        Step(
            resource=f"authorisation of {spoke.vpc_id} for {zone}",
            action="delete",
            before={"authorised": True},
        )
        for spoke in change.revoke
    ]
    return found


def _record_step(view: View, zone: str, change: ZoneChange) -> Step:
    touched = {(item.name, item.type) for item in (*change.upsert, *change.remove)}
    held = next((item.records for item in view.zones if item.id == change.zone_id), None) or ()
    return Step(
        resource=zone,
        action="update",
        before={"records": [_shown(item) for item in held if (item.name, item.type) in touched]},
        after={"records": [_shown(item) for item in change.upsert]},
    )


def _shown(record: Record) -> dict[str, object]:
    shown: dict[str, object] = {"name": record.name, "type": record.type}
    if record.alias:
        return {**shown, "alias": record.alias[0]}
    return {**shown, "values": list(record.values), "ttl": record.ttl}
