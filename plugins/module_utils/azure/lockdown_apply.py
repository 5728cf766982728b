# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Carry out a lock's plan: one conditional PATCH of the account, planned anew when others were faster."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..core.azure.arm_id import ArmId
from ..core.azure.lock_checks import perimeter_notes
from ..core.azure.lock_record import is_own
from ..core.azure.lock_settings import NAMES
from ..core.azure.lock_standing import Standing, patch, standing
from ..core.azure.plan_lockdown import LockPlan
from ..core.errors import EndpointError
from ..waiting import Deadline, until
from .client import AzureError, Connection

# How often a plan is made anew because others changed the account meanwhile.
PLANS = 6
# States in which an account takes no write, and which end by themselves.
_BUSY = frozenset({"accepted", "creating", "moving", "resolvingdns", "updating"})


@dataclass(frozen=True)
class Account:
    """The account on the other side of Resource Manager. deadline: of everything that is waited for."""

    connection: Connection
    id: ArmId
    deadline: Deadline

    @property
    def resource(self) -> str:
        """What errors call it."""
        return f"account {self.id.name}"

    def read(self) -> Standing:
        """As it stands now."""
        return standing(self.connection.get(self.id, resource=self.resource))

    def perimeters(self) -> list[str]:
        """What network security perimeters mean for a lock, as warnings; also that they could not be read."""
        path = f"{self.id}/networkSecurityPerimeterConfigurations"
        try:
            found = self.connection.list(path, resource=self.resource)
        except AzureError as error:
            if error.kind == "missing":
                return []
            if error.kind != "denied":
                raise
            return [
                f"whether a network security perimeter judges {self.resource} is not known: {error.message}"
            ]
        return perimeter_notes(self.resource, found)

    def settled(self, found: Standing | None = None) -> Standing:
        """As it stands once no write of it is under way; EndpointError at the deadline."""
        last = found or self.read()
        if last.state.lower() not in _BUSY:
            return last
        seen = [last]

        def pending() -> str:
            seen.append(self.read())
            state = seen[-1].state
            return f"its provisioning is still {state}" if state.lower() in _BUSY else ""

        until(self.deadline, self.resource, pending)
        return seen[-1]

    def write(self, start: Standing, body: dict[str, Any]) -> Standing:
        """Send the PATCH, only if the account still is what was read, and wait for its end."""
        begun = self.connection.begin(
            "PATCH",
            self.id,
            body,
            deadline=self.deadline,
            etag=start.etag,
            resource=self.resource,
        )
        after = begun.wait()
        return standing(after) if after and "properties" in after else self.settled()


def apply(account: Account, plan: LockPlan, again: Callable[[Standing], LockPlan]) -> LockPlan:
    """Carry a plan out; the plan that stands in the end.

    again: makes the plan anew from what stands, when others changed the account meanwhile, or when the answer to a
    write got lost and the write may stand already.
    """
    for _unused in range(PLANS):
        body = patch(plan.start, plan.desired)
        if not body:
            return plan
        try:
            after = account.write(plan.start, body)
        except AzureError as error:
            if not (error.changed_meanwhile or error.busy):
                raise
            plan = again(account.settled())
            continue
        after = _without_old_tags(account, plan, after)
        if _stands(plan, after):
            return plan
        plan = again(account.settled(after))
    raise EndpointError(
        f"others changed it {PLANS} times while this run did",
        resource=account.resource,
        fix="Find out what else writes this account; run again",
    )


def _without_old_tags(account: Account, plan: LockPlan, after: Standing) -> Standing:
    """Where tags are merged instead of replaced, those that are to go are named."""
    stubborn = {name: None for name in after.tags if is_own(name) and name not in plan.desired.tags}
    if not stubborn:
        return after
    return account.write(after, {"tags": {**plan.desired.tags, **stubborn}})


def _stands(plan: LockPlan, after: Standing) -> bool:
    """Whether what the plan changed is so. What others changed besides is theirs."""
    before, wished = plan.start.settings, plan.desired.settings
    return all(
        getattr(after.settings, name) == getattr(wished, name)
        for name in NAMES
        if getattr(before, name) != getattr(wished, name)
    )
