# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Resource Manager, v1 and v3: projects, their IAM policies, and the organisation."""

from __future__ import annotations

import copy
from typing import Any

from . import iam
from .errors import GoogleError, denied
from .operation import Control, Result, method
from .records import Project, Resource
from .state import digest, timestamp

_V = "cloudresourcemanager"


def _project(control: Control, permission: str) -> Project:
    name = (
        control.path.get("projectId")
        or control.path.get("name")
        or control.path.get("resource", "")
    )
    name = name.removeprefix("projects/")
    found = control.state.project(name)
    if found is None:
        raise denied(control.service, permission, f"projects/{name}")
    control.authorize(permission, f"projects/{found.id}")
    return found


@method(f"{_V}.projects.get")
def get(control: Control) -> Result:
    project = _project(control, "resourcemanager.projects.get")
    if control.version == "v1":
        kind, _, number = project.parent.partition("/")
        return {
            "projectNumber": project.number,
            "projectId": project.id,
            "lifecycleState": "ACTIVE",
            "name": project.name,
            "createTime": timestamp(0),
            "parent": {"type": kind.removesuffix("s"), "id": number},
        }
    return {
        "name": f"projects/{project.number}",
        "parent": project.parent,
        "projectId": project.id,
        "state": "ACTIVE",
        "displayName": project.name,
        "createTime": timestamp(0),
        "updateTime": timestamp(0),
        "etag": f'W/"{digest(project.id)}"',
    }


@method(f"{_V}.projects.getAncestry")
def get_ancestry(control: Control) -> Result:
    project = _project(control, "resourcemanager.projects.get")
    number = project.parent.rpartition("/")[2]
    chain = [{"type": "project", "id": project.id}, {"type": "organization", "id": number}]
    return {"ancestor": [{"resourceId": each} for each in chain]}


def _shown(project: Project) -> dict[str, Any]:
    policy = copy.deepcopy(project.policy)
    return {"version": 1, "etag": digest((project.id, project.policy_version)), **policy}


@method(f"{_V}.projects.getIamPolicy")
def get_policy(control: Control) -> Result:
    return _shown(_project(control, "resourcemanager.projects.getIamPolicy"))


@method(f"{_V}.projects.setIamPolicy")
def set_policy(control: Control) -> Result:
    project = _project(control, "resourcemanager.projects.setIamPolicy")
    policy: Resource = copy.deepcopy(dict(control.body.get("policy", {})))
    given = policy.pop("etag", None)
    if given and given != digest((project.id, project.policy_version)):
        message = (
            "There were concurrent policy changes. Please retry the whole read-modify-write with "
            "exponential backoff."
        )
        raise GoogleError(409, message, "", "ABORTED")
    policy.pop("version", None)
    mask = str(control.body.get("updateMask") or "bindings,etag").split(",")
    if "auditConfigs" not in mask:
        policy.pop("auditConfigs", None)
        if "auditConfigs" in project.policy:
            policy["auditConfigs"] = project.policy["auditConfigs"]
    for binding in policy.get("bindings", []):
        role = binding.get("role", "")
        if not iam.permissions_of(control.state, role):
            raise GoogleError(400, f"Role {role} is not supported for this resource.")
    project.policy = policy
    project.policy_version += 1
    return _shown(project)


@method(f"{_V}.projects.testIamPermissions", f"{_V}.organizations.testIamPermissions")
def test_permissions(control: Control) -> Result:
    resource = control.path["resource"]
    if not resource.startswith(("projects/", "organizations/")):
        resource = f"projects/{resource}"
    held = [
        each
        for each in control.body.get("permissions", [])
        if iam.allowed(control.state, control.caller, each, resource)
    ]
    return {"permissions": held} if held else {}


@method(f"{_V}.organizations.get")
def get_organization(control: Control) -> Result:
    name = control.path["name"]
    control.authorize("resourcemanager.organizations.get", name)
    return {"name": name, "displayName": "lab.example", "lifecycleState": "ACTIVE"} | (
        {"state": "ACTIVE"} if control.version == "v3" else {}
    )


@method(f"{_V}.organizations.getIamPolicy")
def get_organization_policy(control: Control) -> Result:
    control.authorize("resourcemanager.organizations.getIamPolicy", control.path["resource"])
    policy = control.state.organization_policy
    return {"version": 1, "etag": digest(sorted(policy)), **copy.deepcopy(policy)}
