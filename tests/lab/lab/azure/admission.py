# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether an account takes a request from where it comes: the network's say, before any credential.

The account's own settings decide over the public path, as the data plane has them by now; over an
endpoint's address only the state of that endpoint's connection does.
https://learn.microsoft.com/azure/ai-services/cognitive-services-virtual-networks
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..cloud import Request
from .cognitive import binding
from .hosts import DataHost
from .state import Resource, State
from .topology import approved, member_at, place_of

_PUBLIC = ipaddress.ip_network("203.0.113.0/24")
_SERVICE = "Microsoft.CognitiveServices"
DISABLED = "Public access is disabled. Please configure private endpoint."
RULES = "Access denied due to Virtual Network/Firewall rules."
UNAPPROVED = "Traffic is not from an approved private endpoint."
# Its words are the lab's own: only the 403 is known.
PERIMETER = "Access denied due to Network Security Perimeter rules."


@dataclass(frozen=True)
class Way:
    """How a request came in: the source that the account sees, and why it is refused ("": it is not)."""

    source: str
    refusal: str = ""


def judge(state: State, request: Request, account: Resource, name: DataHost) -> Way:
    """The way of a request to an account's name."""
    place = place_of(state, request.vantage)
    if ipaddress.ip_address(request.address) not in _PUBLIC:
        member = member_at(state, request.address, place)
        source = request.vantage.address
        if member is None or not approved(state, member.endpoint, account):
            return Way(source, UNAPPROVED)
        # Each member answers for its own name only.
        return Way(source, "" if name.host in member.hosts else UNAPPROVED)
    subnet = place.subnet if place else None
    if subnet is not None and _has_service_endpoint(subnet):
        # A service endpoint shows the account the subnet and the private address.
        return Way(request.vantage.address, _public_refusal(state, account, "", subnet))
    source = request.vantage.public_address
    return Way(source, _public_refusal(state, account, source, None))


def _has_service_endpoint(subnet: Resource) -> bool:
    services = subnet.properties.get("serviceEndpoints") or ()
    return any(str(each.get("service")) == _SERVICE for each in services)


def _public_refusal(state: State, account: Resource, source: str, subnet: Resource | None) -> str:
    settings = binding(account)
    access = str(settings.get("publicNetworkAccess") or "Enabled")
    perimeters = list(_enforced(state, account))
    if access == "SecuredByPerimeter" or perimeters:
        admits = any(_perimeter_admits(each, account, source) for each in perimeters)
        return "" if admits else PERIMETER
    if access != "Enabled":
        return DISABLED
    rules = settings.get("networkAcls") or {}
    if str(rules.get("defaultAction") or "Allow") == "Allow":
        return ""
    return "" if _in_rules(rules, source, subnet) else RULES


def _in_rules(rules: Mapping[str, Any], source: str, subnet: Resource | None) -> bool:
    if subnet is not None:
        return any(
            str(each["id"]).lower() == subnet.id.key
            for each in rules.get("virtualNetworkRules") or ()
        )
    return any(_holds(str(each["value"]), source) for each in rules.get("ipRules") or ())


def _holds(cidr: str, source: str) -> bool:
    return ipaddress.ip_address(source) in ipaddress.ip_network(cidr, strict=False)


def _enforced(state: State, account: Resource) -> Iterable[Mapping[str, Any]]:
    """The perimeters that bind the account, beyond learning mode."""
    for each in state.children(account.id, "networkSecurityPerimeterConfigurations"):
        association = each.properties.get("resourceAssociation") or {}
        if str(association.get("accessMode", "")).lower() == "enforced":
            yield each.properties


def _perimeter_admits(perimeter: Mapping[str, Any], account: Resource, source: str) -> bool:
    rules = (perimeter.get("profile") or {}).get("accessRules") or ()
    return bool(source) and any(
        _holds(str(prefix), source)
        for rule in rules
        if str(rule["properties"].get("direction", "Inbound")).lower() == "inbound"
        for prefix in rule["properties"].get("addressPrefixes") or ()
    )
