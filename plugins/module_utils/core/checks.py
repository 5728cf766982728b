# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a check is: its words, and a function of one target's case that judges.

A check that yields nothing has had nothing to look at. That is `unknown`, decided here and not in each check, so that
no check can pass by absence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from .case import Case
from .contracts import Finding, Severity, Status


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """One judgement of a check, before it gets the check's words.

    proves: the expectations (`pinned`, `private`, `blocked`, `open`) that hang on this judgement passing.
    checklist: other points of the checklist than the check's own; None keeps the check's.
    excused: reported, but counted neither in the checklist nor as a misconfiguration: the same was known another way.
    severity, fix: instead of the check's own; None keeps the check's.
    """

    status: Status
    resource: str
    expected: str
    observed: str
    vantage: str | None = None
    severity: Severity | None = None
    fix: str | None = None
    excused: bool = False
    checklist: tuple[str, ...] | None = None
    proves: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Check:
    """One entry of the catalogue of checks.

    needs: the evidence that it judges, for people.
    of_lock: it speaks of the lock, and so says nothing against a target that is not to be locked yet.
    only_for: the expectation that alone asks for it; None is every ordinary validation.
    """

    id: str
    cloud: str
    title: str
    severity: Severity
    why: str
    fix: str
    needs: str
    judge: Callable[[Case], Iterable[Judgement]]
    references: tuple[str, ...] = ()
    misconfiguration: str | None = None
    checklist: tuple[str, ...] = ()
    of_lock: bool = False
    only_for: str | None = None


@dataclass(frozen=True)
class Judged:
    """A finding, with the expectations that hang on it and whether it speaks of the lock."""

    finding: Finding
    proves: frozenset[str] = frozenset()
    of_lock: bool = False


def run_check(check: Check, case: Case) -> list[Judged]:
    """Every judgement of one check on one target, as findings."""
    judgements = list(check.judge(case)) or [
        Judgement(
            status="unknown",
            resource=case.target,
            expected=check.title,
            observed=f"there was nothing to look at; it needs {check.needs}",
        )
    ]
    return [Judged(_finding(check, case, item), item.proves, check.of_lock) for item in judgements]


def _finding(check: Check, case: Case, item: Judgement) -> Finding:
    points = check.checklist if item.checklist is None else item.checklist
    return Finding(
        check=check.id,
        title=check.title,
        status=item.status,
        severity=item.severity or check.severity,
        cloud=check.cloud,
        target=case.target,
        resource=item.resource,
        vantage=item.vantage,
        expected=item.expected,
        observed=item.observed,
        why=check.why,
        fix=item.fix or check.fix,
        checklist=[] if item.excused else list(points),
        misconfiguration=None if item.excused else check.misconfiguration,
        references=list(check.references),
    )
