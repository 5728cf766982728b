# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cloud DNS: managed zones, private and peering, and their operations."""

from __future__ import annotations

import copy
from typing import Any

from . import dns_common as common
from .errors import GoogleError, invalid
from .operation import Control, Result, method, page
from .records import Resource, Zone
from .state import State, timestamp

_VISIBILITY = "dns#managedZonePrivateVisibilityConfig"
_PEERING = "dns#managedZonePeeringConfig"
_FIXED = ("name", "dnsName", "visibility")


def zone_of(control: Control) -> Zone:
    name = control.path["managedZone"]
    for zone in control.state.zones.values():
        named = zone.resource["name"] == name or zone.resource["id"] == name
        if zone.project == control.project.id and named:
            return zone
    raise common.not_found("managedZone", name)


@method("dns.projects.get")
def get_project(control: Control) -> Result:
    common.authorize(control, "projects.get")
    quota = {
        "kind": "dns#quota",
        "managedZones": 10000,
        "networksPerManagedZone": 100,
        "rrsetsPerManagedZone": 10000,
    }
    return {
        "kind": "dns#project",
        "number": control.project.number,
        "id": control.project.id,
        "quota": quota,
    }


@method("dns.managedZones.create")
def create(control: Control) -> Result:
    state, body = control.state, copy.deepcopy(dict(control.body))
    common.check_name("managedZone", body.get("name"))
    common.authorize(control, "managedZones.create", f"managedZones/{body['name']}")
    common.check_dns_name("managedZone.dnsName", body.get("dnsName"))
    if "description" not in body:
        raise common.required("managedZone.description")
    if (control.project.id, body["name"]) in state.zones:
        raise common.exists("managedZone", body["name"])
    body.setdefault("visibility", "public")
    private = body["visibility"] == "private"
    body["dnsName"] = body["dnsName"].lower()
    _configure(control, body, None)
    if "peeringConfig" in body and not private:
        raise invalid("Peering zones must have private visibility.")
    resource: Resource = {
        "kind": "dns#managedZone",
        **body,
        "id": state.new_id(),
        "creationTime": timestamp(state.now()),
        "nameServers": common.authority(body["dnsName"], private)[0]["rrdatas"],
    }
    zone = Zone(control.project.id, resource, common.authority(body["dnsName"], private))
    state.zones[control.project.id, body["name"]] = zone
    common.bind_zone(state, zone)
    return resource


def _configure(control: Control, body: Resource, zone: Zone | None) -> None:
    """Check and complete which networks see a zone, and where a peering zone leads."""
    if "privateVisibilityConfig" in body:
        if body.get("visibility", "private") != "private":
            raise invalid("privateVisibilityConfig can only be specified for private zones.")
        config = body["privateVisibilityConfig"]
        listed = common.networks(
            control,
            config.get("networks", []),
            "managedZone.privateVisibilityConfig",
            f"{_VISIBILITY}Network",
        )
        body["privateVisibilityConfig"] = {"kind": _VISIBILITY, **config, "networks": listed}
        dns_name = body.get("dnsName") or (zone.dns_name if zone else "")
        _check_conflicts(control.state, dns_name, listed, zone)
    if "peeringConfig" in body:
        target = body["peeringConfig"].get("targetNetwork", {})
        (found,) = common.networks(
            control, [target], "managedZone.peeringConfig.targetNetwork", f"{_PEERING}TargetNetwork"
        )
        body["peeringConfig"] = {"kind": _PEERING, "targetNetwork": found}


def _check_conflicts(
    state: State, dns_name: str, networks: list[Resource], mine: Zone | None
) -> None:
    """No network may see two zones of the same name."""
    for zone in state.zones.values():
        if zone is mine or zone.dns_name != dns_name:
            continue
        theirs = zone.resource.get("privateVisibilityConfig", {}).get("networks", [])
        taken = {each["networkUrl"] for each in theirs}
        for each in networks:
            if each["networkUrl"] in taken:
                raise GoogleError(
                    409,
                    f"Network '{each['networkUrl']}' cannot be bound to this zone because the zone "
                    f"'{zone.resource['name']}' with the DNS name '{dns_name}' is bound to it.",
                    "conflict",
                )


@method("dns.managedZones.get")
def get(control: Control) -> Result:
    common.authorize(control, "managedZones.get", f"managedZones/{control.path['managedZone']}")
    return zone_of(control).resource


@method("dns.managedZones.list")
def list_(control: Control) -> Result:
    common.authorize(control, "managedZones.list")
    wanted = control.query.get("dnsName")
    zones = [
        zone.resource
        for zone in control.state.zones.values()
        if zone.project == control.project.id and wanted in (None, zone.dns_name)
    ]
    items, following = page(control, zones, "maxResults", 100)
    answer: dict[str, Any] = {"kind": "dns#managedZonesListResponse", "managedZones": items}
    return answer | ({"nextPageToken": following} if following else {})


@method("dns.managedZones.patch", "dns.managedZones.update")
def change(control: Control) -> Result:
    zone = zone_of(control)
    common.authorize(control, "managedZones.update", f"managedZones/{zone.resource['name']}")
    body = copy.deepcopy(dict(control.body))
    for field in _FIXED:
        if field in body and body[field] != zone.resource[field]:
            raise common.bad(f"managedZone.{field}", body[field])
    before = copy.deepcopy(zone.resource)
    # PATCH replaces what it names, lists as a whole; PUT takes away what it does not name.
    if control.method.endswith("update"):
        for field in ("labels", "privateVisibilityConfig", "peeringConfig"):
            if field not in body:
                zone.resource.pop(field, None)
    _configure(control, body, zone)
    zone.resource.update(body)
    common.bind_zone(control.state, zone)
    return common.operation(control, zone, "update", before, copy.deepcopy(zone.resource))


@method("dns.managedZones.delete")
def delete(control: Control) -> Result | None:
    zone = zone_of(control)
    name = zone.resource["name"]
    common.authorize(control, "managedZones.delete", f"managedZones/{name}")
    if any(
        each["type"] not in ("SOA", "NS") or each["name"] != zone.dns_name for each in zone.records
    ):
        message = f"The resource named '{name}' cannot be deleted because it contains one or more 'resource records'."
        raise GoogleError(400, message, "containerNotEmpty")
    del control.state.zones[zone.project, name]
    return None


@method("dns.managedZoneOperations.get")
def get_operation(control: Control) -> Result:
    common.authorize(control, "managedZoneOperations.get")
    found = [
        each for each in zone_of(control).operations if each["id"] == control.path["operation"]
    ]
    if not found:
        raise common.not_found("operation", control.path["operation"])
    return found[0]


@method("dns.managedZoneOperations.list")
def list_operations(control: Control) -> Result:
    common.authorize(control, "managedZoneOperations.list")
    operations = list(reversed(zone_of(control).operations))
    return {"kind": "dns#managedZoneOperationsListResponse", "operations": operations}
