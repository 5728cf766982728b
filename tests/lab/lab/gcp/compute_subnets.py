# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""compute's subnetworks: their ranges, and Private Google Access."""

from __future__ import annotations

import ipaddress
from typing import Any

from . import iam
from .compute_common import (
    bad,
    check_fingerprint,
    check_free,
    check_name,
    everywhere,
    fingerprint,
    found,
    link,
    listing,
    matching,
    missing,
    network,
    new,
    ranges,
    see,
)
from .compute_operations import start
from .operation import Control, Result, method, page
from .records import Resource
from .state import State


def _authorize(control: Control, permission: str, path: str = "") -> None:
    control.authorize(f"compute.{permission}", f"projects/{control.project.id}", path)


def _subnet_prefix(control: Control) -> str:
    return f"projects/{control.project.id}/regions/{control.path['region']}/subnetworks"


def _subnet(control: Control) -> tuple[str, Resource]:
    path = f"{_subnet_prefix(control)}/{control.path['subnetwork']}"
    return path, found(control, path)


@method("compute.subnetworks.get")
def get_subnet(control: Control) -> Result:
    _authorize(
        control, "subnetworks.get", f"{_subnet_prefix(control)}/{control.path['subnetwork']}"
    )
    return _subnet(control)[1]


@method("compute.subnetworks.list")
def list_subnets(control: Control) -> Result:
    _authorize(control, "subnetworks.list")
    return listing(control, "subnetwork", _subnet_prefix(control))


@method("compute.subnetworks.aggregatedList")
def aggregated_subnets(control: Control) -> Result:
    _authorize(control, "subnetworks.list")
    project = f"projects/{control.project.id}/"
    mine = [
        each for path, each in everywhere(control.state, "subnetworks") if path.startswith(project)
    ]
    items, following = page(control, matching(control, mine), "maxResults")
    by_region: dict[str, Any] = {}
    for each in items:
        place = "regions/" + each["region"].rpartition("/")[2]
        by_region.setdefault(place, {"subnetworks": []})["subnetworks"].append(each)
    answer = {
        "kind": "compute#subnetworkAggregatedList",
        "id": f"{project}aggregated/subnetworks",
        "items": by_region,
    }
    return answer | ({"nextPageToken": following} if following else {})


@method("compute.subnetworks.insert")
def insert_subnet(control: Control) -> Result:
    state, body = control.state, dict(control.body)
    check_name(body.get("name", ""))
    path = f"{_subnet_prefix(control)}/{body['name']}"
    _authorize(control, "subnetworks.create", path)
    check_free(state, path)
    if "network" not in body or "ipCidrRange" not in body:
        raise missing("network" if "network" not in body else "ipCidrRange")
    home = network(state, body["network"], control.project.id)
    try:
        block = ipaddress.IPv4Network(body["ipCidrRange"])
    except ValueError:
        raise bad("ipCidrRange", body["ipCidrRange"], "Must be a CIDR range.") from None
    for cidr, other in ranges(state, home):
        if block.overlaps(ipaddress.ip_network(cidr)):
            raise bad(
                "ipCidrRange",
                str(block),
                f"Invalid IPCidrRange: {block} conflicts with existing subnetwork '{other.rpartition('/')[2]}'.",
            )
    for other, each in everywhere(state, "addresses"):
        if see(each.get("network", "")) == home and ipaddress.ip_address(each["address"]) in block:
            raise bad(
                "ipCidrRange",
                str(block),
                f"Invalid IPCidrRange: {block} conflicts with reserved IP address '{other}'.",
            )
    region = f"projects/{control.project.id}/regions/{control.path['region']}"
    body |= {"network": link(home), "region": link(region)}
    body.setdefault("privateIpGoogleAccess", False)
    resource = new(control, "subnetwork", path, body)
    resource["fingerprint"] = fingerprint(resource)
    state.compute[path] = resource
    state.compute[home].setdefault("subnetworks", []).append(link(path))
    return start(control, "insert", path, lambda: None, lambda: _forget_subnet(state, home, path))


def _forget_subnet(state: State, home: str, path: str) -> None:
    state.compute.pop(path, None)
    state.compute[home]["subnetworks"].remove(link(path))


@method("compute.subnetworks.delete")
def delete_subnet(control: Control) -> Result:
    path, resource = _subnet(control)
    _authorize(control, "subnetworks.delete", path)
    home = see(resource["network"])
    return start(control, "delete", path, lambda: _forget_subnet(control.state, home, path))


@method("compute.subnetworks.setPrivateIpGoogleAccess")
def set_google_access(control: Control) -> Result:
    path, resource = _subnet(control)
    _authorize(control, "subnetworks.setPrivateIpGoogleAccess", path)
    wanted = control.body.get("privateIpGoogleAccess", False)
    return start(
        control,
        "setPrivateIpGoogleAccess",
        path,
        lambda: _change(resource, {"privateIpGoogleAccess": wanted}),
    )


@method("compute.subnetworks.testIamPermissions")
def test_permissions(control: Control) -> Result:
    """Those that the project gives: subnets have no bindings of their own here."""
    found(control, f"{_subnet_prefix(control)}/{control.path['resource']}")
    held = [
        each
        for each in control.body.get("permissions", [])
        if iam.allowed(control.state, control.caller, each, f"projects/{control.project.id}")
    ]
    return {"permissions": held} if held else {}


@method("compute.subnetworks.patch")
def patch_subnet(control: Control) -> Result:
    path, resource = _subnet(control)
    _authorize(control, "subnetworks.update", path)
    body = {name: value for name, value in control.body.items() if name != "fingerprint"}
    shown = {name: value for name, value in resource.items() if name != "fingerprint"}
    check_fingerprint(control.body.get("fingerprint"), shown, "Fingerprint")
    for fixed in ("network", "ipCidrRange", "region", "name"):
        if fixed in body and see(str(body[fixed])) != see(str(resource[fixed])):
            raise bad(fixed, body[fixed], "The field cannot be changed.")
    return start(control, "patch", path, lambda: _change(resource, body))


def _change(resource: Resource, body: Resource) -> None:
    resource |= body
    resource["fingerprint"] = fingerprint(
        {name: value for name, value in resource.items() if name != "fingerprint"}
    )
