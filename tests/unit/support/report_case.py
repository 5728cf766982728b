# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the playbooks remember of targets in which everything is right, to break one thing at a time."""

from __future__ import annotations

from typing import Any

from ansible_collections.private_ai.endpoints.plugins.module_utils.core.validate import (
    Refused,
    Request,
    validate,
)

from . import aws_case as aws
from . import azure_case as azure

NOW = aws.NOW
_OPTIONS = (
    "probe_targets",
    "expect",
    "pinned",
    "fail_on",
    "roll_out",
    "lock",
    "scope",
    "accepted",
    "application_cidrs",
    "application_subnets",
)


def run(target: str, request: Request, **values: Any) -> dict[str, Any]:
    """What is remembered of one target after the request was judged."""
    try:
        result, failure = validate(request), None
    except Refused as refused:
        result, failure = {**refused.result}, refused.message
    label = "pinned" if request.pinned else request.expect
    kept = {
        **result,
        "observations": list(request.observations),
        "vantages": list(request.vantages),
        "request": {
            **{key: getattr(request, key) for key in _OPTIONS},
            "evidence": list(request.evidence),
            "judged_at": "2026-03-01T12:00:00Z",
        },
    }
    return {
        "target": target,
        "failure": failure,
        "results": {label: kept},
        "steps": {
            "create": [
                {
                    "resource": f"{target}/endpoint",
                    "action": "create",
                    "before": {},
                    "after": {"x": 1},
                    "conditional_on": None,
                }
            ]
        },
        "evidence": request.evidence[0] if request.evidence else None,
        "preview": {},
        "scope": {"id": "scope-1"},
        **values,
    }


def aws_run(*changes: Any, **values: Any) -> dict[str, Any]:
    """The target of aws_case."""
    return run("app-use1", aws.request(*changes, **values))


def azure_run(*changes: Any, **values: Any) -> dict[str, Any]:
    """The target of azure_case."""
    return run("foundry", azure.request(*changes, **values))


def aws_admitted(parts: dict[str, Any]) -> None:
    """The public path is open to a caller outside."""
    for item in parts["observations"]:
        if item["position"] == "outside":
            item["connections"] = [aws.connection(aws.PUBLIC[0], "admitted")]


def aws_unlocked(parts: dict[str, Any]) -> None:
    """No policy of the organisation denies anything, and outside callers are let in."""
    parts["evidence"][0]["enforcement"] = aws.enforcement()
    aws_admitted(parts)


def aws_identity_only(parts: dict[str, Any]) -> None:
    """No policy of the organisation; an outside caller is denied by a policy of his own identity."""
    parts["evidence"][0]["enforcement"] = aws.enforcement()
    for item in parts["observations"]:
        if item["position"] == "outside":
            item["connections"] = [aws.connection(aws.PUBLIC[0], "denied_identity")]


def azure_without_zone(parts: dict[str, Any]) -> None:
    """A private endpoint without a private DNS zone: clients find the public address, and public access is on."""
    document = parts["evidence"][0]
    document["zones"] = []
    for endpoint in document["endpoints"]:
        endpoint["zone_group"] = None
    document["account"]["public_network_access"] = "Enabled"
    document["account"]["network_acls"]["default_action"] = "Allow"
    for item in parts["observations"]:
        item.update(
            azure.observation(item["vantage"], item["position"], item["host"], azure.PUBLIC)
        )
