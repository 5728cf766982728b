# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The reasons not to begin that lie in one endpoint."""

from __future__ import annotations

import json
from dataclasses import dataclass

from .endpoint_policy import MAX_CHARACTERS
from .plan_create_types import DEAD, Desired, Endpoint, Goal, Observed


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One reason not to begin. code: what EC2 would answer."""

    resource: str
    what: str
    fix: str
    code: str | None = None


def endpoint_problems(desired: Desired, observed: Observed, goal: Goal) -> list[Problem]:
    """What is wrong with one endpoint, or with making it."""
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
