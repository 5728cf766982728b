# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All that the Google simulator knows, behind one lock, and the clock that changes it.

Whoever reads or writes takes `state.lock` (re-entrant) and calls `settle()` first: it carries out every
scheduled change that is due (an operation that ends, a zone that is served, a perimeter that binds).
"""

from __future__ import annotations

import copy
import datetime
import hashlib
import heapq
import itertools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from .records import (
    AccessPolicy,
    Account,
    Failure,
    Operation,
    Project,
    Resource,
    ResponsePolicy,
    Timing,
    Token,
    Zone,
)


@dataclass
class State:
    timing: Timing = field(default_factory=Timing)
    clock: Callable[[], float] = time.time
    lock: threading.RLock = field(default_factory=threading.RLock)
    organization: str = ""  # organizations/N
    organization_policy: Resource = field(default_factory=dict)
    projects: dict[str, Project] = field(default_factory=dict)  # by id
    roles: dict[str, tuple[str, ...]] = field(default_factory=dict)  # custom: name -> permissions
    accounts: dict[str, Account] = field(default_factory=dict)  # by email
    tokens: dict[str, Token] = field(default_factory=dict)
    federated: dict[tuple[str, str], str] = field(
        default_factory=dict
    )  # (audience, token) -> member
    compute: dict[str, Resource] = field(default_factory=dict)  # by projects/P/global/KIND/NAME
    pending: set[str] = field(default_factory=set)  # resources whose first operation still runs
    operations: dict[str, Operation] = field(default_factory=dict)
    request_ids: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    zones: dict[tuple[str, str], Zone] = field(default_factory=dict)
    response_policies: dict[tuple[str, str], ResponsePolicy] = field(default_factory=dict)
    server_policies: dict[tuple[str, str], Resource] = field(default_factory=dict)
    access_policies: dict[str, AccessPolicy] = field(default_factory=dict)
    binding: list[Resource] = field(default_factory=list)  # perimeters as they bind now
    org_policies: dict[str, Resource] = field(default_factory=dict)
    org_binding: dict[str, Resource] = field(default_factory=dict)
    buckets: dict[str, str] = field(default_factory=dict)  # name -> project id
    log: list[Resource] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    _due: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    _order: itertools.count[int] = field(default_factory=itertools.count)
    _ids: itertools.count[int] = field(
        default_factory=lambda: itertools.count(7000000000000000001, 97)
    )

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
        with self.lock:
            return self._due[0][0] if self._due else None

    def new_id(self) -> str:
        return str(next(self._ids))

    def project(self, name: str) -> Project | None:
        """A project by its id or its number."""
        found = self.projects.get(name)
        return found or next((each for each in self.projects.values() if each.number == name), None)

    def failure_of(self, operation: str) -> Failure | None:
        """The failure that the world has in store for this operation, counted as used."""
        for each in self.failures:
            if each.operation == operation and each.seen < each.count:
                each.seen += 1
                return each
        return None

    def perimeters(self) -> list[Resource]:
        return [
            each for policy in self.access_policies.values() for each in policy.perimeters.values()
        ]

    def bind_perimeters(self) -> None:
        """Let the perimeters as they are now bind after the propagation time."""
        snapshot = copy.deepcopy(self.perimeters())

        def bind() -> None:
            self.binding = snapshot

        self.after(self.timing.perimeter_propagation, bind)

    def bind_org_policies(self) -> None:
        snapshot = copy.deepcopy(self.org_policies)

        def bind() -> None:
            self.org_binding = snapshot

        self.after(self.timing.org_policy_propagation, bind)


def timestamp(moment: float) -> str:
    """As most of Google's APIs write a time: UTC, microseconds, Z."""
    made = datetime.datetime.fromtimestamp(moment, datetime.timezone.utc)
    return made.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def digest(value: object) -> str:
    """A stable hexadecimal number of 16 digits for any printable value."""
    return hashlib.sha256(repr(value).encode()).hexdigest()[:16]
