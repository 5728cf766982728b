# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The managed rules of one endpoint in its subnet's security group: TCP 443 from given networks, nothing else.

Their destination is always the endpoint's own addresses, so that a shared subnet's other resources never notice them.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from .arm_id import ArmId, key

DESCRIPTION = "Kept by the Ansible collection private_ai.endpoints."
LOWEST, HIGHEST = 100, 4096
_NAME = 48


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule. sources, destinations: prefixes, service tags or ids of application security groups; sorted."""

    name: str
    priority: int
    direction: str
    access: str
    protocol: str
    sources: tuple[str, ...]
    destinations: tuple[str, ...]
    ports: tuple[str, ...]
    source_ports: tuple[str, ...] = ("*",)

    def text(self) -> str:
        """For a step: `100 allow tcp 443 10.20.0.0/16 → 10.20.2.4`."""
        return (
            f"{self.priority} {self.access.lower()} {self.protocol.lower()} {','.join(self.ports)} "
            f"{','.join(self.sources)} -> {','.join(self.destinations)}"
        )

    def means(self, other: Rule) -> bool:
        """Whether both say the same, wherever they stand."""
        return self._meaning() == other._meaning()

    def _meaning(self) -> tuple[object, ...]:
        return (
            self.direction.lower(),
            self.access.lower(),
            self.protocol.lower(),
            frozenset(_plain(item) for item in self.sources),
            frozenset(_plain(item) for item in self.destinations),
            frozenset(self.ports),
            frozenset(self.source_ports),
        )


def rule_names(endpoint_id: ArmId) -> tuple[str, str]:
    """The names of an endpoint's two rules: allow, deny."""
    digest = hashlib.sha256(endpoint_id.key.encode()).hexdigest()[:8]
    base = re.sub(r"[^A-Za-z0-9_.-]", "-", endpoint_id.name)[:_NAME]
    return f"private-ai-{base}-{digest}-allow", f"private-ai-{base}-{digest}-deny"


def wanted(
    endpoint_id: ArmId,
    cidrs: Sequence[str],
    addresses: Iterable[str],
    present: Sequence[Rule],
    first_priority: int,
) -> list[Rule]:
    """The two rules, at the priorities that they have, or the first that are free; none when nobody is named.

    addresses: of the endpoint; an address that is not known yet as its placeholder.
    """
    if not cidrs:
        return []
    names = rule_names(endpoint_id)
    destinations = tuple(sorted(addresses))
    allow, deny = _priorities(names, present, first_priority)
    common = Rule(
        name=names[0],
        priority=allow,
        direction="Inbound",
        access="Allow",
        protocol="Tcp",
        sources=tuple(sorted({_plain(item) for item in cidrs})),
        destinations=destinations,
        ports=("443",),
    )
    return [
        common,
        replace(
            common,
            name=names[1],
            priority=deny,
            access="Deny",
            protocol="*",
            sources=("*",),
            ports=("*",),
        ),
    ]


def own(endpoint_id: ArmId, present: Iterable[Rule]) -> list[Rule]:
    """The endpoint's rules as they stand."""
    names = {name.lower() for name in rule_names(endpoint_id)}
    return [item for item in present if item.name.lower() in names]


def before_ours(rules: Sequence[Rule], ours: Sequence[Rule]) -> list[Rule]:
    """Rules that decide about TCP 443 to the endpoint before the managed ones do."""
    if not ours:
        return []
    last = max(item.priority for item in ours)
    targets = [_network(item) for item in ours[0].destinations]
    names = {item.name.lower() for item in ours}
    return [
        item
        for item in sorted(rules, key=lambda rule: rule.priority)
        if item.priority < last
        and item.name.lower() not in names
        and item.direction.lower() == "inbound"
        and item.protocol.lower() in ("*", "tcp")
        and any(_covers(port) for port in item.ports)
        and any(_reaches(prefix, targets) for prefix in item.destinations)
    ]


def same_rules(one: Iterable[Rule], other: Iterable[Rule]) -> bool:
    """Whether two sets of rules are the same, with their priorities."""
    left = {item.name.lower(): item for item in one}
    right = {item.name.lower(): item for item in other}
    return left.keys() == right.keys() and all(
        item.means(right[name]) and item.priority == right[name].priority
        for name, item in left.items()
    )


def _priorities(names: Sequence[str], present: Sequence[Rule], first: int) -> tuple[int, int]:
    """What the rules have, when allow comes before deny; else the first two that are free."""
    standing = {item.name.lower(): item.priority for item in present}
    allow, deny = (standing.get(name.lower()) for name in names)
    if allow and deny and allow < deny:
        return allow, deny
    others = {
        item.priority
        for item in present
        if item.direction.lower() == "inbound" and item.name.lower() not in map(str.lower, names)
    }
    free = [number for number in range(first, HIGHEST + 1) if number not in others]
    free = free if len(free) > 1 else [n for n in range(LOWEST, HIGHEST + 1) if n not in others]
    return (free[0], free[1]) if len(free) > 1 else (HIGHEST - 1, HIGHEST)


def _plain(text: str) -> str:
    """A prefix as it is compared: a single address without its length, a network without host bits."""
    lowered = key(text)
    try:
        network = ipaddress.ip_network(lowered, strict=False)
    except ValueError:
        return lowered
    if network.prefixlen == network.max_prefixlen:
        return str(network.network_address)
    return str(network)


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def _reaches(
    prefix: str, targets: Sequence[ipaddress.IPv4Network | ipaddress.IPv6Network | None]
) -> bool:
    if prefix.lower() in ("*", "any", "virtualnetwork"):
        return True
    network = _network(prefix)
    if network is None:
        return False
    return any(
        target is None or (target.version == network.version and network.overlaps(target))
        for target in targets
    )


def _covers(ports: str) -> bool:
    if ports == "*":
        return True
    low, _unused, high = ports.partition("-")
    return low.isdigit() and int(low) <= 443 <= int(high or low)
