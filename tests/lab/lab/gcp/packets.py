# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which endpoints a packet from a vantage reaches on TCP 443.

An endpoint for Google APIs takes packets from its own network only, never over a peering. A machine
without an external address needs Private Google Access on its subnet. Egress firewall rules decide in order of
priority, at the same priority deny before allow. Whatever is not admitted is dropped without a word.
https://cloud.google.com/vpc/docs/configure-private-service-connect-apis
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..cloud import Vantage
from . import hosts
from .compute_common import everywhere, see
from .records import Resource
from .state import State

PORT = 443


@dataclass(frozen=True)
class Place:
    """Where a vantage lies: a machine in a subnet, or anywhere in a network."""

    address: str
    network: str
    subnetwork: str
    tags: tuple[str, ...]
    account: str
    external: bool  # it has an external address of its own


def place_of(state: State, vantage: Vantage) -> Place | None:
    """Where a vantage lies in Google's networks; None when it lies outside all of them."""
    given: Mapping[str, Any] = vantage.network.get("gcp") or {}
    network = given.get("network", "")
    if network not in state.compute:
        return None
    return Place(
        vantage.address,
        network,
        given.get("subnetwork", ""),
        tuple(given.get("tags", ())),
        given.get("service_account", ""),
        given.get("external_address", vantage.internet),
    )


def admitted(state: State, vantage: Vantage) -> frozenset[str]:
    """The addresses whose TCP 443 this vantage reaches now, beside what its internet access gives it."""
    with state.lock:
        state.settle()
        place = place_of(state, vantage)
        if place is None or not (place.external or has_google_access(state, place)):
            return frozenset()
        reached = {
            rule["IPAddress"] for rule in endpoints(state) if see(rule["network"]) == place.network
        }
        if not vantage.internet:  # Private Google Access leads to Google's public addresses, too
            reached |= {*hosts.POOL, *hosts.PRIVATE_VIP, *hosts.RESTRICTED_VIP}
        return frozenset(each for each in reached if egress_allows(state, place, each))


def endpoints(state: State) -> list[Resource]:
    """The forwarding rules that take packets now."""
    rules = everywhere(state, "forwardingRules")
    return [rule for path, rule in rules if path not in state.pending]


def endpoint_at(state: State, place: Place | None, address: str) -> Resource | None:
    """The endpoint that has this address in the place's network."""
    for rule in endpoints(state):
        if place and rule["IPAddress"] == address and see(rule["network"]) == place.network:
            return rule
    return None


def has_google_access(state: State, place: Place) -> bool:
    subnet = state.compute.get(place.subnetwork, {})
    return bool(subnet.get("privateIpGoogleAccess"))


def egress_allows(state: State, place: Place, address: str) -> bool:
    """Whether the network's egress rules let TCP 443 from the place to an address."""
    rules = [
        rule
        for _, rule in everywhere(state, "firewalls")
        if see(rule["network"]) == place.network and _concerns(rule, place, address)
    ]
    if not rules:
        return True  # the implied rule: everything may leave
    first = min(int(each.get("priority", 1000)) for each in rules)
    return not any("denied" in each for each in rules if int(each.get("priority", 1000)) == first)


def _concerns(rule: Resource, place: Place, address: str) -> bool:
    if rule.get("direction") != "EGRESS" or rule.get("disabled"):
        return False
    tags, accounts = rule.get("targetTags"), rule.get("targetServiceAccounts")
    if tags and not set(tags) & set(place.tags):
        return False
    if accounts and place.account not in accounts:
        return False
    if not _within(address, rule.get("destinationRanges") or ["0.0.0.0/0"]):
        return False
    if rule.get("sourceRanges") and not _within(place.address, rule["sourceRanges"]):
        return False
    return any(_covers_port(each) for each in rule.get("allowed") or rule.get("denied") or [])


def _within(address: str, ranges: Iterable[str]) -> bool:
    number = ipaddress.ip_address(address)
    return any(number in ipaddress.ip_network(each, strict=False) for each in ranges)


def _covers_port(part: Resource) -> bool:
    if str(part.get("IPProtocol", "")).lower() not in ("all", "tcp", "6"):
        return False
    ports = part.get("ports")
    if not ports:
        return True
    for each in ports:
        low, _, high = str(each).partition("-")
        if int(low) <= PORT <= int(high or low):
            return True
    return False
