# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The changes of the create phase as steps, and the plan for taking everything away again."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from ..contracts import Step
from .catalogue import short_name
from .plan_create import new_attributes
from .plan_create_types import (
    GONE,
    MANAGED_TAG,
    Change,
    ChangeEndpoint,
    ChangeGroup,
    CreateEndpoint,
    CreateGroup,
    DeleteEndpoint,
    DeleteGroup,
    Endpoint,
    Observed,
    TagChange,
)
from .security_group import Rule


def plan_absent(
    observed: Observed, services: Collection[str] | None, *, group_name: str, force: bool
) -> tuple[list[Change], list[Endpoint]]:
    """The deletions, and the endpoints that stay because this collection did not create them.

    services: full names; None means all. The managed group goes with the last endpoint that wears it.
    """
    asked = [
        item
        for item in observed.endpoints
        if item.state not in GONE and (services is None or item.service in services)
    ]
    going = [item for item in asked if item.managed or (force and services is not None)]
    staying = [item for item in asked if item not in going]
    left = [item for item in observed.endpoints if item.state not in GONE and item not in going]
    changes: list[Change] = [
        DeleteEndpoint(endpoint=item, short=short_name(item.service, observed.region))
        for item in going
    ]
    changes += [
        DeleteGroup(group_id=group.id, name=group.name, before=group.rules)
        for group in observed.groups
        if group.name == group_name
        and MANAGED_TAG in group.tags
        and not any(group.id in item.security_group_ids for item in left)
    ]
    return changes, staying if services is not None else []


def steps(vpc_id: str, changes: Iterable[Change]) -> list[Step]:
    """One step for each change."""
    return [_step(vpc_id, change) for change in changes]


def merge(rounds: Iterable[Sequence[Step]]) -> list[Step]:
    """The steps of several rounds of one run as one: what stood before the first, what stands after the last."""
    merged: dict[str, Step] = {}
    for step in (step for one in rounds for step in one):
        earlier = merged.get(step.resource)
        if earlier is None:
            merged[step.resource] = step
            continue
        merged[step.resource] = Step(
            resource=step.resource,
            action="create" if earlier.action == "create" else step.action,
            before={**step.before, **earlier.before} if earlier.action != "create" else {},
            after={**earlier.after, **step.after},
        )
    return list(merged.values())


def _step(vpc_id: str, change: Change) -> Step:
    if isinstance(change, CreateEndpoint):
        return Step(
            resource=f"{vpc_id}/{change.goal.short}",
            action="create",
            after=new_attributes(change.goal),
        )
    if isinstance(change, ChangeEndpoint):
        return Step(
            resource=f"{vpc_id}/{change.short}",
            action="update",
            before=dict(change.before),
            after=dict(change.after),
        )
    if isinstance(change, DeleteEndpoint):
        return Step(
            resource=f"{vpc_id}/{change.short}",
            action="delete",
            before=_present(change.endpoint),
        )
    return _group_step(vpc_id, change)


def _group_step(vpc_id: str, change: CreateGroup | ChangeGroup | DeleteGroup) -> Step:
    if isinstance(change, CreateGroup):
        return Step(
            resource=f"{vpc_id}/security-group/{change.group.name}",
            action="create",
            after={"ingress": _texts(change.group.rules), "tags": dict(change.tags)},
        )
    name = f"{vpc_id}/security-group/{change.name}"
    before: dict[str, Any] = {"ingress": _texts(change.before)}
    if isinstance(change, DeleteGroup):
        return Step(resource=name, action="delete", before={"id": change.group_id, **before})
    after: dict[str, Any] = {"ingress": _texts(change.group.rules)}
    if before == after:
        before, after = {}, {}
    if change.tags:
        before["tags"], after["tags"] = _tags(change.tags)
    return Step(resource=name, action="update", before=before, after=after)


def _tags(change: TagChange) -> tuple[dict[str, str], dict[str, str]]:
    after = {key: value for key, value in change.before.items() if key not in change.remove}
    return dict(change.before), {**after, **change.set}


def _texts(rules: Iterable[Rule]) -> list[str]:
    return sorted(rule.text() for rule in rules)


def _present(endpoint: Endpoint) -> dict[str, Any]:
    return {
        "id": endpoint.id,
        "service": endpoint.service,
        "subnet_ids": sorted(endpoint.subnet_ids),
        "security_group_ids": sorted(endpoint.security_group_ids),
        "private_dns_enabled": endpoint.private_dns,
        "ip_address_type": endpoint.ip_address_type,
        "policy": None if endpoint.policy is None else dict(endpoint.policy),
        "tags": dict(endpoint.tags),
    }
