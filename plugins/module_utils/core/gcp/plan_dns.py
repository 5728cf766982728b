# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plan the DNS phase: each host resolves, in each network, to the address of that network's endpoint.

By a private zone for the exact name, which touches no other name, or by rules of the network's response policy. Pure:
applying the changes and planning again gives an empty plan.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from .plan_create_types import family_of
from .plan_dns_types import (
    ADDRESS_TYPES,
    TTL,
    Change,
    Entry,
    Holder,
    Record,
    View,
    Wanted,
    made_mark,
    policy_name,
    rule_name,
    zone_name,
)


def present(view: View, wanted: Wanted) -> list[Change]:
    """The changes. Nothing stands against them: preflight refused otherwise."""
    if wanted.mode == "none":
        return []
    after = _zones(view, wanted) if wanted.mode == "zones" else _policies(view, wanted)
    return [
        Change(before=before, after=item) for item in after if (before := view.get(item.id)) != item
    ]


def answering(view: View, wanted: Wanted) -> list[Holder]:
    """The zones or policies that stand for the hosts in the networks, each once."""
    found: dict[str, Holder] = {}
    for network in wanted.places:
        known = (
            [view.zone(host, network) for host in wanted.hosts]
            if wanted.mode != "response_policy"
            else [view.policy(network)]
        )
        found |= {item.id: item for item in known if item is not None}
    return [found[name] for name in sorted(found)]


def _zones(view: View, wanted: Wanted) -> list[Holder]:
    made: dict[str, Holder] = {}
    for host in wanted.hosts:
        for address, networks in wanted.groups().items():
            standing = {name: view.zone(host, name) for name in networks}
            used = {item.id: item for item in standing.values() if item is not None}
            for item in used.values():
                if not item.leads:
                    made[item.id] = with_record(item, host, address, wanted.ttl)
            loose = [name for name in networks if standing[name] is None]
            if loose:
                home = _home(view, wanted, host, address, loose, list(used.values()))
                home = made.get(home.id, home)
                joined = tuple(sorted({*home.networks, *loose}))
                made[home.id] = with_record(
                    replace(home, networks=joined), host, address, wanted.ttl
                )
    return list(made.values())


def _home(
    view: View, wanted: Wanted, host: str, address: str, loose: list[str], used: Iterable[Holder]
) -> Holder:
    """The zone that networks without one join: one of this collection's, or a new one."""
    for item in used:
        if item.managed and not item.leads:
            return item
    new = Holder(
        kind="zone",
        project=wanted.project(loose[0]),
        name=zone_name(wanted.prefix, host, loose[0], address),
        dns_name=host,
        entries=(),
        managed=True,
        made_for=family_of(made_mark(loose[0])) or "",
    )
    return view.get(new.id) or new


def with_record(zone: Holder, host: str, address: str, ttl: int | None) -> Holder:
    """A zone in which a host has this address and no other, all other names as they are."""
    held = zone.at(host)
    ttl = ttl or next((record.ttl for item in held for record in item.records), TTL)
    wanted = Entry(
        key=f"{host} A",
        name=host,
        records=(Record(name=host, type="A", ttl=ttl, values=(address,)),),
    )
    if held == (wanted,):
        return zone
    others = [
        item
        for item in zone.entries or ()
        if item.name != host or item.records[0].type not in ADDRESS_TYPES
    ]
    return replace(zone, entries=ordered([*others, wanted]))


def _policies(view: View, wanted: Wanted) -> list[Holder]:
    made: dict[str, Holder] = {}
    for network, address in sorted(wanted.places.items()):
        policy = view.policy(network)
        if policy is None:
            policy = Holder(
                kind="policy",
                project=wanted.project(network),
                name=policy_name(wanted.prefix, network),
                entries=(),
                managed=True,
                made_for=network,
            )
            policy = view.get(policy.id) or policy
            policy = replace(policy, networks=tuple(sorted({*policy.networks, network})))
        policy = made.get(policy.id, policy)
        for host in wanted.hosts:
            policy = with_rule(policy, host, address, wanted)
        made[policy.id] = policy
    return list(made.values())


def with_rule(policy: Holder, host: str, address: str, wanted: Wanted) -> Holder:
    """A policy whose rule for a host answers with this address and no other."""
    held = next(iter(policy.at(host)), None)
    known = held.records if held else ()
    ttl = wanted.ttl or next((record.ttl for record in known), TTL)
    rule = Entry(
        key=held.key if held else rule_name(wanted.prefix, host),
        name=host,
        records=(Record(name=host, type="A", ttl=ttl, values=(address,)),),
    )
    if held == rule:
        return policy
    others = [item for item in policy.entries or () if item != held]
    return replace(policy, entries=ordered([*others, rule]))


def ordered(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """In the one order in which they are compared."""
    return tuple(sorted(entries, key=lambda item: item.key))
