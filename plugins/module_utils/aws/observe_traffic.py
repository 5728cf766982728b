# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The traffic part of the evidence: who called the AI services, by what path, from CloudTrail's event history.

LookupEvents keeps 90 days, answers two requests a second per account and Region, returns management events only, and
cannot filter by endpoint: https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from .client import Connection
from .reads import Read, Reader

_PART = "traffic"
_PAGE = 50
_KEYS = (
    "principal",
    "principal_type",
    "operation",
    "event_source",
    "region",
    "vpc_endpoint_id",
    "invoked_by",
    "error_code",
    "source_ip",
    "probe",
)
# How this collection's own probes introduce themselves.
_PROBE = "private_ai.endpoints"


def regions_read(ec2: Any) -> Read:
    """The Regions enabled for the account: a lock of the account binds all of them."""
    return Read(
        part=_PART,
        action="ec2:DescribeRegions",
        about="the account's Regions",
        call=lambda: sorted(item["RegionName"] for item in ec2.describe_regions()["Regions"]),
    )


def traffic(
    reader: Reader,
    connection: Connection,
    *,
    regions: Sequence[str],
    sources: Sequence[str],
    start: datetime,
    end: datetime,
    max_pages: int,
) -> dict[str, Any] | None:
    """The evidence's `traffic`; None when a Region's records could not be read.

    regions: empty when they could not be listed, which is also None.
    sources: event sources such as bedrock.amazonaws.com. max_pages: for each Region, all sources together.
    """

    def read(region: str) -> Read:
        return Read(
            part=_PART,
            action="cloudtrail:LookupEvents",
            about=f"the audit records of {region}",
            call=lambda: _region(
                connection.client("cloudtrail", region=region), sources, (start, end), max_pages
            ),
        )

    if not regions:
        return None
    answers = reader.all({region: read(region) for region in regions})
    if any(value is None for value in answers.values()):
        return None
    return {
        "start": _text(start),
        "end": _text(end),
        "complete": all(complete for _unused, complete in answers.values()),
        "groups": grouped(event for events, _unused in answers.values() for event in events),
    }


def _region(
    client: Any, sources: Sequence[str], window: tuple[datetime, datetime], max_pages: int
) -> tuple[list[dict[str, Any]], bool]:
    """One Region's events, one request after the other; the client's retries keep to the rate."""
    events: list[dict[str, Any]] = []
    left = max_pages
    for source in sources:
        request: dict[str, Any] = {
            "LookupAttributes": [{"AttributeKey": "EventSource", "AttributeValue": source}],
            "StartTime": window[0],
            "EndTime": window[1],
            "MaxResults": _PAGE,
        }
        while True:
            if left <= 0:
                return events, False
            page = client.lookup_events(**request)
            left -= 1
            events += [json.loads(item["CloudTrailEvent"]) for item in page.get("Events") or ()]
            if not page.get("NextToken"):
                break
            request["NextToken"] = page["NextToken"]
    return events, True


def grouped(events: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Events that differ in nothing but time, together, with a count; the most frequent first."""
    groups: dict[tuple[Any, ...], dict[str, Any]] = {}
    for event in events:
        facts = _facts(event)
        moment = str(event.get("eventTime") or "")
        key = tuple(facts[name] for name in _KEYS)
        group = groups.setdefault(
            key, {**facts, "count": 0, "first_seen": moment, "last_seen": moment}
        )
        group["count"] += 1
        group["first_seen"] = min(group["first_seen"], moment)
        group["last_seen"] = max(group["last_seen"], moment)
    return sorted(
        groups.values(), key=lambda item: (-item["count"], *(str(item[name]) for name in _KEYS))
    )


def _facts(event: Mapping[str, Any]) -> dict[str, Any]:
    identity = event.get("userIdentity") or {}
    # A role's sessions are one caller: its sessions differ in name only.
    issuer = (identity.get("sessionContext") or {}).get("sessionIssuer") or {}
    return {
        "principal": issuer.get("arn") or identity.get("arn") or identity.get("invokedBy"),
        "principal_type": identity.get("type"),
        "operation": event.get("eventName"),
        "event_source": event.get("eventSource"),
        "region": event.get("awsRegion"),
        "vpc_endpoint_id": event.get("vpcEndpointId"),
        "invoked_by": identity.get("invokedBy"),
        "error_code": event.get("errorCode"),
        "source_ip": event.get("sourceIPAddress"),
        "probe": str(event.get("userAgent") or "").startswith(_PROBE),
    }


def _text(moment: datetime) -> str:
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
