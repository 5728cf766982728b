# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What AWS's resolvers answer: the public view, and the view of each VPC.

In a VPC the private zones come first, the longest matching name wins, and a zone that matches answers
alone: a name that it lacks does not exist there, whatever the public DNS says.
https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/hosted-zone-private-considerations.html

With enableDnsSupport off, AWS's own resolver does not answer in that VPC at all, and clients that work
use a resolver of their own. The lab's clients keep theirs, so they get the public view.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from ..cloud import DnsAnswer, Vantage
from .hosts import is_amazons, is_public, public_addresses, public_ipv6
from .network import Endpoint, Vpc
from .packets import live_interfaces, place_of
from .records import RecordSet, Zone
from .state import State

TTL = 60
_LONGEST_CHAIN = 8


@dataclass(frozen=True)
class _Private:
    """A private zone as a VPC sees it: a hosted zone, or the one that an endpoint's private DNS makes."""

    name: str
    zone: Zone | None = None
    endpoint: Endpoint | None = None
    pattern: str = ""  # the host, or *.host, that the endpoint's zone answers


def resolve(state: State, vantage: Vantage, name: str, qtype: str) -> DnsAnswer | None:
    """Answer a lower-case name without trailing dot; None when AWS has nothing to say about it."""
    with state.lock:
        state.settle()
        place = place_of(state, vantage)
        vpc = state.vpcs.get(place.vpc_id) if place else None
        if vpc is not None and not vpc.dns_support:
            vpc = None
        return _resolve(state, vpc, name, qtype, depth=0)


def _resolve(state: State, vpc: Vpc | None, name: str, qtype: str, depth: int) -> DnsAnswer | None:
    zone = _closest(state, vpc, name) if vpc else None
    if zone is None:
        return _public(state, name, qtype)
    if zone.endpoint is not None:
        return _endpoint_zone(state, zone, name, qtype)
    assert zone.zone is not None and vpc is not None
    return _hosted_zone(state, vpc, zone.zone, name, qtype, depth)


def _closest(state: State, vpc: Vpc, name: str) -> _Private | None:
    matching = [each for each in _private_zones(state, vpc) if f".{name}".endswith(f".{each.name}")]
    return max(matching, key=lambda each: len(each.name), default=None)


def _private_zones(state: State, vpc: Vpc) -> Iterable[_Private]:
    # Both attributes must be on for private zones to answer; dns_support was asked before.
    if not vpc.dns_hostnames:
        return
    for endpoint in state.endpoints.values():
        if endpoint.vpc_id == vpc.id and endpoint.private_dns_live:
            for pattern in _private_names(state, endpoint):
                yield _Private(pattern.removeprefix("*."), endpoint=endpoint, pattern=pattern)
    for zone in state.zones.values():
        if zone.private and (vpc.region, vpc.id) in zone.live_vpcs:
            yield _Private(zone.name, zone=zone)


def _private_names(state: State, endpoint: Endpoint) -> tuple[str, ...]:
    service = state.services[endpoint.region].get(endpoint.service)
    return service.private_dns_names if service else ()


def _endpoint_zone(state: State, zone: _Private, name: str, qtype: str) -> DnsAnswer:
    assert zone.endpoint is not None
    wildcard = zone.pattern.startswith("*.")
    if name == zone.name and wildcard:
        return DnsAnswer("nodata", ttl=TTL)
    if name != zone.name and not wildcard:
        return DnsAnswer("nxdomain", ttl=TTL)
    return _answer(qtype, _endpoint_addresses(state, zone.endpoint, qtype))


def _endpoint_addresses(
    state: State, endpoint: Endpoint, qtype: str, zone: str = ""
) -> tuple[str, ...]:
    """Addresses of the endpoint's interfaces, of one Availability Zone or of all."""
    interfaces = [
        each
        for each in live_interfaces(state, endpoint)
        if not zone or state.subnets[each.subnet_id].zone == zone
    ]
    kinds = _record_types(endpoint)
    if qtype == "A" and "A" in kinds:
        return tuple(each.address for each in interfaces if each.address)
    if qtype == "AAAA" and "AAAA" in kinds:
        return tuple(each.ipv6_address for each in interfaces if each.ipv6_address)
    return ()


def _record_types(endpoint: Endpoint) -> tuple[str, ...]:
    """Which records the endpoint's names have; service-defined follows the address type."""
    kind = endpoint.dns_record_ip_type
    if kind == "service-defined":
        kind = endpoint.ip_address_type
    return {"ipv4": ("A",), "ipv6": ("AAAA",)}.get(kind, ("A", "AAAA"))


def _hosted_zone(
    state: State, vpc: Vpc, zone: Zone, name: str, qtype: str, depth: int
) -> DnsAnswer:
    found = _records(zone, name)
    wanted = [each for each in found if each.type == qtype]
    cname = next((each for each in found if each.type == "CNAME"), None)
    if wanted:
        return _record_answer(state, vpc, zone, wanted[0], qtype, depth)
    if cname is not None:
        return _follow(state, vpc, name, cname, qtype, depth)
    apex = name == zone.name
    between = any(each.name.endswith(f".{name}") for each in zone.live_records)
    return DnsAnswer("nodata" if found or apex or between else "nxdomain", ttl=TTL)


def _records(zone: Zone, name: str) -> list[RecordSet]:
    """The record sets at a name; else those of the closest wildcard above it."""
    exact = [each for each in zone.live_records if each.name == name]
    if exact:
        return exact
    parent = name
    while parent != zone.name and "." in parent:
        parent = parent.partition(".")[2]
        # Route 53 may hand the asterisk out as its octal escape.
        wild = [
            each for each in zone.live_records if each.name in (f"*.{parent}", f"\\052.{parent}")
        ]
        if wild:
            return wild
        if any(each.name == parent for each in zone.live_records) and parent != zone.name:
            return []  # an existing name in between hides wildcards further up
    return []


def _record_answer(
    state: State, vpc: Vpc, zone: Zone, record: RecordSet, qtype: str, depth: int
) -> DnsAnswer:
    if not record.alias_name:
        return _answer(qtype, tuple(record.values), record.ttl or TTL)
    if depth >= _LONGEST_CHAIN:
        return DnsAnswer("nodata", ttl=TTL)
    # Route 53 follows an alias itself: the client sees addresses and no chain, and the VPC's other
    # private zones have no say.
    if record.alias_zone_id == zone.id:
        target: DnsAnswer | None = _hosted_zone(
            state, vpc, zone, record.alias_name, qtype, depth + 1
        )
    else:
        target = _public(state, record.alias_name, qtype)
    if target is None or target.status != "ok":
        return DnsAnswer("nodata", ttl=TTL)
    return DnsAnswer("ok", (), target.addresses, TTL)


def _follow(
    state: State, vpc: Vpc, name: str, cname: RecordSet, qtype: str, depth: int
) -> DnsAnswer:
    target = (cname.values[0] if cname.values else cname.alias_name).rstrip(".").lower()
    link = ((name, target),)
    if depth >= _LONGEST_CHAIN:
        return DnsAnswer("nodata", link, (), TTL)
    rest = _resolve(state, vpc, target, qtype, depth + 1)
    if rest is None:
        return DnsAnswer("nxdomain", link, (), TTL)
    return DnsAnswer(
        rest.status, link + rest.chain, rest.addresses, min(cname.ttl or TTL, rest.ttl)
    )


def _public(state: State, name: str, qtype: str) -> DnsAnswer | None:
    endpoint_answer = _endpoint_name(state, name, qtype)
    if endpoint_answer is not None:
        return endpoint_answer
    if is_public(state, name):
        addresses = {"A": public_addresses, "AAAA": public_ipv6}.get(qtype)
        return _answer(qtype, addresses(name) if addresses else ())
    return DnsAnswer("nxdomain", ttl=TTL) if is_amazons(name) else None


def _endpoint_name(state: State, name: str, qtype: str) -> DnsAnswer | None:
    """An endpoint's own names are in the public DNS and give private addresses."""
    if not name.endswith(".vpce.amazonaws.com"):
        return None
    label, _, domain = name.partition(".")
    for endpoint in state.endpoints.values():
        service = state.services[endpoint.region].get(endpoint.service)
        own = f"{endpoint.id}-{endpoint.suffix}"
        if service is None or service.domain != domain or not endpoint.suffix:
            continue
        if label == own:
            return _endpoint_answer(state, endpoint, qtype, "")
        zone = label.removeprefix(f"{own}-")
        if zone != label and zone in state.regions[endpoint.region]:
            return _endpoint_answer(state, endpoint, qtype, zone)
    return None


def _endpoint_answer(state: State, endpoint: Endpoint, qtype: str, zone: str) -> DnsAnswer | None:
    interfaces = live_interfaces(state, endpoint)
    if not any(not zone or state.subnets[each.subnet_id].zone == zone for each in interfaces):
        return None
    return _answer(qtype, _endpoint_addresses(state, endpoint, qtype, zone))


def _answer(qtype: str, addresses: tuple[str, ...], ttl: int = TTL) -> DnsAnswer:
    status: Literal["ok", "nodata"] = "ok" if addresses else "nodata"
    return DnsAnswer(status, (), addresses, ttl)
