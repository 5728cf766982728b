# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Carry out a lock's plan: the marker first, then what opens, then what closes; each write read again."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import replace

from ..core.aws.lock_checks import LockPlan, same_document
from ..core.aws.lock_delta import Standing
from ..core.aws.pending import PENDING, to_tags
from ..core.aws.plan_lockdown import rebase
from ..core.errors import EndpointError
from .organization import AlreadyThere, Organization

# How often a plan is made anew because others changed the policy meanwhile, and how often a write is repeated.
PLANS = 5
WRITES = 10


def apply(
    organization: Organization, plan: LockPlan, again: Callable[[Standing], LockPlan]
) -> tuple[LockPlan, Standing]:
    """Carry a plan out; the plan that was carried out in the end, and what stands then.

    again: makes the plan anew from what stands, when somebody created or attached the policy meanwhile.
    """
    for _unused in range(PLANS):
        try:
            return plan, _carry_out(organization, plan)
        except AlreadyThere:
            plan = again(organization.standing(plan.start.name))
    raise EndpointError(
        f"others changed it {PLANS} times while this run did",
        resource=f"service control policy {plan.start.name}",
        fix="Run again",
    )


def _carry_out(organization: Organization, plan: LockPlan) -> Standing:
    start, desired = plan.start, plan.desired
    if start.policy_type != desired.policy_type and desired.document is not None:
        organization.enable_type()
    if start.document is None:
        if desired.document is None:
            return start
        now = replace(desired, policy_id=organization.create(desired))
    else:
        now = start
        organization.tag(start, _new_tags(plan))
        organization.detach(start, start.targets - desired.targets)
        if desired.document is None:
            organization.delete(start)
            return replace(desired, policy_id=None)
        if not same_document(start.document, desired.document) or plan.relied:
            now = _converge(organization, plan, start)
    organization.attach(now, desired.targets - start.targets)
    organization.untag(now, set(start.tags) - set(desired.tags))
    return _read_back(organization, plan, now)


def _new_tags(plan: LockPlan) -> dict[str, str]:
    """Tags to set before anything else: the run's own marker, and that others are being undone."""
    found = {
        key: value for key, value in plan.desired.tags.items() if plan.start.tags.get(key) != value
    }
    for marker in plan.undone:
        undoing = to_tags(replace(marker, phase="undoing"))
        found.update(
            {
                key: value
                for key, value in undoing.items()
                if key.startswith(PENDING) and plan.start.tags.get(key) not in (None, value)
            }
        )
    return found


def _converge(organization: Organization, plan: LockPlan, standing: Standing) -> Standing:
    """Read, merge, write, and read again until what must be there is there.

    Organizations has no conditional write: whoever writes last wins. So every writer looks again after its write, and
    puts back what it finds missing, its own and that of other pending runs.
    """
    for attempt in range(WRITES):
        now = organization.read(standing.name, str(standing.policy_id))
        goal = rebase(now, plan)
        if same_document(now.document, goal.document):
            return now
        if attempt:
            time.sleep(random.uniform(0.2, 1.0))
        organization.update(goal)
    raise EndpointError(
        f"its content was overwritten by others {WRITES} times",
        resource=f"service control policy {standing.name}",
        fix="Find out what else writes this policy; run again",
    )


def _read_back(organization: Organization, plan: LockPlan, standing: Standing) -> Standing:
    after = _converge(organization, plan, standing)
    missing = sorted(plan.desired.targets - plan.start.targets - after.targets)
    if missing:
        raise EndpointError(
            f"it is not attached to {', '.join(missing)}, although AWS accepted that",
            resource=f"service control policy {standing.name}",
            fix="Find out who detached it; run again",
        )
    return after
