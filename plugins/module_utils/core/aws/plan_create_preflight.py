# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Name everything that would go wrong, at once, before anything is written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..errors import EndpointError
from .plan_create import managed_group
from .plan_create_problems import Problem, endpoint_problems
from .plan_create_types import MANAGED_TAG, Desired, Goal, Observed


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
        found += endpoint_problems(desired, observed, goal)
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
