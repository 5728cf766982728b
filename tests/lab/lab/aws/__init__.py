# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Amazon Web Services, as far as this lab needs them: see `lab.cloud.Cloud` for the seam."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from ..cloud import Call, Cloud, DnsAnswer, Request, Response, Vantage
from . import (
    accessanalyzer,
    cloudtrail,
    ec2_endpoints,
    ec2_groups,
    ec2_links,
    ec2_network,
    ec2_places,
    ec2_services,
    ec2_tables,
    names,
    organization_tree,
    organizations,
    packets,
    route53,
    sts,
    world_schema,
)
from .control import ControlPlane
from .dataplane import DataPlane
from .state import State
from .world import load

# Imported for the operations that they register.
HANDLERS = (
    accessanalyzer,
    cloudtrail,
    ec2_endpoints,
    ec2_groups,
    ec2_links,
    ec2_network,
    ec2_places,
    ec2_services,
    ec2_tables,
    organization_tree,
    organizations,
    route53,
    sts,
)


class Aws:
    """The AWS cloud: control planes and data planes over one state."""

    name = "aws"

    def __init__(self, state: State) -> None:
        self.state = state
        self._control = ControlPlane(state)
        self._data = DataPlane(state)

    def serves(self, host: str) -> bool:
        return self._control.serves(host) or self._data.serves(host)

    def parse(self, request: Request) -> Call:
        plane = self._control if self._control.serves(request.host) else self._data
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
        return packets.next_change(self.state)


def build(world: Mapping[str, Any], vantages: Sequence[Vantage], ca_pem: bytes) -> Cloud:
    """The cloud of a world that `check` found no problem in; ca_pem is unused: AWS shows no CA to anyone."""
    return Aws(load(world, vantages))


def check(world: Mapping[str, Any]) -> list[str]:
    """The problems in the world's `aws` section, each with its path; see worlds/aws.md."""
    return world_schema.problems(world)
