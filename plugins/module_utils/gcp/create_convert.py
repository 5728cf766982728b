# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From compute's documents to what the create phase plans with."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from ..core.gcp.names import BUNDLES, path_of, project_of
from ..core.gcp.plan_create_types import Address, Firewall, Rule

Document = Mapping[str, Any]


def rule(item: Document) -> Rule:
    """A global forwarding rule of any kind."""
    target = path_of(str(item.get("target") or "")).rpartition("/")[2]
    registered = item.get("serviceDirectoryRegistrations") or [{}]
    return Rule(
        project=project_of(path_of(str(item["selfLink"]))),
        name=str(item["name"]),
        network=path_of(str(item.get("network") or "")),
        address=str(item.get("IPAddress") or ""),
        bundle=target if target in BUNDLES else "",
        labels=dict(item.get("labels") or {}),
        fingerprint=str(item.get("labelFingerprint") or ""),
        region=str(registered[0].get("serviceDirectoryRegion") or ""),
        description=str(item.get("description") or ""),
    )


def address(item: Document) -> Address | None:
    """A global address; None for one that no network has, or of IPv6."""
    text = str(item.get("address") or "")
    if item.get("addressType") != "INTERNAL" or ":" in text or not text:
        return None
    return Address(
        project=project_of(path_of(str(item["selfLink"]))),
        name=str(item["name"]),
        network=path_of(str(item.get("network") or "")),
        address=text,
        prefix=int(item.get("prefixLength") or 32),
        purpose=str(item.get("purpose") or ""),
        used=bool(item.get("users")),
        description=str(item.get("description") or ""),
    )


def firewall(item: Document) -> Firewall:
    """A firewall rule; one that admits and one that denies differ in the field that has the protocols."""
    action: Literal["allow", "deny"] = "deny" if item.get("denied") else "allow"
    known = item.get("denied") or item.get("allowed") or ()
    return Firewall(
        project=project_of(path_of(str(item["selfLink"]))),
        name=str(item["name"]),
        network=path_of(str(item.get("network") or "")),
        priority=int(item.get("priority", 1000)),
        action=action,
        protocols=_protocols(known),
        destinations=_sorted(item, "destinationRanges"),
        ranges=_sorted(item, "sourceRanges"),
        tags=_sorted(item, "targetTags"),
        accounts=_sorted(item, "targetServiceAccounts"),
        disabled=bool(item.get("disabled")),
        direction=str(item.get("direction") or "INGRESS"),
        description=str(item.get("description") or ""),
    )


def firewall_body(wanted: Firewall) -> dict[str, Any]:
    """The whole rule, as insert and update take it. What is empty is left out: update then empties it."""
    field = "denied" if wanted.action == "deny" else "allowed"
    body: dict[str, Any] = {
        "name": wanted.name,
        "description": wanted.description,
        "network": wanted.network,
        "direction": wanted.direction,
        "priority": wanted.priority,
        "disabled": wanted.disabled,
        "destinationRanges": list(wanted.destinations),
        "sourceRanges": list(wanted.ranges),
        "targetTags": list(wanted.tags),
        "targetServiceAccounts": list(wanted.accounts),
        field: [_protocol(text) for text in wanted.protocols],
    }
    return {key: value for key, value in body.items() if value not in ([], "")}


def ranges(subnets: Iterable[Document], routes: Iterable[Document]) -> dict[str, str]:
    """Range → what has it: of subnets, their secondary ranges, and routes other than the default one."""
    found: dict[str, str] = {}
    for item in subnets:
        holder = path_of(str(item["selfLink"]))
        if item.get("ipCidrRange"):
            found[str(item["ipCidrRange"])] = holder
        for more in item.get("secondaryIpRanges") or ():
            found[str(more["ipCidrRange"])] = holder
    for item in routes:
        text = str(item.get("destRange") or "")
        if ":" not in text and text and ipaddress.ip_network(text, strict=False).prefixlen > 0:
            found.setdefault(text, path_of(str(item["selfLink"])))
    return {text: holder for text, holder in found.items() if ":" not in text}


def _protocols(known: Iterable[Document]) -> tuple[str, ...]:
    found = []
    for item in known:
        name, ports = str(item.get("IPProtocol", "")).lower(), item.get("ports") or ()
        found += [f"{name}:{port}" for port in ports] or [name]
    return tuple(sorted(found))


def _protocol(text: str) -> dict[str, Any]:
    name, _unused, port = text.partition(":")
    return {"IPProtocol": name, **({"ports": [port]} if port else {})}


def _sorted(item: Document, field: str) -> tuple[str, ...]:
    return tuple(sorted(str(value) for value in item.get(field) or ()))
