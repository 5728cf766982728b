# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the create phase has just read of the endpoints, so that the DNS phase need not read it again.

It only ever lets the DNS phase see that nothing is to be done. Whatever does not fit is read anew, and so is everything
before a write.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..core.aws.catalogue import Requested
from ..core.aws.plan_create_types import Endpoint, Observed, Offer
from ..core.aws.plan_dns_types import ENDPOINT_OWNER, Zone
from ..core.errors import EndpointError
from . import zones
from .create_observe import Snapshot


def taken_over(
    params: Mapping[str, Any], wanted: Sequence[Requested], region: str
) -> Snapshot | None:
    """The endpoints as `created` says, where it shows all of them at rest and as they should be; else None.

    EndpointError for something else than the result of bedrock_vpc_endpoint.
    """
    created = params["created"]
    if not created or params["state"] != "present":
        return None
    try:
        if created["changed"] or (created["vpc_id"], created["region"]) != (
            params["vpc_id"],
            region,
        ):
            return None
        listed = {str(item["service"]): item for item in created["endpoints"]}
        found = {item.name: listed[item.name] for item in wanted if item.name in listed}
        lacking = {item.short for item in wanted if item.name not in found}
        at_rest = all(
            item["state"] == "available"
            and item["private_dns_enabled"] is (params["private_dns"] == "enabled")
            and item["network_interfaces"]
            and item["dns_entries"]
            and item["private_dns_names"]
            for item in found.values()
        )
        if not at_rest or not lacking <= set(created["services_not_offered"]):
            return None
        return _snapshot(params["vpc_id"], region, found)
    except (KeyError, TypeError, AttributeError) as error:
        raise EndpointError(
            f"it is not what bedrock_vpc_endpoint returned: {error!r}",
            resource="created",
            fix="Pass the registered result of that module, or leave it out",
        ) from error


def confirmed(snapshot: Snapshot, found: Iterable[Zone], vpc_id: str, *, private_dns: bool) -> bool:
    """Whether the zones of the VPC, just read, fit: one of AWS for each name of an endpoint that has private DNS."""
    standing = {
        zone.name for zone in found if zone.service == ENDPOINT_OWNER and vpc_id in zone.vpcs
    }
    names = {
        zones.plain(name).removeprefix("*.")
        for offer in snapshot.observed.offers.values()
        for name in offer.private_dns_names
    }
    return names <= standing if private_dns else names.isdisjoint(standing)


def _snapshot(vpc_id: str, region: str, found: Mapping[str, Mapping[str, Any]]) -> Snapshot:
    return Snapshot(
        observed=Observed(
            vpc_id=vpc_id,
            region=region,
            subnets={},
            offers={
                name: Offer(
                    name=name,
                    zones=frozenset(),
                    policy_supported=False,
                    ip_address_types=frozenset(),
                    private_dns_names=tuple(item["private_dns_names"]),
                )
                for name, item in found.items()
            },
            endpoints=tuple(map(_endpoint, found.values())),
            groups=(),
            zones_of_used={},
        ),
        documents={str(item["id"]): dict(item) for item in found.values()},
    )


def _endpoint(item: Mapping[str, Any]) -> Endpoint:
    return Endpoint(
        id=item["id"],
        service=item["service"],
        state=item["state"],
        owner_id=item["owner_id"],
        subnet_ids=frozenset(item["subnet_ids"]),
        security_group_ids=frozenset(item["security_group_ids"]),
        private_dns=item["private_dns_enabled"],
        ip_address_type=item["ip_address_type"],
        dns_record_ip_type=item["dns_record_ip_type"],
        policy=item["policy"],
        tags=item["tags"],
        created_at=item["created_at"],
    )
