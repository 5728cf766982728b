# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The part of Google evidence that a proof hangs on, and its digest.

A proof says "callers in these networks reach Vertex AI through the endpoints that serve them". It stops being true
when the hosts, an endpoint, or what lets packets and names through to it changes. Labels, times to live, peerings, over
which no endpoint is reached, what zones say about other names, the order of lists and the lock itself are not part of
it: enforcing a perimeter leaves a proof of it valid.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..canonical import canonical_json, digest
from ..errors import EndpointError
from .answers import covers, predict, served, serves

# The parts of the evidence that the configuration is taken from.
NEEDED = ("endpoints", "network", "dns")

_FIREWALL = ("direction", "priority", "action", "disabled")
_FIREWALL_SETS = ("protocols", "destinations", "ranges", "tags", "accounts")


def configuration(evidence: Mapping[str, Any]) -> dict[str, Any]:
    """What a proof of this target hangs on, as JSON whose lists are in canonical order.

    EndpointError when a part of the evidence that it is taken from was not gathered or was denied: the digest of half
    a configuration would call two different ones equal.
    """
    _complete(evidence)
    paths = served(evidence)
    endpoints = [
        item for item in evidence["endpoints"] if any(serves(item, path) for path in paths)
    ]
    addresses = {
        path: [str(item["address"]) for item in endpoints if serves(item, path)] for path in paths
    }
    hosts = sorted(str(host) for host in evidence["hosts"])
    return {
        "project": evidence["project"]["id"],
        "hosts": hosts,
        "networks": _ordered(
            _network(item, addresses[str(item["id"])])
            for item in (evidence["network"], *evidence["spokes"])
        ),
        "firewalls": _ordered(
            {
                "id": item["id"],
                "network_id": item["network_id"],
                **_pick(item, _FIREWALL, sets=_FIREWALL_SETS),
            }
            for item in evidence["firewalls"]
            if _may_meet(item["destinations"], addresses.get(str(item["network_id"]), ()))
        ),
        "endpoints": _ordered(
            _pick(item, ("id", "network_id", "address", "bundle")) for item in endpoints
        ),
        "zones": _ordered(_zones(evidence["zones"], set(paths), hosts)),
        "response_policies": _ordered(_policies(evidence["response_policies"], set(paths), hosts)),
        "names": _ordered(_name(host, path, evidence) for host in hosts for path in paths),
        "peers": _ordered(_peer(path, evidence, hosts) for path in _peers(evidence, paths)),
    }


def _peers(evidence: Mapping[str, Any], paths: Sequence[str]) -> list[str]:
    """Networks that the application's is actively peered with: callers there need an endpoint of their own, too."""
    found = [
        str(item["network_id"])
        for item in evidence["network"]["peerings"]
        if str(item["state"]).upper() == "ACTIVE"
    ]
    return [path for path in dict.fromkeys(found) if path not in paths]


def _peer(path: str, evidence: Mapping[str, Any], hosts: Sequence[str]) -> dict[str, Any]:
    own = [str(item["address"]) for item in evidence["endpoints"] if item["network_id"] == path]
    return {
        "id": path,
        "addresses": sorted(own),
        "names": _ordered(_name(host, path, evidence) for host in hosts),
    }


def config_hash(evidence: Mapping[str, Any]) -> str:
    """The digest of `configuration(evidence)`."""
    return digest(configuration(evidence))


def _complete(evidence: Mapping[str, Any]) -> None:
    problems = [f"{part} was not gathered" for part in NEEDED if part not in evidence["gathered"]]
    problems += [
        f"{item['action']} failed: {item['code']}"
        for item in evidence["missing"]
        if item["part"] in NEEDED
    ]
    if problems:
        raise EndpointError(
            "the evidence is not complete enough to say what a proof would hang on: "
            + "; ".join(problems),
            resource=str(evidence["target"]),
            fix=f"Gather {', '.join(NEEDED)} with credentials that may read them",
        )


def _network(item: Mapping[str, Any], addresses: Sequence[str]) -> dict[str, Any]:
    policy = item["dns_policy"] or {}
    return {
        "id": item["id"],
        "subnets": _ordered(
            _pick(subnet, ("id", "cidr", "private_google_access"), sets=("secondary",))
            for subnet in item["subnets"]
        ),
        "routes": _ordered(
            _pick(route, ("dest", "next_hop", "priority"))
            for route in item["routes"]
            if _may_meet([route["dest"]], addresses)
        ),
        "name_servers": sorted(policy.get("name_servers") or ()),
    }


def _may_meet(ranges: Iterable[str], addresses: Iterable[str]) -> bool:
    """Whether a rule or route can decide about packets to the endpoints; most are about others' alone."""
    known = [ipaddress.ip_address(address) for address in addresses]
    blocks = [ipaddress.ip_network(str(text), strict=False) for text in ranges if text]
    return any(
        address.version == block.version and address in block
        for block in blocks
        for address in known
    )


def _zones(
    zones: Iterable[Mapping[str, Any]], networks: set[str], hosts: Sequence[str]
) -> Iterable[dict[str, Any]]:
    """Of each zone what these networks get to see of the hosts; what it leads on to is in `names`."""
    for zone in zones:
        shown = sorted(networks & set(zone["network_ids"]))
        if not shown:
            continue
        yield {
            "id": zone["id"],
            "dns_name": zone["dns_name"],
            "network_ids": shown,
            "peering_network_id": zone["peering_network_id"],
            "forwarding": sorted(zone.get("forwarding") or ()),
            "records": _ordered(
                _pick(item, ("name", "type"), sets=("values",))
                for item in zone["records"]
                if item["type"] not in ("NS", "SOA")
                and any(covers(str(item["name"]), host) for host in hosts)
            ),
        }


def _policies(
    policies: Iterable[Mapping[str, Any]], networks: set[str], hosts: Sequence[str]
) -> Iterable[dict[str, Any]]:
    for policy in policies:
        shown = sorted(networks & set(policy["network_ids"]))
        rules = [
            {
                "dns_name": rule["dns_name"],
                "bypass": rule["bypass"],
                "records": _ordered(
                    _pick(item, ("name", "type"), sets=("values",)) for item in rule["records"]
                ),
            }
            for rule in policy["rules"]
            if any(covers(str(rule["dns_name"]), host) for host in hosts)
        ]
        if shown and rules:
            yield {"id": policy["id"], "network_ids": shown, "rules": _ordered(rules)}


def _name(host: str, network_id: str, evidence: Mapping[str, Any]) -> dict[str, Any]:
    """Where a host leads in a network in the end, by whatever zones and aliases."""
    found = predict(host, network_id, evidence)
    return {
        "host": host,
        "network_id": network_id,
        "kind": found.kind,
        "addresses": sorted(found.addresses),
    }


def _pick(
    item: Mapping[str, Any], names: Sequence[str] = (), *, sets: Sequence[str] = ()
) -> dict[str, Any]:
    return {
        **{name: item.get(name) for name in names},
        **{name: sorted(str(value) for value in item.get(name) or ()) for name in sets},
    }


def _ordered(items: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(items, key=canonical_json)
