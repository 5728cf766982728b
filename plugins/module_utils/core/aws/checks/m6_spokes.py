# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""M6, C2: in peered networks, names lead to an endpoint that they can reach."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...case import Case, Vantage
from ...checks import Check, Judgement
from ..answers import is_up, predict
from ..reachability import blocks, route_to
from . import common

_EXPECTED = (
    "resolves every host to an endpoint that it reaches: seen by a vantage, or by configuration"
)
Peering = Mapping[str, Any]


def _judge(case: Case) -> Iterator[Judgement]:
    spokes = case.at("spoke")
    for host in case.hosts():
        if common.has_own(case, host):
            for vantage in spokes:
                yield common.resolution(case, vantage, host, anywhere=True)
    reasons = case.lacks("network", "endpoints")
    if reasons:
        yield common.lacking(reasons, case.target, "every peered network is known")
        return
    peers = active_peers(case)
    for peering in peers:
        if not vantages_in(case, peering, len(peers)):
            yield _by_configuration(case, peering)
    if not peers and not spokes:
        yield Judgement(
            status="skipped",
            resource=case.target,
            expected="peered networks reach the service privately",
            observed="the VPC has no active peering and no spoke vantage was named (attachments of transit "
            "gateways are not read: name a spoke vantage for each network behind one)",
        )


def active_peers(case: Case) -> list[Peering]:
    """The peerings of the target's VPC that carry traffic."""
    return [item for item in case.document["peerings"] if str(item["status"]).lower() == "active"]


def vantages_in(case: Case, peering: Peering, peers: int) -> list[Vantage]:
    """The spoke vantages of a peer. With a single peer, one that names no network can be in no other."""
    return [
        item
        for item in case.at("spoke")
        if item.network == peering["peer_vpc_id"] or (item.network is None and peers == 1)
    ]


def _by_configuration(case: Case, peering: Peering) -> Judgement:
    peer = str(peering["peer_vpc_id"])
    endpoints = [item for item in common.own_endpoints(case) if is_up(item)]
    hosts = {
        host: item for item in endpoints for host in common.hosts_of(case, str(item["service"]))
    }
    wrong = []
    for host in hosts:
        prediction = predict(host, peer, case.document)
        if prediction.kind != "private":
            wrong.append(f"{host}: {prediction.kind}, {prediction.by}")
    unread = [
        f"{item['action']}: {item['message']}"
        for item in case.document["missing"]
        if item["part"] == "peers" and peer in item["message"]
    ]
    if not wrong:
        wrong = _unreachable(case, peering)
    status: Any = "fail" if wrong else "pass"
    observed = "by configuration; no vantage of this network reported"
    if not hosts:
        status, observed = "unknown", "the VPC has no endpoint that it could resolve to"
    elif wrong and unread:
        status = "unknown"
        observed = "its zones and endpoints could not all be read: " + "; ".join(unread)
    elif wrong:
        observed = "no vantage, and by configuration: " + "; ".join(wrong)
    return Judgement(
        status=status,
        resource=peer,
        expected=_EXPECTED,
        observed=observed,
        proves=common.PRIVATE,
    )


def _unreachable(case: Case, peering: Peering) -> list[str]:
    """Why packets from a peer do not get to the endpoints of the target's VPC, or answers not back."""
    reasons = []
    for endpoint in common.own_endpoints(case):
        if any(
            item["service"] == endpoint["service"] and item["vpc_id"] == peering["peer_vpc_id"]
            for item in common.all_endpoints(case)
        ):
            continue
        for cidr in peering["peer_cidrs"]:
            reasons += blocks(case.document, str(cidr), None, endpoint)
            reasons += [
                f"{subnet} has no route to {cidr} through {peering['id']}"
                for subnet in endpoint["subnet_ids"]
                if route_to(case.document, str(subnet), str(cidr)) != peering["id"]
            ]
    return list(dict.fromkeys(reasons))


CHECK = Check(
    id="aws_m6_spokes",
    cloud=common.CLOUD,
    title="Names lead to an endpoint from every peered network",
    severity="critical",
    why="Private DNS of an endpoint answers in its own VPC only: callers in a spoke go on over the public "
    "path, and a lock would cut them off.",
    fix="Run private_ai.endpoints.bedrock_private_dns with this VPC among its spoke_vpcs "
    "(bedrock_spoke_vpcs; playbooks/dns.yml), or give it endpoints of its own, and name a spoke vantage in it",
    needs="network, endpoints and dns of the evidence, and observations by name from spoke vantages",
    judge=_judge,
    references=(common.DOCS_ZONES, common.DOCS_DNS),
    misconfiguration="M6",
    checklist=("C2",),
)
