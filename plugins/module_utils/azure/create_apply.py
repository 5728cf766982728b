# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Make the changes of the create phase. Each write sends back all that was read, and may have taken effect before."""

from __future__ import annotations

import copy
from typing import Any

from ..core.azure.arm_id import same
from ..core.azure.names import GROUP as LINK_GROUP
from ..core.azure.names import members
from ..core.azure.plan_create import merged_policies
from ..core.azure.plan_create_rules import DESCRIPTION, Rule
from ..core.azure.plan_create_types import (
    MANAGED_TAG,
    Approve,
    AttachZones,
    ChangeEndpoint,
    ChangeRules,
    ChangeSubnet,
    CreateEndpoint,
    CreateGroup,
    DeleteEndpoint,
    DeleteGroup,
)
from ..core.azure.plan_dns_types import GROUP, config_name
from ..core.errors import EndpointError
from ..waiting import Deadline
from .client import AzureError, Connection, Operation
from .create_observe import Snapshot

Document = dict[str, Any]


def create_endpoint(
    connection: Connection, change: CreateEndpoint, deadline: Deadline
) -> Operation:
    """Begin to make the endpoint, unless one of that name was made in the meantime."""
    return connection.begin(
        "PUT", change.desired.endpoint, endpoint_body(change), new=True, deadline=deadline
    )


def endpoint_body(change: CreateEndpoint) -> Document:
    """A new endpoint as Azure is told."""
    wish = change.desired
    link: Document = {
        "name": wish.endpoint.name,
        "properties": {"privateLinkServiceId": change.account.id, "groupIds": [LINK_GROUP]},
    }
    manual = wish.approval == "manual"
    if manual:
        link["properties"]["requestMessage"] = wish.message
    properties: Document = {
        "subnet": {"id": str(wish.subnet)},
        "manualPrivateLinkServiceConnections" if manual else "privateLinkServiceConnections": [
            link
        ],
    }
    if wish.addresses:
        properties["ipConfigurations"] = [
            {
                "name": f"{wish.endpoint.name}-{member}",
                "properties": {
                    "groupId": LINK_GROUP,
                    "memberName": member,
                    "privateIPAddress": address,
                },
            }
            for member, address in zip(members(change.account.kind), wish.addresses, strict=True)
        ]
    return {"location": change.location, "tags": dict(change.tags), "properties": properties}


def change_endpoint(
    connection: Connection, change: ChangeEndpoint, snapshot: Snapshot, deadline: Deadline
) -> Document:
    """Set its tags, everything else as it was read; returns the endpoint as it stands then."""
    body = copy.deepcopy(snapshot.endpoint or {})
    if change.tags:
        body["tags"] = dict(change.tags.after)
    # What only Azure says; it refuses some of it.
    for name in ("networkInterfaces", "provisioningState", "resourceGuid"):
        body["properties"].pop(name, None)
    etag = body.get("etag")
    return dict(connection.write("PUT", change.endpoint.id, body, etag=etag, deadline=deadline))


def approve(connection: Connection, change: Approve, deadline: Deadline) -> None:
    """Approve a connection on the account's side, everything else as it is now."""
    body = connection.get(change.connection.id)
    state = body["properties"].setdefault("privateLinkServiceConnectionState", {})
    state["status"] = "Approved"
    state["description"] = state.get("description") or DESCRIPTION
    connection.write("PUT", change.connection.id, body, deadline=deadline)


def attach_zones(connection: Connection, change: AttachZones, deadline: Deadline) -> None:
    """Give the endpoint its zone group; one that another run made meanwhile stays."""
    body = {
        "properties": {
            "privateDnsZoneConfigs": [
                {"name": config_name(zone.name), "properties": {"privateDnsZoneId": zone.id}}
                for zone in change.zones
            ]
        }
    }
    path = f"{change.endpoint_id}/privateDnsZoneGroups/{GROUP}"
    connection.write("PUT", path, body, deadline=deadline)


def create_group(connection: Connection, change: CreateGroup, deadline: Deadline) -> None:
    """Make the security group, or take the one of this collection that another run made in the meantime."""
    body = {"location": change.location, "tags": dict(change.tags), "properties": {}}
    try:
        connection.write("PUT", change.id, body, new=True, deadline=deadline)
    except AzureError as error:
        if not error.changed_meanwhile:
            raise
        standing = connection.get(change.id)
        if MANAGED_TAG not in (standing.get("tags") or {}):
            raise EndpointError(
                f"{change.id} exists and was not made by this collection",
                resource="security_group_name",
                code="ResourceExists",
                fix="Choose another name, or attach that group to the subnet yourself and run again",
            ) from error


def change_rules(connection: Connection, change: ChangeRules, deadline: Deadline) -> None:
    """Set and delete single rules, so that the group's other rules are not touched."""
    for rule in change.set:
        connection.write(
            "PUT",
            f"{change.group_id}/securityRules/{rule.name}",
            rule_body(rule),
            deadline=deadline,
        )
    for rule in change.delete:
        delete(connection, f"{change.group_id}/securityRules/{rule.name}", deadline)


def rule_body(rule: Rule) -> Document:
    """A managed rule as Azure is told."""
    properties: Document = {
        "description": DESCRIPTION,
        "priority": rule.priority,
        "direction": rule.direction,
        "access": rule.access,
        "protocol": rule.protocol,
        "sourcePortRange": "*",
        "destinationPortRange": rule.ports[0],
        "destinationAddressPrefixes": list(rule.destinations),
    }
    if rule.sources == ("*",):
        properties["sourceAddressPrefix"] = "*"
    else:
        properties["sourceAddressPrefixes"] = list(rule.sources)
    return {"properties": properties}


def change_subnet(connection: Connection, change: ChangeSubnet, deadline: Deadline) -> None:
    """Attach or detach the group and switch policies on; all else goes back as it is read now, under its etag."""
    body = connection.get(change.subnet.id)
    properties = body["properties"]
    standing = (properties.get("networkSecurityGroup") or {}).get("id")
    if not same(standing, change.subnet.group_id):
        raise AzureError(
            "its security group was changed by somebody else",
            kind="conflict",
            status=412,
            action="Microsoft.Network/virtualNetworks/subnets/write",
            resource=change.subnet.id,
            code="PreconditionFailed",
            fix="Run again",
        )
    if change.policies is not None:
        present = properties.get("privateEndpointNetworkPolicies")
        properties["privateEndpointNetworkPolicies"] = merged_policies(present, change.policies)
    if change.group_id:
        properties["networkSecurityGroup"] = {"id": change.group_id}
    elif change.group_id is not None:
        properties.pop("networkSecurityGroup", None)
    connection.write("PUT", change.subnet.id, body, etag=body.get("etag"), deadline=deadline)


def delete_endpoint(connection: Connection, change: DeleteEndpoint, deadline: Deadline) -> None:
    """Delete it and wait until it is gone."""
    delete(connection, change.endpoint.id, deadline)


def delete_group(connection: Connection, change: DeleteGroup, deadline: Deadline) -> None:
    """Delete it."""
    delete(connection, change.group.id, deadline)


def delete(connection: Connection, id_: str, deadline: Deadline) -> None:
    """Delete a resource; one that is gone is what was asked for."""
    try:
        connection.write("DELETE", id_, deadline=deadline)
    except AzureError as error:
        if error.kind != "missing":
            raise
