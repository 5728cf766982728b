# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A proof: findings bound to the configuration that they were made of, for a while.

Whoever locks a scope recomputes the digests from what stands now: a proof of another configuration, of another scope,
of another roll-out, or an old one, is refused with the reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

from .contracts import Finding, Proof, Scope
from .errors import EndpointError

# How far the clocks of two controllers may differ.
SKEW = timedelta(minutes=5)

# A proof that names resolve privately has this point of the checklist; a pinned proof does not, and locks nothing.
BY_NAME = "C1"

_AGAIN = "Run playbooks/verify.yml (or private_endpoint_validate) again and pass the new proof"


def timestamp(moment: datetime) -> str:
    """UTC, ISO 8601, seconds, trailing Z."""
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_timestamp(text: str) -> datetime:
    """Read what `timestamp` wrote; also accepts fractions and an explicit offset. ValueError for anything else."""
    moment = datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
    if moment.tzinfo is None:
        raise ValueError(f"no time zone in {text!r}")
    return moment.astimezone(timezone.utc)


def make_proof(
    *,
    scope: Scope,
    config_hashes: Mapping[str, str],
    findings: Sequence[Finding],
    vantages: Iterable[str],
    principals: Iterable[str],
    roll_out: str,
    now: datetime,
    ttl: int,
) -> Proof:
    """Bind findings to the configuration (target → digest) that they were made of, for `ttl` seconds.

    findings: those that the expectation needed; what it did not ask for (the lock, before there is one) is left out.

    EndpointError when there is nothing to prove with: no target, no vantage, no finding.
    """
    for what, values in (
        ("target", list(config_hashes)),
        ("vantage", list(vantages := sorted(set(vantages)))),
        ("finding", list(findings)),
    ):
        if not values:
            raise EndpointError(f"no {what}: there is nothing to prove", resource=scope.id)
    return Proof(
        scope=scope,
        targets=sorted(config_hashes),
        vantages=list(vantages),
        principals=sorted(set(principals)),
        roll_out=roll_out,
        config_hash=dict(config_hashes),
        made_at=timestamp(now),
        expires_at=timestamp(now + timedelta(seconds=ttl)),
        findings=list(findings),
    )


def check_proof(
    proof: Proof | Mapping[str, Any],
    *,
    scope: Scope,
    config_hashes: Mapping[str, str],
    roll_out: str,
    now: datetime,
) -> Proof:
    """The proof, if it allows locking `scope` now; EndpointError with every reason why not.

    config_hashes: target → digest of what stands now, for every member of the scope.
    """
    parsed = proof if isinstance(proof, Proof) else Proof.from_json(dict(proof))
    reasons = [
        *_of_scope(parsed, scope),
        *_of_time(parsed, now),
        *_of_configuration(parsed, scope, config_hashes),
        *_of_findings(parsed, scope),
    ]
    if parsed.roll_out != roll_out:
        reasons.append(f"it was made for roll_out {parsed.roll_out}, the lock asks for {roll_out}")
    if reasons:
        raise EndpointError(
            "the proof is refused: " + "; ".join(reasons), resource=scope.id, fix=_AGAIN
        )
    return parsed


def _of_scope(proof: Proof, scope: Scope) -> list[str]:
    if (proof.scope.cloud, proof.scope.id) != (scope.cloud, scope.id):
        return [
            f"it was made for scope {proof.scope.id} ({proof.scope.cloud}), "
            f"not for {scope.id} ({scope.cloud})"
        ]
    return []


def _of_time(proof: Proof, now: datetime) -> list[str]:
    try:
        made, expires = parse_timestamp(proof.made_at), parse_timestamp(proof.expires_at)
    except (TypeError, ValueError) as error:
        return [f"its times cannot be read ({error})"]
    if made > now + SKEW:
        return [f"it was made in the future ({proof.made_at}): compare the controllers' clocks"]
    if expires <= now:
        return [f"it expired at {proof.expires_at}"]
    return []


def _of_configuration(proof: Proof, scope: Scope, config_hashes: Mapping[str, str]) -> list[str]:
    if not scope.members:
        return ["the scope has no members"]
    reasons = []
    for member in sorted(scope.members):
        if member not in proof.config_hash or member not in proof.targets:
            reasons.append(f"it does not cover {member}")
        elif member not in config_hashes:
            reasons.append(f"the present configuration of {member} was not read")
        elif proof.config_hash[member] != config_hashes[member]:
            reasons.append(f"the configuration of {member} changed after it was made")
    return reasons


def _of_findings(proof: Proof, scope: Scope) -> list[str]:
    reasons = []
    if not proof.vantages:
        reasons.append("no vantage took part in it")
    by_name = {
        item.target
        for item in proof.findings
        if BY_NAME in item.checklist and item.status == "pass"
    }
    reasons += [
        f"no vantage saw the names of {member} resolve to its endpoints"
        for member in sorted(set(scope.members) & set(proof.targets) - by_name)
    ]
    reasons += [
        f"it contains the finding {item.check} of {item.target} with status {item.status}"
        for item in proof.findings
        if item.status in ("fail", "unknown")
    ]
    return reasons
