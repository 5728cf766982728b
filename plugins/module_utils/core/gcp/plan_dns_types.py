# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The shapes of the DNS phase: what answers for names in networks, and how it is to be afterwards.

A private zone and a response policy are alike in what matters here: they hold entries, and answer by them in the
networks that they are attached to.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from .names import DOMAIN, project_of
from .plan_create_types import LABEL, MANAGED, mark

# Which run made a zone or policy: tells a lost answer from another run that was faster.
RUN = f"{LABEL}-run"
TTL = 60
PREFIX = "private-ai"
ADDRESS_TYPES = ("A", "AAAA", "CNAME")
_LONGEST = 63

Kind = Literal["zone", "policy"]
Mode = Literal["zones", "response_policy", "none"]
# What a zone does that answers with no records of its own.
Leads = Literal["", "peering", "forwarding", "public"]


@dataclass(frozen=True, kw_only=True)
class Record:
    """A record set. name: lower case, without the final dot. values: sorted."""

    name: str
    type: str
    ttl: int
    values: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One record set of a zone, or one rule of a response policy.

    key: what tells it from others in there, the name and type of a record set or the name of a rule. bypass: a rule
    that lets the name pass on to zones.
    """

    key: str
    name: str
    records: tuple[Record, ...] = ()
    bypass: bool = False

    def addresses(self) -> tuple[str, ...]:
        """All that it answers with, of every type."""
        return tuple(sorted({value for record in self.records for value in record.values}))


@dataclass(frozen=True, kw_only=True)
class Holder:
    """A private zone or a response policy.

    dns_name: of a zone, as a record's name. entries: None while they were not read; those that a zone is born with are
    left out. managed: this collection made it, for the network `made_for`; run: in which run. leads, target: of a zone
    that hands questions on, and to which network.
    """

    kind: Kind
    project: str
    name: str
    dns_name: str = ""
    networks: tuple[str, ...] = ()
    entries: tuple[Entry, ...] | None = None
    managed: bool = False
    made_for: str = field(default="", compare=False)
    run: str = field(default="", compare=False)
    leads: Leads = ""
    target: str = ""

    @property
    def id(self) -> str:
        folder = "managedZones" if self.kind == "zone" else "responsePolicies"
        return f"projects/{self.project}/{folder}/{self.name}"

    def entry(self, key: str) -> Entry | None:
        """The entry of a key."""
        return next((item for item in self.entries or () if item.key == key), None)

    def at(self, name: str) -> tuple[Entry, ...]:
        """What answers for a name with an address."""
        return tuple(
            item
            for item in self.entries or ()
            if item.name == name
            and (self.kind == "policy" or item.records[0].type in ADDRESS_TYPES)
        )

    def addresses(self, name: str) -> tuple[str, ...]:
        """What a name is answered with."""
        return tuple(sorted({value for item in self.at(name) for value in item.addresses()}))


@dataclass(frozen=True, kw_only=True)
class View:
    """All that the plan looks at. networks: path → whether it exists; only of those that were looked for."""

    holders: tuple[Holder, ...] = ()
    networks: Mapping[str, bool] = field(default_factory=dict)

    def get(self, holder_id: str) -> Holder | None:
        """The zone or policy of an id."""
        return next((item for item in self.holders if item.id == holder_id), None)

    def attached(self, kind: Kind, network: str) -> list[Holder]:
        """Those that answer in a network."""
        return [
            item
            for item in self.holders
            if item.kind == kind and item.leads != "public" and network in item.networks
        ]

    def zone(self, host: str, network: str) -> Holder | None:
        """The private zone of exactly this name in a network; Google allows one."""
        return next(
            (item for item in self.attached("zone", network) if item.dns_name == host), None
        )

    def policy(self, network: str) -> Holder | None:
        """The response policy of a network; Google allows one."""
        return next(iter(self.attached("policy", network)), None)


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What the options ask for.

    places: path of each network → the address of its endpoint, "" where none was given. home: project of what does not
    exist yet; None for each network's own. ttl: None leaves it as it is, and gives new record sets TTL.
    """

    places: Mapping[str, str]
    hosts: tuple[str, ...]
    mode: Mode = "zones"
    home: str | None = None
    ttl: int | None = None
    prefix: str = PREFIX

    def groups(self) -> dict[str, tuple[str, ...]]:
        """Address → the networks whose endpoint has it."""
        found: dict[str, list[str]] = {}
        for network in sorted(self.places):
            found.setdefault(self.places[network], []).append(network)
        return {address: tuple(networks) for address, networks in found.items()}

    def project(self, network: str) -> str:
        """Where what a network lacks is made."""
        return self.home or project_of(network)


@dataclass(frozen=True, kw_only=True)
class Change:
    """A zone or policy as it is and as it is to be; None for what does not exist."""

    before: Holder | None
    after: Holder | None

    @property
    def holder(self) -> Holder:
        """Whichever there is; what both have in common is the same in both."""
        found = self.after or self.before
        if found is None:
            raise ValueError("a change from nothing to nothing")
        return found

    @property
    def id(self) -> str:
        return self.holder.id


def zone_name(prefix: str, host: str, network: str, address: str) -> str:
    """What a new zone is called: told apart by host, network and address, the same for every run that wants it."""
    short = host.removesuffix(f".{DOMAIN}").replace(".", "-")
    digest = hashlib.sha256(f"{host} {network} {address}".encode()).hexdigest()[:8]
    return _short(f"{prefix}-{short}-{network.rpartition('/')[2]}", digest)


def policy_name(prefix: str, network: str) -> str:
    """What a network's new response policy is called."""
    digest = hashlib.sha256(network.encode()).hexdigest()[:8]
    return _short(f"{prefix}-{network.rpartition('/')[2]}", digest)


def rule_name(prefix: str, host: str) -> str:
    """What the rule for a host is called."""
    return _short(f"{prefix}-{host.replace('.', '-')}", "")


def made_mark(network: str) -> str:
    """The description of a zone or policy that this collection makes for a network."""
    return mark(network)


def labels(run: str) -> dict[str, str]:
    """The labels of what a run makes."""
    return {LABEL: MANAGED, RUN: run}


def _short(text: str, digest: str) -> str:
    """A legal name of at most 63 characters, told apart by a digest where it had to be cut."""
    if not digest and len(text) > _LONGEST:
        digest = hashlib.sha256(text.encode()).hexdigest()[:8]
    room = _LONGEST - len(digest) - 1
    return f"{text[:room].rstrip('-')}-{digest}" if digest else text
