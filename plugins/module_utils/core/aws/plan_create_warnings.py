# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a user should know about a plan although nothing stops it."""

from __future__ import annotations

from collections.abc import Sequence

from . import policy_compare
from .catalogue import Requested
from .endpoint_policy import is_listed
from .plan_create import left_out
from .plan_create_types import Desired, Endpoint, Goal, Observed


def warnings(desired: Desired, observed: Observed, wanted: Sequence[Goal]) -> list[str]:
    """What a user should know although the run goes on."""
    found = []
    for goal in wanted:
        out = left_out(desired, observed, goal.service)
        if out:
            zones = sorted({observed.subnets[item].zone for item in out})
            found.append(
                f"{goal.short} is not offered in {', '.join(zones)}: left out {', '.join(out)}. "
                "Callers there reach the endpoint across zones."
            )
        existing = observed.live(goal.service)
        if len(existing) > 1:
            others = ", ".join(item.id for item in existing[1:])
            found.append(
                f"{desired.vpc_id} has {len(existing)} endpoints for {goal.short}: {existing[0].id} is kept as "
                f"asked for, {others} left alone."
            )
        found += _policy_warnings(desired, observed, goal, existing)
    return found


def _policy_warnings(
    desired: Desired, observed: Observed, goal: Goal, existing: Sequence[Endpoint]
) -> list[str]:
    found = []
    requested = _requested(desired, goal.service)
    if desired.policy_kind == "generated" and not observed.offers[goal.service].policy_supported:
        found.append(
            f"{goal.short} only has the full-access endpoint policy: it is not restricted."
        )
    elif desired.policy_kind == "generated" and not is_listed(requested.service):
        found.append(
            f"{goal.short}: its actions are not known, so that the generated policy admits all of them to the named "
            "principals. endpoint_policy: custom narrows it."
        )
    replaced = existing and not existing[0].managed and goal.policy is not None
    if replaced and not policy_compare.same(existing[0].policy, goal.policy):
        found.append(
            f"{existing[0].id} ({goal.short}) was not created by this collection and its policy is replaced: "
            "callers that the new policy does not admit are refused. endpoint_policy: keep leaves it."
        )
    return found


def _requested(desired: Desired, service: str) -> Requested:
    return next(item for item in desired.services if item.name == service)
