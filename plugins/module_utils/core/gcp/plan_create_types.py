# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the create phase wants, what it sees, and what it can change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

LABEL, MANAGED = "private-ai-endpoints", "managed"
# Labels cannot be given when a rule is made, its description can: a run that dies in between leaves its mark.
MARK = "private_ai.endpoints"


def mark(family: str = "") -> str:
    """The description of what this collection makes. family: the endpoint's name, which a replacement shares."""
    return f"{MARK}: {family}" if family else MARK


def family_of(description: str) -> str | None:
    """The family in a description; None for what somebody else made."""
    return description[len(MARK) :].lstrip(": ") if description.startswith(MARK) else None


@dataclass(frozen=True, kw_only=True)
class Wish:
    """The endpoint of one network. name: of the first endpoint, a replacement gets a number behind it.

    address, address_name: None when they are to be chosen. named: whether the name was given. keep: whether what it
    replaces stays, whatever `remove_replaced` says.
    """

    network: str
    project: str
    name: str
    named: bool
    bundle: str
    address: str | None = None
    address_name: str | None = None
    keep: bool = False


@dataclass(frozen=True, kw_only=True)
class Desired:
    """All networks of one call. None leaves an attribute as it is.

    sources: kind (ranges, tags, accounts) → who may reach the endpoint; empty takes the managed rules away.
    """

    wishes: tuple[Wish, ...]
    labels: Mapping[str, str] | None = None
    purge_labels: bool = True
    region: str | None = None
    subnets: tuple[str, ...] = ()
    sources: Mapping[str, tuple[str, ...]] | None = None
    priority: int = 1000
    remove_replaced: bool = False


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A global forwarding rule. bundle: "" for one that is no endpoint for Google APIs."""

    project: str
    name: str
    network: str
    address: str
    bundle: str
    labels: Mapping[str, str] = field(default_factory=dict)
    fingerprint: str = ""
    region: str = ""
    description: str = ""

    @property
    def id(self) -> str:
        return f"projects/{self.project}/global/forwardingRules/{self.name}"

    @property
    def ours(self) -> bool:
        return self.family is not None or self.labels.get(LABEL) == MANAGED

    @property
    def family(self) -> str | None:
        return family_of(self.description)


@dataclass(frozen=True, kw_only=True)
class Address:
    """A global internal address. prefix: its length, 32 for a single one. used: whether something uses it."""

    project: str
    name: str
    network: str
    address: str
    prefix: int = 32
    purpose: str = "PRIVATE_SERVICE_CONNECT"
    used: bool = False
    description: str = ""

    @property
    def id(self) -> str:
        return f"projects/{self.project}/global/addresses/{self.name}"

    @property
    def family(self) -> str | None:
        return family_of(self.description)


@dataclass(frozen=True, kw_only=True)
class Network:
    """A network. ranges: range → what has it, in this network and in its peers."""

    path: str
    auto: bool = False
    ranges: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Firewall:
    """An egress rule. protocols: `tcp:443` or `all`."""

    project: str
    name: str
    network: str
    priority: int
    action: Literal["allow", "deny"]
    protocols: tuple[str, ...]
    destinations: tuple[str, ...]
    ranges: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    disabled: bool = False
    direction: str = "EGRESS"
    description: str = MARK

    @property
    def id(self) -> str:
        return f"projects/{self.project}/global/firewalls/{self.name}"

    @property
    def ours(self) -> bool:
        return family_of(self.description) is not None


@dataclass(frozen=True, kw_only=True)
class Observed:
    """What was read. addresses, networks: only where an endpoint is to be made or removed.

    networks: path → None for one that does not exist. subnets: path → whether it has Private Google Access.
    """

    rules: tuple[Rule, ...] = ()
    addresses: tuple[Address, ...] = ()
    networks: Mapping[str, Network | None] = field(default_factory=dict)
    subnets: Mapping[str, bool] = field(default_factory=dict)
    firewalls: tuple[Firewall, ...] = ()


@dataclass(frozen=True, kw_only=True)
class CreateAddress:
    address: Address


@dataclass(frozen=True, kw_only=True)
class CreateRule:
    """rule: with the labels that it gets afterwards. address_name: of the address that it takes."""

    rule: Rule
    address_name: str


@dataclass(frozen=True, kw_only=True)
class SetLabels:
    rule: Rule
    labels: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class SetAccess:
    """Private Google Access of one subnet, on."""

    subnet: str


@dataclass(frozen=True, kw_only=True)
class SetFirewall:
    """before: None for a new one."""

    firewall: Firewall
    before: Firewall | None


@dataclass(frozen=True, kw_only=True)
class DeleteFirewall:
    firewall: Firewall


@dataclass(frozen=True, kw_only=True)
class DeleteRule:
    rule: Rule


@dataclass(frozen=True, kw_only=True)
class DeleteAddress:
    address: Address


Change: TypeAlias = (
    "CreateAddress | CreateRule | SetLabels | SetAccess"
    " | SetFirewall | DeleteFirewall | DeleteRule | DeleteAddress"
)
