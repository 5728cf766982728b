# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Route 53: which VPCs a private hosted zone answers in, also those of other accounts.

https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/hosted-zone-private-associate-vpcs-different-accounts.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..core.aws.plan_dns_types import Spoke, Zone
from .client import AwsError, Connection
from .organization import patiently
from .zones import GONE, ask, named, place, tolerant


def associate(owner: Connection, other: Connection, zone: Zone, spoke: Spoke) -> str:
    """Associate a VPC; across accounts the zone's owner authorises it first and takes that back afterwards."""
    request = {"HostedZoneId": zone.id, "VPC": place(spoke)}
    about = f"association of {named(zone)} with {spoke.vpc_id}"
    if zone.account == spoke.account:
        answer = ask(owner, about, "associate_vpc_with_hosted_zone", **request)
        return str(answer["ChangeInfo"]["Id"])
    _busy(lambda: ask(owner, about, "create_vpc_association_authorization", **request))
    try:
        answer = ask(other, about, "associate_vpc_with_hosted_zone", **request)
    except AwsError:
        # Also when the answer was lost, and AWS says on the second attempt that it is associated.
        revoke(owner, zone, spoke)
        raise
    revoke(owner, zone, spoke)
    return str(answer["ChangeInfo"]["Id"])


def authorised(owner: Connection, zone: Zone) -> frozenset[str]:
    """The VPCs of other accounts that may be associated."""
    found: set[str] = set()
    token: dict[str, str] = {}
    while True:
        try:
            answer = ask(
                owner,
                named(zone),
                "list_vpc_association_authorizations",
                HostedZoneId=zone.id,
                **token,
            )
        except AwsError as error:
            if error.code in GONE:
                return frozenset()
            raise
        found.update(item["VPCId"] for item in answer["VPCs"])
        if not answer.get("NextToken"):
            return frozenset(found)
        token = {"NextToken": answer["NextToken"]}


def revoke(owner: Connection, zone: Zone, spoke: Spoke) -> None:
    """Take the authorisation back, unless it is gone."""
    tolerant(
        lambda: _busy(
            lambda: ask(
                owner,
                f"authorisation of {spoke.vpc_id} for {named(zone)}",
                "delete_vpc_association_authorization",
                HostedZoneId=zone.id,
                VPC=place(spoke),
            )
        )
    )


def disassociate(other: Connection, zone: Zone, spoke: Spoke) -> str:
    """Disassociate a VPC with the credentials of its account, unless it is not associated any more."""
    answer = tolerant(
        lambda: ask(
            other,
            f"association of {named(zone)} with {spoke.vpc_id}",
            "disassociate_vpc_from_hosted_zone",
            HostedZoneId=zone.id,
            VPC=place(spoke),
        )
    )
    return str(answer["ChangeInfo"]["Id"]) if answer else ""


def _busy(call: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    return patiently(call)
