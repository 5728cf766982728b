# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The shapes of the create phase: what is asked for, what stands, and the changes between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from .catalogue import Requested
from .endpoint_policy import Admission
from .security_group import Group, Rule

MANAGED_TAG = "private-ai-endpoints:managed"
OWN_PREFIX = "private-ai-endpoints:"

# Lower case: the case of states differs between EC2's calls.
GONE = frozenset({"deleting", "deleted"})
DEAD = frozenset({"failed", "rejected", "expired"})

PrivateDns = Literal["enabled", "disabled", "keep"]
PolicyKind = Literal["generated", "custom", "full", "keep"]


@dataclass(frozen=True, kw_only=True)
class ManagedGroup:
    """The group that this collection keeps. accounts: of source groups that lie in other accounts."""

    name: str
    rules: frozenset[Rule]
    accounts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Desired:
    """A request, its words already checked. None always means: leave it as it is.

    subnet_ids None with `subnets_filtered` means: the subnets that the filter found.
    """

    vpc_id: str
    services: tuple[Requested, ...]
    subnet_ids: tuple[str, ...] | None
    subnets_filtered: bool
    security_group_ids: tuple[str, ...] | None
    group: ManagedGroup | None
    private_dns: PrivateDns
    ip_address_type: str | None
    policy_kind: PolicyKind
    policy: Mapping[str, Any] | None
    admission: Admission
    tags: Mapping[str, str] | None
    purge_tags: bool


@dataclass(frozen=True, kw_only=True)
class Subnet:
    """A subnet of the VPC."""

    id: str
    zone: str
    ipv4: bool
    ipv6: bool
    owner_id: str


@dataclass(frozen=True, kw_only=True)
class Offer:
    """What DescribeVpcEndpointServices says about a service."""

    name: str
    zones: frozenset[str]
    policy_supported: bool
    ip_address_types: frozenset[str]
    private_dns_names: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """An interface endpoint as it stands. policy None: it could not be read as JSON."""

    id: str
    service: str
    state: str
    owner_id: str
    subnet_ids: frozenset[str]
    security_group_ids: frozenset[str]
    private_dns: bool
    ip_address_type: str
    dns_record_ip_type: str
    policy: Mapping[str, Any] | None
    tags: Mapping[str, str]
    created_at: str
    last_error: str = ""

    @property
    def managed(self) -> bool:
        """Whether this collection created it."""
        return MANAGED_TAG in self.tags


@dataclass(frozen=True, kw_only=True)
class Observed:
    """What stands in one VPC.

    zones_of_used: subnet → zone, of every subnet that an endpoint has an interface in.
    vpc_exists, dns_support, dns_hostnames, places, group_places: None while they were not asked for. places and
    group_places: subnet or group id → the VPC it lies in, for ids that were not found in this one. zones: name → id of
    the private hosted zones that the VPC uses, without those that stand for endpoints.
    """

    vpc_id: str
    region: str
    subnets: Mapping[str, Subnet]
    offers: Mapping[str, Offer]
    endpoints: tuple[Endpoint, ...]
    groups: tuple[Group, ...]
    zones_of_used: Mapping[str, str]
    vpc_exists: bool | None = None
    dns_support: bool | None = None
    dns_hostnames: bool | None = None
    places: Mapping[str, str] = field(default_factory=dict)
    group_places: Mapping[str, str] = field(default_factory=dict)
    zones: Mapping[str, str] = field(default_factory=dict)

    def live(self, service: str) -> list[Endpoint]:
        """The endpoints of a service that are not on their way out; the one to keep comes first.

        One that works before one that failed, ours before others', then one with private DNS, since callers use it,
        then the oldest.
        """
        return sorted(
            (item for item in self.endpoints if item.service == service and item.state not in GONE),
            key=lambda item: (
                item.state in DEAD,
                not item.managed,
                not item.private_dns,
                item.created_at,
                item.id,
            ),
        )


@dataclass(frozen=True, kw_only=True)
class Goal:
    """What one service's endpoint should be. None: leave it as it is, and EC2's default for a new one."""

    service: str
    short: str
    subnet_ids: frozenset[str] | None
    security_group_ids: frozenset[str] | None
    private_dns: bool | None
    ip_address_type: str | None
    policy: Mapping[str, Any] | None
    new_policy: Mapping[str, Any] | None
    tags: Mapping[str, str] | None
    purge_tags: bool


@dataclass(frozen=True, kw_only=True)
class CreateGroup:
    """Make the managed group, with its tags, and its rules."""

    group: ManagedGroup
    tags: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class ChangeGroup:
    """Make the managed group admit exactly its sources; sources are added before others are taken away."""

    group_id: str
    name: str
    before: frozenset[Rule]
    group: ManagedGroup
    tags: TagChange | None


@dataclass(frozen=True, kw_only=True)
class DeleteGroup:
    """Delete the managed group once no endpoint wears it."""

    group_id: str
    name: str
    before: frozenset[Rule]


@dataclass(frozen=True, kw_only=True)
class TagChange:
    """Tags to set and keys to remove, with what they were."""

    set: Mapping[str, str]
    remove: tuple[str, ...]
    before: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class CreateEndpoint:
    """Make an endpoint."""

    goal: Goal


@dataclass(frozen=True, kw_only=True)
class ChangeEndpoint:
    """Modify what differs. first, then: the two requests of a change that cannot be made in one; `then` may be empty.

    before, after: the attributes that differ, as a step shows them.
    """

    endpoint_id: str
    short: str
    first: Mapping[str, Any]
    then: Mapping[str, Any]
    tags: TagChange | None
    before: Mapping[str, Any]
    after: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class DeleteEndpoint:
    """Delete an endpoint."""

    endpoint: Endpoint
    short: str


Change: TypeAlias = (
    "CreateGroup | ChangeGroup | DeleteGroup | CreateEndpoint | ChangeEndpoint | DeleteEndpoint"
)
