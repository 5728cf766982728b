# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""M6, C2: every spoke has an endpoint of its own, and names that lead to it.

An endpoint for Google APIs is not reachable over a peering, so a spoke that resolves the hub's address is cut off.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from ...case import Case, Vantage
from ...checks import Check, Judgement
from ...contracts import Status
from ..answers import predict
from ..bundles import serves
from ..names import project_of
from . import common
from .m2_names import broken_zones

_EXPECTED = (
    "has an endpoint of its own, to which every name leads: seen by a vantage, or by configuration"
)
_ACTIVE = "ACTIVE"
# Peerings that Google makes for its own services: nobody calls Vertex AI from behind them. Anybody can choose such a
# name, so that a network that these credentials may read is none of them.
_OF_GOOGLE = re.compile(
    r"servicenetworking-googleapis-com|cloudsql-(?:mysql|postgres|sqlserver)-googleapis-com|"
    r"(?:redis|filestore)-peer-\d+|gke-.+-peer"
)
_REACHED = frozenset(("admitted", "connected"))


def _judge(case: Case) -> Iterator[Judgement]:
    spokes = case.at("spoke")
    for vantage in spokes:
        for host in case.hosts():
            if common.has_own(case, host) or common.network_of(case, vantage):
                yield _seen(case, vantage, host)
    reasons = case.lacks("network", "endpoints")
    if not reasons and common.own_network(case) is None:
        reasons = ["the network was not read"]
    if reasons:
        yield common.lacking(reasons, case.target, "every spoke is known")
        return
    wanted = spoke_networks(case)
    seen = {common.network_of(case, item) for item in spokes}
    for network_id in wanted:
        if network_id not in seen:
            yield _by_configuration(case, network_id)
        if not case.lacks("dns"):
            yield from broken_zones(case, network_id)
    if not wanted and not spokes:
        yield Judgement(
            status="skipped",
            resource=case.target,
            expected="spokes reach Vertex AI privately",
            observed="no spoke network was given, the network has no active peering, and no spoke vantage was named "
            "(what is behind a VPN, an Interconnect or a Network Connectivity Center hub is not read: name a spoke "
            "vantage for it)",
        )


def spoke_networks(case: Case) -> list[str]:
    """The given spokes, and the networks that the application's is actively peered with, but for Google's own."""
    network = common.own_network(case) or {"id": None, "peerings": ()}
    peers = [
        str(item["network_id"])
        for item in network["peerings"]
        if str(item["state"]).upper() == _ACTIVE
        and not (_OF_GOOGLE.fullmatch(str(item["name"])) and not item["readable"])
    ]
    given = [str(item["id"]) for item in case.document["spokes"]]
    return [name for name in dict.fromkeys([*given, *peers]) if name != network["id"]]


def _seen(case: Case, vantage: Vantage, host: str) -> Judgement:
    """As everywhere, but for the address of an endpoint in another network."""
    judged = common.resolution(case, vantage, host)
    read = common.look(case, vantage, host)
    unplaced = common.network_of(case, vantage) is None and bool(case.document["spokes"])
    if judged.status == "pass" and unplaced and read and not read.outcomes() <= _REACHED:
        # Any endpoint's address would be right for a place that nobody named, so the call has to tell.
        return replace(
            judged,
            status="unknown",
            observed=f"{read.told()}; which network this vantage is in is not known",
            fix="Name its network (vantage_network_id)",
        )
    if judged.status == "pass" or read is None or not read.addresses:
        return judged
    foreign = common.addresses(common.endpoints(case)) - common.expected_addresses(
        case, host, vantage
    )
    if not set(read.addresses) <= foreign or common.network_of(case, vantage) is None:
        return judged
    reached = bool(read.calls) and read.outcomes() <= _REACHED
    where = ", ".join(
        sorted(
            str(item["network_id"])
            for item in common.endpoints(case)
            if item["address"] in read.addresses
        )
    )
    note = (
        f"; the endpoint of {where} answers here all the same, by a Network Connectivity Center hub or a VPN"
        if reached
        else f"; that is the endpoint of {where}, which no peering leads to"
    )
    return Judgement(
        status="pass" if reached else "fail",
        resource=host,
        vantage=vantage.name,
        expected=_EXPECTED,
        observed=read.told() + note,
        proves=common.PRIVATE,
    )


def _by_configuration(case: Case, network_id: str) -> Judgement:
    if network_id not in common.networks(case):
        return _said(
            "unknown", network_id, "no vantage of this network reported, and it could not be read"
        )
    unread = _unread(case, network_id)
    if unread:
        text = "; ".join(unread)
        return _said("unknown", network_id, f"no vantage of this network reported, and {text}")
    found = common.endpoints(case, network_id)
    if not found:
        return _said(
            "fail",
            network_id,
            "no vantage, and by configuration: it has no endpoint of its own"
            + _leads(case, network_id),
        )
    reasons = case.lacks("dns")
    if reasons:
        return _said("unknown", network_id, "not known: " + "; ".join(reasons))
    unknown, wrong = [], []
    hosts = case.hosts()
    for host in hosts:
        if all(serves(str(item["bundle"]), host) == "no" for item in found):
            continue
        prediction = predict(host, network_id, case.document, common.addresses(found))
        if prediction.kind == "unknown":
            unknown.append(prediction.by)
        elif prediction.kind != "private":
            wrong.append(f"{host}: {prediction.kind}, {prediction.by}")
    if wrong:
        return _said("fail", network_id, "no vantage, and by configuration: " + "; ".join(wrong))
    if unknown or not hosts:
        texts = "; ".join(dict.fromkeys(unknown)) or "no name of Vertex AI is known"
        return _said("unknown", network_id, f"no vantage of this network reported, and {texts}")
    return _said("pass", network_id, "by configuration; no vantage of this network reported")


def _unread(case: Case, network_id: str) -> list[str]:
    """What could not be read of a peer, so that what is not there may be there all the same."""
    about = (network_id, f"projects/{project_of(network_id)}")
    return [
        f"{item['action']} failed ({item['code']})"
        for item in case.document["missing"]
        if item["part"] == "peers" and item["resource"] in about
    ]


def _leads(case: Case, network_id: str) -> str:
    """Whether the spoke's names lead to an endpoint of another network, which makes calls fail at once."""
    if case.lacks("dns"):
        return ""
    others = {
        address: str(item["network_id"])
        for item in common.endpoints(case)
        for address in common.addresses([item])
    }
    for host in case.hosts():
        found = predict(host, network_id, case.document, set(others))
        reached = [address for address in found.addresses if address in others]
        if reached:
            return (
                f", and {host} leads to {reached[0]} ({found.by}), the endpoint of {others[reached[0]]}, which no "
                "peering leads to: its calls fail"
            )
    return ", and no peering leads to the application's"


def _said(status: Status, network_id: str, observed: str) -> Judgement:
    return Judgement(
        status=status,
        resource=network_id,
        expected=_EXPECTED,
        observed=observed,
        proves=common.PRIVATE,
        fix="Name a spoke vantage in this network and probe from it, and give the network among the spoke networks"
        if status == "unknown"
        else None,
    )


CHECK = Check(
    id="gcp_m6_spokes",
    cloud=common.CLOUD,
    title="Names lead to an endpoint of its own from every spoke",
    severity="critical",
    why="Neither a private zone nor an endpoint for Google APIs is shared over a peering: callers in a spoke go on "
    "over the public path, or to an address that they cannot reach, and a lock would cut them off.",
    fix="Give the spoke an endpoint and zones of its own: name it among the spoke networks of the target "
    "(vertex_spoke_networks) and run playbooks/create.yml and playbooks/dns.yml",
    needs="network, endpoints and dns of the evidence, and observations by name from spoke vantages",
    judge=_judge,
    references=(common.DOCS_PEERING, common.DOCS_ENDPOINT, common.DOCS_DNS),
    misconfiguration="M6",
    checklist=("C2",),
)
