# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How an endpoint lives: its interfaces, its names, pending until available, deleted a while later."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable

from .network import Endpoint, Interface, Service, Subnet
from .state import State, new_id

FULL_ACCESS = {"Statement": [{"Action": "*", "Effect": "Allow", "Principal": "*", "Resource": "*"}]}
FULL_ACCESS_TEXT = json.dumps(FULL_ACCESS, indent=2)
# The public hosted zone that holds a Region's endpoint names; the others have made-up ids.
_PUBLIC_ZONES = {"us-east-1": "Z7HUB22UULQXV", "us-west-2": "Z1YSA3EXCYUU9Z"}
PENDING_ZONE = "ZONEIDPENDING"


def public_zone(region: str) -> str:
    """Id of the hosted zone that an alias to an endpoint's DNS name must give."""
    return _PUBLIC_ZONES.get(region, "Z" + region.upper().replace("-", "") + "VPCE")


def service_of(state: State, endpoint: Endpoint) -> Service:
    return state.services[endpoint.region][endpoint.service]


def dns_entries(state: State, endpoint: Endpoint) -> list[tuple[str, str]]:
    """(name, zone id): the Region's name, one per zone, then the private DNS names when enabled."""
    if endpoint.type != "Interface":
        return []
    service = service_of(state, endpoint)
    head, zone = f"{endpoint.id}-{endpoint.suffix}", public_zone(endpoint.region)
    zones = sorted(state.subnets[each].zone for each in endpoint.subnet_ids)
    entries = [(f"{head}.{service.domain}", zone)]
    entries += [(f"{head}-{each}.{service.domain}", zone) for each in zones]
    if endpoint.private_dns_enabled:
        private = endpoint.private_zone_id if endpoint.private_dns_live else PENDING_ZONE
        entries += [(name, private) for name in service.private_dns_names]
    return entries


def new_suffix() -> str:
    return "".join(secrets.choice("abcdefghijklmnopqrstuvwxyz0123456789") for _ in range(8))


def add_interfaces(state: State, endpoint: Endpoint, subnets: Iterable[Subnet]) -> None:
    """One network interface per subnet; it carries packets once the endpoint is available."""
    for subnet in subnets:
        address = state.free_address(subnet)
        if address is None:
            raise ValueError(f"{subnet.id} has no free address")
        six = endpoint.ip_address_type != "ipv4"
        made = Interface(
            id=new_id("eni", state.interfaces),
            subnet_id=subnet.id,
            vpc_id=subnet.vpc_id,
            account=endpoint.account,
            region=endpoint.region,
            address=address,
            ipv6_address=state.free_ipv6(subnet) if six else "",
            security_groups=list(endpoint.security_groups),
            description=f"VPC Endpoint Interface {endpoint.id}",
            type="vpc_endpoint",
            endpoint_id=endpoint.id,
            live=False,
            requester_managed=True,
            mac=":".join(["0a", *(f"{byte:02x}" for byte in secrets.token_bytes(5))]),
        )
        state.interfaces[made.id] = made
        endpoint.subnet_ids.append(subnet.id)
        endpoint.interface_ids.append(made.id)


def remove_interfaces(state: State, endpoint: Endpoint, subnet_ids: Iterable[str]) -> None:
    gone = set(subnet_ids)
    for interface in state.endpoint_interfaces(endpoint):
        if interface.subnet_id in gone:
            del state.interfaces[interface.id]
            endpoint.interface_ids.remove(interface.id)
    endpoint.subnet_ids = [each for each in endpoint.subnet_ids if each not in gone]


def make_pending(state: State, endpoint: Endpoint) -> None:
    """Put an endpoint in pending; it is available, with all that it says, a while later."""
    endpoint.state = "pending"
    endpoint.revision += 1
    revision = endpoint.revision

    def ready() -> None:
        if endpoint.revision == revision and endpoint.state == "pending":
            make_available(state, endpoint)

    state.after(state.timing.endpoint_pending, ready)


def make_available(state: State, endpoint: Endpoint) -> None:
    endpoint.state = "available"
    endpoint.private_dns_live = endpoint.private_dns_enabled
    for interface in state.endpoint_interfaces(endpoint):
        interface.live = True


def begin_delete(state: State, endpoint: Endpoint) -> None:
    """Its names stop at once, its interfaces stop and go later, its private names conflict for a while."""
    if endpoint.private_dns_enabled:
        free_at = state.now() + state.timing.endpoint_delete + state.timing.private_dns_linger
        vpc = state.vpcs[endpoint.vpc_id]
        for name in service_of(state, endpoint).private_dns_names:
            vpc.lingering[name] = free_at
    endpoint.state = "deleting"
    endpoint.revision += 1
    endpoint.private_dns_live = False
    for interface in state.endpoint_interfaces(endpoint):
        interface.live = False

    def gone() -> None:
        remove_interfaces(state, endpoint, list(endpoint.subnet_ids))
        for table_id in endpoint.route_table_ids:
            table = state.route_tables.get(table_id)
            if table is not None:
                table.routes = [each for each in table.routes if each.target != endpoint.id]
        state.endpoints.pop(endpoint.id, None)

    state.after(state.timing.endpoint_delete, gone)


def conflict(state: State, vpc_id: str, service: Service, but: str = "") -> str:
    """The private DNS name that another endpoint or zone of the VPC already has, or ""."""
    now = state.now()
    lingering = state.vpcs[vpc_id].lingering
    for name in service.private_dns_names:
        if lingering.get(name, 0.0) > now:
            return name
        for other in state.endpoints.values():
            if other.vpc_id != vpc_id or other.id == but or not other.private_dns_enabled:
                continue
            if name in service_of(state, other).private_dns_names:
                return name
        for zone in state.zones.values():
            held = any(each == vpc_id for _, each in zone.vpcs)
            if zone.private and held and zone.name == name.removeprefix("*."):
                return name
    return ""
