# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What organisation policies forbid here: endpoints for Google APIs, and the use of services.

https://cloud.google.com/resource-manager/docs/organization-policy/org-policy-constraints
"""

from __future__ import annotations

from .errors import GoogleError, error_info
from .operation import Control
from .records import Project, Resource
from .state import State

ENDPOINTS = "compute.disablePrivateServiceConnectCreationForConsumers"
USAGE = ("gcp.restrictServiceUsage", "gcp.restrictEndpointUsage")


def check_endpoint(control: Control, target: str) -> None:
    """412 where the project may not make endpoints for Google APIs."""
    if denies(control.state, control.project, ENDPOINTS, "GOOGLE_APIS"):
        raise GoogleError(
            412,
            f"Constraint constraints/{ENDPOINTS} violated for projects/{control.project.id}. "
            f"Creating a Private Service Connect endpoint for the bundle {target} is not allowed.",
            "conditionNotMet",
        )


def check_usage(state: State, project: Project, host: str, service: str) -> None:
    """403 where the project may not use a service, or reach it by this host."""
    for constraint, value in zip(USAGE, (f"{service}.googleapis.com", host), strict=True):
        if denies(state, project, constraint, value):
            info = error_info(
                "ORG_RESTRICTION_VIOLATION",
                "googleapis.com",
                service=value,
                consumer=f"projects/{project.number}",
            )
            raise GoogleError(
                403,
                f"Request is disallowed by organization's constraints/{constraint} constraint for "
                f"'projects/{project.number}' attempting to use service '{value}'.",
                "forbidden",
                "PERMISSION_DENIED",
                [info],
            )


def denies(state: State, project: Project, constraint: str, value: str) -> bool:
    """Whether the policy in effect on the project refuses the value."""
    return any(_refuses(rule, value) for rule in effective(state, project, constraint))


def effective(state: State, project: Project, constraint: str) -> list[Resource]:
    """The rules that bind a project: its own, and those of its parent where it inherits."""
    rules: list[Resource] = []
    for holder in (f"projects/{project.number}", project.parent):
        policy = state.org_binding.get(f"{holder}/policies/{constraint}")
        if policy is None or "spec" not in policy:
            continue
        spec = policy["spec"]
        if spec.get("reset"):
            return []
        rules += spec.get("rules", [])
        if not spec.get("inheritFromParent"):
            break
    return rules


def _refuses(rule: Resource, value: str) -> bool:
    if rule.get("denyAll") or rule.get("enforce"):
        return True
    values = rule.get("values", {})
    denied = [each.removeprefix("is:") for each in values.get("deniedValues", [])]
    permitted = [each.removeprefix("is:") for each in values.get("allowedValues", [])]
    return value in denied or (bool(permitted) and value not in permitted)
