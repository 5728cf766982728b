# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The shapes of the DNS phase: an endpoint's names, zones with links and records, and the changes that are planned."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Literal

from ..contracts import Step
from .arm_id import ArmId, key

MANAGED = "private-ai-endpoints-managed"
# Which run made a zone or link: tells a lost response from another run that was faster.
RUN = "private-ai-endpoints-run"
# In a record's metadata: the endpoint that it was written for.
ENDPOINT = "private-ai-endpoints-endpoint"
# The name of a zone group that this collection makes, and how the names of its entries begin.
GROUP = "private-ai-endpoints"
FALL_THROUGH = "NxDomainRedirect"
DEFAULT = "Default"
# What Azure gives the records of zone groups: https://learn.microsoft.com/azure/private-link/private-endpoint-dns
TTL = 10
ADDRESS_TYPES = ("A", "AAAA", "CNAME")

Mode = Literal["zone_group", "records", "none"]


@dataclass(frozen=True, kw_only=True)
class Host:
    """A name of the account. zone, record: the private DNS zone for it, and its relative name in there."""

    name: str
    zone: str
    record: str
    addresses: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Config:
    """One entry of a zone group: Azure keeps the endpoint's records in that zone."""

    name: str
    zone_id: str

    @property
    def zone(self) -> str:
        """The zone's name."""
        return self.zone_id.rstrip("/").rpartition("/")[2].lower()

    @property
    def ours(self) -> bool:
        """Whether this collection made it."""
        return self.name.startswith(GROUP + "-")


@dataclass(frozen=True, kw_only=True)
class Group:
    """The zone group of an endpoint; it has at most one."""

    name: str
    configs: tuple[Config, ...]


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """A private endpoint of the account.

    id: a placeholder where check mode predicts an endpoint that does not exist. status: of its connection.
    covered: client names that a zone group already keeps, as the endpoint itself says. group: None also while unread.
    """

    id: str
    name: str
    account_id: str
    network_id: str
    status: str
    hosts: tuple[Host, ...]
    covered: frozenset[str] = frozenset()
    group: Group | None = None


@dataclass(frozen=True, kw_only=True)
class Record:
    """A record set. values: of address records; other types are only counted. metadata: sorted pairs."""

    name: str
    type: str
    ttl: int = TTL
    values: tuple[str, ...] = ()
    metadata: tuple[tuple[str, str], ...] = ()
    etag: str = field(default="", compare=False)

    @property
    def endpoint(self) -> str:
        """The endpoint that this collection wrote it for; empty when it did not write it."""
        return key(dict(self.metadata).get(ENDPOINT))


@dataclass(frozen=True, kw_only=True)
class Link:
    """A link of a zone to a network. managed: this collection made it; run: in which run."""

    name: str
    network_id: str
    registration: bool = False
    policy: str = DEFAULT
    managed: bool = False
    run: str = field(default="", compare=False)
    etag: str = field(default="", compare=False)


@dataclass(frozen=True, kw_only=True)
class Zone:
    """A private DNS zone. records: without the SOA that every zone has; None while they were not read.

    managed: this collection made it; run: in which run.
    """

    id: str
    name: str
    managed: bool = False
    run: str = field(default="", compare=False)
    links: tuple[Link, ...] = ()
    records: tuple[Record, ...] | None = None

    def link_to(self, network_id: str) -> Link | None:
        """Its link to a network."""
        return next((link for link in self.links if key(link.network_id) == key(network_id)), None)

    def held(self, name: str) -> tuple[Record, ...]:
        """What answers for a relative name with an address."""
        return tuple(
            item
            for item in self.records or ()
            if item.name.lower() == name and item.type in ADDRESS_TYPES
        )


@dataclass(frozen=True, kw_only=True)
class Network:
    """A virtual network that is to resolve the names. peered: only because it is a peer of the endpoint's network."""

    id: str
    peered: bool = False
    dns_servers: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Home:
    """Where zones are made that do not exist. explicit: the user named it."""

    subscription: str
    resource_group: str
    explicit: bool

    def zone_id(self, name: str) -> str:
        """The id of a zone in there."""
        group = ArmId(subscription=self.subscription, resource_group=self.resource_group)
        return str(group.resource("Microsoft.Network", "privateDnsZones", name))


@dataclass(frozen=True, kw_only=True)
class Account:
    """Another account that has a private endpoint. hosts: the privatelink names that public DNS leads its names to."""

    id: str
    hosts: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class View:
    """All that the plan looks at.

    cidrs: of the endpoint's network. complete: zones of these names were looked for everywhere; before that, `zones`
    has those of the home only.
    """

    endpoint: Endpoint
    networks: tuple[Network, ...]
    home: Home
    zones: tuple[Zone, ...] = ()
    accounts: tuple[Account, ...] = ()
    cidrs: tuple[str, ...] = ()
    complete: bool = False

    def zone(self, zone_id: str) -> Zone | None:
        """The zone of an id."""
        return next((zone for zone in self.zones if key(zone.id) == key(zone_id)), None)


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What the options ask for. policy: None leaves what stands. links: False makes zones and records only."""

    mode: Mode = "zone_group"
    policy: str | None = None
    links: bool = True
    allow_other_accounts: bool = False


@dataclass(frozen=True, kw_only=True)
class ZoneChange:
    """Create a zone, or delete it."""

    zone_id: str
    delete: bool = False

    @property
    def name(self) -> str:
        """The zone's name."""
        return self.zone_id.rpartition("/")[2].lower()


@dataclass(frozen=True, kw_only=True)
class RecordChange:
    """One record set of a zone: written where `after` is something, else deleted."""

    zone_id: str
    before: Record | None
    after: Record | None


@dataclass(frozen=True, kw_only=True)
class LinkChange:
    """One link of a zone: made, changed or deleted."""

    zone_id: str
    before: Link | None
    after: Link | None


@dataclass(frozen=True, kw_only=True)
class GroupChange:
    """The zone group of the endpoint: made, changed or deleted."""

    endpoint_id: str
    before: Group | None
    after: Group | None


@dataclass(frozen=True, kw_only=True)
class DnsPlan:
    """What to change, what forbids it, and what to say.

    Forward: zones, records, group, links, so that a name that is switched has its record already. Backward the other
    way round.
    """

    zones: tuple[ZoneChange, ...] = ()
    records: tuple[RecordChange, ...] = ()
    group: GroupChange | None = None
    links: tuple[LinkChange, ...] = ()
    backward: bool = False
    steps: tuple[Step, ...] = ()
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether nothing is to be changed."""
        return not (self.zones or self.records or self.group or self.links)


def link_name(network_id: str) -> str:
    """What this collection calls a link: the network's name, and a digest since names repeat across groups."""
    digest = hashlib.sha256(key(network_id).encode()).hexdigest()[:8]
    return f"{network_id.rstrip('/').rpartition('/')[2]}-{digest}"


def config_name(zone: str) -> str:
    """What this collection calls a zone group's entry for a zone."""
    return f"{GROUP}-{zone.replace('.', '-')}"


def label(resource_id: str) -> str:
    """A resource in a sentence: its resource group and name."""
    parsed = ArmId.read(resource_id)
    return f"{parsed.resource_group}/{parsed.name}" if parsed else resource_id
