# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The changes of the create phase as steps, and what the module tells of endpoint, account and names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..contracts import KNOWN_AFTER_APPLY, Action, Step
from .arm_id import same
from .names import Cloud, client_name, hosts, members
from .plan_create_rules import Rule, before_ours
from .plan_create_types import (
    Account,
    Approve,
    AttachZones,
    Change,
    ChangeEndpoint,
    ChangeRules,
    ChangeSubnet,
    CreateEndpoint,
    CreateGroup,
    DeleteEndpoint,
    DeleteGroup,
    Desired,
    Endpoint,
    Observed,
)
from .plan_dns_types import GROUP
from .probe_targets import probe_targets


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
        merged[step.resource] = Step(
            resource=step.resource,
            action="create" if earlier.action == "create" else step.action,
            before={**step.before, **earlier.before} if earlier.action != "create" else {},
            after={**earlier.after, **step.after},
        )
    return list(merged.values())


def _step(change: Change) -> Step:
    if isinstance(change, CreateEndpoint):
        return Step(
            resource=str(change.desired.endpoint), action="create", after=new_attributes(change)
        )
    if isinstance(change, ChangeEndpoint):
        before: dict[str, Any] = {"tags": dict(change.tags.before)} if change.tags else {}
        after: dict[str, Any] = {"tags": dict(change.tags.after)} if change.tags else {}
        if change.repair:
            before["provisioning_state"] = change.endpoint.state
            after["provisioning_state"] = "Succeeded"
        return Step(resource=change.endpoint.id, action="update", before=before, after=after)
    if isinstance(change, Approve):
        return Step(
            resource=change.connection.id,
            action="update",
            before={"status": change.connection.status},
            after={"status": "Approved"},
        )
    if isinstance(change, AttachZones):
        return Step(
            resource=f"{change.endpoint_id}/privateDnsZoneGroups/{GROUP}",
            action="create",
            after={"zones": [item.id for item in change.zones]},
        )
    if isinstance(change, DeleteEndpoint):
        return Step(resource=change.endpoint.id, action="delete", before=_present(change.endpoint))
    return _network_step(change)


def _network_step(change: CreateGroup | ChangeRules | ChangeSubnet | DeleteGroup) -> Step:
    if isinstance(change, CreateGroup):
        return Step(
            resource=str(change.id),
            action="create",
            after={"location": change.location, "tags": dict(change.tags)},
        )
    if isinstance(change, ChangeRules):
        return _rules_step(change)
    if isinstance(change, DeleteGroup):
        return Step(
            resource=change.group.id,
            action="delete",
            before={"rules": _texts(change.group.rules), "tags": dict(change.group.tags)},
        )
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    if change.policies is not None:
        before["private_endpoint_network_policies"] = change.subnet.policies
        after["private_endpoint_network_policies"] = change.policies
    if change.group_id is not None:
        before["network_security_group"] = change.subnet.group_id or None
        after["network_security_group"] = change.group_id or None
    return Step(resource=change.subnet.id, action="update", before=before, after=after)


def _rules_step(change: ChangeRules) -> Step:
    """The endpoint's rules as a resource of their own: the group may be made by a run for its neighbour."""
    names = [item.name for item in (*change.set, *change.delete)]
    gone = {name.lower() for name in names}
    left = [*(item for item in change.before if item.name.lower() not in gone), *change.set]
    action: Action = "update" if change.before and left else "create" if left else "delete"
    return Step(
        resource=f"{change.group_id}/securityRules/{names[0].rpartition('-')[0]}",
        action=action,
        before={"rules": _texts(change.before)} if change.before else {},
        after={"rules": _texts(left)} if left else {},
    )


def new_attributes(change: CreateEndpoint) -> dict[str, Any]:
    """A new endpoint, as a step shows it."""
    wish = change.desired
    found: dict[str, Any] = {
        "account_id": change.account.id,
        "subnet_id": str(wish.subnet),
        "location": change.location,
        "approval": wish.approval,
        "tags": dict(change.tags),
    }
    if wish.addresses:
        found["static_addresses"] = list(wish.addresses)
    if wish.approval == "manual":
        found["message"] = wish.message
    return found


def warnings(desired: Desired, observed: Observed, rules: Sequence[Rule] | None) -> list[str]:
    """What works and should be known all the same."""
    found = []
    endpoint, subnet = observed.endpoint, observed.subnet
    if endpoint and not same(endpoint.subnet_id, str(desired.subnet)):
        found.append(
            f"{endpoint.id} connects this account already, in the subnet {endpoint.subnet_id}; it stays there."
        )
    for rule in before_ours(observed.group.rules if observed.group else (), rules or ()):
        found.append(
            f"the rule {rule.name} ({rule.text()}) is decided before the managed rules, so that they may not say "
            "who reaches the endpoint; give the managed rules an earlier rule_priority, or change it."
        )
    if rules and observed.group is None and subnet and subnet.others:
        found.append(
            f"{subnet.id} gets a network security group, whose default rules also hold for the {subnet.others} other "
            "addresses in use there."
        )
    return found


def report(
    desired: Desired,
    observed: Observed,
    document: Mapping[str, Any] | None,
    *,
    cloud: Cloud,
    target: str,
) -> dict[str, Any]:
    """What the module returns beside its steps. document: the endpoint as the evidence shows it; None predicts it."""
    account = observed.account
    shown = document or _predicted(desired, observed, cloud)
    fqdns = {
        client_name(name): member["address"]
        for member in shown["members"]
        for name in member["fqdns"]
    }
    known = [document] if document else []
    return {
        "endpoint": shown,
        "account": _account(account, cloud) if account else None,
        "fqdns": dict(sorted(fqdns.items())),
        "probe_targets": [item.to_json() for item in probe_targets(target, known)],
    }


def _account(account: Account, cloud: Cloud) -> dict[str, Any]:
    return {
        "id": account.id,
        "name": account.name,
        "kind": account.kind,
        "location": account.location,
        "custom_subdomain": account.subdomain,
        "public_network_access": account.public_access,
        "hosts": sorted(hosts(account.kind, account.subdomain, cloud).values()),
    }


def _predicted(desired: Desired, observed: Observed, cloud: Cloud) -> dict[str, Any]:
    account = observed.account
    kind = account.kind if account else ""
    named = list(hosts(kind, account.subdomain if account else "", cloud).values())
    return {
        "id": str(desired.endpoint),
        "name": desired.endpoint.name,
        "location": desired.location or observed.location,
        "subnet_id": str(desired.subnet),
        "network_id": str(desired.subnet.parent),
        "provisioning_state": KNOWN_AFTER_APPLY,
        "connection": {
            "name": desired.endpoint.name,
            "account_id": str(desired.account),
            "group_ids": ["account"],
            "status": KNOWN_AFTER_APPLY,
            "description": "",
            "manual": desired.approval == "manual",
        },
        "nic_id": KNOWN_AFTER_APPLY,
        "members": [
            # Which member answers for which name is only seen on the interface.
            {
                "member": member,
                "group_id": "account",
                "fqdns": [named[number]] if number < len(named) else [],
                "address": desired.addresses[number] if desired.addresses else KNOWN_AFTER_APPLY,
            }
            for number, member in enumerate(members(kind))
        ],
        "tags": {**(desired.tags or {})},
    }


def _present(endpoint: Endpoint) -> dict[str, Any]:
    return {
        "account_id": endpoint.account_id,
        "subnet_id": endpoint.subnet_id,
        "location": endpoint.location,
        "addresses": list(endpoint.addresses),
        "tags": dict(endpoint.tags),
    }


def _texts(rules: Iterable[Rule]) -> list[str]:
    return [item.text() for item in sorted(rules, key=lambda item: (item.priority, item.name))]
