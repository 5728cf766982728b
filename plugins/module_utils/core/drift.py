# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What changed since an earlier run: findings that are new, worse, still open, fixed, or no longer judged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from .canonical import digest
from .contracts import SCHEMA_VERSION
from .errors import EndpointError

Key: TypeAlias = "tuple[str, str, str, str | None]"

GROUPS: Final = ("new", "worse", "still_open", "fixed", "not_judged")
# How bad a status is. What passes, or was deliberately left out, is closed.
_RANK: Final = {"fail": 3, "unknown": 2, "warn": 1, "pass": 0, "skipped": 0}
_NEEDS: Final = ("check", "target", "resource", "status")


def drift(
    findings: Sequence[Mapping[str, Any]], baseline: Mapping[str, Any] | None
) -> dict[str, Any] | None:
    """`{baseline: {made_at, job, sha256}, counts, new, worse, still_open, fixed, not_judged}`; None without a baseline.

    A finding is the same one when check, target, resource and vantage are. What was open and is not judged any more is
    `not_judged`, never fixed. Each entry is `{check, title, severity, target, resource, vantage, was, now, observed}`,
    where `was` and `now` are statuses, and null where there was none.
    """
    if baseline is None:
        return None
    before, after = _worst(_findings(baseline)), _worst(findings)
    groups: dict[str, list[dict[str, Any]]] = {name: [] for name in GROUPS}
    for key in sorted({*before, *after}, key=lambda item: tuple(str(part) for part in item)):
        group = _group(before.get(key), after.get(key))
        if group:
            groups[group].append(_entry(before.get(key), after.get(key)))
    return {
        "baseline": {
            "made_at": baseline.get("made_at"),
            "job": baseline.get("job"),
            "sha256": digest(baseline),
        },
        "counts": {name: len(groups[name]) for name in GROUPS},
        **groups,
    }


def sentence(found: Mapping[str, Any]) -> str:
    """The drift in one line."""
    counts = found["counts"]
    words = {
        "new": "new",
        "worse": "worse",
        "still_open": "still open",
        "fixed": "fixed",
        "not_judged": "not judged any more",
    }
    return ", ".join(f"{counts[name]} {words[name]}" for name in GROUPS)


def _findings(baseline: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    version = baseline.get("schema_version", SCHEMA_VERSION)
    if version != SCHEMA_VERSION:
        raise EndpointError(
            f"has schema_version {version}, this release reads {SCHEMA_VERSION}",
            resource="baseline",
            fix="Make the baseline again with this release of the collection",
        )
    listed = baseline.get("findings")
    if not isinstance(listed, (list, tuple)):
        raise EndpointError(
            "holds no findings",
            resource="baseline",
            fix="Pass a findings.json of an earlier run, or what private_endpoint_validate returned",
        )
    for index, item in enumerate(listed):
        lacking = [name for name in _NEEDS if not isinstance(item, Mapping) or not item.get(name)]
        if lacking or item["status"] not in _RANK:
            raise EndpointError(
                f"lacks {', '.join(lacking)}" if lacking else f"has the status {item['status']!r}",
                resource=f"baseline.findings[{index}]",
                fix="Pass a findings.json of an earlier run, unchanged",
            )
    return list(listed)


def _worst(findings: Iterable[Mapping[str, Any]]) -> dict[Key, Mapping[str, Any]]:
    """By key; where one check says several things of one resource, the worst of them."""
    found: dict[Key, Mapping[str, Any]] = {}
    for item in findings:
        key = (
            str(item["check"]),
            str(item["target"]),
            str(item["resource"]),
            item.get("vantage"),
        )
        if key not in found or _RANK[item["status"]] > _RANK[found[key]["status"]]:
            found[key] = item
    return found


def _group(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> str | None:
    was = _RANK[before["status"]] if before else 0
    if after is None:
        return "not_judged" if was else None
    now = _RANK[after["status"]]
    if not now:
        # A check that was left out says nothing about what it found before.
        if was and after["status"] == "skipped":
            return "not_judged"
        return "fixed" if was else None
    if not was:
        return "new"
    return "worse" if now > was else "still_open"


def _entry(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> dict[str, Any]:
    shown = after or before or {}
    return {
        "check": shown["check"],
        "title": shown.get("title"),
        "severity": shown.get("severity"),
        "target": shown["target"],
        "resource": shown["resource"],
        "vantage": shown.get("vantage"),
        "was": before["status"] if before else None,
        "now": after["status"] if after else None,
        "observed": shown.get("observed"),
    }
