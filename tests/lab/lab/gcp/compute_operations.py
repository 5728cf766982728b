# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""compute's operations: started with 200, ended later, well or with an error; and requestId.

https://cloud.google.com/compute/docs/api/how-tos/api-requests-responses
"""

from __future__ import annotations

import uuid
from typing import Any

from .compute_common import link, matching, see
from .errors import GoogleError
from .operation import Control, Result, method, page
from .records import Effect, Operation
from .state import timestamp


def start(
    control: Control, kind: str, target: str, effect: Effect, undo: Effect | None = None
) -> Result:
    """Begin an operation on a resource; `effect` happens at its end, or `undo` when it fails."""
    state = control.state
    scope = "/".join(target.split("/")[: 4 if "/regions/" in target else 3])
    operation = Operation(
        name=f"operation-{int(state.now() * 1000)}-{uuid.uuid4().hex[:13]}",
        kind=kind,
        target=target,
        target_id=str(state.compute.get(target, {}).get("id", "0")),
        user=control.caller.email,
        started=state.now(),
        scope=scope,
        client_id=str(control.query.get("requestId", "")),
    )
    state.operations[f"{scope}/operations/{operation.name}"] = operation
    failure = state.failure_of(control.method)
    if kind == "insert":
        state.pending.add(target)

    def end() -> None:
        operation.done, operation.ended = True, state.now()
        state.pending.discard(target)
        if failure is None:
            effect()
            return
        operation.error = (failure.code, failure.message, failure.status)
        if undo is not None:
            undo()

    state.after(state.timing.operation, end)
    return show(operation)


def show(operation: Operation) -> dict[str, Any]:
    """The operation as compute shows it."""
    path = f"{operation.scope}/operations/{operation.name}"
    made: dict[str, Any] = {
        "kind": "compute#operation",
        "id": str(int(operation.started * 1e6)),
        "name": operation.name,
        "operationType": operation.kind,
        "targetLink": link(operation.target),
        "targetId": operation.target_id,
        "status": "DONE" if operation.done else "RUNNING",
        "user": operation.user,
        "progress": 100 if operation.done else 0,
        "insertTime": timestamp(operation.started),
        "startTime": timestamp(operation.started),
        "selfLink": link(path),
    }
    if "/regions/" in operation.scope:
        made["region"] = link(operation.scope)
    if operation.client_id:
        made["clientOperationId"] = operation.client_id
    if operation.done:
        made["endTime"] = timestamp(operation.ended)
    if operation.error is not None:
        code, message, status = operation.error
        made["error"] = {"errors": [{"code": code, "message": message}]}
        made["httpErrorStatusCode"] = status
        made["httpErrorMessage"] = _PHRASES.get(status, "BAD REQUEST")
    return made


_PHRASES = {
    403: "FORBIDDEN",
    404: "NOT FOUND",
    409: "CONFLICT",
    412: "PRECONDITION FAILED",
    503: "SERVICE UNAVAILABLE",
}


def repeated(control: Control) -> Result | None:
    """The operation that a request with the same requestId has started; None for a new request."""
    request_id = control.query.get("requestId")
    if control.service != "compute" or not request_id:
        return None
    known = control.state.request_ids.get((control.project.id, str(request_id)))
    if known is None:
        return None
    method_id, path = known
    if method_id != control.method:
        message = (
            f"Invalid value for field 'requestId': '{request_id}'. It was used for another request."
        )
        raise GoogleError(400, message)
    return show(control.state.operations[path])


def remember(control: Control, result: Result | None) -> None:
    """Keep which operation a requestId has started."""
    request_id = control.query.get("requestId")
    if (
        control.service == "compute"
        and request_id
        and result
        and result["kind"] == "compute#operation"
    ):
        path = see(result["selfLink"])
        control.state.request_ids[control.project.id, str(request_id)] = (control.method, path)


def find(control: Control) -> Operation | None:
    return control.state.operations.get(f"{_scope(control)}/operations/{control.path['operation']}")


def _scope(control: Control) -> str:
    region = control.path.get("region")
    return f"projects/{control.project.id}/" + (f"regions/{region}" if region else "global")


def _kind(control: Control) -> str:
    return "compute." + ("regionOperations" if "region" in control.path else "globalOperations")


@method(
    "compute.globalOperations.get",
    "compute.globalOperations.wait",
    "compute.regionOperations.get",
    "compute.regionOperations.wait",
)
def get(control: Control) -> Result:
    control.authorize(f"{_kind(control)}.get", f"projects/{control.project.id}")
    found = find(control)
    if found is None:
        path = f"{_scope(control)}/operations/{control.path['operation']}"
        raise GoogleError(404, f"The resource '{path}' was not found")
    return show(found)


@method("compute.globalOperations.list", "compute.regionOperations.list")
def list_(control: Control) -> Result:
    control.authorize(f"{_kind(control)}.list", f"projects/{control.project.id}")
    scope = _scope(control)
    found = [show(each) for each in control.state.operations.values() if each.scope == scope]
    items, following = page(control, matching(control, found), "maxResults")
    answer: dict[str, Any] = {
        "kind": "compute#operationList",
        "id": f"{scope}/operations",
        "items": items,
        "selfLink": link(f"{scope}/operations"),
    }
    return answer | ({"nextPageToken": following} if following else {})
