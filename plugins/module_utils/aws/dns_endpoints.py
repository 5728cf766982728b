# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The endpoints that the DNS phase points names to: one per service, with its hosts and its Regional name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..core.aws.catalogue import Requested, lookup
from ..core.aws.plan_create_types import Endpoint as Observed
from ..core.aws.plan_create_types import Offer
from ..core.aws.plan_dns_types import Alias, Endpoint, Host
from ..core.contracts import KNOWN_AFTER_APPLY
from . import zones
from .create_observe import Snapshot

_FOR_CLIENTS = ("A", "AAAA")


def endpoints(
    snapshot: Snapshot, wanted: Sequence[Requested], region: str
) -> tuple[list[Endpoint], list[str]]:
    """The endpoint of each service that is asked for, and the services that have none (as placeholders)."""
    found, missing = [], []
    for item in wanted:
        offer = snapshot.observed.offers.get(item.name)
        live = snapshot.observed.live(item.name)
        if offer is None and not live:
            if item.required:
                missing.append(
                    f"services: {item.short} is not offered in {region}. Leave it out, or use another Region"
                )
            continue
        if live:
            document = snapshot.documents[live[0].id]
            found.append(_endpoint(live[0], document, offer, item.short, region))
        else:
            alias = Alias(name=KNOWN_AFTER_APPLY, zone_id=KNOWN_AFTER_APPLY, types=("A",))
            found.append(
                Endpoint(
                    id=KNOWN_AFTER_APPLY,
                    short=item.short,
                    state="available",
                    private_dns=False,
                    managed=True,
                    hosts=_hosts(item.name, offer, region, alias),
                )
            )
    return found, missing


def _endpoint(
    item: Observed, document: Mapping[str, Any], offer: Offer | None, short: str, region: str
) -> Endpoint:
    return Endpoint(
        id=item.id,
        short=short,
        state=item.state,
        private_dns=item.private_dns,
        managed=item.managed,
        hosts=_hosts(item.service, offer, region, _alias(item, document)),
    )


def _hosts(service: str, offer: Offer | None, region: str, alias: Alias) -> tuple[Host, ...]:
    known = lookup(service, region)
    names = offer.private_dns_names if offer else ()
    return tuple(
        Host(name=name, zone=name.removeprefix("*."), record=name, alias=alias)
        for name in map(zones.plain, names or (known.host_names(region) if known else ()))
    )


def _alias(item: Observed, document: Mapping[str, Any]) -> Alias:
    """The Regional name: of the endpoint's own names the one without an Availability Zone, so the shortest."""
    own = [entry for entry in document["dns_entries"] if str(entry["name"]).startswith(item.id)]
    if not own:
        return Alias(name=KNOWN_AFTER_APPLY, zone_id=KNOWN_AFTER_APPLY, types=("A",))
    best = min(own, key=lambda entry: len(entry["name"].partition(".")[0]))
    kind = item.dns_record_ip_type if item.dns_record_ip_type != "service-defined" else ""
    types = {"ipv4": ("A",), "ipv6": ("AAAA",), "dualstack": _FOR_CLIENTS}
    return Alias(
        name=zones.plain(best["name"]),
        zone_id=best["zone_id"],
        types=types.get(kind or item.ip_address_type, ("A",)),
    )
