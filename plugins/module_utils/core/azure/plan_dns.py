# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plan the DNS phase: zones, records and links that make an account's names lead to its private endpoint.

Public DNS leads `X.openai.azure.com` to `X.privatelink.openai.azure.com`; a network that is linked to a zone of that
name asks the zone, and only the zone.
https://learn.microsoft.com/azure/private-link/private-endpoint-dns
"""

from __future__ import annotations

from dataclasses import replace

from .arm_id import key
from .plan_dns_choice import (
    chosen,
    hosts_in,
    names,
    problems,
    served,
    warnings,
    zone_id,
)
from .plan_dns_group import grouped
from .plan_dns_steps import steps
from .plan_dns_types import (
    DEFAULT,
    ENDPOINT,
    GROUP,
    MANAGED,
    TTL,
    Config,
    DnsPlan,
    Endpoint,
    Group,
    Host,
    Link,
    LinkChange,
    Record,
    RecordChange,
    View,
    Wanted,
    Zone,
    ZoneChange,
    config_name,
    link_name,
)


def present(view: View, wanted: Wanted) -> DnsPlan:
    """Make the names resolve to the endpoint in all networks of the view."""
    plan = DnsPlan()
    if wanted.mode != "none":
        plan = DnsPlan(
            zones=tuple(
                ZoneChange(zone_id=zone_id(view, name))
                for name in names(view)
                if chosen(view, name) is None
            ),
            records=tuple(item for name in names(view) for item in _records(view, wanted, name)),
            group=grouped(view.endpoint, {name: zone_id(view, name) for name in names(view)})
            if wanted.mode == "zone_group"
            else None,
            links=tuple(item for name in names(view) for item in _links(view, wanted, name)),
        )
    return replace(
        plan,
        steps=steps(plan, view.endpoint),
        problems=problems(view, wanted, plan),
        warnings=warnings(view, wanted),
    )


def settled(view: View, wanted: Wanted) -> bool:
    """Whether what was read at first shows that nothing is to be done, so that nothing more has to be read.

    The zone group is not read then: the endpoint says which names one keeps, and the zones hold what it wrote.
    """
    if wanted.mode == "none":
        return True
    hosts = {host.name for host in view.endpoint.hosts}
    if wanted.mode == "zone_group" and not hosts <= view.endpoint.covered:
        return False
    plan = present(replace(view, endpoint=_assumed(view)), wanted)
    return plan.empty and not plan.problems


def _assumed(view: View) -> Endpoint:
    """The endpoint with the zone group that it must have."""
    if not view.endpoint.covered:
        return view.endpoint
    configs = (
        Config(name=config_name(name), zone_id=view.home.zone_id(name)) for name in names(view)
    )
    return replace(view.endpoint, group=Group(name=GROUP, configs=tuple(configs)))


def _records(view: View, wanted: Wanted, name: str) -> list[RecordChange]:
    """Records in one zone: what is wrong at the account's names, and what is left of members that went.

    A zone group writes its records when it gets a zone. Those that someone changed or deleted since are written here.
    """
    zone, target = chosen(view, name), zone_id(view, name)
    kept = wanted.mode == "zone_group"
    found: list[RecordChange] = []
    for host in hosts_in(view, name):
        held = zone.held(host.record) if zone else ()
        found += [
            RecordChange(zone_id=target, before=item, after=None)
            for item in held
            if item.type != "A"
        ]
        before = next((item for item in held if item.type == "A"), None)
        if before is None and kept and not _kept(view, name):
            continue
        if before is None or set(before.values) != set(host.addresses):
            after = _record(view, host, before)
            found.append(RecordChange(zone_id=target, before=before, after=after))
    return found + _stale(view, zone, name)


def _kept(view: View, name: str) -> bool:
    """Whether the endpoint's zone group already has the zone that is used."""
    group = view.endpoint.group
    used = key(zone_id(view, name))
    return group is not None and any(key(item.zone_id) == used for item in group.configs)


def _record(view: View, host: Host, before: Record | None) -> Record:
    metadata = {
        **(dict(before.metadata) if before else {}),
        MANAGED: "true",
        ENDPOINT: view.endpoint.id,
    }
    return Record(
        name=host.record,
        type="A",
        ttl=before.ttl if before else TTL,
        values=tuple(sorted(host.addresses)),
        metadata=tuple(sorted(metadata.items())),
    )


def _stale(view: View, zone: Zone | None, name: str) -> list[RecordChange]:
    if zone is None:
        return []
    wanted = {host.record for host in hosts_in(view, name)}
    return [
        RecordChange(zone_id=zone.id, before=item, after=None)
        for item in zone.records or ()
        if item.endpoint == key(view.endpoint.id) and item.name.lower() not in wanted
    ]


def _links(view: View, wanted: Wanted, name: str) -> list[LinkChange]:
    """Links of one zone to all networks. Only a link of this collection's own is changed."""
    zone, target = chosen(view, name), zone_id(view, name)
    found = []
    for network in view.networks if wanted.links else ():
        before = zone.link_to(network.id) if zone else None
        if before is None and served(view, name, network):
            continue
        if before is not None and not before.managed:
            continue
        after = Link(
            name=before.name if before else link_name(network.id),
            network_id=before.network_id if before else network.id,
            policy=wanted.policy or (before.policy if before else DEFAULT),
            managed=True,
            etag=before.etag if before else "",
            run=before.run if before else "",
        )
        if before != after:
            found.append(LinkChange(zone_id=target, before=before, after=after))
    return found
