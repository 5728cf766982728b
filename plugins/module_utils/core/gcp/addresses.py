# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find an address for an endpoint: one that no network in reach uses, the same one for every run that sees the same."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection

from .plan_create_types import Address, Network

# What auto mode networks keep for themselves.
AUTO_MODE = "10.128.0.0/9"
# Ends of the private ranges, which networks seldom use, and of the shared one at last.
_BLOCKS = (
    *(f"10.255.{number}.0/24" for number in range(255, 247, -1)),
    *(f"192.168.{number}.0/24" for number in range(255, 251, -1)),
    *(f"172.31.{number}.0/24" for number in range(255, 251, -1)),
    *(f"10.127.{number}.0/24" for number in range(255, 251, -1)),
    *(f"100.127.{number}.0/24" for number in range(255, 251, -1)),
)


def clash(network: Network, addresses: Collection[Address], text: str) -> str:
    """Why an address cannot be an endpoint's in this network; "" when it can."""
    number = ipaddress.IPv4Address(text)
    if network.auto and number in ipaddress.IPv4Network(AUTO_MODE):
        return f"lies in {AUTO_MODE}, which auto mode networks keep for their subnets"
    for cidr, holder in network.ranges.items():
        if number in ipaddress.IPv4Network(cidr, strict=False):
            return f"lies in the range {cidr} of {holder}"
    for item in addresses:
        block = ipaddress.IPv4Network(f"{item.address}/{item.prefix}", strict=False)
        if item.network == network.path and number in block:
            return f"is already reserved by {item.id}"
    return ""


def free(network: Network, addresses: Collection[Address], taken: Collection[str]) -> str | None:
    """The first free address. taken: addresses of other networks, which a VPN may advertise beside this one's."""
    known = [ipaddress.IPv4Network(cidr, strict=False) for cidr in network.ranges]
    known += [ipaddress.IPv4Network(AUTO_MODE)] if network.auto else []
    for block in map(ipaddress.IPv4Network, _BLOCKS):
        if any(block.subnet_of(item) for item in known):
            continue
        for host in block.hosts():
            text = str(host)
            if text not in taken and not clash(network, addresses, text):
                return text
    return None
