# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What several checks of AWS ask of a case."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ... import seen_checks
from ...case import Case, Vantage
from ...checks import Judgement
from ...views import View
from ..answers import addresses_of
from ..catalogue import CATALOGUE, lookup, probe_hosts

CLOUD = "aws"
PRIVATE, BLOCKED = seen_checks.PRIVATE, seen_checks.BLOCKED
lacking, unseen = seen_checks.lacking, seen_checks.unseen

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
    return seen_checks.look(case, vantage, host, private_cidrs(case), pinned)


def no_endpoint(case: Case, expected: str) -> Judgement:
    """Unknown, since the target's VPC has no AI endpoint that could be judged."""
    return Judgement(
        status="unknown",
        resource=case.target,
        expected=expected,
        observed="the VPC has no AI endpoint",
        fix="Create the endpoints (playbooks/create.yml)",
    )


def resolution(case: Case, vantage: Vantage, host: str, *, anywhere: bool) -> Judgement:
    """Whether a vantage resolves a host, in every answer, to the endpoint's addresses only."""
    wanted = expected_addresses(case, host, anywhere=anywhere)
    return seen_checks.resolution(look(case, vantage, host), vantage, host, wanted)


def words(case: Case, fixes: Mapping[str, str], otherwise: str) -> seen_checks.Words:
    """What AWS says of its calls, for the judgements that are the same in every cloud."""
    return seen_checks.Words(
        addresses=lambda host, _vantage: expected_addresses(case, host),
        cidrs=tuple(private_cidrs(case)),
        fixes=fixes,
        otherwise=otherwise,
        admitted="a signed read",
    )
