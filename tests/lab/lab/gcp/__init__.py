# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Google Cloud, as far as this lab needs it: see `lab.cloud.Cloud` for the seam."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from ..cloud import Call, Cloud, DnsAnswer, Request, Response, Vantage
from . import (
    acm,
    acm_perimeters,
    compute_addresses,
    compute_firewalls,
    compute_networks,
    compute_operations,
    compute_rules,
    compute_subnets,
    credentials,
    dns_policies,
    dns_records,
    dns_zones,
    hosts,
    keys,
    log_entries,
    names,
    orgpolicy,
    packets,
    resourcemanager,
    world_schema,
)
from .control import ControlPlane
from .dataplane import DataPlane
from .state import State
from .world import accounts, load

# Imported for the methods that they register.
HANDLERS = (
    acm,
    acm_perimeters,
    compute_addresses,
    compute_firewalls,
    compute_networks,
    compute_operations,
    compute_rules,
    compute_subnets,
    credentials,
    dns_policies,
    dns_records,
    dns_zones,
    log_entries,
    orgpolicy,
    resourcemanager,
)


class Gcp:
    """Google's cloud: control planes and data planes over one state."""

    name = "gcp"

    def __init__(self, state: State) -> None:
        self.state = state
        self._control = ControlPlane(state)
        self._data = DataPlane(state)

    def serves(self, host: str) -> bool:
        return hosts.service_of(host) is not None

    def parse(self, request: Request) -> Call:
        plane = self._control if self._control.serves(request) else self._data
        return plane.parse(request)

    def _plane(self, call: Call) -> ControlPlane | DataPlane:
        return self._control if call.plane == "control" else self._data

    def answer(self, request: Request, call: Call) -> Response:
        return self._plane(call).answer(request, call)

    def fault(self, call: Call, kind: Literal["throttle", "error"]) -> Response:
        return self._plane(call).fault(call, kind)

    def resolve(self, vantage: Vantage, name: str, qtype: str) -> DnsAnswer | None:
        return names.resolve(self.state, vantage, name, qtype)

    def admitted(self, vantage: Vantage) -> frozenset[str]:
        return packets.admitted(self.state, vantage)

    def next_change(self) -> float | None:
        return self.state.next_change()

    def furnish(self, run: Path) -> None:
        """Write the key files of the service accounts, which clients in the lab read."""
        found = {each.email: (each.project, each.number) for each in self.state.accounts.values()}
        keys.write_all(run, found)


def build(world: Mapping[str, Any], vantages: Sequence[Vantage], ca_pem: bytes) -> Cloud:
    """The cloud of a world that `check` found no problem in; Google shows neither vantages nor CA to anyone."""
    return Gcp(load(world))


def check(world: Mapping[str, Any]) -> list[str]:
    """The problems in the world's `gcp` section, each with its path; see worlds/gcp.md."""
    return world_schema.problems(world)


def environments(world: Mapping[str, Any], run: Path) -> dict[str, dict[str, str]]:
    """For each vantage that has an account: where Google's clients find its key file."""
    known = accounts(world)
    return {
        vantage: {"GOOGLE_APPLICATION_CREDENTIALS": str(keys.path_of(run, email))}
        for vantage, email in world["gcp"].get("credentials", {}).items()
        if email in known
    }
