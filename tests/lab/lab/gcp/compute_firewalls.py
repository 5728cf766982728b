# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""compute's firewall rules and routes: what an endpoint's traffic meets in a network."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from .compute_common import (
    bad,
    check_free,
    check_name,
    drop,
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

_TARGETS = {
    "targetTags": "targetServiceAccounts",
    "sourceTags": "sourceServiceAccounts",
    "targetServiceAccounts": "sourceTags",
}


def _prefix(control: Control, kind: str) -> str:
    return f"projects/{control.project.id}/global/{kind}"


def _authorize(control: Control, permission: str, path: str = "") -> None:
    control.authorize(f"compute.{permission}", f"projects/{control.project.id}", path)


def _authorize_network(control: Control, home: str) -> None:
    """Every write of a rule changes the policy of its network.

    https://cloud.google.com/compute/docs/reference/rest/v1/firewalls/delete#iam-permissions
    """
    control.authorize("compute.networks.updatePolicy", "/".join(home.split("/")[:2]), home)


def _check_ranges(field: str, given: Iterable[str]) -> None:
    for number, each in enumerate(given):
        try:
            ipaddress.ip_network(each)
        except ValueError:
            raise bad(f"{field}[{number}]", each, "Must be a valid CIDR address range.") from None


def _check_firewall(body: Resource) -> None:
    egress = body.get("direction", "INGRESS") == "EGRESS"
    if "allowed" in body and "denied" in body:
        raise invalid("Firewall cannot have both allowed and denied rules.")
    if not body.get("allowed") and not body.get("denied"):
        raise missing("allowed")
    if egress and (body.get("sourceTags") or body.get("sourceServiceAccounts")):
        raise bad(
            "sourceTags",
            body.get("sourceTags"),
            "Sources by tag or account are not for egress rules.",
        )
    if not egress and body.get("destinationRanges") and not body.get("sourceRanges"):
        raise bad("sourceRanges", "", "An ingress rule needs sources.")
    for one, other in _TARGETS.items():
        if body.get(one) and body.get(other):
            raise invalid(
                f"Invalid value for field 'resource.{one}': '{body[one]}'. It cannot be used together with {other}."
            )
    for field in ("sourceRanges", "destinationRanges"):
        _check_ranges(field, body.get(field, []))
    if not 0 <= body.get("priority", 1000) <= 65535:
        raise bad("priority", body["priority"], "Must be less than or equal to 65535")
    for field in ("allowed", "denied"):
        for number, each in enumerate(body.get(field, [])):
            if not each.get("IPProtocol"):
                raise missing(f"{field}[{number}].IPProtocol")


@method("compute.firewalls.insert")
def insert_firewall(control: Control) -> Result:
    state, body = control.state, dict(control.body)
    check_name(body.get("name", ""))
    path = f"{_prefix(control, 'firewalls')}/{body['name']}"
    _authorize(control, "firewalls.create", path)
    check_free(state, path)
    url = body.get("network", f"projects/{control.project.id}/global/networks/default")
    home = network(state, url, control.project.id)
    _authorize_network(control, home)
    _check_firewall(body)
    defaults: Resource = {
        "direction": "INGRESS",
        "priority": 1000,
        "disabled": False,
        "logConfig": {"enable": False},
    }
    resource = new(control, "firewall", path, {**defaults, **body, "network": link(home)})
    if resource["direction"] == "EGRESS":
        resource.setdefault("destinationRanges", ["0.0.0.0/0"])
    state.compute[path] = resource
    return start(control, "insert", path, lambda: None, lambda: drop(state, path))


@method("compute.firewalls.get")
def get_firewall(control: Control) -> Result:
    path = f"{_prefix(control, 'firewalls')}/{control.path['firewall']}"
    _authorize(control, "firewalls.get", path)
    return found(control, path)


@method("compute.firewalls.list")
def list_firewalls(control: Control) -> Result:
    _authorize(control, "firewalls.list")
    return listing(control, "firewall", _prefix(control, "firewalls"))


@method("compute.firewalls.patch", "compute.firewalls.update")
def change_firewall(control: Control) -> Result:
    path = f"{_prefix(control, 'firewalls')}/{control.path['firewall']}"
    _authorize(control, "firewalls.update", path)
    resource = found(control, path)
    _authorize_network(control, see(resource["network"]))
    kept = ("kind", "id", "creationTimestamp", "name", "network", "selfLink", "direction")
    base = resource if control.method.endswith("patch") else {key: resource[key] for key in kept}
    changed = {**base, **control.body}
    for key in kept:
        if key in control.body and key != "network" and changed[key] != resource[key]:
            raise bad(key, changed[key], "The field cannot be changed.")
        changed[key] = resource[key]
    _check_firewall(changed)

    def replace() -> None:
        resource.clear()
        resource.update(changed)

    return start(control, "patch", path, replace)


@method("compute.firewalls.delete")
def delete_firewall(control: Control) -> Result:
    path = f"{_prefix(control, 'firewalls')}/{control.path['firewall']}"
    _authorize(control, "firewalls.delete", path)
    _authorize_network(control, see(found(control, path)["network"]))
    return start(control, "delete", path, lambda: drop(control.state, path))


@method("compute.routes.insert")
def insert_route(control: Control) -> Result:
    state, body = control.state, dict(control.body)
    check_name(body.get("name", ""))
    path = f"{_prefix(control, 'routes')}/{body['name']}"
    _authorize(control, "routes.create", path)
    check_free(state, path)
    home = network(state, body.get("network", ""), control.project.id)
    _check_ranges("destRange", [body.get("destRange", "")])
    state.compute[path] = new(
        control, "route", path, {"priority": 1000, **body, "network": link(home)}
    )
    return start(control, "insert", path, lambda: None, lambda: drop(state, path))


@method("compute.routes.get")
def get_route(control: Control) -> Result:
    path = f"{_prefix(control, 'routes')}/{control.path['route']}"
    _authorize(control, "routes.get", path)
    return found(control, path)


@method("compute.routes.list")
def list_routes(control: Control) -> Result:
    _authorize(control, "routes.list")
    return listing(control, "route", _prefix(control, "routes"))


@method("compute.routes.delete")
def delete_route(control: Control) -> Result:
    path = f"{_prefix(control, 'routes')}/{control.path['route']}"
    _authorize(control, "routes.delete", path)
    found(control, path)
    return start(control, "delete", path, lambda: drop(control.state, path))
