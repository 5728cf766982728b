# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""M5: the endpoint sits where the application can reach it."""

from __future__ import annotations

from collections.abc import Iterator

from ... import seen_checks
from ...case import Case
from ...checks import Check, Judgement
from ...contracts import Severity, Status
from ..answers import connected_peerings, networks, subnet_of
from ..arm_id import key, same
from ..reachability import blocks, diverted
from . import common
from .common import Endpoint
from .m2_names import application_subnets

_OPEN = (
    "Open what is named: the endpoint's rules with allowed_cidrs of private_ai.endpoints.azure_openai_private_link, "
    "other groups and route tables by hand"
)
_REACH = "TCP 443 passes from every application subnet"
_NEAR = "an endpoint in the application's network, or in one that it is peered with"


def _judge(case: Case) -> Iterator[Judgement]:
    reasons = case.lacks("network", "endpoints")
    if reasons:
        yield common.lacking(reasons, case.target, _REACH)
    else:
        if not common.endpoints(case):
            yield common.no_endpoint(case, _NEAR)
        elif not common.own_endpoints(case):
            for endpoint in common.endpoints(case):
                yield _elsewhere(case, endpoint)
        for endpoint in common.own_endpoints(case):
            yield _located(case, endpoint)
            yield _reach(case, endpoint)
        yield from _peerings(case)
    words = common.words(case, {}, "")
    for vantage in case.at("inside"):
        yield from seen_checks.connected(case, words, vantage, _OPEN)


def elsewhere(case: Case) -> bool:
    """Whether the account has endpoints, and none that the application can reach."""
    return bool(common.endpoints(case)) and not common.own_endpoints(case)


def _elsewhere(case: Case, endpoint: Endpoint) -> Judgement:
    network = str(endpoint["network_id"])
    peering = next(
        (item for item in case.document["peerings"] if same(item["peer_network_id"], network)), None
    )
    why = "which is neither the application's network nor peered with it"
    if peering and key(network) not in common.reachable_networks(case):
        state = str(peering["state"])
        why = f"and peering {peering['name']} with it is {state}"
        if state.lower() == "connected":
            why = f"and peering {peering['name']} lets no traffic through"
    return _said("fail", str(endpoint["id"]), _NEAR, f"it sits in {network}, {why}")


def _located(case: Case, endpoint: Endpoint) -> Judgement:
    resource, location = str(endpoint["id"]), _place(str(endpoint["location"]))
    network = networks(case.document).get(key(endpoint["network_id"]))
    expected = "an endpoint in the network's location, next to the account"
    if network and _place(str(network["location"])) != location:
        observed = f"it is in {location}, its network in {network['location']}"
        return _said("fail", resource, expected, observed, severity="medium")
    account = case.document["account"]
    if account and _place(str(account["location"])) != location:
        observed = f"the account is in {account['location']}, the endpoint in {location}: calls cross regions"
        return _said(
            "warn",
            resource,
            expected,
            observed,
            severity="low",
            fix="Nothing is wrong; expect latency and traffic costs between the regions",
        )
    return _said("pass", resource, expected, f"in {location}")


def _place(location: str) -> str:
    return location.replace(" ", "").lower()


def _reach(case: Case, endpoint: Endpoint) -> Judgement:
    resource = str(endpoint["id"])
    subnets = [
        found for name in application_subnets(case) if (found := subnet_of(case.document, name))
    ]
    if not subnets:
        missing = ["the network has none of the application's subnets"]
        return common.lacking(missing, resource, _REACH)
    reasons = [text for subnet in subnets for text in blocks(case.document, subnet, endpoint)]
    if reasons:
        return _said("fail", resource, _REACH, "; ".join(dict.fromkeys(reasons)), fix=_OPEN)
    notes = [text for subnet in subnets for text in diverted(case.document, subnet, endpoint)]
    return _said("pass", resource, _REACH, "; ".join(["nothing in the way", *dict.fromkeys(notes)]))


def _peerings(case: Case) -> Iterator[Judgement]:
    """Peerings that carry no traffic: whoever is behind one reaches nothing."""
    up = {key(item["id"]) for item in connected_peerings(case.document)}
    for item in case.document["peerings"]:
        if key(item["id"]) not in up:
            state = str(item["state"])
            if state.lower() == "connected":
                state = "Connected, without allowVirtualNetworkAccess"
            yield _said(
                "warn",
                str(item["id"]),
                "a peering that is Connected and lets traffic through",
                f"it is {state}: callers in {item['peer_network_id']} do not reach the endpoint",
                severity="medium",
                fix="Make the peering on both sides, or remove it",
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
    id="azure_m5_placement",
    cloud=common.CLOUD,
    title="The endpoint sits where the application can reach it",
    severity="high",
    why="A caller that cannot reach the endpoint loses the service once its name leads there.",
    fix="Run private_ai.endpoints.azure_openai_private_link with a subnet of the application's network "
    "(playbooks/create.yml), or connect the peering on both sides",
    needs="network and endpoints of the evidence, and observations from inside vantages",
    judge=_judge,
    references=(common.DOCS_ENDPOINT, common.DOCS_PEERING),
    misconfiguration="M5",
)
