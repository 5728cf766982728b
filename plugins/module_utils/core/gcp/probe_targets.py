# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From Vertex AI's host names and an endpoint's addresses to what a probe needs: one target per host."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..contracts import ProbeTarget
from .answers import addresses_of, networks
from .names import is_vertex, region_of


def probe_targets(
    target: str,
    project: str,
    hosts: Iterable[str],
    endpoints: Mapping[str, Iterable[str]],
) -> list[ProbeTarget]:
    """One probe target for each host, ordered by name.

    target: the inventory's name. project: whose endpoints are listed. endpoints: path of each network → the addresses
    of the endpoints that it has; another network's cannot be reached from there, not even over a peering.
    """
    places = {network: sorted(set(addresses)) for network, addresses in endpoints.items()}
    known = sorted({address for addresses in places.values() for address in addresses})
    return [
        ProbeTarget(
            host=host,
            addresses=list(known),
            networks={network: list(places[network]) for network in sorted(places)},
            cloud="gcp",
            target=target,
            service=host.split(".")[0] if not is_vertex(host) else "aiplatform",
            # What manages Vertex AI and what runs on it share these hosts; the data is what has to stay private.
            plane="runtime",
            probe_action=_action(project, host),
        )
        for host in sorted(set(hosts))
    ]


def of_evidence(evidence: Mapping[str, Any]) -> list[ProbeTarget]:
    """The probe targets of a project as its evidence shows it, which needs the part `endpoints`.

    Every network that was read is named, also one without an endpoint: no address is right there. Where one endpoint
    replaces another, both are, for as long as both stand.
    """
    endpoints = {path: addresses_of(evidence, path) for path in networks(evidence)}
    return probe_targets(
        str(evidence["target"]), str(evidence["project"]["id"]), evidence["hosts"], endpoints
    )


def _action(project: str, host: str) -> dict[str, Any] | None:
    """A cheap read, with a token: without one Google asks for it, and tells nothing about networks."""
    if not is_vertex(host):
        return None
    place = region_of(host) or "global"
    return {
        "name": "aiplatform.endpoints.list",
        "method": "GET",
        "path": f"/v1/projects/{project}/locations/{place}/endpoints?pageSize=1",
        "auth": "bearer",
    }
