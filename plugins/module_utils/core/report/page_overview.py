# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The first half of the page, for those who decide: verdict, two questions, the two tables, services, strategy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from .page_pieces import (
    HOLDS,
    IS_THERE,
    Html,
    cell,
    dot,
    join,
    pill,
    row,
    section,
    some,
    table,
    tag,
    text,
)
from .verdict import STATUSES, WORDS

_ANSWERS: Final = {"yes": "pass", "no": "fail", "unknown": "unknown"}
_ANSWER_WORDS: Final = {
    "pass": "Yes",
    "fail": "No",
    "unknown": "Not known",
    "warn": "In part",
    "skipped": "Left out",
}


def verdict(document: Mapping[str, Any]) -> Html:
    """The answer, in words, with the numbers that stand behind it."""
    told, counts = document["verdict"], document["counts"]
    numbers = [
        ("services looked at", len(document["targets"])),
        ("findings passed", counts["by_status"]["pass"]),
        ("findings failed", counts["by_status"]["fail"]),
        ("not known", counts["by_status"]["unknown"]),
        ("accepted by somebody", counts["accepted"]),
    ]
    return tag(
        "div",
        tag("p", WORDS[told["status"]], class_="word"),
        tag("h1", told["headline"]),
        tag("ul", *(tag("li", item) for item in told["sentences"])),
        tag(
            "dl",
            *(tag("div", tag("dt", name), tag("dd", str(number))) for name, number in numbers),
            class_="numbers",
        ),
        class_="verdict",
    )


def questions(document: Mapping[str, Any]) -> Html:
    """Both questions, with one answer for all services that share it."""
    columns = []
    asked = dict.fromkeys(
        (item["id"], item["question"])
        for target in document["targets"]
        for item in target["answers"]
    )
    for identifier, question in asked:
        groups: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
        for target in document["targets"]:
            for item in target["answers"]:
                if item["id"] == identifier:
                    groups.setdefault((item["answer"], item["text"]), []).append(
                        {**item, "target": target["target"]}
                    )
        order = sorted(groups.items(), key=lambda pair: STATUSES.index(_ANSWERS[pair[0][0]]))
        answers = [_answer(kind, said, listed) for (kind, said), listed in order]
        columns.append(tag("div", tag("h3", question), *answers))
    return section("questions", "Two questions", tag("div", *columns, class_="pair"))


def _answer(kind: str, said: str, listed: Sequence[Mapping[str, Any]]) -> Html:
    reasons = list(dict.fromkeys(reason for item in listed for reason in item["because"]))
    because = tag("ul", *(tag("li", item) for item in reasons[:4]), class_="because")
    return tag(
        "div",
        pill(_ANSWERS[kind], _ANSWER_WORDS),
        " ",
        tag("span", some([item["target"] for item in listed]), class_="who"),
        tag("p", said),
        because if reasons else "",
        class_="answer",
    )


def checklist(document: Mapping[str, Any]) -> Html:
    """Clouds × checklist."""
    return section(
        "checklist",
        "The seven-point checklist",
        tag("p", "What has to hold before a service counts as private.", class_="note"),
        _by_cloud(document, "checklist", "Statement", HOLDS),
    )


def misconfigurations(document: Mapping[str, Any]) -> Html:
    """Clouds × misconfigurations."""
    return section(
        "misconfigurations",
        "The seven misconfigurations",
        tag(
            "p", "What commonly undoes a private endpoint, looked for in each cloud.", class_="note"
        ),
        _by_cloud(document, "misconfigurations", "Misconfiguration", IS_THERE),
    )


def _by_cloud(document: Mapping[str, Any], part: str, title: str, words: Mapping[str, str]) -> Html:
    clouds = document["clouds"]
    if not clouds:
        return tag("p", "No service was looked at.")
    rows = []
    for index, first in enumerate(clouds[0][part]):
        cells = [_counted(cloud[part][index], words) for cloud in clouds]
        rows.append(row(first["id"], first["title"], *cells))
    names = [f"{cloud['name']} ({_services(len(cloud['targets']))})" for cloud in clouds]
    return table(f"{title} by cloud", ("No.", title, *names), rows, class_="wide numbered")


def _services(count: int) -> str:
    return "1 service" if count == 1 else f"{count} services"


def _counted(item: Mapping[str, Any], words: Mapping[str, str]) -> Html:
    total = sum(item["counts"].values())
    note = ""
    if total > 1:
        same = item["counts"][item["status"]]
        note = "all services" if same == total else f"{same} of {total} services"
    return cell(
        join([pill(item["status"], words), tag("span", note, class_="count") if note else ""])
    )


def services(document: Mapping[str, Any]) -> Html:
    """Every service with its verdict and its seven points."""
    ordered = sorted(
        document["targets"],
        key=lambda item: (STATUSES.index(item["verdict"]["status"]), str(item["target"])),
    )
    names = {cloud["cloud"]: cloud["name"] for cloud in document["clouds"]}
    points = (
        [item["id"] for item in document["clouds"][0]["checklist"]] if document["clouds"] else []
    )
    rows = [_service(target, names, points) for target in ordered]
    return section(
        "services",
        "Services",
        tag("div", id="filter", class_="filter"),
        table("Services", ("Service", "Cloud", "Verdict", *points), rows, class_="dots wide"),
    )


def _service(target: Mapping[str, Any], names: Mapping[str, str], points: Sequence[str]) -> Html:
    found = {item["id"]: item["status"] for item in target["checklist"]}
    told = target["verdict"]
    status = join(
        [pill(told["status"], WORDS), tag("span", told["text"], class_="count"), _failure(target)]
    )
    dots = [cell(dot(found.get(point, "unknown"), HOLDS), "dot") for point in points]
    return row(
        text(target["target"], 200),
        names.get(target["cloud"], target["cloud"]),
        status,
        *dots,
        name=str(target["target"]),
    )


def _failure(target: Mapping[str, Any]) -> Html:
    if not target["failure"]:
        return Html("")
    listed = str(target["failure"]).splitlines()
    return tag("span", text(f"Run failed: {listed[0] if listed else ''}", 300), class_="count")


def strategy(document: Mapping[str, Any]) -> Html:
    """Per cloud, how privacy is meant to be kept and what was seen of that."""
    clouds = [
        tag(
            "div",
            tag("h3", cloud["name"]),
            *(_aspect(item, len(cloud["targets"])) for item in cloud["strategy"]),
            class_="cloud",
        )
        for cloud in document["clouds"]
    ]
    return section(
        "strategy",
        "Strategy, as designed and as observed",
        *clouds,
    )


def _aspect(item: Mapping[str, Any], total: int) -> Html:
    observed = []
    for said in item["observed"]:
        everywhere = total == 1 or len(said["targets"]) == total
        who = Html("") if everywhere else tag("span", some(said["targets"]), ": ", class_="note")
        observed.append(tag("p", who, said["text"]))
    return tag(
        "div",
        tag("h4", item["title"], pill(item["status"], HOLDS)),
        tag("div", tag("p", tag("strong", "Designed"), class_="note"), tag("p", item["designed"])),
        tag("div", tag("p", tag("strong", "Observed"), class_="note"), *observed[:12]),
        class_="aspect",
    )
