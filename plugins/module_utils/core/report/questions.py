# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The two questions that everybody asks first, answered for each target in words that need no networking.

Is the traffic private? An endpoint alone does not make it so: without the name leading there, clients go on calling the
public address. Is that enforced? A permission of single callers is no enforcement: it binds those callers only, and
their administrators can take it away.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from .clean import line

TRAFFIC: Final = "Does the traffic take the private endpoint?"
ENFORCED: Final = "Is the public path shut by a rule that callers cannot lift?"
_SHOWN: Final = 3
_CALLERS: Final = ("inside", "spoke")

_RULES: Final[Mapping[str, str]] = {
    "aws": "a service control policy of the organisation",
    "azure": "the account's own public network access setting",
    "gcp": "an enforced VPC Service Controls perimeter",
}
_NOT_RULES: Final[Mapping[str, str]] = {
    "aws": "An identity policy alone is not accepted as enforcement: it binds one principal only, and "
    "administrators of "
    "the account can remove it.",
    "azure": "Roles and keys are not accepted as enforcement: they say who may call, not from where, and whoever holds "
    "them can call from anywhere.",
    "gcp": "IAM roles and a dry-run perimeter are not accepted as enforcement: roles do not say from where "
    "somebody may "
    "call, and a dry run refuses nobody.",
}


def answers(target: Mapping[str, Any], run: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Both answers: `{id, question, answer: yes|no|unknown, text, because: [sentences]}`.

    target: as `runs.target` makes it. run: what was remembered, with `findings` of its judgement.
    """
    findings = [item for item in run["findings"] if item["target"] == target["target"]]
    return [
        {"id": "traffic", "question": TRAFFIC, **_traffic(target, run.get("evidence"), findings)},
        {"id": "enforced", "question": ENFORCED, **_enforced(target, findings)},
    ]


def _traffic(
    target: Mapping[str, Any],
    evidence: Mapping[str, Any] | None,
    findings: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    rows = [row for row in target["matrix"] if row["position"] in _CALLERS]
    named = [row for row in rows if not str(row["cell"]).startswith("pinned")]
    public = [row for row in named if row["where"] in ("public", "mixed")]
    wrong = _of(findings, "fail", ("M2", "M6", "M7"), ("C1", "C2", "C6"))
    said_public = [item for item in wrong if "traffic is public" in str(item["observed"])]
    exists = _has_endpoint(evidence, findings)
    if public or said_public:
        causes = [item for item in wrong if item["vantage"] is None] or wrong
        if exists is False:
            text = "There is no private endpoint: all traffic is public."
        elif len(public) < len(named) and not said_public:
            text = (
                f"Private endpoint exists, part of the traffic is public: {_count(public)} of "
                f"{_count(named)} places still call the public address of at least one service."
            )
        else:
            text = (
                "Private endpoint exists, traffic is public: clients still find the public address under the "
                "service's name."
            )
            if exists is None:
                text = (
                    "Traffic is public: clients find the public address under the service's name."
                )
        if target["cloud"] == "azure" and exists and _lacks_zone(causes):
            text += (
                " The private DNS zone, or its link to the clients' network, is missing. Locking now would cut the "
                "clients off, so lockdown refuses until names lead to the endpoint."
            )
        elif exists:
            text += " Locking now would cut these clients off, so lockdown refuses until names lead to the endpoint."
        return _answer("no", text, _because(causes, public))
    if exists is False:
        return _answer(
            "no", "There is no private endpoint: all traffic is public.", _because(wrong)
        )
    if wrong:
        return _answer(
            "no",
            "Some networks or services are not on the private endpoint.",
            _because(wrong),
        )
    open_questions = _of(findings, "unknown", ("M2", "M6"), ("C1", "C2"))
    private = [row for row in named if row["where"] == "private"]
    if not private or len(private) < len(named) or open_questions:
        text = "Not every place that traffic comes from was seen."
        return _answer("unknown", text, _because(open_questions) or [_nothing(target)])
    return _answer(
        "yes",
        f"From all {_count(private)} places that were looked from, every name of the service leads to the private "
        "endpoint.",
        [],
    )


def _enforced(target: Mapping[str, Any], findings: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    cloud = str(target["cloud"])
    rule = _RULES.get(cloud, "a rule of the cloud")
    judged = [item for item in findings if item.get("misconfiguration") == "M1"]
    failed = [item for item in judged if item["status"] == "fail"]
    rows = [row for row in target["matrix"] if row["position"] == "outside"]
    by_identity = [row for row in rows if row["outcome"] in ("denied_identity", "denied_other")]
    note = _NOT_RULES.get(cloud, "")
    if failed:
        text = f"The public path is not shut by {rule}. {note}"
        if any(row["outcome"] == "admitted" for row in rows):
            text = f"A call from outside was let in. {note}"
        return _answer("no", text.strip(), _because(failed))
    opted = [item for item in judged if item["status"] == "warn"]
    if opted:
        return _answer(
            "no",
            f"The rule does not bind everybody yet. {note}".strip(),
            _because(opted),
        )
    passed = [item for item in judged if item["status"] == "pass"]
    open_questions = [item for item in judged if item["status"] == "unknown"]
    if passed and not open_questions:
        refused = any(str(row["outcome"]).startswith("denied") for row in rows)
        seen = ", and calls from outside were seen to be refused" if refused else ""
        how = "" if seen else " This is known by configuration; nobody was seen to be refused."
        by_settings = [item for item in passed if not item["vantage"]]
        return _answer("yes", f"By {rule}{seen}.{how}", _because(by_settings or passed))
    text = "It was not seen that the cloud itself refuses calls from outside."
    if by_identity:
        text = f"Calls from outside were denied, but not by {rule}. {note}"
    return _answer("unknown", text.strip(), _because(open_questions) or [_nothing(target)])


def _has_endpoint(
    evidence: Mapping[str, Any] | None, findings: Iterable[Mapping[str, Any]]
) -> bool | None:
    """Whether the evidence knows an endpoint; None when it does not say."""
    if evidence and "endpoints" in (evidence.get("gathered") or ()):
        return bool(evidence.get("endpoints"))
    if any("private endpoint exists" in str(item["observed"]) for item in findings):
        return True
    return None


def _lacks_zone(findings: Iterable[Mapping[str, Any]]) -> bool:
    return any("zone" in str(item["observed"]).lower() for item in findings)


def _of(
    findings: Iterable[Mapping[str, Any]],
    status: str,
    misconfigurations: Sequence[str],
    points: Sequence[str],
) -> list[Mapping[str, Any]]:
    """Findings of this status that count for one of these."""
    return [
        item
        for item in findings
        if item["status"] == status
        and (
            item.get("misconfiguration") in misconfigurations
            or set(item.get("checklist") or ()) & set(points)
        )
    ]


def _because(
    findings: Iterable[Mapping[str, Any]], rows: Iterable[Mapping[str, Any]] = ()
) -> list[str]:
    listed = [f"{line(item['resource'], 160)}: {line(item['observed'], 180)}" for item in findings]
    listed += [f"{row['vantage']} found {row['host']}: {row['cell']}" for row in rows]
    listed = list(dict.fromkeys(listed))
    more = len(listed) - _SHOWN
    return [*listed[:_SHOWN], *([f"and {more} more, see the findings"] if more > 0 else [])]


def _count(rows: Iterable[Mapping[str, Any]]) -> int:
    return len({row["vantage"] for row in rows})


def _nothing(target: Mapping[str, Any]) -> str:
    return (
        "The run stopped before this could be judged."
        if target["failure"]
        else "It was not judged."
    )


def _answer(answer: str, text: str, because: list[str]) -> dict[str, Any]:
    return {"answer": answer, "text": text, "because": because}
