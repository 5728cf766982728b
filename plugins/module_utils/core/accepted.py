# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Risks that somebody signed for: which findings they cover, and until when.

An acceptance lets a run pass although the finding is there. It never makes a finding pass, and never makes a proof:
what a lock hangs on has to be seen, whoever signed. It names one check and one resource, has a reason and a date,
and counts for nothing once the date is over.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from .errors import EndpointError
from .proof import parse_timestamp, timestamp

_KEYS = ("check", "resource", "reason", "until", "target", "vantage", "status")
# From what is least to what is worst.
_OPEN = ("warn", "unknown", "fail")
_DATE = len("2026-12-31")


@dataclass(frozen=True, kw_only=True)
class Acceptance:
    """One accepted risk.

    until: the first moment at which it no longer counts. A date counts to its end, in UTC.
    target, vantage: narrow it down; None covers every one. status: the worst that was signed for: who accepts that
    something is not known has not accepted that it is wrong.
    """

    check: str
    resource: str
    reason: str
    until: datetime
    target: str | None = None
    vantage: str | None = None
    status: str = "unknown"

    def names(self, finding: Mapping[str, Any]) -> bool:
        """Whether it speaks of this finding, be it expired or not."""
        return (
            finding.get("status") in _OPEN[: _OPEN.index(self.status) + 1]
            and finding.get("check") == self.check
            and str(finding.get("resource")) == self.resource
            and self.target in (None, finding.get("target"))
            and self.vantage in (None, finding.get("vantage"))
        )

    def holds(self, now: datetime) -> bool:
        """Whether it has not expired."""
        return now < self.until


def read(documents: Iterable[Mapping[str, Any]]) -> list[Acceptance]:
    """`accepted` as it was written; EndpointError names the entry and what it lacks."""
    return [_acceptance(item, f"accepted[{index}]") for index, item in enumerate(documents)]


def covering(
    finding: Mapping[str, Any], accepted: Sequence[Acceptance], now: datetime
) -> Acceptance | None:
    """The acceptance under which a finding does not count now; None when it counts."""
    found = [item for item in accepted if item.names(finding) and item.holds(now)]
    return max(found, key=lambda item: item.until, default=None)


def register(
    findings: Sequence[Mapping[str, Any]], accepted: Sequence[Acceptance], now: datetime
) -> list[dict[str, Any]]:
    """Every acceptance: `{check, resource, target, vantage, reason, until, state, findings}`.

    state: `active`; `expired`, whose findings count again; or `unused`, which names nothing that is open and can go.
    findings: how many open findings it names.
    """
    listed = []
    for item in accepted:
        named = sum(item.names(finding) for finding in findings)
        state = "unused" if not named else "active" if item.holds(now) else "expired"
        listed.append(
            {
                "check": item.check,
                "resource": item.resource,
                "target": item.target,
                "vantage": item.vantage,
                "reason": item.reason,
                "until": timestamp(item.until),
                "state": state,
                "findings": named,
            }
        )
    return listed


def _acceptance(item: Mapping[str, Any], where: str) -> Acceptance:
    given = {key: value for key, value in item.items() if value not in (None, "")}
    unknown = sorted(set(given) - set(_KEYS))
    if unknown:
        raise EndpointError(
            f"unknown keys {', '.join(unknown)}", resource=where, fix="Use " + ", ".join(_KEYS)
        )
    lacking = [key for key in _KEYS[:4] if not str(given.get(key, "")).strip()]
    if lacking:
        raise EndpointError(
            f"lacks {', '.join(lacking)}",
            resource=where,
            fix="Say which check and resource, why somebody accepts it, and until when",
        )
    return Acceptance(
        check=str(given["check"]),
        resource=str(given["resource"]),
        reason=str(given["reason"]).strip(),
        until=_until(str(given["until"]).strip(), where),
        target=str(given["target"]) if "target" in given else None,
        vantage=str(given["vantage"]) if "vantage" in given else None,
        status=_status(str(given.get("status", "unknown")), where),
    )


def _status(text: str, where: str) -> str:
    if text not in _OPEN:
        raise EndpointError(
            f"{text!r} is no status that can be accepted",
            resource=where,
            fix="Use " + ", ".join(_OPEN),
        )
    return text


def _until(text: str, where: str) -> datetime:
    try:
        if len(text) == _DATE:
            return parse_timestamp(text + "T00:00:00Z") + timedelta(days=1)
        return parse_timestamp(text)
    except (ValueError, OverflowError) as error:
        raise EndpointError(
            f"until cannot be read: {error}",
            resource=where,
            fix="Write it as 2026-12-31 or 2026-12-31T12:00:00Z",
        ) from error
