# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Why a planned lock may not be made: AWS's limits, and targets that it would bind or free without a proof."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from . import scp
from .lock_delta import Standing, Wanted
from .pending import Delta, Marker


@dataclass(frozen=True, kw_only=True)
class LockPlan:
    """From what stands to what is wanted.

    relied: endpoints that must be in the list in the end, whoever put them there.
    marker: of this run, to be written before anything else; None when nothing has to be undone later.
    undone: markers whose delta this plan takes away; they are marked so while it happens.
    notes: what the person should know.
    """

    start: Standing
    desired: Standing
    relied: frozenset[str] = frozenset()
    marker: Marker | None = None
    undone: tuple[Marker, ...] = ()
    delta: Delta | None = None
    notes: tuple[str, ...] = ()


def problems(plan: LockPlan, policies_at: Mapping[str, int], wanted: Wanted) -> list[str]:
    """Why a lock may not be made like this. policies_at: target → how many policies are attached there now."""
    found = _frame_problems(plan, wanted)
    if plan.desired.document and not same_document(plan.start.document, plan.desired.document):
        length = len(scp.text(plan.desired.document))
        if length > scp.MAX_CHARACTERS:
            found.append(
                f"policy_name: the policy {plan.desired.name} would have {length} characters and AWS allows "
                f"{scp.MAX_CHARACTERS}. Name fewer endpoints and break_glass_arns, or give some scopes a "
                "policy_name of their own"
            )
    found += [
        f"targets: {target} has {count} service control policies and AWS allows {scp.MAX_POLICIES_PER_TARGET}. "
        "Detach or merge one of them first"
        for target, count in sorted(policies_at.items())
        if target in plan.desired.targets - plan.start.targets
        and count >= scp.MAX_POLICIES_PER_TARGET
    ]
    return found


def _frame_problems(plan: LockPlan, wanted: Wanted) -> list[str]:
    """A change of the rules must not bind or free targets that this run neither names nor proved."""
    before, after = plan.start.frame, plan.desired.frame
    others = sorted(plan.start.targets - wanted.targets)
    if not before or not others or scp.same_frame(before, after):
        return []
    old = scp.rules_of(before)
    if old is None:
        differing = ["statements"]
    else:
        left, right = old.describe(), wanted.rules.describe()
        if set(right["break_glass_arns"]) >= set(left["break_glass_arns"]):
            right["break_glass_arns"] = left["break_glass_arns"]
        differing = sorted(key for key in left if left[key] != right[key])
    if not differing:
        return []
    return [
        f"policy_name: {plan.desired.name} is attached to {', '.join(others)} too, and a change of "
        f"{', '.join(differing)} would take effect there without a proof. Give this scope its own policy_name, or lock "
        "all these targets in one run"
    ]


def same_document(left: scp.Document | None, right: scp.Document | None) -> bool:
    """Whether two documents mean the same; others' statements are never changed, so only ours count."""
    if left is None or right is None:
        return left is right
    return left.endpoint_ids == right.endpoint_ids and scp.same_frame(left.frame, right.frame)
