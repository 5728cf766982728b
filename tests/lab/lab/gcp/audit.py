# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The audit entries that calls leave: data access where it is switched on, and what perimeters refuse.

https://cloud.google.com/logging/docs/audit/understanding-audit-logs,
https://cloud.google.com/vpc-service-controls/docs/audit-logging
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .records import Project, Resource
from .state import State, timestamp

if TYPE_CHECKING:
    from .perimeter import Access, Violation

DATA_ACCESS = "cloudaudit.googleapis.com%2Fdata_access"
POLICY = "cloudaudit.googleapis.com%2Fpolicy"


@dataclass(frozen=True)
class Called:
    """What the log shows of one call."""

    service: str
    method: str
    resource: str
    email: str
    address: str
    network: str
    agent: str = ""
    permission: str = ""
    granted: bool = True


def call_of(access: Access, resource: str, agent: str) -> Called:
    return Called(
        access.service,
        access.method,
        resource,
        access.principal.email,
        access.way.address,
        access.way.network,
        agent,
    )


def switched_on(project: Project, service: str, kind: str) -> bool:
    """Whether the project's auditConfigs ask for a kind of data access entries of a service."""
    return any(
        each["logType"] == kind
        for config in project.policy.get("auditConfigs", [])
        if config["service"] in (service, "allServices")
        for each in config["auditLogConfigs"]
    )


def data_entry(state: State, project: Project, call: Called, status: Resource) -> None:
    entry = make(state, project, DATA_ACCESS, call, state.now())
    entry["protoPayload"]["status"] = status
    entry["severity"] = "ERROR" if status else "INFO"
    _keep(state, entry)


def policy_entry(state: State, project: Project, call: Called, violation: Violation) -> None:
    entry = violation_entry(state, project, call, violation, state.now())
    _keep(state, entry)


def violation_entry(
    state: State, project: Project, call: Called, violation: Violation, moment: float
) -> Resource:
    entry = make(state, project, POLICY, call, moment)
    entry["severity"] = "ERROR"
    detail: Resource = {
        "targetResource": f"projects/{project.number}",
        "servicePerimeter": violation.perimeter,
    }
    if call.network:
        detail["source"] = call.network
    metadata: dict[str, Any] = {
        "@type": "type.googleapis.com/google.cloud.audit.VpcServiceControlAuditMetadata",
        "vpcServiceControlsUniqueId": violation.uid,
        "violationReason": violation.reason,
        f"{violation.direction}Violations": [detail],
        "securityPolicyInfo": {
            "organizationId": project.parent.rpartition("/")[2],
            "servicePerimeterName": violation.perimeter,
        },
        "resourceNames": [call.resource],
        "deviceState": "Unknown",
    }
    if violation.dry_run:
        metadata["dryRun"] = True
    payload = entry["protoPayload"]
    payload["metadata"] = metadata
    payload["status"] = {
        "code": 7,
        "message": ("(Dry Run Mode) " if violation.dry_run else "")
        + "Request is prohibited by organization's policy. "
        + f"vpcServiceControlsUniqueIdentifier: {violation.uid}",
    }
    return entry


def make(state: State, project: Project, log: str, call: Called, moment: float) -> Resource:
    metadata: Resource = {"callerIp": call.address, "callerSuppliedUserAgent": call.agent}
    if call.network:
        metadata["callerNetwork"] = call.network
    payload: Resource = {
        "@type": "type.googleapis.com/google.cloud.audit.AuditLog",
        "status": {},
        "authenticationInfo": {"principalEmail": call.email} if call.email else {},
        "requestMetadata": metadata,
        "serviceName": call.service,
        "methodName": call.method,
        "resourceName": call.resource,
    }
    if call.permission:
        payload["authorizationInfo"] = [
            {"resource": call.resource, "permission": call.permission, "granted": call.granted}
        ]
    return {
        "protoPayload": payload,
        "insertId": secrets.token_hex(6),
        "resource": {
            "type": "audited_resource",
            "labels": {"project_id": project.id, "service": call.service, "method": call.method},
        },
        "timestamp": timestamp(moment),
        "severity": "INFO",
        "logName": f"projects/{project.id}/logs/{log}",
        "receiveTimestamp": timestamp(moment),
    }


def _keep(state: State, entry: Resource) -> None:
    if state.timing.log_delay:
        state.after(state.timing.log_delay, lambda: state.log.append(entry))
    else:
        state.log.append(entry)
