# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read whom the dry run of a perimeter refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from ..core.errors import EndpointError, refuse
from ..core.gcp import violations
from ..core.gcp.lock_checks import NUMBER, newly_in
from ..core.gcp.perimeter import allowed_of
from ..core.gcp.plan_lockdown import LockPlan
from ..core.preview import explanations
from ..core.proof import timestamp
from .client import Connection, GoogleError
from .log_entries import newest

# Most projects that one request may name, and entries that are looked at.
_PROJECTS, _MOST = 100, 20_000


def look(
    connection: Connection,
    plan: LockPlan,
    params: Mapping[str, Any],
    services: Iterable[str],
    now: datetime,
) -> list[dict[str, Any]]:
    """The callers whom the dry run refused within `preview_days`.

    In a project that is in the perimeter already, those of the services that the lock restricts. One that the lock puts
    in is bound to everything that the perimeter restricts, so there all count.
    EndpointError unless somebody answers for every one of them, and where there are more than can be looked at.
    """
    days = params["preview_days"]
    if not days or not plan.start.exists:
        return []
    projects = [
        item for item in plan.desired.status.get("resources") or () if NUMBER.fullmatch(item)
    ]
    since = timestamp(now - timedelta(days=days))
    new = [item for item in projects if item in newly_in(plan)]
    asked = set(services)
    whole = asked | set(plan.desired.status.get("restrictedServices") or ())
    shut = params["accessible_services"] is not None
    closed = shut or allowed_of(plan.desired.status) is not None
    callers: list[dict[str, Any]] = []
    for part, counted, accessible in (
        ([item for item in projects if item not in new], asked, shut),
        (new, whole, closed),
    ):
        entries: list[dict[str, Any]] = []
        for start in range(0, len(part), _PROJECTS):
            entries += _entries(connection, part[start : start + _PROJECTS], since)
        callers += violations.groups(entries, plan.start.name, counted, accessible=accessible)
    explained = explanations(params["explained_callers"] or ())
    refuse(
        [f"{plan.desired.resource}: {text}" for text in violations.unexplained(callers, explained)],
        "the dry run says that the lock would cut off callers",
    )
    return callers


def _entries(connection: Connection, projects: Sequence[str], since: str) -> list[dict[str, Any]]:
    about = f"dry-run records of {', '.join(projects)}"
    try:
        found, complete = newest(connection, projects, violations.query(since), _MOST, about)
    except GoogleError as error:
        if error.kind == "denied":
            error.fix = f"{error.fix}, or set preview_days to 0 to lock without looking at them"
        raise
    if not complete:
        raise EndpointError(
            f"the dry run left more than {_MOST} records since {since}, too many to look at",
            resource="preview_days",
            fix="Find out from the log who is refused, bring it inside, and look at fewer days",
        )
    return found
