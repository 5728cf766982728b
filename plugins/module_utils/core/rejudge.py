# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From a run to a sealed bundle, and from a bundle back to a run whose decisions are made again.

What was judged is kept as it was passed to the judgement, each document once. A bundle needs neither network nor SDK
nor the inventory: the same checks on the same evidence have to say the same, and where they do not, that is said.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any, Final

from .bundle import Item, opened, seal
from .canonical import digest
from .errors import EndpointError
from .proof import parse_timestamp, timestamp
from .report.clean import scrubbed
from .validate import Refused, Request, validate

# What a request holds beside evidence and observations, which are entries of their own.
_OPTIONS: Final = tuple(
    item.name for item in fields(Request) if item.name not in ("evidence", "observations", "now")
)
_DECIDED: Final = ("check", "target", "resource", "vantage", "status", "severity")
_KEPT: Final = ("target", "cloud", "failure", "steps", "preview", "scope")


def sealed(
    remembered: Iterable[Mapping[str, Any]], *, header: Mapping[str, Any], now: datetime
) -> dict[str, Any]:
    """The bundle of a run. remembered: what the playbooks keep of each target, with the requests of its judgements."""
    items = [Item(kind="header", name=str(header.get("job") or "run"), content=dict(header))]
    known: dict[str, None] = {}

    def keep(kind: str, name: str, content: Any) -> str:
        """Each document once; its digest is how a request refers to it."""
        found = digest(content)
        if found not in known:
            known[found] = None
            items.append(Item(kind=kind, name=name, content=content))
        return found

    for run in map(scrubbed, remembered):
        name = str(run["target"])
        items.append(Item(kind="plan", name=name, content={key: run.get(key) for key in _KEPT}))
        if run.get("evidence"):
            keep("evidence", name, run["evidence"])
        for label, result in (run.get("results") or {}).items():
            request = result.get("request")
            if not request:
                continue
            content = {
                "target": name,
                "label": label,
                "judged_at": request.get("judged_at") or timestamp(now),
                "evidence": [
                    keep("evidence", str(item.get("target")), item)
                    for item in request.get("evidence") or []
                ],
                "observations": keep("observations", f"{name} {label}", result["observations"]),
                "vantages": result.get("vantages") or [],
                "options": {
                    key: request[key] for key in _OPTIONS if key in request and key != "vantages"
                },
            }
            items.append(Item(kind="request", name=f"{name} {label}", content=content))
            items.append(Item(kind="decision", name=f"{name} {label}", content=_decision(result)))
    return seal(items)


def rejudged(
    bundle: Mapping[str, Any], expected_seal: str | None = None
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The run, judged again, and a comparison of the decisions; EndpointError for a bundle that was tampered with.

    The comparison has `{target, label, verdict, recorded, same, differences}` for each judgement.
    """
    items = opened(bundle, expected_seal)
    documents = {digest(item.content): item.content for item in items}
    runs: dict[str, dict[str, Any]] = {}
    compared = []
    for item in items:
        if item.kind == "plan":
            runs[item.name] = {**item.content, "target": item.name, "results": {}}
        elif item.kind == "request":
            content = item.content
            decisions = [x.content for x in items if x.kind == "decision" and x.name == item.name]
            if len(decisions) != 1 or content["target"] not in runs:
                raise EndpointError(
                    "has not one decision and one plan beside it", resource=f"request {item.name}"
                )
            (decision,) = decisions
            result = _judge(content, documents, item.name)
            runs[content["target"]]["results"][content["label"]] = result
            if result["request"]["evidence"]:
                runs[content["target"]]["evidence"] = _own(content, documents)
            compared.append(_compare(content, decision, result))
    for item in items:
        if item.kind == "evidence" and item.name in runs:
            runs[item.name].setdefault("evidence", item.content)
    return list(runs.values()), compared


def header_of(bundle: Mapping[str, Any]) -> dict[str, Any]:
    """The header of a bundle that was opened before."""
    return dict(bundle["entries"][0]["content"])


def _judge(content: Mapping[str, Any], documents: Mapping[str, Any], name: str) -> dict[str, Any]:
    wanted = [*content["evidence"], content["observations"]]
    if any(item not in documents for item in wanted):
        raise EndpointError(
            "refers to a document that the bundle does not hold", resource=f"request {name}"
        )
    evidence = [documents[item] for item in content["evidence"]]
    observations = documents[content["observations"]]
    known = {key: value for key, value in content["options"].items() if key in _OPTIONS}
    request = Request(
        **{key: value for key, value in known.items() if value is not None},
        evidence=evidence,
        observations=observations,
        vantages=content["vantages"],
        now=parse_timestamp(content["judged_at"]),
    )
    try:
        result = validate(request)
    except Refused as refused:
        result = {**refused.as_result(), "msg": refused.message}
    return {
        **result,
        "observations": observations,
        "vantages": content["vantages"],
        "request": {**known, "evidence": evidence, "judged_at": content["judged_at"]},
    }


def _own(content: Mapping[str, Any], documents: Mapping[str, Any]) -> Any:
    found = [documents[item] for item in content["evidence"]]
    return next((item for item in found if item.get("target") == content["target"]), found[0])


def _decision(result: Mapping[str, Any]) -> dict[str, Any]:
    rows = sorted(
        ([item.get(key) for key in _DECIDED] for item in result.get("findings") or []), key=str
    )
    return {
        "verdict": (result.get("summary") or {}).get("verdict"),
        "expectation_met": (result.get("summary") or {}).get("expectation_met"),
        "findings": rows,
    }


def _compare(
    content: Mapping[str, Any], recorded: Mapping[str, Any], result: Mapping[str, Any]
) -> dict[str, Any]:
    again = _decision(result)
    differences = _differences(recorded.get("findings") or [], again["findings"])
    if recorded.get("verdict") != again["verdict"]:
        differences.insert(
            0, f"the verdict was {recorded.get('verdict')} and is {again['verdict']}"
        )
    return {
        "target": content["target"],
        "label": content["label"],
        "verdict": again["verdict"],
        "recorded": recorded.get("verdict"),
        "same": not differences,
        "differences": differences,
    }


def _differences(before: Sequence[Any], after: Sequence[Any]) -> list[str]:
    old, new = ([str(list(row)) for row in rows] for rows in (before, after))
    return [f"no longer said: {row}" for row in old if row not in new] + [
        f"newly said: {row}" for row in new if row not in old
    ]
