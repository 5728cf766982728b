# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Azure, as far as this lab needs it: see `lab.cloud.Cloud` for the seam.

Conventions
-----------
Planes. `Azure` asks each plane whether it serves a host; a plane has `serves`, `parse`, `answer` and
`fault` as `lab.cloud.Cloud` has. `login.py` and `arm.py` (Resource Manager) are two of them.

State. `state.State` has one re-entrant lock. Every plane takes it and calls `settle()` before it looks.
Resources lie in `state.resources` by lower-case ARM id; `state.find(id)`, `state.of_type(type, scope)`,
`state.children(id, kind)`, `state.add`, `state.remove` are the ways to them. `Resource.body` is the body as
ARM shows it, without id, name, type and etag; `Resource.hidden` is for the simulator alone.
What happens later is a function given to `state.after(seconds, change)`.

Providers. A provider is a file that registers resource types and operations (`registry.py`); this
package imports it in PROVIDERS. `arm_checks.run` has checked before a handler runs: token, subscription, api-version,
permission, resource group, parents, registration, location, If-Match and If-None-Match, and the body
against the SDK's model, read-only properties taken out. `stock.py` has GET, LIST (pages) and PATCH of
tags; `Control.begin` and `Control.delete` start long-running operations, `polling.polled(namespace,
versions)` registers their URLs, `resources.registrable(namespace)` the registration of a provider.

Names. An operation is `TYPE:METHOD` in the journal and for faults: `Microsoft.Network/privateEndpoints:PUT`,
`…:LIST` for a GET of a collection, `Microsoft.CognitiveServices/accounts/listKeys:POST` for an action,
`login:token`. The principal is the client (application) id.

Worlds. The resources of a world are written by the providers' own PUT handlers with
`Control.at_start` set (`world.py`); other keys of `azure:` are registered with `world.world_section`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

from ..cloud import Call, Cloud, DnsAnswer, Request, Response, Vantage
from . import (
    authorization,
    cognitive,
    cognitive_connections,
    insights,
    logs,
    names,
    network_endpoints,
    network_groups,
    network_interfaces,
    network_peerings,
    network_routes,
    network_vnets,
    network_zone_groups,
    packets,
    private_dns,
    private_dns_records,
    resources,
)
from . import world as worlds
from .arm import ResourceManager
from .dataplane import DataPlane
from .loganalytics import LogAnalytics
from .login import Login
from .state import State

# Imported for the operations that they register.
PROVIDERS = (
    authorization,
    cognitive,
    cognitive_connections,
    insights,
    logs,
    network_endpoints,
    network_groups,
    network_interfaces,
    network_peerings,
    network_routes,
    network_vnets,
    network_zone_groups,
    private_dns,
    private_dns_records,
    resources,
)


class Plane(Protocol):
    """What answers for some hosts."""

    def serves(self, host: str) -> bool: ...

    def parse(self, request: Request) -> Call: ...

    def answer(self, request: Request, call: Call) -> Response: ...

    def fault(self, call: Call, kind: Literal["throttle", "error"]) -> Response: ...


@dataclass(frozen=True)
class Routed:
    """A call's detail, with the plane that it belongs to."""

    plane: Plane
    detail: Any


class Azure:
    """The Azure clouds, the public one and a sovereign one, over one state."""

    name = "azure"

    def __init__(self, state: State) -> None:
        self.state = state
        self._planes: tuple[Plane, ...] = (
            Login(state),
            ResourceManager(state),
            LogAnalytics(state),
            DataPlane(state),
        )
        authorization.install(state)

    def _plane(self, host: str) -> Plane | None:
        return next((each for each in self._planes if each.serves(host)), None)

    def serves(self, host: str) -> bool:
        return self._plane(host) is not None

    def parse(self, request: Request) -> Call:
        plane = self._plane(request.host)
        if plane is None:
            raise ValueError(f"{request.host} is no host of Azure")
        call = plane.parse(request)
        return replace(call, detail=Routed(plane, call.detail))

    def answer(self, request: Request, call: Call) -> Response:
        routed: Routed = call.detail
        return routed.plane.answer(request, replace(call, detail=routed.detail))

    def fault(self, call: Call, kind: Literal["throttle", "error"]) -> Response:
        routed: Routed = call.detail
        return routed.plane.fault(replace(call, detail=routed.detail), kind)

    def resolve(self, vantage: Vantage, name: str, qtype: str) -> DnsAnswer | None:
        return names.resolve(self.state, vantage, name, qtype)

    def admitted(self, vantage: Vantage) -> frozenset[str]:
        return packets.admitted(self.state, vantage)

    def next_change(self) -> float | None:
        return packets.next_change(self.state)


def build(world: Mapping[str, Any], vantages: Sequence[Vantage], ca_pem: bytes) -> Cloud:
    """The cloud of a world that `check` found no problem in; nobody here is shown the authority."""
    del ca_pem
    return Azure(worlds.load(world, vantages))


def check(world: Mapping[str, Any]) -> list[str]:
    """The problems in the world's `azure` section, each with its path; see worlds/azure.md."""
    return worlds.check(world)
