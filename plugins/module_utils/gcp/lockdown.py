# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Put projects behind a service perimeter, seal the lock, or take it away: the run of the module vertex_lockdown."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..core import permissions
from ..core import steps as step_list
from ..core.contracts import Step
from ..core.errors import EndpointError, refuse
from ..core.gcp import lock_request
from ..core.gcp.configuration import NEEDED
from ..core.gcp.lock_checks import member_problems, newly_bound, problems, unproved
from ..core.gcp.lock_record import from_description
from ..core.gcp.lock_standing import Standing
from ..core.gcp.lock_steps import document, settings, steps
from ..core.gcp.perimeter import lacking
from ..core.gcp.plan_lockdown import ENFORCED, LockPlan, lock
from ..module import Context
from ..waiting import Deadline
from . import lockdown_members, lockdown_preview, org_policies
from .client import Connection, connect
from .lockdown_apply import Policy, apply
from .lockdown_task import Task, make_task
from .projects import numbers

UNPROVED = "a proof that every member of the scope is reached only through its endpoint"


def run(params: dict[str, Any], context: Context) -> dict[str, Any]:
    """Do what `state` asks; see the module's documentation for options and result."""
    name = lock_request.perimeter_name(params["perimeter"], params["access_policy"])
    connection = connect(params)
    task = make_task(params, name, connection)
    policy = Policy(connection, name, Deadline(params["wait_timeout"]))
    task = task.resolved(connection, policy, predicts=context.check_mode)
    start = task.start
    made = task.plan(_as_predicted(task, context, start))
    listed = steps(made.start, made.desired)
    if listed and task.locking and not _may_lock(task, context, connection, made):
        listed = steps(made.start, made.desired, conditional_on=UNPROVED)
    if listed and not context.check_mode:
        first = made
        # A write has the whole time for itself: one that is given up while it is under way may still take effect.
        policy = replace(policy, deadline=Deadline(params["wait_timeout"]))
        made = apply(policy, made, lambda: _again(task, connection, policy, first))
        listed = _done(task, start, made)
    for note in (*made.notes, *task.unread()):
        context.warn(note)
    return _result(task, context, listed, made)


def _as_predicted(task: Task, context: Context, start: Standing) -> Standing:
    """Sealing in check mode follows a lock that was only predicted: what would stand after it."""
    if not (context.check_mode and task.params["state"] == "sealed" and task.run_id):
        return start
    if not task.projects or from_description(start.description).run:
        return start
    return lock(start, task.wanted, run_id=task.run_id, now=task.now).desired


def _may_lock(task: Task, context: Context, connection: Connection, made: LockPlan) -> bool:
    """Whether the proof allows the lock; EndpointError with every reason why it may not be made, whatever is proved.

    A prediction may lack the proof and even the endpoint, since what it would prove may not exist yet. A lock in the
    dry run refuses nobody, so that it needs no proof.
    """
    refuse(
        problems(made, task.others, task.members, task.names),
        "the lock may not be made",
    )
    org_policies.rehearse(connection, made.start.policies, made.desired.policies)
    harmless = not made.delta.status.to_json() and not made.refuses
    if task.params["roll_out"] != ENFORCED or harmless:
        return True
    proved = not task.params["require_proof"]
    conditional = context.check_mode and task.params["proof"] is None and not proved
    try:
        lockdown_preview.look(connection, made, task.params, task.additions.services, task.now)
        if proved:
            return True
        refuse(_not_looked_at(task, connection, made), "the lock may not be made")
        if conditional:
            return False
        lockdown_members.present(task.params)
        evidence = lockdown_members.read(connection, task.params, made.desired.name)
        refuse(permissions.unread(evidence, NEEDED, "vertex_lockdown"), "the lock may not be made")
        refuse(member_problems(evidence), "the lock may not be made")
        lockdown_members.check(task.params, made.desired.name, evidence, task.now)
    except EndpointError as error:
        if not context.check_mode:
            raise
        context.warn(f"as things stand, {error.message}")
        return False
    return True


def _again(task: Task, connection: Connection, policy: Policy, first: LockPlan) -> LockPlan:
    """The plan anew, after others changed the policy. Whom it binds besides by now, nobody has looked at yet."""
    made = task.again(policy)
    enforcing = task.locking and task.params["roll_out"] == ENFORCED
    if enforcing and set(newly_bound(made)) - set(newly_bound(first)):
        lockdown_preview.look(connection, made, task.params, task.additions.services, task.now)
        if task.params["require_proof"]:
            refuse(_not_looked_at(task, connection, made), "the lock may not be made")
    return made


def _not_looked_at(task: Task, connection: Connection, made: LockPlan) -> list[str]:
    """Projects that the lock would bind and that nobody answers for."""
    found = unproved(made, task.members, ())
    named = [
        lock_request.project_name(item, "projects_without_members")
        for item in task.params["projects_without_members"] or ()
    ]
    if not found or not named:
        return found
    return unproved(made, task.members, numbers(connection, named).values())


def _done(task: Task, first: Standing, made: LockPlan) -> list[Step]:
    """What this run changed. A lock that somebody else made meanwhile is not this run's."""
    if task.locking and not (made.run and made.run.run_id == task.run_id):
        return []
    return steps(first, made.desired)


def _result(task: Task, context: Context, listed: list[Step], made: LockPlan) -> dict[str, Any]:
    desired = made.desired
    shown = document(desired)
    names = task.names
    resources = shown["resources"]
    return step_list.result(
        listed,
        with_diff=context.diff,
        run_id=task.run_id,
        perimeter=shown,
        pending=made.run.to_json() if made.run else None,
        delta=made.to_json(),
        binds={
            "perimeter_id": desired.name,
            "scope_id": desired.name,
            "projects": sorted(
                names.get(item, item.rpartition("/")[2])
                for item in (resources or settings(desired.spec or {})["resources"])
            ),
            "restricted_services": shown["restricted_services"],
            "roll_out": task.params["roll_out"],
            "enforced": _enforced(task, desired),
        },
    )


def _enforced(task: Task, desired: Standing) -> bool:
    """Whether the services are restricted in the projects that are given, or where none are, at all."""
    if task.locking:
        return desired.exists and not lacking(desired.status, task.wanted.additions)
    restricted = desired.status.get("restrictedServices") or ()
    return bool(desired.status.get("resources")) and set(task.additions.services) <= set(restricted)
