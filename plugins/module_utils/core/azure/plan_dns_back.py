# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plan the way back of the DNS phase: switch back what one run did, or take away all that this collection made.

A zone and its links may serve several accounts. As long as the zone has records of others a link stays, and the names
of this account, which lose their records, fall through to public DNS there: they must not stop to resolve.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from ipaddress import ip_address, ip_network

from .arm_id import key
from .plan_dns_done import Done
from .plan_dns_group import dropped, regrouped, ungrouped
from .plan_dns_steps import steps
from .plan_dns_types import (
    ADDRESS_TYPES,
    FALL_THROUGH,
    DnsPlan,
    GroupChange,
    Link,
    LinkChange,
    Record,
    RecordChange,
    View,
    Zone,
    ZoneChange,
    label,
)


@dataclass(frozen=True, kw_only=True)
class _Whose:
    """Tells the account's names in zones from others'.

    endpoint: in the metadata of its records. known: zone → names that it had before the run that is switched back.
    cidrs: of the endpoint's network.
    """

    names: frozenset[tuple[str, str]]
    endpoint: str
    known: Mapping[str, Collection[str]]
    cidrs: tuple[str, ...]

    def wrote(self, zone: Zone, record: Record) -> bool:
        """Whether this collection wrote a record for the endpoint, or for the account when there is no endpoint."""
        if not self.endpoint:
            return bool(record.endpoint) and self._named(zone, record)
        return record.endpoint == self.endpoint

    def owns(self, zone: Zone, record: Record) -> bool:
        """Whether a record is of the account, whoever wrote it."""
        return self.wrote(zone, record) or self._named(zone, record)

    def _named(self, zone: Zone, record: Record) -> bool:
        return record.type in ADDRESS_TYPES and (zone.name, record.name.lower()) in self.names

    def others(self, zone: Zone) -> list[str]:
        """Names in a zone that are not the account's and that may need its links by now.

        What the zone had before did without them, unless it leads into the endpoint's own network: another account's
        endpoint there was made ready together with this one.
        """
        before = self.known.get(key(zone.id), ())
        return sorted(
            {
                item.name
                for item in zone.records or ()
                if not self.owns(zone, item)
                and (item.name not in before or any(map(self._near, item.values)))
            }
        )

    def _near(self, value: str) -> bool:
        try:
            address = ip_address(value)
        except ValueError:
            return False
        return any(address in ip_network(cidr, strict=False) for cidr in self.cidrs)

    def written(self, zone: Zone) -> list[RecordChange]:
        """Take away what this collection wrote for the endpoint."""
        return [
            RecordChange(zone_id=zone.id, before=item, after=None)
            for item in zone.records or ()
            if self.wrote(zone, item)
        ]


@dataclass(frozen=True, kw_only=True)
class _Part:
    """One zone's part of a plan."""

    records: tuple[RecordChange, ...]
    links: tuple[LinkChange, ...]
    delete: bool
    warning: str


def absent(view: View) -> DnsPlan:
    """Take away this endpoint's records and zone group entries, and links and zones that nobody else needs."""
    whose = _whose(view, None)
    group = ungrouped(view.endpoint)
    parts = {
        zone.id: _part(
            view,
            zone,
            whose,
            group,
            whose.written(zone),
            [link for link in zone.links if link.managed],
            delete=zone.managed,
        )
        for zone in view.zones
    }
    return _plan(view, group, parts)


def restored(view: View, undo: Done) -> DnsPlan:
    """Switch back what a run changed, as far as it still stands. view: holds the zones that `undo` names."""
    whose = _whose(view, undo)
    made = {zone.id: _made(zone, undo) for zone in view.zones}
    # Where a link stays for others, the account's names leave the zone even if an earlier run put them there.
    staying = {zone.name for zone in view.zones if made[zone.id] and whose.others(zone)}
    group = regrouped(view.endpoint, undo.group, staying)
    parts = {}
    for zone in view.zones:
        records = _before(zone, undo, group)
        if zone.name in staying:
            known = [item.before for item in records]
            records += [item for item in whose.written(zone) if item.before not in known]
        created = key(zone.id) in map(key, undo.zones) and zone.run == undo.run
        part = _part(view, zone, whose, group, records, made[zone.id], delete=created)
        parts[zone.id] = replace(part, links=(*part.links, *_altered(zone, undo)))
    return _plan(view, group, parts)


def _whose(view: View, undo: Done | None) -> _Whose:
    names = {(host.zone, host.record) for host in view.endpoint.hosts}
    return _Whose(
        names=frozenset(names | set(undo.hosts if undo else ())),
        endpoint=key(undo.endpoint_id if undo else view.endpoint.id),
        known=undo.known if undo else {},
        cidrs=view.cidrs,
    )


def _plan(view: View, group: GroupChange | None, parts: dict[str, _Part]) -> DnsPlan:
    plan = DnsPlan(
        zones=tuple(
            ZoneChange(zone_id=name, delete=True) for name, it in parts.items() if it.delete
        ),
        records=tuple(item for part in parts.values() for item in part.records),
        group=group,
        links=tuple(item for part in parts.values() for item in part.links),
        backward=True,
        warnings=tuple(part.warning for part in parts.values() if part.warning),
    )
    return replace(plan, steps=steps(plan, view.endpoint))


def _part(
    view: View,
    zone: Zone,
    whose: _Whose,
    group: GroupChange | None,
    records: list[RecordChange],
    links: list[Link],
    *,
    delete: bool,
) -> _Part:
    """Records as given, links that nobody else needs, and the zone when nothing is left of it."""
    others = whose.others(zone)
    going = {item.before for item in records if item.after is None}
    if dropped(group, zone):
        going |= {item for item in zone.records or () if whose.owns(zone, item)}
    changes = []
    for link in links:
        if not others:
            changes.append(LinkChange(zone_id=zone.id, before=link, after=None))
        elif going and view.endpoint.status and link.policy != FALL_THROUGH:
            after = replace(link, policy=FALL_THROUGH)
            changes.append(LinkChange(zone_id=zone.id, before=link, after=after))
    unlinked = {item.before for item in changes if item.after is None}
    left = set(zone.records or ()) - going | {item.after for item in records if item.after}
    warning = ""
    if links and others:
        warning = (
            f"{label(zone.id)} also answers for {', '.join(others)}: it stays linked to "
            + ", ".join(label(link.network_id) for link in links)
        )
    return _Part(
        records=tuple(records),
        links=tuple(changes),
        delete=delete and not left and set(zone.links) <= unlinked,
        warning=warning,
    )


def _made(zone: Zone, undo: Done) -> list[Link]:
    """Links of a zone that stand as the run made them."""
    return [
        link
        for item in undo.links
        if item.before is None and item.after and key(item.zone_id) == key(zone.id)
        for link in [zone.link_to(item.after.network_id)]
        if link is not None and link.run == undo.run
    ]


def _altered(zone: Zone, undo: Done) -> list[LinkChange]:
    """Links of a zone that the run changed, as they were before."""
    return [
        LinkChange(zone_id=zone.id, before=link, after=replace(item.before, etag=link.etag))
        for item in undo.links
        if item.before and item.after and key(item.zone_id) == key(zone.id)
        for link in [zone.link_to(item.after.network_id)]
        if link is not None and link == item.after
    ]


def _before(zone: Zone, undo: Done, group: GroupChange | None) -> list[RecordChange]:
    """Records of a zone that the run changed, as they were before; what someone wrote since is theirs."""
    found = []
    for item in undo.records:
        one = item.after or item.before
        if one is None or key(item.zone_id) != key(zone.id):
            continue
        current = next(
            (held for held in zone.held(one.name.lower()) if held.type == one.type), None
        )
        if not _same(current, item.after):
            continue
        if dropped(group, zone) and one.type == "A":
            # It goes with the zone group's entry, so that what stood before is written anew.
            current = None
        if not _same(current, item.before):
            found.append(RecordChange(zone_id=zone.id, before=current, after=item.before))
    return found


def _same(one: Record | None, other: Record | None) -> bool:
    if one is None or other is None:
        return one is other
    return set(one.values) == set(other.values) and one.ttl == other.ttl
