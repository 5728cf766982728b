# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Name everything that would go wrong, at once, before anything is written."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..errors import EndpointError
from .arm_id import ArmId, same
from .names import members
from .plan_create import policies
from .plan_create_types import POLICIES, Account, Desired, Endpoint, Observed, Subnet

# Azure keeps the first four addresses of a subnet and the last one.
RESERVED = 5
# Subnets of these names belong to one service each.
_SPECIAL = frozenset(
    {"gatewaysubnet", "azurefirewallsubnet", "azurefirewallmanagementsubnet", "azurebastionsubnet"}
    | {"routeserversubnet"}
)


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One reason not to begin. code: what Azure would answer."""

    resource: str
    what: str
    fix: str
    code: str | None = None


def refuse(problems: Sequence[Problem]) -> None:
    """Raise one EndpointError that names all problems; nothing when there is none."""
    errors = [
        EndpointError(item.what, resource=item.resource, code=item.code, fix=item.fix)
        for item in problems
    ]
    if errors:
        errors[0].problems = tuple(error.message for error in errors[1:])
        # args hold the message that was made before the others were known.
        errors[0].args = (errors[0].message,)
        raise errors[0]


def problems(desired: Desired, observed: Observed) -> list[Problem]:
    """All reasons not to begin."""
    account, subnet = observed.account, observed.subnet
    found = _account(desired, account) + _subnet(desired, subnet)
    if account is None or subnet is None:
        return found
    if observed.endpoint:
        return (
            found + _existing(desired, observed.endpoint, account) + _neighbours(desired, observed)
        )
    found += _new(desired, observed, subnet) + _room(desired, subnet, account)
    return found + _neighbours(desired, observed)


def _account(desired: Desired, account: Account | None) -> list[Problem]:
    if account is None:
        return [
            Problem(
                resource="account_id",
                what=f"{desired.account} does not exist for these credentials",
                fix="Check its name, resource group and subscription",
                code="ResourceNotFound",
            )
        ]
    if not account.subdomain:
        return [
            Problem(
                resource=account.id,
                what="has no custom subdomain, without which no private endpoint can reach it",
                fix="Set one, which is possible once and changes the account's host name: az cognitiveservices account "
                "update --custom-domain NAME",
                code="CustomSubDomainNameRequired",
            )
        ]
    if account.state in ("Deleting", "Failed"):
        return [
            Problem(
                resource=account.id,
                what=f"is in the state {account.state}",
                fix="Look at its activity log in Azure",
                code="AccountProvisioningStateInvalid",
            )
        ]
    return []


def _subnet(desired: Desired, subnet: Subnet | None) -> list[Problem]:
    if subnet is None:
        return [
            Problem(
                resource="subnet_id",
                what=f"{desired.subnet} does not exist for these credentials",
                fix="Check the names of subnet and virtual network, their resource group and subscription",
                code="ResourceNotFound",
            )
        ]
    if subnet.state == "Deleting":
        return [
            Problem(
                resource="subnet_id",
                what=f"{subnet.id} is being deleted",
                fix="Choose another subnet",
            )
        ]
    return []


def _existing(desired: Desired, endpoint: Endpoint, account: Account) -> list[Problem]:
    found = []
    connection = account.connection(endpoint.id)
    # A new connection is not seen everywhere at once, so that one that the account does not show says nothing yet.
    status = connection.status if connection else endpoint.status
    if status in ("Rejected", "Disconnected"):
        said = connection.description if connection else endpoint.description
        found.append(
            Problem(
                resource=endpoint.id,
                what=f"its connection to {account.name} is {status}"
                + (f": {said}" if said else ""),
                fix="Approve the connection again on the account, or delete the endpoint and run again"
                if status == "Rejected"
                else "The account's side was removed and cannot come back: delete the endpoint (state: absent, with "
                "force if this collection did not make it) and run again",
                code=f"Connection{status}",
            )
        )
    if desired.addresses and tuple(sorted(desired.addresses)) != endpoint.addresses:
        found.append(
            Problem(
                resource="static_addresses",
                what=f"{endpoint.id} has the addresses {', '.join(endpoint.addresses)}, which cannot be changed",
                fix="Leave the option out, or delete the endpoint and run again",
            )
        )
    if desired.location and desired.location != endpoint.location:
        found.append(_elsewhere(desired, endpoint.location))
    return found


def _new(desired: Desired, observed: Observed, subnet: Subnet) -> list[Problem]:
    found = []
    taken = observed.taken
    if taken:
        where = (
            "another account"
            if not same(taken.account_id, str(desired.account))
            else "another network"
        )
        found.append(
            Problem(
                resource="endpoint_name",
                what=f"{taken.id} exists and belongs to {where}",
                fix="Choose another endpoint_name or endpoint_resource_group",
                code="ResourceExists",
            )
        )
    name = ArmId.parse(subnet.id).name
    if name.lower() in _SPECIAL:
        found.append(
            Problem(
                resource="subnet_id",
                what=f"{name} is reserved for another service, which takes no private endpoints",
                fix="Choose an ordinary subnet",
            )
        )
    if subnet.delegations:
        found.append(
            Problem(
                resource="subnet_id",
                what=f"{subnet.id} is delegated to {', '.join(subnet.delegations)}, which takes no private endpoints",
                fix="Choose a subnet without delegation",
                code="PrivateEndpointCreationNotAllowedAsSubnetIsDelegated",
            )
        )
    if desired.location and observed.location and desired.location != observed.location:
        found.append(_elsewhere(desired, observed.location))
    return found


def _elsewhere(desired: Desired, place: str) -> Problem:
    return Problem(
        resource="location",
        what=f"{desired.location} is not where the virtual network is, {place}",
        fix="Leave the option out; the account may be anywhere",
        code="InvalidResourceLocation",
    )


def _room(desired: Desired, subnet: Subnet, account: Account) -> list[Problem]:
    needed = len(members(account.kind))
    networks = list(_ipv4(subnet.prefixes))
    left = sum(item.num_addresses - RESERVED for item in networks) - subnet.used
    found = []
    if networks and left < needed:
        found.append(
            Problem(
                resource="subnet_id",
                what=f"{subnet.id} has {max(left, 0)} free addresses, and an endpoint of an account of kind "
                f"{account.kind} takes {needed}",
                fix="Choose a larger subnet, or free addresses in it",
                code="SubnetIsFull",
            )
        )
    if desired.addresses and len(set(desired.addresses)) != needed:
        found.append(
            Problem(
                resource="static_addresses",
                what=f"has {len(set(desired.addresses))} addresses, and an endpoint of an account of kind "
                f"{account.kind} takes {needed}",
                fix="Name one for each member",
            )
        )
    for text in desired.addresses:
        address = ipaddress.IPv4Address(text)
        home = next((item for item in networks if address in item), None)
        if home is None:
            what = f"{text} does not lie in the subnet ({', '.join(subnet.prefixes)})"
        elif (
            int(address) - int(home.network_address) < RESERVED - 1
            or address == home.broadcast_address
        ):
            what = f"{text} is kept by Azure"
        else:
            continue
        found.append(
            Problem(
                resource="static_addresses",
                what=what,
                fix="Choose a free address of the subnet",
                code="PrivateIPAddressNotInSubnet"
                if home is None
                else "PrivateIPAddressInReservedRange",
            )
        )
    return found


def _neighbours(desired: Desired, observed: Observed) -> list[Problem]:
    """A group that did not apply to other endpoints of the subnet would begin to, with rules that nobody meant so."""
    subnet, group = observed.subnet, observed.group
    if subnet is None or group is None or desired.policies_given:
        return []
    value = policies(desired, subnet)
    own = observed.endpoint.id if observed.endpoint else str(desired.endpoint)
    others = [item for item in subnet.endpoint_ids if not same(item, own)]
    closing = [
        item.name
        for item in group.rules
        if item.direction.lower() == "inbound"
        and item.access.lower() == "deny"
        and not item.name.startswith("private-ai-")
    ]
    if value is None or "groups" in POLICIES.get(subnet.policies, ()) or not others or not closing:
        return []
    return [
        Problem(
            resource="subnet_policies",
            what=f"{subnet.id} has other private endpoints ({', '.join(ArmId.parse(item).name for item in others)}), "
            f"which its security group does not reach today; it would begin to, with the rules {', '.join(closing)}",
            fix=f"Set subnet_policies: {desired.policies} when that is meant, or choose another subnet",
        )
    ]


def _ipv4(prefixes: Iterable[str]) -> Iterable[ipaddress.IPv4Network]:
    for text in prefixes:
        network = ipaddress.ip_network(text, strict=False)
        if isinstance(network, ipaddress.IPv4Network):
            yield network
