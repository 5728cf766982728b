# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Name everything that would go wrong, at once, before anything is written."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..errors import EndpointError
from .endpoint_policy import MAX_CHARACTERS
from .plan_create import managed_group
from .plan_create_types import DEAD, MANAGED_TAG, Desired, Endpoint, Goal, Observed


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One reason not to begin. code: what EC2 would answer."""

    resource: str
    what: str
    fix: str
    code: str | None = None


def refuse(problems: Sequence[Problem]) -> None:
    """Raise one EndpointError that names all problems; nothing when there is none."""
    errors = [
        EndpointError(item.what, resource=item.resource, code=item.code, fix=item.fix)
        for item in problems
    ]
    if errors:
        errors[0].problems = tuple(error.message for error in errors[1:])
        # args hold the message that was made before the others were known.
        errors[0].args = (errors[0].message,)
        raise errors[0]


@dataclass(frozen=True, kw_only=True)
class Missing:
    """What was asked for and not found: worth asking where it is."""

    vpc: bool
    subnets: tuple[str, ...]
    groups: tuple[str, ...]

    def any(self) -> bool:
        """Whether there is anything to ask."""
        return bool(self.vpc or self.subnets or self.groups)


def missing(desired: Desired, observed: Observed) -> Missing:
    """A VPC in which nothing was found may not exist at all."""
    return Missing(
        vpc=not observed.subnets,
        subnets=tuple(item for item in desired.subnet_ids or () if item not in observed.subnets),
        groups=tuple(_missing_groups(desired, observed)),
    )


def problems(desired: Desired, observed: Observed, wanted: Sequence[Goal]) -> list[Problem]:
    """All reasons not to begin, the most basic first."""
    if observed.vpc_exists is False:
        return [
            Problem(
                resource="vpc_id",
                what=f"{desired.vpc_id} does not exist in {observed.region} for these credentials",
                fix="Check vpc_id, region and the account of the credentials",
                code="InvalidVpcID.NotFound",
            )
        ]
    checks: tuple[Callable[..., list[Problem]], ...] = (_subnets, _groups, _services)
    found = [problem for check in checks for problem in check(desired, observed)]
    for goal in wanted:
        found += _endpoint(desired, observed, goal)
    found += _dns_attributes(desired, observed, wanted)
    return found


def takes_private_dns(wanted: Sequence[Goal], observed: Observed) -> bool:
    """Whether an endpoint is to get private DNS that it does not have."""
    return any(
        goal.private_dns and not any(item.private_dns for item in observed.live(goal.service)[:1])
        for goal in wanted
    )


def _subnets(desired: Desired, observed: Observed) -> list[Problem]:
    found = []
    if desired.subnets_filtered and not observed.subnets:
        found.append(
            Problem(
                resource="subnet_filters",
                what=f"no subnet of {desired.vpc_id} passes them",
                fix="Correct the filters, or name the subnets in subnet_ids",
            )
        )
    zones: dict[str, str] = {}
    for subnet_id in desired.subnet_ids or ():
        subnet = observed.subnets.get(subnet_id)
        if subnet is None:
            place = observed.places.get(subnet_id)
            what = f"lies in {place}, not in {desired.vpc_id}" if place else "does not exist"
            found.append(
                Problem(
                    resource="subnet_ids",
                    what=f"{subnet_id} {what}",
                    fix=f"Name subnets of {desired.vpc_id}",
                    code="InvalidSubnetId.NotFound",
                )
            )
        elif subnet.zone in zones:
            found.append(
                Problem(
                    resource="subnet_ids",
                    what=f"{zones[subnet.zone]} and {subnet_id} both lie in {subnet.zone}, and an endpoint takes one "
                    "subnet per zone",
                    fix="Keep one of them",
                    code="DuplicateSubnetsInSameZone",
                )
            )
        else:
            zones[subnet.zone] = subnet_id
    return found


def _missing_groups(desired: Desired, observed: Observed) -> list[str]:
    present = {item.id for item in observed.groups}
    return [item for item in desired.security_group_ids or () if item not in present]


def _groups(desired: Desired, observed: Observed) -> list[Problem]:
    found = []
    for group_id in _missing_groups(desired, observed):
        place = observed.group_places.get(group_id)
        what = f"lies in {place}, not in {desired.vpc_id}" if place else "does not exist"
        found.append(
            Problem(
                resource="security_group_ids",
                what=f"{group_id} {what}",
                fix=f"Name security groups of {desired.vpc_id}",
                code="InvalidGroup.NotFound",
            )
        )
    group = managed_group(desired, observed)
    if group and MANAGED_TAG not in group.tags:
        found.append(
            Problem(
                resource="security_group_name",
                what=f"{group.id} is named {group.name} and was not created by this collection",
                fix="Choose another name, or give the group in security_group_ids instead of allowed_cidrs and "
                "allowed_security_groups",
                code="InvalidGroup.Duplicate",
            )
        )
    return found


def _services(desired: Desired, observed: Observed) -> list[Problem]:
    return [
        Problem(
            resource="services",
            what=f"{item.name} is not offered in {observed.region}",
            fix="Leave it out, or use a Region that offers it",
            code="InvalidServiceName",
        )
        for item in desired.services
        if item.name not in observed.offers and item.required
    ] or (
        []
        if any(item.name in observed.offers for item in desired.services)
        else [
            Problem(
                resource="services",
                what=f"none of the services is offered in {observed.region}",
                fix="Use a Region that offers them",
                code="InvalidServiceName",
            )
        ]
    )


def _endpoint(desired: Desired, observed: Observed, goal: Goal) -> list[Problem]:
    existing = next(iter(observed.live(goal.service)), None)
    found = []
    if existing and existing.state in DEAD:
        found.append(
            Problem(
                resource=f"{existing.id} ({goal.short})",
                what=f"is {existing.state}"
                + (f": {existing.last_error}" if existing.last_error else ""),
                fix="Delete it (state: absent, with force if this collection did not create it) and run again",
            )
        )
    if existing is None:
        found += _for_new(desired, goal)
    if goal.subnet_ids is not None and not goal.subnet_ids and observed.subnets:
        zones = ", ".join(sorted(observed.offers[goal.service].zones)) or "no zone"
        found.append(
            Problem(
                resource=goal.short,
                what=f"none of the subnets lies where the service is offered ({zones})",
                fix="Add a subnet in one of these zones",
                code="InvalidParameter",
            )
        )
    found += _address_type(observed, goal, existing)
    if desired.policy_kind == "custom" and not observed.offers[goal.service].policy_supported:
        found.append(
            Problem(
                resource="endpoint_policy",
                what=f"{goal.service} only supports the full-access endpoint policy",
                fix="Use endpoint_policy: full for it, in a task of its own",
                code="InvalidParameter",
            )
        )
    length = len(json.dumps(dict(goal.new_policy or {})))
    if desired.policy_kind == "generated" and length > MAX_CHARACTERS:
        found.append(
            Problem(
                resource="endpoint_policy",
                what=f"the generated policy of {goal.short} has {length} characters, EC2 takes {MAX_CHARACTERS}",
                fix="Name fewer models, or use patterns in model_arns",
                code="InvalidParameter",
            )
        )
    return found + _private_dns(observed, goal, existing)


def _for_new(desired: Desired, goal: Goal) -> list[Problem]:
    found = []
    if goal.subnet_ids is None:
        found.append(
            Problem(
                resource=goal.short,
                what="has no endpoint yet, and no subnets were given for one",
                fix="Set subnet_ids or subnet_filters",
            )
        )
    if goal.security_group_ids is None:
        found.append(
            Problem(
                resource=goal.short,
                what="has no endpoint yet, and no security group was given for one, so that it would get the VPC's "
                "default group",
                fix="Set allowed_cidrs or allowed_security_groups for a group of its own, or security_group_ids",
            )
        )
    return found


def _address_type(observed: Observed, goal: Goal, existing: Endpoint | None) -> list[Problem]:
    kind = goal.ip_address_type
    if kind is None:
        return []
    found = []
    supported = observed.offers[goal.service].ip_address_types
    if kind not in supported:
        found.append(
            Problem(
                resource="ip_address_type",
                what=f"{goal.short} does not support {kind}, only {', '.join(sorted(supported))}",
                fix="Use one of these",
                code="InvalidParameter",
            )
        )
    subnets = goal.subnet_ids if goal.subnet_ids is not None else existing and existing.subnet_ids
    for subnet_id in sorted(subnets or ()):
        subnet = observed.subnets.get(subnet_id)
        if subnet and not (subnet.ipv6 if kind in ("dualstack", "ipv6") else subnet.ipv4):
            found.append(
                Problem(
                    resource="ip_address_type",
                    what=f"{subnet_id} has no {'IPv6' if kind != 'ipv4' else 'IPv4'} range, which {kind} needs",
                    fix="Give the subnet one, or choose another address type",
                    code="InvalidParameter",
                )
            )
    return found


def _private_dns(observed: Observed, goal: Goal, existing: Endpoint | None) -> list[Problem]:
    if not goal.private_dns or (existing and existing.private_dns):
        return []
    if not observed.offers[goal.service].private_dns_names:
        return [
            Problem(
                resource="private_dns",
                what=f"{goal.short} has no private DNS name",
                fix="Leave private_dns out for it, in a task of its own",
                code="InvalidParameter",
            )
        ]
    return _overriding(observed, goal) + [
        Problem(
            resource="private_dns",
            what=f"{other.id} already answers the private DNS name of {goal.short} in {observed.vpc_id}",
            fix=f"Delete {other.id} or switch its private DNS off first",
            code="InvalidParameter",
        )
        for other in observed.live(goal.service)
        if other.private_dns
    ]


def _overriding(observed: Observed, goal: Goal) -> list[Problem]:
    names = (name.removeprefix("*.") for name in observed.offers[goal.service].private_dns_names)
    return [
        Problem(
            resource="private_dns",
            what=f"the private hosted zone {observed.zones[name]} already has the name {name} in {observed.vpc_id}",
            fix="Take the zone off this VPC, or leave private_dns out",
            code="InvalidParameter",
        )
        for name in names
        if name in observed.zones
    ]


def _dns_attributes(desired: Desired, observed: Observed, wanted: Sequence[Goal]) -> list[Problem]:
    if not takes_private_dns(wanted, observed):
        return []
    attributes = {
        "enableDnsSupport": observed.dns_support,
        "enableDnsHostnames": observed.dns_hostnames,
    }
    return [
        Problem(
            resource="private_dns",
            what=f"{name} of {desired.vpc_id} is off, and private DNS needs it",
            fix=f"Switch {name} on for the VPC",
            code="InvalidParameter",
        )
        for name, value in attributes.items()
        if value is False
    ]
