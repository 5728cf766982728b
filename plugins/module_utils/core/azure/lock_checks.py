# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Why an account may not be locked, whatever is proved of it, and what a lock cannot decide there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .arm_id import same
from .lock_record import MOST_TAGS
from .lock_standing import Standing

_UNFIT = {
    "failed": "its provisioning failed. Look at its activity log in Azure and repair it",
    "deleting": "it is being deleted",
    "canceled": "its provisioning was canceled. Look at its activity log in Azure and repair it",
}


def problems(start: Standing, desired: Standing) -> list[str]:
    """Why this lock may not be made, as sentences with the fix."""
    found = []
    if start.state.lower() in _UNFIT:
        found.append(f"{start.resource}: {_UNFIT[start.state.lower()]}")
    if not start.custom_subdomain:
        found.append(
            f"{start.resource}: it has no custom subdomain, so it cannot have an endpoint and its callers would all be "
            "locked out. Set one, which can be done once, or make a new account"
        )
    found += _of_connections(start)
    if len(desired.tags) > MOST_TAGS:
        found.append(
            f"{start.resource}: with what is to be kept about its lock it has {len(desired.tags)} tags, and Azure "
            f"allows {MOST_TAGS}. Remove some"
        )
    return found


def _of_connections(start: Standing) -> list[str]:
    if any(status.lower() == "approved" for status in start.connections.values()):
        return []
    states = ", ".join(
        f"{endpoint.rpartition('/')[2]} is {status}"
        for endpoint, status in sorted(start.connections.items())
    )
    return [
        f"{start.resource}: no private endpoint of it is approved ({states or 'there is none'}), so its callers would "
        "all be locked out. Make one with private_ai.endpoints.azure_openai_private_link, or have it approved"
    ]


def member_problems(start: Standing, evidence: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Members, by their names in the inventory, whose callers have no approved endpoint of this account."""
    return [
        f"members: {name} has no approved endpoint of {start.resource} in its network, so its callers would be locked "
        "out. Make one with private_ai.endpoints.azure_openai_private_link"
        for name, document in evidence.items()
        if not any(_leads_there(item, document, start) for item in document["endpoints"])
    ]


def _leads_there(item: Mapping[str, Any], document: Mapping[str, Any], start: Standing) -> bool:
    return (
        same(item["connection"]["account_id"], start.account_id)
        and same(item["network_id"], (document["network"] or {}).get("id"))
        and str(item["connection"]["status"]).lower() == "approved"
    )


def perimeter_notes(resource: str, perimeters: Iterable[Mapping[str, Any]]) -> list[str]:
    """Network security perimeters that judge public calls instead of, or beside, what is set here."""
    found = []
    for item in perimeters:
        inner = item.get("properties") or {}
        perimeter = (inner.get("networkSecurityPerimeter") or {}).get("id") or item.get("name")
        mode = str((inner.get("resourceAssociation") or {}).get("accessMode") or "unknown")
        found.append(
            f"{resource} is in the network security perimeter {perimeter} (access mode {mode}), whose rules judge "
            "calls that come by the public path. Look at them as well"
        )
    return found
