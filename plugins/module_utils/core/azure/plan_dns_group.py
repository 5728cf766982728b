# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The zone group of an endpoint: what it needs, and the way back from that."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from .arm_id import key
from .plan_dns_types import GROUP, Config, Endpoint, Group, GroupChange, Zone, config_name


def grouped(endpoint: Endpoint, used: Mapping[str, str]) -> GroupChange | None:
    """The zone group with an entry for each zone that is used; entries of others stay. used: zone name → id."""
    before = endpoint.group
    kept = [
        item
        for config in (before.configs if before else ())
        if (item := _pointed(config, used)) is not None
    ]
    has = {item.zone for item in kept}
    kept += [
        Config(name=config_name(name), zone_id=target)
        for name, target in used.items()
        if name not in has
    ]
    after = Group(name=before.name if before else GROUP, configs=tuple(kept))
    if after == before:
        return None
    return GroupChange(endpoint_id=endpoint.id, before=before, after=after)


def _pointed(item: Config, used: Mapping[str, str]) -> Config | None:
    """An entry as it should be; None when it is of a member that went."""
    if item.zone not in used:
        return None if item.ours else item
    if key(item.zone_id) == key(used[item.zone]):
        return item
    return replace(item, zone_id=used[item.zone])


def ungrouped(endpoint: Endpoint, leaving: Collection[str] | None = None) -> GroupChange | None:
    """The zone group without this collection's entries, or without those for some zones."""
    before = endpoint.group
    if before is None:
        return None
    kept = tuple(
        item
        for item in before.configs
        if not (item.ours if leaving is None else item.zone in leaving)
    )
    return _change(endpoint, before, kept)


def regrouped(
    endpoint: Endpoint, done: GroupChange | None, leaving: Collection[str]
) -> GroupChange | None:
    """The zone group as it was before `done`, as far as it is still what that made of it, and without some zones."""
    current = endpoint.group
    if done is None or current is None:
        return ungrouped(endpoint, leaving)
    old = {item.name: item for item in (done.before.configs if done.before else ())}
    new = {item.name: item for item in (done.after.configs if done.after else ())}
    kept = []
    for item in current.configs:
        # What someone changed since is theirs.
        back = old.get(item.name) if new.get(item.name) == item else item
        if back is not None:
            kept.append(back)
    names = {item.name for item in current.configs}
    kept += [item for name, item in old.items() if name not in names and name not in new]
    return _change(endpoint, current, tuple(item for item in kept if item.zone not in leaving))


def _change(endpoint: Endpoint, before: Group, kept: tuple[Config, ...]) -> GroupChange | None:
    """Azure keeps no zone group without an entry."""
    after = replace(before, configs=kept) if kept else None
    if after == before:
        return None
    return GroupChange(endpoint_id=endpoint.id, before=before, after=after)


def dropped(change: GroupChange | None, zone: Zone) -> bool:
    """Whether a change takes a zone out of the group, so that Azure deletes the endpoint's records in it."""
    if change is None or change.before is None:
        return False
    kept = {key(item.zone_id) for item in (change.after.configs if change.after else ())}
    return key(zone.id) in {key(item.zone_id) for item in change.before.configs} - kept
