# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Resource ids: where a request goes, compared without regard to case."""

from __future__ import annotations

import functools
from dataclasses import dataclass


@dataclass(frozen=True)
class ArmId:
    """A parsed path. `names` is as long as `types` for a resource, one shorter for a collection.

    `scope` is what stands before the last `/providers/`: a resource group, a subscription, a
    resource (for extension resources such as diagnostic settings) or nothing. Without a provider
    (subscriptions, resource groups) `namespace` is `Microsoft.Resources`.
    """

    scope: str
    namespace: str
    types: tuple[str, ...]
    names: tuple[str, ...]

    @functools.cached_property
    def type(self) -> str:
        """`Microsoft.Network/virtualNetworks/subnets`, as written in the path."""
        return "/".join((self.namespace, *self.types))

    @property
    def is_resource(self) -> bool:
        return bool(self.types) and len(self.names) == len(self.types)

    @property
    def name(self) -> str:
        return self.names[-1]

    @property
    def subscription(self) -> str:
        parts = str(self).split("/")
        return parts[2] if len(parts) > 2 and parts[1].lower() == "subscriptions" else ""

    @property
    def resource_group(self) -> str:
        parts = str(self).split("/")
        return parts[4] if len(parts) > 4 and parts[3].lower() == "resourcegroups" else ""

    @property
    def group_id(self) -> str:
        """Id of the resource group, "" when the id is in none."""
        if not self.resource_group:
            return ""
        return f"/subscriptions/{self.subscription}/resourceGroups/{self.resource_group}"

    @functools.cached_property
    def key(self) -> str:
        """What the state keeps resources by."""
        return self._text.lower()

    @property
    def parent(self) -> ArmId | None:
        """The resource that holds this child resource (or collection of children), if any."""
        if len(self.types) < 2:
            return None
        return ArmId(self.scope, self.namespace, self.types[:-1], self.names[: len(self.types) - 1])

    @property
    def root(self) -> ArmId:
        """The top-level resource that this is, or is a child of."""
        return ArmId(self.scope, self.namespace, self.types[:1], self.names[:1])

    def child(self, kind: str, name: str) -> ArmId:
        return ArmId(self.scope, self.namespace, (*self.types, kind), (*self.names, name))

    def collection(self, kind: str) -> ArmId:
        return ArmId(self.scope, self.namespace, (*self.types, kind), self.names)

    def __str__(self) -> str:
        return self._text

    @functools.cached_property
    def _text(self) -> str:
        parts: list[str] = []
        for index, kind in enumerate(self.types):
            parts += [kind, *self.names[index : index + 1]]
        if self.namespace == RESOURCES:
            return "/" + "/".join(parts)
        return "/".join((self.scope, "providers", self.namespace, *parts))


RESOURCES = "Microsoft.Resources"


def parse(path: str) -> ArmId:
    """Understand an absolute path or id. Raises ValueError for what is none."""
    if not path.startswith("/") or "//" in path:
        raise ValueError(f"{path!r} is no resource id")
    parts = path.strip("/").split("/")
    lower = [each.lower() for each in parts]
    if "providers" in lower[:-1]:
        last = len(lower) - 1 - lower[::-1].index("providers")
        rest = parts[last + 2 :]
        scope = "/" + "/".join(parts[:last]) if last else ""
        if rest or last:
            return ArmId(scope, parts[last + 1], tuple(rest[::2]), tuple(rest[1::2]))
    if lower[0] not in ("subscriptions", "tenants", "providers"):
        raise ValueError(f"{path!r} is no resource id")
    return ArmId("", RESOURCES, tuple(parts[::2]), tuple(parts[1::2]))


def same(one: str, other: str) -> bool:
    """Whether two ids name one resource."""
    return one.rstrip("/").lower() == other.rstrip("/").lower()
