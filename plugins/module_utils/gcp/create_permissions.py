# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ask Google what these credentials may do, and what organisation policies forbid, before the first change is made."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

from ..core.gcp.names import project_of
from ..core.gcp.plan_create_types import (
    Change,
    CreateAddress,
    CreateRule,
    DeleteAddress,
    DeleteFirewall,
    DeleteRule,
    SetAccess,
    SetFirewall,
    SetLabels,
)
from .client import Connection, GoogleError, gather

CONSTRAINT = "compute.disablePrivateServiceConnectCreationForConsumers"
_RULES, _ADDRESSES, _FIREWALLS = (
    "compute.globalForwardingRules",
    "compute.globalAddresses",
    "compute.firewalls",
)
_ACCESS = "compute.subnetworks.setPrivateIpGoogleAccess"
_LABELS = (f"{_RULES}.setLabels", f"{_RULES}.pscSetLabels")


def rehearse(connection: Connection, changes: Iterable[Change]) -> None:
    """GoogleError that names every permission that is lacking, or the policy; one read for each project and subnet."""
    changes = list(changes)
    needs = needed(changes)
    subnets = [item.subnet for item in changes if isinstance(item, SetAccess)]
    makers = sorted({item.rule.project for item in changes if isinstance(item, CreateRule)})
    found = gather(
        {
            **{f"projects/{name}": partial(held, connection, name, needs[name]) for name in needs},
            **{path: partial(_held_on_subnet, connection, path) for path in subnets},
            **{f"policy {name}": partial(_forbidden, connection, name) for name in makers},
        }
    )
    errors = [
        GoogleError(
            f"the organisation policy {CONSTRAINT} forbids endpoints for Google APIs",
            kind="policy",
            action=f"{_RULES}.pscCreate",
            resource=f"projects/{name}",
            code="conditionNotMet",
            fix=f"Ask who keeps {CONSTRAINT} to allow GOOGLE_APIS on this project",
        )
        for name in makers
        if found[f"policy {name}"]
    ]
    wanted = {f"projects/{name}": permissions for name, permissions in needs.items()}
    for resource, permissions in {**wanted, **{path: [_ACCESS] for path in subnets}}.items():
        known = found[resource]
        errors += [
            GoogleError(
                f"permission denied for {permission}",
                kind="denied",
                action=permission,
                resource=resource,
                code="forbidden",
                fix=f"Give these credentials a role that has {permission} on it; a new binding takes some minutes",
            )
            for permission in permissions
            if known is not None and permission not in known
        ]
    if errors:
        errors[0].problems = tuple(error.message for error in errors[1:])
        raise errors[0]


def needed(changes: Iterable[Change]) -> dict[str, list[str]]:
    """Project → the permissions that the changes need there, but for those that are asked of a subnet."""
    found: dict[str, list[str]] = {}
    for change in changes:
        for project, permission in _needs(change):
            known = found.setdefault(project, [])
            if permission not in known:
                known.append(permission)
    return found


def _needs(change: Change) -> list[tuple[str, str]]:
    if isinstance(change, CreateAddress):
        home = project_of(change.address.network)
        return [
            (change.address.project, f"{_ADDRESSES}.createInternal"),
            (home, "compute.networks.use"),
        ]
    if isinstance(change, CreateRule):
        own = [
            f"{_RULES}.create",
            f"{_RULES}.pscCreate",
            *_LABELS,
            f"{_ADDRESSES}.use",
            # With the rule Google makes a namespace, and a zone for names of its own.
            "servicedirectory.namespaces.create",
            "servicedirectory.namespaces.associatePrivateZone",
            "dns.managedZones.create",
        ]
        home = project_of(change.rule.network)
        return [*((change.rule.project, name) for name in own), (home, "compute.networks.use")]
    if isinstance(change, SetLabels):
        return [(change.rule.project, name) for name in _LABELS]
    if isinstance(change, DeleteRule):
        own = [
            f"{_RULES}.delete",
            f"{_RULES}.pscDelete",
            "servicedirectory.namespaces.delete",
            "dns.managedZones.delete",
        ]
        return [(change.rule.project, name) for name in own]
    if isinstance(change, DeleteAddress):
        return [(change.address.project, f"{_ADDRESSES}.deleteInternal")]
    if isinstance(change, SetFirewall):
        verb = "update" if change.before else "create"
        return [
            (change.firewall.project, f"{_FIREWALLS}.{verb}"),
            (change.firewall.project, "compute.networks.updatePolicy"),
        ]
    if isinstance(change, DeleteFirewall):
        return [
            (change.firewall.project, f"{_FIREWALLS}.delete"),
            (change.firewall.project, "compute.networks.updatePolicy"),
        ]
    return []


def held(connection: Connection, project: str, permissions: list[str]) -> set[str] | None:
    """Those of the permissions that are held; None when it cannot be asked, so that only the write can tell."""
    path = f"projects/{project}:testIamPermissions"
    return _ask(connection, "cloudresourcemanager", path, permissions)


def _held_on_subnet(connection: Connection, subnet: str) -> set[str] | None:
    """The same for Private Google Access of one subnet, which its own bindings may give as well as the project's."""
    return _ask(connection, "compute", f"{subnet}/testIamPermissions", [_ACCESS])


def _ask(
    connection: Connection, service: str, path: str, permissions: list[str]
) -> set[str] | None:
    try:
        found = connection.rest(service, "POST", path, {"permissions": permissions}, resource=path)
    except GoogleError as error:
        if error.kind not in ("denied", "disabled", "policy", "missing", "refused"):
            raise
        return None
    return set(found.get("permissions") or ())


def _forbidden(connection: Connection, project: str) -> bool:
    """Whether the policy in effect forbids it. A policy that may not be read is left to the write."""
    path = f"projects/{project}/policies/{CONSTRAINT}:getEffectivePolicy"
    try:
        found = connection.get("orgpolicy", path, resource=path)
    except GoogleError as error:
        if error.kind not in ("denied", "disabled", "policy", "missing", "refused"):
            raise
        return False
    rules: list[dict[str, Any]] = (found.get("spec") or {}).get("rules") or []
    return any(_denies(rule) for rule in rules)


def _denies(rule: dict[str, Any]) -> bool:
    if rule.get("denyAll") or rule.get("enforce"):
        return True
    values = rule.get("values") or {}
    denied, allowed = (
        {str(text).removeprefix("is:") for text in values.get(key) or ()}
        for key in ("deniedValues", "allowedValues")
    )
    return "GOOGLE_APIS" in denied or (bool(allowed) and "GOOGLE_APIS" not in allowed)
