# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a lock's plan changes, as steps, and a perimeter as the module returns it."""

from __future__ import annotations

from typing import Any

from ..contracts import Step
from ..errors import EndpointError
from .lock_record import Record, from_description
from .lock_standing import Standing
from .perimeter import Config, allowed_of


def document(standing: Standing) -> dict[str, Any]:
    """The module's `perimeter`."""
    return {
        "id": standing.name,
        "name": standing.short,
        "title": standing.title,
        "exists": standing.exists,
        **settings(standing.status),
        "dry_run": None if standing.spec is None else settings(standing.spec),
    }


def settings(config: Config) -> dict[str, Any]:
    """A configuration in this collection's words. accessible_services: None where they are not restricted."""
    accessible = allowed_of(config)
    return {
        "resources": list(config.get("resources") or ()),
        "restricted_services": list(config.get("restrictedServices") or ()),
        "access_levels": list(config.get("accessLevels") or ()),
        "accessible_services": None if accessible is None else list(accessible),
        "ingress_policies": list(config.get("ingressPolicies") or ()),
        "egress_policies": list(config.get("egressPolicies") or ()),
    }


def steps(start: Standing, desired: Standing, *, conditional_on: str | None = None) -> list[Step]:
    """What turns `start` into `desired`: the perimeter, and what is kept about its lock."""
    found = []
    before, after = _shown(start), _shown(desired)
    if before != after:
        names = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
        whole = not before or not after
        found.append(
            Step(
                resource=start.resource,
                action="update" if not whole else "create" if after else "delete",
                before=before if whole else {name: before[name] for name in names},
                after=after if whole else {name: after[name] for name in names},
                conditional_on=conditional_on,
            )
        )
    for name, parts in desired.policies.items():
        known = start.policies.get(name, {})
        if parts != known:
            found.append(
                Step(
                    resource=f"organization policy {name}",
                    action="delete" if not parts else "update" if known else "create",
                    before=dict(known),
                    after=dict(parts),
                    conditional_on=conditional_on,
                )
            )
    if start.description != desired.description:
        kept, keeps = (
            _readable(start.description).to_json(),
            _readable(desired.description).to_json(),
        )
        found.append(
            Step(
                resource=f"record of {start.resource}",
                action="delete" if not keeps else "update" if kept else "create",
                before=kept,
                after=keeps,
                conditional_on=conditional_on,
            )
        )
    return found


def _shown(standing: Standing) -> dict[str, Any]:
    if not standing.exists:
        return {}
    shown = {"title": standing.title, **settings(standing.status)}
    shown["dry_run"] = None if standing.spec is None else settings(standing.spec)
    return shown


def _readable(description: str) -> Record:
    """A record that cannot be read is about to be taken away, and shown as an empty one."""
    try:
        return from_description(description)
    except EndpointError:
        return Record()
