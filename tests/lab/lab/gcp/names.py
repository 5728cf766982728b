# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Google's resolvers answer: the public view, and the view of each network.

A server policy with servers of its own takes a network's questions away from all that. Else the response policy comes
first, then the private zones, of which the longest matching name answers alone: a name that it lacks does not exist
there, whatever the public DNS says. A peering zone hands the question to another network's view. https://cloud.google.com/dns/docs/vpc-name-res-order
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Literal

from ..cloud import DnsAnswer, Vantage
from . import hosts, packets
from .compute_common import see
from .records import Resource, ResponsePolicy, Zone
from .state import State

TTL = 300
_LONGEST_CHAIN = 8


def resolve(state: State, vantage: Vantage, name: str, qtype: str) -> DnsAnswer | None:
    """Answer a lower-case name without trailing dot; None when Google has nothing to say about it."""
    with state.lock:
        state.settle()
        place = packets.place_of(state, vantage)
        return _resolve(state, place.network if place else "", name, qtype, 0)


def _resolve(state: State, network: str, name: str, qtype: str, depth: int) -> DnsAnswer | None:
    if depth >= _LONGEST_CHAIN:
        return DnsAnswer("nodata", ttl=TTL)
    if network and not _own_servers(state, network):
        policy = _policy_of(state, network)
        rule = _rule(policy, name) if policy else None
        if rule is not None:
            local = rule.get("localData", {}).get("localDatas")
            if local is not None and rule.get("behavior") != "bypassResponsePolicy":
                return _answer(state, network, local, name, qtype, depth, missing="nodata")
        zone = _closest(state, network, name)
        if zone is not None:
            return _zone(state, network, zone, name, qtype, depth)
    return _public(state, network, name, qtype)


def _own_servers(state: State, network: str) -> bool:
    """Whether a server policy sends all questions of a network to other servers, which know the public names alone."""
    return any(
        network in [see(each["networkUrl"]) for each in policy.get("networks", [])]
        for policy in state.server_policies.values()
        if policy.get("alternativeNameServerConfig")
    )


def _policy_of(state: State, network: str) -> ResponsePolicy | None:
    policies = state.response_policies.values()
    return next((each for each in policies if network in each.live_networks), None)


def _rule(policy: ResponsePolicy, name: str) -> Resource | None:
    """The rule for exactly this name, else the one with the longest wildcard above it."""
    best: Resource | None = None
    for rule in policy.live_rules:
        pattern = rule["dnsName"].rstrip(".").lower()
        if pattern == name:
            return rule
        longer = best is None or len(pattern) > len(best["dnsName"].rstrip("."))
        if pattern.startswith("*.") and name.endswith(pattern[1:]) and longer:
            best = rule
    return best


def visible(zone: Zone) -> tuple[str, ...]:
    """The networks in which a zone answers now."""
    config = zone.live.get("privateVisibilityConfig", {})
    return tuple(see(each["networkUrl"]) for each in config.get("networks", []))


def _closest(state: State, network: str, name: str) -> Zone | None:
    matching = [
        zone
        for zone in state.zones.values()
        if network in visible(zone) and f".{name}.".endswith(f".{zone.dns_name.lower()}")
    ]
    return max(matching, key=lambda each: len(each.dns_name), default=None)


def _zone(
    state: State, network: str, zone: Zone, name: str, qtype: str, depth: int
) -> DnsAnswer | None:
    peering = zone.live.get("peeringConfig", {}).get("targetNetwork", {}).get("networkUrl")
    if peering:
        target = see(peering)
        answer = _resolve(state, target, name, qtype, depth + 1)
        return answer or DnsAnswer("nxdomain", ttl=TTL)
    found = _records(zone, name)
    if found:
        return _answer(state, network, found, name, qtype, depth, missing="nodata")
    apex = f"{name}." == zone.dns_name.lower()
    between = any(each["name"].lower().endswith(f".{name}.") for each in zone.live_records)
    return DnsAnswer("nodata" if apex or between else "nxdomain", ttl=TTL)


def _records(zone: Zone, name: str) -> list[Resource]:
    """The record sets at a name; else those of the closest wildcard above it, within the zone."""
    by_name: dict[str, list[Resource]] = {}
    for each in zone.live_records:
        by_name.setdefault(each["name"].lower().rstrip("."), []).append(each)
    if name in by_name:
        return by_name[name]
    top = zone.dns_name.lower().rstrip(".")
    parent = name
    while parent != top and "." in parent:
        parent = parent.partition(".")[2]
        if f"*.{parent}" in by_name:
            return by_name[f"*.{parent}"]
        if parent in by_name and parent != top:
            return []  # an existing name in between hides wildcards further up
    return []


def _answer(
    state: State,
    network: str,
    records: Sequence[Resource],
    name: str,
    qtype: str,
    depth: int,
    missing: Literal["nodata", "nxdomain"],
) -> DnsAnswer:
    wanted = next((each for each in records if each["type"] == qtype), None)
    if wanted is not None:
        return DnsAnswer("ok", (), tuple(wanted.get("rrdatas", [])), int(wanted.get("ttl", TTL)))
    alias = next((each for each in records if each["type"] == "CNAME"), None)
    if alias is None:
        return DnsAnswer(missing, ttl=TTL)
    target = alias["rrdatas"][0].rstrip(".").lower()
    link, ttl = ((name, target),), int(alias.get("ttl", TTL))
    rest = _resolve(state, network, target, qtype, depth + 1)
    if rest is None:
        return DnsAnswer("nxdomain", link, (), ttl)
    return DnsAnswer(rest.status, link + rest.chain, rest.addresses, min(ttl, rest.ttl))


def _public(state: State, network: str, name: str, qtype: str) -> DnsAnswer | None:
    if not hosts.is_google(name):
        return None
    if network and name.endswith(f".p.{hosts.DOMAIN}"):
        # Service Directory makes SERVICE-ENDPOINT.p.googleapis.com for each endpoint of the network.
        label = name.removesuffix(f".p.{hosts.DOMAIN}").rpartition("-")[2]
        for rule in packets.endpoints(state):
            if rule["name"] == label and see(rule["network"]) == network:
                return _addresses(qtype, (rule["IPAddress"],), ())
    if hosts.service_of(name) is None:
        return DnsAnswer("nxdomain", ttl=TTL)
    number = zlib.crc32(name.encode()) % 65000
    return _addresses(qtype, hosts.public_addresses(name), (f"2001:db8:6007::{number:x}",))


def _addresses(qtype: str, four: tuple[str, ...], six: tuple[str, ...]) -> DnsAnswer:
    found = {"A": four, "AAAA": six}.get(qtype, ())
    return DnsAnswer("ok" if found else "nodata", (), found, TTL)
