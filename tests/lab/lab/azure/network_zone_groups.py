# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private DNS zone groups: Azure writes an endpoint's records into zones, and takes them out again."""

from __future__ import annotations

import uuid
from typing import Any

from . import arm_ids, stock
from .control import Control
from .errors import bad_request
from .network import NAMESPACE, SDK, VERSIONS
from .network_interfaces import names_of
from .private_dns_records import remove_owned, write_owned
from .registry import Answer, operation, resource_type
from .state import Resource, State

_ZONES = f"{NAMESPACE}/privateDnsZones"
_MOST = 5
TTL = 10


def _view(state: State, group: Resource) -> dict[str, Any]:
    configs = [
        {
            "name": each["name"],
            "id": f"{group.id}/privateDnsZoneConfigs/{each['name']}",
            "etag": f'W/"{group.etag}"',
            "type": f"{GROUPS.name}/privateDnsZoneConfigs",
            "properties": {
                "provisioningState": "Succeeded",
                "privateDnsZoneId": each["properties"]["privateDnsZoneId"],
                "recordSets": _shown_records(state, group, each),
            },
        }
        for each in group.properties.get("privateDnsZoneConfigs") or []
    ]
    return {"properties": {"provisioningState": group.state, "privateDnsZoneConfigs": configs}}


def _shown_records(state: State, group: Resource, config: dict[str, Any]) -> list[dict[str, Any]]:
    zone = state.find(config["properties"]["privateDnsZoneId"])
    endpoint = state.find(str(group.id.parent))
    if zone is None or endpoint is None or not group.hidden.get("written"):
        return []
    return [
        {
            "recordType": "A",
            "recordSetName": label,
            "fqdn": f"{label}.{zone.id.name}",
            "ttl": TTL,
            "ipAddresses": [address],
            "provisioningState": "Succeeded",
        }
        for label, address in _records(state, endpoint, zone)
    ]


GROUPS = resource_type(
    f"{NAMESPACE}/privateEndpoints/privateDnsZoneGroups",
    VERSIONS,
    model=(SDK, "PrivateDnsZoneGroup"),
    view=_view,
    tracked=False,
)
stock.readable(GROUPS)


def _records(state: State, endpoint: Resource, zone: Resource) -> list[tuple[str, str]]:
    """(label, address) of the endpoint's hosts whose privatelink name lies in a zone."""
    made = []
    for host, address in names_of(state, endpoint):
        label, _, suffix = host.partition(".")
        if f"privatelink.{suffix}" == zone.id.name.lower():
            made.append((label, address))
    return made


@operation(GROUPS, "PUT")
def put(control: Control) -> Answer:
    """At most one group for an endpoint; its records are written anew."""
    endpoint = stock.existing_parent(control)
    standing = control.existing()
    siblings = control.state.children(endpoint.id, "privateDnsZoneGroups")
    control.idle(endpoint, *siblings)
    if siblings and standing is None:
        raise bad_request(
            "MoreThanOnePrivateDnsZoneGroupPerPrivateEndpointNotAllowed",
            f"Private endpoint {endpoint.id} cannot have more than one private DNS zone group: it "
            f"has {siblings[0].id}.",
        )
    configs = _configs(control)
    made = standing or control.state.add(Resource(control.id, {}))
    before = list(made.properties.get("privateDnsZoneConfigs") or [])
    made.body = {"properties": {"privateDnsZoneConfigs": configs}}
    made.touch()

    def write() -> None:
        _remove(control.state, endpoint, before)
        rewrite(control.state, endpoint)

    return control.begin(
        made,
        control.state.timing.dns,
        write,
        status=200 if standing else 201,
        state="Updating",
        also=(endpoint,),
    )


def _configs(control: Control) -> list[dict[str, Any]]:
    given = control.properties.get("privateDnsZoneConfigs") or []
    if not given or len(given) > _MOST:
        raise bad_request(
            "InvalidPrivateDnsZoneConfigsCount",
            f"Private DNS zone group {control.id} must have 1 to {_MOST} private DNS zone configs, "
            f"{len(given)} given.",
        )
    made: list[dict[str, Any]] = []
    for each in given:
        name = str(each.get("name") or "")
        _check_name(control, name, [one["name"] for one in made])
        zone = control.referenced(
            str((each.get("properties") or {}).get("privateDnsZoneId", "")), _ZONES
        )
        control.authorize_linked(f"{_ZONES}/join/action", zone.id)
        if any(arm_ids.same(one["properties"]["privateDnsZoneId"], str(zone.id)) for one in made):
            raise bad_request(
                "DuplicatePrivateDnsZoneInPrivateDnsZoneGroup",
                f"Private DNS zone group {control.id} has private DNS zone {zone.id} twice.",
            )
        made.append({"name": name, "properties": {"privateDnsZoneId": str(zone.id)}})
    return made


def _check_name(control: Control, name: str, others: list[str]) -> None:
    """Each config has a name of its own."""
    if name and name.lower() not in [each.lower() for each in others]:
        return
    detail = {
        "code": "MissingJsonReferenceId",
        "message": "Value for reference id is missing. Path properties.privateDnsZoneConfigs.",
    }
    if name:
        detail = {
            "code": "DuplicateResourceName",
            "message": f"Resource {control.id} has two child resources with the same name "
            f"({name}).",
        }
    raise bad_request("InvalidRequestFormat", "Cannot parse the request.", details=[detail])


def rewrite(state: State, endpoint: Resource) -> None:
    """Write the records of the endpoint's group into its zones."""
    for group in state.children(endpoint.id, "privateDnsZoneGroups"):
        for config in group.properties.get("privateDnsZoneConfigs") or []:
            zone = state.find(config["properties"]["privateDnsZoneId"])
            for label, address in _records(state, endpoint, zone) if zone else []:
                guid = endpoint.properties.setdefault("resourceGuid", str(uuid.uuid4()))
                metadata = {
                    "creator": f"created by private endpoint {endpoint.id.name} with resource guid "
                    f"{guid}"
                }
                if zone is not None:
                    write_owned(state, zone, label, address, TTL, metadata, str(endpoint.id))
        group.hidden["written"] = True


def _remove(state: State, endpoint: Resource, configs: list[dict[str, Any]]) -> None:
    for config in configs:
        zone = state.find(config["properties"]["privateDnsZoneId"])
        if zone is not None:
            remove_owned(state, zone, str(endpoint.id))


@operation(GROUPS, "DELETE")
def delete(control: Control) -> Answer:
    group = control.existing()
    if group is None:
        return Answer(204)
    endpoint = stock.existing_parent(control)
    control.idle(endpoint, group)
    configs = list(group.properties.get("privateDnsZoneConfigs") or [])
    return control.delete(
        group,
        control.state.timing.dns,
        lambda: _remove(control.state, endpoint, configs),
        also=(endpoint,),
    )


def forget(state: State, endpoint: Resource) -> None:
    """The endpoint is gone: so are the records of its group."""
    for group in state.children(endpoint.id, "privateDnsZoneGroups"):
        _remove(state, endpoint, list(group.properties.get("privateDnsZoneConfigs") or []))
