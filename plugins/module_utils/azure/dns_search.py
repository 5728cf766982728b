# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Look everywhere before anything is written: zones of the same names, other accounts, networks that are new."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from ..core.azure.arm_id import ArmId, key
from ..core.azure.names import all_zones
from ..core.azure.plan_dns_choice import chosen, names
from ..core.azure.plan_dns_done import Done
from ..core.azure.plan_dns_types import Account, Endpoint, Network, View, Zone, label
from ..core.contracts import KNOWN_AFTER_APPLY
from ..core.errors import EndpointError
from . import dns_convert, dns_read
from .client import AzureError, Connection, gather, settle
from .dns_places import Places, home, kept_from_us
from .dns_read import Reading

_ZONES = "Microsoft.Network/privateDnsZones"
_ACCOUNTS = "Microsoft.CognitiveServices/accounts"


def search(places: Places, params: Mapping[str, Any], reading: Reading) -> Reading:
    """The reading with everything in it that the plan needs to know before a write."""
    view = reading.view
    wanted = set(names(view)) or set(all_zones(places.main.cloud))
    where = _subscriptions(places, view)
    calls: dict[str, Callable[[], Any]] = {}
    for name, connection in where.items():
        calls[f"zones {name}"] = partial(_zones, connection, name)
        if params["state"] == "present":
            calls[f"accounts {name}"] = partial(_accounts, places.main, name)
    if view.endpoint.id and view.endpoint.id != KNOWN_AFTER_APPLY:
        calls["group"] = partial(zone_group, places, view.endpoint)
    if any(chosen(view, name) is None for name in names(view)):
        group = ArmId.parse(view.home.zone_id("zone")).group
        calls["home"] = partial(places.of(str(group)).find, group)
    for network in _unlinked(view):
        calls[f"network {network.id}"] = partial(places.main.get, network.id)
    found = settle(calls)
    _refuse(found, view)
    endpoint = replace(view.endpoint, group=found.get("group"))
    listed = _documents(found, wanted)
    for item in endpoint.group.configs if endpoint.group else ():
        if item.zone in wanted:
            listed.setdefault(key(item.zone_id), {"id": item.zone_id})
    problems = [*_home_problems(found, view), *_network_problems(found, view)]
    return replace(
        reading,
        warnings=(*reading.warnings, *_unseen(found)),
        view=replace(
            view,
            endpoint=endpoint,
            zones=_with_contents(places, listed, view),
            networks=tuple(_looked_at(network, found) for network in view.networks),
            accounts=_others(found, view, places),
            complete=True,
        ),
        problems=tuple(problems),
    )


def standing(places: Places, params: Mapping[str, Any], undo: Done) -> Reading:
    """What stands of the things that a run changed."""
    ids = {key(item): item for item in undo.zones}
    for zone_id in (
        *(item.zone_id for item in undo.records),
        *(item.zone_id for item in undo.links),
    ):
        ids.setdefault(key(zone_id), zone_id)
    groups = (undo.group.before, undo.group.after) if undo.group else ()
    for config in (item for made in groups if made for item in made.configs):
        ids.setdefault(key(config.zone_id), config.zone_id)
    calls: dict[str, Callable[[], Any]] = {
        zone_id: partial(dns_read.zone, places, zone_id, whole=True) for zone_id in ids.values()
    }
    calls["endpoint"] = partial(
        dns_read.endpoint_by_id, places, undo.endpoint_id, undo.account_id or None
    )
    calls["network"] = partial(places.main.find, undo.network_id)
    found = gather(calls)
    endpoint: Endpoint | None = found["endpoint"]
    if endpoint is None:
        endpoint = gone(undo.endpoint_id, undo.account_id, undo.network_id)
    else:
        endpoint = replace(endpoint, group=zone_group(places, endpoint))
    space = ((found["network"] or {}).get("properties") or {}).get("addressSpace") or {}
    view = View(
        endpoint=endpoint,
        networks=(Network(id=undo.network_id),),
        home=home(params, undo.network_id),
        zones=tuple(item for item in found.values() if isinstance(item, Zone)),
        cidrs=tuple(space.get("addressPrefixes") or ()),
        complete=True,
    )
    return Reading(view=view)


def gone(endpoint_id: str, account_id: str, network_id: str) -> Endpoint:
    """An endpoint that does not exist any more."""
    return Endpoint(
        id=endpoint_id,
        name=endpoint_id.rpartition("/")[2],
        account_id=account_id,
        network_id=network_id,
        status="",
        hosts=(),
    )


def zone_group(places: Places, endpoint: Endpoint) -> Any:
    """The zone group of an endpoint, or None."""
    return dns_convert.group(places.main.list(f"{endpoint.id}/privateDnsZoneGroups"))


def _subscriptions(places: Places, view: View) -> dict[str, Connection]:
    known = [view.home.subscription]
    for item in (view.endpoint.network_id, view.endpoint.account_id):
        parsed = ArmId.read(item)
        known.append(parsed.subscription if parsed else "")
    return places.subscriptions({name.lower(): "" for name in known if name})


def _zones(connection: Connection, subscription: str) -> list[dict[str, Any]]:
    return connection.list(f"/subscriptions/{subscription}/providers/{_ZONES}")


def _accounts(connection: Connection, subscription: str) -> list[dict[str, Any]]:
    return connection.list(f"/subscriptions/{subscription}/providers/{_ACCOUNTS}")


def _unlinked(view: View) -> list[Network]:
    """Networks that a zone in use is not linked to; the endpoint's own was read."""
    zones = [chosen(view, name) for name in names(view)]
    return [
        network
        for network in view.networks
        if key(network.id) != key(view.endpoint.network_id)
        and not all(zone and zone.link_to(network.id) for zone in zones)
    ]


def _refuse(found: Mapping[str, Any], view: View) -> None:
    """What must be readable: the zone group, and the zones of the home. Others are looked at where that is allowed."""
    for name in ("group", f"zones {view.home.subscription.lower()}"):
        if isinstance(found.get(name), EndpointError):
            raise found[name]


def _unseen(found: Mapping[str, Any]) -> list[str]:
    """Subscriptions that were not looked through, which others may own.

    What gave no answer this time is raised: a zone could be linked that cuts off names of theirs.
    """
    said = {
        "zones": "its private DNS zones, one of which may be linked to a network already",
        "accounts": "its AI accounts, whose names a zone that is linked would take",
    }
    notes = []
    for name, answer in found.items():
        kind, _space, subscription = name.partition(" ")
        if kind in said and isinstance(answer, EndpointError):
            if not kept_from_us(answer):
                raise answer
            notes.append(
                f"Of subscription {subscription} not everything is known: {said[kind]}: {answer.message}"
            )
    return notes


def _documents(found: Mapping[str, Any], wanted: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Zones of the wanted names, by id."""
    return {
        key(item["id"]): item
        for name, answer in found.items()
        if name.startswith("zones ") and not isinstance(answer, EndpointError)
        for item in answer
        if str(item["name"]).lower() in wanted
    }


def _with_contents(
    places: Places, listed: Mapping[str, Mapping[str, Any]], view: View
) -> tuple[Zone, ...]:
    """Links and records of zones; those of the home were read already, unless they came up since."""
    read = {key(zone.id): zone for zone in view.zones}
    contents = gather(
        {
            zone_id: partial(dns_read.zone, places, str(item["id"]), whole=False)
            for zone_id, item in listed.items()
            if zone_id not in read
        }
    )
    found = []
    for zone_id, item in listed.items():
        zone = read.get(zone_id) or contents.get(zone_id)
        if zone is not None:
            marks = dns_convert.zone(zone.id, (), (), item)
            found.append(replace(zone, managed=marks.managed, run=marks.run))
    return tuple(found)


def _looked_at(network: Network, found: Mapping[str, Any]) -> Network:
    document = found.get(f"network {network.id}")
    if document is None or isinstance(document, EndpointError):
        return network
    return replace(network, dns_servers=dns_read.dns_servers(document))


def _home_problems(found: Mapping[str, Any], view: View) -> list[str]:
    """A home that does not exist; who may not see resource groups may still make zones in one."""
    if "home" not in found or found["home"] is not None:
        return []
    return [
        f"zone_resource_group: {view.home.resource_group} does not exist in subscription {view.home.subscription}. "
        "Create it, or name another"
    ]


def _network_problems(found: Mapping[str, Any], view: View) -> list[str]:
    """Networks that are to be linked and cannot be seen."""
    problems = []
    for network in view.networks:
        answer = found.get(f"network {network.id}")
        if isinstance(answer, AzureError) and answer.kind in ("missing", "denied"):
            option = "link_peered" if network.peered else "networks"
            fix = "set link_peered: false" if network.peered else "take it out of networks"
            problems.append(
                f"{option}: {label(network.id)} is to be linked and cannot be read ({answer.code}). Grant "
                f"Microsoft.Network/virtualNetworks/read and join/action on {network.id}, or {fix}"
            )
        elif isinstance(answer, EndpointError):
            raise answer
    return problems


def _others(found: Mapping[str, Any], view: View, places: Places) -> tuple[Account, ...]:
    """Other accounts that have private endpoints."""
    accounts = [
        dns_convert.account(item, places.main.cloud)
        for name, answer in found.items()
        if name.startswith("accounts ") and not isinstance(answer, EndpointError)
        for item in answer
    ]
    return tuple(
        item for item in accounts if item and key(item.id) != key(view.endpoint.account_id)
    )
