# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether an account may be locked: its members as they stand now, and the proof that was made of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any

from ..core.azure.configuration import NEEDED, config_hash
from ..core.azure.plan_lockdown import scope_id
from ..core.contracts import Scope
from ..core.errors import EndpointError
from ..core.proof import check_proof
from .client import gather
from .dns_places import Places
from .observe import observe

# Azure has no lock for some of the callers: it binds all of them.
ROLL_OUT = "enforced"


def read(where: Places, params: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Observe all members at once: target → evidence."""
    calls = {
        str(member["target"]): partial(
            observe,
            where.main,
            account_id=params["account_id"],
            network_id=member["network_id"],
            target=member["target"],
            gather=NEEDED,
            places=where,
        )
        for member in params["members"]
    }
    return gather(calls)


def check(
    params: Mapping[str, Any], evidence: Mapping[str, Mapping[str, Any]], now: datetime
) -> None:
    """EndpointError with every reason why the proof does not allow this lock."""
    if params["proof"] is None:
        raise EndpointError(
            "the lock needs a proof that every member is reached privately, and there is none",
            resource="proof",
            fix="Pass the proof of private_endpoint_validate, or set require_proof to false to lock without one",
        )
    scope = Scope(
        cloud="azure",
        id=scope_id(params["account_id"]),
        regions=sorted({str(item["region"]) for item in evidence.values()}),
        members=sorted(evidence),
    )
    check_proof(
        _same_case(params["proof"]),
        scope=scope,
        config_hashes={name: config_hash(item) for name, item in evidence.items()},
        roll_out=ROLL_OUT,
        now=now,
    )


def _same_case(proof: Mapping[str, Any]) -> dict[str, Any]:
    """The proof with its scope's id as `scope_id` writes it: ids of Azure have no case."""
    scope = proof.get("scope")
    if not isinstance(scope, Mapping) or "id" not in scope:
        return dict(proof)
    return {**proof, "scope": {**scope, "id": scope_id(str(scope["id"]))}}
