# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read what the create phase needs: one list of each kind for a project, and more only where an endpoint is new."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from ..core.gcp.names import path_of, project_of
from ..core.gcp.plan_create import chosen
from ..core.gcp.plan_create_types import Desired, Network, Observed, Wish
from . import create_convert as convert
from .client import Connection, GoogleError, gather, settle

Document = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """What was read. notes: what could not be seen."""

    observed: Observed
    notes: tuple[str, ...] = field(default=())


def observe(connection: Connection, desired: Desired, *, removing: bool = False) -> Snapshot:
    """Rules, and firewall rules and subnets where they are asked for; the rest where an endpoint has to be made."""
    read = _Reader(connection)
    projects = {wish.project for wish in desired.wishes}
    homes = {project_of(wish.network) for wish in desired.wishes}
    calls: dict[str, Callable[[], Any]] = {
        f"rules {name}": partial(read.all, name, "global/forwardingRules") for name in projects
    }
    if desired.sources is not None or removing:
        calls |= {
            f"firewalls {name}": partial(read.all, name, "global/firewalls") for name in homes
        }
    if removing or desired.remove_replaced:
        calls |= {
            f"addresses {name}": partial(read.all, name, "global/addresses") for name in projects
        }
    owners = {project_of(path) for path in desired.subnets} if not removing else set()
    calls |= {
        f"subnets {name}": partial(read.all, name, "aggregated/subnetworks") for name in owners
    }
    found = gather(calls)
    subnets = {
        path_of(str(item["selfLink"])): bool(item.get("privateIpGoogleAccess"))
        for name in owners
        for item in found[f"subnets {name}"]
    }
    observed = Observed(
        rules=tuple(convert.rule(item) for name in projects for item in found[f"rules {name}"]),
        firewalls=tuple(
            convert.firewall(item) for name in homes for item in found.get(f"firewalls {name}", ())
        ),
        subnets=subnets,
    )
    observed = _with_addresses(observed, projects, found)
    lacking = [wish for wish in desired.wishes if chosen(wish, observed) is None]
    if removing or not lacking:
        return Snapshot(observed=observed)
    lists = {name.partition(" ")[2]: found[name] for name in found if name.startswith("subnets")}
    return _new(read, observed, lacking, projects, lists)


class _Reader:
    """Lists of compute."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def all(self, project: str, kind: str) -> list[Document]:
        path = f"projects/{project}/{kind}"
        return self.connection.list("compute", path, params={"maxResults": 500}, resource=path)


def _new(
    read: _Reader,
    observed: Observed,
    lacking: list[Wish],
    projects: set[str],
    lists: dict[str, list[Document]],
) -> Snapshot:
    """Also the networks, with the ranges of their peers, and all addresses: what a new address must keep clear of."""
    networks = {wish.network for wish in lacking}
    homes = {project_of(path) for path in networks}
    calls: dict[str, Callable[[], Any]] = {
        f"addresses {name}": partial(read.all, name, "global/addresses")
        for name in projects | homes
    }
    calls |= {f"routes {name}": partial(read.all, name, "global/routes") for name in homes}
    calls |= {
        f"subnets {name}": partial(read.all, name, "aggregated/subnetworks")
        for name in homes - set(lists)
    }
    calls |= {path: partial(read.connection.find, "compute", path) for path in networks}
    found = gather(calls)
    lists = lists | {
        name.partition(" ")[2]: found[name] for name in found if name.startswith("subnets ")
    }
    peers = {path: _peers(found[path]) for path in networks}
    notes = _read_peers(read, {name for known in peers.values() for name in known}, lists)
    known: dict[str, Network | None] = {}
    for path in networks:
        document = found[path]
        reach = {path, *peers[path]}
        near = [
            item
            for owner in {project_of(name) for name in reach}
            for item in lists.get(owner, ())
            if path_of(str(item.get("network") or "")) in reach
        ]
        routes = [
            item
            for item in found[f"routes {project_of(path)}"]
            if path_of(str(item.get("network") or "")) == path
        ]
        known[path] = document and Network(
            path=path,
            auto=bool(document.get("autoCreateSubnetworks")),
            ranges=convert.ranges(near, routes),
        )
    observed = _with_addresses(observed, projects | homes, found)
    return Snapshot(observed=replace(observed, networks=known), notes=notes)


def _read_peers(
    read: _Reader, networks: set[str], lists: dict[str, list[Document]]
) -> tuple[str, ...]:
    """Add the subnets of projects that were not read yet; what may not be read is noted."""
    missing = sorted({project_of(path) for path in networks} - set(lists))
    outcomes = settle({name: partial(read.all, name, "aggregated/subnetworks") for name in missing})
    notes = []
    for name, outcome in outcomes.items():
        if isinstance(outcome, GoogleError):
            if outcome.kind not in ("denied", "missing", "disabled", "policy"):
                raise outcome
            notes.append(
                f"The subnets of the peered project {name} cannot be read, so that an address is only known to be "
                f"clear of what the network's own routes show: {outcome.message}"
            )
        else:
            lists[name] = outcome
    return tuple(notes)


def _peers(document: Document | None) -> list[str]:
    return [
        path_of(str(item["network"]))
        for item in (document or {}).get("peerings") or ()
        if item.get("network")
    ]


def _with_addresses(observed: Observed, projects: set[str], found: dict[str, Any]) -> Observed:
    known = [
        address
        for name in sorted(projects)
        for item in found.get(f"addresses {name}", ())
        if (address := convert.address(item))
    ]
    return replace(observed, addresses=tuple(known)) if known else observed
