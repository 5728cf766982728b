# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A perimeter as its lock sees it: read from the API's JSON, and written back as one request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .org_policies import Policies
from .perimeter import Config

REGULAR, BRIDGE = "PERIMETER_TYPE_REGULAR", "PERIMETER_TYPE_BRIDGE"


@dataclass(frozen=True, kw_only=True)
class Standing:
    """One perimeter.

    name: accessPolicies/N/servicePerimeters/X. exists: False before it is made, and, in a plan, when it is deleted.
    status: what is enforced. spec: of the dry run, where it has a configuration of its own; None where it has not.
    policies: organisation policies that support the lock, those that were read; etags: theirs.
    """

    name: str
    exists: bool = True
    title: str = ""
    description: str = ""
    kind: str = REGULAR
    status: Config = field(default_factory=dict)
    spec: Config | None = None
    etag: str | None = None
    policies: Policies = field(default_factory=dict)
    etags: Mapping[str, str] = field(default_factory=dict)

    @property
    def resource(self) -> str:
        """What steps and errors call it."""
        return f"perimeter {self.short}"

    @property
    def short(self) -> str:
        """Its name within the policy."""
        return self.name.rpartition("/")[2]

    @property
    def policy(self) -> str:
        """accessPolicies/N."""
        return self.name.rpartition("/servicePerimeters/")[0]


def standing(document: Mapping[str, Any]) -> Standing:
    """Read a perimeter as the API returns it."""
    explicit = bool(document.get("useExplicitDryRunSpec"))
    return Standing(
        name=str(document["name"]),
        title=str(document.get("title") or ""),
        description=str(document.get("description") or ""),
        kind=str(document.get("perimeterType") or REGULAR),
        status=dict(document.get("status") or {}),
        spec=dict(document.get("spec") or {}) if explicit else None,
        etag=document.get("etag"),
    )


def creation(desired: Standing) -> dict[str, Any]:
    """The body that makes a perimeter."""
    body: dict[str, Any] = {
        "name": desired.name,
        "title": desired.title or desired.short,
        "description": desired.description,
        "perimeterType": REGULAR,
    }
    if desired.status:
        body["status"] = dict(desired.status)
    if desired.spec is not None:
        body.update(spec=dict(desired.spec), useExplicitDryRunSpec=True)
    return body


def patch(start: Standing, desired: Standing) -> dict[str, Any]:
    """The fields of the one PATCH that makes `desired` of `start`; empty when nothing differs.

    A field whose value is None is named in the mask and left out of the body, which takes it away.
    """
    body: dict[str, Any] = {}
    if start.description != desired.description:
        body["description"] = desired.description
    if start.status != desired.status:
        body["status"] = dict(desired.status)
    if start.spec != desired.spec:
        body["spec"] = None if desired.spec is None else dict(desired.spec)
        if (start.spec is None) != (desired.spec is None):
            body["useExplicitDryRunSpec"] = desired.spec is not None
    return body
