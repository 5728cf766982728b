# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One report of what a playbook run did, for people and for programs."""

from __future__ import annotations

DOCUMENTATION = r"""
name: run_report
short_description: Put together what a run did to all its targets
version_added: 0.1.0
description:
  - Turns what the playbooks remember of each target into one document, the evidence behind it, and a text.
author:
  - private_ai.endpoints contributors (@private-ai)
positional: job, check_mode
options:
  _input:
    description: What was remembered, one entry per target.
    type: list
    elements: dict
    required: true
  job:
    description: Name of the playbook.
    type: str
    required: true
  check_mode:
    description: Whether the steps are a prediction.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Show the summary
  ansible.builtin.debug:
    msg: "{{ (runs | private_ai.endpoints.run_report('lockdown')).summary }}"
"""

RETURN = r"""
_value:
  description:
    - C(document) has the verdict, the targets with their failures, steps, checklist and table, and all findings;
      C(evidence) has what they were made of, C(brief) is a short text, and C(summary) the same with all tables.
  type: dict
"""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

# The judgement that says most about a target is the last one that was made.
_JUDGEMENTS = ("blocked", "private", "pinned")
_PHASES = (
    "create",
    "admit",
    "dns",
    "restore_dns",
    "lockdown",
    "seal",
    "retire",
    "recover",
    "unlock",
)
# What a predicted step of a phase hangs on, where the step itself does not say it.
_CONDITIONS = {
    "dns": "every vantage reaches the endpoints' addresses and is admitted there",
    "lockdown": "every vantage is led to the endpoints by name and admitted there",
    "seal": "outside vantages are refused, and callers go on working",
}


def run_report(
    runs: Iterable[Mapping[str, Any]], job: str, check_mode: bool = False
) -> dict[str, Any]:
    """See DOCUMENTATION."""
    listed = list(runs)
    targets = [_target(run, check_mode) for run in listed]
    document = {
        "schema_version": 1,
        "kind": "report",
        "job": job,
        "made_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "check_mode": check_mode,
        "ok": all(target["ok"] for target in targets),
        "targets": targets,
        "steps": [step for target in targets for step in target["steps"]],
        "findings": [item for run in listed for item in _judgement(run).get("findings", [])],
    }
    return {
        "document": document,
        "evidence": {run["target"]: _basis(run) for run in listed},
        "brief": "\n\n".join(_brief(target, check_mode) for target in targets),
        "summary": "\n\n".join(
            part
            for target, run in zip(targets, listed, strict=True)
            for part in (_brief(target, check_mode), _judgement(run).get("text"))
            if part
        )
        + "\n",
    }


def _target(run: Mapping[str, Any], check_mode: bool) -> dict[str, Any]:
    judgement = _judgement(run)
    return {
        "target": run["target"],
        "ok": not run.get("failure"),
        "failure": run.get("failure"),
        "scope": (run.get("scope") or {}).get("id"),
        "steps": _steps(run, check_mode),
        "preview": run.get("preview") or None,
        "expected": (judgement.get("summary") or {}).get("expect"),
        "summary": judgement.get("summary"),
        "checklist": judgement.get("checklist", []),
        "misconfigurations": judgement.get("misconfigurations", []),
        "matrix": judgement.get("matrix", []),
    }


def _steps(run: Mapping[str, Any], check_mode: bool) -> list[dict[str, Any]]:
    steps = run.get("steps") or {}
    return [
        {
            "target": run["target"],
            "phase": phase,
            **step,
            "conditional_on": step.get("conditional_on")
            or (_CONDITIONS.get(phase) if check_mode else None),
        }
        for phase in _PHASES
        for step in steps.get(phase) or []
    ]


def _judgement(run: Mapping[str, Any]) -> dict[str, Any]:
    results = run.get("results") or {}
    found = (results[name] for name in _JUDGEMENTS if results.get(name, {}).get("findings"))
    return dict(next(found, {}))


def _basis(run: Mapping[str, Any]) -> dict[str, Any]:
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


def _brief(target: Mapping[str, Any], check_mode: bool) -> str:
    verb = "would take" if check_mode else "took"
    verdict = "ok" if target["ok"] else "FAILED"
    lines = [f"{target['target']}: {verdict}; {verb} {len(target['steps'])} steps"]
    lines += [f"  {step['phase']}: {step['action']} {step['resource']}" for step in target["steps"]]
    if target["preview"]:
        lines.append(f"  impact preview: {target['preview']['status']}, {target['preview']['why']}")
        lines += [f"    {line}" for line in target["preview"]["blocking"]]
    if target["failure"]:
        lines += ["  " + line for line in str(target["failure"]).splitlines()]
    return "\n".join(lines)


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name and function."""
        return {"run_report": run_report}
