# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report as a document: everything that is shown, in any form, and nothing that is not.

`findings.json` is this document. Its schema is docs/schema/report-1.schema.json. Later releases of schema version 1 add
keys and change none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from .. import accepted as risks
from ..canonical import digest
from ..checklist import CHECKLIST, MISCONFIGURATIONS, worst
from ..drift import drift
from ..proof import timestamp
from . import questions, runs, strategy, verdict
from .clean import scrubbed

NAMES: Final[Mapping[str, str]] = {"aws": "AWS", "azure": "Azure", "gcp": "Google Cloud"}
_COUNTED: Final = ("pass", "fail", "warn", "unknown", "skipped")
_SEVERITIES: Final = ("critical", "high", "medium", "low")


def build(
    remembered: Iterable[Mapping[str, Any]],
    *,
    job: str,
    check_mode: bool,
    now: datetime,
    made_by: Mapping[str, Any] | None = None,
    fail_on: str = "never",
    baseline: Mapping[str, Any] | None = None,
    accepted: Sequence[Mapping[str, Any]] = (),
    seal: str | None = None,
    rejudged: Sequence[Mapping[str, Any]] | None = None,
    merged: Sequence[Mapping[str, Any]] | None = None,
) -> dict[str, Any]:
    """The document; EndpointError for a baseline or an acceptance that cannot be read.

    remembered: what the playbooks keep of each target. made_by: who made it, and with which versions.
    seal: of the bundle with what was judged. rejudged: how judgements of a bundle compare, where they were made again.
    merged: the bundles that the report was put together from, where it was.
    """
    listed: list[dict[str, Any]] = [scrubbed(dict(run)) for run in remembered]
    signed = risks.read(accepted)
    sources = _Sources(listed)
    findings = []
    for run in listed:
        run["findings"] = [
            {
                **item,
                "accepted": _acceptance(item, signed, now),
                "evidence": sources.behind(run, item),
            }
            for item in runs.findings(run)
        ]
        findings += run["findings"]
    targets = [_target(run, check_mode, findings) for run in listed]
    document: dict[str, Any] = {
        "schema_version": 1,
        "kind": "report",
        "job": job,
        "made_at": timestamp(now),
        "made_by": dict(made_by or {}),
        "check_mode": check_mode,
        "ok": all(target["ok"] for target in targets),
        "fail_on": fail_on,
        "targets": targets,
        "clouds": _clouds(targets, listed),
        "steps": [step for target in targets for step in target["steps"]],
        "findings": findings,
        "counts": _counts(findings),
        "accepted": risks.register(findings, signed, now),
        "drift": drift(findings, baseline),
        "evidence": sources.listed,
        "seal": seal,
        "rejudged": None if rejudged is None else list(rejudged),
        "merged": None if merged is None else list(merged),
    }
    document["verdict"] = verdict.of_all(document)
    document["counting"] = counting(findings, fail_on)
    return document


def counting(findings: Sequence[Mapping[str, Any]], fail_on: str) -> dict[str, int]:
    """Target → how many findings count against the run: they fail, nobody accepted them, and fail_on says so."""
    if fail_on == "never":
        return {}
    severities = _SEVERITIES[: _SEVERITIES.index(fail_on) + 1]
    return dict(
        Counter(
            str(item["target"])
            for item in findings
            if item["status"] == "fail" and not item["accepted"] and item["severity"] in severities
        )
    )


class _Sources:
    """Everything that findings were made of, each with an id and a digest."""

    def __init__(self, remembered: Sequence[Mapping[str, Any]]) -> None:
        self.listed: list[dict[str, Any]] = []
        self._ids: dict[tuple[str, str | None], str] = {}
        for run in remembered:
            if run.get("evidence"):
                self._add(run, None, run["evidence"], run["evidence"].get("collected_at"))
            by_vantage: dict[str, list[Mapping[str, Any]]] = {}
            for seen in runs.judgement(run).get("observations") or []:
                if seen.get("target", run["target"]) == run["target"]:
                    by_vantage.setdefault(str(seen["vantage"]), []).append(seen)
            for vantage, seen in by_vantage.items():
                times = [str(item.get("observed_at") or "") for item in seen]
                self._add(run, vantage, seen, max(times) or None)

    def behind(self, run: Mapping[str, Any], finding: Mapping[str, Any]) -> list[str]:
        """Ids of what a finding was made of: what its vantage saw, or the evidence of its target."""
        found = self._ids.get((str(run["target"]), finding.get("vantage")))
        return [found] if found else []

    def _add(
        self, run: Mapping[str, Any], vantage: str | None, content: Any, at: str | None
    ) -> None:
        name = f"E{len(self.listed) + 1}"
        self._ids[str(run["target"]), vantage] = name
        self.listed.append(
            {
                "id": name,
                "kind": "observations" if vantage else "evidence",
                "target": run["target"],
                "vantage": vantage,
                "collected_at": at,
                "sha256": digest(content).removeprefix("sha256:"),
            }
        )


def _acceptance(
    finding: Mapping[str, Any], signed: Sequence[risks.Acceptance], now: datetime
) -> dict[str, Any] | None:
    found = risks.covering(finding, signed, now)
    return {"reason": found.reason, "until": timestamp(found.until)} if found else None


def _target(
    run: Mapping[str, Any], check_mode: bool, findings: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    target = runs.target(run, check_mode)
    target["answers"] = questions.answers(target, run)
    target["verdict"] = verdict.of_target(target, run["findings"])
    return target


def _clouds(
    targets: Sequence[Mapping[str, Any]], remembered: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Per cloud: its targets, the checklist and the misconfigurations over all of them, and its strategy."""
    return [
        {
            "cloud": part["cloud"],
            "name": NAMES.get(part["cloud"], part["cloud"]),
            "targets": [item["target"] for item in own],
            "checklist": [
                _row(name, title, [_status(item["checklist"], name) for item in own])
                for name, title in CHECKLIST.items()
            ],
            "misconfigurations": [
                _row(name, title, [_status(item["misconfigurations"], name) for item in own])
                for name, title in MISCONFIGURATIONS.items()
            ],
            "strategy": part["aspects"],
        }
        for part in strategy.strategies(targets, remembered)
        for own in [[item for item in targets if item["cloud"] == part["cloud"]]]
    ]


def _status(rows: Sequence[Mapping[str, Any]], name: str) -> Any:
    return next((row["status"] for row in rows if row["id"] == name), "unknown")


def _row(name: str, title: str, statuses: Sequence[Any]) -> dict[str, Any]:
    by_status = Counter(statuses)
    return {
        "id": name,
        "title": title,
        "status": worst(list(statuses)),
        "counts": {key: by_status.get(key, 0) for key in _COUNTED},
    }


def _counts(findings: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    by_status = Counter(item["status"] for item in findings)
    failed = Counter(item["severity"] for item in findings if item["status"] == "fail")
    return {
        "findings": len(findings),
        "by_status": {key: by_status.get(key, 0) for key in _COUNTED},
        "failed_by_severity": {key: failed.get(key, 0) for key in _SEVERITIES},
        "accepted": sum(bool(item["accepted"]) for item in findings),
    }
