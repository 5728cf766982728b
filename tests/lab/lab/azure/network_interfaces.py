# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Network interfaces: those of private endpoints, which Azure makes and nobody else may change."""

from __future__ import annotations

import secrets
import uuid
from typing import Any

from . import stock
from .arm_ids import ArmId
from .control import Control
from .errors import bad_request
from .network import NAMESPACE, SDK, VERSIONS
from .registry import Answer, operation, resource_type, standard_view
from .state import Resource, State

_NAME = f"{NAMESPACE}/networkInterfaces"


def _view(state: State, interface: Resource) -> dict[str, Any]:
    body = standard_view(state, interface)
    body["properties"]["ipConfigurations"] = [
        {
            "etag": f'W/"{interface.etag}"',
            "type": f"{_NAME}/ipConfigurations",
            **each,
            "properties": {"provisioningState": "Succeeded", **each["properties"]},
        }
        for each in interface.properties["ipConfigurations"]
    ]
    return body


INTERFACES = resource_type(_NAME, VERSIONS, model=(SDK, "NetworkInterface"), view=_view)
stock.readable(INTERFACES)
stock.taggable(INTERFACES)


def make(
    state: State,
    endpoint: Resource,
    name: str,
    members: list[tuple[str, str]],
    addresses: list[str],
    static: bool,
) -> Resource:
    """The interface of an endpoint: one IP configuration for each (member, host), with its address."""
    id = endpoint.id
    interface_id = ArmId(id.scope, NAMESPACE, ("networkInterfaces",), (name,))
    configurations = [
        _configuration(interface_id, endpoint, member, host, address, static)
        for (member, host), address in zip(members, addresses, strict=True)
    ]
    configurations[0]["properties"]["primary"] = True
    body: dict[str, Any] = {
        "location": endpoint.body["location"],
        "tags": {},
        "properties": {
            "resourceGuid": str(uuid.uuid4()),
            "ipConfigurations": configurations,
            "dnsSettings": {"dnsServers": [], "appliedDnsServers": []},
            "macAddress": "-".join(f"{byte:02X}" for byte in (0, 34, 72, *secrets.token_bytes(3))),
            "enableAcceleratedNetworking": False,
            "vnetEncryptionSupported": False,
            "enableIPForwarding": False,
            "privateEndpoint": {"id": str(id)},
            "hostedWorkloads": [],
            "tapConfigurations": [],
            "nicType": "Standard",
            "auxiliaryMode": "None",
            "auxiliarySku": "None",
        },
    }
    return state.add(Resource(interface_id, body))


def _configuration(
    interface: ArmId, endpoint: Resource, member: str, host: str, address: str, static: bool
) -> dict[str, Any]:
    name = f"privateEndpointIpConfig.{uuid.uuid4()}"
    properties = {
        "privateIPAddress": address,
        "privateIPAllocationMethod": "Static" if static else "Dynamic",
        "privateIPAddressVersion": "IPv4",
        "subnet": {"id": endpoint.properties["subnet"]["id"]},
        "primary": False,
        "privateLinkConnectionProperties": {
            "groupId": "account",
            "requiredMemberName": member,
            "fqdns": [host],
        },
    }
    return {"name": name, "id": f"{interface}/ipConfigurations/{name}", "properties": properties}


def names_of(state: State, endpoint: Resource) -> list[tuple[str, str]]:
    """(host, address) of each member, from the interface."""
    made = []
    for reference in endpoint.properties.get("networkInterfaces") or []:
        interface = state.find(reference["id"])
        for each in interface.properties["ipConfigurations"] if interface else []:
            for host in each["properties"]["privateLinkConnectionProperties"]["fqdns"]:
                made.append((host, each["properties"]["privateIPAddress"]))
    return made


@operation(INTERFACES, "PUT")
def put(control: Control) -> Answer:
    """Interfaces of endpoints are Azure's; the lab has no virtual machines that need others."""
    standing = control.existing()
    if standing is None:
        raise bad_request(
            "OperationNotAllowed",
            "The lab makes network interfaces for private endpoints alone.",
        )
    raise _in_use(standing, "updated")


@operation(INTERFACES, "DELETE")
def delete(control: Control) -> Answer:
    standing = control.existing()
    if standing is None:
        return Answer(204)
    raise _in_use(standing, "deleted")


def _in_use(interface: Resource, what: str) -> Exception:
    endpoint = interface.properties["privateEndpoint"]["id"]
    return bad_request(
        "NicInUseWithPrivateEndpoint",
        f"Network interface {interface.id} cannot be {what} because it is currently in use with an "
        f"private endpoint ({endpoint}). In order to delete the Network Interface, delete the "
        "Private Endpoint.",
    )


def _refuse_effective(control: Control) -> Answer:
    """What is in effect can be asked of running virtual machines' interfaces only."""
    interface = stock.existing_parent(control)
    raise bad_request(
        "NetworkInterfaceNotAttachedToRunningVm",
        f"Network interface {interface.id} is not attached to a running virtual machine: it is the "
        "interface of a private endpoint. Effective routes and effective security rules are not "
        "available for it.",
    )


for _query in ("effectiveNetworkSecurityGroups", "effectiveRouteTable"):
    _type = resource_type(f"{_NAME}/{_query}", VERSIONS, tracked=False, etag="")
    operation(_type, "POST", action=f"{_NAME}/{_query}/action")(_refuse_effective)
