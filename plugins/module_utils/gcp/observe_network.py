# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The network part of the evidence: networks, what filters packets in them, and their endpoints for Google APIs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from ..core.gcp.names import path_of, project_of
from ..core.gcp.plan_create_types import Rule
from . import create_convert as convert
from .client import Connection
from .reads import Read, all_of

Document = Mapping[str, Any]

# Lists of a project, by what they are called in the answers → path and permission.
LISTS: Mapping[str, tuple[str, str]] = {
    "subnets": ("aggregated/subnetworks", "compute.subnetworks.list"),
    "routes": ("global/routes", "compute.routes.list"),
    "firewalls": ("global/firewalls", "compute.firewalls.list"),
    "rules": ("global/forwardingRules", "compute.globalForwardingRules.list"),
}
_NEXT_HOPS = (
    "nextHopGateway",
    "nextHopIp",
    "nextHopInstance",
    "nextHopIlb",
    "nextHopVpnTunnel",
    "nextHopPeering",
    "nextHopNetwork",
    "nextHopHub",
)


def network_read(connection: Connection, path: str, part: str = "network") -> Read:
    """One network, with its peerings. Of somebody else's it is only missing that it does not exist."""
    return Read(
        part=part,
        resource=path,
        action="compute.networks.get",
        call=partial(connection.get, "compute", path, resource=path),
        tolerant=part == "peers",
    )


def list_reads(
    connection: Connection, project: str, kinds: Iterable[str], part: str | None = None
) -> dict[str, Read]:
    """Lists of one project. part: of the evidence, where it is not the one that the kind belongs to."""
    found = {}
    for kind in kinds:
        path, action = LISTS[kind]
        where = f"projects/{project}/{path}"
        found[f"{kind} {project}"] = Read(
            part=part or ("endpoints" if kind == "rules" else "network"),
            resource=f"projects/{project}",
            action=action,
            call=all_of(connection, "compute", where),
            tolerant=part == "peers",
        )
    return found


def network(
    path: str, role: str, document: Document | None, lists: Mapping[str, Any], readable: set[str]
) -> dict[str, Any]:
    """A network of the evidence. readable: the networks that could be read, to say it of each peer."""
    home = project_of(path)
    return {
        "id": path,
        "role": role,
        "project": home,
        "auto": bool(document.get("autoCreateSubnetworks")) if document else None,
        "subnets": _by_id(
            _subnet(item) for item in lists.get(f"subnets {home}") or () if _in(item, path)
        ),
        "peerings": sorted(
            (_peering(item, readable) for item in (document or {}).get("peerings") or ()),
            key=lambda item: str(item["network_id"]),
        ),
        "routes": sorted(
            (_route(item) for item in lists.get(f"routes {home}") or () if _in(item, path)),
            key=lambda item: str(item["name"]),
        ),
        "dns_policy": None,
    }


def peers_of(document: Document | None) -> list[str]:
    """Paths of the networks that a network is peered with, whatever the state of it."""
    listed = (document or {}).get("peerings") or ()
    return [path_of(str(item["network"])) for item in listed if item.get("network")]


def firewalls(lists: Mapping[str, Any], networks: Iterable[str]) -> list[dict[str, Any]]:
    """The egress rules of these networks."""
    known = set(networks)
    found = [
        convert.firewall(item)
        for name, listed in lists.items()
        if name.startswith("firewalls ")
        for item in listed or ()
    ]
    return _by_id(
        {
            "id": item.id,
            "name": item.name,
            "network_id": item.network,
            "direction": item.direction,
            "priority": item.priority,
            "action": item.action,
            "protocols": list(item.protocols),
            # Without any it is about every address.
            "destinations": list(item.destinations) or ["0.0.0.0/0"],
            "ranges": list(item.ranges),
            "tags": list(item.tags),
            "accounts": list(item.accounts),
            "disabled": item.disabled,
            "managed": item.ours,
        }
        for item in found
        if item.network in known and item.direction == "EGRESS"
    )


def endpoints(lists: Mapping[str, Any], networks: Iterable[str]) -> list[dict[str, Any]]:
    """The endpoints for Google APIs of these networks, whatever project their rules are in."""
    known = set(networks)
    found = [(rule, made) for rule, made in _rules(lists) if rule.network in known]
    return _by_id(
        {
            "id": rule.id,
            "name": rule.name,
            "project": rule.project,
            "network_id": rule.network,
            "address": rule.address,
            "bundle": rule.bundle,
            "service_directory_region": rule.region,
            "labels": dict(rule.labels),
            "managed": rule.ours,
            "replaced": any(_replaces((other, then), (rule, made)) for other, then in found),
        }
        for rule, made in found
    )


def elsewhere(lists: Mapping[str, Any], networks: Iterable[str]) -> list[dict[str, Any]]:
    """Those of other networks in the same projects: an endpoint that was made in the wrong network is among them."""
    known = set(networks)
    return _by_id(
        {"id": rule.id, "network_id": rule.network, "address": rule.address, "bundle": rule.bundle}
        for rule, _made in _rules(lists)
        if rule.network not in known
    )


def _rules(lists: Mapping[str, Any]) -> list[tuple[Rule, str]]:
    """The endpoints for Google APIs in every list that was read, each with the time when it was made."""
    items = [
        (convert.rule(item), str(item.get("creationTimestamp") or ""))
        for name, listed in lists.items()
        if name.startswith("rules ")
        for item in listed or ()
    ]
    return [(rule, made) for rule, made in items if rule.bundle]


def _replaces(newer: tuple[Rule, str], older: tuple[Rule, str]) -> bool:
    """Whether one endpoint was made, by this collection, to take the other one's place."""
    (new, then), (old, before) = newer, older
    same = new.network == old.network and new.family is not None and new.family == old.family
    # Names of one family differ in their number, which grows.
    return (
        same
        and new.id != old.id
        and (then, len(new.name), new.name)
        > (
            before,
            len(old.name),
            old.name,
        )
    )


def _in(item: Document, network: str) -> bool:
    return path_of(str(item.get("network") or "")) == network


def _subnet(item: Document) -> dict[str, Any]:
    return {
        "id": path_of(str(item["selfLink"])),
        "name": str(item["name"]),
        "region": str(item.get("region") or "").rpartition("/")[2],
        "cidr": item.get("ipCidrRange"),
        "secondary": sorted(
            str(more["ipCidrRange"]) for more in item.get("secondaryIpRanges") or ()
        ),
        "private_google_access": bool(item.get("privateIpGoogleAccess")),
        "purpose": str(item.get("purpose") or "PRIVATE"),
    }


def _peering(item: Document, readable: set[str]) -> dict[str, Any]:
    path = path_of(str(item.get("network") or ""))
    return {
        "name": str(item.get("name") or ""),
        "network_id": path,
        "state": str(item.get("state") or ""),
        "readable": path in readable,
    }


def _route(item: Document) -> dict[str, Any]:
    hop = next((str(item[name]) for name in _NEXT_HOPS if item.get(name)), "")
    return {
        "name": str(item["name"]),
        "dest": str(item.get("destRange") or ""),
        "next_hop": path_of(hop),
        "priority": int(item.get("priority", 1000)),
    }


def _by_id(items: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(items, key=lambda item: str(item["id"]))


def homes(paths: Sequence[str]) -> list[str]:
    """The projects of these networks, each once."""
    return list(dict.fromkeys(project_of(path) for path in paths))
