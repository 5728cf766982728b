# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a scope may be locked: its members as they stand now, and the proof that was made of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from ..core.aws.binding import binding, lock_from
from ..core.aws.catalogue import lookup
from ..core.aws.configuration import NEEDED, config_hash
from ..core.aws.plan_lockdown import scope_id
from ..core.contracts import KNOWN_AFTER_APPLY, Scope
from ..core.errors import EndpointError
from ..core.proof import check_proof
from .client import gather
from .observe import observe
from .organization import Organization


@dataclass(frozen=True, kw_only=True)
class Members:
    """What stands now, by the targets' names."""

    evidence: Mapping[str, Mapping[str, Any]]

    @property
    def accounts(self) -> dict[str, str]:
        """Target → account."""
        return {name: str(item["account_id"]) for name, item in self.evidence.items()}


def read(params: Mapping[str, Any]) -> Members:
    """Observe all members at once, each with its own account's credentials."""
    calls = {
        str(member["target"]): partial(
            observe,
            _credentials(params, member),
            vpc_id=member["vpc_id"],
            target=member["target"],
            gather=NEEDED,
        )
        for member in params["members"]
    }
    return Members(evidence=gather(calls))


def _credentials(params: Mapping[str, Any], member: Mapping[str, Any]) -> dict[str, Any]:
    """The base credentials with the member's role: the module's own role is the organisation's."""
    return {
        **params,
        "region": member.get("region") or params.get("region"),
        "assume_role_arn": member.get("assume_role_arn"),
        "assume_role_external_id": member.get("assume_role_external_id"),
    }


def unread(members: Members, *, require_proof: bool) -> list[str]:
    """What may not be read of members: their endpoints, and with a proof all that it hangs on."""
    parts = NEEDED if require_proof else ("endpoints",)
    return [
        f"members: {name} could not be read: {item['message']}. Allow {item['action']} to the member's role: "
        "permissions/aws/lockdown-vpc.json has all that it needs"
        for name, evidence in sorted(members.evidence.items())
        for item in evidence["missing"]
        if item["part"] in parts
    ]


def endpoint_problems(members: Members, endpoint_ids: Sequence[str]) -> list[str]:
    """Endpoints that the lock would admit and that are not there: their callers would be locked out."""
    states = {
        str(endpoint["id"]): str(endpoint["state"]).lower()
        for evidence in members.evidence.values()
        for endpoint in evidence["endpoints"]
    }
    return [
        f"vpc_endpoint_ids: {item} "
        + (f"is {states[item]}, not available" if item in states else "is in no VPC of the members")
        for item in sorted(endpoint_ids)
        if item != KNOWN_AFTER_APPLY and states.get(item) != "available"
    ]


def unserved(members: Members, prefixes: Sequence[str]) -> list[str]:
    """Services that the lock denies on every path, since no endpoint of the members serves them."""
    served = {
        service.iam_prefix
        for evidence in members.evidence.values()
        for endpoint in evidence["endpoints"]
        if (service := lookup(str(endpoint["service"]), str(evidence["region"])))
    }
    return [
        f"action_prefixes: no endpoint of the members serves {prefix}, and the lock denies {prefix}:* on every other "
        "path. CloudTrail's event history has no calls like InvokeEndpoint, InvokeAgent or Retrieve, so no preview "
        "shows who makes them. Make endpoints for it, or take it out of action_prefixes"
        for prefix in sorted(set(prefixes) - served)
    ]


def target_problems(
    members: Members, targets: Sequence[str], organization: Organization, management: str
) -> list[str]:
    """Members that a lock at these targets would not bind."""
    found = []
    for name, account in members.accounts.items():
        if account == management:
            found.append(
                f"members: {name} is in the management account {account}, which no service control policy binds. "
                "Move its workload to another account"
            )
        elif account not in targets and not set(organization.parents(account)) & set(targets):
            found.append(
                f"members: {name} is in account {account}, which is not under {', '.join(sorted(targets))}. "
                "Name its account, or a unit above it, in targets"
            )
    return found


def unproved_accounts(
    members: Members,
    targets: Sequence[str],
    organization: Organization,
    answered_for: Sequence[str],
    management: str,
) -> list[str]:
    """Accounts that a lock at these targets binds and no member is in: nobody has looked at their callers."""
    known = {*members.accounts.values(), *answered_for, management}
    found = gather({target: partial(organization.accounts_under, target) for target in targets})
    return [
        f"targets: {target} has account {account} ({name}) under it, and no member is in that account: nobody has "
        "looked at its callers, and the lock would bind them. Add a target of that account, name the members' "
        "accounts in targets instead, or name it in accounts_without_members"
        for target, accounts in sorted(found.items())
        for account, name in sorted(accounts.items())
        if account not in known
    ]


def check(
    params: Mapping[str, Any], members: Members | None, binds: Mapping[str, Any], now: datetime
) -> None:
    """EndpointError with every reason why the proof does not allow this lock."""
    if params["proof"] is None or members is None:
        raise EndpointError(
            "the lock needs a proof that every member is reached privately, and there is none",
            resource="proof",
            fix="Pass the proof of private_endpoint_validate, or set require_proof to false to lock without one",
        )
    scope = Scope(
        cloud="aws",
        id=scope_id(params["targets"]),
        regions=sorted({str(item["region"]) for item in members.evidence.values()}),
        members=sorted(members.evidence),
    )
    hashes = {name: config_hash(evidence) for name, evidence in members.evidence.items()}
    proof = check_proof(
        params["proof"],
        scope=scope,
        config_hashes=hashes,
        roll_out=params["roll_out"],
        now=now,
    )
    lock = lock_from(binds)
    found = [binding(principal, None, lock) for principal in proof.principals]
    if found and all(item.status == "exempt" for item in found):
        raise EndpointError(
            "the proof is refused: the lock binds none of the principals that it was made with: "
            + "; ".join(item.reason for item in found),
            resource=scope.id,
            fix="Probe with the credentials of the application",
        )
