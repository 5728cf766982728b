# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The dns part of the evidence: the privatelink zones that were found, with their links and records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..core.azure.arm_id import key
from ..core.azure.names import Cloud, all_zones
from .dns_places import Places
from .reads import Read, properties, reference

Document = Mapping[str, Any]

_ZONES = "Microsoft.Network/privateDnsZones"
_ADDRESS_TYPES = {"A": ("aRecords", "ipv4Address"), "AAAA": ("aaaaRecords", "ipv6Address")}


def subscriptions_read(places: Places, known: Sequence[str]) -> Read:
    """The subscriptions that can be reached; who may not list them still reaches the known ones."""
    return Read(
        part="elsewhere",
        resource="/subscriptions",
        action="Microsoft.Resources/subscriptions/read",
        call=lambda: list(places.subscriptions(known)),
    )


def zones_reads(
    places: Places, subscriptions: Iterable[str], *, tolerant: bool = False
) -> dict[str, Read]:
    """The private DNS zones of each of these subscriptions. tolerant: nobody needs one there."""

    def read(subscription: str) -> Read:
        scope = f"/subscriptions/{subscription}"
        connection = places.in_subscription(subscription)
        return Read(
            part="elsewhere" if tolerant else "dns",
            resource=scope,
            action=f"{_ZONES}/read",
            call=lambda: connection.list(f"{scope}/providers/{_ZONES}"),
            tolerant=tolerant,
        )

    return {f"zones {item}": read(item) for item in dict.fromkeys(subscriptions)}


def relevant(documents: Iterable[Document], cloud: Cloud) -> dict[str, str]:
    """Key → id of the zones that answer for AI accounts."""
    names = all_zones(cloud)
    return {
        key(item["id"]): str(item["id"]) for item in documents if str(item["name"]).lower() in names
    }


def of_groups(endpoints: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Key → id of the zones that endpoints' zone groups keep right, wherever those are."""
    return {
        key(zone["zone_id"]): str(zone["zone_id"])
        for item in endpoints
        for zone in (item["zone_group"] or {"zones": ()})["zones"]
        if zone["zone_id"]
    }


def zone_reads(places: Places, zones: Mapping[str, str]) -> dict[str, Read]:
    """Links and records of these zones. One that does not exist any more is only missing."""
    kinds = {"links": "virtualNetworkLinks", "records": "ALL"}

    def read(name: str, zone_id: str) -> Read:
        path = f"{zone_id}/{kinds[name]}"
        connection = places.of(zone_id)
        return Read(
            part="dns",
            resource=zone_id,
            action=f"{_ZONES}/{kinds[name]}/read",
            call=lambda: connection.list(path),
            tolerant=True,
        )

    return {
        f"{name} {zone}": read(name, zone_id) for zone, zone_id in zones.items() for name in kinds
    }


def zone(zone_id: str, answers: Mapping[str, Any]) -> dict[str, Any]:
    """One zone of the evidence."""
    return {
        "id": zone_id,
        "name": zone_id.rpartition("/")[2].lower(),
        "links": [_link(item) for item in answers.get(f"links {key(zone_id)}") or ()],
        "records": [
            record
            for item in answers.get(f"records {key(zone_id)}") or ()
            if (record := _record(item))
        ],
    }


def _link(item: Document) -> dict[str, Any]:
    of = properties(item)
    return {
        "id": item["id"],
        "name": item["name"],
        "network_id": reference(of.get("virtualNetwork")) or "",
        "state": of.get("virtualNetworkLinkState") or "Unknown",
        "registration_enabled": bool(of.get("registrationEnabled")),
        "resolution_policy": of.get("resolutionPolicy") or "Default",
    }


def _record(item: Document) -> dict[str, Any] | None:
    """A record with addresses, or an alias to another name; None for what names no host."""
    of = properties(item)
    kind = str(item.get("type") or "").rpartition("/")[2].upper()
    if kind == "CNAME":
        addresses = [str((of.get("cnameRecord") or {}).get("cname"))]
    elif kind in _ADDRESS_TYPES:
        several, one = _ADDRESS_TYPES[kind]
        addresses = [str(entry[one]) for entry in of.get(several) or ()]
    else:
        return None
    return {"name": item["name"], "type": kind, "ttl": of.get("ttl"), "addresses": addresses}
