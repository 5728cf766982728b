# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ways to break a target on Google in which everything is right, and to look at what is said of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.private_ai.endpoints.plugins.module_utils.core.validate import (
    Refused,
    validate,
)

from . import gcp_case as gcp

Parts = dict[str, Any]
Change = Callable[[Parts], object]


def judged(*changes: Change, **values: Any) -> dict[str, Any]:
    """The result, whether the run failed or not."""
    try:
        return validate(gcp.request(*changes, **values))
    except Refused as refused:
        return refused.as_result()


def statuses(result: dict[str, Any], table: str) -> dict[str, str]:
    """Row → status."""
    return {row["id"]: row["status"] for row in result[table]}


def found(result: dict[str, Any], check: str) -> list[dict[str, Any]]:
    """The findings of a check."""
    return [item for item in result["findings"] if item["check"] == check]


def said(result: dict[str, Any], check: str, *wanted: str) -> str:
    """What a check observed, of its findings with one of these statuses."""
    return " | ".join(item["observed"] for item in found(result, check) if item["status"] in wanted)


def failed(result: dict[str, Any]) -> set[str]:
    """What failed: misconfigurations, and checks that belong to none."""
    return {
        item["misconfiguration"] or item["check"]
        for item in result["findings"]
        if item["status"] == "fail"
    }


def doc(parts: Parts) -> dict[str, Any]:
    """The evidence."""
    document: dict[str, Any] = parts["evidence"][0]
    return document


def seen(parts: Parts, *positions: str) -> list[dict[str, Any]]:
    """The observations of some positions."""
    return [item for item in parts["observations"] if item["position"] in positions]


def resolve(item: dict[str, Any], addresses: list[str], answer: str = "admitted") -> None:
    """Make an observation see these addresses; a host without a read to call gets no answer."""
    item["dns"]["answers"] = [{"type": "A", "address": entry, "ttl": 10} for entry in addresses]
    item["dns"]["system"] = list(addresses)
    given = answer if item["action"] else None
    item["connections"] = [gcp.connection(entry, given) for entry in addresses]


def everyone(position: str, addresses: list[str], answer: str = "admitted") -> Change:
    """All vantages of a position see the same."""

    def change(parts: Parts) -> None:
        for item in seen(parts, position):
            resolve(item, addresses, answer)

    return change


admitted_outside = everyone("outside", gcp.PUBLIC)
public_inside = everyone("inside", gcp.PUBLIC, "denied_perimeter")


def both(*changes: Change) -> Change:
    """Several changes as one."""

    def change(parts: Parts) -> None:
        for one in changes:
            one(parts)

    return change


def update(part: str, **values: Any) -> Change:
    """Change keys of a part of the evidence."""
    return lambda parts: doc(parts)[part].update(values)


def perimeter(**values: Any) -> Change:
    """Change the perimeter."""
    return lambda parts: doc(parts)["perimeters"][0].update(values)


def dry_run_only(parts: Parts) -> None:
    """The perimeter records what it would refuse, and enforces nothing."""
    doc(parts)["perimeters"] = [
        gcp.perimeter(resources=[], restricted_services=[], dry_run=gcp.config())
    ]


def grants(*items: dict[str, Any]) -> Change:
    """Other bindings."""
    return update("access", bindings=list(items))


def firewalls(*items: dict[str, Any]) -> Change:
    """More egress rules."""
    return lambda parts: doc(parts)["firewalls"].extend(items)


def subnet(index: int, **values: Any) -> Change:
    """Change a subnet of the application's network."""
    return lambda parts: doc(parts)["network"]["subnets"][index].update(values)


def no_zone_of(*hosts: str) -> Change:
    """The application's network has no zone for these, and resolves them publicly."""

    def change(parts: Parts) -> None:
        doc(parts)["zones"] = [
            item
            for item in doc(parts)["zones"]
            if item["dns_name"] not in hosts or gcp.APP not in item["network_ids"]
        ]
        for item in seen(parts, "inside"):
            if item["host"] in hosts:
                resolve(item, gcp.PUBLIC, "denied_perimeter")

    return change


def forget(*positions: str) -> Change:
    """No such vantage."""

    def change(parts: Parts) -> None:
        for key in ("observations", "vantages"):
            parts[key] = [item for item in parts[key] if item["position"] not in positions]

    return change


def silent(*positions: str) -> Change:
    """Expected, but nothing was reported."""

    def change(parts: Parts) -> None:
        parts["observations"] = [
            item for item in parts["observations"] if item["position"] not in positions
        ]

    return change


def denied(action: str, part: str, resource: str = f"projects/{gcp.PROJECT}") -> Change:
    """A read that was not permitted."""
    entry = {
        "part": part,
        "resource": resource,
        "action": action,
        "code": "PERMISSION_DENIED",
        "message": "denied",
    }
    return lambda parts: doc(parts)["missing"].append(entry)


def not_gathered(*names: str) -> Change:
    """Parts that nobody asked for."""
    keys = {"perimeter": ("perimeters", "organization_policies"), "access": ("access",)}
    keys["traffic"] = ("traffic", "logging")

    def change(parts: Parts) -> None:
        doc(parts)["gathered"] = [item for item in doc(parts)["gathered"] if item not in names]
        for name in names:
            doc(parts).update(dict.fromkeys(keys.get(name, ())))

    return change
