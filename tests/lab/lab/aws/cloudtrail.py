# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CloudTrail: LookupEvents over what the data planes recorded."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from .errors import AwsError
from .operation import Control, Result, operation, page
from .records import TrailEvent

_NINETY_DAYS = 90 * 86400


@operation("cloudtrail", "LookupEvents")
def lookup_events(control: Control) -> Result:
    """Management events of this account and Region in the last 90 days, newest first."""
    params, state = control.params, control.state
    _limit_rate(control)
    attributes = params.get("LookupAttributes", ())
    if len(attributes) > 1:
        raise AwsError(
            "InvalidLookupAttributesException",
            "You can only use one lookup attribute key in a lookup request.",
        )
    start, end = params.get("StartTime"), params.get("EndTime")
    if start and end and start > end:
        raise AwsError("InvalidTimeRangeException", "The start time must be before the end time.")
    oldest = max(start.timestamp() if start else 0.0, state.now() - _NINETY_DAYS)
    newest = min(end.timestamp() if end else state.now(), state.now() - state.timing.trail_delay)
    insight = params.get("EventCategory") == "insight"
    chosen = [
        each
        for each in state.trail
        if each.management
        and not insight
        and each.account == control.account
        and each.region == control.region
        and oldest <= each.time <= newest
        and all(_has(each, one) for one in attributes)
    ]
    chosen.sort(key=lambda each: each.time, reverse=True)
    bad = AwsError("InvalidNextTokenException", "The specified token is not valid.")
    shown, token = page(chosen, params.get("MaxResults", 50), params.get("NextToken"), bad=bad)
    return {"Events": [_shown(each) for each in shown], "NextToken": token}


def _limit_rate(control: Control) -> None:
    """AWS admits two LookupEvents per second, account and Region."""
    rate, now = control.state.timing.trail_rate, control.state.now()
    if not rate:
        return
    recent = control.state.lookups.setdefault((control.account, control.region), [])
    recent[:] = [each for each in recent if each > now - 1]
    if len(recent) >= rate:
        raise AwsError("ThrottlingException", "Rate exceeded")
    recent.append(now)


def _has(event: TrailEvent, attribute: Mapping[str, Any]) -> bool:
    wanted = attribute["AttributeValue"]
    facts = {
        "EventId": [event.id],
        "EventName": [event.name],
        "ReadOnly": ["true" if event.read_only else "false"],
        "Username": [event.username],
        "ResourceType": [kind for kind, _ in event.resources],
        "ResourceName": [name for _, name in event.resources],
        "EventSource": [event.source],
        "AccessKeyId": [event.access_key],
    }
    return wanted in facts[attribute["AttributeKey"]]


def _shown(event: TrailEvent) -> dict[str, Any]:
    return {
        "EventId": event.id,
        "EventName": event.name,
        "ReadOnly": "true" if event.read_only else "false",
        "AccessKeyId": event.access_key,
        "EventTime": event.time,
        "EventSource": event.source,
        "Username": event.username,
        "Resources": [
            {"ResourceType": kind, "ResourceName": name} for kind, name in event.resources
        ],
        "CloudTrailEvent": json.dumps(event.detail),
    }
