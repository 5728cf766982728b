# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From findings to one answer: is the expectation met, what fails the run, and is there a proof."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from .checklist import worst
from .checks import Judged
from .contracts import Finding, Severity

Expect = Literal["private", "blocked", "open"]
FAIL_ON = ("critical", "high", "medium", "low", "never")
_SEVERITIES: tuple[Severity, ...] = ("critical", "high", "medium", "low")


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """met: everything that the expectation needs was seen to hold. unmet: what it needs and does not have.

    failing: what `fail_on` counts against the run, besides the expectation.
    signed: what somebody signed for. It does not fail the run, and makes nothing hold: there is no proof with it.
    """

    met: bool
    needed: tuple[Finding, ...]
    unmet: tuple[Finding, ...]
    failing: tuple[Finding, ...]
    signed: tuple[Finding, ...] = ()

    @property
    def failed(self) -> bool:
        """Whether the run fails."""
        return not self.needed or bool(self.counting)

    @property
    def counting(self) -> tuple[Finding, ...]:
        """What fails the run: what the expectation lacks and nobody signed for, and what `fail_on` counts."""
        return (*(item for item in self.unmet if item not in self.signed), *self.failing)

    def refusal(self) -> str | None:
        """Why there is no proof; None when everything needed passed."""
        if self.met:
            return None
        if not self.needed:
            return "nothing was looked at that could prove it"
        return "; ".join(sentence(item) for item in self.unmet)


def judge(
    judged: Sequence[Judged],
    *,
    expect: str,
    fail_on: str,
    accepted: Callable[[Finding], bool] = lambda _finding: False,
) -> Verdict:
    """Decide. `expect` is pinned, private, blocked or open; `accepted` says what somebody signed for.

    A finding about the lock fails no run that does not expect the lock yet.
    """
    signed = [item.finding for item in judged if accepted(item.finding)]
    needed = [item.finding for item in judged if expect in item.proves]
    unmet = [item for item in needed if item.status != "pass"]
    failing = [
        item.finding
        for item in judged
        if item.finding.status == "fail"
        and item.finding not in unmet
        and item.finding not in signed
        and _counts(item.finding.severity, fail_on)
        and (expect == "blocked" or not item.of_lock)
    ]
    return Verdict(
        met=bool(needed) and not unmet,
        needed=tuple(needed),
        unmet=tuple(unmet),
        failing=tuple(failing),
        signed=tuple(signed),
    )


def summary(findings: Sequence[Finding], verdict: Verdict) -> dict[str, Any]:
    """Counts for people and reports."""
    by_status = Counter(item.status for item in findings)
    failed = Counter(item.severity for item in findings if item.status == "fail")
    return {
        "verdict": "fail" if verdict.failed else "pass",
        "expectation_met": verdict.met,
        "worst": worst([item.status for item in findings]),
        "findings": len(findings),
        "by_status": {
            name: by_status.get(name, 0) for name in ("pass", "fail", "warn", "unknown", "skipped")
        },
        "accepted": len(verdict.signed),
        "failed_by_severity": {name: failed.get(name, 0) for name in _SEVERITIES},
    }


def sentence(finding: Finding) -> str:
    """A finding in one line."""
    place = f" from {finding.vantage}" if finding.vantage else ""
    return f"{finding.check} {finding.status}: {finding.resource}{place} of {finding.target}: {finding.observed}"


def _counts(severity: Severity, fail_on: str) -> bool:
    return fail_on != "never" and _SEVERITIES.index(severity) <= _SEVERITIES.index(fail_on)
