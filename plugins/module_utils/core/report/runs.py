# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the playbooks remember of each target, read: its steps, the judgement that counts, and what that was made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from ..errors import EndpointError
from .clean import line, lines

# The judgement that says most about a target is the last one that was made.
JUDGEMENTS: Final = ("blocked", "private", "pinned")
_PHASES: Final = (
    "create",
    "admit",
    "dns",
    "restore_dns",
    "lockdown",
    "seal",
    "recover",
    "retire",
    "unlock",
)
# What a predicted step of a phase hangs on, where the step itself does not say it.
_CONDITIONS: Final = {
    "dns": "every vantage reaches the endpoints' addresses and is admitted there",
    "lockdown": "every vantage is led to the endpoints by name and admitted there",
    "seal": "outside vantages are refused, and callers go on working",
}


_STATUSES: Final = ("pass", "fail", "warn", "unknown", "skipped")
_SEVERITIES: Final = ("critical", "high", "medium", "low")
_TEXTS: Final = ("check", "title", "resource", "expected", "observed", "why", "fix")


def label(run: Mapping[str, Any]) -> str | None:
    """Which judgement counts: the last one that judged anything."""
    results = run.get("results") or {}
    return next((name for name in JUDGEMENTS if (results.get(name) or {}).get("findings")), None)


def judgement(run: Mapping[str, Any]) -> dict[str, Any]:
    """The judgement that counts; empty when nothing was judged."""
    name = label(run)
    return dict(run["results"][name]) if name else {}


def findings(run: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The findings of the judgement that counts, each with every key; a status that is none is unknown."""
    return [
        {
            **dict.fromkeys(_TEXTS, ""),
            "vantage": None,
            "misconfiguration": None,
            "checklist": [],
            "references": [],
            **item,
            "cloud": item.get("cloud") or cloud_of(run),
            "target": item.get("target") or run["target"],
            "status": item["status"] if item.get("status") in _STATUSES else "unknown",
            "severity": item["severity"] if item.get("severity") in _SEVERITIES else "high",
        }
        for item in judgement(run).get("findings") or []
    ]


def steps(run: Mapping[str, Any], check_mode: bool) -> list[dict[str, Any]]:
    """Every step, in the order of the phases, with what a predicted one hangs on."""
    taken = run.get("steps") or {}
    return [
        {
            "target": run["target"],
            "phase": phase,
            **step,
            "conditional_on": step.get("conditional_on")
            or (_CONDITIONS.get(phase) if check_mode else None),
        }
        for phase in _PHASES
        for step in taken.get(phase) or []
    ]


def cloud_of(run: Mapping[str, Any]) -> str:
    """The cloud that a target is in; `unknown` for one that failed before anything was read."""
    for part in (run, run.get("evidence") or {}, run.get("scope") or {}):
        if part.get("cloud"):
            return str(part["cloud"])
    judged = judgement(run).get("findings") or []
    return next((str(item["cloud"]) for item in judged if item.get("cloud")), "unknown")


def target(run: Mapping[str, Any], check_mode: bool) -> dict[str, Any]:
    """One target of the report, without what the report adds to it."""
    judged = judgement(run)
    return {
        "target": run["target"],
        "cloud": cloud_of(run),
        "ok": not run.get("failure"),
        "failure": run.get("failure"),
        "scope": (run.get("scope") or {}).get("id"),
        "steps": steps(run, check_mode),
        "preview": run.get("preview") or None,
        "expected": (judged.get("summary") or {}).get("expect"),
        "summary": judged.get("summary"),
        "checklist": judged.get("checklist", []),
        "misconfigurations": judged.get("misconfigurations", []),
        "matrix": judged.get("matrix", []),
    }


def basis(run: Mapping[str, Any]) -> dict[str, Any]:
    """What a target's findings were made of: evidence, observations by judgement, and the proof."""
    results = run.get("results") or {}
    return {
        "evidence": run.get("evidence") or None,
        "observations": {
            name: result["observations"]
            for name, result in results.items()
            if "observations" in result
        },
        "proof": (results.get("scope") or {}).get("proof"),
    }


def brief(told: Mapping[str, Any], check_mode: bool) -> str:
    """A target of the report in a few lines."""
    verb = "would take" if check_mode else "took"
    verdict = "ok" if told["ok"] else "FAILED"
    listed = [f"{line(told['target'])}: {verdict}; {verb} {len(told['steps'])} steps"]
    listed += [
        f"  {line(step['phase'])}: {line(step['action'])} {line(step['resource'])}"
        for step in told["steps"]
    ]
    if told["preview"]:
        seen = told["preview"]
        listed.append(f"  impact preview: {line(seen.get('status'))}, {line(seen.get('why'))}")
        listed += [f"    {line(text)}" for text in seen.get("blocking") or []]
    listed += [f"  {text}" for text in lines(told["failure"] or "")]
    return "\n".join(listed)


def checked(remembered: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What was remembered, fit to be read; EndpointError names the entry that is not."""
    listed = [dict(run) for run in remembered]
    names: dict[str, int] = {}
    for index, run in enumerate(listed):
        where = f"runs[{index}]"
        if not run.get("target"):
            raise EndpointError("has no target", resource=where, fix="Give it the target's name")
        if str(run["target"]) in names:
            raise EndpointError(
                f"is a second one of {run['target']}", resource=where, fix="Pass each target once"
            )
        names[str(run["target"])] = index
        for key, result in (run.get("results") or {}).items():
            if not isinstance(result, Mapping):
                raise EndpointError(
                    f"results.{key} is no result of private_endpoint_validate", resource=where
                )
    return listed
