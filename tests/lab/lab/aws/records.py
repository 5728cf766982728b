# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What IAM, Route 53 and CloudTrail keep: plain records, no behaviour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Timing:
    """Seconds that things take; every field can be set in the world's `aws.timing`."""

    endpoint_pending: float = 1.0  # create, or a change of subnets or DNS, until available
    endpoint_delete: float = 0.5  # deleting until gone
    private_dns_linger: float = 0.0  # a deleted endpoint's private DNS names still conflict
    scp_propagation: float = 1.0  # an SCP change until it binds
    policy_type_pending: float = 0.3  # PENDING_ENABLE until ENABLED
    route53_pending: float = 0.3  # a change until INSYNC (names answer at once when it is)
    trail_delay: float = 0.0  # an event until LookupEvents shows it
    trail_rate: float = 0.0  # LookupEvents per second and account; 0 is no limit
    session: float = 3600.0  # AssumeRole without DurationSeconds
    skew: float = 300.0  # how far a signature's date may be off


@dataclass
class Entity:
    """An IAM user, role, or an account's root."""

    arn: str
    account: str
    unique_id: str  # AIDA..., AROA..., or the account id for root
    policies: tuple[Mapping[str, Any], ...] = ()  # identity policy documents
    tags: Mapping[str, str] = field(default_factory=dict)
    trusted: tuple[str, ...] = ()  # ARNs or account ids that may assume this role; "*" is anybody
    external_id: str = ""  # sts:ExternalId that the trust policy asks for

    @property
    def kind(self) -> str:
        """user, role or root."""
        return self.arn.split(":", 5)[5].split("/", 1)[0]

    @property
    def name(self) -> str:
        return self.arn.rsplit("/", 1)[-1]

    @property
    def service_linked(self) -> bool:
        return ":role/aws-service-role/" in self.arn


@dataclass(frozen=True)
class Caller:
    """Who signs a request: an entity by its access key, or a session of a role."""

    arn: str  # as GetCallerIdentity gives it (assumed-role ARN for a session)
    account: str
    user_id: str  # AIDA..., or AROA...:session-name
    entity: Entity
    access_key: str
    secret_key: str = field(repr=False)
    session_token: str = field(default="", repr=False)
    expires: float | None = None  # time.time() after which the token is refused
    session_policies: tuple[Mapping[str, Any], ...] = ()
    session_tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def tags(self) -> dict[str, str]:
        """aws:PrincipalTag: session tags win over the entity's."""
        return {**self.entity.tags, **self.session_tags}


@dataclass
class RecordSet:
    name: str  # lower case, no trailing dot
    type: str
    ttl: int | None = None
    values: list[str] = field(default_factory=list)
    alias_name: str = ""  # lower case, no trailing dot; "" is no alias
    alias_zone_id: str = ""
    evaluate_health: bool = False


@dataclass
class Zone:
    """A Route 53 hosted zone; names answer by `live_*`, the API shows the rest."""

    id: str
    name: str  # lower case, no trailing dot
    account: str
    private: bool
    caller_reference: str
    comment: str = ""
    vpcs: list[tuple[str, str]] = field(default_factory=list)  # (region, VPC id)
    authorized: list[tuple[str, str]] = field(default_factory=list)
    records: list[RecordSet] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)
    live_vpcs: tuple[tuple[str, str], ...] = ()
    live_records: tuple[RecordSet, ...] = ()


@dataclass
class ZoneChange:
    id: str
    submitted: float
    insync_at: float
    comment: str = ""


@dataclass(frozen=True)
class TrailEvent:
    """One CloudTrail event: `detail` is the whole CloudTrailEvent document."""

    id: str
    time: float
    account: str
    region: str
    name: str  # InvokeModel
    source: str  # bedrock.amazonaws.com
    username: str
    access_key: str
    read_only: bool
    resources: tuple[tuple[str, str], ...] = ()  # (type, name)
    detail: Mapping[str, Any] = field(default_factory=dict)
    management: bool = True  # data events never show in LookupEvents
