# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read what the DNS phase looks at: endpoints, and the private zones of their VPC and of the spokes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from ..core.aws.catalogue import requested, short_name
from ..core.aws.plan_dns_types import (
    MANAGED,
    VPC,
    Done,
    Endpoint,
    Spoke,
    View,
    Zone,
)
from ..core.errors import EndpointError
from . import zone_associations, zones
from .client import Connection, gather
from .create_observe import Question, Snapshot, explain, observe
from .dns_endpoints import endpoints as endpoints_of

_ROLE = re.compile(r"arn:[^:]+:iam::(\d{12}):role/.+")


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What was read. accounts: account → its credentials, in the Region of the endpoints' VPC."""

    view: View
    snapshot: Snapshot
    accounts: Mapping[str, Connection]
    missing: tuple[str, ...]

    def of(self, account: str) -> Connection:
        """The credentials of an account that is known."""
        return self.accounts[account]


def read(
    connection: Connection, params: Mapping[str, Any], created: Snapshot | None = None
) -> Reading:
    """Everything, in two round trips; a third one when a zone has to be looked for by its name.

    created: the endpoints where they were just read, so that they are not read again.

    EndpointError for a VPC that does not exist or that the credentials may not see.
    """
    vpc_id, wanted = params["vpc_id"], requested(params["services"], connection.region)
    question = Question(
        vpc_id=vpc_id,
        services=tuple(item.name for item in wanted),
        subnet_filters={},
        with_subnets=False,
    )
    account, accounts, spokes = _places(connection, params)
    first: dict[str, Callable[[], Any]] = {
        "own": partial(zones.by_vpc, connection, vpc_id, connection.region),
    }
    if created is None:
        first["endpoints"] = partial(observe, connection, question)
    for spoke in spokes:
        first[spoke.vpc_id] = partial(
            zones.by_vpc, accounts.get(spoke.account, connection), spoke.vpc_id, spoke.region
        )
    if not account and any(not spoke.account for spoke in spokes):
        first["identity"] = connection.identity
    found = gather(first)
    snapshot: Snapshot = created or found["endpoints"]
    account = account or _account(connection, snapshot, found)
    accounts = {account: connection, **accounts}
    spokes = [replace(spoke, account=spoke.account or account) for spoke in spokes]
    endpoints, missing = endpoints_of(snapshot, wanted, connection.region)
    view = View(
        vpc_id=vpc_id,
        region=connection.region,
        account=account,
        endpoints=tuple(endpoints),
        spokes=tuple(spokes),
        zones=tuple(_merged([*found["own"], *(z for s in spokes for z in found[s.vpc_id])])),
    )
    looked_for = bool(spokes) or params["state"] == "absent"
    return Reading(
        view=_with_contents(view, accounts, everywhere=params["state"] == "absent")
        if looked_for
        else view,
        snapshot=snapshot,
        accounts=accounts,
        missing=tuple(missing),
    )


def read_back(connection: Connection, params: Mapping[str, Any], undo: Done) -> Reading:
    """What stands of the things that a run changed."""
    question = Question(vpc_id=undo.vpc_id, services=None, subnet_filters={}, with_subnets=False)
    account, accounts, spokes = _places(connection, params)
    snapshot = observe(connection, question)
    account = account or _account(connection, snapshot, {})
    accounts = {account: connection, **accounts}
    named = {
        item["zone_id"]: Zone(
            id=item["zone_id"],
            name=item["name"],
            account=item["zone_account"],
            vpc_id=undo.vpc_id,
        )
        for item in (*undo.created, *undo.associated, *undo.records)
    }
    unknown = sorted({zone.account for zone in named.values()} - set(accounts))
    if unknown:
        raise EndpointError(
            f"zones of account {', '.join(unknown)} are to be switched back, and there are no credentials for it",
            resource="spoke_vpcs",
            fix="Pass the same spoke_vpcs as in the run that is undone",
        )
    standing = gather(
        {key: partial(zones.standing, accounts[zone.account], zone) for key, zone in named.items()}
    )
    endpoints = [
        Endpoint(
            id=item.id,
            short=short_name(item.service, connection.region),
            state=item.state,
            private_dns=item.private_dns,
            managed=item.managed,
            hosts=(),
        )
        for item in snapshot.observed.endpoints
        if item.id in undo.private_dns
    ]
    view = View(
        vpc_id=undo.vpc_id,
        region=connection.region,
        account=account,
        endpoints=tuple(endpoints),
        spokes=tuple(spokes),
        zones=tuple(zone for zone in standing.values() if zone),
    )
    return Reading(view=view, snapshot=snapshot, accounts=accounts, missing=())


def attributes(reading: Reading, spokes: Iterable[Spoke], *, own: bool) -> list[str]:
    """Why names would not resolve in these VPCs, and with `own` in the endpoints' VPC: their DNS attributes."""
    view = reading.view
    calls: dict[str, Callable[[], Any]] = {}
    if own:
        connection = reading.of(view.account)
        calls[view.vpc_id] = partial(explain, connection, reading.snapshot, dns=True)
    for spoke in spokes:
        connection = reading.of(spoke.account).in_region(spoke.region)
        snapshot = replace(
            reading.snapshot, observed=replace(reading.snapshot.observed, vpc_id=spoke.vpc_id)
        )
        calls[spoke.vpc_id] = partial(explain, connection, snapshot, dns=True)
    found = []
    for vpc_id, answer in gather(calls).items():
        option = "vpc_id" if vpc_id == view.vpc_id else "spoke_vpcs"
        for name, value in (
            ("enableDnsSupport", answer.observed.dns_support),
            ("enableDnsHostnames", answer.observed.dns_hostnames),
        ):
            if not value:
                found.append(
                    f"{option}: {name} of {vpc_id} is off, so private names do not resolve there. Switch it on with "
                    "ec2:ModifyVpcAttribute"
                )
    return found


def _places(
    connection: Connection, params: Mapping[str, Any]
) -> tuple[str, dict[str, Connection], list[Spoke]]:
    """The account of the credentials where a role's ARN says it, other accounts' credentials, and the spokes."""
    account = _of_role(params.get("assume_role_arn"))
    accounts: dict[str, Connection] = {}
    spokes = []
    for item in params["spoke_vpcs"]:
        role = item.get("assume_role_arn")
        other = _of_role(role) if role else account
        if role and other and other != account:
            accounts[other] = connection.assuming(role, item.get("assume_role_external_id"))
        spokes.append(
            Spoke(
                vpc_id=item["vpc_id"],
                region=item.get("region") or connection.region,
                account=other,
            )
        )
    return account, accounts, spokes


def _of_role(arn: str | None) -> str:
    found = _ROLE.fullmatch(arn or "")
    if arn and not found:
        raise EndpointError(
            f"{arn!r} is not the ARN of a role",
            resource="assume_role_arn",
            fix="Write it as arn:aws:iam::123456789012:role/name",
        )
    return found[1] if found else ""


def _account(connection: Connection, snapshot: Snapshot, found: Mapping[str, Any]) -> str:
    if "identity" in found:
        return str(found["identity"]["account_id"])
    owners = [item.owner_id for item in snapshot.observed.endpoints if item.owner_id]
    return owners[0] if owners else connection.identity()["account_id"]


def _merged(found: Iterable[Zone]) -> list[Zone]:
    """Each zone once, with all the VPCs that it was found for."""
    merged: dict[str, Zone] = {}
    for zone in found:
        seen = merged.get(zone.id)
        if seen is None:
            merged[zone.id] = zone
            continue
        merged[zone.id] = replace(
            seen,
            vpcs=seen.vpcs | zone.vpcs,
            account=seen.account or zone.account,
            vpc_id=seen.vpc_id or zone.vpc_id,
        )
    return list(merged.values())


def _with_contents(view: View, accounts: Mapping[str, Connection], *, everywhere: bool) -> View:
    """Records and owners' marks of the zones that are named like a host; others decide by their name alone."""
    names = {host.zone for endpoint in view.endpoints for host in endpoint.hosts}
    found = _marked(view.zones, names, accounts)
    if not everywhere:
        found = _authorised(view, found, accounts)
    ours = {zone.name for zone in found if zone.vpc_id == view.vpc_id}
    wanted = sorted(names if everywhere else names - ours)
    homes = {spoke.account for spoke in view.spokes} | {view.account}
    looked_up = gather(
        {
            f"{name} {home}": partial(zones.by_name, accounts[home], home, name, view.vpc_id)
            for name in wanted
            for home in sorted(homes)
        }
    )
    listed = [zone for several in looked_up.values() for zone in several]
    if listed:
        known = {zone.id for zone in found if zone.tagged}
        found = _marked(_merged([*found, *listed]), names, accounts, known)
    # A zone that is of nobody asked about and in no VPC asked about decides nothing here.
    return replace(view, zones=tuple(z for z in found if z.vpcs or z.vpc_id == view.vpc_id))


def _authorised(
    view: View, found: Iterable[Zone], accounts: Mapping[str, Connection]
) -> list[Zone]:
    """The zones, with the authorisations that a stopped run may have left; only other accounts' VPCs need any."""
    listed = list(found)
    calls = {
        zone.id: partial(zone_associations.authorised, accounts[zone.account], zone)
        for zone in listed
        if zone.vpc_id == view.vpc_id
        and zone.account in accounts
        and any(spoke.account != zone.account for spoke in view.spokes)
    }
    left = gather(calls)
    return [replace(zone, authorised=left.get(zone.id, zone.authorised)) for zone in listed]


def _marked(
    found: Iterable[Zone],
    names: Iterable[str],
    accounts: Mapping[str, Connection],
    known: Iterable[str] = (),
) -> list[Zone]:
    """The zones, with tags and records where they matter and were not read yet."""
    listed, names = list(found), set(names)
    fresh = [
        zone
        for zone in listed
        if zone.name in names and zone.account in accounts and zone.id not in set(known)
    ]
    calls: dict[str, Callable[[], Any]] = {
        f"tags {account}": partial(zones.tags, accounts[account], ids)
        for account in accounts
        if (ids := [zone.id for zone in fresh if zone.account == account])
    }
    for zone in fresh:
        if zone.records is None:
            calls[zone.id] = partial(zones.records, accounts[zone.account], zone)
    answers = gather(calls)
    marks = {
        zone_id: tags
        for key, several in answers.items()
        if key.startswith("tags ")
        for zone_id, tags in several.items()
    }
    return [_mark(zone, marks.get(zone.id), answers.get(zone.id, zone.records)) for zone in listed]


def _mark(zone: Zone, tags: Mapping[str, str] | None, held: Any) -> Zone:
    tagged = bool(tags and tags.get(MANAGED) == "true" and tags.get(VPC))
    return replace(
        zone,
        records=held,
        tagged=zone.tagged or tagged,
        vpc_id=tags[VPC] if tags and tagged else zone.vpc_id,
    )
