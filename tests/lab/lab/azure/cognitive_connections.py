# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What hangs below an account: connections of private endpoints, and what can only be read.

A connection is a child resource of the account, made by the endpoint (`connect`) and approved or
rejected here. Both sides show its state: whoever changes it here tells the endpoint.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from .cognitive_rules import SDK, VERSIONS, idle
from .control import Control
from .errors import bad_request
from .hosts import ACCOUNTS, families_of, link_members
from .registry import Answer, operation, resource_type, shown
from .state import Resource, State
from .stock import existing_parent, readable

GROUP = "account"
_SIDES = ("privateLinkServiceConnections", "manualPrivateLinkServiceConnections")
CONNECTIONS = resource_type(
    f"{ACCOUNTS}/privateEndpointConnections",
    VERSIONS,
    model=(SDK, "PrivateEndpointConnection"),
    tracked=False,
    etag='"{}"',
)
readable(CONNECTIONS)


def connect(
    state: State,
    account: Resource,
    endpoint: Resource,
    groups: Sequence[str],
    status: str,
    said: str,
) -> Resource:
    """The account's side of a new endpoint's connection: Approved, or Pending when asked for by hand."""
    name = f"{endpoint.id.name}.{uuid.uuid4()}"
    body = {
        "location": account.body["location"],
        "properties": {
            "privateEndpoint": {"id": str(endpoint.id)},
            "groupIds": list(groups),
            "privateLinkServiceConnectionState": {
                "status": status,
                "description": said,
                "actionsRequired": "None",
            },
        },
    }
    return state.add(Resource(account.id.child("privateEndpointConnections", name), body))


def connection_of(state: State, endpoint: Resource) -> Resource | None:
    """The account's side of an endpoint's connection, wherever the account is."""
    for each in state.of_type(CONNECTIONS.name):
        holder = each.properties.get("privateEndpoint") or {}
        if str(holder.get("id", "")).lower() == endpoint.id.key:
            return each
    return None


def disconnect(state: State, endpoint: Resource) -> None:
    """The endpoint is gone: so is its connection."""
    while (connection := connection_of(state, endpoint)) is not None:
        state.remove(connection.id)


def tell_endpoint(state: State, connection: Resource, status: str, said: str) -> None:
    """Show a connection's new state at the endpoint, too."""
    endpoint = state.find(str((connection.properties.get("privateEndpoint") or {}).get("id", "")))
    if endpoint is None:
        return
    for side in _SIDES:
        for each in endpoint.properties.get(side) or ():
            each["properties"]["privateLinkServiceConnectionState"] = {
                "status": status,
                "description": said,
                "actionsRequired": "None",
            }
    endpoint.touch()


@operation(CONNECTIONS, "PUT")
def put(control: Control) -> Answer:
    """Approve or reject a connection that an endpoint has asked for."""
    connection = control.resource()
    idle(control, existing_parent(control))
    wanted = control.properties.get("privateLinkServiceConnectionState") or {}
    status = str(wanted.get("status") or "")
    if status not in ("Approved", "Rejected"):
        raise bad_request(
            "InvalidRequest",
            f"The private endpoint connection cannot be set to '{status}': "
            "privateLinkServiceConnectionState.status must be Approved or Rejected.",
        )
    standing: dict[str, Any] = connection.properties["privateLinkServiceConnectionState"]
    said = str(wanted.get("description") or standing.get("description") or "")

    def decide() -> None:
        standing.update(status=status, description=said)
        tell_endpoint(control.state, connection, status, said)

    return control.begin(connection, control.state.timing.account, decide, status=202)


@operation(CONNECTIONS, "DELETE")
def delete(control: Control) -> Answer:
    """Take a connection away; its endpoint stays, disconnected."""
    connection = control.existing()
    if connection is None:
        return Answer(204)
    idle(control, existing_parent(control))

    def tell() -> None:
        tell_endpoint(control.state, connection, "Disconnected", "The connection was deleted")

    return control.delete(connection, control.state.timing.account, tell)


LINK_RESOURCES = resource_type(f"{ACCOUNTS}/privateLinkResources", VERSIONS, tracked=False, etag="")


@operation(LINK_RESOURCES, "LIST")
def list_link_resources(control: Control) -> Answer:
    """The one group, with the members and zones that an endpoint of this account has."""
    account = existing_parent(control)
    suffixes = dict(
        zip(("openai", "cognitiveservices", "services.ai"), control.environment.zones, strict=True)
    )
    properties = {
        "groupId": GROUP,
        "requiredMembers": [member for member, _ in link_members(control.state, account)],
        "requiredZoneNames": [suffixes[each] for each in families_of(str(account.body["kind"]))],
        "displayName": "Cognitive Service Account",
    }
    only = {
        "id": f"{control.id}/{GROUP}",
        "name": GROUP,
        "type": LINK_RESOURCES.name,
        "properties": properties,
    }
    return Answer(200, {"value": [only]})


DEPLOYMENTS = resource_type(
    f"{ACCOUNTS}/deployments", VERSIONS, model=(SDK, "Deployment"), tracked=False, etag='"{}"'
)
PERIMETERS = resource_type(
    f"{ACCOUNTS}/networkSecurityPerimeterConfigurations",
    VERSIONS,
    model=(SDK, "NetworkSecurityPerimeterConfiguration"),
    tracked=False,
    etag="",
)


def only_in_worlds(control: Control) -> Answer:
    """Made by world files alone: nobody in the lab writes these."""
    if not control.at_start:
        raise bad_request(
            "InvalidRequest", f"The lab has no writes of '{control.operation.type.name}'."
        )
    control.state.add(Resource(control.id, dict(control.body)))
    return Answer(201, shown(control.state, control.resource()))


for _type in (DEPLOYMENTS, PERIMETERS):
    readable(_type)
    operation(_type, "PUT")(only_in_worlds)
