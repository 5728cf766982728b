# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The DNS phase of one account in one network: the run of the module azure_openai_private_dns."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from typing import Any

from ..core import steps as step_list
from ..core.azure.arm_id import key
from ..core.azure.plan_dns import present, settled
from ..core.azure.plan_dns_back import absent, restored
from ..core.azure.plan_dns_choice import chosen, names, warnings
from ..core.azure.plan_dns_done import Done
from ..core.azure.plan_dns_types import DnsPlan, View, Wanted, Zone
from ..core.azure.probe_targets import probe_targets
from ..core.contracts import KNOWN_AFTER_APPLY, Step
from ..core.errors import EndpointError, refuse
from ..module import Context
from ..waiting import Deadline
from .client import AzureError
from .dns_absent import read_absent
from .dns_apply import carry_out
from .dns_places import Places, places
from .dns_read import Reading, read
from .dns_search import search, standing

# A run converges in one round. Further ones follow when another run works on the same zones at the same time.
ROUNDS = 6
# A conflict that is not another run's work does not go away.
PATIENCE = 2


def run(params: dict[str, Any], context: Context) -> dict[str, Any]:
    """Do what `state` asks; see the module's documentation for options and result."""
    where = places(params)
    deadline = Deadline(params["wait_timeout"])
    if params["state"] == "restored":
        return _restored(where, params, context, deadline)
    reading, plan = _look(where, params, predict=context.check_mode)
    refuse([*plan.problems, *(reading.problems if plan.steps else ())], "DNS cannot be switched")
    for text in (*reading.warnings, *plan.warnings):
        context.warn(text)
    listed = list(plan.steps)
    done = Done.of(reading.view, uuid.uuid4().hex[:12])
    if listed and not context.check_mode:
        reading = _converge(where, params, reading, plan, done, deadline)
    return step_list.result(
        listed,
        with_diff=context.diff,
        **_report(params, reading.view),
        undo=done.to_json(),
    )


def _wanted(params: Mapping[str, Any]) -> Wanted:
    return Wanted(
        mode=params["mode"],
        policy=params["resolution_policy"],
        links=params["link_networks"],
        allow_other_accounts=params["allow_other_accounts"],
    )


def _look(where: Places, params: Mapping[str, Any], *, predict: bool) -> tuple[Reading, DnsPlan]:
    """Read, and plan; everything is only read when the first look does not show that nothing is to be done."""
    if params["state"] == "absent":
        reading = read_absent(where, params)
        return reading, absent(reading.view)
    wanted = _wanted(params)
    reading = read(where, params, predict=predict)
    if settled(reading.view, wanted):
        return reading, DnsPlan(warnings=warnings(reading.view, wanted))
    reading = search(where, params, reading)
    return reading, present(reading.view, wanted)


def _converge(
    where: Places,
    params: Mapping[str, Any],
    reading: Reading,
    plan: DnsPlan,
    done: Done,
    deadline: Deadline,
) -> Reading:
    """Carry the plan out, read back, and go on with what is left; switch back when that fails."""
    try:
        for number in range(ROUNDS):
            _round(where, reading, plan, done, deadline, number)
            reading, plan = _look(where, params, predict=False)
            refuse(
                [*plan.problems, *(reading.problems if plan.steps else ())],
                "DNS cannot be switched",
            )
            if not plan.steps:
                return reading
        raise EndpointError(
            "others changed it while this run did: "
            + ", ".join(step.resource for step in plan.steps),
            resource=reading.view.endpoint.id,
            fix="Find out who, and run again",
        )
    except EndpointError as error:
        if params["state"] == "present":
            _switch_back(where, params, done, deadline, error)
        raise


def _round(
    where: Places, reading: Reading, plan: DnsPlan, done: Done, deadline: Deadline, number: int
) -> None:
    try:
        carry_out(where, reading.view, plan, done, deadline)
    except AzureError as error:
        patience = ROUNDS if error.changed_meanwhile else PATIENCE
        if error.kind != "conflict" or number >= patience - 1:
            raise
        # Another run was faster: read again, and take what it made as it is.
        time.sleep(0.5)


def _switch_back(
    where: Places,
    params: Mapping[str, Any],
    done: Done,
    deadline: Deadline,
    error: EndpointError,
) -> None:
    """Undo half a change, and say so in the error that is about to be raised."""
    if done.empty:
        return
    try:
        # Time of its own: the deadline may be what failed.
        _back(where, params, done, Deadline(deadline.seconds))
        text = "What this run had changed was switched back"
    except EndpointError as second:
        text = f"What this run had changed could not be switched back: {second.message}"
    error.problems = (*error.problems, text)


def _back(where: Places, params: Mapping[str, Any], undo: Done, deadline: Deadline) -> None:
    for number in range(ROUNDS):
        view = standing(where, params, undo).view
        plan = restored(view, undo)
        if plan.empty:
            return
        _round(where, Reading(view=view), plan, Done(), deadline, number)


def _restored(
    where: Places, params: Mapping[str, Any], context: Context, deadline: Deadline
) -> dict[str, Any]:
    """Switch back what a run returned as `undo`, as far as it still stands."""
    undo = _undo(params)
    listed: list[Step] = []
    if not undo.empty:
        plan = restored(standing(where, params, undo).view, undo)
        listed = list(plan.steps)
        for text in plan.warnings:
            context.warn(text)
        if listed and not context.check_mode:
            _back(where, params, undo, deadline)
    return step_list.result(
        listed,
        with_diff=context.diff,
        endpoint_id=undo.endpoint_id,
        account_id=undo.account_id,
        network_id=undo.network_id,
        probe_targets=[],
        zones=[],
        links=[],
        undo=Done(
            account_id=undo.account_id, endpoint_id=undo.endpoint_id, network_id=undo.network_id
        ).to_json(),
    )


def _undo(params: Mapping[str, Any]) -> Done:
    try:
        undo = Done.from_json(params["undo"] or {})
    except (KeyError, TypeError, ValueError) as error:
        raise EndpointError(
            f"it is not what this module returned: {error!r}",
            resource="undo",
            fix="Pass the value undo of the task that is to be undone",
        ) from error
    for option, known in (("endpoint_id", undo.endpoint_id), ("account_id", undo.account_id)):
        if params[option] and known and key(params[option]) != key(known):
            raise EndpointError(f"it is of {known}, not of {params[option]}", resource="undo")
    return undo


def _report(params: Mapping[str, Any], view: View) -> dict[str, Any]:
    endpoint = view.endpoint
    used = [zone for name in names(view) if (zone := chosen(view, name))]
    members = [
        {"fqdns": [host.name], "address": address}
        for host in endpoint.hosts
        for address in host.addresses
        if endpoint.id != KNOWN_AFTER_APPLY
    ]
    target = params["target_name"] or endpoint.account_id.rpartition("/")[2]
    targets = probe_targets(target, [{"members": members}])
    return {
        "endpoint_id": endpoint.id,
        "account_id": endpoint.account_id,
        "network_id": endpoint.network_id,
        "probe_targets": [item.to_json() for item in targets],
        "zones": [_shown(zone, view) for zone in used],
        "links": [
            {
                "id": f"{zone.id}/virtualNetworkLinks/{link.name}",
                "zone_id": zone.id,
                "network_id": link.network_id,
                "resolution_policy": link.policy,
                "registration_enabled": link.registration,
            }
            for zone in used
            for link in sorted(zone.links, key=lambda link: key(link.network_id))
        ],
    }


def _shown(zone: Zone, view: View) -> dict[str, Any]:
    return {
        "id": zone.id,
        "name": zone.name,
        "networks": sorted(link.network_id for link in zone.links),
        "records": {
            host.name: list(record.values)
            for host in view.endpoint.hosts
            if host.zone == zone.name
            for record in zone.held(host.record)
            if record.type == "A"
        },
    }
