# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report for a terminal: a readable table in plain text, whatever the clouds said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from .. import drift as drifts
from ..table import plain, table
from .verdict import STATUSES, WORDS

_LONGEST: Final = 90
_SIGNS: Final = {"pass": "ok", "fail": "FAIL", "warn": "part", "unknown": "?", "skipped": "-"}
_ANSWERS: Final = {"yes": "Yes", "no": "No", "unknown": "Not known"}


def terminal(document: Mapping[str, Any]) -> str:
    """Verdict, services with their seven points, and where each finding is told."""
    told = document["verdict"]
    parts = [
        f"{WORDS[told['status']].upper()}: {plain(told['headline'])}",
        "\n".join(f"  {plain(item)}" for item in told["sentences"]),
    ]
    if document["targets"]:
        parts.append(_services(document))
    if document["drift"]:
        parts.append(f"Since the baseline: {drifts.sentence(document['drift'])}")
    counts = document["counts"]["by_status"]
    parts.append(
        f"{document['counts']['findings']} findings: "
        + ", ".join(f"{counts[name]} {name}" for name in ("pass", "fail", "warn", "unknown"))
    )
    return "\n\n".join(part for part in parts if part) + "\n"


def _services(document: Mapping[str, Any]) -> str:
    points = [item["id"] for item in document["clouds"][0]["checklist"]]
    ordered = sorted(
        document["targets"],
        key=lambda item: (STATUSES.index(item["verdict"]["status"]), str(item["target"])),
    )
    rows = []
    for target in ordered:
        found = {item["id"]: item["status"] for item in target["checklist"]}
        traffic, enforced = (_ANSWERS[item["answer"]] for item in target["answers"])
        rows.append(
            [
                plain(target["target"], _LONGEST),
                target["cloud"],
                WORDS[target["verdict"]["status"]],
                traffic,
                enforced,
                *(_SIGNS.get(found.get(point, "unknown"), "?") for point in points),
            ]
        )
    return table(("service", "cloud", "verdict", "traffic private", "enforced", *points), rows)
