# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Access Context Manager: service perimeters.

https://cloud.google.com/access-context-manager/docs/reference/rest/v1/accessPolicies.servicePerimeters
"""

from __future__ import annotations

import copy
import re
from typing import Any

from . import acm, acm_rules
from .acm import begin, check_etag, missing, policy_of, typed, wrong
from .errors import GoogleError
from .operation import Control, Result, method, page
from .perimeter import BRIDGE
from .records import AccessPolicy, Resource
from .state import digest

_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9_]{0,49}")
_FIELDS = ("title", "description", "status", "spec", "useExplicitDryRunSpec")
_FIXED = ("name", "perimeterType")


def shown(perimeter: Resource) -> Resource:
    """A perimeter as the API gives it: its etag changes with its content."""
    kept = {name: value for name, value in perimeter.items() if name != "etag"}
    return {**copy.deepcopy(kept), "etag": digest(sorted(kept.items()))}


@method("accesscontextmanager.accessPolicies.servicePerimeters.list")
def list_(control: Control) -> Result:
    policy = policy_of(control, control.path["parent"])
    acm.authorize(control, "servicePerimeters.list", policy.name)
    found = [shown(each) for each in policy.perimeters.values()]
    items, following = page(control, found, "pageSize", 100)
    answer: dict[str, Any] = {"servicePerimeters": items} if items else {}
    return answer | ({"nextPageToken": following} if following else {})


@method("accesscontextmanager.accessPolicies.servicePerimeters.get")
def get(control: Control) -> Result:
    acm.authorize(control, "servicePerimeters.get", control.path["name"])
    return shown(_found(control)[1])


def _found(control: Control) -> tuple[AccessPolicy, Resource]:
    name = control.path["name"]
    policy = policy_of(control, name)
    if name not in policy.perimeters:
        raise missing(name)
    return policy, policy.perimeters[name]


@method("accesscontextmanager.accessPolicies.servicePerimeters.create")
def create(control: Control) -> Result:
    policy = policy_of(control, control.path["parent"])
    acm.authorize(control, "servicePerimeters.create", policy.name)
    body = copy.deepcopy(dict(control.body))
    check_etag(body.pop("etag", None), acm.etag(policy))
    name = body.get("name", "")
    prefix, _, short = name.rpartition("/")
    if prefix != f"{policy.name}/servicePerimeters" or not _NAME.fullmatch(short):
        raise wrong(
            f"Invalid service perimeter name: '{name}'. The name must begin with a letter, followed by "
            "alphanumeric characters or '_'."
        )
    if name in policy.perimeters:
        raise GoogleError(409, f"Service perimeter '{name}' already exists.")
    body.setdefault("perimeterType", "PERIMETER_TYPE_REGULAR")
    _check(control, policy, body)

    def effect() -> Resource:
        policy.perimeters[name] = body
        return typed("ServicePerimeter", shown(body))

    return begin(control, policy, "create_service_perimeter", name, effect)


@method("accesscontextmanager.accessPolicies.servicePerimeters.patch")
def patch(control: Control) -> Result:
    policy, before = _found(control)
    acm.authorize(control, "servicePerimeters.update", before["name"])
    check_etag(control.body.get("etag"), acm.etag(policy), shown(before)["etag"])
    mask = [
        each.strip() for each in str(control.query.get("updateMask", "")).split(",") if each.strip()
    ]
    if not mask:
        raise wrong("update_mask must be non-empty.")
    after = copy.deepcopy(before)
    for path in mask:
        parts = [_camel(each) for each in path.split(".")]
        if (
            parts[0] not in (*_FIELDS, *_FIXED)
            or len(parts) > 2
            or (len(parts) == 2 and parts[0] not in ("status", "spec"))
        ):
            raise wrong(f"Invalid field in update_mask: '{path}'.")
        _copy_field(control.body, after, parts)
    for fixed in _FIXED:
        if after.get(fixed) != before.get(fixed):
            raise wrong(f"The field '{fixed}' cannot be changed.")
    _check(control, policy, after)

    def effect() -> Resource:
        policy.perimeters[before["name"]] = after
        return typed("ServicePerimeter", shown(after))

    return begin(control, policy, "update_service_perimeter", before["name"], effect)


def _camel(text: str) -> str:
    head, *rest = text.split("_")
    return head + "".join(each[:1].upper() + each[1:] for each in rest)


def _copy_field(source: Any, target: Resource, parts: list[str]) -> None:
    """What the mask names is taken from the body; where the body lacks it, it goes."""
    *parents, last = parts
    for name in parents:
        source = source.get(name, {})
        target = target.setdefault(name, {})
    if last in source:
        target[last] = copy.deepcopy(source[last])
    else:
        target.pop(last, None)


@method("accesscontextmanager.accessPolicies.servicePerimeters.delete")
def delete(control: Control) -> Result:
    policy, before = _found(control)
    acm.authorize(control, "servicePerimeters.delete", before["name"])

    def effect() -> Resource:
        del policy.perimeters[before["name"]]
        return typed("", {})

    return begin(control, policy, "delete_service_perimeter", before["name"], effect)


@method("accesscontextmanager.accessPolicies.servicePerimeters.commit")
def commit(control: Control) -> Result:
    """Enforce the dry run of every perimeter of the policy, whoever's it is."""
    policy = policy_of(control, control.path["parent"])
    acm.authorize(control, "servicePerimeters.commit", policy.name)
    check_etag(control.body.get("etag"), acm.etag(policy))

    def effect() -> Resource:
        for each in policy.perimeters.values():
            if each.pop("useExplicitDryRunSpec", False):
                each["status"] = each.pop("spec", {})
        committed = [shown(each) for each in policy.perimeters.values()]
        return typed("CommitServicePerimetersResponse", {"servicePerimeters": committed})

    return begin(control, policy, "commit_service_perimeters", policy.name, effect)


@method("accesscontextmanager.projects.lookupConfiguredServicePerimeter")
def look_up(control: Control) -> Result:
    """Which perimeter holds a project, enforced and in the dry run."""
    resource = control.path["resource"]
    acm.authorize(control, "servicePerimeters.list", resource)
    answer: dict[str, Any] = {}
    for perimeter in control.state.perimeters():
        if perimeter.get("perimeterType") == BRIDGE:
            continue
        for part, suffix in (("status", ""), ("spec", "DryRun")):
            if resource in acm_rules.members(perimeter, part):
                answer[f"servicePerimeter{suffix}"] = perimeter["name"]
                answer[f"restrictedResource{suffix}"] = resource
    return answer


def _check(control: Control, policy: AccessPolicy, perimeter: Resource) -> None:
    """Everything that Google checks of a perimeter before it is stored."""
    if not perimeter.get("title"):
        raise wrong("The title of a service perimeter must not be empty.")
    others = [each for each in policy.perimeters.values() if each["name"] != perimeter["name"]]
    if any(each.get("title") == perimeter["title"] for each in others):
        raise wrong(
            f"The title '{perimeter['title']}' is used by another service perimeter of the policy."
        )
    if perimeter.get("spec") and not perimeter.get("useExplicitDryRunSpec"):
        raise wrong(
            "use_explicit_dry_run_spec must be set to true if any of the fields in the spec are "
            "set to non-default values."
        )
    for part in ("status", "spec"):
        acm_rules.check_config(control.state, policy, perimeter, part)
        acm_rules.check_membership(perimeter, others, part)
