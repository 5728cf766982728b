# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read what the create phase needs: three reads at once, then two, and more only where something is to be made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from ..core.azure.arm_id import ArmId, key, same
from ..core.azure.plan_create import group_id
from ..core.azure.plan_create_request import place
from ..core.azure.plan_create_types import Account, Desired, Endpoint, Observed, Subnet
from . import create_convert as convert
from .client import AzureError, Connection, gather
from .create_zones import linked_zones

Document = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """What was read: the plan's view, and the endpoint as Azure shows it. notes: what could not be seen."""

    observed: Observed
    endpoint: Document | None = None
    notes: tuple[str, ...] = field(default=())


def observe(connection: Connection, desired: Desired, *, removing: bool = False) -> Snapshot:
    """Read account, subnet, endpoint, interface and security group; network and zones when the endpoint is new."""
    first = gather(
        {
            "account": partial(_find, connection, desired.account, "account_id"),
            "subnet": partial(_find, connection, desired.subnet, "subnet_id"),
            "endpoint": partial(_find, connection, desired.endpoint, "endpoint_name"),
        }
    )
    account = convert.account(first["account"]) if first["account"] else None
    subnet = convert.subnet(first["subnet"]) if first["subnet"] else None
    named = first["endpoint"]
    # An account that is gone leaves its endpoint behind, to be removed.
    if subnet is None or (account is None and not removing):
        return Snapshot(observed=Observed(account=account, subnet=subnet))
    taken = None
    if named and not _connects(convert.endpoint(named, None), desired, subnet):
        taken, named = convert.endpoint(named, None), None
    chosen = named or _adopted(connection, account, subnet, desired)
    if chosen and not same(convert.endpoint(chosen, None).subnet_id, subnet.id):
        where = ArmId.parse(convert.endpoint(chosen, None).subnet_id)
        subnet = convert.subnet(connection.get(where, resource="subnet_id"))
    return _second(
        connection,
        desired,
        Snapshot(
            observed=Observed(account=account, subnet=subnet, taken=taken),
            endpoint=chosen,
        ),
        removing=removing,
    )


def read_endpoint(connection: Connection, found: Document) -> Endpoint:
    """An endpoint with its interface."""
    seen = convert.endpoint(found, None)
    if not seen.nic_id:
        return seen
    return convert.endpoint(found, connection.find(seen.nic_id, resource=seen.id))


def _second(
    connection: Connection, desired: Desired, snapshot: Snapshot, *, removing: bool
) -> Snapshot:
    chosen, observed = snapshot.endpoint, snapshot.observed
    subnet = observed.subnet
    reads: dict[str, Callable[[], Any]] = {}
    if chosen:
        reads["endpoint"] = partial(read_endpoint, connection, chosen)
    if subnet and subnet.group_id and (desired.cidrs is not None or removing):
        reads["group"] = partial(connection.get, subnet.group_id, resource=subnet.group_id)
    new_group = bool(desired.cidrs) and subnet is not None and not subnet.group_id
    if not removing and subnet and (chosen is None or new_group):
        reads["network"] = partial(connection.get, subnet.network_id, resource=subnet.network_id)
    if subnet and not subnet.group_id and (new_group or removing):
        # Made for another endpoint of this subnet by a run at the same time, or by one that was killed; or one that
        # an earlier run took off the subnet and could not delete.
        reads["group"] = partial(connection.find, group_id(desired, subnet))
    lacking = chosen is None or convert.endpoint(chosen, None).lacks_zones
    if not removing and lacking and desired.dns == "zone_group" and subnet and observed.account:
        reads["zones"] = partial(
            linked_zones, connection, observed.account, subnet.network_id, desired.zone_ids
        )
    found = gather(reads)
    zones, notes = found.get("zones", ((), ()))
    group = convert.group(found["group"]) if found.get("group") else None
    if subnet and not subnet.group_id and group and not group.managed:
        # Somebody else's, which making ours will refuse.
        group = None
    return replace(
        snapshot,
        observed=replace(
            observed,
            endpoint=found.get("endpoint"),
            group=group,
            location=place(found["network"].get("location")) if found.get("network") else None,
            zones=zones,
        ),
        notes=notes,
    )


def _adopted(
    connection: Connection, account: Account | None, subnet: Subnet, desired: Desired
) -> Document | None:
    """An endpoint of another name that connects the account to the same network, the approved ones first."""
    connections = account.connections if account else ()
    ids = {
        key(item.endpoint_id): item.endpoint_id
        for item in sorted(connections, key=lambda item: item.status != "Approved")
        if item.endpoint_id and not same(item.endpoint_id, str(desired.endpoint))
    }
    inside = {key(item) for item in subnet.endpoint_ids}
    near = {name: ids[name] for name in ids if name in inside}
    found = gather(
        {name: partial(_readable, connection, id_) for name, id_ in (near or ids).items()}
    )
    return next(
        (
            item
            for item in found.values()
            if item and _connects(convert.endpoint(item, None), desired, subnet)
        ),
        None,
    )


def _connects(endpoint: Endpoint, desired: Desired, subnet: Subnet) -> bool:
    return same(endpoint.account_id, str(desired.account)) and same(
        endpoint.network_id, subnet.network_id
    )


def _readable(connection: Connection, endpoint_id: str) -> Document | None:
    """An endpoint; None where it lies out of sight, in somebody else's subscription."""
    try:
        return connection.find(endpoint_id, resource=endpoint_id)
    except AzureError as error:
        if error.kind not in ("denied", "credentials"):
            raise
        return None


def _find(connection: Connection, id_: ArmId, option: str) -> Mapping[str, Any] | None:
    return connection.find(id_, resource=f"{option} {id_}")
