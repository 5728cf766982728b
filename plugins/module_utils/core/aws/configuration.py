# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The part of AWS evidence that a proof hangs on, and its digest.

A proof says "callers in these networks reach the service through these endpoints". It stops being true when the
endpoints, what lets packets and names through to them, or what they admit changes. Tags, descriptions, time stamps,
the order of lists and the lock itself are not part of it: tagging an endpoint or locking the scope leaves a proof
valid.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..canonical import canonical_json, digest
from ..errors import EndpointError

# The parts of the evidence that the configuration is taken from.
NEEDED = ("network", "endpoints", "dns")

# The AI services' hosts lie in these domains; private zones elsewhere do not change where they resolve.
_DOMAINS = ("amazonaws.com", "amazonaws.com.cn", "aws")


def configuration(evidence: Mapping[str, Any]) -> dict[str, Any]:
    """What a proof of this target hangs on, as JSON whose lists are in canonical order.

    EndpointError when a part of the evidence that it is taken from was not gathered or was denied: the digest of half
    a configuration would call two different ones equal.
    """
    _complete(evidence)
    vpc = evidence["vpc"]
    endpoints = [item for item in evidence["endpoints"] if item["vpc_id"] == vpc["id"]]
    subnets = {item["id"]: item for item in evidence["subnets"]}
    groups = {group for item in endpoints for group in item["security_group_ids"]}
    return {
        "vpc": {
            "id": vpc["id"],
            "region": evidence["region"],
            "account_id": evidence["account_id"],
            "cidrs": sorted(vpc["cidrs"]),
            "ipv6_cidrs": sorted(vpc["ipv6_cidrs"]),
            "dns_support": vpc["dns_support"],
            "dns_hostnames": vpc["dns_hostnames"],
        },
        "endpoints": _ordered(_endpoint(item) for item in endpoints),
        "security_groups": _ordered(
            _group(item) for item in evidence["security_groups"] if item["id"] in groups
        ),
        "subnets": _ordered(_subnet(item) for item in subnets.values()),
        "route_tables": _ordered(_route_table(item) for item in evidence["route_tables"]),
        "network_acls": _ordered(_acl(item) for item in evidence["network_acls"]),
        "peerings": _ordered(
            _pick(item, ("id", "status", "vpc_id", "peer_vpc_id"), sets=("peer_cidrs",))
            for item in evidence["peerings"]
        ),
        "zones": _ordered(_zone(item) for item in evidence["zones"] if matters(item["name"])),
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
            fix="Gather network, endpoints and dns with credentials that may read them",
        )


def _endpoint(item: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **_pick(
            item,
            (
                "id",
                "service",
                "type",
                "private_dns_enabled",
                "ip_address_type",
                "dns_record_ip_type",
            ),
            sets=("subnet_ids", "security_group_ids"),
        ),
        "state": str(item["state"]).lower(),
        "policy": _unordered(item["policy"]),
        "addresses": sorted(
            address
            for interface in item["network_interfaces"]
            for address in (*interface["addresses"], *interface["ipv6_addresses"])
        ),
    }


def _group(item: Mapping[str, Any]) -> dict[str, Any]:
    keys = (
        "egress",
        "protocol",
        "from_port",
        "to_port",
        "cidr",
        "cidr_v6",
        "prefix_list_id",
        "group_id",
    )
    return {"id": item["id"], "rules": _ordered(_pick(rule, keys) for rule in item["rules"])}


def _subnet(item: Mapping[str, Any]) -> dict[str, Any]:
    return _pick(
        item,
        ("id", "cidr", "az_id", "route_table_id", "network_acl_id"),
        sets=("ipv6_cidrs",),
    )


def _route_table(item: Mapping[str, Any]) -> dict[str, Any]:
    keys = ("destination", "target", "state")
    return {"id": item["id"], "routes": _ordered(_pick(route, keys) for route in item["routes"])}


def _acl(item: Mapping[str, Any]) -> dict[str, Any]:
    keys = ("number", "egress", "protocol", "action", "cidr", "from_port", "to_port")
    return {"id": item["id"], "entries": _ordered(_pick(entry, keys) for entry in item["entries"])}


def _zone(item: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **_pick(item, ("id", "name")),
        "vpcs": _ordered(_pick(vpc, ("id", "region")) for vpc in item["vpcs"]),
        "records": _ordered(
            _pick(record, ("name", "type", "alias"), sets=("values",))
            for record in item["records"]
            if record["type"] not in ("NS", "SOA")
        ),
    }


def matters(zone: str) -> bool:
    """Whether a private zone of this name can change where an AI service's host resolves."""
    name = zone.rstrip(".").lower()
    return any(
        name == domain or name.endswith("." + domain) or domain.endswith("." + name)
        for domain in _DOMAINS
    )


def _pick(
    item: Mapping[str, Any], keys: Sequence[str], *, sets: Sequence[str] = ()
) -> dict[str, Any]:
    return {
        **{key: item.get(key) for key in keys},
        **{key: sorted(item.get(key) or []) for key in sets},
    }


def _ordered(items: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(items, key=canonical_json)


def _unordered(value: Any) -> Any:
    """A policy with its lists in canonical order: in IAM's grammar no list has a meaningful order."""
    if isinstance(value, Mapping):
        return {str(key): _unordered(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return sorted((_unordered(inner) for inner in value), key=canonical_json)
    return value
