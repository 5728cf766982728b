# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Azure's resolvers answer: the public view, and the view of each virtual network.

In a network the private zones that are linked to it come first and the longest matching one answers
alone: a name that it lacks does not exist there, unless its link falls back to public DNS
(NxDomainRedirect). Every step of a chain is resolved in the same view, so the public alias of an
account with an endpoint ends in the linked privatelink zone.
https://learn.microsoft.com/azure/dns/private-dns-privatednszone

A network with DNS servers of its own sees what they see: the view of the network that the world
says such a server resolves in, or the public view.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..cloud import DnsAnswer, Vantage
from .hosts import DataHost, account_of, control_hosts, data_host, is_azures, public_address
from .state import Resource, State
from .topology import has_endpoint, place_of
from .world import world_section

TTL = 60
AZURE_DNS = "168.63.129.16"
_ZONES = "Microsoft.Network/privateDnsZones"
_LONGEST_CHAIN = 8
_RECORDS = {"A": ("aRecords", "ipv4Address"), "AAAA": ("aaaaRecords", "ipv6Address")}


@dataclass(frozen=True)
class _Linked:
    """A private zone as one network sees it."""

    name: str
    zone: Resource
    falls_back: bool


def resolve(state: State, vantage: Vantage, name: str, qtype: str) -> DnsAnswer | None:
    """Answer a lower-case name without trailing dot; None when Azure has nothing to say about it."""
    with state.lock:
        state.settle()
        place = place_of(state, vantage)
        view = _view(state, place.network) if place else None
        return _resolve(state, view, name, qtype, depth=0)


def _view(state: State, network: Resource) -> Resource | None:
    """The network whose links decide: the own one, that of its DNS server, or none (public DNS)."""
    servers = (network.properties.get("dhcpOptions") or {}).get("dnsServers") or ()
    if not servers or AZURE_DNS in servers:
        return network
    resolvers: Mapping[str, str] = state.extra.get("resolvers", {})  # address -> network id
    home = next((resolvers[each] for each in servers if each in resolvers), "")
    return state.find(home) if home else None


def _resolve(
    state: State, view: Resource | None, name: str, qtype: str, depth: int
) -> DnsAnswer | None:
    linked = _closest(state, view, name) if view else None
    if linked is None:
        return _public(state, view, name, qtype, depth)
    answer = _in_zone(state, view, linked, name, qtype, depth)
    if answer.status == "nxdomain" and not answer.chain and linked.falls_back:
        return _public(state, view, name, qtype, depth)
    return answer


def _closest(state: State, view: Resource, name: str) -> _Linked | None:
    matching = [each for each in _links(state, view) if f".{name}".endswith(f".{each.name}")]
    return max(matching, key=lambda each: len(each.name), default=None)


def _links(state: State, view: Resource) -> Iterator[_Linked]:
    for zone in state.of_type(_ZONES):
        for link in state.children(zone.id, "virtualNetworkLinks"):
            network = link.properties.get("virtualNetwork") or {}
            if str(network.get("id", "")).lower() != view.id.key or not link.works:
                continue
            policy = str(link.properties.get("resolutionPolicy") or "Default")
            yield _Linked(zone.id.name.lower(), zone, policy.lower() == "nxdomainredirect")


def _in_zone(
    state: State, view: Resource | None, linked: _Linked, name: str, qtype: str, depth: int
) -> DnsAnswer:
    found = _records(state, linked, name)
    if "CNAME" in found:
        properties = found["CNAME"]
        alias = str((properties.get("cnameRecord") or {}).get("cname", "")).rstrip(".").lower()
        rest = _follow(state, view, name, alias, qtype, depth)
        return dataclasses.replace(rest, ttl=min(rest.ttl, _ttl(properties)))
    if qtype in found:
        kind, key = _RECORDS[qtype]
        addresses = tuple(str(each[key]) for each in found[qtype].get(kind) or ())
        status = "ok" if addresses else "nodata"
        return DnsAnswer(status, (), addresses, _ttl(found[qtype]))  # type: ignore[arg-type]
    exists = found or name == linked.name or _is_between(state, linked, name)
    return DnsAnswer("nodata" if exists else "nxdomain", ttl=TTL)


def _records(state: State, linked: _Linked, name: str) -> dict[str, Mapping[str, Any]]:
    """The record sets at a name by type; those of the wildcard above it where it has none."""
    relative = name[: -len(linked.name)].rstrip(".") or "@"
    exact = _at(state, linked, relative)
    if exact or relative == "@" or _is_between(state, linked, name):
        return exact
    labels = relative.split(".")[1:]
    while not (found := _at(state, linked, ".".join(("*", *labels)))) and labels:
        labels = labels[1:]
    return found


def _at(state: State, linked: _Linked, relative: str) -> dict[str, Mapping[str, Any]]:
    found: dict[str, Mapping[str, Any]] = {}
    for kind in ("A", "AAAA", "CNAME"):
        record = state.find(f"{linked.zone.id}/{kind}/{relative}")
        if record is not None:
            found[kind] = record.properties
    return found


def _is_between(state: State, linked: _Linked, name: str) -> bool:
    """Whether a record lies below a name that has none of its own: the name then exists, empty."""
    ending = "." + name[: -len(linked.name)].rstrip(".").lower()
    return any(
        record.id.name.lower().endswith(ending)
        for kind in ("A", "AAAA", "CNAME")
        for record in state.children(linked.zone.id, kind)
    )


def _ttl(properties: Mapping[str, Any]) -> int:
    return int(properties.get("ttl") or properties.get("TTL") or TTL)


def _follow(
    state: State, view: Resource | None, name: str, alias: str, qtype: str, depth: int
) -> DnsAnswer:
    link = ((name, alias),)
    rest = _resolve(state, view, alias, qtype, depth + 1) if depth < _LONGEST_CHAIN else None
    if rest is None:
        return DnsAnswer("nxdomain", link, (), TTL)
    return DnsAnswer(rest.status, link + rest.chain, rest.addresses, rest.ttl)


def _public(
    state: State, view: Resource | None, name: str, qtype: str, depth: int
) -> DnsAnswer | None:
    if name in control_hosts():
        return _address(name, qtype)
    known = data_host(name)
    if known is not None:
        account = account_of(state, known)
        if account is None:
            return DnsAnswer("nxdomain", ttl=TTL)
        if has_endpoint(state, account):
            return _follow(state, view, name, known.alias, qtype, depth)
        return _address(name, qtype)
    behind = _behind_alias(name)
    if behind is not None:
        account = account_of(state, behind)
        if account is not None and has_endpoint(state, account):
            return _address(behind.host, qtype)
    return DnsAnswer("nxdomain", ttl=TTL) if is_azures(name) else None


def _behind_alias(name: str) -> DataHost | None:
    """The client's name that a privatelink name belongs to."""
    label, _, rest = name.partition(".")
    suffix = rest.removeprefix("privatelink.")
    return data_host(f"{label}.{suffix}") if suffix != rest else None


def _address(host: str, qtype: str) -> DnsAnswer:
    if qtype != "A":
        return DnsAnswer("nodata", ttl=TTL)
    return DnsAnswer("ok", (), (public_address(host),), TTL)


@world_section("resolvers", [{"address!": str, "network!": str}])
def load(state: State, given: Sequence[Mapping[str, str]] | None) -> None:
    """DNS servers of networks' own: in which network's view each of them resolves."""
    for each in given or ():
        if state.find(each["network"]) is None:
            raise ValueError(f"there is no network {each['network']}")
    state.extra["resolvers"] = {each["address"]: each["network"] for each in given or ()}
