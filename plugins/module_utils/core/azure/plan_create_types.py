# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The shapes of the create phase: what is asked for, what stands, and the changes between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from .arm_id import ArmId, key, same
from .plan_create_rules import Rule
from .plan_dns_types import MANAGED

MANAGED_TAG = MANAGED
# Tags of this collection begin so; no option sets or removes one.
OWN_PREFIX = "private-ai-endpoints-"
# On an endpoint: a zone was linked to its network when it was made, so that a zone group belongs to making it.
LINKED_TAG = "private-ai-endpoints-linked"

SUBNETS = "Microsoft.Network/virtualNetworks/subnets"
ZONES = "Microsoft.Network/privateDnsZones"
ACCOUNTS = "Microsoft.CognitiveServices/accounts"
# Which of a subnet's policies apply to private endpoints, as the parts of each value.
POLICIES: Mapping[str, frozenset[str]] = {
    "Disabled": frozenset(),
    "NetworkSecurityGroupEnabled": frozenset({"groups"}),
    "RouteTableEnabled": frozenset({"routes"}),
    "Enabled": frozenset({"groups", "routes"}),
}

Approval = Literal["automatic", "manual"]
DnsMode = Literal["zone_group", "none"]


@dataclass(frozen=True, kw_only=True)
class Desired:
    """A request, its words already checked. None always means: leave it as it is.

    policies: a value of POLICIES that the subnet should at least have. policies_given: an option says so. cidrs: who
    may connect; empty takes the managed rules away. endpoint: the id that a new endpoint gets.
    """

    account: ArmId
    subnet: ArmId
    endpoint: ArmId
    location: str | None
    tags: Mapping[str, str] | None
    purge_tags: bool
    policies: str | None
    policies_given: bool
    cidrs: tuple[str, ...] | None
    group_name: str
    first_priority: int
    approval: Approval
    message: str
    addresses: tuple[str, ...]
    dns: DnsMode
    zone_ids: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Connection:
    """The account's side of an endpoint's connection."""

    id: str
    endpoint_id: str
    status: str
    description: str
    actions_required: str


@dataclass(frozen=True, kw_only=True)
class Account:
    """The account."""

    id: str
    name: str
    kind: str
    location: str
    subdomain: str
    state: str
    public_access: str
    connections: tuple[Connection, ...]

    def connection(self, endpoint_id: str) -> Connection | None:
        """The connection of an endpoint."""
        return next(
            (item for item in self.connections if same(item.endpoint_id, endpoint_id)), None
        )


@dataclass(frozen=True, kw_only=True)
class Subnet:
    """A subnet. endpoint_ids: private endpoints in it. used: addresses taken. others: taken by something else."""

    id: str
    prefixes: tuple[str, ...]
    policies: str
    group_id: str
    delegations: tuple[str, ...]
    endpoint_ids: tuple[str, ...]
    used: int
    others: int
    state: str
    route_table_id: str = ""
    nat_gateway_id: str = ""

    @property
    def network_id(self) -> str:
        """The virtual network."""
        return str(ArmId.parse(self.id).parent)


@dataclass(frozen=True, kw_only=True)
class Member:
    """One address of an endpoint, and the client names that it answers for."""

    name: str
    group: str
    address: str
    fqdns: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """A private endpoint. status: of its own side of the connection. zoned: a zone group keeps its records."""

    id: str
    name: str
    location: str
    tags: Mapping[str, str]
    subnet_id: str
    account_id: str
    state: str
    status: str
    description: str
    manual: bool
    message: str
    nic_id: str
    zoned: bool
    members: tuple[Member, ...]

    @property
    def managed(self) -> bool:
        """Whether this collection made it."""
        return MANAGED_TAG in self.tags

    @property
    def lacks_zones(self) -> bool:
        """Whether a run was killed between making it and giving it its zone group."""
        return LINKED_TAG in self.tags and not self.zoned

    @property
    def network_id(self) -> str:
        """The virtual network that it lies in."""
        return key(self.subnet_id).rpartition("/subnets/")[0]

    @property
    def addresses(self) -> tuple[str, ...]:
        """Its addresses, sorted."""
        return tuple(sorted({item.address for item in self.members if item.address}))


@dataclass(frozen=True, kw_only=True)
class Group:
    """A network security group. subnet_ids, interface_ids: what it is attached to."""

    id: str
    name: str
    tags: Mapping[str, str]
    rules: tuple[Rule, ...]
    subnet_ids: tuple[str, ...]
    interface_ids: tuple[str, ...]

    @property
    def managed(self) -> bool:
        """Whether this collection made it."""
        return MANAGED_TAG in self.tags


@dataclass(frozen=True, kw_only=True)
class LinkedZone:
    """A private DNS zone of the account's names that the endpoint's network is linked to."""

    id: str
    name: str


@dataclass(frozen=True, kw_only=True)
class Observed:
    """What stands. taken: what has the name of the new endpoint and does not connect this account here.

    location: of the network, None while it was not needed.
    """

    account: Account | None
    subnet: Subnet | None
    endpoint: Endpoint | None = None
    taken: Endpoint | None = None
    group: Group | None = None
    location: str | None = None
    zones: tuple[LinkedZone, ...] = ()


@dataclass(frozen=True, kw_only=True)
class TagChange:
    """Tags before and after."""

    before: Mapping[str, str]
    after: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class CreateEndpoint:
    """Make the endpoint. linked: zones that must answer its names at once were found."""

    desired: Desired
    account: Account
    location: str
    tags: Mapping[str, str]
    linked: bool


@dataclass(frozen=True, kw_only=True)
class ChangeEndpoint:
    """Change its tags, or write it again after Azure failed to make it."""

    endpoint: Endpoint
    tags: TagChange | None
    repair: bool = False


@dataclass(frozen=True, kw_only=True)
class Approve:
    """Approve a connection on the account's side."""

    connection: Connection


@dataclass(frozen=True, kw_only=True)
class AttachZones:
    """Give the endpoint a zone group, so that the zones that are already linked answer its names."""

    endpoint_id: str
    zones: tuple[LinkedZone, ...]


@dataclass(frozen=True, kw_only=True)
class CreateGroup:
    """Make a network security group for the subnet."""

    id: ArmId
    location: str
    tags: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class ChangeRules:
    """Set and delete the rules for one endpoint in a group."""

    group_id: str
    set: tuple[Rule, ...]
    delete: tuple[Rule, ...]
    before: tuple[Rule, ...]


@dataclass(frozen=True, kw_only=True)
class ChangeSubnet:
    """Attach a group, take it away (empty text), or switch policies on. None leaves the attribute."""

    subnet: Subnet
    policies: str | None = None
    group_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class DeleteEndpoint:
    """Delete it."""

    endpoint: Endpoint


@dataclass(frozen=True, kw_only=True)
class DeleteGroup:
    """Delete it."""

    group: Group


Change: TypeAlias = (
    CreateEndpoint
    | ChangeEndpoint
    | Approve
    | AttachZones
    | CreateGroup
    | ChangeRules
    | ChangeSubnet
    | DeleteEndpoint
    | DeleteGroup
)
