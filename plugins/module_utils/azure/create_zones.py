# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find the private DNS zones that a network already asks for the account's names.

As soon as an endpoint exists, public DNS sends these names to the zones; one that is linked and lacks the record
answers that there is no such name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from ..core.azure.arm_id import ArmId, key, same
from ..core.azure.names import zones
from ..core.azure.plan_create_types import Account, LinkedZone
from .client import AzureError, Connection, gather, settle

_ZONES = "Microsoft.Network/privateDnsZones"


def linked_zones(
    connection: Connection, account: Account, network_id: str, zone_ids: Iterable[str]
) -> tuple[tuple[LinkedZone, ...], tuple[str, ...]]:
    """The zones that are linked to the network, one for each name, and what could not be looked at.

    zone_ids: zones to look at first; those of all subscriptions that can be read follow.
    """
    wanted = set(zones(account.kind, connection.cloud).values())
    given = {key(item): item for item in zone_ids if ArmId.parse(item).name.lower() in wanted}
    places = _subscriptions(connection) | {
        ArmId.parse(item).subscription.lower() for item in (network_id, account.id, *given.values())
    }
    found = settle({place: partial(_zones_of, connection, place) for place in sorted(places)})
    notes = []
    for place, outcome in found.items():
        if isinstance(outcome, AzureError):
            if outcome.kind not in ("denied", "missing", "credentials"):
                raise outcome
            notes.append(
                f"The private DNS zones of subscription {place} could not be read, so that one of them may already be "
                f"linked to the network and lack the endpoint's record: {outcome.message}"
            )
        else:
            given.update(
                {key(item): item for item in outcome if ArmId.parse(item).name.lower() in wanted}
            )
    calls: dict[str, Callable[[], Any]] = {
        item: partial(_linked, connection, item, network_id) for item in given.values()
    }
    linked = gather(calls)
    chosen: dict[str, LinkedZone] = {}
    for item in given.values():
        name = ArmId.parse(item).name.lower()
        if linked[item]:
            chosen.setdefault(name, LinkedZone(id=item, name=name))
    return tuple(chosen[name] for name in sorted(chosen)), tuple(notes)


def _subscriptions(connection: Connection) -> set[str]:
    """All that these credentials can see."""
    try:
        found = connection.list("/subscriptions", resource="subscriptions")
    except AzureError as error:
        if error.kind != "denied":
            raise
        return set()
    return {str(item["subscriptionId"]).lower() for item in found}


def _zones_of(connection: Connection, subscription: str) -> list[str]:
    path = f"/subscriptions/{subscription}/providers/{_ZONES}"
    return [str(item["id"]) for item in connection.list(path, resource=path)]


def _linked(connection: Connection, zone_id: str, network_id: str) -> bool:
    links = connection.list(f"{zone_id}/virtualNetworkLinks", resource=zone_id)
    return any(
        same((item["properties"].get("virtualNetwork") or {}).get("id"), network_id)
        for item in links
    )
