# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""M1, C3: Google refuses calls that come from outside, to everyone, by an enforced service perimeter."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ...case import Case, Vantage
from ...checks import Check, Judgement
from ...contracts import Severity, Status
from ...views import LOCK_REFUSALS, WORDS, View
from ..bundles import VERTEX
from ..names import project_of
from ..perimeters import holds, holds_network, ingress, locks, regular
from . import common
from .common import Document

_LOCKED = f"an enforced perimeter holds the project, restricts {VERTEX}, and lets nobody in"
_INSIDE = "the project of every network that callers are in is inside the perimeter"
_REFUSED = "an authenticated call on the public path is refused by VPC Service Controls"
_ENFORCE = (
    "Move on to roll_out: enforced with private_ai.endpoints.vertex_lockdown (playbooks/lockdown.yml), which looks at "
    "what the dry run would have refused first"
)


def _judge(case: Case) -> Iterator[Judgement]:
    configured, seen = list(_configured(case)), list(_seen(case))
    # Either way of knowing is enough: what the other leaves unknown is reported, but does not count against C3.
    yield from _excuse(configured, seen)
    yield from _excuse(seen, configured)


def _excuse(judgements: list[Judgement], by: list[Judgement]) -> Iterator[Judgement]:
    counting = [item for item in by if not item.excused]
    excused = bool(counting) and all(item.status == "pass" for item in counting)
    for item in judgements:
        yield replace(item, excused=True) if excused and item.status == "unknown" else item


def unread(case: Case) -> list[str]:
    """Why the perimeters that hold the project are not known."""
    reasons = case.lacks("perimeter")
    if reasons:
        return reasons
    if not (case.document["project"] or {}).get("number"):
        return ["the project's number was not read"]
    return [] if case.document["perimeters"] is not None else ["the perimeters were not read"]


def enforced(case: Case) -> list[Document]:
    """The perimeters that restrict Vertex AI in the project, enforced and not as a dry run."""
    number = str(case.document["project"]["number"])
    return [item for item in regular(case.document["perimeters"]) if locks(item, number)]


def _configured(case: Case) -> Iterator[Judgement]:
    reasons = unread(case)
    if reasons:
        yield common.lacking(reasons, case.target, _LOCKED)
        return
    found = enforced(case)
    if not found:
        yield _unlocked(case)
        return
    for perimeter in found:
        yield from _perimeter(case, perimeter)
        for network_id, network in common.networks(case).items():
            if network_id in common.endpoint_networks(case):
                yield from _network(case, perimeter, network)


def _unlocked(case: Case) -> Judgement:
    project = case.document["project"]
    number, resource = str(project["number"]), f"projects/{project['id']}"
    known = regular(case.document["perimeters"])
    tried = [str(item["id"]) for item in known if locks(item["dry_run"], number)]
    if tried:
        return _said(
            "warn" if case.roll_out == "dry_run" else "fail",
            resource,
            f"only the dry run of {', '.join(tried)} restricts {VERTEX}, and a dry run refuses nobody",
            fix=_ENFORCE,
        )
    holding = [str(item["id"]) for item in known if holds(item, number)]
    if holding:
        return _said(
            "fail",
            resource,
            f"{', '.join(holding)} holds the project and does not restrict {VERTEX}",
        )
    note = ""
    if case.document["organization_policies"]:
        note = (
            " (organisation policies are set: they say what may be used, and not by which path, so they are no "
            "enforcement)"
        )
    return _said("fail", resource, "no enforced perimeter holds the project" + note)


def _perimeter(case: Case, perimeter: Document) -> Iterator[Judgement]:
    resource = str(perimeter["id"])
    rules = ingress(perimeter, str(case.document["project"]["number"]))
    # A rule whose sources are projects or networks opens no public path.
    public = [item for item in rules if item.anywhere or item.levels]
    wide = [item for item in public if item.everybody and item.anywhere]
    if wide:
        yield _said(
            "fail",
            resource,
            "; ".join(item.said() for item in wide),
            fix="Take the ingress rule out of the perimeter, or name identities and sources in it; its owner has to "
            "where another team made it",
        )
        return
    levels = [str(item).rpartition("/")[2] for item in perimeter["access_levels"]]
    admitted = [item.said() for item in public]
    admitted += [f"access level {item} lets in whoever meets it" for item in levels]
    if admitted:
        yield _said(
            "warn",
            resource,
            "it is enforced, and on the public path " + "; ".join(admitted),
            fix="See whether these callers still need the public path, and take the rule or level out if not",
        )
        return
    yield _said("pass", resource, f"by configuration: enforced, it restricts {VERTEX}")


def _network(case: Case, perimeter: Document, network: Document) -> Iterator[Judgement]:
    """A network's calls count as inside by its own project, which a Shared VPC has in the host project."""
    project, network_id = case.document["project"], str(network["id"])
    name = project_of(network_id)
    number = project["number"] if name == project["id"] else network.get("project_number")
    number = str(number) if number else None
    if name == project["id"] or holds_network(perimeter, network_id, number):
        return
    sources = {
        item for rule in ingress(perimeter, str(project["number"])) for item in rule.resources
    }
    if sources & {f"projects/{number}", f"//compute.googleapis.com/{network_id}"}:
        return
    if number is None:
        yield Judgement(
            status="unknown",
            severity="medium",
            resource=network_id,
            expected=_INSIDE,
            observed=f"the number of project {name} was not read, so that {perimeter['id']} cannot be searched for it",
            fix=f"Read project {name} with credentials that may (resourcemanager.projects.get)",
        )
        return
    yield Judgement(
        status="fail",
        severity="high",
        resource=network_id,
        expected=_INSIDE,
        observed=f"project {name} ({number}) is not in {perimeter['id']}, so that calls from this network count as "
        "outside and are refused",
        fix=f"Add project {name} to projects of private_ai.endpoints.vertex_lockdown",
    )


def _said(status: Status, resource: str, observed: str, *, fix: str | None = None) -> Judgement:
    return Judgement(status=status, resource=resource, expected=_LOCKED, observed=observed, fix=fix)


def _seen(case: Case) -> Iterator[Judgement]:
    outside = case.at("outside")
    for host in case.hosts():
        for vantage in outside:
            yield _outside(case, vantage, host)
    if not outside or not case.hosts():
        yield Judgement(
            status="unknown",
            resource=case.target,
            expected=_REFUSED,
            observed="no outside vantage" if not outside else "no host was probed",
            fix="Name a host with vantage_position: outside in the target's vantages, and give its probe a token "
            "(vertex_probe_service_account)",
            proves=common.BLOCKED,
        )


def _outside(case: Case, vantage: Vantage, host: str) -> Judgement:
    seen, target = case.seen(vantage.name, host), case.probe_target(host)
    reads = bool(target.probe_action) if target else bool(seen and seen["action"])
    proves = common.BLOCKED if reads else frozenset[str]()
    read = common.look(case, vantage, host)
    if read is None:
        return common.unseen(host, vantage, _REFUSED, proves)
    severity: Severity | None = None
    if reads:
        status, note = _verdict(read, case.lock)
    else:
        # Other APIs of Google are not what the lock is about.
        status, note, severity = "unknown", "; the host has no read that could be called", "medium"
    return Judgement(
        status=status,
        resource=host,
        vantage=vantage.name,
        expected=_REFUSED,
        observed=read.told() + note,
        severity=severity,
        excused=not reads,
        proves=proves,
    )


def _verdict(read: View, lock: Document | None) -> tuple[Status, str]:
    public = {call.outcome for call in read.calls if call.address in read.addresses}
    if read.where != "public" or not public:
        return "unknown", ": the public path was not tried"
    if "admitted" in public:
        if lock and not lock.get("enforced"):
            return "fail", ", as expected of a dry run, which refuses nobody"
        note = f"; {lock['perimeter_id']} does not refuse it, or not yet" if lock else ""
        return "fail", note
    others = public - LOCK_REFUSALS["gcp"]
    if others == {"unauthenticated"}:
        return "unknown", ": without a token Google asks for one, and says nothing of perimeters"
    if others:
        said = ", ".join(sorted(WORDS[item] for item in others))
        return "unknown", f": {said} is not a perimeter's refusal"
    return "pass", ""


CHECK = Check(
    id="gcp_m1_public_access",
    cloud=common.CLOUD,
    title="The public path is refused",
    severity="critical",
    why="As long as no enforced perimeter restricts Vertex AI, any token with a role in the project works from any "
    "network: the private endpoint is an offer, not a rule.",
    fix="Run playbooks/lockdown.yml, which proves the private path first and then restricts Vertex AI in the "
    "project's perimeter (private_ai.endpoints.vertex_lockdown)",
    needs="perimeter of the evidence, or observations with a token from outside vantages",
    judge=_judge,
    references=(common.DOCS_PERIMETER, common.DOCS_DRY_RUN, "NIST SP 800-53 SC-7"),
    misconfiguration="M1",
    checklist=("C3",),
    of_lock=True,
)
