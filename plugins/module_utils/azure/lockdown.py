# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Close an AI account's public path, seal the lock, or take it away: the run of the module azure_openai_lockdown."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from ..core import permissions
from ..core import steps as step_list
from ..core.azure.arm_id import ArmId
from ..core.azure.configuration import NEEDED
from ..core.azure.lock_checks import member_problems, problems
from ..core.azure.lock_record import from_tags
from ..core.azure.lock_settings import DISABLED, ENABLED
from ..core.azure.lock_standing import Standing, names, networks, steps
from ..core.azure.plan_lockdown import (
    LockPlan,
    Wanted,
    lock,
    recover,
    restore,
    scope_id,
    seal,
    unlock,
)
from ..core.contracts import Step
from ..core.errors import EndpointError, refuse
from ..module import Context
from ..waiting import Deadline
from . import lockdown_members
from .client import gather
from .dns_places import Places, places
from .lockdown_apply import Account, apply
from .observe import account_id

ACCOUNT_KIND = "Microsoft.CognitiveServices/accounts"
UNPROVED = "a proof that every member of the scope is reached only through its endpoint"


def run(params: dict[str, Any], context: Context) -> dict[str, Any]:
    """Do what `state` asks; see the module's documentation for options and result."""
    wanted = _wanted(params)
    where = places(params)
    named = account_id(params, where.main.subscription_id)
    parsed = ArmId.parse(named, option="account_id", kind=ACCOUNT_KIND)
    params = {**params, "account_id": str(parsed)}
    account = Account(where.main, parsed, Deadline(params["wait_timeout"]))
    reads: dict[str, Callable[[], Any]] = {"account": account.read}
    if params["state"] == "locked":
        reads["perimeters"] = account.perimeters
    found = gather(reads)
    start = found["account"] if context.check_mode else account.settled(found["account"])
    task = _Task(
        params=params,
        wanted=wanted,
        run_id=params["run_id"] or (uuid.uuid4().hex if params["state"] == "locked" else None),
        now=datetime.now(timezone.utc),
    )
    made = task.plan(_as_predicted(task, context, start))
    listed = steps(made.start, made.desired)
    if listed and params["state"] == "locked" and not _may_lock(task, context, where, made):
        listed = steps(made.start, made.desired, conditional_on=UNPROVED)
    if listed and not context.check_mode:
        made = apply(account, made, task.again)
        listed = _done(task, start, made)
    for note in (*found.get("perimeters", ()), *made.notes):
        context.warn(note)
    return _result(task, context, listed, made)


@dataclass(frozen=True, kw_only=True)
class _Task:
    """One call of the module."""

    params: Mapping[str, Any]
    wanted: Wanted
    run_id: str | None
    now: datetime

    def plan(self, start: Standing) -> LockPlan:
        """What to do about what stands."""
        state = self.params["state"]
        if state == "sealed":
            return seal(start, run_id=self.run_id)
        if state == "recovered":
            return recover(
                start,
                run_id=self.run_id,
                now=self.now,
                pending_timeout=self.params["pending_timeout"],
            )
        if state == "unlocked":
            stated = self.params["public_network_access"] == ENABLED
            return unlock(start, run_id=self.run_id, open_all=stated)
        if state == "restored":
            return restore(start)
        return lock(start, self.wanted, run_id=str(self.run_id), now=self.now)

    def again(self, start: Standing) -> LockPlan:
        """The same after others changed the account meanwhile, unless the change makes it wrong."""
        made = self.plan(start)
        if self.params["state"] == "locked":
            refuse(problems(start, made.desired), "the lock may not be made")
        return made


def _as_predicted(task: _Task, context: Context, start: Standing) -> Standing:
    """Sealing in check mode follows a lock that was only predicted: what would stand after it."""
    if not (context.check_mode and task.params["state"] == "sealed" and task.run_id):
        return start
    if from_tags(start.tags).run or not task.params["members"]:
        return start
    return lock(start, task.wanted, run_id=task.run_id, now=task.now).desired


def _wanted(params: Mapping[str, Any]) -> Wanted:
    """The options as the core's shape; EndpointError for what they cannot be."""
    rules, hosts = params["ip_rules"], params["allowed_fqdns"]
    if params["state"] == "locked" and params["require_proof"] and not params["members"]:
        raise EndpointError(
            "a lock needs to know whose callers it binds",
            resource="members",
            fix="Name the networks that call the account, so that their endpoint can be checked, or set require_proof "
            "to false to lock without a proof",
        )
    if hosts and params["restrict_outbound_network_access"] is False:
        raise EndpointError(
            "names that may be called mean nothing where outbound access is not restricted",
            resource="allowed_fqdns",
            fix="Set restrict_outbound_network_access to true, or leave allowed_fqdns out",
        )
    return Wanted(
        public_network_access=params["public_network_access"] or DISABLED,
        bypass=params["bypass"],
        ip_rules=None if rules is None else networks(rules),
        disable_local_auth=params["disable_local_auth"],
        restrict_outbound_network_access=params["restrict_outbound_network_access"],
        allowed_fqdns=None if hosts is None else names(hosts),
    )


def _may_lock(task: _Task, context: Context, where: Places, made: LockPlan) -> bool:
    """Whether the proof allows the lock; EndpointError with every reason why it may not be made, whatever is proved.

    A prediction may lack the proof and even the endpoint, since what it would prove may not exist yet.
    """
    proof = task.params["proof"]
    refused = problems(made.start, made.desired)
    if context.check_mode and proof is None and task.params["require_proof"]:
        return False
    refuse(refused, "the lock may not be made")
    if not task.params["require_proof"]:
        return True
    try:
        evidence = {} if proof is None else lockdown_members.read(where, task.params)
        refuse(
            permissions.unread(evidence, NEEDED, "azure_openai_lockdown"),
            "the lock may not be made",
        )
        refuse(member_problems(made.start, evidence), "the lock may not be made")
        lockdown_members.check(task.params, evidence, task.now)
    except EndpointError as error:
        if not context.check_mode:
            raise
        context.warn(f"as things stand, {error.message}")
        return False
    return True


def _done(task: _Task, first: Standing, made: LockPlan) -> list[Step]:
    """What this run changed. A lock that somebody else made meanwhile is not this run's."""
    if task.params["state"] == "locked" and not (made.run and made.run.run_id == task.run_id):
        return []
    return steps(first, made.desired)


def _result(task: _Task, context: Context, listed: list[Step], made: LockPlan) -> dict[str, Any]:
    desired = made.desired
    return step_list.result(
        listed,
        with_diff=context.diff,
        run_id=task.run_id,
        account={
            "id": desired.account_id,
            "name": desired.name,
            "location": desired.location,
            **desired.settings.to_json(),
        },
        pending=made.run.to_json() if made.run else None,
        delta=made.to_json(),
        binds={
            "account_id": desired.account_id,
            "scope_id": scope_id(desired.account_id),
            **desired.settings.to_json(),
        },
    )
