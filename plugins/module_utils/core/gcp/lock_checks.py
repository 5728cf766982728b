# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Why a perimeter may not be changed as asked for, whatever is proved of its members."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .lock_standing import BRIDGE, Standing
from .perimeter import RESTRICTED, allowed_of
from .plan_lockdown import VERTEX, LockPlan

NUMBER = re.compile(r"projects/\d+")


@dataclass(frozen=True, kw_only=True)
class Member:
    """One network whose callers the lock binds. projects: projects/NUMBER → what is there, in words.

    networks: paths of its networks. project: `projects/NUMBER` of each of them.
    """

    target: str
    projects: Mapping[str, str] = field(default_factory=dict)
    networks: Mapping[str, str] = field(default_factory=dict)


def problems(
    plan: LockPlan,
    others: Iterable[Standing],
    members: Sequence[Member] = (),
    names: Mapping[str, str] | None = None,
) -> list[str]:
    """Why this lock may not be made, as sentences with the fix.

    others: the policy's other perimeters. names: projects/NUMBER → the project's id.
    """
    desired, others = plan.desired, list(others)
    known = names or {}
    found = []
    if desired.kind == BRIDGE:
        found.append(
            f"{desired.resource}: it is a bridge, which restricts nothing. Name a regular perimeter"
        )
    for resource in _newly_in(plan):
        for other in others:
            if other.kind != BRIDGE and resource in _members(other):
                shown = f"{resource} ({known[resource]})" if resource in known else resource
                found.append(
                    f"projects: {shown} is in the perimeter {other.name} already, and a project can be in one only. "
                    f"Give that one as perimeter: {other.name}"
                )
                break
    if not plan.start.exists and any(other.title == desired.title for other in others):
        found.append(
            f"title: {desired.title!r} is the title of another perimeter of {desired.policy}. Choose another one"
        )
    config = _decides(plan)
    inside = set(config.get("resources") or ())
    found += _outside(members, inside, config, desired) + _shut_out(config, desired)
    for rule in desired.status.get("ingressPolicies") or ():
        for resource in (rule.get("ingressTo") or {}).get("resources") or ():
            if resource != "*" and resource not in inside:
                found.append(
                    f"ingress_policies: {resource} of ingressTo is not in {desired.resource}. Name it as "
                    "projects/NUMBER, in projects too"
                )
    return found


def _decides(plan: LockPlan) -> Mapping[str, Any]:
    """The configuration that this lock is about: the enforced one where it adds to that, else the dry run's."""
    desired = plan.desired
    if desired.spec is None or plan.delta.status.to_json():
        return desired.status
    return desired.spec


def _shut_out(config: Mapping[str, Any], desired: Standing) -> list[str]:
    """Networks inside may call some services only, and what is locked is not among them: members would lose it."""
    allowed = allowed_of(config)
    restricted = config.get("restrictedServices") or ()
    if allowed is None or VERTEX not in restricted or {VERTEX, RESTRICTED} & set(allowed):
        return []
    return [
        f"accessible_services: {desired.resource} lets networks inside call only {', '.join(allowed) or 'nothing'}, so "
        f"that members would lose {VERTEX}. Name it in accessible_services"
    ]


def _outside(
    members: Sequence[Member], inside: set[str], config: Mapping[str, Any], desired: Standing
) -> list[str]:
    """Members with a network or a project that the perimeter leaves out: calls between in and out are refused."""
    admitted = {
        str(source.get("resource"))
        for rule in config.get("ingressPolicies") or ()
        for source in (rule.get("ingressFrom") or {}).get("sources") or ()
    }
    found = []
    for member in members:
        for number, what in member.projects.items():
            networks = [path for path, home in member.networks.items() if home == number]
            links = {f"//compute.googleapis.com/{path}" for path in networks}
            if number in inside | admitted or (links and links <= inside | admitted):
                continue
            found.append(
                f"members: {member.target} has {what} in {number}, which is not in {desired.resource}, so that its "
                "callers would be locked out. Name that project in projects"
            )
    return found


def newly_bound(plan: LockPlan) -> list[str]:
    """Projects of the perimeter whose services this plan restricts, or restricts further."""
    before, after = plan.start.status, plan.desired.status
    known = set(before.get("resources") or ())
    more = set(after.get("restrictedServices") or ()) - set(before.get("restrictedServices") or ())
    return [
        item
        for item in after.get("resources") or ()
        if NUMBER.fullmatch(item) and (more or item not in known)
    ]


def newly_in(plan: LockPlan) -> list[str]:
    """What the plan puts into the enforced perimeter, which binds it to all that this one restricts."""
    return _added(plan.desired.status, plan.start.status)


def unproved(plan: LockPlan, members: Sequence[Member], answered_for: Iterable[str]) -> list[str]:
    """Projects that the lock would bind and no member is in: nobody has looked at their callers."""
    known = {*answered_for, *(number for member in members for number in member.projects)}
    return [
        f"{plan.desired.resource} has {item}, and no member is in that project: nobody has looked at its callers, and "
        "the lock would bind them. Add a target of that project, or name it in projects_without_members"
        for item in newly_bound(plan)
        if item not in known
    ]


def member_problems(evidence: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Members, by their names in the inventory, that have no endpoint in their application's network."""
    return [
        f"members: {name} has no endpoint in its network {network}, so its callers would be locked out. Make one with "
        "private_ai.endpoints.vertex_psc_endpoint"
        for name, document in evidence.items()
        for network in ((document.get("network") or {}).get("id"),)
        if not any(item["network_id"] == network for item in document.get("endpoints") or ())
    ]


def _added(after: Mapping[str, Any], before: Mapping[str, Any]) -> list[str]:
    known = set(before.get("resources") or ())
    return [item for item in after.get("resources") or () if item not in known]


def _newly_in(plan: LockPlan) -> list[str]:
    """What the plan puts into the perimeter, enforced or in the dry run."""
    start, desired = plan.start, plan.desired
    planned = start.spec if start.spec is not None else start.status
    found = newly_in(plan) + _added(desired.spec or {}, planned)
    return list(dict.fromkeys(found))


def _members(perimeter: Standing) -> set[str]:
    return {
        *(perimeter.status.get("resources") or ()),
        *((perimeter.spec or {}).get("resources") or ()),
    }
