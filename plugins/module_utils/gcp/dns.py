# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The DNS phase: each name resolves, in each network, to the endpoint there. The run of vertex_private_dns."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from ..core import steps as core_steps
from ..core.contracts import Step
from ..core.errors import EndpointError
from ..core.gcp.names import project_of
from ..core.gcp.plan_create_problems import refuse
from ..core.gcp.plan_dns import answering, present
from ..core.gcp.plan_dns_back import absent, restored, staying
from ..core.gcp.plan_dns_done import Done
from ..core.gcp.plan_dns_problems import problems, warnings
from ..core.gcp.plan_dns_report import after, document, replaced, steps
from ..core.gcp.plan_dns_request import wanted as read_options
from ..core.gcp.plan_dns_types import Change, View, Wanted
from ..core.gcp.probe_targets import probe_targets
from ..module import Context
from ..waiting import Deadline
from .client import Connection, GoogleError, connect
from .dns_apply import carry_out
from .dns_drain import drained, earlier
from .dns_permissions import rehearse
from .dns_read import read, read_done, read_made, read_more

# A run converges in one round. Further ones follow when another run works on the same zones at the same time.
ROUNDS, PAUSE = 6, 0.5
# A refusal that is not another run's work does not go away.
PATIENCE = 2
# What a run at the same time, or the lost answer to a request of our own, looks like.
_RACES = frozenset({"exists", "conflict", "in_use", "missing", "not_ready"})


def run(params: dict[str, Any], context: Context) -> dict[str, Any]:
    """Do what `state` asks; see the module's documentation for options and result."""
    connection = connect(params)
    wanted = read_options(params, connection.project)
    deadline = Deadline(params["wait_timeout"])
    if params["state"] == "restored":
        return _restored(connection, _undo(params), context, deadline)
    if params["state"] == "absent":
        return _absent(connection, wanted, context, deadline)
    return _present(connection, wanted, params, context, deadline)


def _present(
    connection: Connection,
    wanted: Wanted,
    params: Mapping[str, Any],
    context: Context,
    deadline: Deadline,
) -> dict[str, Any]:
    view, changes = _look(connection, wanted)
    for text in warnings(view, wanted):
        context.warn(text)
    listed, done = steps(changes), Done(run=uuid.uuid4().hex[:12])
    rehearse(connection, changes)
    if context.check_mode:
        view, drain = after(view, changes), None
    else:
        longest = replaced(view, wanted) if changes else None
        if changes:
            view = _converge(connection, wanted, changes, done, deadline)
        gone = params["replaced_addresses"] or ()
        past = earlier(connection, answering(view, wanted), wanted.hosts, gone) if gone else ()
        drain = drained(longest, past)
    found = [document(item) for item in answering(view, wanted)]
    return _result(
        listed,
        context,
        done,
        zones=[item for item in found if "records" in item],
        policies=[item for item in found if "rules" in item],
        hosts=list(wanted.hosts),
        probe_targets=_targets(wanted, params),
        drain_until=drain,
    )


def _look(connection: Connection, wanted: Wanted) -> tuple[View, list[Change]]:
    """Read and plan. Where nothing is to be changed, nothing but what answers now is read."""
    if wanted.mode == "none":
        return View(), []
    view = read(connection, wanted)
    changes = present(view, wanted)
    found = problems(view, wanted)
    if changes or found:
        joining = {
            name
            for item in changes
            for name in set(item.after.networks if item.after else ())
            - set(item.before.networks if item.before else ())
        }
        view = read_more(connection, wanted, view, sorted(joining))
        found = problems(view, wanted)
    refuse(found)
    return view, changes


def _converge(
    connection: Connection,
    wanted: Wanted,
    changes: Sequence[Change],
    done: Done,
    deadline: Deadline,
) -> View:
    """Make the changes, read back, and go on with what is left; switch back when that fails."""
    try:
        for number in range(ROUNDS):
            _round(connection, changes, done, deadline, number)
            view = read(connection, wanted)
            refuse(problems(view, wanted))
            changes = present(view, wanted)
            if not changes:
                done.settle({item.id: item for item in view.holders})
                return view
        raise _restless(changes)
    except EndpointError as error:
        _switch_back(connection, done, deadline, error)
        raise


def _round(
    connection: Connection, changes: Sequence[Change], done: Done, deadline: Deadline, number: int
) -> None:
    try:
        carry_out(connection, changes, done, deadline)
    except GoogleError as error:
        if error.kind not in _RACES:
            raise
        if number >= PATIENCE and error.code == "conflict":
            raise _unseen(error) from error
        if number == ROUNDS - 1:
            raise
        # Another run was faster: read again, and take what it made as it is.
        time.sleep(min(PAUSE, deadline.left()))


def _unseen(error: GoogleError) -> GoogleError:
    """What can be seen was looked through before: it is attached in a project that is not looked at."""
    return GoogleError(
        error.what,
        kind=error.kind,
        action=error.action,
        status=error.status,
        resource=error.resource,
        code=error.code,
        fix="Another zone or policy of this kind is attached to the network, in a project that this run does not look "
        "through: set project to that one, or detach it",
    )


def _restless(changes: Sequence[Change]) -> EndpointError:
    return EndpointError(
        "others changed it while this run did: " + ", ".join(item.id for item in changes),
        resource=changes[0].id,
        code="NotConverged",
        fix="Find out who, and run again",
    )


def _switch_back(
    connection: Connection, done: Done, deadline: Deadline, error: EndpointError
) -> None:
    """Undo half a change, and say so in the error that is about to be raised."""
    if done.empty:
        return
    try:
        # Time of its own: the deadline may be what failed.
        _back(connection, done, Deadline(deadline.seconds))
        text = "What this run had changed was switched back"
    except EndpointError as second:
        text = f"What this run had changed could not be switched back: {second.message}"
    error.problems = (*error.problems, text)


def _back(connection: Connection, done: Done, deadline: Deadline) -> None:
    for number in range(ROUNDS):
        changes = restored(read_done(connection, done), done)
        if not changes:
            return
        _round(connection, changes, Done(), deadline, number)
    raise _restless(changes)


def _restored(
    connection: Connection, undo: Done, context: Context, deadline: Deadline
) -> dict[str, Any]:
    """Switch back what a run returned as `undo`, as far as it still stands."""
    changes = [] if undo.empty else restored(read_done(connection, undo), undo)
    rehearse(connection, changes)
    if changes and not context.check_mode:
        _back(connection, undo, deadline)
    return _result(steps(changes), context, Done())


def _absent(
    connection: Connection, wanted: Wanted, context: Context, deadline: Deadline
) -> dict[str, Any]:
    """Take away what this collection made for these networks."""
    view = read_made(connection, wanted)
    changes = absent(view, wanted)
    for item in staying(view, wanted):
        context.warn(f"{item.id} was not created by this collection, and stays.")
    rehearse(connection, changes)
    if changes and not context.check_mode:
        left = list(changes)
        for number in range(ROUNDS):
            _round(connection, left, Done(), deadline, number)
            left = absent(read_made(connection, wanted), wanted)
            if not left:
                break
        if left:
            raise _restless(left)
    return _result(steps(changes), context, Done(), hosts=list(wanted.hosts))


def _undo(params: Mapping[str, Any]) -> Done:
    try:
        return Done.from_json(params["undo"] or {})
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise EndpointError(
            f"it is not what this module returned: {error!r}",
            resource="undo",
            fix="Pass the value undo of the task that is to be undone",
        ) from error


def _targets(wanted: Wanted, params: Mapping[str, Any]) -> list[dict[str, Any]]:
    first = next(iter(wanted.places))
    found = probe_targets(
        params["target_name"] or first.rpartition("/")[2],
        project_of(first),
        wanted.hosts,
        {network: [address] for network, address in wanted.places.items()},
    )
    return [item.to_json() for item in found]


def _result(listed: Sequence[Step], context: Context, done: Done, **values: Any) -> dict[str, Any]:
    known: dict[str, Any] = {
        "zones": [],
        "policies": [],
        "hosts": [],
        "probe_targets": [],
        "drain_until": None,
        **values,
    }
    return core_steps.result(listed, with_diff=context.diff, undo=done.to_json(), **known)
