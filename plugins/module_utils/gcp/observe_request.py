# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is asked for of the evidence, checked, and as paths."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from ..core.errors import EndpointError
from ..core.gcp.names import host_names, network_path
from ..core.window import window
from .client import Connection

# A bucket can be told to keep its entries for ten years.
_LONGEST = timedelta(days=3650)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Networks by their paths, hosts by their names. start, end, most: of the log entries.

    zone_project: one more project whose zones are looked at; None when there is no such one.
    """

    project: str
    network: str
    spokes: tuple[str, ...]
    regions: tuple[str, ...]
    hosts: tuple[str, ...]
    access_policy: str | None
    zone_project: str | None
    target: str
    parts: frozenset[str]
    start: datetime
    end: datetime
    most: int

    @property
    def networks(self) -> tuple[str, ...]:
        return (self.network, *self.spokes)


def asked(connection: Connection, options: Mapping[str, Any], parts: Sequence[str]) -> Asked:
    """Read the options of `observe.read`. EndpointError for one that does not fit."""
    project = options.get("project") or connection.own_project()
    network = network_path(options["network"], project)
    spokes = (network_path(item, project) for item in options.get("spoke_networks") or ())
    regions = tuple(options.get("regions") or ())
    days, most = options.get("traffic_days"), options.get("traffic_max_entries")
    if most is not None and most < 1:
        raise EndpointError(f"{most} is no number of entries", resource="traffic_max_entries")
    start, end = datetime.now(timezone.utc), datetime.now(timezone.utc)
    if "traffic" in parts:
        start, end = window(
            7 if days is None else days,
            options.get("traffic_start"),
            longest=_LONGEST,
            kept="Google keeps log entries for at most 3650 days",
        )
    policy = options.get("access_policy")
    return Asked(
        project=project,
        network=network,
        spokes=tuple(dict.fromkeys(item for item in spokes if item != network)),
        regions=regions,
        hosts=tuple(host_names(regions, options.get("extra_hosts") or ())),
        access_policy=f"accessPolicies/{str(policy).rpartition('/')[2]}" if policy else None,
        zone_project=options.get("zone_project") or None,
        target=options.get("target_name") or project,
        parts=frozenset(parts),
        start=start,
        end=end,
        most=10000 if most is None else int(most),
    )
