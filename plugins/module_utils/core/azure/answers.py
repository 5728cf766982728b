# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where an account's names lead in a virtual network, by configuration, and what an endpoint answers.

Public DNS sends a client name to its privatelink name once an endpoint exists. A private zone of that name that is
linked to the network answers there, and what it lacks does not exist unless the link falls back to public DNS.
https://learn.microsoft.com/azure/private-link/private-endpoint-dns
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from .arm_id import key, same
from .names import cloud, record_of, zone_of

Document = Mapping[str, Any]

APPROVED = "approved"
_CONNECTED = "connected"
# Azure documents the second, and answers the first.
_LINKED = frozenset(("completed", "done"))
_FALLBACK = "nxdomainredirect"


@dataclass(frozen=True)
class Prediction:
    """What the configuration says about one name in one network.

    private: at the endpoint's addresses. public: nothing private claims the name. elsewhere: a private zone claims it
    and leads to other addresses, or nowhere. unknown: the network asks DNS servers of its own, or could not be read.
    """

    kind: Literal["private", "public", "elsewhere", "unknown"]
    addresses: tuple[str, ...]
    by: str


def status_of(endpoint: Document, account: Document | None) -> str:
    """The state of an endpoint's connection, on the side that says less than `Approved` if one does."""
    sides = [str(endpoint["connection"]["status"])]
    sides += [
        str(item["status"])
        for item in (account or {}).get("private_endpoint_connections", ())
        if same(item["endpoint_id"], endpoint["id"])
    ]
    return next((side for side in sides if side.lower() != APPROVED), sides[0])


def is_up(endpoint: Document, account: Document | None) -> bool:
    """Whether an endpoint carries traffic: made, and approved on both sides."""
    made = str(endpoint["provisioning_state"]).lower() == "succeeded"
    return made and status_of(endpoint, account).lower() == APPROVED


def addresses_of(endpoint: Document, host: str | None = None) -> list[str]:
    """The addresses of an endpoint's members; with `host`, of the member that answers it."""
    return [
        str(item["address"])
        for item in endpoint["members"]
        if item["address"] and (host is None or host in item["fqdns"])
    ]


def hosts_of(endpoint: Document) -> list[str]:
    """Every client name that an endpoint answers."""
    return [str(fqdn) for item in endpoint["members"] for fqdn in item["fqdns"]]


def connected_peerings(evidence: Document) -> list[Document]:
    """The peerings that carry traffic."""
    return [
        item
        for item in evidence["peerings"]
        if str(item["state"]).lower() == _CONNECTED and item["allow_virtual_network_access"]
    ]


def in_reach(evidence: Document) -> list[Document]:
    """The endpoints that the target's network uses: its own, or without one those of connected peers."""
    own = key((evidence["network"] or {}).get("id"))
    found = [item for item in evidence["endpoints"] if key(item["network_id"]) == own]
    if found:
        return found
    near = {key(item["peer_network_id"]) for item in connected_peerings(evidence)}
    return [item for item in evidence["endpoints"] if key(item["network_id"]) in near]


def networks(evidence: Document) -> dict[str, Document]:
    """Every network that could be read, by the key of its id: the target's own, and its peers."""
    return {key(item["id"]): item for item in (evidence["network"], *evidence["peers"])}


def subnet_of(evidence: Document, subnet_id: str) -> Document | None:
    """A subnet of a network that was read."""
    return next(
        (
            subnet
            for network in networks(evidence).values()
            for subnet in network["subnets"]
            if same(subnet["id"], subnet_id)
        ),
        None,
    )


def linked(evidence: Document, name: str, network_id: str) -> tuple[Document, Document] | None:
    """The zone of this name that is linked to a network, and the link."""
    return next(
        (
            (zone, link)
            for zone in evidence["zones"]
            if str(zone["name"]).lower() == name.lower()
            for link in zone["links"]
            if same(link["network_id"], network_id) and str(link["state"]).lower() in _LINKED
        ),
        None,
    )


def predict(
    host: str, network_id: str, evidence: Document, wanted: Sequence[str] | set[str]
) -> Prediction:
    """Where `host` leads in a network; `wanted` are the addresses of its endpoints."""
    network = networks(evidence).get(key(network_id))
    if network is None:
        return Prediction("unknown", (), f"{network_id} could not be read")
    if network["dns_servers"]:
        servers = ", ".join(network["dns_servers"])
        by = (
            f"{network['name']} asks DNS servers of its own ({servers}), which do not show in Azure"
        )
        return Prediction("unknown", (), by)
    where = cloud(str(evidence["environment"]))
    zone_name, record = zone_of(host, where), record_of(host, where)
    if zone_name is None or record is None:
        return Prediction("public", (), "no private DNS zone is meant for this name")
    found = linked(evidence, zone_name, network_id)
    if found is None:
        return Prediction("public", (), _unlinked(evidence, zone_name, str(network["name"])))
    return _from_zone(*found, record, wanted)


def _unlinked(evidence: Document, zone_name: str, network: str) -> str:
    same_name = [
        item for item in evidence["zones"] if str(item["name"]).lower() == zone_name.lower()
    ]
    if not same_name:
        return f"there is no private DNS zone {zone_name}"
    ids = ", ".join(str(item["id"]) for item in same_name)
    return f"private DNS zone {zone_name} is not linked to {network} ({ids})"


def _from_zone(
    zone: Document, link: Document, record: str, wanted: Sequence[str] | set[str]
) -> Prediction:
    where = f"private DNS zone {zone['name']}"
    addresses = tuple(
        str(address)
        for item in zone["records"]
        if str(item["name"]).lower() == record and item["type"] == "A"
        for address in item["addresses"]
    )
    if addresses and set(addresses) <= set(wanted):
        return Prediction("private", addresses, where)
    if addresses:
        by = f"{where} leads to {', '.join(addresses)}, which is not the endpoint's address"
        return Prediction("elsewhere", addresses, by)
    if str(link["resolution_policy"] or "").lower() == _FALLBACK:
        return Prediction("public", (), f"{where} has no record {record}, and its link falls back")
    return Prediction("elsewhere", (), f"{where} has no record {record}: the name does not exist")
