# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""M2, C1: in the application's own network, names lead to the endpoints."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ... import seen_checks
from ...case import Case
from ...checks import Check, Judgement
from ..answers import addresses_of, is_up, predict
from . import common
from .common import Endpoint

_BY_HAND = "A person must switch the DNS attributes of the VPC on (aws ec2 modify-vpc-attribute)"
_PRIVATE = "every host of the service resolves to the endpoint in its own VPC"


def _judge(case: Case) -> Iterator[Judgement]:
    yield from _configured(case)
    inside = case.at("inside")
    for host in case.hosts():
        # Without an endpoint in this VPC the name is not what is wrong (M7, M5).
        if common.has_own(case, host):
            for vantage in inside:
                seen = common.resolution(case, vantage, host, anywhere=False)
                yield replace(seen, fix=_BY_HAND) if _attributes_off(case) else seen
    yield from seen_checks.no_inside(case)
    if not case.lacks("network"):
        subnets = case.application_subnets or [item["id"] for item in case.document["subnets"]]
        yield from seen_checks.uncovered_subnets(case, subnets)


def _configured(case: Case) -> Iterator[Judgement]:
    reasons = case.lacks("network", "endpoints", "dns")
    if reasons:
        yield common.lacking(reasons, case.target, _PRIVATE)
        return
    vpc = case.document["vpc"]
    off = _attributes_off(case)
    if off:
        yield Judgement(
            status="fail",
            resource=str(vpc["id"]),
            expected="enableDnsSupport and enableDnsHostnames are on",
            observed=" and ".join(off) + " off: neither private DNS nor a private zone answers",
            fix=_BY_HAND,
        )
        # Nothing answers now, and what else is wrong would only show once the attributes are on.
        on = {**vpc, "dns_support": True, "dns_hostnames": True}
        case = replace(case, evidence={**case.document, "vpc": on})
    for endpoint in common.own_endpoints(case):
        if is_up(endpoint):
            judged = _endpoint(case, endpoint)
            if not off or judged.status != "pass":
                yield judged


def _attributes_off(case: Case) -> list[str]:
    """The VPC's attributes that keep both private DNS and private zones from answering."""
    if case.lacks("network"):
        return []
    vpc = case.document["vpc"]
    attributes = {"enableDnsSupport": "dns_support", "enableDnsHostnames": "dns_hostnames"}
    return [name for name, key in attributes.items() if not vpc[key]]


def _endpoint(case: Case, endpoint: Endpoint) -> Judgement:
    wrong, ways = [], set()
    own = set(addresses_of(endpoint))
    for sibling in common.own_endpoints(case):
        if sibling["service"] == endpoint["service"]:
            own.update(addresses_of(sibling))
    hosts = common.hosts_of(case, str(endpoint["service"]))
    for host in hosts:
        prediction = predict(host, str(case.document["vpc"]["id"]), case.document)
        ways.add(prediction.by)
        if prediction.kind != "private" or not set(prediction.addresses) <= own:
            wrong.append(f"{host}: {prediction.kind}, {prediction.by}")
    observed = "; ".join(wrong or sorted(ways))
    if wrong:
        observed = "private endpoint exists, traffic is not on it: " + observed
    elif not hosts:
        observed = "the service has no host name that could be checked"
    return Judgement(
        status="fail" if wrong else "pass" if hosts else "unknown",
        resource=str(endpoint["id"]),
        expected=_PRIVATE,
        observed=observed,
    )


CHECK = Check(
    id="aws_m2_names",
    cloud=common.CLOUD,
    title="Names lead to the endpoints from the application's subnets",
    severity="critical",
    why="A private endpoint whose name still resolves publicly carries no traffic: prompts and answers "
    "go over the public path, and a lock would cut the callers off.",
    fix="Run private_ai.endpoints.bedrock_private_dns (playbooks/dns.yml), which switches private DNS on "
    "and names the zones that override it",
    needs="network, endpoints and dns of the evidence, and observations by name from inside vantages",
    judge=_judge,
    references=(common.DOCS_DNS, common.DOCS_ENDPOINTS, "NIST SP 800-53 SC-7"),
    misconfiguration="M2",
    checklist=("C1",),
)
