# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""compute's global addresses, as far as endpoints for Google APIs need them."""

from __future__ import annotations

import ipaddress

from .compute_common import (
    bad,
    check_fingerprint,
    check_free,
    check_labels,
    check_name,
    clash,
    drop,
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
from .errors import GoogleError
from .operation import Control, Result, method
from .records import Resource
from .state import State

_PURPOSES = ("PRIVATE_SERVICE_CONNECT", "VPC_PEERING")


def prefix(control: Control) -> str:
    return f"projects/{control.project.id}/global/addresses"


@method("compute.globalAddresses.insert")
def insert(control: Control) -> Result:
    state, body = control.state, dict(control.body)
    name = body.get("name", "")
    check_name(name)
    path = f"{prefix(control)}/{name}"
    control.authorize(
        "compute.globalAddresses.createInternal", f"projects/{control.project.id}", path
    )
    if body.get("addressType") != "INTERNAL" or body.get("purpose") not in _PURPOSES:
        raise GoogleError(
            501,
            "The lab simulates global addresses that are INTERNAL, for PRIVATE_SERVICE_CONNECT or VPC_PEERING.",
        )
    if "network" not in body:
        raise missing("network")
    check_free(state, path)
    home = network(state, body["network"], control.project.id)
    control.authorize("compute.networks.use", "/".join(home.split("/")[:2]), home)
    _check_number(state, body, home)
    check_labels(body.get("labels", {}))
    resource = new(control, "address", path, body)
    resource |= {
        "network": link(home),
        "status": "RESERVING",
        "labelFingerprint": fingerprint(body.get("labels", {})),
    }
    state.compute[path] = resource

    def reserve() -> None:
        resource["status"] = "RESERVED"

    return start(control, "insert", path, reserve, lambda: drop(state, path))


def _check_number(state: State, body: Resource, home: str) -> None:
    text = body.get("address", "")
    if body["purpose"] == "VPC_PEERING":
        return
    if "prefixLength" in body:
        raise bad(
            "prefixLength",
            body["prefixLength"],
            "Prefix length must not be specified for this purpose.",
        )
    try:
        ipaddress.IPv4Address(text)
    except ValueError:
        raise bad("address", text, "A single IPv4 address must be specified.") from None
    why = clash(state, home, text)
    if why:
        raise bad("address", text, why)
    for path, each in everywhere(state, "addresses"):
        if each.get("address") == text and see(each.get("network", "")) == home:
            raise bad("address", text, f"Specified IP address is already reserved by '{path}'.")


@method("compute.globalAddresses.get")
def get(control: Control) -> Result:
    path = f"{prefix(control)}/{control.path['address']}"
    control.authorize("compute.globalAddresses.get", f"projects/{control.project.id}", path)
    return found(control, path)


@method("compute.globalAddresses.list")
def list_(control: Control) -> Result:
    control.authorize("compute.globalAddresses.list", f"projects/{control.project.id}")
    return listing(control, "address", prefix(control))


@method("compute.globalAddresses.delete")
def delete(control: Control) -> Result:
    path = f"{prefix(control)}/{control.path['address']}"
    control.authorize(
        "compute.globalAddresses.deleteInternal", f"projects/{control.project.id}", path
    )
    resource = found(control, path)
    if resource.get("users"):
        user = see(resource["users"][0])
        raise GoogleError(
            400,
            f"The address resource '{path}' is already being used by '{user}'",
            "resourceInUseByAnotherResource",
        )
    if path in control.state.pending:
        raise not_ready(path)
    return start(control, "delete", path, lambda: drop(control.state, path))


@method("compute.globalAddresses.setLabels")
def set_labels(control: Control) -> Result:
    path = f"{prefix(control)}/{control.path['resource']}"
    control.authorize("compute.globalAddresses.setLabels", f"projects/{control.project.id}", path)
    return relabel(control, path, found(control, path))


def relabel(control: Control, path: str, resource: Resource) -> Result:
    """setLabels of any resource: it replaces all labels, if their fingerprint is the current one."""
    labels = dict(control.body.get("labels", {}))
    check_labels(labels)
    check_fingerprint(
        control.body.get("labelFingerprint"), resource.get("labels", {}), "Labels fingerprint"
    )

    before = resource.get("labels", {})

    def put(wanted: dict[str, str]) -> None:
        resource["labels"] = wanted
        resource["labelFingerprint"] = fingerprint(wanted)

    put(labels)  # at once: who else has seen the old fingerprint must not overwrite these
    return start(control, "setLabels", path, lambda: None, lambda: put(before))


def not_ready(path: str) -> GoogleError:
    return GoogleError(400, f"The resource '{path}' is not ready", "resourceNotReady")
