# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What EC2 keeps: plain records of networks, firewalls and endpoints, no behaviour.

Records are mutable and are read and written only while `State.lock` is held.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Vpc:
    id: str
    account: str
    region: str
    cidrs: list[str]
    ipv6_cidrs: list[str] = field(default_factory=list)
    dns_support: bool = True
    dns_hostnames: bool = False
    default: bool = False
    tags: dict[str, str] = field(default_factory=dict)
    # Private DNS names of deleted endpoints that still conflict: name -> time it is free again.
    lingering: dict[str, float] = field(default_factory=dict)


@dataclass
class Subnet:
    id: str
    vpc_id: str
    account: str
    region: str
    cidr: str
    zone: str  # us-east-1a
    zone_id: str  # use1-az1
    ipv6_cidrs: list[str] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)


@dataclass
class Route:
    destination: str  # CIDR (IPv4 or IPv6) or pl-...
    target: str  # local, igw-..., pcx-..., nat-..., vpce-..., eni-...
    blackhole: bool = False


@dataclass
class RouteTable:
    id: str
    vpc_id: str
    account: str
    region: str
    main: bool
    routes: list[Route]
    associations: dict[str, str] = field(default_factory=dict)  # subnet id -> rtbassoc-...
    main_association: str = ""
    tags: dict[str, str] = field(default_factory=dict)


@dataclass
class AclEntry:
    number: int  # 1..32766; 32767 is the fixed last deny
    egress: bool
    protocol: str  # "-1", "6", "17"
    allow: bool
    cidr: str = ""
    ipv6_cidr: str = ""
    from_port: int | None = None
    to_port: int | None = None


@dataclass
class NetworkAcl:
    id: str
    vpc_id: str
    account: str
    region: str
    default: bool
    entries: list[AclEntry]
    subnets: dict[str, str] = field(default_factory=dict)  # subnet id -> aclassoc-...
    tags: dict[str, str] = field(default_factory=dict)


@dataclass
class Rule:
    """One security group rule: exactly one of cidr, ipv6_cidr, prefix_list_id, group_id is set."""

    id: str
    egress: bool
    protocol: str  # "-1", "tcp", "udp", "icmp", "icmpv6" or a number
    from_port: int  # -1 with protocol -1
    to_port: int
    cidr: str = ""
    ipv6_cidr: str = ""
    prefix_list_id: str = ""
    group_id: str = ""
    description: str = ""
    tags: dict[str, str] = field(default_factory=dict)


@dataclass
class SecurityGroup:
    id: str
    name: str
    description: str
    vpc_id: str
    account: str
    region: str
    rules: dict[str, Rule] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def default(self) -> bool:
        return self.name == "default"


@dataclass
class Peering:
    id: str
    requester: str  # VPC ids
    accepter: str
    status: str = "active"  # active, pending-acceptance, deleted, ...
    tags: dict[str, str] = field(default_factory=dict)


@dataclass
class Interface:
    id: str
    subnet_id: str
    vpc_id: str
    account: str
    region: str
    address: str
    security_groups: list[str]
    ipv6_address: str = ""
    description: str = ""
    type: str = "interface"  # or vpc_endpoint
    endpoint_id: str = ""
    live: bool = True  # packets arrive; an endpoint's interface lives once it left pending
    requester_managed: bool = False
    mac: str = ""
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Service:
    """An endpoint service as one Region offers it."""

    name: str  # com.amazonaws.us-east-1.bedrock-runtime
    id: str  # vpce-svc-...
    region: str
    zones: tuple[str, ...]  # zone names where it is offered
    private_dns_names: tuple[str, ...]
    policy_supported: bool = True
    types: tuple[str, ...] = ("Interface",)
    ip_address_types: tuple[str, ...] = ("ipv4",)

    @property
    def domain(self) -> str:
        """The service's own DNS domain, under which endpoints get their names."""
        suffix = self.name.partition(f".{self.region}.")[2]
        return ".".join([*reversed(suffix.split(".")), self.region, "vpce.amazonaws.com"])


@dataclass
class Endpoint:
    """A VPC endpoint.

    state: lower case, one of pending, available, deleting, deleted, failed, rejected.
    private_dns_enabled is what the API shows; private_dns_live is whether names resolve by it now.
    """

    id: str
    vpc_id: str
    account: str
    region: str
    service: str
    type: str  # Interface or Gateway
    state: str
    policy: Mapping[str, Any]
    policy_text: str
    subnet_ids: list[str] = field(default_factory=list)
    security_groups: list[str] = field(default_factory=list)
    route_table_ids: list[str] = field(default_factory=list)
    interface_ids: list[str] = field(default_factory=list)
    private_dns_enabled: bool = False
    private_dns_live: bool = False
    private_zone_id: str = ""
    ip_address_type: str = "ipv4"
    dns_record_ip_type: str = "ipv4"
    suffix: str = ""  # the random part of its DNS names
    created_at: float = 0.0
    revision: int = (
        0  # counts changes, so that an older pending transition does not end a newer one
    )
    last_error: tuple[str, str] | None = None
    tags: dict[str, str] = field(default_factory=dict)


@dataclass
class PrefixList:
    id: str
    name: str
    region: str
    owner: str
    entries: list[str] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)
