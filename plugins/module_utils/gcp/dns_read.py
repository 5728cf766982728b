# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read what the DNS phase needs: one list of zones for each project, and the records of those that matter."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from ..core.gcp.names import DOMAIN, project_of
from ..core.gcp.plan_dns_done import Done
from ..core.gcp.plan_dns_types import Holder, View, Wanted, zone_name
from . import dns_convert as convert
from .client import Connection, GoogleError, gather

Document = dict[str, Any]


def read(connection: Connection, wanted: Wanted) -> View:
    """What answers by mode now: zones, or response policies."""
    kinds = ("zones",) if wanted.mode == "zones" else ("policies",)
    return _view(connection, wanted, kinds)


def read_made(connection: Connection, wanted: Wanted) -> View:
    """Zones and response policies, and what those hold that this collection made, for whatever name."""
    return _view(connection, wanted, ("zones", "policies"), removing=True)


def read_more(connection: Connection, wanted: Wanted, view: View, joining: Iterable[str]) -> View:
    """Also what decides before or beside what was read, and whether the networks that join anything exist."""
    kinds = ("policies",) if wanted.mode == "zones" else ("zones",)
    calls: dict[str, Callable[[], Any]] = {
        name: partial(_exists, connection, name) for name in joining
    }
    calls["view"] = partial(_view, connection, wanted, kinds)
    found = gather(calls)
    more: View = found.pop("view")
    return View(holders=(*view.holders, *more.holders), networks=found)


def read_done(connection: Connection, done: Done) -> View:
    """What a run changed, as it is now."""
    calls = {name: partial(_again, connection, item.holder) for name, item in done.changes.items()}
    found = gather(calls)
    return View(holders=tuple(item for item in found.values() if item is not None))


def projects(wanted: Wanted) -> list[str]:
    """Where zones and policies of these networks are looked for."""
    own = {project_of(network) for network in wanted.places}
    return sorted(own | ({wanted.home} if wanted.home else set()))


def _view(
    connection: Connection, wanted: Wanted, kinds: Iterable[str], *, removing: bool = False
) -> View:
    calls: dict[str, Callable[[], Any]] = {}
    for project in projects(wanted):
        if "zones" in kinds:
            path = f"projects/{project}/managedZones"
            calls[f"zone {project}"] = partial(
                connection.list, "dns", path, "managedZones", resource=path
            )
        if "policies" in kinds:
            path = f"projects/{project}/responsePolicies"
            calls[f"policy {project}"] = partial(
                connection.list, "dns", path, "responsePolicies", resource=path
            )
    found = gather(calls)
    documents: dict[str, tuple[Holder, Document]] = {}
    for name, items in found.items():
        kind, _space, project = name.partition(" ")
        for item in items:
            holder = (
                convert.zone(item, project) if kind == "zone" else convert.policy(item, project)
            )
            documents[holder.id] = holder, item
    names = _own_names(wanted)
    matter = [
        holder
        for holder, _unused in documents.values()
        if (removing and holder.managed and _here(holder, wanted))
        or _matters(holder, wanted, names)
    ]
    inside = gather({item.id: partial(_entries, connection, item) for item in matter})
    return View(
        holders=tuple(
            _whole(holder, document, inside.get(holder.id))
            for _unused, (holder, document) in sorted(documents.items())
        )
    )


def _own_names(wanted: Wanted) -> set[str]:
    """Names that zones of this run can have."""
    return {
        zone_name(wanted.prefix, host, network, address)
        for host in wanted.hosts
        for network, address in wanted.places.items()
    }


def _matters(holder: Holder, wanted: Wanted, names: set[str]) -> bool:
    """Whether what a zone or policy holds is looked at."""
    here = _here(holder, wanted)
    if holder.kind == "policy":
        return here or (holder.managed and holder.made_for in wanted.places)
    if holder.leads:
        return False
    left = holder.managed and (
        holder.name in names or (not holder.networks and holder.made_for in wanted.places)
    )
    return left or (here and holder.dns_name in (*wanted.hosts, DOMAIN))


def _here(holder: Holder, wanted: Wanted) -> bool:
    return bool(set(holder.networks) & set(wanted.places))


def _entries(connection: Connection, holder: Holder) -> list[Document]:
    if holder.kind == "zone":
        path = f"{holder.id}/rrsets"
        return connection.list("dns", path, "rrsets", resource=holder.id)
    return connection.list("dns", f"{holder.id}/rules", "responsePolicyRules", resource=holder.id)


def _whole(holder: Holder, document: Document, inside: list[Document] | None) -> Holder:
    if inside is None:
        return holder
    make = convert.zone if holder.kind == "zone" else convert.policy
    return make(document, holder.project, inside)


def _again(connection: Connection, known: Holder) -> Holder | None:
    document = connection.find("dns", known.id, resource=known.id)
    if document is None:
        return None
    make = convert.zone if known.kind == "zone" else convert.policy
    holder = make(document, known.project)
    try:
        return _whole(holder, document, _entries(connection, holder))
    except GoogleError as error:
        if error.kind != "missing":
            raise
        return None


def _exists(connection: Connection, network: str) -> bool:
    """Whether a network exists. Who may not look is told by the write."""
    try:
        return connection.find("compute", network, resource=network) is not None
    except GoogleError as error:
        if error.kind not in ("denied", "disabled", "policy"):
            raise
        return True
