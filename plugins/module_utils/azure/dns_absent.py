# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read what is to be taken away: the zones that an endpoint's names are in, also when the endpoint is gone already."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..core.azure.arm_id import key
from ..core.azure.plan_dns_types import View, Zone
from . import dns_read, dns_search
from .dns_places import Places
from .dns_read import Reading


def read_absent(places: Places, params: Mapping[str, Any]) -> Reading:
    """Everything that concerns the endpoint; its names are the account's when there is no endpoint any more."""
    reading = dns_read.read(places, params, predict=True)
    reading = dns_search.search(places, params, reading)
    view = reading.view
    return replace(reading, problems=(), view=replace(view, zones=concerned(view)))


def concerned(view: View) -> tuple[Zone, ...]:
    """The zones of the zone group, of the home, and those that one of the networks is linked to."""
    group = view.endpoint.group
    grouped = {key(item.zone_id) for item in (group.configs if group else ())}
    return tuple(
        zone
        for zone in view.zones
        if key(zone.id) in grouped
        or key(zone.id) == key(view.home.zone_id(zone.name))
        or any(zone.link_to(network.id) for network in view.networks)
    )
