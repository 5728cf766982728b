# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the core knows of each cloud, in one place: its checks and the digest that its proofs hang on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .aws import configuration as aws_configuration
from .aws.checks import registry as aws_checks
from .azure import configuration as azure_configuration
from .azure.checks import registry as azure_checks
from .checks import Check
from .errors import EndpointError
from .gcp import configuration as gcp_configuration
from .gcp.checks import registry as gcp_checks


@dataclass(frozen=True)
class Cloud:
    """One cloud's part of validation."""

    checks: tuple[Check, ...]
    config_hash: Callable[[Mapping[str, Any]], str]


CLOUDS: Mapping[str, Cloud] = {
    "aws": Cloud(aws_checks.CHECKS, aws_configuration.config_hash),
    "azure": Cloud(azure_checks.CHECKS, azure_configuration.config_hash),
    "gcp": Cloud(gcp_checks.CHECKS, gcp_configuration.config_hash),
}


def cloud(name: str) -> Cloud:
    """The entry of a cloud; EndpointError for one that this release cannot judge."""
    if name not in CLOUDS:
        raise EndpointError(
            f"{name!r} is not a cloud that this release judges",
            resource="cloud",
            fix="Use " + ", ".join(sorted(CLOUDS)),
        )
    return CLOUDS[name]


def select(name: str, ids: list[str], expect: str) -> list[Check]:
    """The checks of one cloud to run: those named, else those that the expectation asks for.

    EndpointError for an id that no cloud has.
    """
    known = {item.id for entry in CLOUDS.values() for item in entry.checks}
    unknown = sorted(set(ids) - known)
    if unknown:
        raise EndpointError(
            f"no such check: {', '.join(unknown)}",
            resource="checks",
            fix="Use " + ", ".join(sorted(known)),
        )
    checks = cloud(name).checks
    if ids:
        return [item for item in checks if item.id in ids]
    special = [item for item in checks if item.only_for == expect]
    return special or [item for item in checks if item.only_for is None]
