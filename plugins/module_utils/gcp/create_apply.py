# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Make the changes of the create phase: endpoints beside each other, each one's address, rule and labels in turn."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

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
from ..waiting import Deadline
from .client import Connection, GoogleError, gather
from .create_convert import firewall_body
from .create_convert import rule as read_rule


def apply(connection: Connection, changes: Sequence[Change], deadline: Deadline) -> None:
    """Make all changes.

    What admits comes before what denies, and what denies goes before what admits: nobody is cut off in between.
    """
    chains: dict[str, list[Change]] = {}
    for change in changes:
        if isinstance(change, CreateAddress):
            chains.setdefault(f"endpoint {change.address.network}", []).append(change)
        elif isinstance(change, (CreateRule, SetLabels)):
            chains.setdefault(f"endpoint {change.rule.network}", []).append(change)
        elif isinstance(change, SetAccess):
            chains[change.subnet] = [change]
        elif isinstance(change, SetFirewall) and change.firewall.action == "allow":
            chains[change.firewall.id] = [change]
    _together(connection, chains, deadline)
    removed = [item for item in changes if isinstance(item, DeleteFirewall)]
    denying: dict[str, list[Change]] = {
        item.firewall.id: [item]
        for item in changes
        if isinstance(item, (SetFirewall, DeleteFirewall)) and item.firewall.action == "deny"
    }
    _together(connection, denying, deadline)
    last: dict[str, list[Change]] = {
        item.firewall.id: [item] for item in removed if item.firewall.action == "allow"
    }
    for change in changes:
        if isinstance(change, DeleteRule):
            last.setdefault(f"endpoint {change.rule.network}", []).append(change)
        elif isinstance(change, DeleteAddress):
            last.setdefault(f"endpoint {change.address.network}", []).append(change)
    _together(connection, last, deadline)


def _together(
    connection: Connection, chains: Mapping[str, Iterable[Change]], deadline: Deadline
) -> None:
    gather({name: partial(_chain, connection, chain, deadline) for name, chain in chains.items()})


def _chain(connection: Connection, chain: Iterable[Change], deadline: Deadline) -> None:
    for change in chain:
        _HANDLERS[type(change)](connection, change, deadline)


def _create_address(connection: Connection, change: CreateAddress, deadline: Deadline) -> None:
    address = change.address
    body = {
        "name": address.name,
        "address": address.address,
        "addressType": "INTERNAL",
        "purpose": address.purpose,
        "network": address.network,
        "description": address.description,
    }
    path = f"projects/{address.project}/global/addresses"
    connection.write("compute", "POST", path, body, deadline=deadline, resource=address.id)


def _create_rule(connection: Connection, change: CreateRule, deadline: Deadline) -> None:
    rule = change.rule
    body: dict[str, Any] = {
        "name": rule.name,
        "IPAddress": f"projects/{rule.project}/global/addresses/{change.address_name}",
        "target": rule.bundle,
        "network": rule.network,
        "description": rule.description,
    }
    if rule.region:
        body["serviceDirectoryRegistrations"] = [{"serviceDirectoryRegion": rule.region}]
    path = f"projects/{rule.project}/global/forwardingRules"
    connection.write("compute", "POST", path, body, deadline=deadline, resource=rule.id)
    # Google refuses labels in the insert itself.
    made = read_rule(connection.get("compute", rule.id, resource=rule.id))
    _set_labels(connection, SetLabels(rule=made, labels=rule.labels), deadline)


def _set_labels(connection: Connection, change: SetLabels, deadline: Deadline) -> None:
    rule = change.rule
    connection.write(
        "compute",
        "POST",
        f"{rule.id}/setLabels",
        {"labelFingerprint": rule.fingerprint, "labels": dict(change.labels)},
        deadline=deadline,
        resource=rule.id,
        request_id=False,
    )


def _set_access(connection: Connection, change: SetAccess, deadline: Deadline) -> None:
    connection.write(
        "compute",
        "POST",
        f"{change.subnet}/setPrivateIpGoogleAccess",
        {"privateIpGoogleAccess": True},
        deadline=deadline,
        resource=change.subnet,
    )


def _set_firewall(connection: Connection, change: SetFirewall, deadline: Deadline) -> None:
    firewall, new = change.firewall, change.before is None
    connection.write(
        "compute",
        "POST" if new else "PUT",
        f"projects/{firewall.project}/global/firewalls" if new else firewall.id,
        firewall_body(firewall),
        deadline=deadline,
        resource=firewall.id,
    )


def _delete_firewall(connection: Connection, change: DeleteFirewall, deadline: Deadline) -> None:
    _delete(connection, change.firewall.id, deadline)


def _delete_rule(connection: Connection, change: DeleteRule, deadline: Deadline) -> None:
    _delete(connection, change.rule.id, deadline)


def _delete_address(connection: Connection, change: DeleteAddress, deadline: Deadline) -> None:
    _delete(connection, change.address.id, deadline)


def _delete(connection: Connection, path: str, deadline: Deadline) -> None:
    """What another run has deleted is deleted."""
    try:
        connection.write("compute", "DELETE", path, deadline=deadline, resource=path)
    except GoogleError as error:
        if error.kind != "missing":
            raise


_HANDLERS: Mapping[type, Callable[[Connection, Any, Deadline], None]] = {
    CreateAddress: _create_address,
    CreateRule: _create_rule,
    SetLabels: _set_labels,
    SetAccess: _set_access,
    SetFirewall: _set_firewall,
    DeleteFirewall: _delete_firewall,
    DeleteRule: _delete_rule,
    DeleteAddress: _delete_address,
}
