# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which addresses of a subnet are taken, and which are free."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from . import arm_ids
from .state import Resource, State

RESERVED = 4  # the first four addresses of a subnet and its last one are Azure's


def interfaces_in(state: State, subnet: Resource) -> list[Resource]:
    """The network interfaces that have an address of a subnet."""
    return [
        each
        for each in state.of_type("Microsoft.Network/networkInterfaces")
        if any(
            arm_ids.same(item["properties"]["subnet"]["id"], str(subnet.id))
            for item in each.properties["ipConfigurations"]
        )
    ]


def taken(state: State, subnet: Resource) -> dict[str, str]:
    """Addresses in use, with the id of the IP configuration that has them."""
    return {
        item["properties"]["privateIPAddress"]: item["id"]
        for interface in interfaces_in(state, subnet)
        for item in interface.properties["ipConfigurations"]
    }


def prefixes(subnet: Resource) -> list[ipaddress.IPv4Network]:
    """The IPv4 prefixes of a subnet."""
    given = subnet.properties.get("addressPrefixes") or [subnet.properties["addressPrefix"]]
    return [ipaddress.IPv4Network(each) for each in given if ":" not in each]


def free(state: State, subnet: Resource) -> Iterator[str]:
    """Addresses that nobody has, lowest first. Vantages have theirs, too (`places` of the world)."""
    used = set(taken(state, subnet)) | set(state.extra.get("vantage addresses", ()))
    for prefix in prefixes(subnet):
        # By index: an address space may be large.
        for index in range(RESERVED, prefix.num_addresses - 1):
            address = str(prefix[index])
            if address not in used:
                yield address


def inside(address: str, subnet: Resource) -> bool:
    try:
        parsed = ipaddress.IPv4Address(address)
    except ValueError:
        return False
    return any(parsed in each for each in prefixes(subnet))


def reserved(address: str, subnet: Resource) -> bool:
    """Whether Azure keeps an address of the subnet for itself."""
    parsed = ipaddress.IPv4Address(address)
    for each in prefixes(subnet):
        if parsed in each:
            index = int(parsed) - int(each.network_address)
            return index < RESERVED or parsed == each.broadcast_address
    return False
