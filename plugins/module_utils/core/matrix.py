# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The host × vantage matrix: what each place saw of each host, as data and as a table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from .case import Case, Vantage
from .table import table
from .views import view

_ORDER = {"inside": 0, "spoke": 1, "canary": 2, "outside": 3}
NOT_SEEN = "not observed"
_HOSTS_ACROSS = 2


def matrix(cases: Iterable[Case], *, pinned: bool) -> list[dict[str, Any]]:
    """One row per target, host and vantage: `{target, host, vantage, position, where, outcome, cell}`.

    pinned: a vantage with pinned observations gets one cell for all addresses of a host; others are shown by name.
    """
    return [
        {
            "target": case.target,
            "host": host,
            "vantage": vantage.name,
            "position": vantage.position,
            **_cell(case, vantage, host, pinned),
        }
        for case in cases
        for host in case.hosts()
        for vantage in sorted(case.vantages, key=_place)
    ]


def text(rows: Sequence[dict[str, Any]]) -> str:
    """The matrix as text for a terminal: vantages down, hosts across, a few hosts to a table."""
    blocks = []
    for target in dict.fromkeys(row["target"] for row in rows):
        own = [row for row in rows if row["target"] == target]
        cells = {(row["host"], row["vantage"]): row["cell"] for row in own}
        hosts = list(dict.fromkeys(row["host"] for row in own))
        vantages = list(dict.fromkeys((row["vantage"], row["position"]) for row in own))
        for start in range(0, len(hosts), _HOSTS_ACROSS):
            across = hosts[start : start + _HOSTS_ACROSS]
            body = [
                [
                    name if name == place else f"{name} ({place})",
                    *(cells[host, name] for host in across),
                ]
                for name, place in vantages
            ]
            blocks.append(table([target, *across], body))
    return "\n\n".join(blocks)


def _place(vantage: Vantage) -> tuple[int, str]:
    return _ORDER[vantage.position], vantage.name


def _cell(case: Case, vantage: Vantage, host: str, pinned: bool) -> dict[str, Any]:
    cidrs = networks(case)
    return (_pinned_cell(case, vantage, host, cidrs) if pinned else None) or _named_cell(
        case, vantage, host, cidrs
    )


def _named_cell(case: Case, vantage: Vantage, host: str, cidrs: list[str]) -> dict[str, Any]:
    seen = case.seen(vantage.name, host)
    if seen is None:
        return {"where": None, "outcome": None, "cell": NOT_SEEN}
    read = view(seen, cidrs)
    return {"where": read.where, "outcome": read.outcome, "cell": read.said()}


def _pinned_cell(
    case: Case, vantage: Vantage, host: str, cidrs: list[str]
) -> dict[str, Any] | None:
    """One cell for all pinned addresses; the first that was not admitted is shown."""
    addresses = sorted(
        {
            str(item["pinned"])
            for item in case.observations
            if item["pinned"] and item["host"] == host and item["vantage"] == vantage.name
        }
    )
    found = [
        view(seen, cidrs)
        for address in addresses
        if (seen := case.seen(vantage.name, host, pinned=address))
    ]
    if not found:
        return None
    shown = next((item for item in found if item.outcome != "admitted"), found[0])
    more = f" (of {len(found)})" if len(found) > 1 else ""
    return {
        "where": shown.where,
        "outcome": shown.outcome,
        "cell": f"pinned {shown.said()}{more}" if shown.addresses else shown.said(),
    }


def networks(case: Case) -> list[str]:
    """The CIDRs of the target's own network, its peers and endpoints, in which any address is a private one."""
    if case.evidence is None:
        return []
    network = case.evidence.get("vpc") or case.evidence.get("network") or {}
    peers = [cidr for item in case.evidence.get("peerings", ()) for cidr in item["peer_cidrs"]]
    # Google's networks have no range of their own: subnets and endpoints do.
    subnets = [item["cidr"] for item in network.get("subnets", ()) if item.get("cidr")]
    listed = case.evidence.get("endpoints") or ()
    single = [f"{item['address']}/32" for item in listed if item.get("address")]
    return [*network.get("cidrs", ()), *network.get("ipv6_cidrs", ()), *peers, *subnets, *single]
