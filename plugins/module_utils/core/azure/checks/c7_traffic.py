# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""C7: the diagnostic logs show no call over the public path."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...case import Case
from ...checks import Check, Judgement
from ...contracts import Status
from . import common

_PRIVATE_ONLY = "every logged call came from a private address"
_SHOWN = 10
_SWITCH_ON = (
    "Send the categories Audit and RequestResponse (and AzureOpenAIRequestUsage) of this account to a Log Analytics "
    "workspace by a diagnostic setting, and look again after a while"
)
_REFUSED = frozenset(("401", "403"))

Group = Mapping[str, Any]


def _judge(case: Case) -> Iterator[Judgement]:
    reasons = case.lacks("traffic", "logging")
    reasons = [item for item in reasons if item != "logging was not gathered"]
    if not reasons and case.document["logging"] is not None and not _sent(case):
        yield _said(
            case, "unknown", "no diagnostic setting sends its calls to a workspace", _SWITCH_ON
        )
        return
    traffic = case.document["traffic"] if case.evidence else None
    if not reasons and traffic is None:
        reasons = ["no logs were read"]
    if traffic is None or reasons:
        yield common.lacking(reasons, case.target, _PRIVATE_ONLY)
        return
    yield from _groups(case, traffic)


def _sent(case: Case) -> bool:
    return any(
        item["workspace_id"] and item["categories"] for item in case.document["logging"]["settings"]
    )


def _groups(case: Case, traffic: Mapping[str, Any]) -> Iterator[Judgement]:
    calls = [group for group in traffic["groups"] if not group["probe"]]
    # A refused call shows that logs are kept, and nothing about calls that were served.
    served = [group for group in calls if str(group["error_code"] or "") not in _REFUSED]
    by_path = {
        path: [group for group in served if group["path"] == path]
        for path in ("public", "ambiguous", "private")
    }
    window = f"{traffic['start']} to {traffic['end']}"
    if by_path["public"]:
        yield _said(case, "fail", f"{window}: over the public path: {_listed(by_path['public'])}")
        return
    if by_path["ambiguous"]:
        yield _said(
            case,
            "unknown",
            f"{window}: addresses that say too little: {_listed(by_path['ambiguous'])}",
            "Find these callers by their identity; addresses are logged masked",
        )
    elif not served:
        seen = sum(int(item["count"]) for item in traffic["groups"])
        note = f" but {seen} refused or made by probes" if seen else ""
        yield _said(case, "unknown", f"{window}: no calls were logged{note}", _SWITCH_ON)
    elif not traffic["complete"]:
        fix = "Raise traffic_max_rows or shorten the window"
        yield _said(case, "unknown", f"{window}: the logs were read in part only", fix)
    else:
        total = sum(int(item["count"]) for item in by_path["private"])
        yield _said(case, "pass", f"{window}: {total} calls, all from private addresses")


def _said(case: Case, status: Status, observed: str, fix: str | None = None) -> Judgement:
    account = case.document["account"]
    return Judgement(
        status=status,
        resource=str(account["id"]) if account else case.target,
        severity="medium" if status == "unknown" else None,
        expected=_PRIVATE_ONLY,
        observed=observed,
        fix=fix,
    )


def _listed(groups: Sequence[Group]) -> str:
    ordered = sorted(groups, key=lambda item: (-int(item["count"]), str(item["principal"])))
    texts = [
        f"{item['count']} × {item['operation']} by {item['principal'] or 'an unnamed principal'} "
        f"from {item['source_ip'] or 'no address'}"
        for item in ordered[:_SHOWN]
    ]
    more = len(ordered) - _SHOWN
    return ", ".join(texts) + (f" and {more} more" if more > 0 else "")


CHECK = Check(
    id="azure_c7_traffic",
    cloud=common.CLOUD,
    title="Diagnostic logs show no call over the public path",
    severity="critical",
    why="Configuration says what should happen; the logs say what did, and by whom.",
    fix="Find the callers that are named and give them a private path, before a lock cuts them off",
    needs="traffic of the evidence",
    judge=_judge,
    references=(common.DOCS_LOGS, "NIST SP 800-53 AU-6"),
    checklist=("C7",),
    of_lock=True,
)
