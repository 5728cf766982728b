# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the changes of the create phase need to be allowed, and whether a list of permissions has it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from .arm_id import ArmId
from .plan_create_types import (
    Approve,
    AttachZones,
    Change,
    ChangeEndpoint,
    ChangeRules,
    ChangeSubnet,
    CreateEndpoint,
    CreateGroup,
    DeleteEndpoint,
    DeleteGroup,
)

_ENDPOINTS = "Microsoft.Network/privateEndpoints"
_GROUPS = "Microsoft.Network/networkSecurityGroups"
_TABLES = "Microsoft.Network/routeTables"
_GATEWAYS = "Microsoft.Network/natGateways"
_SUBNETS = "Microsoft.Network/virtualNetworks/subnets"
_APPROVAL = "Microsoft.CognitiveServices/accounts/PrivateEndpointConnectionsApproval/action"

Need = tuple[str, str]


def needed(changes: Iterable[Change]) -> list[Need]:
    """(action, scope) of everything that the changes do, in order; the scope of what is to be made is its group's."""
    listed = list(changes)
    new = {str(item.id).lower() for item in listed if isinstance(item, CreateGroup)}
    found = [need for change in listed for need in _needs(change, new)]
    return list(dict.fromkeys(found))


def allows(permissions: Iterable[Mapping[str, Any]], action: str) -> bool:
    """Whether a scope's permissions, as Microsoft.Authorization lists them, have the action."""
    return any(
        _any(item.get("actions") or (), action) and not _any(item.get("notActions") or (), action)
        for item in permissions
    )


def _needs(change: Change, new: set[str]) -> list[Need]:
    if isinstance(change, CreateEndpoint):
        wish = change.desired
        found = [
            (f"{_ENDPOINTS}/write", str(wish.endpoint.group)),
            (f"{_SUBNETS}/join/action", str(wish.subnet)),
        ]
        return [*found, *([(_APPROVAL, change.account.id)] if wish.approval == "automatic" else [])]
    if isinstance(change, ChangeEndpoint):
        return [(f"{_ENDPOINTS}/write", change.endpoint.id)]
    if isinstance(change, Approve):
        account = str(ArmId.parse(change.connection.id).parent)
        action = "Microsoft.CognitiveServices/accounts/privateEndpointConnections/write"
        return [(action, account), (_APPROVAL, account)]
    if isinstance(change, AttachZones):
        action = f"{_ENDPOINTS}/privateDnsZoneGroups/write"
        join = "Microsoft.Network/privateDnsZones/join/action"
        return [
            (action, str(ArmId.parse(change.endpoint_id).group)),
            *((join, zone.id) for zone in change.zones),
        ]
    if isinstance(change, DeleteEndpoint):
        return [(f"{_ENDPOINTS}/delete", change.endpoint.id)]
    return _network_needs(change, new)


def _network_needs(
    change: CreateGroup | ChangeRules | ChangeSubnet | DeleteGroup, new: set[str]
) -> list[Need]:
    def scope(group_id: str) -> str:
        return str(ArmId.parse(group_id).group) if group_id.lower() in new else group_id

    if isinstance(change, CreateGroup):
        return [(f"{_GROUPS}/write", str(change.id.group))]
    if isinstance(change, DeleteGroup):
        return [(f"{_GROUPS}/delete", change.group.id)]
    if isinstance(change, ChangeRules):
        where = scope(change.group_id)
        return [
            *([(f"{_GROUPS}/securityRules/write", where)] if change.set else []),
            *([(f"{_GROUPS}/securityRules/delete", where)] if change.delete else []),
        ]
    # The whole subnet is sent, with what it has, and the group that it has or gets.
    group_id = change.subnet.group_id if change.group_id is None else change.group_id
    joined = (
        (_GROUPS, scope(group_id) if group_id else ""),
        (_TABLES, change.subnet.route_table_id),
        (_GATEWAYS, change.subnet.nat_gateway_id),
    )
    return [
        (f"{_SUBNETS}/write", change.subnet.id),
        *((f"{kind}/join/action", where) for kind, where in joined if where),
    ]


def _any(patterns: Iterable[str], action: str) -> bool:
    return any(
        re.fullmatch(re.escape(item).replace(r"\*", ".*"), action, re.IGNORECASE)
        for item in patterns
    )
