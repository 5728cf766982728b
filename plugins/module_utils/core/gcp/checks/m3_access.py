# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""M3, C4: who may call Vertex AI is narrow: by ingress rules, by what a perimeter gives its networks, and by IAM."""

from __future__ import annotations

from collections.abc import Iterator

from ...case import Case
from ...checks import Check, Judgement
from ...contracts import Severity, Status
from ..perimeters import ingress
from . import common
from .common import Document
from .m1_public_access import enforced, unread

_RULES = "ingress rules name who may come in, and from where"
_SERVICES = "vpcAccessibleServices lists the services that networks inside may call"
_NARROW = "roles that call Vertex AI are granted in this project, to principals of the organisation"
_PUBLIC = frozenset(("allUsers", "allAuthenticatedUsers"))
_BASIC = frozenset(("roles/owner", "roles/editor"))
_WIDE = ("organizations/", "folders/")
_GRANT = (
    "Grant roles/aiplatform.user in this project to the identities that call it, then remove the wide binding (gcloud "
    "projects remove-iam-policy-binding); a person has to, since this collection does not change grants"
)


def _judge(case: Case) -> Iterator[Judgement]:
    yield from _perimeters(case)
    reasons = case.lacks("access")
    if not reasons and case.document["access"] is None:
        reasons = ["the project's IAM policy was not read"]
    if reasons:
        yield common.lacking(reasons, case.target, _NARROW)
        return
    yield from _bindings(case)


def _perimeters(case: Case) -> Iterator[Judgement]:
    reasons = unread(case)
    if reasons:
        yield common.lacking(reasons, case.target, _RULES)
        return
    found = enforced(case)
    if not found:
        yield Judgement(
            status="warn",
            severity="low",
            resource=f"projects/{case.document['project']['id']}",
            expected=_RULES,
            observed="no enforced perimeter restricts Vertex AI, so that IAM alone says who may call it",
            fix="Run playbooks/lockdown.yml",
        )
    for perimeter in found:
        yield _ingress(case, perimeter)
        yield _services(perimeter)


def _ingress(case: Case, perimeter: Document) -> Judgement:
    resource = str(perimeter["id"])
    rules = ingress(perimeter, str(case.document["project"]["number"]))
    fix = "Name identities and sources in the ingress rule, or take it out; its owner has to where another team made it"
    anybody = [item.said() for item in rules if item.everybody and item.anywhere]
    if anybody:
        return _said("fail", resource, _RULES, "; ".join(anybody), fix=fix)
    half = [item.said() for item in rules if item.everybody or item.anywhere]
    if half:
        return _said("warn", resource, _RULES, "; ".join(half), fix=fix)
    said = "; ".join(item.said() for item in rules)
    return _said("pass", resource, _RULES, said or "no ingress rule lets calls of Vertex AI in")


def _services(perimeter: Document) -> Judgement:
    resource, services = str(perimeter["id"]), perimeter["accessible_services"] or {}
    if not services.get("enabled"):
        return _said(
            "warn",
            resource,
            _SERVICES,
            "it is not set: networks inside may call every Google API, which data can leave by",
            severity="medium",
            fix="Run private_ai.endpoints.vertex_lockdown with accessible_services: [RESTRICTED-SERVICES] and what "
            "else callers need",
        )
    return _said("pass", resource, _SERVICES, ", ".join(services.get("allowed") or ()) or "none")


def _bindings(case: Case) -> Iterator[Judgement]:
    found = list(case.document["access"]["bindings"])
    problems = [judged for item in found for judged in _binding(item)]
    yield from problems
    unread = [item for item in case.document["missing"] if item["part"] == "inherited"]
    if unread:
        where = ", ".join(sorted({str(item["resource"]) for item in unread}))
        problems.append(
            _said(
                "warn",
                where,
                _NARROW,
                "what the project inherits could not be read",
                severity="medium",
                fix="Read the IAM policies of its folders and organisation with credentials that may",
            )
        )
        yield problems[-1]
    if not problems:
        project = (case.document["project"] or {}).get("id", case.target)
        yield _said(
            "pass",
            f"projects/{project}",
            _NARROW,
            f"{len(found)} bindings of roles that call Vertex AI, all in this project and to named principals",
        )


def _binding(item: Document) -> Iterator[Judgement]:
    role, place = str(item["role"]), str(item["resource"])
    members = [str(member) for member in item["members"]]
    public = [member for member in members if member in _PUBLIC]
    domains = [member for member in members if member.startswith("domain:")]
    condition = " under a condition" if item["condition"] else ""

    def judge(
        status: Status, observed: str, severity: Severity | None = None, fix: str | None = _GRANT
    ) -> Judgement:
        observed = f"{role}{condition} {observed}"
        return _said(status, place, _NARROW, observed, severity=severity, fix=fix)

    if public:
        # Other predefined roles do not call Vertex AI; what a custom one does is not known here.
        calls = role in _BASIC or role.startswith("roles/aiplatform.")
        calls = calls or not role.startswith("roles/")
        status: Status = "fail" if calls else "warn"
        yield judge(status, f"is granted to {', '.join(public)}", "critical")
    elif place.startswith(_WIDE):
        status = "warn" if condition or role in _BASIC else "fail"
        # Somebody administers an organisation; that is worth a look, and no more.
        severity: Severity | None = "low" if role in _BASIC else None
        observed = f"is granted to {_listed(members)}, so in every project below {place}"
        yield judge(status, observed, severity)
    elif role in _BASIC:
        yield judge("warn", f"is granted to {_listed(members)}: it lets call everything", "medium")
    elif domains:
        yield judge("warn", f"is granted to everybody of {', '.join(domains)}", "medium")


def _listed(members: list[str]) -> str:
    shown = 3
    more = len(members) - shown
    return ", ".join(members[:shown]) + (f" and {more} more" if more > 0 else "")


def _said(
    status: Status,
    resource: str,
    expected: str,
    observed: str,
    *,
    severity: Severity | None = None,
    fix: str | None = None,
) -> Judgement:
    return Judgement(
        status=status,
        resource=resource,
        expected=expected,
        observed=observed,
        severity=severity,
        fix=fix,
    )


CHECK = Check(
    id="gcp_m3_access",
    cloud=common.CLOUD,
    title="Few may call Vertex AI",
    severity="high",
    why="An ingress rule for anybody from anywhere takes the lock away; and from inside the network, whoever holds a "
    "widely granted role reaches the models.",
    fix=_GRANT,
    needs="perimeter and access of the evidence",
    judge=_judge,
    references=(
        common.DOCS_INGRESS,
        common.DOCS_ACCESSIBLE,
        common.DOCS_ROLES,
        "NIST SP 800-53 AC-6",
    ),
    misconfiguration="M3",
    checklist=("C4",),
)
