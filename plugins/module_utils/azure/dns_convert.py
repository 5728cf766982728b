# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Resource Manager's documents as the shapes of the DNS phase, and the shapes as request bodies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..core.azure.arm_id import ArmId, key
from ..core.azure.names import (
    Cloud,
    client_name,
    hosts,
    privatelink_name,
    record_of,
    zone_of,
)
from ..core.azure.plan_dns_types import (
    MANAGED,
    RUN,
    TTL,
    Account,
    Config,
    Endpoint,
    Group,
    Host,
    Link,
    Record,
    Zone,
)

# Record type → its property, and the key of a value in there.
_VALUES = {"A": ("aRecords", "ipv4Address"), "AAAA": ("aaaaRecords", "ipv6Address")}


def network_of(subnet_id: str) -> str:
    """The network of a subnet."""
    return str(ArmId.parse(subnet_id).parent)


def connection_of(document: Mapping[str, Any], account_id: str | None) -> Mapping[str, Any] | None:
    """An endpoint's connection to an account, or its first one when no account is named."""
    properties = document["properties"]
    found = [
        item["properties"]
        for kind in ("privateLinkServiceConnections", "manualPrivateLinkServiceConnections")
        for item in properties.get(kind) or ()
    ]
    return next(
        (
            item
            for item in found
            if account_id is None or key(item.get("privateLinkServiceId")) == key(account_id)
        ),
        None,
    )


def endpoint(
    document: Mapping[str, Any], interface: Mapping[str, Any], account_id: str | None, cloud: Cloud
) -> Endpoint:
    """An endpoint, with the names that its network interface says it answers for."""
    properties = document["properties"]
    connection = connection_of(document, account_id) or {}
    state = connection.get("privateLinkServiceConnectionState") or {}
    named = _names(interface)
    # Azure leaves in here what no zone group keeps.
    loose = {client_name(item["fqdn"]) for item in properties.get("customDnsConfigs") or ()}
    return Endpoint(
        id=str(document["id"]),
        name=str(document["name"]),
        account_id=str(connection.get("privateLinkServiceId") or account_id or ""),
        network_id=network_of(properties["subnet"]["id"]),
        status=str(state.get("status") or "Pending"),
        hosts=made_hosts(named, cloud),
        covered=frozenset(set(named) - loose),
    )


def _names(interface: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for item in (interface.get("properties") or {}).get("ipConfigurations") or ():
        properties = item.get("properties") or {}
        member = properties.get("privateLinkConnectionProperties") or {}
        for fqdn in member.get("fqdns") or ():
            found.setdefault(client_name(fqdn), []).append(str(properties["privateIPAddress"]))
    return {name: tuple(sorted(set(addresses))) for name, addresses in found.items()}


def made_hosts(named: Mapping[str, tuple[str, ...]], cloud: Cloud) -> tuple[Host, ...]:
    """Client names with addresses, each with its zone and record; names of no family are left out."""
    return tuple(
        Host(name=name, zone=zone, record=record, addresses=named[name])
        for name in sorted(named)
        for zone, record in [(zone_of(name, cloud), record_of(name, cloud))]
        if zone and record
    )


def group(documents: Iterable[Mapping[str, Any]]) -> Group | None:
    """The zone group of an endpoint."""
    for document in documents:
        configs = (document.get("properties") or {}).get("privateDnsZoneConfigs") or ()
        return Group(
            name=str(document["name"]),
            configs=tuple(
                Config(name=str(item["name"]), zone_id=str(item["properties"]["privateDnsZoneId"]))
                for item in configs
            ),
        )
    return None


def group_body(made: Group) -> dict[str, Any]:
    """What makes a zone group."""
    return {
        "properties": {
            "privateDnsZoneConfigs": [
                {"name": item.name, "properties": {"privateDnsZoneId": item.zone_id}}
                for item in made.configs
            ]
        }
    }


def link(document: Mapping[str, Any]) -> Link:
    """A link of a zone."""
    properties, tags = document["properties"], document.get("tags") or {}
    return Link(
        name=str(document["name"]),
        network_id=str(properties["virtualNetwork"]["id"]),
        registration=bool(properties.get("registrationEnabled")),
        policy=str(properties.get("resolutionPolicy") or "Default"),
        managed=tags.get(MANAGED) == "true",
        run=str(tags.get(RUN) or ""),
        etag=str(document.get("etag") or ""),
    )


def link_body(made: Link, run: str) -> dict[str, Any]:
    """What makes a link."""
    return {
        "location": "global",
        "tags": tags(run),
        "properties": {
            "virtualNetwork": {"id": made.network_id},
            **link_settings(made)["properties"],
        },
    }


def link_settings(made: Link) -> dict[str, Any]:
    """What changes a link."""
    return {
        "properties": {
            "registrationEnabled": made.registration,
            "resolutionPolicy": made.policy,
        }
    }


def record(document: Mapping[str, Any]) -> Record:
    """A record set."""
    kind = str(document["type"]).rpartition("/")[2].upper()
    properties = document.get("properties") or {}
    values: list[str] = []
    if kind in _VALUES:
        name, inner = _VALUES[kind]
        values = [str(item[inner]) for item in properties.get(name) or ()]
    elif kind == "CNAME":
        values = [str((properties.get("cnameRecord") or {}).get("cname") or "")]
    return Record(
        name=str(document["name"]),
        type=kind,
        ttl=int(properties.get("ttl") or TTL),
        values=tuple(sorted(values)),
        metadata=tuple(sorted((properties.get("metadata") or {}).items())),
        etag=str(document.get("etag") or ""),
    )


def record_body(made: Record) -> dict[str, Any]:
    """What makes a record set."""
    body: dict[str, Any] = {"ttl": made.ttl, "metadata": dict(made.metadata)}
    if made.type == "CNAME":
        body["cnameRecord"] = {"cname": made.values[0]}
    else:
        name, inner = _VALUES[made.type]
        body[name] = [{inner: value} for value in made.values]
    return {"properties": body}


def zone(
    zone_id: str,
    links: Iterable[Mapping[str, Any]],
    records: Iterable[Mapping[str, Any]],
    document: Mapping[str, Any] | None = None,
) -> Zone:
    """A zone. document: the zone itself, which says who made it."""
    marks = (document or {}).get("tags") or {}
    found = (record(item) for item in records)
    return Zone(
        id=zone_id,
        name=zone_id.rpartition("/")[2].lower(),
        managed=marks.get(MANAGED) == "true",
        run=str(marks.get(RUN) or ""),
        links=tuple(link(item) for item in links),
        records=tuple(item for item in found if item.type != "SOA"),
    )


def zone_body(run: str) -> dict[str, Any]:
    """What makes a zone."""
    return {"location": "global", "tags": tags(run)}


def tags(run: str) -> dict[str, str]:
    """The marks of what this collection makes."""
    return {MANAGED: "true", RUN: run}


def account(document: Mapping[str, Any], cloud: Cloud) -> Account | None:
    """An account whose names public DNS leads into zones; None without a private endpoint or a name of its own."""
    properties = document.get("properties") or {}
    names = hosts(
        str(document.get("kind") or ""), str(properties.get("customSubDomainName") or ""), cloud
    )
    if not names or not properties.get("privateEndpointConnections"):
        return None
    led = (privatelink_name(name, cloud) for name in names.values())
    return Account(id=str(document["id"]), hosts=tuple(name for name in led if name))
