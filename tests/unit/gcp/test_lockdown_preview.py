# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whose dry-run records stop a lock: of a project that joins a perimeter, everything that this one restricts."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

from ansible_collections.private_ai.endpoints.plugins.module_utils.core.errors import EndpointError
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.gcp.lock_standing import (
    Standing,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.gcp.perimeter import (
    Additions,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.gcp.plan_lockdown import (
    VERTEX,
    Wanted,
    lock,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.gcp import lockdown_preview

NAME = "accessPolicies/1/servicePerimeters/corp"
STORAGE = "storage.googleapis.com"
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=timezone.utc)
OLD, NEW = "projects/9", "projects/1"
CORP = Standing(
    name=NAME, title="corp", status={"resources": [OLD], "restrictedServices": [STORAGE]}
)


class Logs:
    """Cloud Logging with one refused caller of a service in a project."""

    def __init__(self, project: str, service: str) -> None:
        self.project, self.service = project, service

    def rest(self, _service: str, _method: str, _path: str, body: Any, **_more: Any) -> Any:
        if self.project not in body["resourceNames"]:
            return {}
        violated = {"dryRun": True, "ingressViolations": [{"servicePerimeter": NAME}]}
        payload = {
            "serviceName": self.service,
            "methodName": "google.storage.objects.get",
            "authenticationInfo": {"principalEmail": "ci@x"},
            "requestMetadata": {"callerIp": "203.0.113.9"},
            "metadata": violated,
        }
        return {"entries": [{"timestamp": "2026-02-28T12:00:00Z", "protoPayload": payload}]}


def look(project: str, service: str) -> None:
    additions = Additions(resources=(NEW,), services=(VERTEX,))
    plan = lock(CORP, Wanted(additions=additions), run_id="r", now=NOW)
    params = {"preview_days": 7, "accessible_services": None, "explained_callers": []}
    lockdown_preview.look(Logs(project, service), plan, params, [VERTEX], NOW)  # type: ignore[arg-type]


@pytest.mark.parametrize(("project", "service"), [(NEW, STORAGE), (NEW, VERTEX), (OLD, VERTEX)])
def test_a_caller_whom_the_lock_would_refuse_stops_it(project: str, service: str) -> None:
    with pytest.raises(EndpointError, match="ci@x"):
        look(project, service)


def test_what_the_perimeter_refused_before_in_its_own_projects_is_not_the_locks_doing() -> None:
    look(OLD, STORAGE)
