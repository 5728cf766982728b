# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""M5: the endpoint sits in the application's network, outside its subnets, and the application can reach it there."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from ... import seen_checks
from ...case import Case
from ...checks import Check, Judgement
from ...contracts import Severity, Status
from ..addresses import AUTO_MODE
from ..egress import common as overlap
from ..egress import spans, walk
from . import common
from .common import Document
from .m2_names import application_subnets

_OPEN = (
    "Let TCP 443 out to the endpoint's address: allowed_cidrs of private_ai.endpoints.vertex_psc_endpoint, other "
    "rules by hand; and switch on Private Google Access for the subnet (private_google_access_subnets)"
)
_NEAR = "an endpoint in the application's network, since peerings carry nothing to it"
_FREE = "the endpoint's address lies outside every subnet range and static route of the network and its peers"
_REACH = "TCP 443 passes from every application subnet"
_ACCESS = "Private Google Access is on in every application subnet"


def _judge(case: Case) -> Iterator[Judgement]:
    reasons = case.lacks("network", "endpoints")
    network = common.own_network(case)
    if not reasons and network is None:
        reasons = ["the network was not read"]
    if reasons or network is None:
        yield common.lacking(reasons, case.target, _REACH)
    else:
        if elsewhere(case):
            yield from _elsewhere(case, network)
        elif not common.own_endpoints(case):
            yield common.no_endpoint(case, _NEAR)
        for endpoint in common.own_endpoints(case):
            yield _placed(case, network, endpoint)
            yield _reach(case, network, endpoint)
        yield from _access(case, network)
    words = common.words(case, {}, "")
    for vantage in case.at("inside"):
        yield from seen_checks.connected(case, words, vantage, _OPEN)


def elsewhere(case: Case) -> bool:
    """Whether the application's network has no endpoint, and another one has that is no caller's."""
    return bool(_stray(case)) and not common.own_endpoints(case)


def _stray(case: Case) -> list[Document]:
    """Endpoints in networks that are neither the application's nor spokes of it."""
    callers = common.endpoint_networks(case)
    near = [item for item in common.endpoints(case) if item["network_id"] not in callers]
    return [*near, *case.document["endpoints_elsewhere"]]


def _elsewhere(case: Case, network: Document) -> Iterator[Judgement]:
    peers = {item["network_id"] for item in network["peerings"]}
    for endpoint in _stray(case):
        where = str(endpoint["network_id"])
        why = f"it sits in {where}, and the application in {network['id']}"
        if where in peers:
            why += "; the peering between them carries nothing to an endpoint for Google APIs"
        yield _said("fail", str(endpoint["id"]), _NEAR, why)


def _placed(case: Case, network: Document, endpoint: Document) -> Judgement:
    resource = str(endpoint["id"])
    try:
        address = ipaddress.ip_address(str(endpoint["address"]))
    except ValueError:
        return common.lacking(["the endpoint's address was not read"], resource, _FREE)
    near = {str(network["id"])} | {str(item["network_id"]) for item in network["peerings"]}
    clashes = [
        f"{address} lies in {cidr} of subnet {item['name']} in {common.short(name)}"
        for name, found in common.networks(case).items()
        if name in near
        for item in found["subnets"]
        for cidr in (item["cidr"], *item["secondary"])
        if cidr and address in ipaddress.ip_network(cidr, strict=False)
    ]
    clashes += [
        f"the static route {item['name']} takes {address}"
        for item in network["routes"]
        if item["dest"] == f"{address}/32"
    ]
    if not clashes and network["auto"] and address in ipaddress.ip_network(AUTO_MODE):
        clashes = [
            f"{address} lies in {AUTO_MODE}, which auto mode networks keep for their subnets"
        ]
    if clashes:
        return _said("fail", resource, _FREE, "; ".join(clashes))
    return _said("pass", resource, _FREE, f"{address} in {common.short(str(network['id']))}")


def _reach(case: Case, network: Document, endpoint: Document) -> Judgement:
    resource = str(endpoint["id"])
    subnets = _application(case, network)
    if not subnets:
        missing = ["the network has none of the application's subnets"]
        return common.lacking(missing, resource, _REACH)
    if not endpoint["address"]:
        return common.lacking(["the endpoint's address was not read"], resource, _REACH)
    found = walk(case.document["firewalls"], str(network["id"]), str(endpoint["address"]))
    blocked, notes = [], []
    allowed = spans(case.application_cidrs)
    for rule, refused in found.refused:
        for item in subnets:
            callers = spans([item["cidr"], *item["secondary"]])
            # Where callers are is part of a subnet at times, and the rules of the create phase let in just that.
            callers = overlap(callers, allowed) if allowed else callers
            if not overlap(callers, refused):
                continue
            text = f"{rule['name']} denies it from {item['name']}"
            named = [name["name"] for name in found.named_before(rule)]
            if named:
                notes.append(f"{text}, but for machines that {', '.join(named)} names")
            else:
                blocked.append(text)
    if blocked:
        return _said("fail", resource, _REACH, "; ".join(blocked), fix=_OPEN)
    return _said("pass", resource, _REACH, "; ".join(notes) or "no egress rule is in the way")


def _application(case: Case, network: Document) -> list[Document]:
    wanted = {name.lower() for name in application_subnets(case)}
    return [item for item in network["subnets"] if str(item["id"]).lower() in wanted]


def _access(case: Case, network: Document) -> Iterator[Judgement]:
    for item in _application(case, network):
        if item["private_google_access"]:
            yield _said("pass", str(item["id"]), _ACCESS, "it is on", severity="medium")
            continue
        yield _said(
            "fail",
            str(item["id"]),
            _ACCESS,
            "it is off: machines without an external address do not reach the endpoint",
            # Machines that have one do; what vantages see says more.
            severity="medium",
            fix="Name the subnet in private_google_access_subnets of private_ai.endpoints.vertex_psc_endpoint "
            "(playbooks/create.yml)",
        )


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
    id="gcp_m5_placement",
    cloud=common.CLOUD,
    title="The endpoint sits where the application can reach it",
    severity="high",
    why="A caller that cannot reach the endpoint loses the service once its name leads there.",
    fix="Run private_ai.endpoints.vertex_psc_endpoint with the application's network and a free address "
    "(playbooks/create.yml); a clash of addresses needs another address, which replaces the endpoint without an outage",
    needs="network and endpoints of the evidence, and observations from inside vantages",
    judge=_judge,
    references=(common.DOCS_ENDPOINT, common.DOCS_ACCESS, common.DOCS_PEERING),
    misconfiguration="M5",
)
