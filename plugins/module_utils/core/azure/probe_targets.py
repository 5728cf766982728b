# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From an account's names and its endpoints' addresses to what a probe needs: one target per client name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..contracts import ProbeTarget
from .answers import in_reach
from .arm_id import same
from .names import CLOUDS, client_name, family_of

# A read that every one of these hosts knows. It is sent without credentials: Azure judges networks first, so that a
# caller who is asked for credentials has been let in.
ACTION: Mapping[str, Any] = {
    "name": "azure_openai:ListModels",
    "method": "GET",
    "path": "/openai/models?api-version=2024-10-21",
}


def probe_targets(
    target: str, endpoints: Iterable[Mapping[str, Any]], hosts: Iterable[str] = ()
) -> list[ProbeTarget]:
    """One probe target for each name that clients call, ordered by name.

    target: the inventory's name of the account. endpoints: as in the evidence, of which `members` (their `fqdns` and
    `address`) are read. hosts: names of the account that are probed even where no endpoint answers for them yet, with
    an empty list of addresses, since no address is private there.

    A member's privatelink name counts as the client's name that it stands for; a name of no known family is left out.
    """
    addresses: dict[str, set[str]] = {client_name(host): set() for host in hosts}
    for endpoint in endpoints:
        for member in endpoint["members"]:
            for fqdn in member["fqdns"]:
                known = addresses.setdefault(client_name(str(fqdn)), set())
                known.update([str(member["address"])] if member["address"] else [])
    return [
        ProbeTarget(
            host=host,
            addresses=sorted(addresses[host]),
            cloud="azure",
            target=target,
            service=family,
            # What manages an account is Resource Manager, which is public by nature; these names serve inference.
            plane="runtime",
            probe_action=dict(ACTION),
        )
        for host in sorted(addresses)
        if (family := _family(host))
    ]


def of_evidence(evidence: Mapping[str, Any]) -> list[ProbeTarget]:
    """The probe targets of an account as its evidence shows it, which needs the parts `account` and `endpoints`.

    Only endpoints of this account that the target's network uses count, and of these the approved ones: any other
    address lets nobody in.
    """
    account = evidence["account"] or {}
    standing = [
        item
        for item in in_reach(evidence)
        if same(item["connection"]["account_id"], account.get("id"))
        and str(item["connection"]["status"]).lower() == "approved"
    ]
    return probe_targets(str(evidence["target"]), standing, account.get("hosts") or ())


def _family(host: str) -> str | None:
    return next((found for cloud in CLOUDS.values() if (found := family_of(host, cloud))), None)
