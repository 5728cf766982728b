# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Route tables with their routes, and NAT gateways as something that subnets refer to."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Any

from . import stock
from .arm_ids import ArmId
from .control import Control
from .errors import bad_request
from .network import (
    NAMESPACE,
    SDK,
    VERSIONS,
    Items,
    Nest,
    delete_unused,
    nested,
    network_of,
    put_parent,
    users,
)
from .registry import Answer, operation, resource_type, shown, standard_view
from .state import Resource, State

_TAG = re.compile(r"[A-Za-z][A-Za-z0-9.-]*")


def _view(state: State, table: Resource) -> dict[str, Any]:
    body = standard_view(state, table)
    routes = state.children(table.id, "routes")
    body["properties"]["routes"] = [shown(state, each) for each in routes]
    body["properties"].setdefault("disableBgpRoutePropagation", False)
    subnets = users(state, "routeTable", table)
    if subnets:
        body["properties"]["subnets"] = [{"id": str(each.id)} for each in subnets]
    return body


def _gateway_view(state: State, gateway: Resource) -> dict[str, Any]:
    body = standard_view(state, gateway)
    subnets = users(state, "natGateway", gateway)
    if subnets:
        body["properties"]["subnets"] = [{"id": str(each.id)} for each in subnets]
    return body


TABLES = resource_type(f"{NAMESPACE}/routeTables", VERSIONS, model=(SDK, "RouteTable"), view=_view)
ROUTES = resource_type(
    f"{NAMESPACE}/routeTables/routes", VERSIONS, model=(SDK, "Route"), tracked=False
)
GATEWAYS = resource_type(
    f"{NAMESPACE}/natGateways", VERSIONS, model=(SDK, "NatGateway"), view=_gateway_view
)
for _type in (TABLES, GATEWAYS):
    stock.readable(_type)
    stock.taggable(_type)
stock.readable(ROUTES)


def _check_routes(control: Control, table: ArmId, own: Mapping[str, Any], items: Items) -> None:
    del control, own
    seen: dict[str, str] = {}
    for name, route in items.items():
        id = table.child("routes", name)
        prefix = str(route.get("addressPrefix") or "")
        if not _TAG.fullmatch(prefix):
            network_of(prefix, id)
        other = seen.setdefault(prefix, name)
        if other != name:
            raise bad_request(
                "RouteConflict",
                f"Route {name} conflicts with route {other}. Routes cannot have the same Address "
                "prefix.",
            )
        hop = route.get("nextHopType")
        if hop is None:
            raise bad_request("InvalidRouteNextHopType", f"Route {id} has no next hop type.")
        _check_hop(id, str(hop), str(route.get("nextHopIpAddress") or ""))


def _check_hop(id: ArmId, hop: str, address: str) -> None:
    if (hop == "VirtualAppliance") != bool(address):
        need = "must" if hop == "VirtualAppliance" else "cannot"
        raise bad_request(
            "InvalidRouteNextHopIpAddress",
            f"Route {id} with next hop type {hop} {need} have a next hop IP address.",
        )
    if address:
        try:
            ipaddress.ip_address(address)
        except ValueError:
            raise bad_request(
                "InvalidRouteNextHopIpAddress",
                f"Route {id} has the next hop IP address {address}, which is invalid.",
            ) from None


ROUTES_NEST = Nest("routes", ROUTES, _check_routes)
nested(ROUTES_NEST, stock.existing_parent)


@operation(TABLES, "PUT")
def put_table(control: Control) -> Answer:
    """Replace all of it: routes that the body does not name are gone."""
    return put_parent(control, (ROUTES_NEST,))


@operation(TABLES, "DELETE")
def delete_table(control: Control) -> Answer:
    return delete_unused(
        control,
        "routeTable",
        "InUseRouteTableCannotBeDeleted",
        "Route table",
        "aka.ms/deleteroutetable",
    )


@operation(GATEWAYS, "PUT")
def put_gateway(control: Control) -> Answer:
    return put_parent(control)


@operation(GATEWAYS, "DELETE")
def delete_gateway(control: Control) -> Answer:
    return delete_unused(
        control,
        "natGateway",
        "InUseNatGatewayCannotBeDeleted",
        "NAT gateway",
        "aka.ms/deletenatgateway",
    )
