# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plan the create phase of one account in one network: the changes that make its endpoint what is asked for.

Pure: reads what was observed and what is desired, and returns changes; applying them and planning again gives an
empty plan.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..contracts import KNOWN_AFTER_APPLY
from .arm_id import ArmId, same
from .names import members
from .plan_create_rules import Rule, own, same_rules, wanted
from .plan_create_types import (
    LINKED_TAG,
    MANAGED_TAG,
    OWN_PREFIX,
    POLICIES,
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
    Group,
    Observed,
    Subnet,
    TagChange,
)


def plan(desired: Desired, observed: Observed) -> list[Change]:
    """The changes, in the order in which they are made. Account and subnet exist: preflight refused otherwise."""
    account, subnet = observed.account, observed.subnet
    if account is None or subnet is None:
        return []
    return [
        *_endpoint(desired, observed, account),
        *_rules(desired, observed, subnet),
    ]


def addresses(desired: Desired, observed: Observed) -> tuple[str, ...]:
    """The endpoint's addresses, known or predicted."""
    if observed.endpoint and observed.endpoint.addresses:
        return observed.endpoint.addresses
    if desired.addresses:
        return tuple(sorted(desired.addresses))
    kind = observed.account.kind if observed.account else ""
    return (KNOWN_AFTER_APPLY,) * len(members(kind))


def endpoint_id(desired: Desired, observed: Observed) -> ArmId:
    """The endpoint that exists, or the id of the one that is to be made."""
    return ArmId.parse(observed.endpoint.id) if observed.endpoint else desired.endpoint


def rules(desired: Desired, observed: Observed) -> list[Rule] | None:
    """The managed rules as they should be; None leaves them as they are."""
    if desired.cidrs is None:
        return None
    return wanted(
        endpoint_id(desired, observed),
        desired.cidrs,
        dict.fromkeys(addresses(desired, observed)),
        observed.group.rules if observed.group else (),
        desired.first_priority,
    )


def policies(desired: Desired, subnet: Subnet) -> str | None:
    """The value that the subnet's policies should get: what is asked for and what stands; None when nothing is new."""
    if desired.policies is None:
        return None
    value = merged_policies(subnet.policies, desired.policies)
    return None if value == subnet.policies else value


def merged_policies(present: str | None, wanted: str) -> str:
    """What stands and what is asked for together: nothing is switched off. An unknown value stays as it is."""
    if present and present not in POLICIES:
        return present
    parts = POLICIES[present or "Disabled"] | POLICIES[wanted]
    return next(name for name, value in POLICIES.items() if value == parts)


def plan_absent(
    desired: Desired, observed: Observed, *, force: bool
) -> tuple[list[Change], Endpoint | None]:
    """The deletions, and the endpoint that stays because this collection did not make it."""
    endpoint, group, subnet = observed.endpoint, observed.group, observed.subnet
    changes: list[Change] = []
    staying = None
    if endpoint and (endpoint.managed or force):
        changes.append(DeleteEndpoint(endpoint=endpoint))
    else:
        staying = endpoint
    if group is None:
        return changes, staying
    ours = own(endpoint_id(desired, observed), group.rules)
    if _removable(group, ours, subnet):
        if subnet and same(subnet.group_id, group.id):
            changes.append(ChangeSubnet(subnet=subnet, group_id=""))
        changes.append(DeleteGroup(group=group))
    elif ours:
        changes.append(
            ChangeRules(group_id=group.id, set=(), delete=tuple(reversed(ours)), before=tuple(ours))
        )
    return changes, staying


def _endpoint(desired: Desired, observed: Observed, account: Account) -> list[Change]:
    endpoint = observed.endpoint
    attaching = desired.dns == "zone_group" and bool(observed.zones)
    changes: list[Change] = []
    if endpoint is None:
        changes.append(
            CreateEndpoint(
                desired=desired,
                account=account,
                location=desired.location or observed.location or "",
                tags=_marked(desired.tags, linked=attaching),
                linked=attaching,
            )
        )
    else:
        tags = tag_change(endpoint.tags, desired.tags, purge=desired.purge_tags)
        broken = endpoint.state == "Failed"
        if tags or broken:
            changes.append(ChangeEndpoint(endpoint=endpoint, tags=tags, repair=broken))
        connection = account.connection(endpoint.id)
        if connection and connection.status == "Pending" and desired.approval == "automatic":
            changes.append(Approve(connection=connection))
    if attaching and (endpoint is None or not endpoint.zoned):
        changes.append(
            AttachZones(endpoint_id=str(endpoint_id(desired, observed)), zones=observed.zones)
        )
    return changes


def group_id(desired: Desired, subnet: Subnet) -> ArmId:
    """The security group that a subnet without one gets."""
    return ArmId.parse(subnet.id).resource(
        "Microsoft.Network", "networkSecurityGroups", desired.group_name
    )


def _rules(desired: Desired, observed: Observed, subnet: Subnet) -> list[Change]:
    changes: list[Change] = []
    group = observed.group
    target = rules(desired, observed)
    attach = None
    if target and group is None:
        made = group_id(desired, subnet)
        changes.append(
            CreateGroup(
                id=made, location=observed.location or "", tags=_marked(desired.tags, linked=False)
            )
        )
        attach = str(made)
        changes.append(ChangeRules(group_id=attach, set=tuple(target), delete=(), before=()))
    elif target is not None and group is not None:
        standing = own(endpoint_id(desired, observed), group.rules)
        if not same_rules(target, standing):
            changes.append(_rule_change(group, target, standing))
        if target and not same(subnet.group_id, group.id):
            attach = group.id
    value = policies(desired, subnet)
    if value is not None or attach is not None:
        changes.append(ChangeSubnet(subnet=subnet, policies=value, group_id=attach))
    return changes


def _rule_change(group: Group, target: Sequence[Rule], standing: Sequence[Rule]) -> ChangeRules:
    present = {item.name.lower(): item for item in standing}
    names = {item.name.lower() for item in target}
    return ChangeRules(
        group_id=group.id,
        set=tuple(
            item
            for item in target
            if item.name.lower() not in present
            or not same_rules([item], [present[item.name.lower()]])
        ),
        # What denies goes first, so that nobody who is admitted notices.
        delete=tuple(
            sorted(
                (item for item in standing if item.name.lower() not in names),
                key=lambda item: item.access.lower() == "allow",
            )
        ),
        before=tuple(standing),
    )


def _removable(group: Group, ours: Sequence[Rule], subnet: Subnet | None) -> bool:
    """A group that this collection made, with nothing in it but the rules that go, and attached here at most."""
    names = {item.name.lower() for item in ours}
    here = subnet.id if subnet else ""
    return (
        group.managed
        and all(item.name.lower() in names for item in group.rules)
        and all(same(item, here) for item in group.subnet_ids)
        and not group.interface_ids
    )


def _marked(tags: Mapping[str, str] | None, *, linked: bool) -> dict[str, str]:
    own_tags = {MANAGED_TAG: "true", **({LINKED_TAG: "true"} if linked else {})}
    return {**(tags or {}), **own_tags}


def tag_change(
    present: Mapping[str, str], wanted: Mapping[str, str] | None, *, purge: bool
) -> TagChange | None:
    """Tags that differ. Azure keeps the case of a key and does not tell keys apart by it."""
    if wanted is None:
        return None
    asked = {key.lower() for key in wanted}
    kept = {
        key: value
        for key, value in present.items()
        if key.lower() not in asked
        and (not purge or key.lower().startswith((OWN_PREFIX, "hidden-")))
    }
    spelled = {key.lower(): key for key in present}
    after = {**kept, **{spelled.get(key.lower(), key): value for key, value in wanted.items()}}
    return None if after == dict(present) else TagChange(before=dict(present), after=after)
