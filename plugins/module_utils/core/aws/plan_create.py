# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plan the create phase of one VPC: the changes that make its endpoints and its managed group what is asked for.

Pure: `goals` and `plan` read what was observed and what is desired, and return changes; applying them and planning
again gives an empty plan.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from ..canonical import digest
from . import policy_compare
from .endpoint_policy import FULL_ACCESS, Admission, generate
from .plan_create_types import (
    MANAGED_TAG,
    OWN_PREFIX,
    Change,
    ChangeEndpoint,
    ChangeGroup,
    CreateEndpoint,
    CreateGroup,
    Desired,
    Endpoint,
    Goal,
    Observed,
    TagChange,
)
from .security_group import Group

# The attributes that a step shows; the types of dns_record_ip_type follow ip_address_type.
Attributes = dict[str, Any]


def managed_group(desired: Desired, observed: Observed) -> Group | None:
    """The managed group as it stands."""
    if desired.group is None:
        return None
    return next((item for item in observed.groups if item.name == desired.group.name), None)


def plan_group(desired: Desired, observed: Observed) -> list[Change]:
    """What the managed group needs."""
    if desired.group is None:
        return []
    group = managed_group(desired, observed)
    if group is None:
        return [CreateGroup(group=desired.group, tags=_own(desired.tags))]
    tags = _tag_change(
        group.tags, _own(desired.tags), desired.tags is not None and desired.purge_tags
    )
    if group.rules == desired.group.rules and tags is None:
        return []
    return [
        ChangeGroup(
            group_id=group.id,
            name=group.name,
            before=group.rules,
            group=desired.group,
            tags=tags,
        )
    ]


def goals(desired: Desired, observed: Observed, group_ids: Collection[str] | None) -> list[Goal]:
    """What each service's endpoint should be. group_ids: the security groups they should wear; None leaves them.

    A service that the Region does not offer has no goal: preflight refused it, or a preset left it out.
    """
    return [
        Goal(
            service=item.name,
            short=item.short,
            subnet_ids=chosen_subnets(desired, observed, item.name),
            security_group_ids=None if group_ids is None else frozenset(group_ids),
            private_dns=None if desired.private_dns == "keep" else desired.private_dns == "enabled",
            ip_address_type=desired.ip_address_type,
            policy=_policy(desired, observed, item.name, keep=desired.policy_kind == "keep"),
            new_policy=_policy(desired, observed, item.name, keep=False),
            tags=desired.tags,
            purge_tags=desired.purge_tags,
        )
        for item in desired.services
        if item.name in observed.offers
    ]


def plan(wanted: Iterable[Goal], observed: Observed) -> list[Change]:
    """The changes that the endpoints need, in the order of the goals."""
    changes: list[Change] = []
    for goal in wanted:
        existing = next(iter(observed.live(goal.service)), None)
        if existing is None:
            changes.append(CreateEndpoint(goal=goal))
            continue
        change = _change(goal, existing, observed)
        if change is not None:
            changes.append(change)
    return changes


def chosen_subnets(desired: Desired, observed: Observed, service: str) -> frozenset[str] | None:
    """The subnets that are asked for and lie in a zone that offers the service, one per zone.

    Of several that a filter found in one zone, the one that the endpoint already uses is kept, else the first by id.
    """
    if desired.subnet_ids is None and not desired.subnets_filtered:
        return None
    asked = observed.subnets if desired.subnet_ids is None else desired.subnet_ids
    existing = next(iter(observed.live(service)), None)
    used = existing.subnet_ids if existing else frozenset()
    zones = observed.offers[service].zones
    chosen: dict[str, str] = {}
    for subnet_id in sorted(asked, key=lambda item: (item not in used, item)):
        subnet = observed.subnets.get(subnet_id)
        if subnet and subnet.zone in zones:
            chosen.setdefault(subnet.zone, subnet_id)
    return frozenset(chosen.values())


def left_out(desired: Desired, observed: Observed, service: str) -> list[str]:
    """The subnets that are asked for and lie where the service is not offered."""
    asked = observed.subnets if desired.subnet_ids is None else desired.subnet_ids
    if desired.subnet_ids is None and not desired.subnets_filtered:
        return []
    zones = observed.offers[service].zones
    return sorted(
        item
        for item in asked
        if item in observed.subnets and observed.subnets[item].zone not in zones
    )


def new_attributes(goal: Goal) -> Attributes:
    """A new endpoint, as a step shows it and as CreateVpcEndpoint is told."""
    found: Attributes = {
        "service": goal.service,
        "subnet_ids": sorted(goal.subnet_ids or ()),
        "security_group_ids": sorted(goal.security_group_ids or ()),
        "private_dns_enabled": bool(goal.private_dns),
        "policy": dict(goal.new_policy or FULL_ACCESS),
        "tags": _own(goal.tags),
    }
    if goal.ip_address_type:
        found["ip_address_type"] = goal.ip_address_type
        found["dns_record_ip_type"] = goal.ip_address_type
    return found


def client_token(vpc_id: str, service: str, generation: int) -> str:
    """The token of CreateVpcEndpoint: one for a VPC and service, however often and from wherever it is asked for.

    It does not depend on what the endpoint should look like: EC2 answers a second request that differs with
    IdempotentParameterMismatch, which says that the endpoint was made, and makes no second one. generation counts the
    endpoints that were made with the token and deleted since, for which EC2 still remembers it.
    """
    name = f"{vpc_id} {service} {generation}"
    return "private-ai-" + digest(name).split(":")[1][:48]


def _policy(
    desired: Desired, observed: Observed, service: str, *, keep: bool
) -> Mapping[str, Any] | None:
    if keep:
        return None
    if not observed.offers[service].policy_supported or desired.policy_kind == "full":
        return FULL_ACCESS
    if desired.policy_kind == "custom":
        return desired.policy
    known = next(item.service for item in desired.services if item.name == service)
    return generate(known, _bound(desired.admission, observed))


def _bound(admission: Admission, observed: Observed) -> Admission:
    """A policy that names nobody admits the account that owns the VPC, never everybody."""
    if admission.organization_id or admission.organization_paths or admission.account_ids:
        return admission
    owners = {item.owner_id for item in observed.subnets.values()}
    owners |= {item.owner_id for item in observed.endpoints}
    return Admission(
        account_ids=tuple(sorted(owners)),
        resources=admission.resources,
        extra_actions=admission.extra_actions,
    )


def _change(goal: Goal, existing: Endpoint, observed: Observed) -> ChangeEndpoint | None:
    before: Attributes = {}
    after: Attributes = {}

    def differs(name: str, old: Any, new: Any) -> None:
        before[name], after[name] = old, new

    if goal.subnet_ids is not None and goal.subnet_ids != existing.subnet_ids:
        differs("subnet_ids", sorted(existing.subnet_ids), sorted(goal.subnet_ids))
    if goal.security_group_ids not in (None, existing.security_group_ids):
        differs(
            "security_group_ids",
            sorted(existing.security_group_ids),
            sorted(goal.security_group_ids or ()),
        )
    if goal.private_dns not in (None, existing.private_dns):
        differs("private_dns_enabled", existing.private_dns, goal.private_dns)
    for name in ("ip_address_type", "dns_record_ip_type"):
        if goal.ip_address_type not in (None, getattr(existing, name)):
            differs(name, getattr(existing, name), goal.ip_address_type)
    if goal.policy is not None and not policy_compare.same(existing.policy, goal.policy):
        old = None if existing.policy is None else dict(existing.policy)
        differs("policy", old, dict(goal.policy))
    tags = None
    if goal.tags is not None:
        tags = _tag_change(existing.tags, goal.tags, goal.purge_tags)
    if tags is not None:
        differs("tags", dict(existing.tags), _tagged(existing.tags, tags))
    if not after:
        return None
    first, then = _requests(existing, after, observed)
    return ChangeEndpoint(
        endpoint_id=existing.id,
        short=goal.short,
        first=first,
        then=then,
        tags=tags,
        before=before,
        after=after,
    )


def _requests(
    existing: Endpoint, after: Mapping[str, Any], observed: Observed
) -> tuple[Attributes, Attributes]:
    """ModifyVpcEndpoint's parameters, in two requests where one will not do.

    A zone holds one subnet: one that replaces another in its zone is added after the other left. The address type
    and the subnets are checked against what stands before the request: IPv4 comes before the subnets that only have
    that, IPv6 after the subnets that lack it have left.
    """
    first: Attributes = {}
    then: Attributes = {}
    kind = after.get("ip_address_type")
    if "subnet_ids" in after:
        wanted = set(after["subnet_ids"])
        add, remove = wanted - existing.subnet_ids, existing.subnet_ids - wanted
        occupied = {_zone(observed, item) for item in remove}
        late = {item for item in add if kind == "ipv4" or _zone(observed, item) in occupied}
        _put(first, "RemoveSubnetIds", remove)
        _put(first, "AddSubnetIds", add - late)
        _put(then, "AddSubnetIds", late)
    if "security_group_ids" in after:
        groups = set(after["security_group_ids"])
        _put(first, "AddSecurityGroupIds", groups - existing.security_group_ids)
        _put(first, "RemoveSecurityGroupIds", existing.security_group_ids - groups)
    if "private_dns_enabled" in after:
        first["PrivateDnsEnabled"] = after["private_dns_enabled"]
    if "policy" in after:
        if policy_compare.same(after["policy"], FULL_ACCESS):
            first["ResetPolicy"] = True
        else:
            first["PolicyDocument"] = after["policy"]
    place = then if kind not in (None, "ipv4") and "subnet_ids" in after else first
    if kind:
        place["IpAddressType"] = kind
    if "dns_record_ip_type" in after:
        place["DnsOptions"] = {"DnsRecordIpType": after["dns_record_ip_type"]}
    return first, then


def _zone(observed: Observed, subnet_id: str) -> str | None:
    subnet = observed.subnets.get(subnet_id)
    return subnet.zone if subnet else observed.zones_of_used.get(subnet_id)


def _put(request: Attributes, key: str, values: Iterable[str]) -> None:
    listed = sorted(values)
    if listed:
        request[key] = listed


def _own(tags: Mapping[str, str] | None) -> dict[str, str]:
    return {**(tags or {}), MANAGED_TAG: "true"}


def _tag_change(
    present: Mapping[str, str], wanted: Mapping[str, str], purge: bool
) -> TagChange | None:
    setting = {key: value for key, value in wanted.items() if present.get(key) != value}
    removing = [
        key
        for key in present
        if purge and key not in wanted and not key.startswith(("aws:", OWN_PREFIX))
    ]
    if not setting and not removing:
        return None
    return TagChange(set=setting, remove=tuple(sorted(removing)), before=dict(present))


def _tagged(present: Mapping[str, str], change: TagChange) -> dict[str, str]:
    kept = {key: value for key, value in present.items() if key not in change.remove}
    return {**kept, **change.set}
