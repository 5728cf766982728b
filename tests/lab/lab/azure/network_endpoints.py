# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private endpoints: an interface in a subnet, and a connection that the account approves.

While an endpoint is made its interface already has its addresses; the connection, and with it names and
packets, comes at the end. From then on it works, whatever is written later.
"""

from __future__ import annotations

import copy
import uuid
from collections.abc import Mapping
from typing import Any

from . import cognitive_connections, network_interfaces, network_zone_groups, stock
from .cognitive_rules import check_linkable
from .control import Control
from .errors import bad_request, conflict
from .hosts import ACCOUNTS, link_members
from .network import NAMESPACE, SDK, VERSIONS
from .network_endpoint_rules import (
    AUTOMATIC,
    MANUAL,
    addresses_for,
    check_application_groups,
    check_groups,
    connection_of,
    same_target,
    subnet_of,
    target_of,
)
from .network_interfaces import names_of
from .registry import Answer, operation, resource_type, shown, standard_view
from .state import Resource, State

_NAME = f"{NAMESPACE}/privateEndpoints"


def _view(state: State, endpoint: Resource) -> dict[str, Any]:
    body = standard_view(state, endpoint)
    properties = body["properties"]
    for key in (AUTOMATIC, MANUAL):
        properties[key] = [
            {
                "id": f"{endpoint.id}/{key}/{each['name']}",
                "etag": f'W/"{endpoint.etag}"',
                "type": f"{_NAME}/{key}",
                **each,
                "properties": {"provisioningState": endpoint.state, **each["properties"]},
            }
            for each in endpoint.properties.get(key) or []
        ]
    properties["customDnsConfigs"] = _dns_configs(state, endpoint)
    properties.setdefault("customNetworkInterfaceName", "")
    properties.setdefault("ipConfigurations", [])
    return body


def _dns_configs(state: State, endpoint: Resource) -> list[dict[str, Any]]:
    """Host and address of each member; nothing as soon as a zone group has taken this over."""
    if not endpoint.works or state.children(endpoint.id, "privateDnsZoneGroups"):
        return []
    return [{"fqdn": host, "ipAddresses": [address]} for host, address in names_of(state, endpoint)]


ENDPOINTS = resource_type(_NAME, VERSIONS, model=(SDK, "PrivateEndpoint"), view=_view)
operation(ENDPOINTS, "LIST")(stock.listed)


@operation(ENDPOINTS, "GET")
def get(control: Control) -> Answer:
    """One endpoint; `$expand=networkInterfaces` shows its interface whole instead of by id."""
    answer = stock.get(control)
    if control.query.get("$expand", "").lower() == "networkinterfaces":
        properties = answer.body["properties"]
        properties["networkInterfaces"] = [
            shown(control.state, found)
            for each in properties.get("networkInterfaces") or []
            if (found := control.state.find(each["id"])) is not None
        ]
    return answer


@operation(ENDPOINTS, "PUT")
def put(control: Control) -> Answer:
    standing = control.existing()
    properties = dict(control.properties)
    subnet = subnet_of(control, properties)
    key, connection = connection_of(control, properties)
    account = target_of(control, key, connection)
    check_application_groups(control, properties)
    if standing is not None:
        control.idle(standing)
        return _update(control, standing, properties, key, connection)
    check_linkable(account)
    held = _held(control.state, subnet)
    control.idle(*held)
    properties.pop("customDnsConfigs", None)
    properties[key] = [_connection(connection, key)]
    properties[MANUAL if key == AUTOMATIC else AUTOMATIC] = []
    properties["resourceGuid"] = str(uuid.uuid4())
    body = {"location": control.body["location"], "properties": properties}
    body["tags"] = dict(control.body.get("tags") or {})
    made = Resource(control.id, body)
    _add_interface(control, made, account, subnet)
    control.state.add(made)
    return control.begin(
        made,
        control.state.timing.endpoint,
        lambda: _connect(control, made, account),
        status=201,
        state="Updating",
        also=held,
    )


def _add_interface(
    control: Control, endpoint: Resource, account: Resource, subnet: Resource
) -> None:
    """Take the endpoint's addresses, for as many members as the account has."""
    properties = endpoint.properties
    members = link_members(control.state, account)
    wanted = list(properties.get("ipConfigurations") or [])
    _custom_name_is_free(control, properties)
    if not members:
        return  # its connection will fail
    addresses = addresses_for(control, subnet, members, wanted)
    name = str(properties.get("customNetworkInterfaceName") or "")
    name = name or f"{control.id.name}.nic.{uuid.uuid4()}"
    interface = network_interfaces.make(
        control.state, endpoint, name, members, addresses, bool(wanted)
    )
    properties["networkInterfaces"] = [{"id": str(interface.id)}]


def _held(state: State, subnet: Resource) -> tuple[Resource, ...]:
    """What a write of an endpoint keeps busy: its network takes one write at a time."""
    network = state.find(subnet.id.root)
    return (network, subnet) if network else (subnet,)


def _custom_name_is_free(control: Control, properties: Mapping[str, Any]) -> None:
    name = str(properties.get("customNetworkInterfaceName") or "")
    id = f"{control.id.group_id}/providers/{NAMESPACE}/networkInterfaces/{name}"
    if name and control.state.find(id) is not None:
        raise bad_request(
            "CustomNetworkInterfaceNameAlreadyExists",
            f"Network interface {id} already exists; private endpoint {control.id} cannot use it.",
        )


def _connection(given: Mapping[str, Any], key: str) -> dict[str, Any]:
    """A connection as the endpoint shows it before the account has said anything."""
    inner = given["properties"]
    made = {
        "privateLinkServiceId": inner["privateLinkServiceId"],
        "groupIds": list(inner.get("groupIds") or []),
        "privateLinkServiceConnectionState": {
            "status": "Pending",
            "description": "Awaiting Approval" if key == MANUAL else "",
            "actionsRequired": "None",
        },
    }
    if inner.get("requestMessage"):
        made["requestMessage"] = inner["requestMessage"]
    return {"name": given["name"], "properties": made}


def _connect(control: Control, endpoint: Resource, account: Resource) -> None:
    """The end of making an endpoint: the account takes the connection, or refuses it."""
    state = control.state
    key = AUTOMATIC if endpoint.properties.get(AUTOMATIC) else MANUAL
    connection = endpoint.properties[key][0]
    check_groups(control, connection)
    if state.find(account.id) is None:
        raise conflict(
            "PrivateLinkServiceNotFound",
            f"Private link service {account.id} of private endpoint {endpoint.id} was not found.",
        )
    if not link_members(state, account):
        raise bad_request(
            "BadRequest",
            "Call to Microsoft.CognitiveServices/accounts failed. Error message: Private endpoint "
            f"cannot be created for {account.id}: the account has no custom subdomain name "
            "(customSubDomainName).",
        )
    status = "Approved" if key == AUTOMATIC else "Pending"
    said = (
        "Auto-Approved" if key == AUTOMATIC else connection["properties"].get("requestMessage", "")
    )
    connection["properties"]["privateLinkServiceConnectionState"] = {
        "status": status,
        "description": said or "Awaiting Approval",
        "actionsRequired": "None",
    }
    groups = connection["properties"]["groupIds"]
    cognitive_connections.connect(state, account, endpoint, groups, status, said)


def _update(
    control: Control,
    standing: Resource,
    properties: dict[str, Any],
    key: str,
    connection: Mapping[str, Any],
) -> Answer:
    """Tags and application security groups can change; what an endpoint is made of cannot."""
    before = standing.properties
    if properties["subnet"]["id"].lower() != before["subnet"]["id"].lower():
        raise bad_request(
            "PrivateEndpointSubnetCannotBeChanged",
            f"The subnet of private endpoint {control.id} cannot be changed.",
        )
    own = AUTOMATIC if before.get(AUTOMATIC) else MANUAL
    if key != own or not same_target(connection, before[own][0]):
        raise bad_request(
            "PrivateLinkServiceConnectionCannotBeChanged",
            f"The private link service connection of private endpoint {control.id} cannot be "
            "changed.",
        )
    asked = _addresses(properties)
    if asked and asked != _addresses(before):
        raise bad_request(
            "PrivateEndpointIpConfigurationCannotBeChanged",
            f"The IP configurations of private endpoint {control.id} cannot be changed.",
        )
    standing.body["tags"] = dict(control.body.get("tags") or {})
    before["applicationSecurityGroups"] = properties["applicationSecurityGroups"]
    if standing.works:
        return control.begin(standing, control.state.timing.operation, state="Updating")
    account = control.referenced(connection["properties"]["privateLinkServiceId"], ACCOUNTS)
    before[own] = [_connection(connection, own)]
    return control.begin(
        standing,
        control.state.timing.endpoint,
        lambda: _connect(control, standing, account),
        state="Updating",
    )


def _addresses(properties: Mapping[str, Any]) -> dict[str, str]:
    return {
        str(each["properties"].get("memberName")): str(each["properties"].get("privateIPAddress"))
        for each in copy.deepcopy(properties.get("ipConfigurations") or [])
    }


@operation(ENDPOINTS, "DELETE")
def delete(control: Control) -> Answer:
    """The connection ends, the interface and what the zone group wrote go, then the endpoint."""
    endpoint = control.existing()
    if endpoint is None:
        return Answer(204)
    groups = control.state.children(endpoint.id, "privateDnsZoneGroups")
    subnet = control.state.find(endpoint.properties["subnet"]["id"])
    held = _held(control.state, subnet) if subnet else ()
    control.idle(endpoint, *groups, *held)

    def gone() -> None:
        network_zone_groups.forget(control.state, endpoint)
        cognitive_connections.disconnect(control.state, endpoint)
        for reference in endpoint.properties.get("networkInterfaces") or []:
            control.state.remove(reference["id"])

    return control.delete(endpoint, control.state.timing.endpoint, gone, also=held)
