# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The DNS phase of one VPC: the run of the module bedrock_private_dns."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from ..core import steps as step_list
from ..core.aws.catalogue import requested
from ..core.aws.plan_dns import absent, present, restored
from ..core.aws.plan_dns_types import DnsPlan, Done, View
from ..core.aws.probe_targets import probe_targets
from ..core.contracts import KNOWN_AFTER_APPLY, Step
from ..core.errors import EndpointError, refuse
from ..module import Context
from ..waiting import Deadline
from .client import AwsError, Connection, connect
from .create_apply import wait_available
from .dns_apply import Work, carry_out
from .dns_created import confirmed, taken_over
from .dns_read import Reading, attributes, read, read_back

# A run converges in one round. Further ones follow when another run made the same zone at the same time.
ROUNDS = 4
_TAKEN = frozenset(("ConflictingDomainExists", "HostedZoneAlreadyExists", "HostedZoneNotEmpty"))


def run(params: dict[str, Any], context: Context) -> dict[str, Any]:
    """Do what `state` asks; see the module's documentation for options and result."""
    connection = connect(params)
    deadline = Deadline(params["wait_timeout"])
    if params["state"] == "restored":
        return _restored(connection, params, context, deadline)
    reading = _at_rest(connection, params)
    if reading is None:
        reading = read(connection, params)
        if not context.check_mode:
            reading = _settled(connection, params, reading, deadline)
    plan = _plan(params, reading.view)
    _check(params, context, reading, plan)
    for text in plan.warnings:
        context.warn(text)
    listed = list(plan.steps)
    work = Work(done=Done(vpc_id=params["vpc_id"]))
    if listed and not context.check_mode:
        reading = _converge(connection, params, reading, plan, work, deadline)
    return step_list.result(
        listed,
        with_diff=context.diff,
        **_report(params, reading),
        undo=work.done.to_json(),
    )


def _at_rest(connection: Connection, params: Mapping[str, Any]) -> Reading | None:
    """What stands, where the endpoints as `created` says and the zones as they are leave nothing to do; else None."""
    wanted = requested(params["services"], connection.region)
    created = taken_over(params, wanted, connection.region)
    if created is None:
        return None
    reading = read(connection, params, created)
    plan = _plan(params, reading.view)
    enabled = params["private_dns"] == "enabled"
    fits = confirmed(created, reading.view.zones, params["vpc_id"], private_dns=enabled)
    return reading if fits and not (plan.steps or plan.problems or reading.missing) else None


def _plan(params: Mapping[str, Any], view: View) -> DnsPlan:
    if params["state"] == "absent":
        return absent(view)
    return present(view, private_dns=params["private_dns"] == "enabled")


def _settled(
    connection: Connection, params: Mapping[str, Any], reading: Reading, deadline: Deadline
) -> Reading:
    """Endpoints that were just made become available first: their names may not be known before."""
    pending = [item.id for item in reading.view.endpoints if item.state == "pending"]
    if not pending:
        return reading
    wait_available(connection, pending, deadline)
    return read(connection, params)


def _check(params: Mapping[str, Any], context: Context, reading: Reading, plan: DnsPlan) -> None:
    """All that forbids the plan, at once and before the first write."""
    problems = list(plan.problems)
    if params["state"] == "present":
        problems += reading.missing
        if not context.check_mode:
            problems += _unmade(reading.view)
        if plan.steps:
            spokes = [spoke for spoke in reading.view.spokes if spoke.vpc_id != reading.view.vpc_id]
            own = params["private_dns"] == "enabled"
            problems += attributes(reading, spokes, own=own)
    refuse(problems, "DNS cannot be switched")


def _unmade(view: View) -> list[str]:
    return [
        f"services: {item.short} has no endpoint in {view.vpc_id}. Create it with bedrock_vpc_endpoint"
        for item in view.endpoints
        if item.id == KNOWN_AFTER_APPLY
    ]


def _converge(
    connection: Connection,
    params: Mapping[str, Any],
    reading: Reading,
    plan: DnsPlan,
    work: Work,
    deadline: Deadline,
) -> Reading:
    """Carry the plan out, read back, and go on with what is left; switch back when that fails."""
    try:
        for number in range(ROUNDS):
            _round(reading, plan, work, deadline, last=number == ROUNDS - 1)
            reading = read(connection, params)
            plan = _plan(params, reading.view)
            refuse(plan.problems, "DNS cannot be switched")
            if not plan.steps:
                return reading
        raise EndpointError(
            "others changed it while this run did: "
            + ", ".join(step.resource for step in plan.steps),
            resource=params["vpc_id"],
            fix="Find out who, and run again",
        )
    except EndpointError as error:
        if params["state"] == "present":
            _switch_back(connection, params, work.done, deadline, error)
        raise


def _round(reading: Reading, plan: DnsPlan, work: Work, deadline: Deadline, *, last: bool) -> None:
    try:
        carry_out(reading, plan, work, deadline)
    except AwsError as error:
        if error.code not in _TAKEN or last:
            raise
        # Another run made the same zone: read again, and take it as it is.
        time.sleep(1.0)


def _switch_back(
    connection: Connection,
    params: Mapping[str, Any],
    done: Done,
    deadline: Deadline,
    error: EndpointError,
) -> None:
    """Undo half a change, and say so in the error that is about to be raised."""
    if done.empty:
        return
    try:
        reading = read_back(connection, params, done)
        # Time of its own: the deadline may be what failed.
        carry_out(reading, restored(reading.view, done), _nothing(done), Deadline(deadline.seconds))
        text = "What this run had changed was switched back"
    except EndpointError as second:
        text = f"What this run had changed could not be switched back: {second.message}"
    error.problems = (*error.problems, text)


def _nothing(done: Done) -> Work:
    return Work(done=Done(vpc_id=done.vpc_id))


def _restored(
    connection: Connection, params: Mapping[str, Any], context: Context, deadline: Deadline
) -> dict[str, Any]:
    """Switch back what a run returned as `undo`, as far as it still stands."""
    try:
        undo = Done.from_json(params["undo"] or {})
    except (KeyError, TypeError, ValueError) as error:
        raise EndpointError(
            f"it is not what this module returned: {error!r}",
            resource="undo",
            fix="Pass the value undo of the task that is to be undone",
        ) from error
    if undo.vpc_id != params["vpc_id"]:
        raise EndpointError(f"it is of {undo.vpc_id}, not of {params['vpc_id']}", resource="undo")
    listed: list[Step] = []
    if not undo.empty:
        reading = read_back(connection, params, undo)
        plan = restored(reading.view, undo)
        listed = list(plan.steps)
        if listed and not context.check_mode:
            carry_out(reading, plan, _nothing(undo), deadline)
    return step_list.result(
        listed,
        with_diff=context.diff,
        vpc_id=params["vpc_id"],
        region=connection.region,
        probe_targets=[],
        zones=[],
        private_dns={},
        undo=Done(vpc_id=undo.vpc_id).to_json(),
    )


def _report(params: Mapping[str, Any], reading: Reading) -> dict[str, Any]:
    view, snapshot = reading.view, reading.snapshot
    names = {name: offer.private_dns_names for name, offer in snapshot.observed.offers.items()}
    chosen = {item.id for item in view.endpoints}
    documents = [
        item
        for key, item in snapshot.documents.items()
        if key in chosen and item["network_interfaces"]
    ]
    targets = probe_targets(params["target_name"] or view.vpc_id, view.region, documents, names)
    return {
        "vpc_id": view.vpc_id,
        "region": view.region,
        "probe_targets": [item.to_json() for item in targets],
        "private_dns": {item.short: item.private_dns for item in view.endpoints},
        "zones": [
            {
                "id": zone.id,
                "name": zone.name,
                "account_id": zone.account,
                "vpcs": sorted(zone.vpcs),
            }
            for zone in sorted(view.zones, key=lambda zone: (zone.name, zone.id))
            if zone.vpc_id == view.vpc_id
        ],
    }
