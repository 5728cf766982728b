# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Logged calls of an account, in groups: who called, by what path, and whether they were let in."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from ..masked import Network, network_of
from ..views import PRIVATE_RANGES

Path = Literal["private", "public", "ambiguous"]

# Refusals, and what the probes of this collection get: they send no credentials, so no principal is logged for them.
_UNAUTHENTICATED = "401"
_FIRST_ERROR = 400


def path_of(source: str | None, inside: Sequence[str], service_endpoints: Sequence[str]) -> Path:
    """The path that a logged address came by; `ambiguous` when what is left of it allows both.

    inside: CIDRs of the networks, which may use public addresses. service_endpoints: CIDRs of subnets that network
    rules let in: their calls come by the public path, and are logged with the private address all the same.
    """
    found = network_of(source)
    if found is None:
        return "ambiguous"
    private = [*PRIVATE_RANGES, *_parsed(inside)]
    if any(_overlap(found, item) for item in _parsed(service_endpoints)):
        return "ambiguous"
    if any(_within(found, item) for item in private):
        return "private"
    return "ambiguous" if any(_overlap(found, item) for item in private) else "public"


def groups(
    rows: Iterable[Mapping[str, Any]],
    *,
    inside: Sequence[str],
    service_endpoints: Sequence[str],
    region: str,
) -> list[dict[str, Any]]:
    """The rows of `observe_traffic.QUERY` as groups of the evidence, the most frequent first."""
    found = [
        {
            "principal": row["principal"] or None,
            "principal_type": None,
            "operation": row["OperationName"],
            "category": row["Category"],
            "region": str(row["region"] or region).replace(" ", "").lower(),
            "count": int(row["calls"]),
            "source_ip": row["CallerIPAddress"] or None,
            "path": path_of(row["CallerIPAddress"], inside, service_endpoints),
            "error_code": (error := _error(row["ResultSignature"])),
            "probe": error == _UNAUTHENTICATED and not row["principal"],
            "first_seen": row["first_seen"],
            "last_seen": row["last_seen"],
        }
        for row in rows
    ]
    return sorted(found, key=lambda item: (-item["count"], str(item["first_seen"])))


def _error(signature: Any) -> str | None:
    text = str(signature or "").strip()
    return text if text.isdecimal() and int(text) >= _FIRST_ERROR else None


def _parsed(cidrs: Iterable[str]) -> list[Network]:
    return [ipaddress.ip_network(cidr, strict=False) for cidr in cidrs]


def _overlap(one: Network, other: Network) -> bool:
    return one.version == other.version and one.overlaps(other)


def _within(one: Network, other: Network) -> bool:
    return one.version == other.version and one.subnet_of(other)  # type: ignore[arg-type]
