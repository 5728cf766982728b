# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""M2, C1: in the application's own network, every name leads to the endpoint of that network."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ... import seen_checks
from ...case import Case, Vantage
from ...checks import Check, Judgement
from ...contracts import Severity, Status
from ..answers import predict, zone_for
from ..bundles import ALL
from ..egress import common as overlap
from ..egress import spans
from ..names import DOMAIN
from . import common
from .common import Document

_PRIVATE = "the name resolves to the endpoint in the application's network"
_OTHERS = "names of other Google APIs go on resolving"
# What a wrong name means for the traffic, by where it leads.
TRAFFIC = {
    "public": "private endpoint exists, traffic is public",
    "elsewhere": "private endpoint exists, traffic is not on it",
}
_SUBNETS = frozenset(("", "PRIVATE", "PRIVATE_RFC_1918"))
_RESTRICTED_VIP = "199.36.153.4/30"
# No API of Google: what answers for it answers for every name that has no zone of its own.
_ANOTHER = f"another-api.{DOMAIN}"


def _judge(case: Case) -> Iterator[Judgement]:
    yield from _configured(case)
    for host in case.hosts():
        # Without an endpoint in the network the name is not what is wrong (M7, M5).
        if common.has_own(case, host):
            for vantage in case.at("inside"):
                yield common.resolution(case, vantage, host)
    yield from seen_checks.no_inside(case)
    if not case.lacks("network"):
        yield from seen_checks.uncovered_subnets(case, application_subnets(case))


def application_subnets(case: Case) -> list[str]:
    """Paths of the subnets that callers are in: as the option says, else those that machines can be in.

    Only subnets within the application's networks count when those are named.
    """
    if case.application_subnets:
        return list(case.application_subnets)
    network = common.own_network(case)
    allowed = spans(case.application_cidrs)
    return [
        str(item["id"])
        for item in (network["subnets"] if network else ())
        if str(item["purpose"] or "") in _SUBNETS
        and (not allowed or overlap(spans([item["cidr"], *item["secondary"]]), allowed))
    ]


def _configured(case: Case) -> Iterator[Judgement]:
    reasons = case.lacks("network", "endpoints", "dns")
    network = common.own_network(case)
    if not reasons and network is None:
        reasons = ["the network was not read"]
    if reasons or network is None:
        yield common.lacking(reasons, case.target, _PRIVATE)
        return
    network_id = str(network["id"])
    for host in case.hosts():
        if common.has_own(case, host) and common.own_endpoints(case):
            yield _host(case, host, network_id)
    yield from broken_zones(case, network_id)


def _host(case: Case, host: str, network_id: str) -> Judgement:
    wanted = common.addresses(common.own_endpoints(case))
    found = predict(host, network_id, case.document, wanted)
    seen = resolved(case, host, case.at("inside"))
    if found.kind in TRAFFIC and not (found.kind == "public" and seen):
        return _said("fail", host, f"{TRAFFIC[found.kind]}: {found.by}")
    if found.kind == "private":
        return _said("pass", host, found.by)
    text = f"not known by configuration: {found.by}"
    text += "; every inside vantage resolves it rightly" if seen else ""
    return _said("unknown", host, text, excused=seen, severity="medium" if seen else None)


def resolved(case: Case, host: str, vantages: Iterable[Vantage]) -> bool:
    """Whether every one of these vantages saw the name lead to the endpoint, by whatever zone."""
    judged = [common.resolution(case, vantage, host).status for vantage in vantages]
    return bool(judged) and all(status == "pass" for status in judged)


def broken_zones(case: Case, network_id: str) -> Iterator[Judgement]:
    """Private zones that answer for the whole of googleapis.com in a network, and what they do to other APIs."""
    zone = zone_for(_ANOTHER, network_id, case.document)
    # What another network resolves is judged there.
    if zone is None or zone["peering_network_id"]:
        return
    found = predict(_ANOTHER, network_id, case.document, ())
    where = f"it answers for all of {DOMAIN} in {common.short(network_id)}"
    if found.kind == "elsewhere" and not found.addresses:
        yield _zone(
            "fail",
            zone,
            f"{where}, and has no record *.{DOMAIN} that leads on: names of all other Google APIs do not exist there",
        )
    elif set(found.addresses) & _narrow(case) or _restricted(found.addresses):
        yield _zone(
            "warn",
            zone,
            f"{where}, and leads every other name to what serves only APIs that VPC Service Controls supports",
        )
    elif found.kind == "elsewhere":
        yield _zone("pass", zone, f"{where}, and its record *.{DOMAIN} leads on")


def _narrow(case: Case) -> set[str]:
    return common.addresses(item for item in common.endpoints(case) if item["bundle"] != ALL)


def _restricted(values: Iterable[str]) -> bool:
    return bool(overlap(spans(values), spans([_RESTRICTED_VIP])))


def _zone(status: Status, zone: Document, observed: str) -> Judgement:
    return Judgement(
        status=status,
        severity="high",
        resource=str(zone["id"]),
        expected=_OTHERS,
        observed=observed,
        fix=f"Make a zone for each exact name with private_ai.endpoints.vertex_private_dns (playbooks/dns.yml), and "
        f"then detach the zone for {DOMAIN} from this network, or give it a record *.{DOMAIN}; a person has to, "
        "since this collection changes no names but Vertex AI's",
    )


def _said(
    status: Status,
    resource: str,
    observed: str,
    *,
    excused: bool = False,
    severity: Severity | None = None,
) -> Judgement:
    return Judgement(
        status=status,
        resource=resource,
        expected=_PRIVATE,
        observed=observed,
        excused=excused,
        severity=severity,
    )


CHECK = Check(
    id="gcp_m2_names",
    cloud=common.CLOUD,
    title="Names lead to the endpoint from the application's subnets",
    severity="critical",
    why="A private endpoint whose names still resolve publicly carries no traffic: prompts and answers go over the "
    "public path, and a lock would cut the callers off. Regional names are names of their own: a record "
    "*.aiplatform.googleapis.com does not match them.",
    fix="Run private_ai.endpoints.vertex_private_dns (playbooks/dns.yml), which makes or finds a zone per exact name "
    "and keeps its record right; take away a rule of a response policy that leads elsewhere",
    needs="network, endpoints and dns of the evidence, and observations by name from inside vantages",
    judge=_judge,
    references=(common.DOCS_DNS, common.DOCS_ENDPOINT, "NIST SP 800-53 SC-7"),
    misconfiguration="M2",
    checklist=("C1",),
)
