# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Addresses of callers as audit logs show them: whole, or with their last parts masked."""

from __future__ import annotations

import ipaddress
import re
from typing import TypeAlias

Network: TypeAlias = "ipaddress.IPv4Network | ipaddress.IPv6Network"

_OCTETS = 4
_MASKED = re.compile(r"[*xX]+")


def network_of(text: str | None) -> Network | None:
    """Everything that an address may be: itself, or for `203.0.113.***` all of 203.0.113.0/24; None for no address."""
    plain = (text or "").strip().strip("[]")
    if plain.count(":") == 1:
        plain = plain.partition(":")[0]
    parts = plain.split(".")
    if len(parts) == _OCTETS:
        known = [part for part in parts if not _MASKED.fullmatch(part)]
        if parts[: len(known)] != known:
            return None
        plain = ".".join(known + ["0"] * (_OCTETS - len(known))) + f"/{8 * len(known)}"
    try:
        return ipaddress.ip_network(plain, strict=False)
    except ValueError:
        return None


def may_be(text: str | None, address: str) -> bool:
    """Whether a masked address may be this one."""
    network = network_of(text)
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return network is not None and parsed.version == network.version and parsed in network
