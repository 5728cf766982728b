# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""M7, C6: the management API has an endpoint beside the runtime API, and the other way round."""

from __future__ import annotations

from collections.abc import Iterator

from ...case import Case
from ...checks import Check, Judgement
from ..answers import is_up
from ..catalogue import CATALOGUE, PRESETS
from . import common
from .m5_placement import elsewhere

# Runtime service → the management service that its users need beside it. Only the pairs where each is of
# no use without the other are asked for in both directions.
_BESIDE = {
    "bedrock-runtime": "bedrock",
    "bedrock-agent-runtime": "bedrock-agent",
    "bedrock-data-automation-runtime": "bedrock-data-automation",
    "bedrock-agentcore": "bedrock-agentcore-control",
    "bedrock-mantle": "bedrock",
    "sagemaker.runtime": "sagemaker.api",
    "sagemaker.featurestore-runtime": "sagemaker.api",
    "sagemaker.metrics": "sagemaker.api",
}
_BOTH_WAYS = {"bedrock": "bedrock-runtime", "sagemaker.api": "sagemaker.runtime"}
_BOTH = "an available endpoint for the management and the runtime API of every service in use"


def _judge(case: Case) -> Iterator[Judgement]:
    reasons = case.lacks("endpoints")
    if reasons:
        yield common.lacking(reasons, case.target, _BOTH)
        return
    wanted = _wanted(case)
    for service in sorted(wanted):
        # An endpoint in another VPC is M5's.
        if not elsewhere(case, service):
            yield _service(case, service, wanted[service])
    for host in case.hosts():
        if not common.has_own(case, host):
            yield from _without_endpoint(case, host)


def _wanted(case: Case) -> dict[str, str]:
    """Full service name → why it is wanted."""
    region = str(case.document["region"])
    present = {str(item["service"]) for item in common.own_endpoints(case)}
    asked = {service for host in case.hosts() if (service := common.service_of(case, host))}
    wanted = dict.fromkeys(asked, "it was to be probed") | dict.fromkeys(present, "it is present")
    if not wanted:
        names = {CATALOGUE[short].full_name(region) for short in PRESETS["bedrock"]}
        return dict.fromkeys(names, "the target is there to serve it")
    for service in list(wanted):
        short = common.short_name(case, service).removesuffix("-fips")
        beside = _BESIDE.get(short) or _BOTH_WAYS.get(short)
        if beside:
            full = CATALOGUE[beside].full_name(region)
            wanted.setdefault(full, f"{short} is in use")
    return wanted


def _service(case: Case, service: str, why: str) -> Judgement:
    found = [item for item in common.own_endpoints(case) if item["service"] == service]
    offered = {item["name"] for item in case.document["services"]}
    if found and any(is_up(item) for item in found):
        return _said("pass", service, ", ".join(str(item["id"]) for item in found))
    if found:
        states = ", ".join(
            f"{item['id']} is {item['state']}"
            + (f": {item['last_error']}" if item["last_error"] else "")
            for item in found
        )
        return _said("fail", service, f"{states} ({why})")
    if offered and service not in offered:
        return _said("skipped", service, f"the Region does not offer it ({why})")
    return _said("fail", service, f"no endpoint ({why})")


def _said(status: str, resource: str, observed: str) -> Judgement:
    return Judgement(
        status=status,  # type: ignore[arg-type]
        resource=resource,
        expected=_BOTH,
        observed=observed,
    )


def _without_endpoint(case: Case, host: str) -> Iterator[Judgement]:
    """What inside vantages saw of a host that has no endpoint: it is private for nobody."""
    service = common.service_of(case, host) or host
    if elsewhere(case, service):
        return
    for vantage in case.at("inside", "spoke"):
        seen = common.look(case, vantage, host)
        yield Judgement(
            status="fail",
            resource=host,
            vantage=vantage.name,
            expected="resolves only to an endpoint's addresses",
            observed=(seen.told() if seen else "no observation") + f"; {service} has no endpoint",
            checklist=("C1" if vantage.position == "inside" else "C2", "C6"),
            proves=common.PRIVATE,
        )


CHECK = Check(
    id="aws_m7_planes",
    cloud=common.CLOUD,
    title="Management and runtime APIs both have an endpoint",
    severity="critical",
    why="Clients call both: without an endpoint for one of them its calls go over the public path, and fail "
    "under a lock.",
    fix="Run private_ai.endpoints.bedrock_vpc_endpoint with both services, for example services: [bedrock] "
    "(playbooks/create.yml)",
    needs="endpoints of the evidence",
    judge=_judge,
    references=(common.DOCS_ENDPOINTS,),
    misconfiguration="M7",
    checklist=("C6",),
)
