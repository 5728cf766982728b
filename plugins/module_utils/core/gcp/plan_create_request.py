# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the options of the create phase; what can be refused without asking Google is refused here."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Any

from ..errors import EndpointError
from .names import BUNDLES, network_path, project_of, subnet_path
from .plan_create import NAME_LENGTH
from .plan_create_types import LABEL, Desired, Wish

_NAME = re.compile(rf"[a-z][a-z0-9]{{0,{NAME_LENGTH - 1}}}")
_ADDRESS_NAME = re.compile(r"[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?")
_LABEL_KEY, _LABEL_VALUE = re.compile(r"[^\W\d_][\w-]{0,62}"), re.compile(r"[\w-]{0,63}")
_TAG = re.compile(r"[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?")
# The last one is kept for the rule that denies.
_LOWEST = 65534


def desired(params: Mapping[str, Any], project: str | None) -> Desired:
    """What is asked for. project: of names without a path, and of the endpoints when it is set as an option.

    EndpointError names every option that cannot be, at once.
    """
    problems: list[EndpointError] = []
    wishes = []
    for item in params["networks"]:
        try:
            wishes.append(_wish(item, params, project))
        except EndpointError as error:
            problems.append(error)
    try:
        subnets = tuple(
            subnet_path(text, project) for text in params["private_google_access_subnets"] or ()
        )
    except EndpointError as error:
        problems.append(error)
        subnets = ()
    problems += _repeated(wishes) + _labels(params["labels"]) + _firewall(params)
    if problems:
        first, *others = problems
        first.problems = tuple(error.message for error in others)
        first.args = (first.message,)
        raise first
    return Desired(
        wishes=tuple(wishes),
        labels=None
        if params["labels"] is None
        else {str(key): str(value) for key, value in params["labels"].items()},
        purge_labels=params["purge_labels"],
        region=params["service_directory_region"],
        subnets=tuple(dict.fromkeys(subnets)),
        sources=_sources(params),
        priority=params["firewall_priority"],
        remove_replaced=params["remove_replaced"],
    )


def suggestion(text: str) -> str:
    """A good name that is close to one that cannot be."""
    plain = re.sub(r"[^a-z0-9]", "", text.lower())
    return (plain if plain[:1].isalpha() else f"psc{plain}")[:NAME_LENGTH]


def default_name(network: str) -> str:
    """The endpoint's name in a network when none is given."""
    return suggestion("psc" + network.rpartition("/")[2])


def _wish(item: Mapping[str, Any], params: Mapping[str, Any], project: str | None) -> Wish:
    network = network_path(item["network"], project)
    name = item.get("endpoint_name")
    if name and not _NAME.fullmatch(name):
        raise EndpointError(
            f"{name!r} cannot be an endpoint's name, which has 1 to {NAME_LENGTH} lowercase letters and digits, a "
            "letter first, and no dashes",
            resource="endpoint_name",
            fix=f"Use {suggestion(name)}",
        )
    address_name = item.get("address_name")
    if address_name and not _ADDRESS_NAME.fullmatch(address_name):
        raise EndpointError(
            f"{address_name!r} cannot be an address's name, which has lowercase letters, digits and dashes",
            resource="address_name",
            fix="Use " + (re.sub(r"[^a-z0-9-]", "-", address_name.lower()).strip("-") or "psc-ip"),
        )
    address = item.get("address")
    if address:
        try:
            address = str(ipaddress.IPv4Address(address))
        except ValueError:
            raise EndpointError(
                f"{address!r} is no single IPv4 address",
                resource="address",
                fix="Give one such as 10.255.255.1, or leave it out to have a free one chosen",
            ) from None
    bundle = item.get("bundle") or params["bundle"]
    if bundle not in BUNDLES:
        raise EndpointError(
            f"{bundle!r} is no bundle of Google APIs",
            resource="bundle",
            fix="Choose one of " + ", ".join(BUNDLES),
        )
    return Wish(
        network=network,
        project=params.get("project") or project_of(network),
        name=name or default_name(network),
        named=bool(name),
        bundle=bundle,
        address=address or None,
        address_name=address_name or None,
    )


def _repeated(wishes: list[Wish]) -> list[EndpointError]:
    found = []
    for option, values in (
        ("network", [item.network for item in wishes]),
        ("endpoint_name", [f"{item.project}/{item.name}" for item in wishes]),
    ):
        twice = sorted({value for value in values if values.count(value) > 1})
        if twice:
            found.append(
                EndpointError(
                    f"{', '.join(twice)} is named twice",
                    resource=option,
                    fix="Give each network once, with an endpoint_name of its own",
                )
            )
    return found


def _labels(labels: Mapping[str, Any] | None) -> list[EndpointError]:
    bad = [
        f"{key}={value}"
        for key, value in (labels or {}).items()
        if not _LABEL_KEY.fullmatch(str(key))
        or not _LABEL_VALUE.fullmatch(str(value))
        or f"{key}{value}" != f"{key}{value}".lower()
    ]
    found = []
    if bad:
        found.append(
            EndpointError(
                f"{', '.join(bad)} cannot be a label",
                resource="labels",
                fix="Use at most 63 lowercase letters, digits, dashes and underscores, and a letter first in the key",
            )
        )
    if LABEL in (labels or {}):
        found.append(
            EndpointError(
                f"{LABEL} marks what this collection made", resource="labels", fix="Leave it out"
            )
        )
    return found


def _firewall(params: Mapping[str, Any]) -> list[EndpointError]:
    found = []
    for text in params["allowed_cidrs"] or ():
        try:
            ipaddress.IPv4Network(text)
        except ValueError as error:
            found.append(
                EndpointError(
                    f"{text!r} is no IPv4 network: {error}",
                    resource="allowed_cidrs",
                    fix="Give it as 10.30.0.0/16, with no bits behind the prefix",
                )
            )
    bad = [text for text in params["allowed_tags"] or () if not _TAG.fullmatch(text)]
    if bad:
        found.append(
            EndpointError(
                f"{', '.join(bad)} cannot be a network tag",
                resource="allowed_tags",
                fix="Use lowercase letters, digits and dashes",
            )
        )
    bad = [text for text in params["allowed_service_accounts"] or () if "@" not in text]
    if bad:
        found.append(
            EndpointError(
                f"{', '.join(bad)} is no service account",
                resource="allowed_service_accounts",
                fix="Give its email",
            )
        )
    if not 0 <= params["firewall_priority"] <= _LOWEST:
        found.append(
            EndpointError(
                f"{params['firewall_priority']} is out of range",
                resource="firewall_priority",
                fix=f"Use a number from 0 to {_LOWEST}",
            )
        )
    return found


def _sources(params: Mapping[str, Any]) -> dict[str, tuple[str, ...]] | None:
    given = {
        "ranges": params["allowed_cidrs"],
        "tags": params["allowed_tags"],
        "accounts": params["allowed_service_accounts"],
    }
    if all(value is None for value in given.values()):
        return None
    return {kind: tuple(sorted(set(value or ()))) for kind, value in given.items()}
