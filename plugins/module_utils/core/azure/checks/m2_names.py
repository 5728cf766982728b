# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""M2, C1: in the application's own network, every name of the account leads to the endpoint."""

from __future__ import annotations

from collections.abc import Iterator

from ... import seen_checks
from ...case import Case
from ...checks import Check, Judgement
from ..answers import hosts_of, predict
from ..security_rules import spans
from . import common
from .common import Endpoint

_PRIVATE = "every name of the account resolves to the endpoint in the application's network"
# What a wrong name means for the traffic, by where it leads.
_TRAFFIC = {
    "public": "private endpoint exists, traffic is public",
    "elsewhere": "private endpoint exists, traffic is not on it",
}

# Subnets of these names belong to Azure's gateways, firewalls and bastions.
_RESERVED = frozenset(
    (
        "gatewaysubnet",
        "azurefirewallsubnet",
        "azurefirewallmanagementsubnet",
        "azurebastionsubnet",
        "routeserversubnet",
    )
)


def _judge(case: Case) -> Iterator[Judgement]:
    yield from _configured(case)
    for host in case.hosts():
        # Without an endpoint in reach the name is not what is wrong (M7, M5).
        if common.has_own(case, host):
            for vantage in case.at("inside"):
                yield common.resolution(case, vantage, host, anywhere=False)
    yield from seen_checks.no_inside(case)
    if not case.lacks("network"):
        yield from seen_checks.uncovered_subnets(case, application_subnets(case))


def application_subnets(case: Case) -> list[str]:
    """Ids of the subnets that callers are in: as the option says, else those that are not there for Azure's own use.

    Only subnets within the application's networks count when those are named.
    """
    if case.application_subnets:
        return list(case.application_subnets)
    taken = {str(item["subnet_id"]).lower() for item in common.endpoints(case)}
    allowed = case.application_cidrs
    return [
        str(item["id"])
        for item in case.document["network"]["subnets"]
        if str(item["id"]).lower() not in taken
        and str(item["name"]).lower() not in _RESERVED
        and (not allowed or _overlaps(item["cidrs"], list(allowed)))
    ]


def _overlaps(cidrs: list[str], allowed: list[str]) -> bool:
    return any(
        low <= last and first <= high
        for low, high in spans(cidrs)
        for first, last in spans(allowed)
    )


def _configured(case: Case) -> Iterator[Judgement]:
    reasons = case.lacks("network", "endpoints", "dns")
    if reasons:
        yield common.lacking(reasons, case.target, _PRIVATE)
        return
    for endpoint in common.own_endpoints(case):
        yield _endpoint(case, endpoint)


def _endpoint(case: Case, endpoint: Endpoint) -> Judgement:
    wrong: list[tuple[str, str]] = []
    open_questions, ways = [], set()
    network = str(case.document["network"]["id"])
    for host in hosts_of(endpoint):
        found = predict(host, network, case.document, common.expected_addresses(case, host))
        if found.kind in _TRAFFIC and not (found.kind == "public" and _resolved(case, host)):
            wrong.append((found.kind, f"{host}: {found.by}"))
        elif found.kind == "private":
            ways.add(found.by)
        else:
            open_questions.append(f"{host}: {found.by}")
    resource = str(endpoint["id"])
    if wrong:
        kind = "public" if any(name == "public" for name, _text in wrong) else "elsewhere"
        text = "; ".join(text for _kind, text in wrong)
        return _said("fail", resource, f"{_TRAFFIC[kind]}: {text}")
    if open_questions:
        seen = all(_resolved(case, host) for host in hosts_of(endpoint))
        text = "not known by configuration: " + "; ".join(open_questions)
        text += "; every inside vantage resolves it rightly" if seen else ""
        return _said("unknown", resource, text, excused=seen)
    if not ways:
        return _said("unknown", resource, "the endpoint answers no name yet")
    return _said("pass", resource, "; ".join(sorted(ways)))


def _resolved(case: Case, host: str) -> bool:
    """Whether every inside vantage saw the name lead to the endpoint, by a zone that the evidence does not show."""
    inside = case.at("inside")
    return bool(inside) and all(
        common.resolution(case, vantage, host, anywhere=False).status == "pass"
        for vantage in inside
    )


def _said(status: str, resource: str, observed: str, *, excused: bool = False) -> Judgement:
    return Judgement(
        status=status,  # type: ignore[arg-type]
        resource=resource,
        expected=_PRIVATE,
        observed=observed,
        excused=excused,
        severity="medium" if excused else None,
    )


CHECK = Check(
    id="azure_m2_names",
    cloud=common.CLOUD,
    title="Names lead to the endpoint from the application's subnets",
    severity="critical",
    why="A private endpoint whose names still resolve publicly carries no traffic: prompts and answers go over the "
    "public path, and a lock would cut the callers off.",
    fix="Run private_ai.endpoints.azure_openai_private_dns (playbooks/dns.yml), which makes or finds a zone per name, "
    "links it and keeps its records right; name the subscriptions that hold central zones",
    needs="network, endpoints and dns of the evidence, and observations by name from inside vantages",
    judge=_judge,
    references=(common.DOCS_DNS, common.DOCS_LINKS, "NIST SP 800-53 SC-7"),
    misconfiguration="M2",
    checklist=("C1",),
)
