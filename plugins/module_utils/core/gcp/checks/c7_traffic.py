# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""C7: the audit logs show no call over the public path."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...case import Case
from ...checks import Check, Judgement
from ...contracts import Status
from ..bundles import VERTEX
from . import common

_PRIVATE_ONLY = "every logged call came from a network inside"
_SHOWN = 10
_SWITCH_ON = (
    f"Switch on Data Access audit logs (DATA_READ and DATA_WRITE) of {VERTEX} in the project's IAM policy, read them "
    "with roles/logging.privateLogViewer, and look again after a while"
)
_DATA = frozenset(("DATA_READ", "DATA_WRITE"))
_EVERY = "allServices"
# google.rpc.Code of PERMISSION_DENIED and UNAUTHENTICATED, and what HTTP makes of them.
_REFUSED = frozenset(("7", "16", "401", "403", "PERMISSION_DENIED", "UNAUTHENTICATED"))

Group = Mapping[str, Any]


def _judge(case: Case) -> Iterator[Judgement]:
    reasons = case.lacks("traffic")
    reasons += [
        f"{item['action']} failed ({item['code']})"
        for item in (case.evidence or {}).get("missing", ())
        if item["part"] == "logging"
    ]
    traffic = case.document["traffic"] if case.evidence else None
    if not reasons and traffic is None:
        reasons = ["no logs were read"]
    if traffic is None or reasons:
        yield common.lacking(reasons, case.target, _PRIVATE_ONLY)
        return
    yield from _groups(case, traffic)


def _switched_off(case: Case) -> str | None:
    """Why calls of some kind leave no entry; None when all do, or when that is not known."""
    logging = case.document["logging"]
    if logging is None:
        return None
    audit = logging["audit"]
    on = {str(kind) for name in (VERTEX, _EVERY) for kind in audit.get(name, ())}
    off = sorted(_DATA - on)
    return f"{' and '.join(off)} of {VERTEX} is not logged" if off else None


def _groups(case: Case, traffic: Mapping[str, Any]) -> Iterator[Judgement]:
    calls = [group for group in traffic["groups"] if not group["probe"]]
    # A refused call shows that logs are kept, and nothing about calls that were served.
    served = _once([group for group in calls if not _refused(group)])
    by_path = {
        path: [group for group in served if group["path"] == path]
        for path in ("public", "ambiguous", "private")
    }
    window, off = f"{traffic['start']} to {traffic['end']}", _switched_off(case)
    if by_path["public"]:
        yield _said(case, "fail", f"{window}: over the public path: {_listed(by_path['public'])}")
    elif off:
        yield _said(case, "unknown", f"{window}: {off}", _SWITCH_ON)
    elif served and not traffic["complete"]:
        fix = "Raise traffic_max_entries or shorten the window"
        yield _said(case, "unknown", f"{window}: the logs were read in part only", fix)
    elif by_path["ambiguous"]:
        yield _said(
            case,
            "warn",
            f"{window}: from networks, with the machine's external address: {_listed(by_path['ambiguous'])}",
            "A machine with an external address is logged with it even when it calls through the endpoint: take the "
            "external address away, or see by a probe that its names lead to the endpoint",
        )
    elif not served:
        seen = sum(int(item["count"]) for item in traffic["groups"])
        note = f" but {seen} refused or made by probes" if seen else ""
        yield _said(case, "unknown", f"{window}: no calls were logged{note}", _SWITCH_ON)
    elif exempted := (case.document["logging"] or {}).get("exempted"):
        yield _said(
            case,
            "warn",
            f"{window}: no call over the public path, but calls of {', '.join(exempted)} are not logged",
            "Take the exempted members out of the project's audit configuration",
        )
    else:
        total = sum(int(item["count"]) for item in by_path["private"])
        yield _said(case, "pass", f"{window}: {total} calls, all from networks inside")


def _refused(group: Group) -> bool:
    violation = group["violation"]
    if violation:
        return not violation["dry_run"]
    return str(group["error_code"] or "").upper() in _REFUSED


def _once(groups: Sequence[Group]) -> list[Group]:
    """Without entries of a dry run for calls that have an entry of their own: both speak of the same calls."""

    def who(group: Group) -> tuple[Any, ...]:
        return group["principal"], group["operation"], group["source_ip"]

    known = {who(group) for group in groups if not group["violation"]}
    return [group for group in groups if not group["violation"] or who(group) not in known]


def _said(case: Case, status: Status, observed: str, fix: str | None = None) -> Judgement:
    project = case.document["project"]
    return Judgement(
        status=status,
        resource=f"projects/{project['id']}" if project else case.target,
        severity="medium" if status in ("unknown", "warn") else None,
        expected=_PRIVATE_ONLY,
        observed=observed,
        fix=fix,
    )


def _listed(groups: Sequence[Group]) -> str:
    ordered = sorted(groups, key=lambda item: (-int(item["count"]), str(item["principal"])))
    texts = [
        f"{item['count']} × {str(item['operation']).rpartition('.')[2]} "
        f"by {item['principal'] or 'an unnamed principal'} from {item['source_ip'] or 'no address'}"
        for item in ordered[:_SHOWN]
    ]
    more = len(ordered) - _SHOWN
    return ", ".join(texts) + (f" and {more} more" if more > 0 else "")


CHECK = Check(
    id="gcp_c7_traffic",
    cloud=common.CLOUD,
    title="Audit logs show no call over the public path",
    severity="critical",
    why="Configuration says what should happen; the logs say what did, and by whom.",
    fix="Find the callers that are named and give them a private path, before a lock cuts them off",
    needs="traffic of the evidence",
    judge=_judge,
    references=(common.DOCS_LOGS, "NIST SP 800-53 AU-6"),
    checklist=("C7",),
    of_lock=True,
)
