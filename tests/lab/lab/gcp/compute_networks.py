# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""compute's networks and their peerings, subnetworks, regions and projects."""

from __future__ import annotations

from .compute_common import (
    bad,
    check_free,
    check_name,
    drop,
    everywhere,
    found,
    link,
    listing,
    matching,
    new,
    see,
)
from .compute_operations import start
from .errors import GoogleError
from .operation import Control, Result, method, page
from .records import Resource
from .state import State, timestamp

REGIONS = (
    "us-central1",
    "us-east1",
    "us-east4",
    "us-west1",
    "europe-west1",
    "europe-west4",
    "asia-northeast1",
)


def _path(control: Control) -> str:
    return f"projects/{control.project.id}/global/networks/{control.path['network']}"


def _authorize(control: Control, permission: str, path: str = "") -> None:
    control.authorize(f"compute.{permission}", f"projects/{control.project.id}", path)


@method("compute.networks.get")
def get(control: Control) -> Result:
    _authorize(control, "networks.get", _path(control))
    return found(control, _path(control))


@method("compute.networks.list")
def list_(control: Control) -> Result:
    _authorize(control, "networks.list")
    return listing(control, "network", f"projects/{control.project.id}/global/networks")


@method("compute.networks.insert")
def insert(control: Control) -> Result:
    state, body = control.state, dict(control.body)
    check_name(body.get("name", ""))
    path = f"projects/{control.project.id}/global/networks/{body['name']}"
    _authorize(control, "networks.create", path)
    check_free(state, path)
    state.compute[path] = new(
        control, "network", path, {"autoCreateSubnetworks": True, **body, "subnetworks": []}
    )
    return start(control, "insert", path, lambda: None, lambda: drop(state, path))


@method("compute.networks.delete")
def delete(control: Control) -> Result:
    state, path = control.state, _path(control)
    _authorize(control, "networks.delete", path)
    found(control, path)
    for kind in ("subnetworks", "firewalls", "addresses", "forwardingRules"):
        for other, each in everywhere(state, kind):
            if see(each.get("network", "")) == path:
                raise in_use("network", path, other)
    return start(control, "delete", path, lambda: drop(state, path))


def in_use(kind: str, path: str, user: str) -> GoogleError:
    message = f"The {kind} resource '{path}' is already being used by '{user}'"
    return GoogleError(400, message, "resourceInUseByAnotherResource")


@method("compute.networks.addPeering")
def add_peering(control: Control) -> Result:
    state, path, body = control.state, _path(control), control.body
    _authorize(control, "networks.addPeering", path)
    resource = found(control, path)
    given: Resource = dict(body.get("networkPeering", {})) or {
        "name": body.get("name", ""),
        "network": body.get("peerNetwork", ""),
        "exchangeSubnetRoutes": body.get("autoCreateRoutes", True),
    }
    check_name(given.get("name", ""))
    far = see(given.get("network", ""), control.project.id)
    existing = resource.get("peerings", [])
    if any(each["name"] == given["name"] or see(each["network"]) == far for each in existing):
        raise GoogleError(
            409,
            f"There is a peering operation in progress or an existing peering with '{far}'.",
            "alreadyExists",
        )
    peering = {
        **given,
        "network": link(far),
        "state": "INACTIVE",
        "stateDetails": "Waiting for peer network to connect.",
    }

    def join() -> None:
        resource.setdefault("peerings", []).append(peering)
        _pair(state, path, far)

    return start(control, "addPeering", path, join)


def _pair(state: State, near: str, far: str) -> None:
    """A peering is active once both sides have it."""
    sides = [
        each
        for one, other in ((near, far), (far, near))
        for each in state.compute.get(one, {}).get("peerings", [])
        if see(each["network"]) == other
    ]
    for each in sides:
        active = len(sides) == 2
        each["state"] = "ACTIVE" if active else "INACTIVE"
        each["stateDetails"] = "Connected." if active else "Waiting for peer network to connect."


@method("compute.networks.removePeering")
def remove_peering(control: Control) -> Result:
    state, path, name = control.state, _path(control), control.body.get("name", "")
    _authorize(control, "networks.removePeering", path)
    resource = found(control, path)
    peering = next((each for each in resource.get("peerings", []) if each["name"] == name), None)
    if peering is None:
        raise bad("name", name, f"There is no peering of this name in '{path}'.")

    def part() -> None:
        resource["peerings"].remove(peering)
        _pair(state, path, see(peering["network"]))

    return start(control, "removePeering", path, part)


def _region(control: Control, name: str) -> Resource:
    path = f"projects/{control.project.id}/regions/{name}"
    return {
        "kind": "compute#region",
        "id": str(1000 + REGIONS.index(name)),
        "creationTimestamp": timestamp(0),
        "name": name,
        "status": "UP",
        "selfLink": link(path),
    }


@method("compute.regions.get")
def get_region(control: Control) -> Result:
    _authorize(control, "regions.get")
    name = control.path["region"]
    if name not in REGIONS:
        raise GoogleError(
            404, f"The resource 'projects/{control.project.id}/regions/{name}' was not found"
        )
    return _region(control, name)


@method("compute.regions.list")
def list_regions(control: Control) -> Result:
    _authorize(control, "regions.list")
    items, _ = page(
        control, matching(control, [_region(control, each) for each in REGIONS]), "maxResults"
    )
    return {
        "kind": "compute#regionList",
        "id": f"projects/{control.project.id}/regions",
        "items": items,
    }


@method("compute.projects.get")
def get_project(control: Control) -> Result:
    _authorize(control, "projects.get")
    project = control.project
    return {
        "kind": "compute#project",
        "id": project.number,
        "name": project.id,
        "selfLink": link(f"projects/{project.id}"),
    }
