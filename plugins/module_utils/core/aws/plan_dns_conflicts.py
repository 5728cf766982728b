# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Zones that exclude ours or override the endpoints, and what the plan of the DNS phase needs to know of hosts."""

from __future__ import annotations

from .plan_dns_types import ENDPOINT_OWNER, Endpoint, Host, Record, Spoke, View, Zone


def problems(view: View, private_dns: bool) -> list[str]:
    found = [
        f"spoke_vpcs: {spoke.vpc_id} is the VPC of the endpoints. It resolves by private DNS: take it out"
        for spoke in view.spokes
        if spoke.vpc_id == view.vpc_id
    ]
    for endpoint in view.endpoints:
        if endpoint.state not in ("available", "pending"):
            found.append(
                f"endpoint {endpoint.id} of {endpoint.short} is {endpoint.state}. Repair it with bedrock_vpc_endpoint"
            )
        for host in endpoint.hosts:
            if private_dns:
                found += _own_problems(view, endpoint, host)
            for spoke in view.spokes:
                found += _spoke_problems(view, spoke, host)
    return found


def _own_problems(view: View, endpoint: Endpoint, host: Host) -> list[str]:
    """Zones of the VPC itself for which EC2 would refuse private DNS."""
    found = []
    for zone in of_name(view, host.zone, view.vpc_id):
        if zone.service == ENDPOINT_OWNER:
            if not endpoint.private_dns:
                found.append(
                    f"private_dns: another endpoint in {view.vpc_id} already answers {host.name}. Switch its private "
                    "DNS off, or delete it"
                )
        else:
            found.append(
                f"hosted zone {zone.id} ({zone.name}) is associated with {view.vpc_id} and overrides private DNS of "
                f"{endpoint.short}. Disassociate it from {view.vpc_id}, or delete it"
            )
    return found


def _spoke_problems(view: View, spoke: Spoke, host: Host) -> list[str]:
    """Zones in a spoke that exclude one of ours."""
    found = []
    for zone in of_name(view, host.zone, spoke.vpc_id):
        if zone.service == ENDPOINT_OWNER:
            found.append(
                f"spoke_vpcs: {spoke.vpc_id} answers {host.name} by an endpoint of its own. Take it out of spoke_vpcs, "
                "or switch that endpoint's private DNS off"
            )
        elif zone.vpc_id and zone.vpc_id != view.vpc_id:
            found.append(
                f"spoke_vpcs: {spoke.vpc_id} already resolves {host.name} to the endpoints of {zone.vpc_id} by hosted "
                f"zone {zone.id}. Name the spoke for one of the two only"
            )
        elif not zone.vpc_id and not means_the_same(zone, host):
            found.append(
                f"hosted zone {zone.id} ({zone.name}) is associated with {spoke.vpc_id} and overrides {host.name} "
                f"there. Disassociate it, delete it, or make it an alias of {host.alias.name}"
            )
    return found


def warnings(view: View, private_dns: bool) -> list[str]:
    """Zones of parent domains: they do not override ours, but all their other names."""
    places = [spoke.vpc_id for spoke in view.spokes] + ([view.vpc_id] if private_dns else [])
    parents = sorted(
        {
            (zone.id, zone.name, place)
            for zone in view.zones
            for place in places
            for host in hosts_of(view)
            if place in zone.vpcs and not zone.service and host.zone.endswith("." + zone.name)
        }
    )
    return [
        f"hosted zone {zone_id} ({name}) is associated with {place} and answers for every name under {name} that has "
        "no zone of its own there: services without an endpoint may not resolve"
        for zone_id, name, place in parents
    ]


def wanted_records(host: Host) -> tuple[Record, ...]:
    """The aliases that answer for a host."""
    return tuple(
        Record(name=host.record, type=kind, alias=(host.alias.name, host.alias.zone_id))
        for kind in host.alias.types
    )


def hosts_of(view: View) -> list[Host]:
    return [host for endpoint in view.endpoints for host in endpoint.hosts]


def of_name(view: View, name: str, vpc_id: str) -> list[Zone]:
    return [zone for zone in view.zones if zone.name == name and vpc_id in zone.vpcs]


def means_the_same(zone: Zone, host: Host) -> bool:
    """Whether a zone answers for its host with the endpoint, and with nothing else."""
    held = [
        item
        for item in zone.records or ()
        if item.name == host.record and item.type in ("A", "AAAA", "CNAME")
    ]
    return bool(held) and {(item.type, item.alias) for item in held} == {
        (item.type, item.alias) for item in wanted_records(host)
    }
