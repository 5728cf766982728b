# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the create phase returns: the endpoints, what to probe, and in check mode both as they would be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..contracts import KNOWN_AFTER_APPLY
from .catalogue import short_name
from .plan_create import left_out, managed_group, new_attributes
from .plan_create_types import Change, ChangeEndpoint, CreateEndpoint, Desired, Observed
from .probe_targets import probe_targets

Document = dict[str, Any]


def report(
    desired: Desired,
    observed: Observed,
    documents: Mapping[str, Document],
    *,
    target: str,
    pending: Iterable[Change] = (),
) -> dict[str, Any]:
    """The result's values. pending: changes that check mode did not make; the endpoints are shown with them made.

    A probe target needs addresses: an endpoint that does not exist yet has none, and no target.
    """
    endpoints = _predicted(desired, observed, documents, list(pending))
    names = {name: offer.private_dns_names for name, offer in observed.offers.items()}
    existing = [item for item in endpoints if item["network_interfaces"]]
    targets = probe_targets(target, observed.region, existing, names)
    return {
        "vpc_id": desired.vpc_id,
        "region": observed.region,
        "endpoints": [
            {**shown(item, observed.region), **_known(observed, item)} for item in endpoints
        ],
        "probe_targets": [item.to_json() for item in targets],
        "security_group_id": _group_id(desired, observed),
        "services_not_offered": sorted(
            item.short for item in desired.services if item.name not in observed.offers
        ),
        "subnets_left_out": {
            item.short: out
            for item in desired.services
            if item.name in observed.offers and (out := left_out(desired, observed, item.name))
        },
    }


def shown(document: Mapping[str, Any], region: str) -> Document:
    """An endpoint of the evidence's shape with its short name and its addresses."""
    interfaces: Sequence[Mapping[str, Any]] = document["network_interfaces"]
    return {
        **document,
        "short_name": short_name(document["service"], region),
        "addresses": sorted(address for item in interfaces for address in item["addresses"]),
        "ipv6_addresses": sorted(
            address for item in interfaces for address in item["ipv6_addresses"]
        ),
    }


def _known(observed: Observed, document: Mapping[str, Any]) -> Document:
    """What the DNS phase would read again: whose an endpoint is, and the names that its service answers."""
    owners = {item.id: item.owner_id for item in observed.endpoints}
    offer = observed.offers.get(document["service"])
    return {
        "owner_id": owners.get(document["id"], KNOWN_AFTER_APPLY),
        "private_dns_names": list(offer.private_dns_names) if offer else [],
    }


def _group_id(desired: Desired, observed: Observed) -> str | None:
    if desired.group is None:
        return None
    group = managed_group(desired, observed)
    return group.id if group else KNOWN_AFTER_APPLY


def _predicted(
    desired: Desired,
    observed: Observed,
    documents: Mapping[str, Document],
    pending: Sequence[Change],
) -> list[Document]:
    created = {item.goal.service: item for item in pending if isinstance(item, CreateEndpoint)}
    changed = {item.endpoint_id: item for item in pending if isinstance(item, ChangeEndpoint)}
    found = []
    for requested in desired.services:
        existing = next(iter(observed.live(requested.name)), None)
        if existing is not None:
            document = dict(documents[existing.id])
            change = changed.get(existing.id)
            found.append({**document, **change.after} if change else document)
        elif requested.name in created:
            found.append(_new(desired.vpc_id, created[requested.name]))
    return found


def _new(vpc_id: str, change: CreateEndpoint) -> Document:
    return {
        "id": KNOWN_AFTER_APPLY,
        "type": "Interface",
        "state": KNOWN_AFTER_APPLY,
        "vpc_id": vpc_id,
        "ip_address_type": KNOWN_AFTER_APPLY,
        "dns_record_ip_type": KNOWN_AFTER_APPLY,
        "network_interfaces": [],
        "dns_entries": [],
        "last_error": None,
        "created_at": KNOWN_AFTER_APPLY,
        **new_attributes(change.goal),
    }
