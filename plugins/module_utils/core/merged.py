# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Several bundles as one run: each is opened and judged again, and what none of them holds is said to be missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from .errors import EndpointError
from .proof import SKEW, parse_timestamp, timestamp
from .rejudge import header_of, rejudged
from .report.runs import judgement


@dataclass(frozen=True, kw_only=True)
class Merged:
    """runs: as the playbooks remember them. judgements: how they compare with what was recorded.

    sources: one for each bundle.
    """

    runs: list[dict[str, Any]]
    judgements: list[dict[str, Any]]
    sources: list[dict[str, Any]]

    @property
    def jobs(self) -> str:
        """What the runs were called."""
        return ", ".join(dict.fromkeys(str(source["job"]) for source in self.sources))

    @property
    def prediction(self) -> bool:
        """Whether any of them was one."""
        return any(source["check_mode"] for source in self.sources)


def merge(
    bundles: Sequence[Mapping[str, Any]],
    expected: Mapping[str, str],
    *,
    now: datetime,
    max_age: timedelta | None = None,
) -> Merged:
    """Put bundles together. expected: target → cloud, in the order of the report; others follow.

    max_age: how long before now a target may have been judged; None for whenever it was.
    The same bundle twice counts once. EndpointError: a bundle that was tampered with, or a target in two of them.
    """
    found: dict[str, dict[str, Any]] = {}
    seals: dict[str, str] = {}
    judgements: list[dict[str, Any]] = []
    sources: list[dict[str, Any]] = []
    for bundle in bundles:
        runs, compared = rejudged(bundle)
        seal = str(bundle["seal"])
        if any(source["seal"] == seal for source in sources):
            # The same one, from a folder and from the job that wrote it there.
            continue
        for run in runs:
            name = str(run["target"])
            if name in found:
                raise EndpointError(
                    f"is in two bundles, {seals[name]} and {seal}",
                    resource=name,
                    fix="Pass the bundles of one run only",
                )
            own = [item for item in compared if item["target"] == name]
            failure = run.get("failure") or _failure(run, own, bundle)
            found[name] = {**run, "failure": failure or _wrong_age(run, bundle, now, max_age)}
            seals[name] = seal
        judgements += compared
        sources.append(_source(bundle, [str(run["target"]) for run in runs]))
    missing = {name: _missing(name, cloud) for name, cloud in expected.items() if name not in found}
    ordered = {name: {**missing, **found}[name] for name in expected}
    return Merged(runs=list({**ordered, **found}.values()), judgements=judgements, sources=sources)


def _source(bundle: Mapping[str, Any], targets: list[str]) -> dict[str, Any]:
    header = header_of(bundle)
    return {
        "seal": bundle["seal"],
        "job": header.get("job"),
        "made_at": header.get("made_at"),
        "who": (header.get("made_by") or {}).get("who"),
        "check_mode": bool(header.get("check_mode")),
        "targets": targets,
    }


def _failure(
    run: Mapping[str, Any], compared: Sequence[Mapping[str, Any]], bundle: Mapping[str, Any]
) -> str | None:
    """Why a target does not hold that its own run let pass: a bundle says what somebody sealed, and no more."""
    judged = judgement(run)
    name, seal = run["target"], bundle["seal"]
    if not judged:
        return f"{name}: bundle {seal} holds no judgement of it, so that nothing is known."
    changed = [text for item in compared if not item["same"] for text in item["differences"]]
    if changed:
        return f"{name}: bundle {seal} is judged differently now: {'; '.join(changed[:3])}"
    # A prediction is shown and decides nothing.
    if judged["summary"]["verdict"] == "fail" and not header_of(bundle).get("check_mode"):
        return f"{name}: {judged.get('msg') or 'its judgement is fail, as recorded'}"
    return None


def _wrong_age(
    run: Mapping[str, Any], bundle: Mapping[str, Any], now: datetime, max_age: timedelta | None
) -> str | None:
    # When it was judged, and not when a bundle was made of that: that may be merged from older ones.
    judged_at = parse_timestamp(judgement(run)["request"]["judged_at"])
    if max_age is None or -SKEW <= now - judged_at <= max_age:
        return None
    if judged_at > now:
        return (
            f"{run['target']}: bundle {bundle['seal']} says what was judged at {timestamp(judged_at)}, and now it is"
            f" only {timestamp(now)}. Its age cannot be told (max_age): set both machines' clocks right, and verify"
            " again."
        )
    return (
        f"{run['target']}: bundle {bundle['seal']} says what was judged at {timestamp(judged_at)}, and now it is"
        f" {timestamp(now)}: more than the {max_age / timedelta(hours=1):g} hours that may lie between (max_age)."
    )


def _missing(name: str, cloud: str) -> dict[str, Any]:
    return {
        "target": name,
        "cloud": cloud,
        "failure": f"{name}: no bundle holds it. The job that had to judge it did not run,"
        " or did not hand its bundle over.",
        "results": {},
    }
