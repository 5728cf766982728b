# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The end of the page: drift, accepted risks, and the record of when, by whom, with what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ..drift import GROUPS, sentence
from .page_pieces import Html, details, join, paragraphs, row, section, table, tag, text
from .page_pieces import name as identifier

_TITLES: Final = {
    "new": "New",
    "worse": "Worse",
    "still_open": "Still open",
    "fixed": "Fixed",
    "not_judged": "Not judged any more",
}
_STATES: Final = {
    "active": "in force",
    "expired": "expired, counts again",
    "unused": "names nothing that is open",
}


def drift(document: Mapping[str, Any]) -> Html:
    """What changed since the baseline."""
    found = document["drift"]
    if found is None:
        return section(
            "drift",
            "Drift",
            tag("p", "No earlier run was given to compare with.", class_="note"),
        )
    since = found["baseline"]
    parts: list[Html] = [
        tag("p", f"Since {since['made_at'] or 'an earlier run'}: {sentence(found)}."),
    ]
    head = ("Service", "Check", "Resource", "Seen from", "Was", "Is", "Observed")
    for name in GROUPS:
        if found[name]:
            rows = [
                row(
                    text(item["target"], 200),
                    identifier(item["check"]),
                    text(item["resource"], 400),
                    text(item["vantage"] or "settings", 120),
                    item["was"] or "not judged",
                    item["now"] or "not judged",
                    text(item["observed"], 400),
                    name=str(item["target"]),
                )
                for item in found[name]
            ]
            title = f"{_TITLES[name]} ({len(rows)})"
            opened = name in ("new", "worse") and len(rows) <= 40
            parts.append(details(title, table(title, head, rows, class_="wide"), opened=opened))
    return section(
        "drift",
        "Drift",
        *parts,
    )


def accepted(document: Mapping[str, Any]) -> Html:
    """Risks that somebody signed for."""
    listed = document["accepted"]
    if not listed:
        return section("accepted", "Accepted risks", tag("p", "None.", class_="note"))
    rows = [
        row(
            identifier(item["check"]),
            text(item["resource"], 400),
            text(item["reason"]),
            item["until"],
            _STATES[item["state"]],
            str(item["findings"]),
        )
        for item in listed
    ]
    head = ("Check", "Resource", "Reason", "Until", "State", "Findings")
    return section("accepted", "Accepted risks", table("Accepted risks", head, rows, class_="wide"))


def record(document: Mapping[str, Any]) -> Html:
    """When, by whom, with which versions, from which evidence; and what the run did."""
    facts = [("Made", document["made_at"]), ("Run", document["job"])]
    facts += [(_title(key), value) for key, value in document["made_by"].items() if value]
    facts.append(("Counts against the run", f"findings from severity {document['fail_on']}"))
    facts.append(("Seal of the bundle", document["seal"] or "not sealed"))
    if merged := document["merged"]:
        facts.append(("Put together from", {item["seal"]: item["made_at"] for item in merged}))
    about = tag("dl", *(join([tag("dt", name), tag("dd", _value(value))]) for name, value in facts))
    return section(
        "record",
        "Record",
        tag("div", about, class_="finding"),
        _steps(document),
        _failures(document),
        _evidence(document),
    )


def _title(key: object) -> str:
    return str(key).replace("_", " ").capitalize()


def _value(value: object) -> Html:
    if isinstance(value, Mapping):
        return join((text(f"{name} {item}", 200) for name, item in value.items()), "<br>")
    return tag("span", text(value), class_="mono")


def _steps(document: Mapping[str, Any]) -> Html:
    listed = document["steps"]
    if not listed:
        return Html("")
    rows = [
        row(
            text(item["target"], 200),
            item["phase"],
            item["action"],
            text(item["resource"], 400),
            text(item.get("conditional_on") or "", 300),
            name=str(item["target"]),
        )
        for item in listed
    ]
    verb = "would take" if document["check_mode"] else "took"
    title = f"{len(listed)} steps that the run {verb}"
    head = ("Service", "Phase", "Action", "Resource", "Only if")
    return details(title, table(title, head, rows, class_="wide"))


def _failures(document: Mapping[str, Any]) -> Html:
    failed = [item for item in document["targets"] if item["failure"]]
    if not failed:
        return Html("")
    rows = [
        row(text(item["target"], 200), paragraphs(item["failure"], 2000), name=str(item["target"]))
        for item in failed
    ]
    title = f"{len(failed)} services for which the run failed, with the reason"
    return details(title, table(title, ("Service", "Reason"), rows))


def _evidence(document: Mapping[str, Any]) -> Html:
    listed = document["evidence"]
    if not listed:
        return tag("p", "No evidence was kept.", class_="note")
    rows = [
        row(
            item["id"],
            text(item["target"], 200),
            text(item["vantage"] or "the cloud's control plane", 120),
            item["collected_at"] or "not said",
            tag("span", item["sha256"], class_="mono"),
            name=str(item["target"]),
        )
        for item in listed
    ]
    title = f"{len(listed)} pieces of evidence, with SHA-256 of their canonical JSON"
    head = ("Id", "Service", "Source", "Collected", "SHA-256")
    return details(title, table(title, head, rows, class_="wide"))
