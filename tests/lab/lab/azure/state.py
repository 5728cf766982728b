# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All that the Azure simulator knows, behind one lock, and the clock that changes it.

Whoever reads or writes takes `state.lock` (re-entrant) and calls `settle()` first: it carries out
every scheduled change that is due (an endpoint that becomes ready, an account that is updated).
"""

from __future__ import annotations

import heapq
import itertools
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from . import arm_ids
from .arm_ids import ArmId
from .clouds import ENVIRONMENTS, Environment


@dataclass(frozen=True)
class Timing:
    """Seconds that things take, from the world's `timing`."""

    operation: float = 0.2  # a long-running write of the network provider
    endpoint: float = 0.5  # a private endpoint
    account: float = 0.3  # an account that is being written
    dns: float = 0.1  # a long-running write of the DNS provider
    access_propagation: float = 0.5  # a change of public access, until requests feel it
    log_delay: float = 0.0  # a call until queries of its workspace find it
    retry_after: int = 1  # what Retry-After says; 0 leaves the pace to the client
    token_lifetime: float = 3599


@dataclass(frozen=True)
class Permission:
    """What a principal may do below a scope: ARM actions with `*`."""

    scope: str
    actions: tuple[str, ...]
    not_actions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Principal:
    """A service principal, managed identity or user that can sign in."""

    client_id: str
    object_id: str
    tenant: str
    name: str = ""
    type: str = "ServicePrincipal"
    secrets: tuple[str, ...] = ()
    certificates: tuple[str, ...] = ()  # PEM
    federated: tuple[tuple[str, str, str], ...] = ()  # (issuer, subject, token or "" for any)
    username: str = ""
    permissions: tuple[Permission, ...] = ()


@dataclass(frozen=True)
class Token:
    """An access token that was issued."""

    principal: Principal
    audience: str
    expires: float
    environment: Environment


@dataclass(frozen=True)
class Subscription:
    id: str
    name: str
    tenant: str
    environment: Environment
    registered: set[str]  # namespaces, lower case


@dataclass
class Resource:
    """One resource. `body` is as ARM shows it without id, name, type and etag.

    `state` is the provisioning state, `busy` the operation that is writing it, "" when none is.
    `hidden` holds what only the simulator may know.
    """

    id: ArmId
    body: dict[str, Any]
    state: str = "Succeeded"
    etag: str = field(default_factory=lambda: str(uuid.uuid4()))
    busy: str = ""
    hidden: dict[str, Any] = field(default_factory=dict)

    @property
    def properties(self) -> dict[str, Any]:
        properties: dict[str, Any] = self.body.setdefault("properties", {})
        return properties

    @property
    def works(self) -> bool:
        """Whether it has been ready, and is not being deleted: later writes do not interrupt it."""
        return bool(self.hidden.get("live", self.state == "Succeeded"))

    def touch(self) -> None:
        """A new etag, as after each write."""
        self.etag = str(uuid.uuid4())


@dataclass
class Running:
    """A long-running operation, as its status URL shows it."""

    id: str
    resource: str
    status: str = "InProgress"
    error: dict[str, Any] | None = None
    result: Callable[[], Any] | None = None  # what the Location URL answers at the end
    started: float = 0.0


@dataclass(frozen=True)
class Failure:
    """A failure that the world has in store for a long-running operation."""

    operation: str
    id: str
    code: str
    message: str


@dataclass
class State:
    timing: Timing = field(default_factory=Timing)
    clock: Callable[[], float] = time.time
    lock: threading.RLock = field(default_factory=threading.RLock)
    tenants: dict[str, Environment] = field(default_factory=dict)
    domains: dict[str, str] = field(default_factory=dict)  # contoso.onmicrosoft.com -> tenant
    subscriptions: dict[str, Subscription] = field(default_factory=dict)  # by lower-case id
    principals: list[Principal] = field(default_factory=list)
    tokens: dict[str, Token] = field(default_factory=dict)
    resources: dict[str, Resource] = field(default_factory=dict)  # by lower-case id
    running: dict[str, Running] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    extra: dict[str, Any] = field(default_factory=dict)  # what other parts of the world keep here
    # The same resources by lower-case type, and by lower-case parent and kind: worlds may be large.
    _by_type: dict[str, dict[str, Resource]] = field(default_factory=dict)
    _by_parent: dict[str, dict[str, Resource]] = field(default_factory=dict)
    _due: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    _order: itertools.count[int] = field(default_factory=itertools.count)

    def now(self) -> float:
        return self.clock()

    def after(self, seconds: float, change: Callable[[], None]) -> None:
        """Schedule a change of the state; `settle` makes it when its time has come."""
        heapq.heappush(self._due, (self.now() + seconds, next(self._order), change))

    def settle(self, until: float | None = None) -> None:
        """Make every scheduled change that is due (by now, or by `until`), in order of time."""
        with self.lock:
            while self._due and self._due[0][0] <= (self.now() if until is None else until):
                heapq.heappop(self._due)[2]()

    def next_change(self) -> float | None:
        """When the next scheduled change is due (seconds since the epoch), or None."""
        with self.lock:
            return self._due[0][0] if self._due else None

    def find(self, id: ArmId | str) -> Resource | None:
        return self.resources.get(str(id).rstrip("/").lower())

    def of_type(self, type: str, scope: str = "") -> Iterator[Resource]:
        """Resources of a full type (`Microsoft.Network/virtualNetworks`) whose id lies below `scope`."""
        below = scope.rstrip("/").lower() + "/"
        for key, resource in list(self._by_type.get(type.lower(), {}).items()):
            if (key + "/").startswith(below):
                yield resource

    def children(self, parent: ArmId | str, kind: str) -> list[Resource]:
        """The child resources of one kind (`subnets`), in the order in which they were made."""
        return list(self._by_parent.get(f"{parent}/{kind}".lower(), {}).values())

    def add(self, resource: Resource) -> Resource:
        key = resource.id.key
        self.resources[key] = resource
        self._by_type.setdefault(resource.id.type.lower(), {})[key] = resource
        self._by_parent.setdefault(key.rpartition("/")[0], {})[key] = resource
        return resource

    def remove(self, id: ArmId | str) -> None:
        """Remove a resource and all below it, extension resources included."""
        gone = str(id).lower()
        for key in [each for each in self.resources if each == gone or each.startswith(gone + "/")]:
            resource = self.resources.pop(key)
            del self._by_type[resource.id.type.lower()][key]
            del self._by_parent[key.rpartition("/")[0]][key]

    def environment_of(self, subscription: str) -> Environment:
        known = self.subscriptions.get(subscription.lower())
        return known.environment if known else ENVIRONMENTS["AzureCloud"]

    def location_of_group(self, id: ArmId) -> str:
        group = self.find(arm_ids.parse(id.group_id))
        return str(group.body["location"]) if group else ""
