# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The dns part of the evidence: private hosted zones that can decide where AI hosts resolve."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..core.aws.configuration import matters
from .reads import Read, pages

_PART = "dns"


def zones_read(route53: Any, vpc_id: str, region: str, part: str = _PART) -> Read:
    """The private zones that a VPC is associated with; another account's VPC may be refused (part `peers`)."""
    return Read(
        part=part,
        action="route53:ListHostedZonesByVPC",
        about=vpc_id,
        tolerant=part != _PART,
        call=lambda: _by_vpc(route53, vpc_id, region),
    )


def _by_vpc(route53: Any, vpc_id: str, region: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    request: dict[str, Any] = {"VPCId": vpc_id, "VPCRegion": region}
    while True:
        page = route53.list_hosted_zones_by_vpc(**request)
        found += page["HostedZoneSummaries"]
        if not page.get("NextToken"):
            return found
        request["NextToken"] = page["NextToken"]


def relevant(*found: Iterable[Mapping[str, Any]] | None) -> dict[str, str]:
    """Zone id → name, of the zones that can decide; those that an AWS service owns show in the endpoints."""
    return {
        item["HostedZoneId"].rpartition("/")[2]: item["Name"]
        for summaries in found
        for item in summaries or ()
        if matters(item["Name"]) and not (item.get("Owner") or {}).get("OwningService")
    }


def zone_reads(route53: Any, zones: Mapping[str, str]) -> dict[str, Read]:
    """For each zone its associations and its records."""
    reads: dict[str, Read] = {}
    for zone_id, name in zones.items():
        reads[f"zone {zone_id}"] = _read(route53, zone_id, name, "route53:GetHostedZone")
        reads[f"records {zone_id}"] = _read(
            route53, zone_id, name, "route53:ListResourceRecordSets"
        )
    return reads


def _read(route53: Any, zone_id: str, name: str, action: str) -> Read:
    def vpcs() -> list[Any]:
        return list(route53.get_hosted_zone(Id=zone_id).get("VPCs") or ())

    def records() -> list[Any]:
        return pages(
            route53, "list_resource_record_sets", "ResourceRecordSets", HostedZoneId=zone_id
        )

    return Read(
        part=_PART,
        action=action,
        about=f"zone {name} ({zone_id})",
        call=vpcs if action.endswith("GetHostedZone") else records,
    )


def zones(
    found: Mapping[str, str],
    answers: Mapping[str, Any],
    seen_in: Mapping[str, set[str]],
    region: str,
) -> list[dict[str, Any]]:
    """The evidence's `zones`. seen_in: zone id → VPCs that listed it, for a zone whose associations were denied."""
    return [
        {
            "id": zone_id,
            "name": name.rstrip("."),
            "vpcs": _vpcs(answers.get(f"zone {zone_id}"), seen_in[zone_id], region),
            "records": [_record(item) for item in answers.get(f"records {zone_id}") or ()],
        }
        for zone_id, name in sorted(found.items())
    ]


def _vpcs(answer: Any, seen_in: set[str], region: str) -> list[dict[str, str]]:
    listed = {item["VPCId"]: item["VPCRegion"] for item in answer or ()}
    listed.update({vpc: region for vpc in seen_in if vpc not in listed})
    return [{"id": vpc, "region": listed[vpc]} for vpc in sorted(listed)]


def _record(item: Mapping[str, Any]) -> dict[str, Any]:
    alias = item.get("AliasTarget")
    return {
        # Route 53 writes `*` as an octal escape.
        "name": item["Name"].replace("\\052", "*").rstrip("."),
        "type": item["Type"],
        "ttl": item.get("TTL"),
        "values": [entry["Value"] for entry in item.get("ResourceRecords") or ()],
        "alias": {"name": alias["DNSName"].rstrip("."), "zone_id": alias["HostedZoneId"]}
        if alias
        else None,
    }
