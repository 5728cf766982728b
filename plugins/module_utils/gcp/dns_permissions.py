# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ask Google what these credentials may do in Cloud DNS, before the first change is made."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from ..core.gcp.names import project_of
from ..core.gcp.plan_dns_types import Change
from .client import Connection, GoogleError, gather
from .create_permissions import held


def rehearse(connection: Connection, changes: Iterable[Change]) -> None:
    """GoogleError that names every permission that is lacking; one read for each project."""
    needs = needed(changes)
    found = gather({name: partial(held, connection, name, needs[name]) for name in needs})
    errors = [
        GoogleError(
            f"permission denied for {permission}",
            kind="denied",
            action=permission,
            resource=f"projects/{project}",
            code="forbidden",
            fix=f"Give these credentials a role that has {permission} on this project; a new binding takes "
            "some minutes",
        )
        for project, permissions in needs.items()
        for permission in permissions
        if found[project] is not None and permission not in found[project]
    ]
    if errors:
        errors[0].problems = tuple(error.message for error in errors[1:])
        raise errors[0]


def needed(changes: Iterable[Change]) -> dict[str, list[str]]:
    """Project → the permissions that the changes need there."""
    found: dict[str, list[str]] = {}
    for change in changes:
        for project, permission in _needs(change):
            known = found.setdefault(project, [])
            if permission not in known:
                known.append(permission)
    return found


def _needs(change: Change) -> list[tuple[str, str]]:
    before, after = change.before, change.after
    zone = change.holder.kind == "zone"
    folder = "managedZones" if zone else "responsePolicies"
    old, new = (
        {item.key: item for item in (holder.entries if holder else None) or ()}
        for holder in (before, after)
    )
    joining = set(after.networks if after else ()) - set(before.networks if before else ())
    verbs = []
    if before is None:
        verbs.append(f"{folder}.create")
    if after is None:
        verbs.append(f"{folder}.delete")
    if (before.networks if before else ()) != (after.networks if after else ()):
        verbs += [f"{folder}.get", f"{folder}.update"]
        verbs += ["managedZoneOperations.get"] if zone else []
    coming = {key for key, item in new.items() if old.get(key) != item}
    going = {key for key, item in old.items() if new.get(key) != item}
    if zone:
        verbs += ["changes.create", "changes.get"] if coming or going else []
        verbs += ["resourceRecordSets.create"] if coming else []
        verbs += ["resourceRecordSets.delete"] if going else []
    else:
        verbs += ["responsePolicyRules.create"] if coming - going else []
        verbs += ["responsePolicyRules.update"] if coming & going else []
        verbs += ["responsePolicyRules.delete"] if going - coming else []
    own = change.holder.project
    return [
        *((own, f"dns.{verb}") for verb in verbs),
        *(
            (project_of(name), "dns.networks.bindPrivateDNSZone")
            for name in sorted(joining)
            if zone
        ),
        *(
            (project_of(name), "dns.networks.bindDNSResponsePolicy")
            for name in sorted(joining)
            if not zone
        ),
    ]
