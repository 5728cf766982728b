# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""M6, C2: in peered networks, names lead to an endpoint that they can reach."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...case import Case, Vantage
from ...checks import Check, Judgement
from ...contracts import Status
from ..answers import connected_peerings, hosts_of, is_up, predict
from ..arm_id import key
from . import common

_EXPECTED = (
    "resolves every name to an endpoint that it reaches: seen by a vantage, or by configuration"
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
    peers = connected_peerings(case.document)
    for peering in peers:
        if not vantages_in(case, peering, len(peers)):
            yield _by_configuration(case, peering)
    if not peers and not spokes:
        yield Judgement(
            status="skipped",
            resource=case.target,
            expected="peered networks reach the account privately",
            observed="the network has no peering that is Connected, and no spoke vantage was named (connections of "
            "gateways and virtual hubs are not read: name a spoke vantage for each network behind one)",
        )


def vantages_in(case: Case, peering: Peering, peers: int) -> list[Vantage]:
    """The spoke vantages of a peer. With a single peer, one that names no network can be in no other."""
    return [
        item
        for item in case.at("spoke")
        if (network := network_of(item)) == key(peering["peer_network_id"])
        or (network is None and peers == 1)
    ]


def network_of(vantage: Vantage) -> str | None:
    """The key of the network that a vantage sits in, by its own word or by its subnet's id."""
    if vantage.network:
        return key(vantage.network)
    return key(vantage.subnet).rpartition("/subnets/")[0] or None


def _by_configuration(case: Case, peering: Peering) -> Judgement:
    peer = str(peering["peer_network_id"])
    lacks = case.lacks("dns")
    account = case.document["account"]
    endpoints = [item for item in common.endpoints(case) if is_up(item, account)]
    hosts = list(dict.fromkeys(host for item in endpoints for host in hosts_of(item)))
    if lacks:
        return _said("unknown", peer, "not known: " + "; ".join(lacks))
    if not hosts:
        return _said(
            "unknown", peer, "the account has no approved endpoint that it could resolve to"
        )
    unknown, wrong = [], []
    for host in hosts:
        wanted = common.expected_addresses(case, host, anywhere=True)
        found = predict(host, peer, case.document, wanted)
        if found.kind == "unknown":
            unknown.append(found.by)
        elif found.kind != "private":
            wrong.append(f"{host}: {found.kind}, {found.by}")
    if wrong:
        return _said("fail", peer, "no vantage, and by configuration: " + "; ".join(wrong))
    if unknown:
        texts = "; ".join(dict.fromkeys(unknown))
        return _said("unknown", peer, f"no vantage of this network reported, and {texts}")
    return _said("pass", peer, "by configuration; no vantage of this network reported")


def _said(status: Status, peer: str, observed: str) -> Judgement:
    return Judgement(
        status=status,
        resource=peer,
        expected=_EXPECTED,
        observed=observed,
        proves=common.PRIVATE,
        fix="Name a spoke vantage in this network and probe from it; DNS servers of its own must forward to Azure's "
        "(168.63.129.16) in a network that the zones are linked to"
        if status == "unknown"
        else None,
    )


CHECK = Check(
    id="azure_m6_spokes",
    cloud=common.CLOUD,
    title="Names lead to an endpoint from every peered network",
    severity="critical",
    why="A private DNS zone answers only in the networks that it is linked to, and links do not pass over peerings: "
    "callers in a spoke go on over the public path, and a lock would cut them off.",
    fix="Run private_ai.endpoints.azure_openai_private_dns (playbooks/dns.yml), which links the zones to every peered "
    "network, and name a spoke vantage in it",
    needs="network, endpoints and dns of the evidence, and observations by name from spoke vantages",
    judge=_judge,
    references=(common.DOCS_LINKS, common.DOCS_DNS),
    misconfiguration="M6",
    checklist=("C2",),
)
