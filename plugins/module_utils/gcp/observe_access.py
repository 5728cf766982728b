# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The access part of the evidence, who may call Vertex AI by IAM, and what the project keeps of its calls."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .client import Connection
from .reads import Read

SERVICE = "aiplatform.googleapis.com"
# Basic roles hold every permission of Vertex AI that reads or writes; viewer's are few, and let nobody predict.
_BASIC = ("roles/owner", "roles/editor")
_EVERYBODY = ("allUsers", "allAuthenticatedUsers")


def policy_read(connection: Connection, resource: str, part: str) -> Read:
    """The IAM policy of a project, a folder or an organisation."""
    kind = resource.partition("/")[0]
    body = {"options": {"requestedPolicyVersion": 3}}
    return Read(
        part=part,
        resource=resource,
        action=f"resourcemanager.{kind}.getIamPolicy",
        call=lambda: connection.rest(
            "cloudresourcemanager", "POST", f"{resource}:getIamPolicy", body, resource=resource
        ),
        tolerant=part == "inherited",
    )


def access(policies: Mapping[str, Mapping[str, Any] | None]) -> dict[str, Any]:
    """`access` of the evidence: the bindings that let somebody call Vertex AI. policies: by the resource's name."""
    found = [
        {
            "role": str(item["role"]),
            "members": sorted(str(member) for member in item.get("members") or ()),
            "condition": (item.get("condition") or {}).get("expression"),
            "resource": resource,
        }
        for resource, policy in policies.items()
        for item in (policy or {}).get("bindings") or ()
        if _counts(item)
    ]
    return {
        "bindings": sorted(
            found, key=lambda item: (item["resource"], item["role"], str(item["condition"]))
        )
    }


def _counts(item: Mapping[str, Any]) -> bool:
    role, members = str(item.get("role")), item.get("members") or ()
    return (
        role.startswith("roles/aiplatform.")
        or role in _BASIC
        or any(member in _EVERYBODY for member in members)
    )


def logging(policy: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """`logging` of the evidence: the data access entries that are kept; None when it could not be read.

    exempted: members whose calls are not kept.
    """
    if policy is None:
        return None
    kinds: set[str] = set()
    exempted: set[str] = set()
    for item in _configs(policy):
        kinds.add(str(item["logType"]))
        exempted.update(str(member) for member in item.get("exemptedMembers") or ())
    return {"audit": {SERVICE: sorted(kinds)}, "exempted": sorted(exempted)}


def _configs(policy: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    for config in policy.get("auditConfigs") or ():
        if config.get("service") in (SERVICE, "allServices"):
            yield from config.get("auditLogConfigs") or ()
