# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Validation as a whole: cases from what was passed in, every check, the verdict, and a proof where there is one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from . import accepted as risks
from . import drift as drifts
from . import intake, matrix, registry
from .case import Case
from .checklist import checklist, misconfigurations
from .checks import run_check
from .contracts import Finding, Scope
from .errors import EndpointError
from .proof import make_proof
from .table import plain, table
from .verdict import Verdict, judge, sentence, summary

_SHOWN = 12
_STATUSES = {"fail": 0, "unknown": 1, "warn": 2}
_SEVERITIES = {"critical": 0, "high": 1, "medium": 2, "low": 3}


@dataclass(frozen=True, kw_only=True)
class Request:
    """Everything that is judged, as plain JSON, and what is expected of it.

    expect: private, blocked or open. pinned: judge pinned observations instead of names. now: for the proof's times,
    and for the dates of what was accepted. baseline: findings of an earlier run. accepted: risks that somebody signed
    for.
    """

    probe_targets: Sequence[Mapping[str, Any]] = ()
    observations: Sequence[Mapping[str, Any]] = ()
    evidence: Sequence[Mapping[str, Any]] = ()
    vantages: Sequence[Mapping[str, Any]] = ()
    expect: str = "blocked"
    pinned: bool = False
    checks: Sequence[str] = ()
    fail_on: str = "high"
    scope: Mapping[str, Any] | None = None
    roll_out: str = "enforced"
    lock: Mapping[str, Any] | None = None
    proof_ttl: int = 3600
    application_cidrs: Sequence[str] = ()
    application_subnets: Sequence[str] = ()
    baseline: Mapping[str, Any] | None = None
    accepted: Sequence[Mapping[str, Any]] = ()
    now: datetime


class Refused(EndpointError):
    """The expectation is not met, or a finding counts against the run; carries the whole result."""

    def __init__(self, what: str, result: Mapping[str, Any], problems: tuple[str, ...]) -> None:
        self.result = result
        super().__init__(what, problems=problems)

    def as_result(self) -> dict[str, Any]:
        """The whole result, and the error beside it."""
        return {**self.result, **super().as_result()}


def validate(request: Request) -> dict[str, Any]:
    """The module's result; Refused when the run fails, EndpointError for input that cannot be read."""
    cases = cases_of(request)
    signed = risks.read(request.accepted)
    expectation = "pinned" if request.pinned else request.expect
    judged = [
        item
        for case in cases
        for check in registry.select(case.cloud, list(request.checks), expectation)
        for item in run_check(check, case)
    ]
    findings = [item.finding for item in judged]
    verdict = judge(
        judged,
        expect=expectation,
        fail_on=request.fail_on,
        accepted=lambda item: risks.covering(item.to_json(), signed, request.now) is not None,
    )
    plain_findings = [item.to_json() for item in findings]
    found = drifts.drift(plain_findings, request.baseline)
    rows = matrix.matrix(cases, pinned=request.pinned)
    proof, refused = _proof(request, cases, verdict)
    result = {
        "changed": False,
        "findings": plain_findings,
        "summary": {"expect": expectation, **summary(findings, verdict)},
        "checklist": checklist(findings),
        "misconfigurations": misconfigurations(findings),
        "matrix": rows,
        "accepted": risks.register(plain_findings, signed, request.now),
        "drift": found,
        "text": text(rows, findings, verdict, found),
        "proof": proof,
        "proof_refused": refused,
    }
    if verdict.failed:
        raise Refused(_headline(expectation, verdict), result, _problems(verdict))
    return result


def cases_of(request: Request) -> list[Case]:
    """One case per target that anything was passed in about; EndpointError when there is none."""
    evidence = intake.evidence(request.evidence)
    seen = intake.observations(request.observations)
    targets = intake.probe_targets(request.probe_targets)
    named = [(str(item["cloud"]), str(item["target"])) for item in (*evidence, *seen)]
    named += [(item.cloud, item.target) for item in targets]
    if not named:
        raise EndpointError(
            "there is nothing to judge",
            resource="evidence",
            fix="Pass evidence, probe_targets or observations",
        )
    _one_name(evidence, {name for _unused, name in named})
    cidrs = intake.cidrs(request.application_cidrs, "application_cidrs")
    return [
        Case(
            cloud=cloud,
            target=target,
            evidence=next((item for item in evidence if item["target"] == target), None),
            others=[item for item in evidence if item["target"] != target],
            probe_targets=[item for item in targets if item.target == target],
            observations=(own := [item for item in seen if item["target"] == target]),
            vantages=intake.vantages(request.vantages, target, own),
            roll_out=request.roll_out,
            lock=request.lock,
            application_cidrs=cidrs,
            application_subnets=list(request.application_subnets),
        )
        for cloud, target in sorted(set(named))
    ]


def _one_name(evidence: Sequence[Mapping[str, Any]], names: set[str]) -> None:
    """A module that got no target_name calls a target by an id of its own; two names would be two targets."""
    for item in evidence:
        for part in ("vpc", "network", "account"):
            known = (item.get(part) or {}).get("id")
            if known in names and known != item["target"]:
                raise EndpointError(
                    f"the evidence calls this target {item['target']}, "
                    f"and probe targets or observations call it {known}",
                    resource="target_name",
                    fix="Give every module the same target_name",
                )


def _proof(
    request: Request, cases: Sequence[Case], verdict: Verdict
) -> tuple[dict[str, Any] | None, str | None]:
    """A proof, or None and why there is none."""
    if request.expect == "open" and not request.pinned:
        return None, "an open path is not something that a lock needs a proof of"
    reason = verdict.refusal()
    uncovered = [
        case.target for case in cases if not any(x.target == case.target for x in verdict.needed)
    ]
    if reason is None and uncovered:
        reason = "nothing was proved of " + ", ".join(uncovered)
    if reason is None and not any(item.vantage for item in verdict.needed):
        reason = "no vantage took part: what holds by configuration alone is no proof"
    if reason:
        return None, reason
    lacking = [case.target for case in cases if case.evidence is None]
    if lacking:
        return None, "there is no evidence of the configuration of " + ", ".join(lacking)
    try:
        hashes = {
            case.target: registry.cloud(case.cloud).config_hash(case.evidence or {})
            for case in cases
        }
    except EndpointError as error:
        return None, error.message
    proof = make_proof(
        scope=_scope(request, cases),
        config_hashes=hashes,
        findings=verdict.needed,
        vantages=[item.vantage for item in verdict.needed if item.vantage],
        principals=[
            str(item["principal"])
            for case in cases
            for item in case.observations
            if item["principal"]
        ],
        roll_out=request.roll_out,
        now=request.now,
        ttl=request.proof_ttl,
    )
    return proof.to_json(), None


def _scope(request: Request, cases: Sequence[Case]) -> Scope:
    given = dict(request.scope or {})
    targets = sorted(case.target for case in cases)
    regions = sorted({str((case.evidence or {}).get("region", "")) for case in cases} - {""})
    given = {key: value for key, value in given.items() if value is not None}
    return Scope.from_json(
        {
            "cloud": cases[0].cloud,
            "id": ",".join(targets),
            "regions": regions,
            "members": targets,
            **given,
        }
    )


def text(
    rows: Sequence[dict[str, Any]],
    findings: Sequence[Finding],
    verdict: Verdict,
    drift: Mapping[str, Any] | None = None,
) -> str:
    """For a terminal: the matrix, what is not right, what changed, and the verdict; no control characters."""
    parts = [matrix.text(rows)] if rows else []
    listed = sorted(
        (item for item in findings if item.status in _STATUSES),
        key=lambda item: (_STATUSES[item.status], _SEVERITIES[item.severity], item.check),
    )
    if listed:
        parts.append(
            table(
                ("status", "severity", "check", "resource", "vantage", "observed"),
                [
                    (
                        "accepted" if item in verdict.signed else item.status,
                        item.severity,
                        item.misconfiguration or ",".join(item.checklist) or item.check,
                        item.resource,
                        item.vantage or "-",
                        item.observed,
                    )
                    for item in listed
                ],
            )
        )
    if drift:
        parts.append(f"since the baseline: {drifts.sentence(drift)}")
    passed = sum(item.status == "pass" for item in findings)
    parts.append(
        f"{'FAIL' if verdict.failed else 'PASS'}: {passed} of {len(findings)} findings passed"
    )
    return "\n\n".join(parts)


def _headline(expectation: str, verdict: Verdict) -> str:
    if verdict.needed and len(verdict.counting) == len(verdict.failing):
        return f"{len(verdict.failing)} findings count against this run (fail_on)"
    return f"the expectation {expectation} is not met"


def _problems(verdict: Verdict) -> tuple[str, ...]:
    if not verdict.needed:
        return ("nothing was looked at that could prove it",)
    listed: list[str] = []
    for item in verdict.counting:
        # The fix must not be what gets cut off.
        listed.append(f"{plain(sentence(item), longest=400)}. {plain(item.fix, longest=400)}")
    listed = list(dict.fromkeys(listed))
    more = len(listed) - _SHOWN
    return (*listed[:_SHOWN], *([f"and {more} more in findings"] if more > 0 else []))
