# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Logged calls of Vertex AI, in groups: who called, by what path, and whether they were let in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from ..canonical import canonical_json
from ..masked import network_of
from ..views import is_private

Path = Literal["private", "public", "ambiguous"]

# What Google logs instead of an address of its own networks that it keeps to itself.
_INTERNAL = frozenset({"private", "gce-internal-ip", "gcp-internal-ip"})
_NETWORK = "//compute.googleapis.com/"
_PLACE = re.compile(r"/locations/(?P<region>[a-z0-9-]+)")
# What the probes of this collection call themselves; Google may add to it what the call went through.
_PROBE = "private_ai.endpoints"
# google.rpc.Code
_CODES: Mapping[int, str] = {
    1: "CANCELLED",
    2: "UNKNOWN",
    3: "INVALID_ARGUMENT",
    4: "DEADLINE_EXCEEDED",
    5: "NOT_FOUND",
    6: "ALREADY_EXISTS",
    7: "PERMISSION_DENIED",
    8: "RESOURCE_EXHAUSTED",
    9: "FAILED_PRECONDITION",
    10: "ABORTED",
    11: "OUT_OF_RANGE",
    12: "UNIMPLEMENTED",
    13: "INTERNAL",
    14: "UNAVAILABLE",
    15: "DATA_LOSS",
    16: "UNAUTHENTICATED",
}


def path_of(source: str, network: str) -> Path:
    """The path that a call came by, from the address and the network that Google logged.

    A public address with a network is ambiguous: a machine that has an external address is logged with it also when
    it calls by an endpoint.
    """
    if source in _INTERNAL or is_private(source):
        return "private"
    if not source or network or network_of(source) is None:
        return "ambiguous"
    return "public"


def groups(entries: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Audit entries as groups that differ in nothing but time, the most frequent first."""
    found: dict[str, dict[str, Any]] = {}
    for entry in entries:
        group = _group(entry)
        known = found.setdefault(canonical_json(group), group)
        moment = str(entry.get("timestamp") or "")
        known["count"] = known.get("count", 0) + 1
        known["first"] = min(known.get("first", moment), moment)
        known["last"] = max(known.get("last", moment), moment)
    return sorted(
        found.values(), key=lambda item: (-item["count"], item["first"], canonical_json(item))
    )


def _group(entry: Mapping[str, Any]) -> dict[str, Any]:
    payload = entry.get("protoPayload") or {}
    metadata = payload.get("requestMetadata") or {}
    authentication = payload.get("authenticationInfo") or {}
    source = str(metadata.get("callerIp") or "")
    network = str(metadata.get("callerNetwork") or "").removeprefix(_NETWORK)
    resource = str(payload.get("resourceName") or "")
    place = _PLACE.search(f"/{resource}")
    labels = (entry.get("resource") or {}).get("labels") or {}
    status = int((payload.get("status") or {}).get("code") or 0)
    return {
        "principal": authentication.get("principalEmail")
        or authentication.get("principalSubject")
        or None,
        "operation": str(payload.get("methodName") or ""),
        "region": place["region"] if place else str(labels.get("location") or ""),
        "source_ip": source or None,
        "network": network,
        "path": path_of(source, network),
        "error_code": _CODES.get(status, str(status)) if status else None,
        "probe": str(metadata.get("callerSuppliedUserAgent") or "").startswith(_PROBE),
        "resource": resource,
        "violation": _violation(payload),
    }


def _violation(payload: Mapping[str, Any]) -> dict[str, Any] | None:
    """What a perimeter refused, or would refuse; None for any other entry."""
    metadata = payload.get("metadata") or {}
    if not str(metadata.get("@type") or "").endswith("VpcServiceControlAuditMetadata"):
        return None
    listed = [
        item
        for kind in ("ingressViolations", "egressViolations")
        for item in metadata.get(kind) or ()
    ]
    named = (metadata.get("securityPolicyInfo") or {}).get("servicePerimeterName")
    perimeter = named or next((item.get("servicePerimeter") for item in listed), "")
    return {
        "perimeter": str(perimeter or ""),
        "reason": str(metadata.get("violationReason") or ""),
        "dry_run": bool(metadata.get("dryRun")),
    }
