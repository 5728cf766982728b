# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""M5: the endpoints sit where the application can reach them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ... import seen_checks
from ...case import Case
from ...checks import Check, Judgement
from ..answers import is_up
from ..reachability import blocks
from . import common
from .common import Endpoint

_OPEN = (
    "Open the network ACL or the security group that is named: the group with allowed_cidrs of "
    "private_ai.endpoints.bedrock_vpc_endpoint, the network ACL by hand. If no caller is in that subnet, name the "
    "subnets that callers are in (verify_application_subnets)"
)
_ZONES = "an interface in every zone of the application where the service is offered"
_REACH = "TCP 443 passes from every application subnet"


def _judge(case: Case) -> Iterator[Judgement]:
    reasons = case.lacks("network", "endpoints")
    if reasons:
        yield common.lacking(reasons, case.target, _REACH)
    else:
        yield from _elsewhere(case)
        if not common.all_endpoints(case):
            yield common.no_endpoint(case, _REACH)
        for endpoint in common.own_endpoints(case):
            if is_up(endpoint):
                yield from _zones(case, endpoint)
                yield _reach(case, endpoint)
    words = common.words(case, {}, "")
    for vantage in case.at("inside"):
        yield from seen_checks.connected(case, words, vantage, _OPEN)


def application_subnets(case: Case) -> list[Mapping[str, Any]]:
    """The subnets that callers are in: as the option says, else all of the VPC."""
    subnets: list[Mapping[str, Any]] = list(case.document["subnets"])
    if not case.application_subnets:
        return subnets
    return [item for item in subnets if item["id"] in case.application_subnets]


def elsewhere(case: Case, service: str) -> list[Endpoint]:
    """Endpoints of a service in other VPCs, when the target's own has none."""
    if any(item["service"] == service for item in common.own_endpoints(case)):
        return []
    return [item for item in common.all_endpoints(case) if item["service"] == service]


def _elsewhere(case: Case) -> Iterator[Judgement]:
    wanted = {service for host in case.hosts() if (service := common.service_of(case, host))}
    wanted |= {str(item["service"]) for item in common.all_endpoints(case)}
    for service in sorted(wanted):
        for endpoint in elsewhere(case, service):
            yield Judgement(
                status="fail",
                severity="high",
                resource=str(endpoint["id"]),
                expected=f"an endpoint of {service} in {case.document['vpc']['id']}",
                observed=f"the only one sits in {endpoint['vpc_id']}",
            )


def _zones(case: Case, endpoint: Endpoint) -> Iterator[Judgement]:
    resource = str(endpoint["id"])
    offered = next(
        (
            set(item["availability_zones"])
            for item in case.document["services"]
            if item["name"] == endpoint["service"]
        ),
        None,
    )
    if offered is None:
        reason = f"nothing says in which zones {endpoint['service']} is offered"
        yield common.lacking([reason], resource, _ZONES)
        return
    used = {str(item["az"]) for item in application_subnets(case)}
    present = {
        str(item["az"]) for item in case.document["subnets"] if item["id"] in endpoint["subnet_ids"]
    }
    lacking = sorted((used & offered) - present)
    yield Judgement(
        status="fail" if lacking else "pass",
        severity="medium",
        resource=resource,
        expected=_ZONES,
        observed=f"none in {', '.join(lacking)}" if lacking else f"in {', '.join(sorted(present))}",
    )
    for zone in sorted(used - offered):
        yield Judgement(
            status="warn",
            severity="low",
            resource=resource,
            expected=_ZONES,
            observed=f"{endpoint['service']} is not offered in {zone}: callers there cross zones",
            fix="Nothing is wrong; expect cross-zone traffic costs, and callers that depend on another zone",
        )


def _reach(case: Case, endpoint: Endpoint) -> Judgement:
    reasons = [
        reason
        for subnet in application_subnets(case)
        for reason in blocks(
            case.document, str(subnet["cidr"]), str(subnet["network_acl_id"]), endpoint
        )
    ]
    if not application_subnets(case):
        missing = ["the VPC has none of the application's subnets"]
        return common.lacking(missing, str(endpoint["id"]), _REACH)
    return Judgement(
        status="fail" if reasons else "pass",
        resource=str(endpoint["id"]),
        expected=_REACH,
        observed="; ".join(dict.fromkeys(reasons)) or "nothing in the way",
        fix=_OPEN if reasons else None,
        # A subnet from which no packet gets there loses the service with the name, whether a vantage is in it or not.
        proves=common.PRIVATE if reasons else frozenset(),
    )


CHECK = Check(
    id="aws_m5_placement",
    cloud=common.CLOUD,
    title="Endpoints sit where the application can reach them",
    severity="high",
    why="A caller that cannot reach the endpoint loses the service once its name leads there; one whose "
    "zone has no interface loses it when another zone fails.",
    fix="Run private_ai.endpoints.bedrock_vpc_endpoint with the application's vpc_id and one subnet per "
    "zone (playbooks/create.yml)",
    needs="network and endpoints of the evidence, and observations from inside vantages",
    judge=_judge,
    references=(common.DOCS_CREATE,),
    misconfiguration="M5",
)
