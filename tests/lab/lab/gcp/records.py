# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the Google simulator keeps: places in the hierarchy, principals, tokens, operations, and times."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Resource = dict[str, Any]  # as Google's API shows it


@dataclass
class Timing:
    """Seconds that things take. Google's own are in brackets."""

    operation: float = 0.3  # a compute operation, RUNNING until DONE [seconds]
    dns_pending: float = 0.2  # a change of records, or of a zone, until done
    dns_serve: float = 0.2  # from done until the resolvers answer by it
    policy_operation: float = 0.3  # an Access Context Manager operation
    perimeter_propagation: float = 1.0  # from its end until the perimeter binds [up to 30 minutes]
    org_policy_propagation: float = 0.3  # an organisation policy until it binds [15 minutes]
    log_delay: float = 0.0  # an audit entry until entries:list shows it
    token_lifetime: float = 3599.0


@dataclass(frozen=True)
class Principal:
    """Who calls: `member` as IAM policies write it, such as serviceAccount:EMAIL."""

    member: str
    email: str
    project: str  # whose quota and enabled APIs count, where the resource has no project


@dataclass(frozen=True)
class Token:
    principal: Principal
    scopes: frozenset[str]
    expires: float


@dataclass
class Account:
    """A service account. `number` chooses its key; `creators` may make its tokens."""

    email: str
    project: str
    number: int
    creators: list[str] = field(default_factory=list)
    disabled: bool = False


@dataclass
class Project:
    id: str
    number: str
    parent: str  # organizations/N
    name: str = ""
    disabled: set[str] = field(
        default_factory=set
    )  # APIs that are not enabled, as compute.googleapis.com
    policy: Resource = field(default_factory=dict)  # IAM: bindings, auditConfigs
    policy_version: int = 1


@dataclass
class Operation:
    """A long-running operation. `error` is (code, message, HTTP status) once it has failed."""

    name: str
    kind: str
    target: str
    target_id: str
    user: str
    started: float
    scope: str = ""  # projects/P/global or projects/P/regions/R
    done: bool = False
    ended: float = 0.0
    error: tuple[str, str, int] | None = None
    response: Resource = field(default_factory=dict)
    client_id: str = ""


@dataclass
class Zone:
    """A managed zone: what the API shows, and what the resolvers already know of it."""

    project: str
    resource: Resource
    records: list[Resource] = field(default_factory=list)
    changes: list[Resource] = field(default_factory=list)
    operations: list[Resource] = field(default_factory=list)
    live_records: tuple[Resource, ...] = ()
    live: Resource = field(default_factory=dict)  # the resource that binds; {} before the first

    @property
    def dns_name(self) -> str:
        return str(self.resource["dnsName"])


@dataclass
class ResponsePolicy:
    project: str
    resource: Resource
    rules: dict[str, Resource] = field(default_factory=dict)
    live_networks: tuple[str, ...] = ()
    live_rules: tuple[Resource, ...] = ()


@dataclass
class AccessPolicy:
    """An access policy with its perimeters and levels by full name, and the version behind its etag."""

    name: str
    parent: str
    title: str
    version: int = 1
    perimeters: dict[str, Resource] = field(default_factory=dict)
    levels: dict[str, Resource] = field(default_factory=dict)
    scopes: list[str] = field(default_factory=list)
    policy: Resource = field(default_factory=dict)
    busy: str = ""  # the operation that is under way


@dataclass
class Failure:
    """An operation that the world lets start with 200 and then fail."""

    operation: str
    code: str
    message: str
    status: int = 400
    count: int = 1
    seen: int = 0


Effect = Callable[[], None]
