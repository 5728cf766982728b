# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The changes of the create phase as steps, and what the module tells of endpoints and names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ..contracts import Step
from .names import host_names, project_of
from .plan_create import chosen, replaced
from .plan_create_types import (
    Change,
    CreateAddress,
    CreateRule,
    DeleteAddress,
    DeleteFirewall,
    DeleteRule,
    Desired,
    Firewall,
    Observed,
    Rule,
    SetAccess,
    SetFirewall,
    SetLabels,
)
from .probe_targets import probe_targets

_SHOWN = ("priority", "action", "protocols", "destinations", "ranges", "tags", "accounts")


def steps(changes: Iterable[Change]) -> list[Step]:
    """One step for each resource that changes."""
    return merge([[_step(change) for change in changes]])


def merge(rounds: Iterable[Sequence[Step]]) -> list[Step]:
    """The steps of several rounds of one run as one: what stood before the first, what stands after the last."""
    merged: dict[str, Step] = {}
    for step in (step for one in rounds for step in one):
        earlier = merged.get(step.resource)
        if earlier is None:
            merged[step.resource] = step
            continue
        created = earlier.action == "create"
        merged[step.resource] = Step(
            resource=step.resource,
            action="create" if created else step.action,
            before={} if created else {**step.before, **earlier.before},
            after={**earlier.after, **step.after},
        )
    return list(merged.values())


def report(
    desired: Desired,
    observed: Observed,
    changes: Iterable[Change],
    *,
    target: str | None,
    project: str | None,
    regions: Sequence[str],
    extra_hosts: Sequence[str],
) -> dict[str, Any]:
    """What the module returns beside its steps. changes: those that are still to come, in check mode.

    project: whose Vertex AI is called, the first network's when None.
    """
    coming = {item.rule.network: item.rule for item in changes if isinstance(item, CreateRule)}
    labels = {item.rule.id: item.labels for item in changes if isinstance(item, SetLabels)}
    gone = {item.rule.id for item in changes if isinstance(item, DeleteRule)}
    endpoints, old = [], []
    for wish in desired.wishes:
        rule = chosen(wish, observed) or coming.get(wish.network)
        if rule:
            shown = rule_document(rule)
            shown["labels"] = dict(labels.get(rule.id, rule.labels))
            endpoints.append(shown)
        old += [item for item in replaced(wish, observed) if item.id not in gone]
    first = desired.wishes[0].network
    hosts = host_names(regions, extra_hosts)
    found = probe_targets(
        target or first.rpartition("/")[2],
        project or project_of(first),
        hosts,
        {item["network"]: [item["address"]] for item in endpoints},
    )
    return {
        "endpoints": endpoints,
        "replaced": [rule_document(item) for item in old],
        "hosts": hosts,
        "probe_targets": [item.to_json() for item in found],
    }


def rule_document(rule: Rule) -> dict[str, Any]:
    """An endpoint as the module shows it."""
    return {
        "id": rule.id,
        "name": rule.name,
        "project": rule.project,
        "network": rule.network,
        "address": rule.address,
        "bundle": rule.bundle,
        "service_directory_region": rule.region,
        "labels": dict(rule.labels),
        "managed": rule.ours,
    }


def _step(change: Change) -> Step:
    if isinstance(change, CreateAddress):
        address = change.address
        after = {"address": address.address, "network": address.network}
        return Step(resource=address.id, action="create", after=after)
    if isinstance(change, DeleteAddress):
        address = change.address
        before = {"address": address.address, "network": address.network}
        return Step(resource=address.id, action="delete", before=before)
    if isinstance(change, CreateRule):
        return Step(resource=change.rule.id, action="create", after=_rule(change.rule))
    if isinstance(change, DeleteRule):
        return Step(resource=change.rule.id, action="delete", before=_rule(change.rule))
    if isinstance(change, SetLabels):
        return Step(
            resource=change.rule.id,
            action="update",
            before={"labels": dict(change.rule.labels)},
            after={"labels": dict(change.labels)},
        )
    if isinstance(change, SetAccess):
        return Step(
            resource=change.subnet,
            action="update",
            before={"private_google_access": False},
            after={"private_google_access": True},
        )
    return _firewall_step(change)


def _firewall_step(change: SetFirewall | DeleteFirewall) -> Step:
    if isinstance(change, DeleteFirewall):
        firewall = change.firewall
        return Step(resource=firewall.id, action="delete", before=_firewall(firewall))
    after = _firewall(change.firewall)
    if change.before is None:
        return Step(resource=change.firewall.id, action="create", after=after)
    before = _firewall(change.before)
    differing = [key for key in {**before, **after} if before.get(key) != after.get(key)]
    return Step(
        resource=change.firewall.id,
        action="update",
        before={key: before[key] for key in differing if key in before},
        after={key: after[key] for key in differing if key in after},
    )


def _rule(rule: Rule) -> dict[str, Any]:
    shown = rule_document(rule)
    kept = ("address", "bundle", "network", "labels")
    found = {key: shown[key] for key in kept}
    return {**found, **({"service_directory_region": rule.region} if rule.region else {})}


def _firewall(firewall: Firewall) -> dict[str, Any]:
    found: dict[str, Any] = {"disabled": firewall.disabled, "network": firewall.network}
    for key in _SHOWN:
        value = getattr(firewall, key)
        found[key] = list(value) if isinstance(value, tuple) else value
    return found
