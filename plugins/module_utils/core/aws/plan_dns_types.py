# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The shapes of the DNS phase: what stands in the VPC and in Route 53, and the changes that are planned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..contracts import Step

MANAGED = "private-ai-endpoints:managed"
VPC = "private-ai-endpoints:vpc"
# Route 53 takes no tags with CreateHostedZone, but a comment: it says whose a zone is from its first moment.
COMMENT = "private_ai.endpoints: endpoints of {vpc_id}"

# https://docs.aws.amazon.com/Route53/latest/APIReference/API_HostedZoneOwner.html
ENDPOINT_OWNER = "vpce.amazonaws.com"


def comment(vpc_id: str) -> str:
    """The comment of the zones that answer for a VPC's endpoints."""
    return COMMENT.format(vpc_id=vpc_id)


@dataclass(frozen=True, kw_only=True)
class Spoke:
    """A VPC that is to resolve the hosts to the endpoints of another."""

    vpc_id: str
    region: str
    account: str


@dataclass(frozen=True, kw_only=True)
class Alias:
    """Where an endpoint's hosts point: its Regional DNS name, that name's hosted zone, and the record types it has."""

    name: str
    zone_id: str
    types: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Host:
    """A host that an endpoint answers. zone: the name of the zone for it; record: the name of the record in it."""

    name: str
    zone: str
    record: str
    alias: Alias


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """The endpoint of one service. id is a placeholder where check mode predicts an endpoint that does not exist."""

    id: str
    short: str
    state: str
    private_dns: bool
    managed: bool
    hosts: tuple[Host, ...]


@dataclass(frozen=True, kw_only=True)
class Record:
    """A record set. alias: (name, zone id), without a trailing dot; None for plain values."""

    name: str
    type: str
    alias: tuple[str, str] | None = None
    values: tuple[str, ...] = ()
    ttl: int | None = None


def record_to(record: Record) -> dict[str, Any]:
    """A record set as JSON."""
    return {
        "name": record.name,
        "type": record.type,
        "alias": list(record.alias) if record.alias else None,
        "values": list(record.values),
        "ttl": record.ttl,
    }


def record_from(document: Mapping[str, Any]) -> Record:
    """The record set of that JSON."""
    alias = document["alias"]
    return Record(
        name=document["name"],
        type=document["type"],
        alias=(alias[0], alias[1]) if alias else None,
        values=tuple(document["values"]),
        ttl=document["ttl"],
    )


@dataclass(frozen=True, kw_only=True)
class Zone:
    """A private hosted zone that is associated with one of the VPCs, or is known to be ours.

    account: its owner; "" for a zone that an AWS service owns. service: that service; "" for an account's zone.
    vpcs: those of the VPCs asked about that it is associated with. vpc_id: whose endpoints it answers for, by its
    tags or comment; "" when it is not ours. records: None while they were not read. authorised: VPCs of other accounts
    that may still be associated; a run that was stopped in between leaves them.
    """

    id: str
    name: str
    account: str
    service: str = ""
    vpcs: frozenset[str] = frozenset()
    vpc_id: str = ""
    tagged: bool = False
    records: tuple[Record, ...] | None = None
    authorised: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class View:
    """All that the plan looks at. account: the owner of the endpoints' VPC."""

    vpc_id: str
    region: str
    account: str
    endpoints: tuple[Endpoint, ...]
    spokes: tuple[Spoke, ...]
    zones: tuple[Zone, ...]


@dataclass(frozen=True, kw_only=True)
class EndpointChange:
    """Switch an endpoint's private DNS."""

    endpoint_id: str
    short: str
    enabled: bool


@dataclass(frozen=True, kw_only=True)
class ZoneChange:
    """Make one zone answer, or take it away.

    zone_id: None for a zone that is created, in the account and with the VPC of `home`.
    upsert, remove: records to write and to take away. delete: the whole zone goes. revoke: authorisations to take back.
    """

    name: str
    account: str
    zone_id: str | None
    home: Spoke | None = None
    tag: bool = False
    associate: tuple[Spoke, ...] = ()
    disassociate: tuple[Spoke, ...] = ()
    revoke: tuple[Spoke, ...] = ()
    upsert: tuple[Record, ...] = ()
    remove: tuple[Record, ...] = ()
    delete: bool = False


@dataclass(frozen=True, kw_only=True)
class DnsPlan:
    """What to change, what forbids it, and what to say."""

    endpoints: tuple[EndpointChange, ...] = ()
    zones: tuple[ZoneChange, ...] = ()
    steps: tuple[Step, ...] = ()
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(kw_only=True)
class Done:
    """What a run changed, so that exactly that can be switched back; plain JSON by `to_json`.

    private_dns: endpoint id → whether it was enabled before. created: zones. associated: VPCs added to zones that
    stood. records: what zones that stood held before, under the names and types that were written.
    """

    vpc_id: str
    private_dns: dict[str, bool] = field(default_factory=dict)
    created: list[dict[str, str]] = field(default_factory=list)
    associated: list[dict[str, str]] = field(default_factory=list)
    records: list[dict[str, Any]] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """What the module returns as `undo`."""
        return {
            "schema_version": 1,
            "vpc_id": self.vpc_id,
            "private_dns": dict(sorted(self.private_dns.items())),
            "created": sorted(self.created, key=lambda item: item["name"]),
            "associated": sorted(self.associated, key=lambda item: (item["name"], item["vpc_id"])),
            "records": sorted(self.records, key=lambda item: str(item["name"])),
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Done:
        """Read what `to_json` wrote; KeyError or TypeError for anything else."""
        return cls(
            vpc_id=str(document["vpc_id"]),
            private_dns={
                str(key): bool(value) for key, value in dict(document["private_dns"]).items()
            },
            created=[dict(item) for item in document["created"]],
            associated=[dict(item) for item in document["associated"]],
            records=[dict(item) for item in document["records"]],
        )

    @property
    def empty(self) -> bool:
        """Whether the run changed nothing."""
        return not (self.private_dns or self.created or self.associated or self.records)
