# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a network's egress firewall rules say to TCP 443 towards one address.

The lowest number decides, a deny before an allow of the same number, and at last an implied rule lets all out.
https://cloud.google.com/firewall/docs/firewalls
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

Rule = Mapping[str, Any]
Span = tuple[int, int]

EVERYWHERE: list[Span] = [(0, 2**32 - 1)]
# A range of at most this many bits is no application's.
_WIDE_PREFIX = 8
_HTTPS = 443
_TCP = frozenset(("all", "tcp", "6"))


@dataclass
class Walk:
    """What the rules do, in their order, with machines that no tag and no account sets apart.

    admitted, refused: each rule that decides, and the sources that it decides for. named: rules that let machines
    through by tag or account. implied: sources that no rule decides for, so that the implied rule lets them out.
    """

    admitted: list[tuple[Rule, list[Span]]] = field(default_factory=list)
    refused: list[tuple[Rule, list[Span]]] = field(default_factory=list)
    named: list[Rule] = field(default_factory=list)
    implied: list[Span] = field(default_factory=list)

    def named_before(self, rule: Rule) -> list[Rule]:
        """Rules by tag or account that count before this one."""
        return [item for item in self.named if _order(item) < _order(rule)]


def walk(rules: Iterable[Rule], network_id: str, address: str) -> Walk:
    """Follow the rules of a network. address: of an endpoint, IPv4."""
    found = Walk()
    left = list(EVERYWHERE)
    for rule in sorted(rules, key=_order):
        if not _applies(rule, network_id, address):
            continue
        allows = str(rule["action"]).lower() == "allow"
        if rule["tags"] or rule["accounts"]:
            # A deny for some machines leaves the others as they are.
            found.named += [rule] if allows else []
            continue
        sources = spans(rule["ranges"]) if rule["ranges"] else EVERYWHERE
        decided = common(left, sources)
        if decided:
            (found.admitted if allows else found.refused).append((rule, decided))
        left = minus(left, sources)
    found.implied = left
    return found


def wide(rule: Rule, decided: list[Span], allowed: list[Span], *, strict: bool) -> bool:
    """Whether an allow rule lets more through than is allowed.

    strict: nothing beyond `allowed`. Otherwise ranges around the network's subnets will do, but not most of the world.
    """
    if strict:
        return bool(minus(decided, allowed))
    sizes = [network.prefixlen for cidr in rule["ranges"] if (network := _network(cidr))]
    return not sizes or min(sizes) <= _WIDE_PREFIX


def spans(cidrs: Iterable[str]) -> list[Span]:
    """The IPv4 networks among these as ranges of numbers."""
    return [
        (int(network.network_address), int(network.broadcast_address))
        for cidr in cidrs
        if (network := _network(cidr))
    ]


def common(first: Iterable[Span], second: Iterable[Span]) -> list[Span]:
    """What lies in both."""
    others = list(second)
    return [
        (max(low, start), min(high, end))
        for low, high in first
        for start, end in others
        if max(low, start) <= min(high, end)
    ]


def minus(first: Iterable[Span], second: Iterable[Span]) -> list[Span]:
    """What lies in the first alone."""
    left = list(first)
    for start, end in second:
        pieces = []
        for low, high in left:
            if end < low or high < start:
                pieces.append((low, high))
                continue
            pieces += [(low, start - 1)] if low < start else []
            pieces += [(end + 1, high)] if end < high else []
        left = pieces
    return left


def _network(cidr: str) -> ipaddress.IPv4Network | None:
    try:
        network = ipaddress.ip_network(str(cidr), strict=False)
    except ValueError:
        return None
    return network if isinstance(network, ipaddress.IPv4Network) else None


def _order(rule: Rule) -> tuple[int, bool]:
    return int(rule["priority"]), str(rule["action"]).lower() == "allow"


def _applies(rule: Rule, network_id: str, address: str) -> bool:
    if rule["network_id"] != network_id or rule["disabled"]:
        return False
    if str(rule["direction"]).upper() != "EGRESS":
        return False
    to = spans(rule["destinations"]) if rule["destinations"] else EVERYWHERE
    return bool(common(spans([address]), to)) and any(_https(item) for item in rule["protocols"])


def _https(protocol: str) -> bool:
    name, _unused, ports = str(protocol).lower().partition(":")
    if name not in _TCP:
        return False
    low, _unused, high = ports.partition("-")
    return not ports or int(low) <= _HTTPS <= int(high or low)
