# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The create phase: an endpoint for Google APIs in each network, its firewall rules and subnets, as the options ask."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from ..core import steps as core_steps
from ..core.contracts import Step
from ..core.errors import EndpointError
from ..core.gcp import plan_create, plan_create_problems
from ..core.gcp.names import host_names
from ..core.gcp.plan_create_report import merge, report, rule_document, steps
from ..core.gcp.plan_create_request import desired as read_options
from ..core.gcp.plan_create_types import Change, Desired
from ..module import Context
from ..waiting import Deadline
from .client import Connection, GoogleError, connect
from .create_apply import apply
from .create_observe import Snapshot, observe
from .create_permissions import rehearse

# A run converges in one round. Further ones follow when another run wrote at the same time.
ROUNDS, PAUSE = 5, 1.0
# What a run at the same time, or the lost answer to a request of our own, looks like.
_RACES = frozenset({"exists", "conflict", "in_use", "missing", "not_ready", "refused"})


def run(params: dict[str, Any], context: Context) -> dict[str, Any]:
    """The work of `vertex_psc_endpoint`."""
    host_names(params["regions"] or (), params["extra_hosts"] or ())
    connection = connect(params)
    desired = read_options(params, connection.project)
    if params["state"] == "absent":
        return _absent(connection, desired, params, context)
    return _present(connection, desired, params, context)


def _present(
    connection: Connection, desired: Desired, params: dict[str, Any], context: Context
) -> dict[str, Any]:
    snapshot = observe(connection, desired)
    desired = plan_create.of_this_run(desired, snapshot.observed)
    plan_create_problems.refuse(plan_create_problems.problems(desired, snapshot.observed))
    for text in (*snapshot.notes, *plan_create_problems.warnings(desired, snapshot.observed)):
        context.warn(text)
    changes = plan_create.plan(desired, snapshot.observed)
    rehearse(connection, changes)
    done = steps(changes)
    if changes and not context.check_mode:
        snapshot, done = _converge(connection, desired, changes, Deadline(params["wait_timeout"]))
        changes = []
    values = report(
        desired,
        snapshot.observed,
        changes,
        target=params["target_name"],
        project=params["vertex_project"],
        regions=params["regions"] or (),
        extra_hosts=params["extra_hosts"] or (),
    )
    return core_steps.result(done, with_diff=context.diff, **values)


def _converge(
    connection: Connection, desired: Desired, changes: Sequence[Change], deadline: Deadline
) -> tuple[Snapshot, list[Step]]:
    """Apply, read back, and go on until nothing differs; returns what stands then and the steps that were taken."""
    rounds: list[list[Step]] = []
    for _unused in range(ROUNDS):
        failure = _attempt(connection, changes, deadline)
        if failure:
            # A list may lag a little behind what another run has just made.
            time.sleep(min(PAUSE, deadline.left()))
        rounds.append(steps(changes))
        snapshot = observe(connection, desired)
        plan_create_problems.refuse(plan_create_problems.problems(desired, snapshot.observed))
        before, changes = changes, plan_create.plan(desired, snapshot.observed)
        if not changes:
            return snapshot, merge(rounds)
        if failure and failure.kind == "refused" and list(changes) == list(before):
            raise failure
    if failure:
        raise failure
    left = "; ".join(step.resource for step in steps(changes))
    raise EndpointError(
        f"is not as asked for after {ROUNDS} rounds: {left}",
        resource=desired.wishes[0].network,
        code="NotConverged",
        fix="Something else changes it at the same time: find it, and run again",
    )


def _attempt(
    connection: Connection, changes: Sequence[Change], deadline: Deadline
) -> GoogleError | None:
    """Make the changes; a failure that reading again may explain is returned."""
    try:
        apply(connection, changes, deadline)
    except GoogleError as error:
        if error.kind not in _RACES:
            raise
        return error
    return None


def _absent(
    connection: Connection, desired: Desired, params: dict[str, Any], context: Context
) -> dict[str, Any]:
    observed = observe(connection, desired, removing=True).observed
    changes = plan_create.plan_absent(desired, observed)
    going = {step.resource for step in steps(changes)}
    staying = [
        item
        for wish in desired.wishes
        for item in plan_create.standing(wish, observed)
        if item.id not in going
    ]
    for item in staying:
        context.warn(f"{item.id} was not created by this collection under this name, and stays.")
    rehearse(connection, changes)
    if changes and not context.check_mode:
        apply(connection, changes, Deadline(params["wait_timeout"]))
    return core_steps.result(
        steps(changes),
        with_diff=context.diff,
        endpoints=[rule_document(item) for item in staying],
        replaced=[],
        hosts=host_names(params["regions"] or (), params["extra_hosts"] or ()),
        probe_targets=[],
    )
