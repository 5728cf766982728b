# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a perimeter may be enforced: its members as they stand now, and the proof that was made of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any

from ..core.contracts import Scope
from ..core.errors import EndpointError
from ..core.gcp.configuration import NEEDED, config_hash
from ..core.proof import check_proof
from .client import Connection, gather


def read(
    connection: Connection, params: Mapping[str, Any], perimeter: str
) -> dict[str, dict[str, Any]]:
    """Observe all members at once: target → evidence."""
    from .observe import read as observe

    calls = {
        str(member["target"]): partial(
            observe, connection, options(member, perimeter, connection.project), NEEDED
        )
        for member in params["members"]
    }
    return gather(calls)


def options(member: Mapping[str, Any], perimeter: str, project: str | None) -> dict[str, Any]:
    """A member as the options of vertex_psc_endpoint_info."""
    return {
        "project": member.get("project") or project,
        "network": member["network"],
        "spoke_networks": list(member.get("spoke_networks") or ()),
        "regions": list(member.get("regions") or ()),
        "extra_hosts": list(member.get("extra_hosts") or ()),
        "zone_project": member.get("zone_project"),
        "access_policy": perimeter.rpartition("/servicePerimeters/")[0],
        "target_name": member["target"],
    }


def check(
    params: Mapping[str, Any],
    perimeter: str,
    evidence: Mapping[str, Mapping[str, Any]],
    now: datetime,
) -> None:
    """EndpointError with every reason why the proof does not allow this lock."""
    check_proof(
        params["proof"],
        scope=Scope(
            cloud="gcp",
            id=perimeter,
            regions=sorted({region for item in evidence.values() for region in item["regions"]}),
            members=sorted(evidence),
        ),
        config_hashes={name: config_hash(item) for name, item in evidence.items()},
        roll_out=params["roll_out"],
        now=now,
    )


def present(params: Mapping[str, Any]) -> None:
    """EndpointError when there is no proof at all."""
    if params["proof"] is None:
        raise EndpointError(
            "the lock needs a proof that every member is reached privately, and there is none",
            resource="proof",
            fix="Pass the proof of private_endpoint_validate, or set require_proof to false to lock without one",
        )
