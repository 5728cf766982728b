# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The few shapes that every part shares: frozen dataclasses here, plain JSON outside.

Each has `schema_version` and `to_json()`; `from_json()` refuses another version or an unknown key, so that a document
written by a newer release is never half understood.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from .errors import EndpointError

SCHEMA_VERSION = 1

Action = Literal["create", "update", "delete", "none"]
Plane = Literal["management", "runtime"]
Position = Literal["inside", "spoke", "outside", "canary"]
Severity = Literal["critical", "high", "medium", "low"]
Status = Literal["pass", "fail", "warn", "unknown", "skipped"]

# What a plan shows for a value that only exists after it was applied (an id, an address).
KNOWN_AFTER_APPLY = "(known after apply)"

C = TypeVar("C", bound="Contract")


@dataclass(frozen=True, kw_only=True)
class Contract:
    """What all shapes can do: become JSON, and come back from it."""

    schema_version: int = SCHEMA_VERSION

    def to_json(self) -> dict[str, Any]:
        """Plain dicts and lists, fit for Ansible, a file, or a hash."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls: type[C], document: dict[str, Any]) -> C:
        """Read a document of this shape; EndpointError names what does not fit."""
        version = document.get("schema_version", SCHEMA_VERSION)
        if version != SCHEMA_VERSION:
            raise EndpointError(
                f"has schema_version {version}, this release reads {SCHEMA_VERSION}",
                resource=cls.__name__.lower(),
                fix="Make it again with this release of the collection",
            )
        known = {entry.name: entry for entry in dataclasses.fields(cls)}
        unknown = sorted(set(document) - set(known))
        missing = sorted(
            name
            for name, entry in known.items()
            if entry.default is dataclasses.MISSING
            and entry.default_factory is dataclasses.MISSING
            and name not in document
        )
        if unknown or missing:
            detail = "; ".join(
                part
                for part in (
                    "unknown keys " + ", ".join(unknown) if unknown else "",
                    "missing keys " + ", ".join(missing) if missing else "",
                )
                if part
            )
            raise EndpointError(detail, resource=cls.__name__.lower())
        return cls(**document)


@dataclass(frozen=True, kw_only=True)
class ProbeTarget(Contract):
    """One host that clients call, with the addresses that it must resolve to in the private networks.

    probe_action: everything the probe needs to make one cheap, signed read: `{name, method, path, headers, body,
    auth, signing_name, region}`; None where the plane has no such read.
    networks: network id → the addresses that are right there, where an endpoint serves its own network alone; in a
    network that is not named any of `addresses` is right.
    """

    host: str
    addresses: list[str]
    cloud: str
    target: str
    service: str
    plane: Plane
    port: int = 443
    probe_action: dict[str, Any] | None = None
    networks: dict[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Finding(Contract):
    """One judgement. `unknown` says which evidence was missing; it is never a pass."""

    check: str
    title: str
    status: Status
    severity: Severity
    cloud: str
    target: str
    resource: str
    expected: str
    observed: str
    why: str
    fix: str
    vantage: str | None = None
    checklist: list[str] = field(default_factory=list)
    misconfiguration: str | None = None
    references: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Scope(Contract):
    """What one lock binds: `members` are the targets that must all be proved before it."""

    cloud: str
    id: str
    regions: list[str]
    members: list[str]


@dataclass(frozen=True, kw_only=True)
class Proof(Contract):
    """Findings, and the configuration that they were made of.

    config_hash: target name → digest of the configuration that was proved.
    made_at, expires_at: UTC, ISO 8601 with a trailing Z.
    """

    scope: Scope
    targets: list[str]
    vantages: list[str]
    principals: list[str]
    roll_out: str
    config_hash: dict[str, str]
    made_at: str
    expires_at: str
    findings: list[Finding]

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Proof:
        """Also builds the scope and the findings inside."""
        inner = dict(document)
        if isinstance(inner.get("scope"), dict):
            inner["scope"] = Scope.from_json(inner["scope"])
        inner["findings"] = [Finding.from_json(item) for item in inner.get("findings", [])]
        return super().from_json(inner)


@dataclass(frozen=True, kw_only=True)
class Step(Contract):
    """One entry of a plan, and the same entry of the result.

    before, after: only the attributes that differ (all of them for a create or a delete).
    conditional_on: what must be proved first for the step to happen, as a sentence; None when it just happens.
    """

    resource: str
    action: Action
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)
    conditional_on: str | None = None
