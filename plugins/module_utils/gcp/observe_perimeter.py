# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The perimeter part of the evidence: the service perimeters that hold the target's projects."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

from .client import Connection
from .reads import Read

Document = Mapping[str, Any]

# What stands in front of the record that vertex_lockdown keeps in a perimeter's description.
_RECORD = "private_ai.endpoints:"
_NETWORK = "//compute.googleapis.com/"


def perimeters_read(connection: Connection, policy: str) -> Read:
    """All perimeters of one access policy."""
    return Read(
        part="perimeter",
        resource=policy,
        action="accesscontextmanager.servicePerimeters.list",
        call=lambda: _perimeters(connection, policy),
    )


def looked_for_read(connection: Connection, project: str, parent: str) -> Read:
    """All perimeters of the access policies of a project's organisation. parent: folders/N or organizations/N."""
    return Read(
        part="perimeter",
        resource=f"projects/{project}",
        action="accesscontextmanager.policies.list",
        call=lambda: _looked_for(connection, parent),
    )


def number_read(connection: Connection, project: str, part: str = "perimeter") -> Read:
    """A project, for its number and what it lies in."""
    path = f"projects/{project}"
    return Read(
        part=part,
        resource=path,
        action="resourcemanager.projects.get",
        call=lambda: connection.get("cloudresourcemanager", path, resource=path),
    )


def organization_policies_read(connection: Connection, project: str) -> Read:
    """The organisation policies that are set on a project itself."""
    path = f"projects/{project}/policies"
    return Read(
        part="organization_policies",
        resource=f"projects/{project}",
        action="orgpolicy.policies.list",
        call=lambda: connection.list("orgpolicy", path, "policies", resource=path),
        tolerant=True,
    )


def ancestors_read(connection: Connection, parent: str) -> Read:
    """What a project lies in; see `ancestors`."""
    return Read(
        part="inherited",
        resource=parent,
        action="resourcemanager.folders.get",
        call=lambda: ancestors(connection, parent),
        tolerant=True,
    )


def ancestors(connection: Connection, parent: str) -> list[str]:
    """What a project lies in, from its parent up: folders/N and at last organizations/N."""
    chain = []
    while parent:
        chain.append(parent)
        if not parent.startswith("folders/"):
            break
        document = connection.get("cloudresourcemanager", parent, resource=parent)
        parent = str(document.get("parent") or "")
    return chain


def number_of(document: Document | None) -> str | None:
    """The number of a project of Resource Manager v3."""
    return str(document["name"]).rpartition("/")[2] if document else None


def perimeters(
    listed: Any, numbers: Collection[str], own: str | None, networks: Collection[str]
) -> list[dict[str, Any]]:
    """`perimeters` of the evidence: those that hold one of the projects or networks, in force or in the dry run.

    numbers: of all the target's projects. own: of the one that Vertex AI is used in.
    """
    wanted = {f"projects/{number}" for number in numbers}
    wanted |= {_NETWORK + path for path in networks}
    return sorted(
        (_perimeter(item, f"projects/{own}") for item in listed or () if wanted & _resources(item)),
        key=lambda item: str(item["id"]),
    )


def organization_policies(listed: Any) -> list[dict[str, Any]] | None:
    """`organization_policies` of the evidence; None when they could not be read."""
    if listed is None:
        return None
    found = [
        {
            "constraint": str(item["name"]).rpartition("/")[2],
            "rules": (item.get("spec") or {}).get("rules") or [],
            "dry_run": (item.get("dryRunSpec") or {}).get("rules"),
        }
        for item in listed
    ]
    return sorted(found, key=lambda item: str(item["constraint"]))


def pending(description: str) -> dict[str, Any] | None:
    """The run of a lockdown that has not ended, from the record that it keeps in a perimeter's description.

    A record that cannot be read counts as one: it says that something was under way.
    """
    for line in description.split("\n"):
        if not line.strip().startswith(_RECORD):
            continue
        try:
            record = json.loads(line.strip()[len(_RECORD) :])
            if record["lock"] != "pending":
                return None
            return {name: record.get(name) for name in ("run_id", "time", "delta")}
        except (KeyError, TypeError, ValueError):
            return {"unreadable": line.strip()}
    return None


def _perimeters(connection: Connection, policy: str) -> list[dict[str, Any]]:
    path = f"{policy}/servicePerimeters"
    return connection.list("accesscontextmanager", path, "servicePerimeters", resource=policy)


def _looked_for(connection: Connection, parent: str) -> list[dict[str, Any]]:
    top = ancestors(connection, parent)[-1:]
    if not top or not top[0].startswith("organizations/"):
        return []  # a project without an organisation cannot be in a perimeter
    policies = connection.list(
        "accesscontextmanager",
        "accessPolicies",
        "accessPolicies",
        params={"parent": top[0]},
        resource=top[0],
    )
    return [found for item in policies for found in _perimeters(connection, str(item["name"]))]


def _resources(item: Document) -> set[str]:
    parts = [item.get("status") or {}]
    if item.get("useExplicitDryRunSpec"):
        parts.append(item.get("spec") or {})
    return {str(name) for part in parts for name in part.get("resources") or ()}


def _perimeter(item: Document, own: str) -> dict[str, Any]:
    explicit = bool(item.get("useExplicitDryRunSpec"))
    return {
        "id": str(item["name"]),
        "title": str(item.get("title") or ""),
        "type": str(item.get("perimeterType") or "PERIMETER_TYPE_REGULAR"),
        "holds_project": own in _resources(item),
        **_config(item.get("status") or {}),
        "dry_run": _config(item.get("spec") or {}) if explicit else None,
        "pending": pending(str(item.get("description") or "")),
    }


def _config(part: Document) -> dict[str, Any]:
    accessible = part.get("vpcAccessibleServices") or {}
    return {
        "resources": _sorted(part.get("resources")),
        "restricted_services": _sorted(part.get("restrictedServices")),
        "accessible_services": {
            "enabled": bool(accessible.get("enableRestriction")),
            "allowed": _sorted(accessible.get("allowedServices")),
        },
        "ingress": list(part.get("ingressPolicies") or ()),
        "egress": list(part.get("egressPolicies") or ()),
        "access_levels": _sorted(part.get("accessLevels")),
    }


def _sorted(values: Any) -> list[str]:
    return sorted(str(item) for item in values or ())
