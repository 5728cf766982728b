# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The second half of the page, for those who repair: what each network saw, and every finding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from ..views import LOCK_REFUSALS
from .page_pieces import Html, cell, details, join, paragraphs, pill, row, section, table, tag, text
from .verdict import STATUSES

_OPENED: Final = 6
_ROWS_OPENED: Final = 12
_ORDER: Final = {"fail": 0, "unknown": 1, "warn": 2, "skipped": 3, "pass": 4}
_SEVERITIES: Final = {"critical": 0, "high": 1, "medium": 2, "low": 3}


def matrix(document: Mapping[str, Any]) -> Html:
    """Host × vantage for every service."""
    ordered = sorted(
        document["targets"],
        key=lambda item: (STATUSES.index(item["verdict"]["status"]), str(item["target"])),
    )
    blocks = [_matrix(target, index < _OPENED) for index, target in enumerate(ordered)]
    return section(
        "matrix",
        "What each network saw",
        tag(
            "p",
            "Every host as each place of the inventory found it: inside the application's networks, in spokes, and "
            "outside. A marked cell is not as it should be.",
            class_="note",
        ),
        *blocks,
    )


def _matrix(target: Mapping[str, Any], opened: bool) -> Html:
    rows = target["matrix"]
    if not rows:
        return details(
            join([text(target["target"], 200), ": nothing was seen"]),
            tag("p", "No vantage reported on this service.", class_="note"),
            name=str(target["target"]),
        )
    hosts = list(dict.fromkeys(item["host"] for item in rows))
    places = list(dict.fromkeys((item["vantage"], item["position"]) for item in rows))
    cells = {(item["host"], item["vantage"]): item for item in rows}
    kinds = {
        key: _kind(item, str(target["cloud"]), target["expected"]) for key, item in cells.items()
    }
    bad = sum(kind == "bad" for kind in kinds.values())
    good = sum(kind == "ok" for kind in kinds.values())
    head = ("Host", *(_place(name, position) for name, position in places))
    body = [
        row(
            text(host, 300),
            *(_cell(cells.get((host, name)), kinds.get((host, name))) for name, _p in places),
        )
        for host in hosts
    ]
    said = (
        f"{bad} of {len(cells)} cells are not as they should be"
        if bad
        else f"{good} of {len(cells)} as expected"
    )
    return details(
        join([text(target["target"], 200), ": ", said]),
        table(
            f"What each network saw of {text(target['target'], 200)}", head, body, class_="matrix"
        ),
        opened=opened,
        name=str(target["target"]),
    )


def _place(name: str, position: str) -> Html:
    return join([text(name, 120), Html("<br>"), tag("span", position, class_="note")])


def _kind(item: Mapping[str, Any], cloud: str, expected: str | None) -> str:
    """`ok`, `bad`, or `open` for what says nothing either way."""
    where, outcome = item["where"], item["outcome"]
    if item["position"] == "outside":
        if outcome in LOCK_REFUSALS.get(cloud, ()):
            return "ok"
        return "bad" if outcome == "admitted" and expected == "blocked" else "open"
    if item["position"] == "canary":
        return "open"
    if where in ("public", "mixed"):
        return "bad"
    if where == "private" and outcome in ("admitted", "connected"):
        return "ok"
    return "bad" if str(outcome).startswith("denied") else "open"


def _cell(item: Mapping[str, Any] | None, kind: str | None) -> Html:
    if item is None:
        return cell("not observed", "open")
    first, _dot, rest = str(item["cell"]).partition(" \u00b7 ")
    where = str(item["where"])
    if first.startswith(where + " "):
        shown = [tag("strong", where), tag("small", text(first.removeprefix(where), 200))]
    else:
        shown = [tag("strong", text(first, 200))]
    shown += [tag("small", text(rest, 200))] if rest else []
    return cell(join(shown), kind or "open")


def findings(document: Mapping[str, Any]) -> Html:
    """Every finding: what is open first, grouped by what it says; what passed can be opened."""
    listed = document["findings"]
    is_open = [item for item in listed if item["status"] not in ("pass", "skipped")]
    blocks = [_group(group) for group in _groups(is_open)]
    passed = [item for item in listed if item["status"] in ("pass", "skipped")]
    closed = (
        details(
            f"{len(passed)} findings that passed or were left out",
            *(_passed(group) for group in _groups(passed)),
        )
        if passed
        else Html("")
    )
    none = tag("p", "No finding is open." if listed else "Nothing was judged.")
    return section(
        "findings",
        "Findings",
        *(blocks or [none]),
        closed,
    )


def _groups(listed: Sequence[Mapping[str, Any]]) -> list[list[Mapping[str, Any]]]:
    """Findings of one check, status, severity and fix, the worst first."""
    groups: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for item in listed:
        key = tuple(str(item[name]) for name in ("check", "status", "severity", "fix", "why"))
        groups.setdefault(key, []).append(item)
    return sorted(
        groups.values(),
        key=lambda group: (
            _ORDER.get(group[0]["status"], 9),
            _SEVERITIES.get(group[0]["severity"], 9),
            group[0]["check"],
        ),
    )


def _group(group: Sequence[Mapping[str, Any]]) -> Html:
    first = group[0]
    title = tag(
        "h3",
        pill(first["status"]),
        text(first["title"]),
        tag("span", f"{first['severity']} \u00b7 {_names(first)}", class_="note"),
    )
    facts = [("Why", text(first["why"])), ("Fix", paragraphs(first["fix"]))]
    if first["references"]:
        facts.append(("See", join((text(item, 300) for item in first["references"]), "<br>")))
    about = tag("dl", *(join([tag("dt", name), tag("dd", value)]) for name, value in facts))
    rows = _rows(group)
    body = (
        rows
        if len(group) <= _ROWS_OPENED
        else details(f"{len(group)} places, on {_services(group)}", rows)
    )
    return tag("div", title, about, body, class_="finding")


def _services(group: Sequence[Mapping[str, Any]]) -> str:
    count = len({item["target"] for item in group})
    return "1 service" if count == 1 else f"{count} services"


def _names(item: Mapping[str, Any]) -> str:
    points = [item["misconfiguration"], *item["checklist"]]
    return " ".join([*(str(name) for name in points if name), str(item["check"])])


def _rows(group: Sequence[Mapping[str, Any]]) -> Html:
    head = ("Service", "Resource", "Seen from", "Expected", "Observed", "Evidence")
    return table(
        f"Findings of {text(group[0]['check'], 120)}",
        head,
        (_row(item) for item in group),
        class_="wide",
    )


def _row(item: Mapping[str, Any]) -> Html:
    observed = text(item["observed"])
    if item["accepted"]:
        signed = f"Accepted until {item['accepted']['until']}: {item['accepted']['reason']}"
        observed = join([observed, tag("span", signed, class_="count")])
    return row(
        text(item["target"], 200),
        text(item["resource"], 400),
        text(item["vantage"] or "settings", 120),
        text(item["expected"]),
        observed,
        " ".join(item["evidence"]) or "none",
        name=str(item["target"]),
    )


def _passed(group: Sequence[Mapping[str, Any]]) -> Html:
    first = group[0]
    return details(
        join([pill(first["status"]), " ", text(first["title"]), f" ({len(group)})"]), _rows(group)
    )
