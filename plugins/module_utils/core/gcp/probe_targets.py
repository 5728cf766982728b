# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From Vertex AI's host names and an endpoint's addresses to what a probe needs: one target per host."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..contracts import ProbeTarget
from .names import is_vertex, region_of


def probe_targets(
    target: str, project: str, hosts: Iterable[str], addresses: Iterable[str]
) -> list[ProbeTarget]:
    """One probe target for each host, ordered by name.

    target: the inventory's name. project: whose models are listed. addresses: of all endpoints that the target's
    networks have; each network resolves to its own.
    """
    known = sorted(set(addresses))
    return [
        ProbeTarget(
            host=host,
            addresses=known,
            cloud="gcp",
            target=target,
            service=host.split(".")[0] if not is_vertex(host) else "aiplatform",
            # What manages Vertex AI and what runs on it share these hosts; the data is what has to stay private.
            plane="runtime",
            probe_action=_action(project, host),
        )
        for host in sorted(set(hosts))
    ]


def _action(project: str, host: str) -> dict[str, Any] | None:
    """A cheap read. Without a token Google asks for one, which shows that the way leads there."""
    if not is_vertex(host):
        return None
    place = region_of(host) or "global"
    return {
        "name": "aiplatform.endpoints.list",
        "method": "GET",
        "path": f"/v1/projects/{project}/locations/{place}/endpoints?pageSize=1",
        "auth": None,
    }
