# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Audit entries that a world file puts into the log."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from . import audit
from .perimeter import Violation
from .records import Resource
from .state import State


def entry(state: State, given: Mapping[str, Any]) -> Resource:
    """One entry: a data access, or a violation where `perimeter` is given."""
    project = state.projects[given["project"]]
    moment = state.now() - given.get("age", 3600)
    service = given.get("service", "aiplatform.googleapis.com")
    call = audit.Called(
        service,
        given["method"],
        given.get("resource", f"projects/{project.number}"),
        given.get("principal", ""),
        given["caller_ip"],
        given.get("caller_network", ""),
        given.get("agent", ""),
    )
    if "perimeter" not in given:
        return audit.make(state, project, audit.DATA_ACCESS, call, moment)
    violation = Violation(
        given["perimeter"],
        given.get("reason", "NO_MATCHING_ACCESS_LEVEL"),
        given.get("direction", "ingress"),
        secrets.token_urlsafe(40),
        given.get("dry_run", True),
    )
    return audit.violation_entry(state, project, call, violation, moment)
