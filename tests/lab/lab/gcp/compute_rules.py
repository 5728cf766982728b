# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""compute's global forwarding rules: endpoints for Google APIs (target all-apis or vpc-sc), no others.

Each method asks for what the guide lists for it, of Service Directory and Cloud DNS as well: with an endpoint comes a
namespace and the zone p.googleapis.com. https://cloud.google.com/vpc/docs/configure-private-service-connect-apis
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Any

from . import orgrules
from .compute_addresses import not_ready, relabel
from .compute_common import (
    bad,
    check_free,
    everywhere,
    fingerprint,
    found,
    link,
    listing,
    missing,
    network,
    new,
    see,
)
from .compute_operations import start
from .errors import invalid
from .operation import Control, Result, method
from .records import Resource
from .state import State

BUNDLES = ("all-apis", "vpc-sc")
_NOT_HERE = (
    "Invalid field set in Private Service Connect Forwarding Rule. This field should not be set."
)
_REFUSED = (
    "labels",
    "loadBalancingScheme",
    "ports",
    "portRange",
    "backendService",
    "subnetwork",
    "IPProtocol",
)
_DEFAULT_REGION = "us-central1"


def prefix(control: Control) -> str:
    return f"projects/{control.project.id}/global/forwardingRules"


_BESIDE = {
    "pscCreate": (
        "compute.globalForwardingRules.create",
        "servicedirectory.namespaces.create",
        "servicedirectory.namespaces.associatePrivateZone",
        "dns.managedZones.create",
    ),
    "pscDelete": (
        "compute.globalForwardingRules.delete",
        "servicedirectory.namespaces.delete",
        "dns.managedZones.delete",
    ),
    "pscSetLabels": ("compute.globalForwardingRules.setLabels",),
}


def _authorize(control: Control, verb: str, path: str = "") -> None:
    project = f"projects/{control.project.id}"
    control.authorize(f"compute.globalForwardingRules.{verb}", project, path)
    for permission in _BESIDE.get(verb, ()):
        control.authorize(permission, project, path if permission.startswith("compute.") else "")


@method("compute.globalForwardingRules.insert")
def insert(control: Control) -> Result:
    state, body = control.state, control.body
    name = body.get("name", "")
    path = f"{prefix(control)}/{name}"
    _authorize(control, "pscCreate", path)
    target = _bundle(body.get("target", ""))
    _check_fields(name, body)
    home = network(state, body["network"], control.project.id)
    control.authorize("compute.networks.use", "/".join(home.split("/")[:2]), home)
    check_free(state, path)
    orgrules.check_endpoint(control, target)
    address = _address(control, body.get("IPAddress", ""), home)
    state.compute[path] = new(
        control,
        "forwardingRule",
        path,
        {
            **{field: body[field] for field in ("name", "description") if body.get(field)},
            "IPAddress": address["address"],
            "IPProtocol": "TCP",
            "target": target,
            "network": link(home),
            "networkTier": "PREMIUM",
            "labelFingerprint": fingerprint({}),
            "fingerprint": fingerprint([name, target]),
            "serviceDirectoryRegistrations": [_registration(state, body, home)],
            "pscConnectionId": state.new_id(),
        },
    )
    address["users"] = [link(path)]

    def use() -> None:
        address["status"] = "IN_USE"

    def undo() -> None:
        state.compute.pop(path, None)
        address.pop("users", None)

    return start(control, "insert", path, use, undo)


def _check_fields(name: str, body: Mapping[str, Any]) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9]{0,19}", name):
        raise bad(
            "name",
            name,
            "The forwarding rule name for PSC Google APIs must be an 1-20 characters string with "
            "lowercase letters and numbers and must start with a letter.",
        )
    for field in _REFUSED:
        if body.get(field):
            raise bad(field, body[field], _NOT_HERE)
    if "network" not in body:
        raise missing("network")


def _bundle(target: str) -> str:
    """all-apis for what names it; a rule with another target is no endpoint for Google APIs."""
    if not target:
        raise missing("target")
    name = target.rpartition("/")[2]
    if name not in BUNDLES:
        raise bad("target", target, f"Must be one of the Google API bundles: {', '.join(BUNDLES)}.")
    return name


def _address(control: Control, given: str, home: str) -> Resource:
    state = control.state
    if not given:
        raise bad("IPAddress", "", "An IP address must be specified for Private Service Connect.")
    try:
        number = str(ipaddress.IPv4Address(given))
        candidates = [
            (path, each)
            for path, each in everywhere(state, "addresses")
            if each.get("address") == number and see(each.get("network", "")) == home
        ]
        if not candidates:
            raise bad("IPAddress", given, "The specified IP address is not reserved.")
        path, address = candidates[0]
    except ipaddress.AddressValueError:
        path = see(given, control.project.id)
        if "/" not in path:
            path = f"projects/{control.project.id}/global/addresses/{path}"
        address = found(control, path)
    control.authorize("compute.globalAddresses.use", "/".join(path.split("/")[:2]), path)
    if address.get("purpose") != "PRIVATE_SERVICE_CONNECT":
        raise bad(
            "IPAddress", given, "The IP address must have the purpose PRIVATE_SERVICE_CONNECT."
        )
    if see(address["network"]) != home:
        raise bad(
            "IPAddress",
            given,
            "The IP address and the forwarding rule must be in the same network.",
        )
    if path in state.pending:
        raise not_ready(path)
    if address.get("users"):
        message = "Specified IP address is in-use and would result in a conflict."
        raise bad("IPAddress", given, message)
    return address


def _registration(state: State, body: Mapping[str, Any], home: str) -> Resource:
    given = list(body.get("serviceDirectoryRegistrations", []))
    field = "serviceDirectoryRegistrations"
    if len(given) > 1:
        raise bad(field, len(given), "At most one Service Directory registration can be specified.")
    region = (given[0].get("serviceDirectoryRegion") if given else "") or ""
    others = {
        one["serviceDirectoryRegion"]
        for _, rule in everywhere(state, "forwardingRules")
        if see(rule["network"]) == home
        for one in rule.get(field, [])
    }
    if region and not re.fullmatch(r"[a-z]+-[a-z]+\d+", region):
        raise bad(f"{field}[0].serviceDirectoryRegion", region, "The region does not exist.")
    if others and (region or _DEFAULT_REGION) not in others:
        raise bad(
            f"{field}[0].serviceDirectoryRegion",
            region or _DEFAULT_REGION,
            f"All endpoints of a network must use the same Service Directory region, here {', '.join(sorted(others))}.",
        )
    namespace = (given[0].get("namespace") if given else "") or "goog-psc-default"
    return {"namespace": namespace, "serviceDirectoryRegion": region or _DEFAULT_REGION}


@method("compute.globalForwardingRules.get")
def get(control: Control) -> Result:
    path = f"{prefix(control)}/{control.path['forwardingRule']}"
    _authorize(control, "get", path)
    return found(control, path)


@method("compute.globalForwardingRules.list")
def list_(control: Control) -> Result:
    _authorize(control, "list")
    return listing(control, "forwardingRule", prefix(control))


@method("compute.globalForwardingRules.delete")
def delete(control: Control) -> Result:
    state = control.state
    path = f"{prefix(control)}/{control.path['forwardingRule']}"
    _authorize(control, "pscDelete", path)
    resource = found(control, path)
    if path in state.pending:
        raise not_ready(path)

    def remove() -> None:
        state.compute.pop(path, None)
        for _, address in everywhere(state, "addresses"):
            if address.get("users") == [resource["selfLink"]]:
                del address["users"]
                address["status"] = "RESERVED"

    return start(control, "delete", path, remove)


@method("compute.globalForwardingRules.setLabels")
def set_labels(control: Control) -> Result:
    path = f"{prefix(control)}/{control.path['resource']}"
    _authorize(control, "pscSetLabels", path)
    return relabel(control, path, found(control, path))


@method("compute.globalForwardingRules.setTarget")
def set_target(control: Control) -> Result:
    path = f"{prefix(control)}/{control.path['forwardingRule']}"
    _authorize(control, "pscSetTarget", path)
    resource = found(control, path)
    target = _bundle(control.body.get("target", ""))

    def replace() -> None:
        resource["target"] = target

    return start(control, "setTarget", path, replace)


@method("compute.globalForwardingRules.patch")
def patch(control: Control) -> Result:
    path = f"{prefix(control)}/{control.path['forwardingRule']}"
    _authorize(control, "pscUpdate", path)
    found(control, path)
    raise invalid(
        "Updating a Private Service Connect forwarding rule for Google APIs is not supported."
    )
