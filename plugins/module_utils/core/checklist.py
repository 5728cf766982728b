# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The two tables that validation answers: the seven-point checklist and the seven misconfigurations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .contracts import Finding, Status

CHECKLIST = {
    "C1": "DNS resolves to a private address from all application subnets",
    "C2": "DNS resolves to a private address from all peered and spoke networks",
    "C3": "Public access is refused",
    "C4": "The endpoint policy restricts to the organisation's principals",
    "C5": "Firewalls restrict source subnets",
    "C6": "Management and runtime APIs are both private",
    "C7": "Monitoring confirms no traffic over public paths",
}
MISCONFIGURATIONS = {
    "M1": "Public access still open after the endpoint exists",
    "M2": "DNS does not resolve to the private address",
    "M3": "Endpoint policy too wide",
    "M4": "Firewall admits any source",
    "M5": "Endpoint in the wrong subnet",
    "M6": "Private DNS not linked to spokes",
    "M7": "No endpoint for the management API",
}
# What one finding of this status makes of the whole, the worst first.
_WORST: tuple[Status, ...] = ("fail", "unknown", "warn", "pass", "skipped")


def checklist(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    """One row per point: `{id, title, status, evidence}`; a point that no finding speaks of is unknown."""
    return [
        _row(name, title, [item for item in findings if name in item.checklist])
        for name, title in CHECKLIST.items()
    ]


def misconfigurations(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    """One row per misconfiguration, the same way: `fail` means that it is there."""
    return [
        _row(name, title, [item for item in findings if item.misconfiguration == name])
        for name, title in MISCONFIGURATIONS.items()
    ]


def worst(statuses: Sequence[Status]) -> Status:
    """The status of the whole; nothing at all is unknown."""
    return next((status for status in _WORST if status in statuses), "unknown")


def _row(
    name: str,
    title: str,
    findings: Sequence[Finding],
) -> dict[str, Any]:
    status = worst([item.status for item in findings])
    return {
        "id": name,
        "title": title,
        "status": status,
        "evidence": [
            {
                "check": item.check,
                "status": item.status,
                "target": item.target,
                "resource": item.resource,
                "vantage": item.vantage,
                "observed": item.observed,
            }
            for item in findings
        ],
    }
