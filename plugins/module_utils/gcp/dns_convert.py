# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Between Cloud DNS's documents and what the DNS phase plans with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..core.gcp.names import path_of
from ..core.gcp.plan_create_types import LABEL, MANAGED, family_of
from ..core.gcp.plan_dns import ordered
from ..core.gcp.plan_dns_types import RUN, Entry, Holder, Leads, Record, labels, made_mark

BYPASS = "bypassResponsePolicy"
_LINK = "https://www.googleapis.com/compute/v1/"
_LEADS: tuple[tuple[str, Leads], ...] = (
    ("peeringConfig", "peering"),
    ("forwardingConfig", "forwarding"),
    ("serviceDirectoryConfig", "forwarding"),
)


def plain(name: str) -> str:
    """A DNS name in lower case without its final dot."""
    return name.rstrip(".").lower()


def zone(document: Mapping[str, Any], project: str, sets: Iterable[Any] | None = None) -> Holder:
    """A managed zone. sets: its record sets, where they were read."""
    target = (document.get("peeringConfig") or {}).get("targetNetwork") or {}
    leads: Leads = next((word for key, word in _LEADS if document.get(key)), "")
    if document.get("visibility", "public") != "private":
        leads = "public"
    return Holder(
        kind="zone",
        project=project,
        name=str(document["name"]),
        dns_name=plain(str(document["dnsName"])),
        networks=_paths((document.get("privateVisibilityConfig") or {}).get("networks")),
        entries=None if sets is None else entries(sets, plain(str(document["dnsName"]))),
        leads=leads,
        target=path_of(str(target.get("networkUrl") or "")),
        **_marks(document),
    )


def entries(sets: Iterable[Mapping[str, Any]], dns_name: str) -> tuple[Entry, ...]:
    """The record sets of a zone, without those that every zone has."""
    records = [_record(item) for item in sets]
    return ordered(
        Entry(key=f"{item.name} {item.type}", name=item.name, records=(item,))
        for item in records
        if item.type not in ("NS", "SOA") or item.name != dns_name
    )


def policy(document: Mapping[str, Any], project: str, rules: Iterable[Any] | None = None) -> Holder:
    """A response policy. rules: where they were read."""
    return Holder(
        kind="policy",
        project=project,
        name=str(document["responsePolicyName"]),
        networks=_paths(document.get("networks")),
        entries=None if rules is None else ordered(_rule(item) for item in rules),
        **_marks(document),
    )


def record_body(record: Record) -> dict[str, Any]:
    """A record set as Cloud DNS takes it."""
    return {
        "name": record.name + ".",
        "type": record.type,
        "ttl": record.ttl,
        "rrdatas": list(record.values),
    }


def rule_body(entry: Entry) -> dict[str, Any]:
    """A rule of a response policy as Cloud DNS takes it."""
    body: dict[str, Any] = {"ruleName": entry.key, "dnsName": entry.name + "."}
    if entry.bypass:
        return {**body, "behavior": BYPASS}
    return {**body, "localData": {"localDatas": [record_body(item) for item in entry.records]}}


def new_body(holder: Holder, run: str) -> dict[str, Any]:
    """A new zone or policy that answers nowhere yet."""
    marks = {"description": made_mark(holder.made_for), "labels": labels(run)}
    if holder.kind == "policy":
        return {"responsePolicyName": holder.name, "networks": [], **marks}
    return {
        "name": holder.name,
        "dnsName": holder.dns_name + ".",
        "visibility": "private",
        "privateVisibilityConfig": {"networks": []},
        **marks,
    }


def network_bodies(paths: Iterable[str]) -> list[dict[str, str]]:
    """Networks as zones and policies name them."""
    return [{"networkUrl": _LINK + path} for path in paths]


def _record(document: Mapping[str, Any]) -> Record:
    return Record(
        name=plain(str(document["name"])),
        type=str(document["type"]),
        ttl=int(document.get("ttl") or 0),
        values=tuple(sorted(document.get("rrdatas") or ())),
    )


def _rule(document: Mapping[str, Any]) -> Entry:
    local = (document.get("localData") or {}).get("localDatas") or ()
    return Entry(
        key=str(document["ruleName"]),
        name=plain(str(document["dnsName"])),
        records=tuple(sorted((_record(item) for item in local), key=lambda item: item.type)),
        bypass=document.get("behavior") == BYPASS,
    )


def _paths(networks: Iterable[Mapping[str, Any]] | None) -> tuple[str, ...]:
    return tuple(sorted(path_of(str(item["networkUrl"])) for item in networks or ()))


def _marks(document: Mapping[str, Any]) -> dict[str, Any]:
    labels = document.get("labels") or {}
    family = family_of(str(document.get("description") or ""))
    return {
        "managed": labels.get(LABEL) == MANAGED or family is not None,
        "made_for": family or "",
        "run": str(labels.get(RUN) or ""),
    }
