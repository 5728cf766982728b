# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where long-running operations are polled: Azure-AsyncOperation and Location URLs.

They lie below the subscription, so that a role on a resource group alone does not allow it.
https://learn.microsoft.com/azure/role-based-access-control/permissions/networking#microsoftnetwork
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from typing import Any

from .control import Control
from .errors import not_found
from .registry import Answer, operation, resource_type, shown
from .state import Running


def polled(
    namespace: str,
    api_versions: Iterable[str],
    statuses: str = "locations/operations",
    results: str = "locations/operationResults",
    *,
    free: bool = False,
) -> None:
    """Register the status and result URLs of a provider's operations.

    free: reading them needs no permission, as far as the provider's own list of them says.
    """
    versions = tuple(api_versions)
    for path, handler in ((statuses, _status), (results, _result)):
        kind = resource_type(f"{namespace}/{path}", versions, tracked=False, etag="")
        operation(kind, "GET", action="" if free else None)(handler)


def _running(control: Control) -> Running:
    found = control.state.running.get(control.id.name)
    if found is None:
        raise not_found("OperationNotFound", f"The operation '{control.id.name}' was not found.")
    return found


def _retry(control: Control) -> dict[str, str]:
    return {"Retry-After": f"{control.state.timing.retry_after}"}


def _status(control: Control) -> Answer:
    running = _running(control)
    moment = datetime.datetime.fromtimestamp(running.started, datetime.timezone.utc)
    body: dict[str, Any] = {
        "id": str(control.id),
        "name": running.id,
        "status": running.status,
        "startTime": moment.isoformat(),
    }
    if running.error is not None:
        body["error"] = running.error
    return Answer(200, body, _retry(control) if running.status == "InProgress" else {})


def _result(control: Control) -> Answer:
    running = _running(control)
    if running.status == "InProgress":
        location = f"https://{control.environment.arm}{control.id}"
        version = control.query.get("api-version", "")
        headers = {**_retry(control), "Location": f"{location}?api-version={version}"}
        return Answer(202, None, headers)
    if running.error is not None:
        return Answer(200, {"status": "Failed", "error": running.error})
    resource = control.state.find(running.resource)
    return Answer(200, shown(control.state, resource)) if resource else Answer(204)
