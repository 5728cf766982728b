# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whom the dry run of a perimeter refused, from Google's records of it.

A record is a log entry of `cloudaudit.googleapis.com/policy` whose metadata says `dryRun`. Records of the same caller,
method, source and reason are one group with a count, in the shape of other audit records, so that the same
explanations cover them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..preview import Explanation

# What this collection's probes send as their user agent, so that the look at a lock is not taken for a caller.
PROBE = "private_ai.endpoints"
ACCESSIBLE = "SERVICE_NOT_ALLOWED_FROM_VPC"
_REGION = re.compile(r"/locations/([a-z0-9-]+)")


def query(since: str) -> str:
    """The filter that finds the records from a time (UTC, ISO 8601) on."""
    return (
        'log_id("cloudaudit.googleapis.com/policy") AND protoPayload.metadata.dryRun="true" '
        f'AND timestamp>="{since}"'
    )


def groups(
    entries: Iterable[Mapping[str, Any]],
    perimeter: str,
    services: Iterable[str],
    *,
    accessible: bool,
) -> list[dict[str, Any]]:
    """The callers that a dry run of this perimeter refused, most calls first.

    services: whose refusals count, those that the lock restricts. accessible: whether it also restricts which services
    networks inside may call, so that refusals for that reason count too. What another team plans for other services is
    none of this lock's. A record that names no perimeter counts.
    """
    wanted = set(services)
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    for entry in entries:
        payload = entry.get("protoPayload") or {}
        metadata = payload.get("metadata") or {}
        named = perimeters_of(metadata)
        reason = str(metadata.get("violationReason") or "")
        counts = payload.get("serviceName") in wanted or (accessible and reason == ACCESSIBLE)
        if (named and perimeter not in named) or not counts:
            continue
        request = payload.get("requestMetadata") or {}
        group = {
            "principal": str((payload.get("authenticationInfo") or {}).get("principalEmail") or ""),
            "operation": str(payload.get("methodName") or ""),
            "region": _region(payload, metadata),
            "source_ip": str(request.get("callerIp") or ""),
            "network": str(request.get("callerNetwork") or "").removeprefix(
                "//compute.googleapis.com/"
            ),
            "reason": reason,
            "probe": str(request.get("callerSuppliedUserAgent") or "").startswith(PROBE),
        }
        key = tuple(map(str, group.values()))
        known = found.setdefault(key, {**group, "count": 0, "first": "", "last": ""})
        time = str(entry.get("timestamp") or "")
        known["count"] += 1
        known["first"] = min(filter(None, (known["first"], time)), default="")
        known["last"] = max(known["last"], time)
    return sorted(
        found.values(), key=lambda item: (-item["count"], item["principal"], item["operation"])
    )


def unexplained(
    callers: Iterable[Mapping[str, Any]], explained: Sequence[Explanation]
) -> list[str]:
    """One sentence for each caller whom the lock would refuse and nobody answers for."""
    return [
        f"the dry run refused {item['principal'] or 'an unnamed principal'}, who called {item['operation']} "
        f"{item['count']} times from {item['source_ip'] or 'an unknown address'}"
        f"{' in ' + item['network'] if item['network'] else ''} ({item['reason'] or 'no reason is recorded'}), "
        f"last at {item['last']}. Bring it inside, admit it by an ingress rule or access level, or name it in "
        "explained_callers with a reason"
        for item in callers
        if not item["probe"] and not any(_covers(each, item) for each in explained)
    ]


def perimeters_of(metadata: Mapping[str, Any]) -> set[str]:
    """The perimeters that a record names."""
    listed = [
        item.get("servicePerimeter")
        for key in ("ingressViolations", "egressViolations")
        for item in metadata.get(key) or ()
    ]
    listed.append((metadata.get("securityPolicyInfo") or {}).get("servicePerimeterName"))
    return {str(name) for name in listed if name}


def _covers(explanation: Explanation, item: Mapping[str, Any]) -> bool:
    """By the method's whole name, or by its last part alone."""
    short = str(item["operation"]).rpartition(".")[2]
    return explanation.covers(item) or explanation.covers({**item, "operation": short})


def _region(payload: Mapping[str, Any], metadata: Mapping[str, Any]) -> str:
    names = [str(payload.get("resourceName") or ""), *map(str, metadata.get("resourceNames") or ())]
    return next((found[1] for name in names if (found := _REGION.search(name))), "")
