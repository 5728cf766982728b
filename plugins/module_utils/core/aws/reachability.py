# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether packets to TCP 443 get from a subnet to an endpoint: security groups, network ACLs, routes.

https://docs.aws.amazon.com/vpc/latest/userguide/nacl-rules.html
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, TypeAlias

Network: TypeAlias = "ipaddress.IPv4Network | ipaddress.IPv6Network"
Ports = tuple[int, int]

HTTPS: Ports = (443, 443)
# Ports that answers come back to; AWS's clients on Linux use 32768–60999, a NAT gateway 1024–65535.
EPHEMERAL: Ports = (32768, 60999)

Verdict = Literal["allow", "deny", "partly"]


def network(cidr: str) -> Network:
    """A CIDR; host bits are ignored, as EC2 does."""
    return ipaddress.ip_network(cidr, strict=False)


def within(cidr: str, allowed: Iterable[str]) -> bool:
    """Whether a CIDR lies wholly in the union of others."""
    inner = network(cidr)
    same = [item for item in map(network, allowed) if item.version == inner.version]
    merged = ipaddress.collapse_addresses(same)  # type: ignore[type-var]
    return any(inner.subnet_of(outer) for outer in merged)  # type: ignore[arg-type]


def covers_https(rule: Mapping[str, Any]) -> bool:
    """Whether a security group's rule lets TCP 443 in."""
    if rule["egress"]:
        return False
    protocol = str(rule["protocol"]).lower()
    if protocol == "-1":
        return True
    if protocol not in ("tcp", "6"):
        return False
    first, last = rule["from_port"], rule["to_port"]
    return first in (None, -1) or int(first) <= HTTPS[0] <= int(last)


def groups_admit(
    groups: Sequence[Mapping[str, Any]], source: str
) -> Literal["yes", "no", "perhaps"]:
    """Whether these groups let TCP 443 in from a CIDR; `perhaps` by a prefix list or a referenced group."""
    rules = [rule for group in groups for rule in group["rules"] if covers_https(rule)]
    cidrs = [str(rule[key]) for rule in rules for key in ("cidr", "cidr_v6") if rule[key]]
    if within(source, cidrs):
        return "yes"
    return "perhaps" if any(rule["prefix_list_id"] or rule["group_id"] for rule in rules) else "no"


def acl_says(acl: Mapping[str, Any], *, egress: bool, peer: str, ports: Ports) -> Verdict:
    """What a network ACL says to all of TCP `ports` to or from `peer`; the lowest number that matches decides.

    `partly` when it does not say the same to all addresses and ports. Only the packets at the edges of the entries'
    ranges are looked at: between two edges nothing changes.
    """
    other = network(peer)
    entries = [
        (network(str(item["cidr"])), _ports(item), str(item["action"]).lower())
        for item in sorted(acl["entries"], key=lambda item: int(item["number"]))
        if bool(item["egress"]) == egress
        and item["cidr"]
        and str(item["protocol"]).lower() in ("-1", "6", "tcp")
        and network(str(item["cidr"])).version == other.version
    ]
    first, last = int(other.network_address), int(other.broadcast_address)
    addresses = _edges(
        first,
        last,
        [
            (int(net.network_address), int(net.broadcast_address))
            for net, _ports, _action in entries
        ],
    )
    verdicts = {
        next(
            (
                action
                for net, (low, high), action in entries
                if int(net.network_address) <= address <= int(net.broadcast_address)
                and low <= port <= high
            ),
            "deny",
        )
        for address in addresses
        for port in _edges(*ports, [span for _net, span, _action in entries])
    }
    if len(verdicts) > 1:
        return "partly"
    return "allow" if verdicts == {"allow"} else "deny"


def _ports(entry: Mapping[str, Any]) -> Ports:
    if str(entry["protocol"]) == "-1" or entry["from_port"] is None:
        return 0, 65535
    return int(entry["from_port"]), int(entry["to_port"])


def _edges(first: int, last: int, spans: Iterable[tuple[int, int]]) -> list[int]:
    """The values within first…last at which one of the spans begins, or has just ended."""
    edges = {first} | {edge for low, high in spans for edge in (low, high + 1)}
    return sorted(edge for edge in edges if first <= edge <= last)


def blocks(
    evidence: Mapping[str, Any], source: str, source_acl: str | None, endpoint: Mapping[str, Any]
) -> list[str]:
    """What stands between a source CIDR and an endpoint, as sentences; empty when nothing in the evidence does.

    source_acl: the network ACL of the source's subnet, when the evidence has it.
    """
    reasons = []
    groups = [
        item for item in evidence["security_groups"] if item["id"] in endpoint["security_group_ids"]
    ]
    if groups and groups_admit(groups, source) == "no":
        names = ", ".join(str(item["id"]) for item in groups)
        reasons.append(f"security group {names} does not let TCP 443 in from {source}")
    acls = {str(item["id"]): item for item in evidence["network_acls"]}
    for subnet in evidence["subnets"]:
        if subnet["id"] in endpoint["subnet_ids"]:
            acl = acls.get(str(subnet["network_acl_id"]))
            reasons += _acl_blocks(acl, source, str(subnet["cidr"]), endpoint_side=True)
            # Within one subnet no packet passes a network ACL.
            if subnet["cidr"] != source and source_acl:
                reasons += _acl_blocks(
                    acls.get(source_acl), source, str(subnet["cidr"]), endpoint_side=False
                )
    return list(dict.fromkeys(reasons))


def _acl_blocks(
    acl: Mapping[str, Any] | None, source: str, destination: str, *, endpoint_side: bool
) -> list[str]:
    if acl is None or source == destination:
        return []
    peer = source if endpoint_side else destination
    # The request enters at the endpoint's side and leaves at the source's; the answer goes the other way.
    request = acl_says(acl, egress=not endpoint_side, peer=peer, ports=HTTPS)
    answer = acl_says(acl, egress=endpoint_side, peer=peer, ports=EPHEMERAL)
    reasons = []
    if request != "allow":
        reasons.append(f"network ACL {acl['id']} stops TCP 443 between {source} and {destination}")
    if answer != "allow":
        reasons.append(
            f"network ACL {acl['id']} stops the answers (TCP {EPHEMERAL[0]}-{EPHEMERAL[1]}) "
            f"between {destination} and {source}"
        )
    return reasons


def route_to(evidence: Mapping[str, Any], subnet_id: str, cidr: str) -> str | None:
    """The target of the most specific active route from a subnet to all of a CIDR; None when there is none."""
    subnet = next((item for item in evidence["subnets"] if item["id"] == subnet_id), None)
    if subnet is None:
        return None
    table = next(
        (item for item in evidence["route_tables"] if item["id"] == subnet["route_table_id"]), None
    )
    wanted = network(cidr)
    found = [
        (network(str(route["destination"])).prefixlen, str(route["target"]))
        for route in (table or {"routes": []})["routes"]
        if str(route["state"]).lower() == "active"
        and "/" in str(route["destination"])
        and within(cidr, [str(route["destination"])])
        and network(str(route["destination"])).version == wanted.version
    ]
    return max(found, default=(0, None))[1]
