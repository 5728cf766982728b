# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a host's name leads in a VPC, by configuration: private hosted zones, then endpoints' private DNS.

The most specific private zone that is associated with a VPC answers, and what it lacks does not exist; the hidden zone
of an endpoint's private DNS counts like one. Nothing private leaves it to the public answer.
https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/hosted-zone-private-considerations.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Prediction:
    """What the configuration says about one name in one VPC.

    private: at an endpoint's addresses. public: nothing private claims the name. elsewhere: a private zone claims it
    and leads away from every endpoint that the evidence knows, or nowhere.
    """

    kind: Literal["private", "public", "elsewhere"]
    addresses: tuple[str, ...]
    by: str


def is_up(endpoint: Mapping[str, Any]) -> bool:
    """Whether an endpoint carries traffic; AWS writes the state in either case."""
    return str(endpoint["state"]).lower() == "available"


def addresses_of(endpoint: Mapping[str, Any]) -> tuple[str, ...]:
    """Every address of an endpoint's network interfaces, IPv4 first."""
    interfaces = endpoint["network_interfaces"]
    return tuple(
        str(address)
        for key in ("addresses", "ipv6_addresses")
        for item in interfaces
        for address in item[key]
    )


def covers(pattern: str, host: str) -> bool:
    """Whether a private DNS name (`*.x.y` or `x.y`) is the host's; a wildcard covers one or more labels."""
    pattern, host = pattern.rstrip(".").lower(), host.rstrip(".").lower()
    return host.endswith(pattern[1:]) if pattern.startswith("*.") else pattern == host


def service_of(host: str, evidence: Mapping[str, Any]) -> str | None:
    """The endpoint service that answers a host, by AWS's own list of private names."""
    return next(
        (
            str(service["name"])
            for service in evidence["services"]
            if any(covers(str(name), host) for name in service["private_dns_names"])
        ),
        None,
    )


def predict(host: str, vpc_id: str, evidence: Mapping[str, Any]) -> Prediction:
    """Where `host` leads in a VPC that the evidence knows something about."""
    hidden = _hidden_zone(host, vpc_id, evidence)
    zone = _zone(host, vpc_id, evidence)
    if zone and (not hidden or len(_name(zone)) >= len(hidden[0])):
        return _from_zone(host, zone, evidence)
    if hidden:
        endpoint = hidden[1]
        return Prediction("private", addresses_of(endpoint), f"private DNS of {endpoint['id']}")
    return Prediction("public", (), "no private DNS and no private zone claims the name")


def _hidden_zone(
    host: str, vpc_id: str, evidence: Mapping[str, Any]
) -> tuple[str, Mapping[str, Any]] | None:
    names = {str(item["name"]): item["private_dns_names"] for item in evidence["services"]}
    found = [
        (str(name).removeprefix("*.").lower(), endpoint)
        for endpoint in evidence["endpoints"]
        if endpoint["vpc_id"] == vpc_id and endpoint["private_dns_enabled"] and is_up(endpoint)
        for name in names.get(str(endpoint["service"]), ())
        if covers(str(name), host)
    ]
    return max(found, key=lambda item: len(item[0]), default=None)


def _zone(host: str, vpc_id: str, evidence: Mapping[str, Any]) -> Mapping[str, Any] | None:
    found = [
        zone
        for zone in evidence["zones"]
        if any(vpc["id"] == vpc_id for vpc in zone["vpcs"])
        and (host == _name(zone) or host.endswith("." + _name(zone)))
    ]
    return max(found, key=lambda zone: len(_name(zone)), default=None)


def _name(zone: Mapping[str, Any]) -> str:
    return str(zone["name"]).rstrip(".").lower()


def _from_zone(host: str, zone: Mapping[str, Any], evidence: Mapping[str, Any]) -> Prediction:
    where = f"private zone {_name(zone)} ({zone['id']})"
    records = [
        record
        for record in zone["records"]
        if record["type"] in ("A", "AAAA", "CNAME") and covers(str(record["name"]), host)
    ]
    if not records:
        return Prediction("elsewhere", (), f"{where} has no record for it")
    addresses: list[str] = []
    for record in records:
        for value in _values(record):
            addresses += _led_to(value, evidence)
    known = {address for item in evidence["endpoints"] for address in addresses_of(item)}
    if addresses and set(addresses) <= known:
        return Prediction("private", tuple(dict.fromkeys(addresses)), where)
    led = ", ".join(value for record in records for value in _values(record))
    return Prediction("elsewhere", tuple(addresses), f"{where} leads to {led}")


def _values(record: Mapping[str, Any]) -> list[str]:
    alias = record["alias"]
    return [str(alias["name"])] if alias else [str(value) for value in record["values"]]


def _led_to(value: str, evidence: Mapping[str, Any]) -> list[str]:
    """The addresses behind a record's value: an endpoint's own name, or an address as it stands."""
    name = value.rstrip(".").lower()
    for endpoint in evidence["endpoints"]:
        own = {str(entry["name"]).rstrip(".").lower() for entry in endpoint["dns_entries"]}
        if name in own:
            return list(addresses_of(endpoint))
    return [value]
