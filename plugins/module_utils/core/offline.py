# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A sealed bundle as the input of validation: every judgement is made again, and compared with what was decided."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .bundle import KIND
from .checklist import checklist, misconfigurations, worst
from .contracts import Finding
from .errors import EndpointError
from .packed import PREFIX, unpack
from .rejudge import rejudged
from .report.runs import judgement
from .validate import Refused


def read_bundle(given: str) -> dict[str, Any]:
    """The bundle in a file, in a folder that holds a bundle.json, or packed; EndpointError when it cannot be read."""
    if given.startswith(PREFIX):
        name, document = f"{given[:40]}…", unpack(given)
    else:
        name, document = _read(Path(given))
    if not isinstance(document, dict) or document.get("kind") != KIND:
        raise EndpointError(
            "is not a sealed bundle", resource=name, fix="Pass the bundle.json of a run"
        )
    return document


def read_bundles(given: str) -> list[dict[str, Any]]:
    """As read_bundle, and of a folder without a bundle.json those in its folders, in the order of their names."""
    if given.startswith(PREFIX):
        return [read_bundle(given)]
    inside = sorted(Path(given).glob("*/bundle.json"))
    if inside and not (Path(given) / "bundle.json").exists():
        return [read_bundle(str(path)) for path in inside]
    return [read_bundle(given)]


def _read(path: Path) -> tuple[str, Any]:
    place = path / "bundle.json" if path.is_dir() else path
    try:
        return str(place), json.loads(place.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise EndpointError(
            f"cannot be read: {error}",
            resource=str(place),
            fix="Pass the bundle.json that role report wrote, or its folder",
        ) from error


def validate_bundle(bundle: Mapping[str, Any], expected_seal: str | None = None) -> dict[str, Any]:
    """The result of validation over all targets of a bundle, and `judgements`, the comparison.

    Refused when a judgement fails the run, or says something else than was recorded; it carries the result.
    """
    runs, compared = rejudged(bundle, expected_seal)
    last = [found for run in runs if (found := judgement(run))]
    documents = [item for result in last for item in result["findings"]]
    findings = [Finding.from_json(item) for item in documents]
    failed = [item for item in compared if item["verdict"] == "fail"]
    changed = [item for item in compared if not item["same"]]
    # A target that stopped before it was judged, or whose run failed, says so in its plan and nowhere else.
    stopped = [run for run in runs if run.get("failure") or not run["results"]]
    by_status = Counter(item.status for item in findings)
    severities = Counter(item.severity for item in findings if item.status == "fail")
    result = {
        "changed": False,
        "findings": documents,
        "summary": {
            "expect": "bundle",
            "verdict": "fail" if failed or stopped or not compared else "pass",
            "expectation_met": bool(last)
            and all(item["summary"]["expectation_met"] for item in last),
            "worst": worst([item.status for item in findings]),
            "findings": len(findings),
            "by_status": {
                name: by_status.get(name, 0)
                for name in ("pass", "fail", "warn", "unknown", "skipped")
            },
            "accepted": sum(item["summary"]["accepted"] for item in last),
            "failed_by_severity": {
                name: severities.get(name, 0) for name in ("critical", "high", "medium", "low")
            },
        },
        "checklist": checklist(findings),
        "misconfigurations": misconfigurations(findings),
        "matrix": [row for item in last for row in item["matrix"]],
        "accepted": [row for item in last for row in item["accepted"]],
        "drift": None,
        "text": "\n\n".join(item["text"] for item in last),
        "proof": None,
        "proof_refused": "what was judged long ago proves nothing about what stands now",
        "judgements": compared,
        "seal": bundle["seal"],
    }
    if changed:
        said = tuple(
            f"{item['target']} {item['label']}: {text}"
            for item in changed
            for text in item["differences"][:3]
        )
        raise Refused("the bundle is whole, but is judged differently now", result, said)
    if failed or stopped or not compared:
        said = tuple(f"{item['target']} {item['label']}: fail, as recorded" for item in failed)
        said += tuple(
            f"{run['target']}: {run.get('failure') or 'was not judged'}" for run in stopped
        )
        raise Refused("what the bundle holds does not pass", result, said)
    return result
