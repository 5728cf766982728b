# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read a module's options as a request for the create phase, and name all that is wrong in their words at once."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Any

from ..errors import EndpointError
from .arm_id import ArmId
from .plan_create_types import ACCOUNTS, OWN_PREFIX, SUBNETS, ZONES, Desired

# https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules#microsoftnetwork
_ENDPOINT_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,78}[A-Za-z0-9_])?")
_MESSAGE = 140
DEFAULT_MESSAGE = "Requested by Ansible, collection private_ai.endpoints"


def desired(params: Mapping[str, Any], *, subscription_id: str | None) -> Desired:
    """The request behind the options of `azure_openai_private_link`.

    EndpointError names every option that cannot be meant; nothing was read from the cloud yet.
    """
    problems: list[str] = []
    account = _account(params, subscription_id, problems)
    subnet = _id(params["subnet_id"], "subnet_id", SUBNETS, problems)
    for zone in params["dns_zone_ids"] or ():
        _id(zone, "dns_zone_ids", ZONES, problems)
    problems += _problems(params)
    if problems or account is None or subnet is None:
        first, *others = problems
        raise EndpointError(first, problems=tuple(others))
    cidrs = params["allowed_cidrs"]
    name = params["endpoint_name"] or endpoint_name(account, subnet)
    return Desired(
        account=account,
        subnet=subnet,
        endpoint=ArmId(
            subscription=subnet.subscription,
            resource_group=params["endpoint_resource_group"] or subnet.resource_group,
            provider="Microsoft.Network",
            types=("privateEndpoints",),
            names=(name,),
        ),
        location=place(params["location"]),
        tags=None if params["tags"] is None else {k: str(v) for k, v in params["tags"].items()},
        purge_tags=params["purge_tags"],
        policies=params["subnet_policies"] or ("NetworkSecurityGroupEnabled" if cidrs else None),
        policies_given=bool(params["subnet_policies"]),
        cidrs=None if cidrs is None else tuple(dict.fromkeys(cidrs)),
        group_name=params["security_group_name"]
        or f"private-ai-{subnet.names[0]}-{subnet.name}"[:80],
        first_priority=params["rule_priority"],
        approval=params["approval"],
        message=params["approval_message"] or DEFAULT_MESSAGE,
        addresses=tuple(params["static_addresses"] or ()),
        dns=params["linked_zones"],
        zone_ids=tuple(params["dns_zone_ids"] or ()),
    )


def endpoint_name(account: ArmId, subnet: ArmId) -> str:
    """The name of a new endpoint: one for an account and a network, from wherever it is asked for."""
    name = re.sub(r"[^A-Za-z0-9_.-]", "-", f"pe-{account.name}-{subnet.names[0]}")[:80]
    return name.rstrip("-.")


def place(location: str | None) -> str | None:
    """A location as Azure writes it: `East US` is `eastus`."""
    return location.replace(" ", "").lower() if location else None


def _account(
    params: Mapping[str, Any], subscription_id: str | None, problems: list[str]
) -> ArmId | None:
    given = params["account_id"]
    if given.startswith("/"):
        return _id(given, "account_id", ACCOUNTS, problems)
    if not params["resource_group"]:
        problems.append(
            "resource_group: is missing; an account that is given by its name needs it, or give its "
            "whole resource id as account_id."
        )
    if not subscription_id:
        problems.append(
            "subscription_id: is missing; an account that is given by its name needs it, or give its "
            "whole resource id as account_id."
        )
    if not params["resource_group"] or not subscription_id:
        return None
    return ArmId(
        subscription=subscription_id,
        resource_group=params["resource_group"],
        provider="Microsoft.CognitiveServices",
        types=("accounts",),
        names=(given,),
    )


def _id(text: str, option: str, kind: str, problems: list[str]) -> ArmId | None:
    try:
        return ArmId.parse(text, option=option, kind=kind)
    except EndpointError as error:
        problems.append(error.message)
        return None


def _problems(params: Mapping[str, Any]) -> list[str]:
    problems: list[str] = []
    for cidr in params["allowed_cidrs"] or ():
        problems += filter(None, [_cidr_problem(cidr)])
    for address in params["static_addresses"] or ():
        try:
            ipaddress.IPv4Address(address)
        except ValueError:
            problems.append(f"static_addresses: {address} is no IPv4 address.")
    problems += [
        f"tags: the key {name} is reserved for this collection."
        for name in params["tags"] or {}
        if name.lower().startswith(OWN_PREFIX)
    ]
    name = params["endpoint_name"]
    if name and not _ENDPOINT_NAME.fullmatch(name):
        problems.append(
            f"endpoint_name: {name} is no name for a private endpoint; use up to 80 letters, digits, "
            "dots, hyphens and underscores."
        )
    if len(params["approval_message"] or "") > _MESSAGE:
        problems.append(f"approval_message: is longer than {_MESSAGE} characters.")
    if not 100 <= params["rule_priority"] <= 4095:
        problems.append("rule_priority: must be between 100 and 4095.")
    return problems


def _cidr_problem(text: str) -> str | None:
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return f"allowed_cidrs: {text} is no network; write it as 10.20.0.0/16."
    if network.version != 4:
        return (
            f"allowed_cidrs: {text} is IPv6, and an endpoint of these services has IPv4 addresses."
        )
    if str(network) not in (text, f"{text}/32"):
        return f"allowed_cidrs: {text} has host bits; did you mean {network}?"
    return None
