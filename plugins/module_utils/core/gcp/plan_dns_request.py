# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the options of the DNS phase: everything that cannot be is named at once."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Any

from ..errors import EndpointError
from .names import host_names, network_path
from .plan_dns_types import PREFIX, Wanted

_PREFIX = re.compile(r"[a-z](?:[a-z0-9-]{0,18}[a-z0-9])?")
_LONGEST_TTL = 604800


def wanted(params: Mapping[str, Any], project: str | None) -> Wanted:
    """What is asked for. project: of networks that are given by name. EndpointError names all bad options."""
    hosts = host_names(params["regions"] or (), params["extra_hosts"] or ())
    problems: list[EndpointError] = []
    places: dict[str, str] = {}
    for item in params["networks"] or ():
        try:
            network = network_path(item["network"], project)
            address = _address(item.get("address"), network, params["state"])
        except EndpointError as error:
            problems.append(error)
            continue
        if network in places:
            problems.append(
                EndpointError(
                    f"{network} is named twice",
                    resource="networks",
                    fix="Give each network once, with the address of its endpoint",
                )
            )
        places[network] = address
    if not places and not problems and params["state"] != "restored":
        problems.append(
            EndpointError("it is empty", resource="networks", fix="Give at least one network")
        )
    ttl = params["ttl"]
    if ttl is not None and not 0 < ttl <= _LONGEST_TTL:
        problems.append(
            EndpointError(
                f"{ttl} is out of range",
                resource="ttl",
                fix=f"Use a number of seconds from 1 to {_LONGEST_TTL}",
            )
        )
    prefix = params["zone_prefix"] or PREFIX
    if not _PREFIX.fullmatch(prefix):
        problems.append(
            EndpointError(
                f"{prefix!r} cannot begin a zone's name",
                resource="zone_prefix",
                fix="Use at most 20 lowercase letters, digits and dashes, a letter first and no dash last",
            )
        )
    if problems:
        first, *others = problems
        first.problems = tuple(error.message for error in others)
        first.args = (first.message,)
        raise first
    return Wanted(
        places=places,
        hosts=tuple(hosts),
        mode=params["mode"],
        home=params["project"],
        ttl=ttl,
        prefix=prefix,
    )


def _address(text: str | None, network: str, state: str) -> str:
    if not text:
        if state == "present":
            raise EndpointError(
                f"{network} has no address",
                resource="address",
                fix="Give the address of the endpoint in that network",
            )
        return ""
    try:
        return str(ipaddress.IPv4Address(text))
    except ValueError:
        raise EndpointError(
            f"{text!r} is no IPv4 address",
            resource="address",
            fix="Give the address of the endpoint in that network, such as 10.255.255.1",
        ) from None
