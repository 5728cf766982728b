# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which zone answers for a name, and what forbids that it does: other zones, zone groups, other accounts' names."""

from __future__ import annotations

from .arm_id import key
from .plan_dns_types import (
    ADDRESS_TYPES,
    FALL_THROUGH,
    DnsPlan,
    Host,
    LinkChange,
    Network,
    View,
    Wanted,
    Zone,
    label,
)


def names(view: View) -> list[str]:
    """The zones that the endpoint's names need."""
    return list(dict.fromkeys(host.zone for host in view.endpoint.hosts))


def hosts_in(view: View, name: str) -> list[Host]:
    """The endpoint's names in a zone."""
    return [host for host in view.endpoint.hosts if host.zone == name]


def chosen(view: View, name: str) -> Zone | None:
    """The zone of a name that is used; None: one is made in the home.

    The zone group's own, else that of a home the user named, else one that the endpoint's network already reads, since
    a second one could not be linked, else that of the home by default.
    """
    found = [zone for zone in view.zones if zone.name == name]
    group = view.endpoint.group
    grouped = {key(item.zone_id) for item in (group.configs if group else ())}
    at_home = [zone for zone in found if key(zone.id) == key(view.home.zone_id(name))]
    orders = [
        [zone for zone in found if key(zone.id) in grouped],
        at_home if view.home.explicit else [],
        [zone for zone in found if zone.link_to(view.endpoint.network_id)],
        at_home,
    ]
    return next((zone for order in orders for zone in order), None)


def zone_id(view: View, name: str) -> str:
    """The id of the zone that is used, or that is made."""
    zone = chosen(view, name)
    return zone.id if zone else view.home.zone_id(name)


def right(zone: Zone, host: Host) -> bool:
    """Whether a zone answers for a name with the endpoint's addresses, and with nothing else."""
    held = zone.held(host.record)
    return [item.type for item in held] == ["A"] and set(held[0].values) == set(host.addresses)


def rival(view: View, name: str, network: Network) -> Zone | None:
    """Another zone of this name that a network is linked to: ours cannot be linked beside it."""
    used = key(zone_id(view, name))
    return next(
        (
            zone
            for zone in view.zones
            if zone.name == name and key(zone.id) != used and zone.link_to(network.id)
        ),
        None,
    )


def served(view: View, name: str, network: Network) -> bool:
    """Whether another zone already answers in a network exactly as ours would."""
    zone = rival(view, name, network)
    return zone is not None and all(right(zone, host) for host in hosts_in(view, name))


def problems(view: View, wanted: Wanted, plan: DnsPlan) -> tuple[str, ...]:
    """All that forbids the plan."""
    found = _rivals(view, wanted) + _groups(view, wanted)
    if plan.empty:
        return tuple(found)
    if view.endpoint.status != "Approved":
        found.append(
            f"the connection of {label(view.endpoint.id)} to {label(view.endpoint.account_id)} is "
            f"{view.endpoint.status}, not Approved: its names would lead nowhere. Approve it at the account first"
        )
    return tuple(found + _others(view, wanted, plan))


def _rivals(view: View, wanted: Wanted) -> list[str]:
    found = []
    for name in names(view) if wanted.links else ():
        for network in view.networks:
            zone = rival(view, name, network)
            link = zone.link_to(network.id) if zone else None
            if zone is None or link is None or served(view, name, network):
                continue
            fix = "set zone_resource_group and zone_subscription_id to that zone's"
            if network.peered:
                fix = "set link_peered: false and name the networks to link"
            found.append(
                f"{label(network.id)} is linked to {zone.id} by link {link.name}, so {zone_id(view, name)} cannot be "
                f"linked too: two zones of one name exclude each other. Delete that link, or {fix}"
            )
    return found


def _groups(view: View, wanted: Wanted) -> list[str]:
    """A zone group writes the records itself."""
    group = view.endpoint.group
    if wanted.mode != "records" or group is None:
        return []
    kept = [item.zone for item in group.configs if item.zone in names(view)]
    if not kept:
        return []
    return [
        f"mode: zone group {group.name} of {label(view.endpoint.id)} writes the records in {', '.join(kept)} itself. "
        "Use mode zone_group, or take that zone group away first (state: absent)"
    ]


def _others(view: View, wanted: Wanted, plan: DnsPlan) -> list[str]:
    """Links that are new or stop to let names fall through, under which other accounts' names would not resolve."""
    if wanted.allow_other_accounts or wanted.policy == FALL_THROUGH:
        return []
    found: dict[str, list[LinkChange]] = {}
    for change in plan.links:
        if change.before is None or change.before.policy == FALL_THROUGH:
            found.setdefault(key(change.zone_id), []).append(change)
    texts = []
    for changes in found.values():
        broken = lacking(view, changes[0].zone_id)
        if broken:
            networks = ", ".join(label(item.after.network_id) for item in changes if item.after)
            texts.append(
                f"linking {label(changes[0].zone_id)} to {networks} would make names of other accounts stop to resolve "
                f"there: {', '.join(broken)} have private endpoints, and the zone has no record for them. Make their "
                "records first (this module for their endpoints, with link_networks: false), or set "
                "resolution_policy: NxDomainRedirect, or allow_other_accounts: true"
            )
    return texts


def lacking(view: View, target: str) -> list[str]:
    """Names of other accounts that public DNS leads into a zone, and that it has no record for."""
    zone = view.zone(target)
    ending = "." + target.rpartition("/")[2].lower()
    held = {
        item.name.lower()
        for item in (zone.records or () if zone else ())
        if item.type in ADDRESS_TYPES
    }
    return sorted(
        {
            host.replace(".privatelink.", ".", 1)
            for account in view.accounts
            if key(account.id) != key(view.endpoint.account_id)
            for host in account.hosts
            if host.endswith(ending) and host[: -len(ending)] not in held
        }
    )


def warnings(view: View, wanted: Wanted) -> tuple[str, ...]:
    """What does not stop the run, and should be known."""
    found = [
        f"{label(network.id)} has DNS servers of its own ({', '.join(network.dns_servers)}) and does not read the "
        "links: they must forward these zones to 168.63.129.16 from a network that is linked"
        for network in view.networks
        if network.dns_servers
    ]
    if wanted.policy == FALL_THROUGH:
        found.append(
            f"resolution_policy {FALL_THROUGH}: a name without a record falls through to its public address instead of "
            "failing"
        )
    for name in names(view):
        zone = chosen(view, name)
        for network in view.networks:
            link = zone.link_to(network.id) if zone else None
            if link is None or link.managed:
                continue
            if link.registration:
                found.append(
                    f"link {link.name} of {name} registers every machine of {label(network.id)} in the zone; this "
                    "collection did not make it and leaves it as it is"
                )
            if wanted.policy and link.policy != wanted.policy:
                found.append(
                    f"link {link.name} of {name} has resolution policy {link.policy}; this collection did not make it "
                    "and leaves it as it is"
                )
    return tuple(found)
