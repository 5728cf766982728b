# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Name everything that would go wrong, at once, before anything is written."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import EndpointError
from .addresses import clash
from .firewalls import names as firewall_names
from .plan_create import chosen, free_name, plan, reserved_address, standing
from .plan_create_types import CreateRule, Desired, Observed, Wish


def refuse(problems: Sequence[EndpointError]) -> None:
    """Raise one EndpointError that names all problems; nothing when there is none."""
    if problems:
        first, *others = problems
        first.problems = tuple(error.message for error in others)
        # args hold the message that was made before the others were known.
        first.args = (first.message,)
        raise first


def problems(desired: Desired, observed: Observed) -> list[EndpointError]:
    """All reasons not to begin."""
    found: list[EndpointError] = []
    for wish in desired.wishes:
        found += _region(desired, wish, observed)
        if chosen(wish, observed) is None:
            found += _new(wish, observed)
        found += _firewalls(desired, wish, observed)
    for path in desired.subnets:
        if path not in observed.subnets:
            found.append(
                EndpointError(
                    f"{path} does not exist for these credentials",
                    resource="private_google_access_subnets",
                    code="notFound",
                    fix="Check its project, region and name",
                )
            )
    if not found:
        made = {
            item.rule.network for item in plan(desired, observed) if isinstance(item, CreateRule)
        }
        found += [
            EndpointError(
                f"no free address was found for {wish.network}",
                resource="address",
                fix="Give one that lies outside all subnet ranges of the network and its peers",
            )
            for wish in desired.wishes
            if chosen(wish, observed) is None and wish.network not in made
        ]
    return found


def warnings(desired: Desired, observed: Observed) -> list[str]:
    """What the user should know though the run goes on."""
    found = []
    for wish in desired.wishes:
        current = chosen(wish, observed)
        for item in standing(wish, observed):
            if item != current and not item.ours and item.name == wish.name:
                found.append(
                    f"{item.id} was made by somebody else, with {item.bundle} at {item.address}: it is left as it is, "
                    "and another endpoint stands beside it."
                )
    return found


def _new(wish: Wish, observed: Observed) -> list[EndpointError]:
    network = observed.networks.get(wish.network)
    if network is None:
        return [
            EndpointError(
                f"{wish.network} does not exist for these credentials",
                resource="network",
                code="notFound",
                fix="Check its project and name",
            )
        ]
    found = []
    for item in observed.rules:
        same = item.project == wish.project and item.name == wish.name
        if same and (item.network != wish.network or not item.bundle):
            found.append(
                EndpointError(
                    f"{item.id} exists and belongs to "
                    + (item.network if item.bundle else "another kind of forwarding rule"),
                    resource="endpoint_name",
                    code="alreadyExists",
                    fix=f"Use {free_name(wish, observed)}",
                )
            )
    if wish.address is None or reserved_address(wish, observed):
        return found
    holder = next((item for item in standing(wish, observed) if item.address == wish.address), None)
    if holder:
        why = f"is the address of {holder.id}, whose bundle is {holder.bundle}"
    else:
        why = clash(network, observed.addresses, wish.address)
    if why:
        found.append(
            EndpointError(
                f"{wish.address} {why}",
                resource="address",
                fix="Give another one, so that the new endpoint stands beside the old one until names are moved"
                if holder
                else "Give one outside all subnet ranges of the network and its peers, or leave it out to have a free "
                "one chosen",
            )
        )
    return found


def _region(desired: Desired, wish: Wish, observed: Observed) -> list[EndpointError]:
    others = [item for item in standing(wish, observed) if item.region]
    if not desired.region or not others or others[0].region == desired.region:
        return []
    return [
        EndpointError(
            f"{desired.region} is not the region of {others[0].id}, {others[0].region}, and all endpoints of a network "
            "share one",
            resource="service_directory_region",
            fix=f"Leave it out or set {others[0].region}",
        )
    ]


def _firewalls(desired: Desired, wish: Wish, observed: Observed) -> list[EndpointError]:
    if not any((desired.sources or {}).values()):
        return []
    return [
        EndpointError(
            f"{item.id} exists and was not made by this collection",
            resource="allowed_cidrs",
            code="alreadyExists",
            fix="Rename or remove that firewall rule",
        )
        for item in observed.firewalls
        if item.name in firewall_names(wish.network)
        and (not item.ours or item.network != wish.network or item.direction != "EGRESS")
    ]
