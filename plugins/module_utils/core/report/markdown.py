# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report as Markdown, for a pull request or a ticket: short, and no markup in it but what is meant."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from .. import drift as drifts
from .clean import line
from .verdict import WORDS

_SPECIAL: Final = re.compile(r"([\\`*_\[\]!|~<>&$])")
# These ping people and link issues even where they are escaped; an invisible break keeps them text.
_LIVE: Final = re.compile(r"([@#]|(?i:\b(?:www|https?|ftp|mailto)(?=[.:])))")
_MARKS: Final = {"pass": "✅", "fail": "❌", "warn": "⚠️", "unknown": "❔", "skipped": "➖"}
_ANSWERS: Final = {"yes": "Yes", "no": "No", "unknown": "Not known"}
_ROWS: Final = 40


def markdown(document: Mapping[str, Any]) -> str:
    """The summary. A pull request takes 65,536 characters: the longest tables are cut, and say so."""
    told = document["verdict"]
    parts = [
        f"## {_MARKS[told['status']]} {WORDS[told['status']]}: {text(told['headline'])}",
        "\n".join(f"- {text(item, 500)}" for item in told["sentences"]),
        _questions(document),
        "### Checklist and misconfigurations\n\n" + _tables(document),
        _findings(document),
        _drift(document),
        _accepted(document),
        _record(document),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def text(value: object, longest: int = 200) -> str:
    """Any value on one line, as text: what Markdown or HTML would read as markup is escaped."""
    shown = _SPECIAL.sub(r"\\\1", line(value, longest))
    shown = _LIVE.sub("\\1\u200b", shown)
    # What would begin a list, a heading or a rule where the text begins a line.
    return re.sub(r"^(\d*)([-+=.)])", r"\1\\\2", shown)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    listed = list(rows)
    shown = [head, ["---"] * len(head), *listed[:_ROWS]]
    body = "\n".join("| " + " | ".join(row) + " |" for row in shown)
    more = len(listed) - _ROWS
    return body + (f"\n\n{more} more rows are in the report." if more > 0 else "")


def _questions(document: Mapping[str, Any]) -> str:
    rows: dict[tuple[str, str, str], list[str]] = {}
    for target in document["targets"]:
        for item in target["answers"]:
            key = (item["question"], _ANSWERS[item["answer"]], item["text"])
            rows.setdefault(key, []).append(str(target["target"]))
    if not rows:
        return ""
    listed = sorted(rows.items(), key=lambda pair: pair[0][0])
    return _table(
        ("Question", "Answer", "Services", "In words"),
        (
            (text(question), answer, _names(names), text(said, 500))
            for (question, answer, said), names in listed
        ),
    )


def _names(names: Sequence[str]) -> str:
    shown = ", ".join(text(name, 80) for name in names[:5])
    return shown if len(names) <= 5 else f"{shown} and {len(names) - 5} more"


def _tables(document: Mapping[str, Any]) -> str:
    clouds = document["clouds"]
    if not clouds:
        return "Nothing was looked at."
    rows = [
        (
            first["id"],
            text(first["title"]),
            *(
                f"{_MARKS[cloud[part][index]['status']]} {cloud[part][index]['status']}"
                for cloud in clouds
            ),
        )
        for part in ("checklist", "misconfigurations")
        for index, first in enumerate(clouds[0][part])
    ]
    return _table(
        ("No.", "Statement or misconfiguration", *(text(cloud["name"]) for cloud in clouds)), rows
    )


def _findings(document: Mapping[str, Any]) -> str:
    order = {"fail": 0, "unknown": 1, "warn": 2}
    severities = {"critical": 0, "high": 1, "medium": 2, "low": 3}
    listed = sorted(
        (item for item in document["findings"] if item["status"] in order),
        key=lambda item: (
            order[item["status"]],
            severities.get(item["severity"], 9),
            item["check"],
        ),
    )
    if not listed:
        return "### Findings\n\nNo finding is open." if document["findings"] else ""
    rows = (
        (
            f"{_MARKS[item['status']]} {item['status']}"
            + (" (accepted)" if item["accepted"] else ""),
            text(item["severity"]),
            text(item["check"]),
            text(item["target"], 80),
            text(item["resource"], 120),
            text(item["vantage"] or "settings", 60),
            text(item["observed"]),
            text(item["fix"]),
        )
        for item in listed
    )
    head = ("Status", "Severity", "Check", "Service", "Resource", "Seen from", "Observed", "Fix")
    return "### Open findings\n\n" + _table(head, rows)


def _drift(document: Mapping[str, Any]) -> str:
    found = document["drift"]
    if found is None:
        return ""
    rows = [
        (
            name.replace("_", " "),
            text(item["check"]),
            text(item["target"], 80),
            text(item["resource"], 120),
        )
        for name in ("new", "worse", "fixed", "not_judged")
        for item in found[name]
    ]
    head = f"### Drift since {text(found['baseline']['made_at'] or 'the baseline')}\n\n{drifts.sentence(found)}."
    return head + (
        "\n\n" + _table(("Change", "Check", "Service", "Resource"), rows) if rows else ""
    )


def _accepted(document: Mapping[str, Any]) -> str:
    if not document["accepted"]:
        return ""
    rows = (
        (
            text(item["check"]),
            text(item["resource"], 120),
            text(item["reason"]),
            text(item["until"]),
            item["state"],
        )
        for item in document["accepted"]
    )
    return "### Accepted risks\n\n" + _table(
        ("Check", "Resource", "Reason", "Until", "State"), rows
    )


def _record(document: Mapping[str, Any]) -> str:
    who = document["made_by"].get("who")
    by = f" by {text(who)}" if who else ""
    sealed = f" Seal of the evidence: `{document['seal']}`." if document["seal"] else ""
    return f"Made {document['made_at']}{by}, run {text(document['job'])}.{sealed}"
