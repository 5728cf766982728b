# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From endpoints with their interface addresses to what a probe needs: one target per host."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..contracts import ProbeTarget
from .catalogue import lookup, probe_hosts, requested, short_name


def probe_targets(
    target: str,
    region: str,
    endpoints: Iterable[Mapping[str, Any]],
    private_dns_names: Mapping[str, Sequence[str]],
) -> list[ProbeTarget]:
    """One probe target for each host that an endpoint answers, ordered by host.

    target: the inventory's name of the VPC. endpoints: as in the evidence, of which `service` (the full name) and
    `network_interfaces` are read. private_dns_names: full service name → names, as DescribeVpcEndpointServices
    returned them; a service that is missing there gets the catalogue's hosts.

    Two endpoints of one service share its hosts, and their addresses are put together. A service whose only names are
    wildcards has no host that could be probed.
    """
    addresses: dict[str, set[str]] = {}
    for endpoint in endpoints:
        known = addresses.setdefault(str(endpoint["service"]), set())
        for interface in endpoint["network_interfaces"]:
            known.update(interface["addresses"])
            known.update(interface["ipv6_addresses"])
    found = [
        _target(target, region, name, host, addresses[name])
        for name in addresses
        for host in probe_hosts(name, region, private_dns_names.get(name, ()))
    ]
    return sorted(found, key=lambda item: item.host)


def of_evidence(
    evidence: Mapping[str, Any], services: Sequence[str] | None = None
) -> list[ProbeTarget]:
    """The probe targets of a VPC as its evidence shows it, which needs the part `endpoints`.

    services: presets, short or full names, as users ask for endpoints; a service without one has hosts all the same,
    whose list of addresses is empty, since no address is private there. Without it, the services that have an endpoint.

    EndpointError for a word that is no service.
    """
    vpc_id, region = evidence["vpc"]["id"], str(evidence["region"])
    offers = {item["name"]: item["private_dns_names"] for item in evidence["services"]}
    standing = [
        item
        for item in evidence["endpoints"]
        if item["vpc_id"] == vpc_id and str(item["state"]).lower() == "available"
    ]
    if services is None:
        return probe_targets(str(evidence["target"]), region, standing, offers)
    wanted = {
        item.name for item in requested(services, region) if item.name in offers or item.required
    }
    there = [item for item in standing if item["service"] in wanted]
    lacking = wanted - {item["service"] for item in there}
    there += [{"service": name, "network_interfaces": []} for name in sorted(lacking)]
    return probe_targets(str(evidence["target"]), region, there, offers)


def _target(target: str, region: str, name: str, host: str, addresses: set[str]) -> ProbeTarget:
    service = lookup(name, region)
    return ProbeTarget(
        host=host,
        addresses=sorted(addresses),
        cloud="aws",
        target=target,
        service=short_name(name, region),
        # A service that the catalogue does not know carries data as far as anyone can tell.
        plane=service.plane if service else "runtime",
        probe_action=service.probe_action(region) if service else None,
    )
