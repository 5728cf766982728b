# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""M7, C6: every host that clients use has an endpoint that serves it, and a perimeter that lets networks call it.

What manages Vertex AI and what runs on it share its hosts: the global one, and one for each region.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...case import Case
from ...checks import Check, Judgement
from ...contracts import Status
from ..bundles import Serves, restrictable, serves, service_of
from ..names import is_vertex
from ..perimeters import accessible
from . import common
from .m1_public_access import enforced, unread
from .m5_placement import elsewhere

_ALL = "an endpoint in the network serves every host that clients use"
_BUNDLE = (
    "Set bundle: all-apis for this network (private_ai.endpoints.vertex_psc_endpoint, playbooks/create.yml), which "
    "changes in place; or leave the host out of extra_hosts"
)
_SERVICES = (
    "Add the service to accessible_services of private_ai.endpoints.vertex_lockdown, or RESTRICTED-SERVICES where the "
    "perimeter restricts it"
)


def _judge(case: Case) -> Iterator[Judgement]:
    reasons = case.lacks("endpoints", "network")
    if reasons:
        yield common.lacking(reasons, case.target, _ALL)
        return
    if elsewhere(case):
        # An endpoint in a network out of reach is M5's.
        return
    for host in case.hosts():
        yield _host(case, host)
    for host in case.hosts():
        if not common.has_own(case, host):
            yield from _without_endpoint(case, host)


def _host(case: Case, host: str) -> Judgement:
    if not common.own_endpoints(case):
        return _said("fail", host, "the network has no endpoint for Google APIs")
    answers = _answers(case, host)
    if answers["no"]:
        why = f"{', '.join(answers['no'])} serves only APIs that VPC Service Controls supports"
        return _said("fail", host, why, fix=_BUNDLE)
    closed = _closed(case, host)
    if closed:
        return _said("fail", host, closed, fix=_SERVICES)
    if answers["unknown"]:
        why = f"whether {', '.join(answers['unknown'])} serves it is not known to this release"
        return _said("unknown", host, why, fix=_BUNDLE)
    planes = "; management and runtime share this host" if is_vertex(host) else ""
    return _said("pass", host, f"{', '.join(answers['yes'])}{planes}")


def _answers(case: Case, host: str) -> dict[Serves, list[str]]:
    """Whether each network of callers has an endpoint that serves a host: answer → bundles and networks."""
    found: dict[Serves, list[str]] = {"yes": [], "unknown": [], "no": []}
    for name in common.endpoint_networks(case):
        # With several endpoints in a network the one that serves more counts.
        bundles = [str(item["bundle"]) for item in common.endpoints(case, name)]
        answers = {serves(bundle, host): bundle for bundle in bundles}
        best = next(key for key in found if key in answers)
        found[best].append(f"bundle {answers[best]} in {common.short(name)}")
    return found


def _closed(case: Case, host: str) -> str | None:
    """Why a perimeter refuses calls of a host from networks inside."""
    if unread(case) or not restrictable(host):
        return None
    service = service_of(host)
    shut = [str(item["id"]) for item in enforced(case) if not accessible(item, service)]
    if shut:
        return f"vpcAccessibleServices of {', '.join(shut)} lack {service}: calls from networks inside are refused"
    return None


def _said(status: Status, resource: str, observed: str, *, fix: str | None = None) -> Judgement:
    return Judgement(status=status, resource=resource, expected=_ALL, observed=observed, fix=fix)


def _without_endpoint(case: Case, host: str) -> Iterator[Judgement]:
    """What inside vantages saw of a host that no endpoint of their network serves: it is private for nobody."""
    for vantage in case.at("inside"):
        seen = common.look(case, vantage, host)
        yield Judgement(
            status="fail",
            resource=host,
            vantage=vantage.name,
            expected="resolves only to the endpoint's addresses",
            observed=(seen.told() if seen else "no observation") + "; no endpoint serves it",
            fix=_BUNDLE if common.own_endpoints(case) else None,
            checklist=("C1", "C6"),
            proves=common.PRIVATE,
        )


CHECK = Check(
    id="gcp_m7_planes",
    cloud=common.CLOUD,
    title="Every host that clients use has an endpoint",
    severity="critical",
    why="Clients call the global host and one for each region, and other APIs beside them: a host that no endpoint "
    "serves goes over the public path, or fails.",
    fix="Run private_ai.endpoints.vertex_psc_endpoint (playbooks/create.yml), and the DNS step after it",
    needs="endpoints and network of the evidence",
    judge=_judge,
    references=(common.DOCS_BUNDLES, common.DOCS_RESTRICTED, common.DOCS_ACCESSIBLE),
    misconfiguration="M7",
    checklist=("C6",),
)
