# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Organization Policy v2: policies of the organisation and of its projects."""

from __future__ import annotations

import copy
import re
from typing import Any

from . import orgrules
from .errors import GoogleError
from .operation import Control, Result, method, page
from .records import Resource
from .state import digest, timestamp

# Constraint -> whether it takes lists of values.
CONSTRAINTS = {
    orgrules.ENDPOINTS: True,
    "compute.restrictPrivateServiceConnectConsumer": True,
    "compute.vmExternalIpAccess": True,
    "gcp.restrictEndpointUsage": True,
    "gcp.restrictServiceUsage": True,
    "iam.disableServiceAccountKeyCreation": False,
    "vertexai.allowedModels": True,
    "vertexai.allowedPartnerModelFeatures": True,
}
_KINDS = ("projects", "organizations")


def _ids(verb: str) -> tuple[str, ...]:
    return tuple(f"orgpolicy.{kind}.policies.{verb}" for kind in _KINDS)


def _name(control: Control, name: str) -> str:
    """The name with the project's number, in which form policies are kept."""
    kind, holder, *rest = name.split("/")
    if kind == "projects":
        project = control.find_project(holder)
        holder = project.number
    elif f"{kind}/{holder}" != control.state.organization:
        raise GoogleError(403, f"The caller does not have permission on '{kind}/{holder}'.")
    constraint = rest[-1] if rest else ""
    if len(rest) == 2 and constraint not in CONSTRAINTS:
        raise GoogleError(400, f"The constraint 'constraints/{constraint}' does not exist.")
    return "/".join((kind, holder, *rest))


def _authorize(control: Control, permission: str, name: str) -> None:
    control.authorize(f"orgpolicy.{permission}", "/".join(name.split("/")[:2]), name)


def _found(control: Control) -> tuple[str, Resource]:
    name = _name(control, control.path["name"])
    if name not in control.state.org_policies:
        raise GoogleError(404, f"Requested entity was not found: '{name}'.")
    return name, control.state.org_policies[name]


def _check(constraint: str, body: Resource) -> None:
    for part in ("spec", "dryRunSpec"):
        spec = body.get(part, {})
        if spec.get("reset") and (spec.get("rules") or spec.get("inheritFromParent")):
            raise GoogleError(400, "A policy that is reset cannot have rules or inherit.")
        for rule in spec.get("rules", []):
            listed = bool({"values", "allowAll", "denyAll"} & set(rule))
            if listed != CONSTRAINTS[constraint] or ("enforce" in rule) == listed:
                raise GoogleError(
                    400,
                    f"The rule does not fit the type of the constraint 'constraints/{constraint}'.",
                )


def _stamp(control: Control, policy: Resource) -> Resource:
    for part in ("spec", "dryRunSpec"):
        if part in policy:
            policy[part].pop("etag", None)
            policy[part]["updateTime"] = timestamp(control.state.now())
            policy[part]["etag"] = digest(policy[part])
    policy["etag"] = digest(policy)
    return policy


@method(*_ids("list"))
def list_(control: Control) -> Result:
    parent = _name(control, control.path["parent"])
    _authorize(control, "policies.list", parent)
    mine = [
        each for name, each in control.state.org_policies.items() if name.startswith(f"{parent}/")
    ]
    items, following = page(control, mine, "pageSize", 1000)
    answer: dict[str, Any] = {"policies": items} if items else {}
    return answer | ({"nextPageToken": following} if following else {})


@method(*_ids("get"))
def get(control: Control) -> Result:
    _authorize(control, "policy.get", _name(control, control.path["name"]))
    return _found(control)[1]


@method(*_ids("getEffectivePolicy"))
def get_effective(control: Control) -> Result:
    name = _name(control, control.path["name"])
    _authorize(control, "policy.get", name)
    kind, holder, _, constraint = name.split("/")
    rules: list[Resource] = []
    if kind == "projects":
        rules = orgrules.effective(control.state, control.find_project(holder), constraint)
    elif name in control.state.org_binding:
        rules = control.state.org_binding[name].get("spec", {}).get("rules", [])
    default = [{"allowAll": True}] if CONSTRAINTS[constraint] else [{"enforce": False}]
    return {"name": name, "spec": {"rules": rules or default}}


@method(*_ids("create"))
def create(control: Control) -> Result:
    parent = _name(control, control.path["parent"])
    body = copy.deepcopy(dict(control.body))
    given = body.get("name", "")
    if not re.fullmatch(r"(projects|organizations)/[^/]+/policies/[^/]+", given):
        raise GoogleError(400, f"Invalid policy name: '{given}'.")
    name = _name(control, given)
    _authorize(control, "policies.create", parent)
    if not name.startswith(f"{parent}/"):
        raise GoogleError(400, f"The policy '{given}' does not belong to '{parent}'.")
    if name in control.state.org_policies:
        raise GoogleError(409, f"Policy '{name}' already exists.")
    _check(name.rpartition("/")[2], body)
    control.state.org_policies[name] = _stamp(control, {**body, "name": name})
    control.state.bind_org_policies()
    return control.state.org_policies[name]


@method(*_ids("patch"))
def patch(control: Control) -> Result:
    name, policy = _found(control)
    _authorize(control, "policies.update", name)
    body = copy.deepcopy(dict(control.body))
    _check_etag(body.get("etag") or body.get("spec", {}).get("etag"), policy)
    _check(name.rpartition("/")[2], body)
    mask = str(control.query.get("updateMask") or "*")
    parts = {
        "policy.spec": ("spec",),
        "spec": ("spec",),
        "policy.dry_run_spec": ("dryRunSpec",),
        "dry_run_spec": ("dryRunSpec",),
        "dryRunSpec": ("dryRunSpec",),
        "*": ("spec", "dryRunSpec"),
    }
    for each in mask.split(","):
        if each.strip() not in parts:
            raise GoogleError(400, f"Invalid field in update_mask: '{each}'.")
        for part in parts[each.strip()]:
            if part in body:
                policy[part] = body[part]
            else:
                policy.pop(part, None)
    _stamp(control, policy)
    control.state.bind_org_policies()
    return policy


def _check_etag(given: str | None, policy: Resource) -> None:
    if given and given not in (policy["etag"], policy.get("spec", {}).get("etag")):
        raise GoogleError(
            409, "The policy was changed meanwhile: its etag does not match.", "", "ABORTED"
        )


@method(*_ids("delete"))
def delete(control: Control) -> Result:
    name, policy = _found(control)
    _authorize(control, "policies.delete", name)
    _check_etag(control.query.get("etag"), policy)
    del control.state.org_policies[name]
    control.state.bind_org_policies()
    return {}


@method(*(f"orgpolicy.{kind}.constraints.list" for kind in _KINDS))
def list_constraints(control: Control) -> Result:
    parent = _name(control, control.path["parent"])
    _authorize(control, "constraints.list", parent)
    found: list[Resource] = [
        {"name": f"{parent}/constraints/{name}", "constraintDefault": "ALLOW"}
        | ({"listConstraint": {}} if lists else {"booleanConstraint": {}})
        for name, lists in CONSTRAINTS.items()
    ]
    items, following = page(control, found, "pageSize", 1000)
    answer: dict[str, Any] = {"constraints": items}
    return answer | ({"nextPageToken": following} if following else {})
