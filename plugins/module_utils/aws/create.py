# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The create phase: the endpoints of one VPC, their policies and their security group, as the options ask for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..core import steps as core_steps
from ..core.aws import plan_create, plan_create_preflight, plan_create_request
from ..core.aws.catalogue import requested
from ..core.aws.plan_create_report import report, shown
from ..core.aws.plan_create_steps import merge, plan_absent, steps
from ..core.aws.plan_create_types import (
    Change,
    ChangeEndpoint,
    ChangeGroup,
    CreateEndpoint,
    CreateGroup,
    DeleteEndpoint,
    DeleteGroup,
    Desired,
    Goal,
)
from ..core.aws.plan_create_warnings import warnings
from ..core.contracts import KNOWN_AFTER_APPLY, Step
from ..core.errors import EndpointError
from ..module import Context
from ..waiting import Deadline
from . import create_apply, create_group
from .client import AwsError, Connection, connect
from .create_observe import Question, Snapshot, explain, observe
from .create_permissions import rehearse

# A run converges in one round. Further ones follow when another run wrote at the same time.
ROUNDS = 5


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What was read, what it should be, and the changes in between."""

    snapshot: Snapshot
    goals: Sequence[Goal]
    changes: Sequence[Change]


def run(params: dict[str, Any], context: Context) -> dict[str, Any]:
    """The work of `bedrock_vpc_endpoint`."""
    connection = connect(params)
    if params["state"] == "absent":
        return _absent(connection, params, context)
    return _present(connection, params, context)


def _present(connection: Connection, params: dict[str, Any], context: Context) -> dict[str, Any]:
    desired = plan_create_request.desired(
        params, region=connection.region, partition=connection.partition()
    )
    question = _question(desired, params)
    plan = _checked(connection, desired, question)
    for text in warnings(desired, plan.snapshot.observed, plan.goals):
        context.warn(text)
    done: list[Step] = steps(desired.vpc_id, plan.changes)
    pending: Sequence[Change] = plan.changes
    if plan.changes:
        rehearse(connection, desired.vpc_id, plan.changes)
    if not context.check_mode:
        deadline = Deadline(params["wait_timeout"])
        if plan.changes:
            plan, done = _converge(connection, desired, question, plan, deadline, params["wait"])
        elif params["wait"]:
            plan = _settled(connection, desired, question, plan, deadline)
        pending = ()
    values = report(
        desired,
        plan.snapshot.observed,
        plan.snapshot.documents,
        target=params["target_name"] or desired.vpc_id,
        pending=pending,
    )
    return core_steps.result(done, with_diff=context.diff, **values)


def _question(desired: Desired, params: dict[str, Any]) -> Question:
    groups: tuple[str, tuple[str, ...]] | None = None
    if desired.group:
        groups = ("group-name", (desired.group.name,))
    elif desired.security_group_ids:
        groups = ("group-id", desired.security_group_ids)
    return Question(
        vpc_id=desired.vpc_id,
        services=tuple(item.name for item in desired.services),
        subnet_filters=params["subnet_filters"] or {},
        group_filter=groups,
    )


def _plan(connection: Connection, desired: Desired, question: Question) -> Plan:
    snapshot = observe(connection, question)
    observed = snapshot.observed
    group_ids: Sequence[str] | None = desired.security_group_ids
    if desired.group:
        group = plan_create.managed_group(desired, observed)
        group_ids = [group.id if group else KNOWN_AFTER_APPLY]
    goals = plan_create.goals(desired, observed, group_ids)
    changes = [*plan_create.plan_group(desired, observed), *plan_create.plan(goals, observed)]
    return Plan(snapshot=snapshot, goals=goals, changes=changes)


def _checked(connection: Connection, desired: Desired, question: Question) -> Plan:
    """The first plan, and the reasons not to begin with it."""
    plan = _plan(connection, desired, question)
    snapshot = plan.snapshot
    missing = plan_create_preflight.missing(desired, snapshot.observed)
    dns = plan_create_preflight.takes_private_dns(plan.goals, snapshot.observed)
    if missing.any() or dns:
        snapshot = explain(
            connection,
            snapshot,
            vpc=missing.vpc,
            subnet_ids=missing.subnets,
            group_ids=missing.groups,
            dns=dns and not missing.vpc,
            zones=dns and not missing.vpc,
        )
    plan_create_preflight.refuse(
        plan_create_preflight.problems(desired, snapshot.observed, plan.goals)
    )
    return plan


def _converge(
    connection: Connection,
    desired: Desired,
    question: Question,
    plan: Plan,
    deadline: Deadline,
    wait: bool,
) -> tuple[Plan, list[Step]]:
    """Apply, read back, and go on until nothing differs; returns what stands then and the steps that were taken."""
    rounds: list[list[Step]] = []
    for _unused in range(ROUNDS):
        failure: AwsError | None = None
        try:
            changes = _apply(connection, desired, plan, deadline, wait)
        except AwsError as error:
            # Another run may have done the same at the same time, or the answer to our own request was lost.
            if error.kind not in ("refused", "missing"):
                raise
            changes, failure = plan.changes, error
        rounds.append(steps(desired.vpc_id, changes))
        before, plan = plan, _plan(connection, desired, question)
        if not plan.changes:
            return plan, merge(rounds)
        if failure and list(plan.changes) == list(before.changes):
            raise failure
    left = "; ".join(
        f"{step.resource} ({', '.join(sorted(step.after)) or step.action})"
        for step in steps(desired.vpc_id, plan.changes)
    )
    raise EndpointError(
        f"is not as asked for after {ROUNDS} rounds: {left}",
        resource=desired.vpc_id,
        code="NotConverged",
        fix="Something else changes it at the same time: find it, and run again",
    )


def _apply(
    connection: Connection, desired: Desired, plan: Plan, deadline: Deadline, wait: bool
) -> Sequence[Change]:
    """Make the changes; returns them with the ids that only now are known."""
    vpc_id, observed = desired.vpc_id, plan.snapshot.observed
    changes = plan.changes
    for change in plan.changes:
        if isinstance(change, CreateGroup):
            group_id = create_group.create_group(connection, vpc_id, change, deadline)
            goals = plan_create.goals(desired, observed, [group_id])
            changes = [change, *plan_create.plan(goals, observed)]
        elif isinstance(change, ChangeGroup):
            create_group.change_group(connection, vpc_id, change, deadline)
    modified = [item for item in changes if isinstance(item, ChangeEndpoint)]
    created = [item for item in changes if isinstance(item, CreateEndpoint)]
    ids = create_apply.create(connection, vpc_id, created, deadline)
    states = {item.id: item.state for item in observed.endpoints}
    busy = [item.endpoint_id for item in modified if states[item.endpoint_id] != "available"]
    if busy:
        create_apply.wait_available(connection, busy, deadline)
    create_apply.change(connection, vpc_id, modified, deadline)
    if wait:
        ids += [item.endpoint_id for item in modified]
        create_apply.wait_available(connection, ids, deadline)
    return changes


def _settled(
    connection: Connection, desired: Desired, question: Question, plan: Plan, deadline: Deadline
) -> Plan:
    """Nothing differs, but an endpoint may still be on its way, from another run or one that was killed."""
    observed = plan.snapshot.observed
    kept = [next(iter(observed.live(goal.service))) for goal in plan.goals]
    busy = [item.id for item in kept if item.state != "available"]
    if not busy:
        return plan
    create_apply.wait_available(connection, busy, deadline)
    return _plan(connection, desired, question)


def _absent(connection: Connection, params: dict[str, Any], context: Context) -> dict[str, Any]:
    vpc_id = params["vpc_id"]
    services = None
    if params["services"]:
        services = [item.name for item in requested(params["services"], connection.region)]
    question = Question(
        vpc_id=vpc_id,
        services=None,
        subnet_filters={},
        with_subnets=False,
        group_filter=("group-name", (params["security_group_name"],)),
    )
    snapshot = observe(connection, question)
    changes, staying = plan_absent(
        snapshot.observed,
        services,
        group_name=params["security_group_name"],
        force=params["force"],
    )
    for endpoint in staying:
        context.warn(
            f"{endpoint.id} ({endpoint.service}) was not created by this collection and stays; "
            "force: true deletes it."
        )
    if changes:
        rehearse(connection, vpc_id, changes)
    if changes and not context.check_mode:
        _delete(connection, vpc_id, changes, params)
    gone = {item.endpoint.id for item in changes if isinstance(item, DeleteEndpoint)}
    left = [
        shown(document, connection.region)
        for name, document in snapshot.documents.items()
        if name not in gone and document["service"] in (services or [document["service"]])
    ]
    return core_steps.result(
        steps(vpc_id, changes),
        with_diff=context.diff,
        vpc_id=vpc_id,
        region=connection.region,
        endpoints=left,
        probe_targets=[],
    )


def _delete(
    connection: Connection,
    vpc_id: str,
    changes: Sequence[Change],
    params: dict[str, Any],
) -> None:
    deadline = Deadline(params["wait_timeout"])
    endpoints = [item for item in changes if isinstance(item, DeleteEndpoint)]
    groups = [item for item in changes if isinstance(item, DeleteGroup)]
    if endpoints:
        create_apply.delete(connection, vpc_id, endpoints)
    if endpoints and (params["wait"] or groups):
        create_apply.wait_gone(connection, [item.endpoint.id for item in endpoints], deadline)
    for group in groups:
        create_group.delete_group(connection, vpc_id, group, deadline)
