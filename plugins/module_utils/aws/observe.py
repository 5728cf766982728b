# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read what AWS's control planes say about one VPC and its AI endpoints: the evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

PARTS = ("network", "endpoints", "dns", "enforcement", "traffic")


def observe(
    connection: Mapping[str, Any],
    *,
    vpc_id: str,
    target: str | None = None,
    gather: Sequence[str] = ("network", "endpoints", "dns"),
    organizations_role_arn: str | None = None,
    traffic_days: int = 7,
    traffic_max_pages: int = 40,
) -> dict[str, Any]:
    """The evidence document of one VPC (see the module bedrock_vpc_endpoint_info for its keys).

    connection: the AWS connection options of a module (region, access_key, …, assume_role_arn).
    target: the inventory's name for the VPC; its id when there is none.
    gather: which of PARTS to read.
    organizations_role_arn: role of the management (or delegated) account for `enforcement`; None uses `connection`
    without its assumed role.

    A part that the credentials may not read is an entry of `missing`, naming the action; a VPC that does not exist,
    credentials that AWS rejects, or a network failure raise EndpointError.
    """
    raise NotImplementedError
