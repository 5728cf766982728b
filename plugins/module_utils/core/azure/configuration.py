# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The part of Azure evidence that a proof hangs on, and its digest.

A proof says "callers in this network and its peers reach the account through this endpoint". It stops being true when
the account's names, the endpoint, or what lets packets and names through to it changes. Tags, what other accounts do
in a shared zone, the order of lists, the case of ids and the lock itself are not part of it: locking an account leaves
a proof of it valid.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..canonical import canonical_json, digest
from ..errors import EndpointError
from .answers import in_reach
from .arm_id import key, same

# The parts of the evidence that the configuration is taken from.
NEEDED = ("account", "network", "endpoints", "dns")

_RULE = ("priority", "direction", "access", "protocol")
_RULE_SETS = (
    "source_prefixes",
    "source_asgs",
    "source_ports",
    "destination_prefixes",
    "destination_asgs",
    "destination_ports",
)


def configuration(evidence: Mapping[str, Any]) -> dict[str, Any]:
    """What a proof of this target hangs on, as JSON whose lists are in canonical order.

    EndpointError when a part of the evidence that it is taken from was not gathered or was denied, or when there is no
    such account or network: the digest of half a configuration would call two different ones equal.
    """
    _complete(evidence)
    account, network = evidence["account"], evidence["network"]
    endpoints = [
        item for item in in_reach(evidence) if same(item["connection"]["account_id"], account["id"])
    ]
    holding = {key(item["subnet_id"]) for item in endpoints}
    ids = {key(item["id"]) for item in endpoints}
    addresses = [member["address"] for item in endpoints for member in item["members"]]
    near = {key(network["id"]), *(key(item["peer_network_id"]) for item in evidence["peerings"])}
    return {
        "account": {
            "id": key(account["id"]),
            "kind": _lower(account["kind"]),
            "custom_subdomain": _lower(account["custom_subdomain"]),
            "hosts": _names(account["hosts"]),
            "connections": _ordered(
                {"endpoint_id": key(item["endpoint_id"]), "status": _lower(item["status"])}
                for item in account["private_endpoint_connections"]
                if key(item["endpoint_id"]) in ids
            ),
        },
        "network": {
            "id": key(network["id"]),
            "location": _lower(evidence["region"]),
            **_pick(network, sets=("cidrs", "dns_servers")),
            "subnets": _ordered(_subnet(item) for item in network["subnets"]),
        },
        "peerings": _ordered(_peering(item) for item in evidence["peerings"]),
        "peers": _ordered(
            {
                "id": key(item["id"]),
                **_pick(item, sets=("cidrs", "dns_servers")),
                "subnets": _ordered(_subnet(subnet) for subnet in _holding(item, holding)),
            }
            for item in evidence.get("peers") or ()
        ),
        "security_groups": _ordered(
            _group(item, addresses) for item in _used(evidence, "security_groups", holding)
        ),
        "route_tables": _ordered(_plain(item) for item in _used(evidence, "route_tables", holding)),
        "endpoints": _ordered(_endpoint(item) for item in endpoints),
        "zones": _ordered(_zones(evidence["zones"], near, _labels(account))),
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
    if not problems:
        problems += [
            f"no {part} was found" for part in ("account", "network") if not evidence[part]
        ]
    if problems:
        raise EndpointError(
            "the evidence is not complete enough to say what a proof would hang on: "
            + "; ".join(problems),
            resource=str(evidence["target"]),
            fix=f"Gather {', '.join(NEEDED)} with credentials that may read them",
        )


def _subnet(item: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": key(item["id"]),
        "nsg_id": key(item["nsg_id"]),
        "route_table_id": key(item["route_table_id"]),
        "policies": _lower(item["private_endpoint_network_policies"]),
        **_pick(item, sets=("cidrs",)),
    }


def _peering(item: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": key(item["id"]),
        "state": _lower(item["state"]),
        "peer_network_id": key(item["peer_network_id"]),
        **_pick(item, ("allow_virtual_network_access",), sets=("peer_cidrs",)),
    }


def _holding(network: Mapping[str, Any], subnets: set[str]) -> list[Mapping[str, Any]]:
    """The subnets of a network that are among these."""
    return [item for item in network.get("subnets") or () if key(item["id"]) in subnets]


def _used(evidence: Mapping[str, Any], name: str, holding: set[str]) -> list[Mapping[str, Any]]:
    """Groups or tables of the target's network and of peers' subnets that hold an endpoint; others change nothing."""
    attribute = {"security_groups": "nsg_id", "route_tables": "route_table_id"}[name]
    subnets = list(evidence["network"]["subnets"])
    for peer in evidence.get("peers") or ():
        subnets += _holding(peer, holding)
    used = {key(subnet[attribute]) for subnet in subnets}
    return [item for item in evidence.get(name) or () if key(item["id"]) in used]


def _group(item: Mapping[str, Any], addresses: Sequence[str]) -> dict[str, Any]:
    rules = [rule for rule in item["rules"] if _may_meet(rule, addresses)]
    return {
        "id": key(item["id"]),
        "rules": _ordered(_pick(rule, _RULE, sets=_RULE_SETS) for rule in rules),
    }


def _may_meet(rule: Mapping[str, Any], addresses: Sequence[str]) -> bool:
    """Whether a rule can decide about packets to the endpoints; in a shared subnet many are about others' alone."""
    networks = [_network(str(item)) for item in rule["destination_prefixes"]]
    if rule["destination_asgs"] or None in networks or not addresses:
        return True
    parsed = [ipaddress.ip_address(address) for address in addresses if address]
    return any(address in network for network in networks if network for address in parsed)


def _network(prefix: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    """None for `*` and service tags, which can mean any address."""
    try:
        return ipaddress.ip_network(prefix, strict=False)
    except ValueError:
        return None


def _endpoint(item: Mapping[str, Any]) -> dict[str, Any]:
    connection = item["connection"]
    group = item["zone_group"] or {}
    return {
        "id": key(item["id"]),
        "subnet_id": key(item["subnet_id"]),
        "state": _lower(item["provisioning_state"]),
        "status": _lower(connection["status"]),
        "group_ids": _names(connection["group_ids"]),
        "members": _ordered(
            {
                "member": _lower(member["member"]),
                "address": member["address"],
                "fqdns": _names(member["fqdns"]),
            }
            for member in item["members"]
        ),
        "zone_ids": sorted(key(zone["zone_id"]) for zone in group.get("zones") or ()),
    }


def _labels(account: Mapping[str, Any]) -> set[str]:
    """The records that can answer for the account's names: its own, and a wildcard."""
    return {str(host).lower().partition(".")[0] for host in account["hosts"]} | {"*"}


def _zones(
    zones: Iterable[Mapping[str, Any]], near: set[str], labels: set[str]
) -> Iterable[dict[str, Any]]:
    """Of each zone what the target's network and its peers get to see of the account; nothing of what they do not.

    A record counts also where no link leads to it: a custom DNS server may ask that zone from elsewhere.
    """
    for zone in zones:
        records = [item for item in zone["records"] if _lower(item["name"]) in labels]
        links = [item for item in zone["links"] if key(item["network_id"]) in near]
        if not records and not links:
            continue
        yield {
            "id": key(zone["id"]),
            "name": _lower(zone["name"]),
            "links": _ordered(
                {
                    "network_id": key(item["network_id"]),
                    "state": _lower(item["state"]),
                    "resolution_policy": _lower(item["resolution_policy"]) or "default",
                }
                for item in links
            ),
            "records": _ordered(
                {
                    "name": _lower(item["name"]),
                    "type": str(item["type"]).upper(),
                    **_pick(item, sets=("addresses",)),
                }
                for item in records
            ),
        }


def _plain(value: Any) -> Any:
    """A document whose texts are ids and names, without case, and with its lists in canonical order."""
    if isinstance(value, Mapping):
        return {str(name): _plain(inner) for name, inner in value.items() if name != "tags"}
    if isinstance(value, list):
        return sorted((_plain(inner) for inner in value), key=canonical_json)
    return value.lower() if isinstance(value, str) else value


def _pick(
    item: Mapping[str, Any], names: Sequence[str] = (), *, sets: Sequence[str] = ()
) -> dict[str, Any]:
    return {
        **{name: _plain(item.get(name)) for name in names},
        **{name: _names(item.get(name)) for name in sets},
    }


def _names(values: Iterable[Any] | None) -> list[str]:
    return sorted(str(item).rstrip("/").lower() for item in values or ())


def _lower(value: Any) -> str:
    return str(value or "").lower()


def _ordered(items: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(items, key=canonical_json)
