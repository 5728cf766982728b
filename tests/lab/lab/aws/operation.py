# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of operations that the control planes have, and what a handler of one gets."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from . import iam
from .errors import AwsError, denied
from .iam_request import Need
from .models import protocol
from .records import Caller
from .state import State
from .tree import Organization

Result = Mapping[str, Any]
T = TypeVar("T")


@dataclass(frozen=True)
class Control:
    """One authenticated request: parameters have passed the service's model. Handlers hold the lock."""

    state: State
    caller: Caller
    service: str
    region: str
    operation: str
    params: Mapping[str, Any]
    source_address: str
    authorized: list[str] = field(default_factory=list)  # what was asked for and held

    @property
    def account(self) -> str:
        return self.caller.account

    @property
    def organization(self) -> Organization:
        organization = self.state.organization
        if organization is None or not organization.path(self.account):
            raise AwsError(
                "AWSOrganizationsNotInUseException",
                "Your account is not a member of an organization.",
            )
        return organization

    def arn(self, kind: str, name: str) -> str:
        """ARN of one of the caller's own resources in this Region."""
        return f"arn:aws:{self.service}:{self.region}:{self.account}:{kind}/{name}"

    def authorize(
        self, action: str, resource: str = "*", context: Mapping[str, Any] | None = None
    ) -> None:
        """Raise the service's own denial unless the caller may do the action."""
        conditions = {
            **iam.principal_context(self.state, self.caller, self.region),
            "aws:SourceIp": self.source_address,
            **(context or {}),
        }
        decision = iam.decide(self.state, self.caller, action, resource, conditions)
        if decision.allowed:
            self.authorized.append(action)
            return
        message = decision.message
        if self.service == "ec2":
            message += f" Encoded authorization failure message: {_encoded(action, resource)}"
        raise denied(protocol(self.service), message)


def _encoded(action: str, resource: str) -> str:
    # AWS's is opaque and only sts:DecodeAuthorizationMessage reads it.
    document = {"allowed": False, "action": action, "resource": resource}
    return base64.urlsafe_b64encode(
        secrets.token_bytes(48) + json.dumps(document).encode()
    ).decode()


Handler = Callable[[Control], Result | None]
Resources = Callable[[Control], Sequence[str]]
Dependents = Callable[[Control], Iterable[Need]]


def _everything(_: Control) -> Sequence[str]:
    return ("*",)


def _nothing(_: Control) -> Iterable[Need]:
    return ()


@dataclass(frozen=True)
class Operation:
    handler: Handler
    action: str  # "" needs no permission
    resources: Resources
    dependents: Dependents  # what AWS asks for besides


OPERATIONS: dict[tuple[str, str], Operation] = {}
_PREFIXES = {"accessanalyzer": "access-analyzer"}
_READS = ("Describe", "Get", "List", "Lookup", "Validate", "AssumeRole")


def operation(
    service: str,
    name: str,
    *,
    resources: Resources = _everything,
    action: str | None = None,
    dependents: Dependents = _nothing,
) -> Callable[[Handler], Handler]:
    """Register a handler; action defaults to the IAM action of the operation's name."""

    def register(handler: Handler) -> Handler:
        default = f"{_PREFIXES.get(service, service)}:{name}"
        OPERATIONS[service, name] = Operation(
            handler, default if action is None else action, resources, dependents
        )
        return handler

    return register


def is_write(name: str) -> bool:
    """Whether an operation changes anything (a session that AssumeRole makes is no change)."""
    return not name.startswith(_READS)


def page(
    items: Sequence[T], limit: int | None, token: str | None, *, bad: AwsError
) -> tuple[Sequence[T], str | None]:
    """One page of a list and the token of the next; raises `bad` for a token it did not make."""
    start = 0
    if token:
        try:
            start = int(base64.urlsafe_b64decode(token.encode()).decode().removeprefix("page:"))
        except ValueError:
            raise bad from None
    end = len(items) if limit is None else start + limit
    following = base64.urlsafe_b64encode(f"page:{end}".encode()).decode()
    return items[start:end], following if end < len(items) else None
