# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The create phase: one account's private endpoint in one network, its rules and approval, as the options ask for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from ..core import steps as core_steps
from ..core.azure import plan_create, plan_create_problems
from ..core.azure.plan_create_report import merge, report, steps, warnings
from ..core.azure.plan_create_request import desired as read_options
from ..core.azure.plan_create_types import (
    Approve,
    AttachZones,
    Change,
    ChangeEndpoint,
    ChangeRules,
    ChangeSubnet,
    CreateEndpoint,
    CreateGroup,
    DeleteEndpoint,
    DeleteGroup,
    Desired,
    Endpoint,
)
from ..core.contracts import Step
from ..core.errors import EndpointError
from ..module import Context
from ..waiting import Deadline, until
from . import create_apply, create_convert
from .client import AzureError, Connection, connect, gather
from .create_observe import Snapshot, observe, read_endpoint
from .create_permissions import rehearse

# A run converges in one round. Further ones follow when another run wrote at the same time.
ROUNDS = 5


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What was read, and the changes to what it should be."""

    snapshot: Snapshot
    changes: Sequence[Change]


def run(params: dict[str, Any], context: Context) -> dict[str, Any]:
    """The work of `azure_openai_private_link`."""
    connection = connect(params)
    desired = read_options(params, subscription_id=connection.subscription_id)
    if params["state"] == "absent":
        return _absent(connection, desired, params, context)
    return _present(connection, desired, params, context)


def _present(
    connection: Connection, desired: Desired, params: dict[str, Any], context: Context
) -> dict[str, Any]:
    deadline = Deadline(params["wait_timeout"])
    plan = _plan(connection, desired)
    if not context.check_mode and _busy(plan.snapshot.observed.endpoint):
        plan = _provisioned(connection, desired, deadline)
    observed = plan.snapshot.observed
    plan_create_problems.refuse(plan_create_problems.problems(desired, observed))
    rules = plan_create.rules(desired, observed)
    unasked = rehearse(connection, plan.changes)
    for text in (*plan.snapshot.notes, *warnings(desired, observed, rules), *unasked):
        context.warn(text)
    done = steps(plan.changes)
    if not context.check_mode:
        if plan.changes:
            plan, done = _converge(connection, desired, plan, deadline)
        if params["wait"]:
            plan = _approved(connection, desired, plan, deadline)
    snapshot = plan.snapshot
    document = None
    if snapshot.observed.endpoint and snapshot.endpoint:
        document = create_convert.document(snapshot.observed.endpoint, snapshot.endpoint)
    values = report(
        desired,
        snapshot.observed,
        document,
        cloud=connection.cloud,
        target=params["target_name"] or desired.account.name,
    )
    return core_steps.result(done, with_diff=context.diff, **values)


def _plan(connection: Connection, desired: Desired) -> Plan:
    snapshot = observe(connection, desired)
    return Plan(snapshot=snapshot, changes=plan_create.plan(desired, snapshot.observed))


def _converge(
    connection: Connection, desired: Desired, plan: Plan, deadline: Deadline
) -> tuple[Plan, list[Step]]:
    """Apply, read back, and go on until nothing differs; returns what stands then and the steps that were taken."""
    rounds: list[list[Step]] = []
    for _unused in range(ROUNDS):
        failure: AzureError | None = None
        try:
            changes = _apply(connection, desired, plan, deadline)
        except AzureError as error:
            # Another run may have done the same at the same time, or the answer to our own request was lost.
            if error.kind not in ("conflict", "refused", "missing"):
                raise
            changes, failure = plan.changes, error
        rounds.append(steps(changes))
        before, plan = plan, _provisioned(connection, desired, deadline)
        if not plan.changes:
            return plan, merge(rounds)
        if failure and list(plan.changes) == list(before.changes) and not failure.changed_meanwhile:
            raise failure
    left = "; ".join(
        f"{step.resource} ({', '.join(sorted(step.after)) or step.action})"
        for step in steps(plan.changes)
    )
    raise EndpointError(
        f"is not as asked for after {ROUNDS} rounds: {left}",
        resource=str(desired.endpoint),
        code="NotConverged",
        fix="Something else changes it at the same time: find it, and run again",
    )


def _apply(
    connection: Connection, desired: Desired, plan: Plan, deadline: Deadline
) -> Sequence[Change]:
    """Make the changes; returns them with the addresses that only now are known.

    Endpoint and security group at once, then the rules, then the subnet: it names the group that has the rules, and
    Azure takes one write to a network at a time.
    """
    snapshot, changes = plan.snapshot, list(plan.changes)
    first = [item for item in changes if not isinstance(item, (ChangeRules, ChangeSubnet))]
    made = gather(
        {
            "endpoint": partial(_endpoint, connection, first, snapshot, deadline),
            "group": partial(_group, connection, first, deadline),
        }
    )["endpoint"]
    if made:
        observed = replace(snapshot.observed, endpoint=read_endpoint(connection, made))
        later = plan_create.plan(desired, observed)
        changes = [
            *first,
            *(item for item in later if isinstance(item, (ChangeRules, ChangeSubnet))),
        ]
    for change in changes:
        if isinstance(change, ChangeRules):
            create_apply.change_rules(connection, change, deadline)
        elif isinstance(change, ChangeSubnet):
            create_apply.change_subnet(connection, change, deadline)
    return changes


def _endpoint(
    connection: Connection, changes: Sequence[Change], snapshot: Snapshot, deadline: Deadline
) -> dict[str, Any] | None:
    """The endpoint, then its zone group at once: until then the names of an already linked zone have no answer.

    Returns an endpoint that was made, or made again.
    """
    made: dict[str, Any] | None = None
    for change in changes:
        if isinstance(change, CreateEndpoint):
            made = create_apply.create_endpoint(connection, change, deadline).wait()
        elif isinstance(change, ChangeEndpoint):
            written = create_apply.change_endpoint(connection, change, snapshot, deadline)
            made = written if change.repair else made
        elif isinstance(change, Approve):
            create_apply.approve(connection, change, deadline)
        elif isinstance(change, AttachZones):
            create_apply.attach_zones(connection, change, deadline)
    return made


def _group(connection: Connection, changes: Sequence[Change], deadline: Deadline) -> None:
    for change in changes:
        if isinstance(change, CreateGroup):
            create_apply.create_group(connection, change, deadline)


def _busy(endpoint: Endpoint | None) -> bool:
    """Whether another run, or one that was killed, is still making it."""
    if endpoint is None or endpoint.state in ("Failed", "Deleting"):
        return False
    return endpoint.state == "Updating" or not endpoint.addresses


def _provisioned(connection: Connection, desired: Desired, deadline: Deadline) -> Plan:
    """Read again until the endpoint has its addresses, and plan anew."""
    plans: list[Plan] = []

    def pending() -> str:
        plans[:] = [_plan(connection, desired)]
        endpoint = plans[0].snapshot.observed.endpoint
        return f"{endpoint.id} is {endpoint.state}" if endpoint and _busy(endpoint) else ""

    until(deadline, str(desired.endpoint), pending)
    return plans[0]


def _approved(connection: Connection, desired: Desired, plan: Plan, deadline: Deadline) -> Plan:
    """Wait until both sides say Approved. EndpointError when somebody rejects it, or nobody approves in time."""
    plans = [plan]

    def pending() -> str:
        waiting = _waits_for(plans[0].snapshot)
        if waiting:
            plans[0] = _plan(connection, desired)
            waiting = _waits_for(plans[0].snapshot)
        observed = plans[0].snapshot.observed
        if waiting:
            plan_create_problems.refuse(plan_create_problems.problems(desired, observed))
        return waiting

    until(deadline, str(plan_create.endpoint_id(desired, plan.snapshot.observed)), pending)
    return plans[0]


def _waits_for(snapshot: Snapshot) -> str:
    account, endpoint = snapshot.observed.account, snapshot.observed.endpoint
    if account is None or endpoint is None:
        return "the endpoint is not there yet"
    connection = account.connection(endpoint.id)
    there = connection.status if connection else "not there yet"
    if endpoint.status == there == "Approved":
        return ""
    return (
        f"the connection is {there} on {account.name} and {endpoint.status or 'not there yet'} on the endpoint; "
        f"its owner approves it with az network private-endpoint-connection approve --id "
        f"{connection.id if connection else account.id}"
    )


def _absent(
    connection: Connection, desired: Desired, params: dict[str, Any], context: Context
) -> dict[str, Any]:
    snapshot = observe(connection, desired, removing=True)
    changes, staying = plan_create.plan_absent(desired, snapshot.observed, force=params["force"])
    if staying:
        context.warn(
            f"{staying.id} was not created by this collection and stays; force: true deletes it."
        )
    for text in rehearse(connection, changes):
        context.warn(text)
    done = steps(changes)
    if not context.check_mode and changes:
        done = _clear(connection, desired, changes, params)
    document = None
    if staying and snapshot.endpoint:
        document = create_convert.document(staying, snapshot.endpoint)
    return core_steps.result(
        done,
        with_diff=context.diff,
        endpoint=document,
        fqdns={},
        probe_targets=[],
    )


def _clear(
    connection: Connection, desired: Desired, changes: Sequence[Change], params: dict[str, Any]
) -> list[Step]:
    """Remove, and look again: a neighbour that goes at the same time leaves the shared security group to nobody."""
    deadline = Deadline(params["wait_timeout"])
    rounds: list[list[Step]] = []
    for _unused in range(ROUNDS):
        try:
            for change in changes:
                _remove(connection, change, deadline)
        except AzureError as error:
            if error.kind != "conflict" or len(rounds) + 1 == ROUNDS:
                raise
        rounds.append(steps(changes))
        standing = observe(connection, desired, removing=True).observed
        changes, _staying = plan_create.plan_absent(desired, standing, force=params["force"])
        if not changes:
            break
    return merge(rounds)


def _remove(connection: Connection, change: Change, deadline: Deadline) -> None:
    if isinstance(change, DeleteEndpoint):
        create_apply.delete_endpoint(connection, change, deadline)
    elif isinstance(change, ChangeRules):
        create_apply.change_rules(connection, change, deadline)
    elif isinstance(change, ChangeSubnet):
        create_apply.change_subnet(connection, change, deadline)
    elif isinstance(change, DeleteGroup):
        create_apply.delete_group(connection, change, deadline)
