# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The answer on top of the report: one status and a sentence for each target, and for all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from .clean import line

# The worst first.
STATUSES: Final = ("fail", "unknown", "warn", "pass")
# What a status is called where people read it.
WORDS: Final[Mapping[str, str]] = {
    "fail": "Not private",
    "unknown": "Not shown",
    "warn": "Private, with open points",
    "pass": "Private",
}
_SEVERITIES: Final = ("critical", "high", "medium", "low")


def of_target(target: Mapping[str, Any], findings: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """`{status, text, open}` of one target, from its two answers, its failure and its findings.

    open: how many findings are open and not accepted, by severity.
    """
    traffic, enforced = (item["answer"] for item in target["answers"])
    counted = [
        item
        for item in findings
        if item["target"] == target["target"] and item["status"] == "fail" and not item["accepted"]
    ]
    left = Counter(item["severity"] for item in counted)
    return {
        "status": _status(target, traffic, enforced, counted),
        "text": _sentence(target, traffic, enforced),
        "open": {name: left.get(name, 0) for name in _SEVERITIES},
    }


def _status(
    target: Mapping[str, Any], traffic: str, enforced: str, counted: Sequence[Mapping[str, Any]]
) -> str:
    if not target["summary"]:
        # A run that failed before it could judge says nothing about the service.
        return "unknown"
    open_path = enforced == "no" and target["expected"] != "private"
    if target["failure"] or traffic == "no" or open_path:
        return "fail"
    if "unknown" in (traffic, enforced):
        return "unknown"
    return "warn" if counted or enforced == "no" else "pass"


def of_all(document: Mapping[str, Any]) -> dict[str, Any]:
    """`{status, headline, sentences}` of the whole report."""
    targets = document["targets"]
    if not targets:
        return {
            "status": "unknown",
            "headline": "Nothing was looked at",
            "sentences": ["The run reported no target, so that nothing is known."],
        }
    by_status = Counter(target["verdict"]["status"] for target in targets)
    status = next(name for name in STATUSES if by_status[name])
    headline = _headline(status, targets)
    if document["check_mode"]:
        headline += " (a prediction: nothing was changed)"
    return {
        "status": status,
        "headline": headline,
        "sentences": [*_groups(targets), *_remarks(document)],
    }


def _headline(status: str, targets: Sequence[Mapping[str, Any]]) -> str:
    total = len(targets)
    noun = "AI service" if total == 1 else "AI services"
    every = f"The {noun} is" if total == 1 else f"All {total} {noun} are"
    if status == "pass":
        return f"{every} private, and the public path is shut"
    if status == "warn":
        # Before a lock the public path is open to everybody, and that is no defect of the private one.
        opened = any(target["answers"][1]["answer"] == "no" for target in targets)
        return f"{every} private; " + (
            "the public path is not shut yet" if opened else "some points are open"
        )
    count = sum(target["verdict"]["status"] == status for target in targets)
    if status == "unknown":
        which = f"the {noun} is" if total == 1 else f"{count} of {total} {noun} are"
        return f"It is not shown that {which} private"
    exposed = sum(
        target["verdict"]["status"] == "fail"
        and "no" in [item["answer"] for item in target["answers"]]
        for target in targets
    )
    if not exposed:
        return f"The run failed for {count} of {total} {noun}" if total > 1 else "The run failed"
    if exposed == total:
        return (
            f"The {noun} is not private" if total == 1 else f"None of the {total} {noun} is private"
        )
    return f"{exposed} of {total} {noun} {'is' if exposed == 1 else 'are'} not private"


def _groups(targets: Sequence[Mapping[str, Any]]) -> list[str]:
    """The targets' sentences, the worst first, each said once with the names that it holds for."""
    ordered = sorted(targets, key=lambda item: STATUSES.index(item["verdict"]["status"]))
    named: dict[str, list[str]] = {}
    for target in ordered:
        named.setdefault(target["verdict"]["text"], []).append(line(target["target"], 80))
    return [f"{_names(names)}: {text}" for text, names in named.items()]


def _names(names: Sequence[str]) -> str:
    shown = ", ".join(names[:5])
    return shown if len(names) <= 5 else f"{shown} and {len(names) - 5} more"


def _remarks(document: Mapping[str, Any]) -> list[str]:
    said = []
    expired = [item for item in document["accepted"] if item["state"] == "expired"]
    active = [item for item in document["accepted"] if item["state"] == "active"]
    if active:
        said.append(f"{_things(len(active), 'accepted risk')} in force.")
    if expired:
        said.append(f"{_things(len(expired), 'accepted risk')} expired and counted again.")
    again = document["rejudged"]
    if again is not None:
        other = sum(not item["same"] for item in again)
        said.append(
            f"Judged again from a sealed bundle: {other} of {len(again)} judgements are not as recorded."
            if other
            else f"Judged again from a sealed bundle: all {len(again)} judgements are as recorded."
        )
    return said


def _things(count: int, noun: str) -> str:
    return f"1 {noun} is" if count == 1 else f"{count} {noun}s are"


def _sentence(target: Mapping[str, Any], traffic: str, enforced: str) -> str:
    if not target["summary"] and target["failure"]:
        return "The run failed before this could be judged."
    first = {
        "yes": "Traffic is private",
        "no": _short(target["answers"][0]["text"]),
        "unknown": "It is not known whether all traffic is private",
    }[traffic]
    second = {
        "yes": "the public path is shut",
        "no": "the public path is open",
        "unknown": "it was not shown that the public path is shut",
    }[enforced]
    kept = (traffic, enforced) == ("yes", "yes")
    failed = "; yet the run failed" if target["failure"] and kept else ""
    return f"{first}, and {second}{failed}.{_points(target) if kept else ''}"


def _points(target: Mapping[str, Any]) -> str:
    """What of the checklist does not hold or is not known, although the two answers are good."""
    by_status: dict[str, list[str]] = {}
    for row in target["checklist"]:
        by_status.setdefault(row["status"], []).append(row["id"])
    said = [
        f" {words}: {', '.join(by_status[status])}."
        for status, words in (("fail", "Does not hold"), ("unknown", "Not known"))
        if status in by_status
    ]
    return "".join(said)


def _short(text: str) -> str:
    return text.partition(": clients")[0].partition(". ")[0].partition(": all")[0].rstrip(".")
