# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What stands against the DNS phase, and what is worth saying beside it."""

from __future__ import annotations

from ..errors import EndpointError
from .names import DOMAIN
from .plan_dns import present
from .plan_dns_types import Change, Entry, Holder, View, Wanted


def problems(view: View, wanted: Wanted) -> list[EndpointError]:
    """All reasons not to begin."""
    if wanted.mode == "none":
        return []
    found = [
        EndpointError(
            f"{network} does not exist for these credentials",
            resource="network",
            code="notFound",
            fix="Check its project and name",
        )
        for network in wanted.places
        if view.networks.get(network) is False
    ]
    if wanted.mode == "zones":
        found += _handed_on(view, wanted) + _overruled(view, wanted)
    else:
        found += _passed(view, wanted)
    found += _torn(view, wanted)
    for change in present(view, wanted):
        found += _shared(change, wanted) + _foreign(change) + _routed(change, wanted)
    return found


def deciding_rule(policy: Holder | None, host: str) -> Entry | None:
    """The rule of a policy that decides for a name: its own, else the longest wildcard above it."""
    rules = {item.name: item for item in (policy.entries if policy else None) or ()}
    if host in rules:
        return rules[host]
    labels = host.split(".")
    names = [f"*.{'.'.join(labels[number:])}" for number in range(1, len(labels))]
    return next((rules[name] for name in names if name in rules), None)


def warnings(view: View, wanted: Wanted) -> list[str]:
    """What the user should know though the run goes on."""
    found = []
    for network in wanted.places:
        for zone in view.attached("zone", network):
            if not zone.leads and zone.dns_name == DOMAIN and zone.entries is not None:
                found += _broken(zone, network)
            if zone.leads == "peering" and any(
                host.endswith(f".{zone.dns_name}") or not zone.dns_name for host in wanted.hosts
            ):
                found.append(
                    f"{network} asks {zone.target} for names under {zone.dns_name or 'the root'} (DNS peering, "
                    f"{zone.id}). An endpoint of another network cannot be reached over a peering: every name that "
                    "has no zone of its own here leads nowhere if it is led to one there."
                )
    return list(dict.fromkeys(found))


def _broken(zone: Holder, network: str) -> list[str]:
    """A zone for all of Google's names answers for those only that it has."""
    names = {item.name for item in zone.entries or ()}
    if f"*.{DOMAIN}" in names:
        return []
    return [
        f"{zone.id} answers for all of {DOMAIN} in {network} and has no record for *.{DOMAIN}: every name that it "
        "lacks does not exist there, so that other Google APIs fail. Delete it, or add that wildcard."
    ]


def _handed_on(view: View, wanted: Wanted) -> list[EndpointError]:
    """Zones of exactly these names that hand questions on."""
    found = []
    for host in wanted.hosts:
        for network in wanted.places:
            zone = view.zone(host, network)
            if zone is not None and zone.leads:
                found.append(
                    EndpointError(
                        f"it is a {zone.leads} zone for {host} in {network}, which can have no records",
                        resource=zone.id,
                        fix="Detach it from that network or delete it, and run again",
                    )
                )
    return found


def _overruled(view: View, wanted: Wanted) -> list[EndpointError]:
    """Rules that decide for a host before any zone does."""
    found = []
    for network, address in wanted.places.items():
        policy = view.policy(network)
        for host in wanted.hosts:
            rule = deciding_rule(policy, host)
            if policy and rule and not rule.bypass and rule.addresses() != (address,):
                found.append(
                    EndpointError(
                        f"its rule {rule.key} for {rule.name} answers for {host} in {network} before any zone does, "
                        f"with {', '.join(rule.addresses()) or 'nothing'} and not {address}",
                        resource=policy.id,
                        fix="Remove the rule, add one for this name with the behavior bypassResponsePolicy, or use "
                        "mode response_policy",
                    )
                )
    return found


def _passed(view: View, wanted: Wanted) -> list[EndpointError]:
    """Rules that somebody made so that a name is left to zones."""
    found = []
    for network in wanted.places:
        policy = view.policy(network)
        for host in wanted.hosts:
            for rule in policy.at(host) if policy else ():
                if policy and rule.bypass:
                    found.append(
                        EndpointError(
                            f"its rule {rule.key} lets {host} pass on to zones in {network}",
                            resource=policy.id,
                            fix="Use mode zones, or remove the rule",
                        )
                    )
    return found


def _torn(view: View, wanted: Wanted) -> list[EndpointError]:
    """What answers in several of the networks, which are to have different addresses."""
    found = []
    for host in wanted.hosts:
        asked: dict[str, tuple[Holder, set[str]]] = {}
        for network, address in wanted.places.items():
            holder = view.zone(host, network) if wanted.mode == "zones" else view.policy(network)
            if holder is not None and not holder.leads:
                asked.setdefault(holder.id, (holder, set()))[1].add(address)
        found += [
            EndpointError(
                f"it answers for {host} in several of these networks, and can give them one address only, not each "
                f"its own ({', '.join(sorted(addresses))})",
                resource=holder.id,
                fix="Detach from it all of these networks but those that are to have the same address, and run again",
            )
            for holder, addresses in asked.values()
            if len(addresses) > 1
        ]
    return found


def _shared(change: Change, wanted: Wanted) -> list[EndpointError]:
    """What would change an answer for networks that are not to have it: their endpoint is another one."""
    before, after = change.before, change.after
    if before is None or after is None:
        return []
    found = []
    for host in wanted.hosts:
        address = after.addresses(host)
        if before.addresses(host) == address:
            continue
        others = [name for name in before.networks if (wanted.places.get(name),) != address]
        if others:
            what = "zone" if before.kind == "zone" else "response policy"
            found.append(
                EndpointError(
                    f"it answers for {host} in {', '.join(others)} too, where "
                    f"{', '.join(address)} cannot be reached",
                    resource=before.id,
                    fix=f"Give those networks a {what} of their own, or detach from this one the networks that are to "
                    "have another address, and run again",
                )
            )
    return found


def _foreign(change: Change) -> list[EndpointError]:
    """A name that is taken by what somebody else made."""
    before, after = change.before, change.after
    if before is None or after is None or before.networks == after.networks or before.managed:
        return []
    return [
        EndpointError(
            "it exists and was not made by this collection",
            resource=before.id,
            code="alreadyExists",
            fix="Set another zone_prefix, or rename it",
        )
    ]


def _routed(change: Change, wanted: Wanted) -> list[EndpointError]:
    """Record sets that answer by a routing policy have no addresses of their own, and could not be put back."""
    return [
        EndpointError(
            f"its record set {record.name} {record.type} answers by a routing policy",
            resource=change.id,
            fix="Replace it by plain addresses, or detach the zone from the network, and run again",
        )
        for host in wanted.hosts
        for item in (change.before.at(host) if change.before else ())
        for record in item.records
        if not record.values
    ]
