# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read what the DNS phase looks at. First the least that can show that nothing is to be done.

That is the endpoint with its network interface, its network, and links and records of each zone in its home; the rest
(dns_search) is read only when that does not show it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ..core.azure.arm_id import ArmId, key, same
from ..core.azure.names import hosts
from ..core.azure.plan_create_request import endpoint_name
from ..core.azure.plan_dns_types import Endpoint, Network, View, Zone
from ..core.contracts import KNOWN_AFTER_APPLY
from ..core.errors import EndpointError
from . import dns_convert
from .client import AzureError, gather
from .dns_places import Places, home

_ENDPOINTS = "Microsoft.Network/privateEndpoints"
_NETWORKS = "Microsoft.Network/virtualNetworks"
# With its network interface, which has the names.
_WHOLE = {"$expand": "networkInterfaces"}
_CREATE = "Create it with azure_openai_private_link"


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What was read. problems: what forbids writing. warnings: what should be known."""

    view: View
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    network: Mapping[str, Any] = field(default_factory=dict)


def read(places: Places, params: Mapping[str, Any], *, predict: bool) -> Reading:
    """The least. predict: an endpoint that does not exist is made up, as it will be.

    EndpointError for an endpoint or network that does not exist otherwise.
    """
    network_id = _network_option(params)
    first: dict[str, Callable[[], Any]] = {
        "endpoint": partial(_endpoint, places, params, network_id)
    }
    if network_id:
        first["network"] = partial(_network, places, network_id)
    found = gather(first)
    endpoint: Endpoint = found["endpoint"] or _missing(places, params, network_id, predict)
    where = home(params, endpoint.network_id)
    calls: dict[str, Callable[[], Any]] = {
        name: partial(zone, places, where.zone_id(name), whole=False)
        for name in dict.fromkeys(host.zone for host in endpoint.hosts)
    }
    if not same(network_id, endpoint.network_id):
        calls["network"] = partial(_network, places, endpoint.network_id)
    if params["mode"] == "none":
        calls = {name: call for name, call in calls.items() if name == "network"}
    found.update(gather(calls))
    network = found["network"]
    networks, warnings = _networks(params, endpoint.network_id, network)
    space = network["properties"].get("addressSpace") or {}
    view = View(
        endpoint=endpoint,
        networks=tuple(networks),
        home=where,
        zones=tuple(item for name in calls if isinstance(item := found[name], Zone)),
        cidrs=tuple(space.get("addressPrefixes") or ()),
    )
    return Reading(view=view, warnings=tuple(warnings), network=network)


def zone(places: Places, zone_id: str, *, whole: bool) -> Zone | None:
    """A zone with links and records; None when it does not exist. whole: also who made it."""
    connection = places.of(zone_id)
    calls: dict[str, Callable[[], Any]] = {
        "links": partial(connection.list, f"{zone_id}/virtualNetworkLinks"),
        "records": partial(connection.list, f"{zone_id}/ALL"),
    }
    if whole:
        calls["zone"] = partial(connection.get, zone_id)
    try:
        found = gather(calls)
    except AzureError as error:
        if error.kind != "missing":
            raise
        return None
    return dns_convert.zone(zone_id, found["links"], found["records"], found.get("zone"))


def endpoint_by_id(places: Places, endpoint_id: str, account_id: str | None) -> Endpoint | None:
    """An endpoint; None when it does not exist."""
    document = places.main.find(endpoint_id, params=_WHOLE)
    return _with_interface(places, document, account_id) if document else None


def _endpoint(places: Places, params: Mapping[str, Any], network_id: str | None) -> Endpoint | None:
    account_id = params["account_id"]
    if params["endpoint_id"] and params["endpoint_id"] != KNOWN_AFTER_APPLY:
        ArmId.parse(params["endpoint_id"], option="endpoint_id", kind=_ENDPOINTS)
        return endpoint_by_id(places, params["endpoint_id"], account_id)
    if not account_id or not network_id:
        raise EndpointError(
            "it is not said which endpoint is meant",
            resource="endpoint_id",
            fix="Give endpoint_id, or account_id with network_id or subnet_id",
        )
    network, account = ArmId.parse(network_id), ArmId.parse(account_id, option="account_id")
    # The one that azure_openai_private_link makes, before a look through all of them.
    usual = network.resource(
        "Microsoft.Network", "privateEndpoints", endpoint_name(account, network)
    )
    document: Mapping[str, Any] | None = places.main.find(usual, params=_WHOLE)
    if document is None or not _connects(document, account_id, network_id):
        document = _among_all(places, account_id, network_id)
    return _with_interface(places, document, account_id) if document else None


def _connects(document: Mapping[str, Any], account_id: str, network_id: str) -> bool:
    subnet = document["properties"]["subnet"]["id"]
    return dns_convert.connection_of(document, account_id) is not None and same(
        dns_convert.network_of(subnet), network_id
    )


def _among_all(places: Places, account_id: str, network_id: str) -> Mapping[str, Any] | None:
    """The account's one endpoint in a network; it lies in the network's subscription."""
    subscription = ArmId.parse(network_id).subscription
    documents = [
        item
        for item in places.main.list(f"/subscriptions/{subscription}/providers/{_ENDPOINTS}")
        if _connects(item, account_id, network_id)
    ]
    if len(documents) > 1:
        raise EndpointError(
            f"{account_id} has several endpoints in {network_id}: "
            + ", ".join(sorted(str(item["id"]) for item in documents)),
            resource="endpoint_id",
            fix="Say which one its names are to lead to",
        )
    return documents[0] if documents else None


def _with_interface(
    places: Places, document: Mapping[str, Any], account_id: str | None
) -> Endpoint:
    if account_id and dns_convert.connection_of(document, account_id) is None:
        raise EndpointError(
            f"it does not connect {account_id}",
            resource=str(document["id"]),
            fix="Correct one of the two",
        )
    interface: Mapping[str, Any] = next(
        iter(document["properties"].get("networkInterfaces") or ()), {}
    )
    if interface.get("id") and not (interface.get("properties") or {}).get("ipConfigurations"):
        interface = places.main.get(interface["id"])
    return dns_convert.endpoint(document, interface, account_id, places.main.cloud)


def _missing(
    places: Places, params: Mapping[str, Any], network_id: str | None, predict: bool
) -> Endpoint:
    """The endpoint as it will be, by the account alone; without id and status where it is to be taken away."""
    account_id = params["account_id"]
    known = params["endpoint_id"] or f"an endpoint for {account_id} in {network_id}"
    if not predict or not account_id or not network_id:
        raise EndpointError("it does not exist", resource=known, fix=_CREATE)
    gone = params["state"] == "absent"
    document = places.main.find(account_id)
    if document is None and not gone:
        raise EndpointError("it does not exist", resource=account_id, fix="Correct account_id")
    subdomain = str(((document or {}).get("properties") or {}).get("customSubDomainName") or "")
    if not subdomain and not gone:
        raise EndpointError(
            "the account has no custom subdomain, and without one no name that could be private",
            resource=account_id,
            fix="Set a custom subdomain; it can be set once and never changed",
        )
    named = hosts(str((document or {}).get("kind") or ""), subdomain, places.main.cloud)
    name = "" if gone else KNOWN_AFTER_APPLY
    return Endpoint(
        id=name,
        name=name,
        account_id=account_id,
        network_id=network_id,
        status="" if gone else "Approved",
        hosts=dns_convert.made_hosts(
            dict.fromkeys(named.values(), (KNOWN_AFTER_APPLY,)), places.main.cloud
        ),
    )


def _network_option(params: Mapping[str, Any]) -> str | None:
    if params["network_id"]:
        return str(ArmId.parse(params["network_id"], option="network_id", kind=_NETWORKS))
    if params["subnet_id"]:
        kind = f"{_NETWORKS}/subnets"
        return str(ArmId.parse(params["subnet_id"], option="subnet_id", kind=kind).parent)
    return None


def _network(places: Places, network_id: str) -> dict[str, Any]:
    found = places.main.find(network_id)
    if found is None:
        raise EndpointError(
            "the virtual network does not exist, or lies in another tenant",
            resource=network_id,
            fix="Correct network_id or subnet_id",
        )
    return found


def _networks(
    params: Mapping[str, Any], own: str, document: Mapping[str, Any]
) -> tuple[list[Network], list[str]]:
    """The networks that are to resolve the names: the endpoint's, those named, and the peers."""
    found = {key(own): Network(id=own, dns_servers=dns_servers(document))}
    for item in params["networks"]:
        parsed = ArmId.parse(item, option="networks", kind=_NETWORKS)
        found.setdefault(parsed.key, Network(id=str(parsed)))
    warnings = []
    peerings = document["properties"].get("virtualNetworkPeerings") or ()
    for item in peerings if params["link_peered"] else ():
        properties = item["properties"]
        remote = str((properties.get("remoteVirtualNetwork") or {}).get("id") or "")
        if not remote or key(remote) in found:
            continue
        if properties.get("peeringState") != "Connected":
            warnings.append(
                f"peering {item['name']} of {own} is {properties.get('peeringState')}: {remote} is not linked"
            )
        elif properties.get("allowVirtualNetworkAccess", True):
            found[key(remote)] = Network(id=remote, peered=True)
    return list(found.values()), warnings


def dns_servers(document: Mapping[str, Any]) -> tuple[str, ...]:
    """A network's own DNS servers; none for Azure's."""
    options = document["properties"].get("dhcpOptions") or {}
    return tuple(str(item) for item in options.get("dnsServers") or () if item != "168.63.129.16")
