# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Carry out a lock's plan: one conditional write of the one perimeter, planned anew when others were faster.

Never `:commit` and never `:replaceAll`: both act on every perimeter of the policy.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..core.errors import EndpointError
from ..core.gcp.lock_standing import Standing, creation, patch, standing
from ..core.gcp.plan_lockdown import LockPlan
from ..waiting import Deadline
from . import org_policies
from .client import Connection, GoogleError

SERVICE = "accesscontextmanager"
# The policy was changed since it was read, takes another write just now, or the perimeter came or went meanwhile.
_RACES = frozenset({"conflict", "exists", "missing", "not_ready"})


@dataclass(frozen=True)
class Policy:
    """The access policy of one perimeter. name: the perimeter's. deadline: of everything that is waited for."""

    connection: Connection
    name: str
    deadline: Deadline

    @property
    def resource(self) -> str:
        """What errors call it."""
        return f"perimeter {self.name.rpartition('/')[2]}"

    def read(self) -> Standing:
        """The perimeter as it stands now; one that does not exist says so."""
        found = self.connection.find(SERVICE, self.name, resource=self.name)
        return Standing(name=self.name, exists=False) if found is None else standing(found)

    def read_all(self) -> tuple[Standing, list[Standing]]:
        """The perimeter, and all others of its policy, in one call."""
        path = self.name.rpartition("/")[0]
        listed = [
            standing(item)
            for item in self.connection.list(SERVICE, path, "servicePerimeters", resource=path)
        ]
        own = [item for item in listed if item.name == self.name]
        others = [item for item in listed if item.name != self.name]
        return own[0] if own else Standing(name=self.name, exists=False), others

    def write(self, start: Standing, desired: Standing) -> None:
        """Make `desired` of `start`, only if the perimeter still is what was read, and wait for its end."""
        if not start.exists:
            self._send("POST", start.name.rpartition("/")[0], creation(desired))
        elif not desired.exists:
            self._send("DELETE", start.name)
        else:
            changed = patch(start, desired)
            body = {name: value for name, value in changed.items() if value is not None}
            if start.etag:
                body["etag"] = start.etag
            self._send("PATCH", start.name, body, {"updateMask": ",".join(changed)})

    def _send(
        self, method: str, path: str, body: Any = None, params: dict[str, str] | None = None
    ) -> None:
        self.connection.write(
            SERVICE,
            method,
            path,
            body,
            params=params,
            deadline=self.deadline,
            resource=self.resource,
        )


def apply(policy: Policy, plan: LockPlan, again: Callable[[], LockPlan]) -> LockPlan:
    """Carry a plan out; the plan that stands in the end.

    again: reads, and makes the plan anew, when others changed the policy meanwhile, or when the answer to a write got
    lost and the write may stand already. EndpointError when others are faster until the deadline.
    """
    failure: GoogleError | None = None
    for _unused in policy.deadline.ticks():
        if not changes(plan):
            return plan
        try:
            left = _carry_out(policy, plan)
        except GoogleError as error:
            if error.kind not in _RACES and error.kind != "refused":
                raise
            before, plan = plan, again()
            if error.kind == "refused" and plan.desired == before.desired:
                raise
            failure = error
            continue
        if left:
            raise left
        return plan
    raise EndpointError(
        f"others changed {plan.start.policy} while this run did, for {policy.deadline.seconds:g} seconds",
        resource=policy.resource,
        code=failure.code if failure else "Timeout",
        fix="Find out what else writes this access policy, or raise wait_timeout; run again",
    )


def _carry_out(policy: Policy, plan: LockPlan) -> GoogleError | None:
    """The perimeter and the organisation policies, so that its record never lacks what was changed.

    When a lock is taken away the perimeter is opened also where a policy cannot be put back, since it is the perimeter
    that refuses callers; returns why.
    """
    start, desired = plan.start, plan.desired
    whole = (policy.connection, start.policies, desired.policies, start.etags)
    if plan.run is not None:
        if _perimeter_changes(start, desired):
            policy.write(start, desired)
        org_policies.write(*whole)
        return None
    failure = None
    try:
        org_policies.write(*whole)
    except GoogleError as error:
        if error.kind in _RACES:
            raise
        error.fix = f"{error.fix}, and put it back by hand: {policy.resource} is open all the same"
        failure = error
    if _perimeter_changes(start, desired):
        policy.write(start, desired)
    return failure


def changes(plan: LockPlan) -> bool:
    """Whether a plan has anything to write."""
    return _perimeter_changes(plan.start, plan.desired) or dict(plan.start.policies) != dict(
        plan.desired.policies
    )


def _perimeter_changes(start: Standing, desired: Standing) -> bool:
    if start.exists != desired.exists:
        return True
    return start.exists and bool(patch(start, desired))
