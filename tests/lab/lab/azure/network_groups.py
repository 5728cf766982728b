# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Network security groups with their rules, and application security groups."""

from __future__ import annotations

import ipaddress
import re
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from . import stock
from .arm_ids import ArmId
from .control import Control
from .errors import ArmError, bad_request
from .network import (
    NAMESPACE,
    SDK,
    VERSIONS,
    Items,
    Nest,
    delete_unused,
    nested,
    put_parent,
    users,
)
from .registry import Answer, operation, resource_type, shown, standard_view
from .state import Resource, State

_TAG = re.compile(r"[A-Za-z][A-Za-z0-9.-]*")
_GROUPS = f"{NAMESPACE}/networkSecurityGroups"
_ASGS = f"{NAMESPACE}/applicationSecurityGroups"
# name, priority, direction, access, source, destination
_DEFAULT_RULES = (
    ("AllowVnetInBound", 65000, "Inbound", "Allow", "VirtualNetwork", "VirtualNetwork"),
    ("AllowAzureLoadBalancerInBound", 65001, "Inbound", "Allow", "AzureLoadBalancer", "*"),
    ("DenyAllInBound", 65500, "Inbound", "Deny", "*", "*"),
    ("AllowVnetOutBound", 65000, "Outbound", "Allow", "VirtualNetwork", "VirtualNetwork"),
    ("AllowInternetOutBound", 65001, "Outbound", "Allow", "*", "Internet"),
    ("DenyAllOutBound", 65500, "Outbound", "Deny", "*", "*"),
)


def default_rules(group: Resource) -> list[dict[str, Any]]:
    """The rules that every group ends with."""
    made = []
    for name, priority, direction, access, source, destination in _DEFAULT_RULES:
        properties = {
            "provisioningState": "Succeeded",
            "description": name,
            "protocol": "*",
            "sourcePortRange": "*",
            "destinationPortRange": "*",
            "sourceAddressPrefix": source,
            "destinationAddressPrefix": destination,
            "access": access,
            "priority": priority,
            "direction": direction,
            "sourcePortRanges": [],
            "destinationPortRanges": [],
            "sourceAddressPrefixes": [],
            "destinationAddressPrefixes": [],
        }
        made.append(
            {
                "name": name,
                "id": f"{group.id}/defaultSecurityRules/{name}",
                "etag": f'W/"{group.etag}"',
                "type": f"{_GROUPS}/defaultSecurityRules",
                "properties": properties,
            }
        )
    return made


def _view(state: State, group: Resource) -> dict[str, Any]:
    body = standard_view(state, group)
    rules = state.children(group.id, "securityRules")
    body["properties"]["securityRules"] = [shown(state, each) for each in rules]
    body["properties"]["defaultSecurityRules"] = default_rules(group)
    subnets = users(state, "networkSecurityGroup", group)
    if subnets:
        body["properties"]["subnets"] = [{"id": str(each.id)} for each in subnets]
    return body


GROUPS = resource_type(_GROUPS, VERSIONS, model=(SDK, "NetworkSecurityGroup"), view=_view)
RULES = resource_type(
    f"{_GROUPS}/securityRules", VERSIONS, model=(SDK, "SecurityRule"), tracked=False
)
APPLICATION_GROUPS = resource_type(_ASGS, VERSIONS, model=(SDK, "ApplicationSecurityGroup"))
for _type in (GROUPS, APPLICATION_GROUPS):
    stock.readable(_type)
    stock.taggable(_type)
stock.readable(RULES)


def _check_rules(control: Control, group: ArmId, own: Mapping[str, Any], items: Items) -> None:
    del own
    places: dict[tuple[str, int], str] = {}
    for name, rule in items.items():
        id = group.child("securityRules", name)
        _complete(control, id, rule)
        place = (rule["direction"], rule["priority"])
        other = places.setdefault(place, name)
        if other != name:
            raise bad_request(
                "SecurityRuleConflict",
                f"Security rule {other} conflicts with rule {name}. Rules cannot have the same "
                "Priority and Direction.",
            )


def _complete(control: Control, id: ArmId, rule: dict[str, Any]) -> None:
    for key in ("protocol", "access", "direction", "priority"):
        if rule.get(key) is None:
            raise bad_request(
                "RequiredSecurityRuleParameterMissing",
                f"Required security rule parameters are missing for security rule with Id: {id}. "
                f"Security rule must specify {key[0].upper()}{key[1:]}.",
            )
    if not 100 <= rule["priority"] <= 4096:
        raise bad_request(
            "SecurityRuleInvalidPriority",
            f"Security rule has invalid Priority. Value provided: {rule['priority']} Allowed "
            "range: 100-4096.",
        )
    for side in ("source", "destination"):
        _check_prefixes(control, id, rule, side)
        _check_ports(id, rule, side)


def _both(rule: Mapping[str, Any], single: str, several: str) -> list[str]:
    given = [str(each) for each in rule.get(several) or []]
    return [*([str(rule[single])] if rule.get(single) else []), *given]


def _check_prefixes(control: Control, id: ArmId, rule: dict[str, Any], side: str) -> None:
    prefixes = _both(rule, f"{side}AddressPrefix", f"{side}AddressPrefixes")
    key = f"{side}ApplicationSecurityGroups"
    groups = rule.get(key) or []
    title = side.capitalize()
    if not prefixes and not groups:
        raise _missing(
            id, f"{title}AddressPrefixes, {title}AddressPrefix, or {title}ApplicationSecurityGroups"
        )
    if prefixes and groups:
        raise bad_request(
            f"SecurityRule{title}AddressPrefixAnd{title}ApplicationSecurityGroupsCannotBeSetTogether",
            f"Security rule {id} cannot specify {title}AddressPrefixes together with "
            f"{title}ApplicationSecurityGroups.",
        )
    if groups:
        rule[key] = [
            {"id": str(control.referenced(str(each.get("id", "")), _ASGS).id)} for each in groups
        ]
    several = rule.get(f"{side}AddressPrefixes") or []
    for each in prefixes:
        if not _prefix(each) or (each in several and each == "*"):
            raise bad_request(
                "SecurityRuleInvalidAddressPrefix",
                f"Security rule has invalid Address prefix. Value provided: {each}",
            )


def _missing(id: ArmId, words: str) -> ArmError:
    return bad_request(
        "RequiredSecurityRuleParameterMissing",
        f"Required security rule parameters are missing for security rule with Id: {id}. Security "
        f"rule must specify {words}.",
    )


def _prefix(text: str) -> bool:
    if text == "*":
        return True
    if _TAG.fullmatch(text):
        return True
    try:
        ipaddress.ip_network(text)
    except ValueError:
        return False
    return True


def _check_ports(id: ArmId, rule: Mapping[str, Any], side: str) -> None:
    ports = _both(rule, f"{side}PortRange", f"{side}PortRanges")
    title = side.capitalize()
    if not ports:
        raise _missing(id, f"{title}PortRanges or {title}PortRange")
    for each in ports:
        if each != "*" and not _port_range(each):
            raise bad_request(
                "SecurityRuleInvalidPortRange",
                f"Security rule has invalid Port range. Value provided: {each}. Value should be an "
                "integer OR integer range with '-' delimiter. Valid range 0-65535.",
            )


def _port_range(text: str) -> bool:
    first, _, last = text.partition("-")
    numbers: Iterable[str] = (first, last or first)
    if not all(each.isdecimal() and int(each) <= 65535 for each in numbers):
        return False
    return int(first) <= int(last or first)


RULES_NEST = Nest("securityRules", RULES, _check_rules)
nested(RULES_NEST, stock.existing_parent)


@operation(GROUPS, "PUT")
def put_group(control: Control) -> Answer:
    """Replace all of it: rules that the body does not name are gone."""
    properties = dict(control.properties)
    standing = control.existing()
    properties["resourceGuid"] = (
        standing.properties.get("resourceGuid") if standing else str(uuid.uuid4())
    )
    return put_parent(control, (RULES_NEST,), properties)


@operation(GROUPS, "DELETE")
def delete_group(control: Control) -> Answer:
    return delete_unused(
        control,
        "networkSecurityGroup",
        "InUseNetworkSecurityGroupCannotBeDeleted",
        "Network security group",
        "aka.ms/deletensg",
    )


@operation(APPLICATION_GROUPS, "PUT")
def put_application_group(control: Control) -> Answer:
    return put_parent(control)


@operation(APPLICATION_GROUPS, "DELETE")
def delete_application_group(control: Control) -> Answer:
    """Only when no rule names it."""
    group = control.existing()
    if group is None:
        return Answer(204)
    for rule in control.state.of_type(RULES.name):
        for side in ("source", "destination"):
            named = rule.properties.get(f"{side}ApplicationSecurityGroups") or []
            if any(each["id"].lower() == group.id.key for each in named):
                raise bad_request(
                    "InUseApplicationSecurityGroupCannotBeDeleted",
                    f"Application security group {group.id} cannot be deleted because it is in use "
                    f"by the following resources: {rule.id}.",
                )
    return control.delete(group, control.state.timing.operation)
