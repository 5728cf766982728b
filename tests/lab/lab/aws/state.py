# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All that the AWS simulator knows, behind one lock, and the clock that changes it.

Whoever reads or writes takes `state.lock` (re-entrant) and calls `settle()` first: it carries
out every scheduled change that is due (an endpoint that becomes available, an SCP that binds).
"""

from __future__ import annotations

import heapq
import ipaddress
import itertools
import secrets
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from .network import (
    Endpoint,
    Interface,
    NetworkAcl,
    Peering,
    PrefixList,
    RouteTable,
    SecurityGroup,
    Service,
    Subnet,
    Vpc,
)
from .records import Caller, Entity, Timing, TrailEvent, Zone, ZoneChange
from .tree import Organization


@dataclass
class State:
    timing: Timing = field(default_factory=Timing)
    clock: Callable[[], float] = time.time
    lock: threading.RLock = field(default_factory=threading.RLock)
    organization: Organization | None = None
    accounts: dict[str, str] = field(default_factory=dict)  # account id -> name
    entities: dict[str, Entity] = field(default_factory=dict)  # by ARN
    callers: dict[str, Caller] = field(default_factory=dict)  # by access key, sessions included
    regions: dict[str, dict[str, str]] = field(default_factory=dict)  # region -> zone -> zone id
    services: dict[str, dict[str, Service]] = field(default_factory=dict)  # region -> name
    vpcs: dict[str, Vpc] = field(default_factory=dict)
    subnets: dict[str, Subnet] = field(default_factory=dict)
    route_tables: dict[str, RouteTable] = field(default_factory=dict)
    network_acls: dict[str, NetworkAcl] = field(default_factory=dict)
    security_groups: dict[str, SecurityGroup] = field(default_factory=dict)
    peerings: dict[str, Peering] = field(default_factory=dict)
    interfaces: dict[str, Interface] = field(default_factory=dict)
    endpoints: dict[str, Endpoint] = field(default_factory=dict)
    prefix_lists: dict[str, PrefixList] = field(default_factory=dict)
    zones: dict[str, Zone] = field(default_factory=dict)
    zone_changes: dict[str, ZoneChange] = field(default_factory=dict)
    trail: list[TrailEvent] = field(default_factory=list)
    # (account, operation, token) -> (the request it came with, the id it made)
    client_tokens: dict[tuple[str, str, str], tuple[str, str]] = field(default_factory=dict)
    lookups: dict[tuple[str, str], list[float]] = field(default_factory=dict)  # recent LookupEvents
    _due: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    _order: itertools.count[int] = field(default_factory=itertools.count)

    def now(self) -> float:
        return self.clock()

    def after(self, seconds: float, change: Callable[[], None]) -> None:
        """Schedule a change of the state; `settle` makes it when its time has come."""
        heapq.heappush(self._due, (self.now() + seconds, next(self._order), change))

    def settle(self) -> None:
        """Make every scheduled change that is due, in order of time."""
        with self.lock:
            while self._due and self._due[0][0] <= self.now():
                heapq.heappop(self._due)[2]()

    def next_change(self) -> float | None:
        """When the next scheduled change is due (seconds since the epoch), or None."""
        with self.lock:
            return self._due[0][0] if self._due else None

    def bind_policies(self) -> None:
        """Let what the organisation shows now bind after the propagation time."""
        organization = self.organization
        if organization is None:
            return
        snapshot = organization.snapshot()

        def bind() -> None:
            organization.binding = snapshot

        self.after(self.timing.scp_propagation, bind)

    def caller_by_key(self, access_key: str) -> Caller | None:
        return self.callers.get(access_key)

    def zone_id(self, region: str, zone: str) -> str:
        return self.regions[region][zone]

    def vpc_subnets(self, vpc_id: str) -> list[Subnet]:
        return [each for each in self.subnets.values() if each.vpc_id == vpc_id]

    def route_table_of(self, subnet_id: str) -> RouteTable:
        """The table a subnet uses: its own, else its VPC's main one."""
        vpc_id = self.subnets[subnet_id].vpc_id
        tables = [each for each in self.route_tables.values() if each.vpc_id == vpc_id]
        own = [each for each in tables if subnet_id in each.associations]
        return own[0] if own else next(each for each in tables if each.main)

    def network_acl_of(self, subnet_id: str) -> NetworkAcl:
        return next(each for each in self.network_acls.values() if subnet_id in each.subnets)

    def default_group(self, vpc_id: str) -> SecurityGroup:
        groups = self.security_groups.values()
        return next(each for each in groups if each.vpc_id == vpc_id and each.default)

    def endpoint_interfaces(self, endpoint: Endpoint) -> list[Interface]:
        return [self.interfaces[each] for each in endpoint.interface_ids]

    def free_address(self, subnet: Subnet) -> str | None:
        """The lowest address of a subnet that nobody wears (AWS keeps the first four and the last)."""
        taken = {each.address for each in self.interfaces.values() if each.subnet_id == subnet.id}
        hosts = list(ipaddress.ip_network(subnet.cidr))[4:-1]
        return next((str(each) for each in hosts if str(each) not in taken), None)

    def free_ipv6(self, subnet: Subnet) -> str:
        """A random IPv6 address of the subnet's first IPv6 block, or "" when it has none."""
        if not subnet.ipv6_cidrs:
            return ""
        block = ipaddress.ip_network(subnet.ipv6_cidrs[0])
        return str(block[secrets.randbelow(2**32) + 16])


def new_id(prefix: str, taken: Iterable[str] = ()) -> str:
    """A fresh resource id as EC2 makes them: prefix, dash, 0 and sixteen hexadecimal digits."""
    while (made := f"{prefix}-0{secrets.token_hex(8)}") in taken:
        continue
    return made
