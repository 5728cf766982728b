# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What several checks of AWS ask of a case."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ...case import Case, Vantage
from ...checks import Judgement
from ...views import View, view
from ..answers import addresses_of
from ..catalogue import CATALOGUE, lookup, probe_hosts

CLOUD = "aws"
PRIVATE = frozenset(("private", "blocked"))
PINNED = frozenset(("pinned",))
BLOCKED = frozenset(("blocked",))
OPEN = frozenset(("open",))

DOCS_ENDPOINTS = "https://docs.aws.amazon.com/bedrock/latest/userguide/vpc-interface-endpoints.html"
DOCS_POLICY = "https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html"
DOCS_CREATE = "https://docs.aws.amazon.com/vpc/latest/privatelink/create-interface-endpoint.html"
DOCS_DNS = "https://docs.aws.amazon.com/vpc/latest/privatelink/privatelink-access-aws-services.html"
DOCS_ZONES = "https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/hosted-zone-private-considerations.html"
DOCS_SCP = (
    "https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html"
)
DOCS_CLOUDTRAIL = (
    "https://docs.aws.amazon.com/bedrock/latest/userguide/logging-using-cloudtrail.html"
)
DOCS_SAGEMAKER_TRAIL = (
    "https://docs.aws.amazon.com/sagemaker/latest/dg/logging-using-cloudtrail.html"
)

Endpoint = Mapping[str, Any]

GATHER = "Gather this part of the evidence with credentials that may read it"


def own_endpoints(case: Case) -> list[Endpoint]:
    """The endpoints in the target's own VPC; empty without evidence."""
    if case.evidence is None:
        return []
    vpc = case.document["vpc"]["id"]
    return [item for item in case.document["endpoints"] if item["vpc_id"] == vpc]


def all_endpoints(case: Case) -> list[Endpoint]:
    """Every endpoint that any evidence of this run knows, peers' and other targets' included; each once."""
    documents = [case.evidence, *case.others] if case.evidence else list(case.others)
    return list(
        {item["id"]: item for document in documents for item in document["endpoints"]}.values()
    )


def full_name(case: Case, service: str) -> str:
    """The full service name for what a probe target or an observation calls a service."""
    known = CATALOGUE.get(service)
    if known is None or case.evidence is None:
        return service
    return known.full_name(str(case.document["region"]))


def short_name(case: Case, service: str) -> str:
    """The catalogue's name of a full service name."""
    known = lookup(service, str(case.document["region"])) if case.evidence else None
    return known.short if known else service


def service_of(case: Case, host: str) -> str | None:
    """The full service name of a host, by its probe target or by what observed it."""
    target = case.probe_target(host)
    if target:
        return full_name(case, target.service)
    return next(
        (
            full_name(case, str(item["service"]))
            for item in case.observations
            if item["host"] == host
        ),
        None,
    )


def hosts_of(case: Case, service: str) -> list[str]:
    """The hosts of a service: what was to be probed, what the cloud offers, or the catalogue's."""
    offered = next(
        (
            item["private_dns_names"]
            for item in case.document["services"]
            if item["name"] == service
        ),
        (),
    )
    named = [host for host in case.hosts() if service_of(case, host) == service]
    named += probe_hosts(service, str(case.document["region"]), offered)
    return list(dict.fromkeys(named))


def has_own(case: Case, host: str) -> bool:
    """Whether the target's VPC has an endpoint for a host; true as long as no evidence says that it lacks one."""
    if case.lacks("endpoints"):
        return True
    service = service_of(case, host)
    return any(item["service"] == service for item in own_endpoints(case))


def expected_addresses(case: Case, host: str, *, anywhere: bool = False) -> set[str]:
    """Where a host must resolve to: the addresses of its endpoints that stand now, else the probe target's.

    anywhere: endpoints of other VPCs count too, as they do for a spoke that has its own.
    """
    service = service_of(case, host)
    endpoints = all_endpoints(case) if anywhere else own_endpoints(case)
    found = {
        address
        for item in endpoints
        if item["service"] == service
        for address in addresses_of(item)
    }
    target = case.probe_target(host)
    if not found and target:
        found = set(target.addresses)
    return found


def private_cidrs(case: Case) -> list[str]:
    """The networks whose addresses count as private besides the private ranges: VPCs may use public ones inside."""
    if case.evidence is None:
        return []
    vpc = case.document["vpc"]
    peers = [cidr for item in case.document["peerings"] for cidr in item["peer_cidrs"]]
    return [*vpc["cidrs"], *vpc["ipv6_cidrs"], *peers]


def look(case: Case, vantage: Vantage, host: str, pinned: str | None = None) -> View | None:
    """What a vantage saw of a host; None when it reported nothing."""
    seen = case.seen(vantage.name, host, pinned=pinned)
    return None if seen is None else view(seen, private_cidrs(case))


def lacking(reasons: Iterable[str], resource: str, expected: str) -> Judgement:
    """Unknown, since the evidence is incomplete; the reasons are Case.lacks's."""
    return Judgement(
        status="unknown",
        resource=resource,
        expected=expected,
        observed="not known: " + "; ".join(reasons),
        fix=GATHER,
    )


def no_endpoint(case: Case, expected: str) -> Judgement:
    """Unknown, since the target's VPC has no AI endpoint that could be judged."""
    return Judgement(
        status="unknown",
        resource=case.target,
        expected=expected,
        observed="the VPC has no AI endpoint",
        fix="Create the endpoints (playbooks/create.yml)",
    )


def unseen(host: str, vantage: Vantage, expected: str, proves: frozenset[str]) -> Judgement:
    """Unknown, since a vantage did not report."""
    return Judgement(
        status="unknown",
        resource=host,
        vantage=vantage.name,
        expected=expected,
        observed="no observation from this vantage",
        fix="Probe from this vantage (playbooks/verify.yml does), and see why it did not report",
        proves=proves,
    )


def resolution(
    case: Case,
    vantage: Vantage,
    host: str,
    *,
    anywhere: bool,
) -> Judgement:
    """Whether a vantage resolves a host, in every answer, to the endpoint's addresses only."""
    wanted = expected_addresses(case, host, anywhere=anywhere)
    expected = (
        "resolves only to " + ", ".join(sorted(wanted))
        if wanted
        else "resolves only to the endpoint's addresses"
    )
    seen = look(case, vantage, host)
    if seen is None:
        return unseen(host, vantage, expected, PRIVATE)

    def judge(status: Any, observed: str, severity: Any = None) -> Judgement:
        return Judgement(
            status=status,
            resource=host,
            vantage=vantage.name,
            expected=expected,
            observed=observed,
            severity=severity,
            proves=PRIVATE,
        )

    if not seen.addresses:
        missing = seen.failure in ("no such name", "no address")
        return judge("fail" if missing else "unknown", seen.failure, "high" if missing else None)
    if not wanted:
        if seen.where == "private":
            return judge("unknown", seen.told() + "; whose addresses these are is not known")
        return judge("fail", seen.told())
    if set(seen.addresses) <= wanted:
        if seen.failure:
            return judge("unknown", f"{seen.told()}; not every answer was seen: {seen.failure}")
        return judge("pass", seen.told())
    return judge("fail", seen.told(), "high" if seen.where == "private" else None)
