# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Resource ids of Azure Resource Manager: parsed once, compared without case, as Azure does."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import EndpointError


@dataclass(frozen=True, kw_only=True)
class ArmId:
    """One resource. types, names: from the outermost (`virtualNetworks`, `app`) to the resource itself.

    A subscription or resource group itself has no provider, types and names.
    """

    subscription: str
    resource_group: str = ""
    provider: str = ""
    types: tuple[str, ...] = ()
    names: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str, *, option: str | None = None, kind: str | None = None) -> ArmId:
        """Read an id; EndpointError when it is none, or not one of `kind` (`Microsoft.Network/virtualNetworks`).

        option: the module's option that holds it, for the error.
        """
        parsed = cls.read(text)
        if parsed is None or (kind and parsed.kind.lower() != kind.lower()):
            wanted = kind or "<provider>/<type>"
            raise EndpointError(
                f"{text} is not the resource id of a {wanted}"
                if kind
                else f"{text} is no resource id",
                resource=option,
                fix="Give it as Azure writes it: " + _example(wanted),
            )
        return parsed

    @classmethod
    def read(cls, text: str) -> ArmId | None:
        """Read an id; None when it is none."""
        parts = text.strip().rstrip("/").split("/")
        if len(parts) < 3 or parts[0] or parts[1].lower() != "subscriptions" or "" in parts[1:]:
            return None
        subscription, rest, group = parts[2], parts[3:], ""
        if rest and rest[0].lower() == "resourcegroups":
            if len(rest) < 2:
                return None
            group, rest = rest[1], rest[2:]
        if not rest:
            return cls(subscription=subscription, resource_group=group)
        if rest[0].lower() != "providers" or len(rest) < 4 or len(rest) % 2:
            return None
        return cls(
            subscription=subscription,
            resource_group=group,
            provider=rest[1],
            types=tuple(rest[2::2]),
            names=tuple(rest[3::2]),
        )

    @property
    def kind(self) -> str:
        """Provider and types: `Microsoft.Network/virtualNetworks/subnets`."""
        return "/".join((self.provider, *self.types))

    @property
    def name(self) -> str:
        """The resource's own name."""
        return self.names[-1] if self.names else self.resource_group or self.subscription

    @property
    def key(self) -> str:
        """For comparing and as a key: the id in lower case."""
        return str(self).lower()

    @property
    def parent(self) -> ArmId:
        """The resource that this one is part of, or its resource group."""
        if len(self.names) < 2:
            return self.group
        return ArmId(
            subscription=self.subscription,
            resource_group=self.resource_group,
            provider=self.provider,
            types=self.types[:-1],
            names=self.names[:-1],
        )

    @property
    def group(self) -> ArmId:
        """Its resource group."""
        return ArmId(subscription=self.subscription, resource_group=self.resource_group)

    def child(self, kind: str, name: str) -> ArmId:
        """A part of this resource: `network.child("subnets", "app")`."""
        return ArmId(
            subscription=self.subscription,
            resource_group=self.resource_group,
            provider=self.provider,
            types=(*self.types, kind),
            names=(*self.names, name),
        )

    def resource(self, provider: str, kind: str, name: str) -> ArmId:
        """A resource in this one's group: `network.resource("Microsoft.Network", "privateEndpoints", "pe")`."""
        return self.group.child(kind, name)._of(provider)

    def _of(self, provider: str) -> ArmId:
        return ArmId(
            subscription=self.subscription,
            resource_group=self.resource_group,
            provider=provider,
            types=self.types,
            names=self.names,
        )

    def __str__(self) -> str:
        text = f"/subscriptions/{self.subscription}"
        if self.resource_group:
            text += f"/resourceGroups/{self.resource_group}"
        if self.provider:
            text += f"/providers/{self.provider}"
        for kind, name in zip(self.types, self.names, strict=True):
            text += f"/{kind}/{name}"
        return text


def same(one: str | None, other: str | None) -> bool:
    """Whether two ids name one resource."""
    return key(one) == key(other)


def key(text: str | None) -> str:
    """An id for comparing and as a key of a dict; an empty text for None."""
    return (text or "").strip().rstrip("/").lower()


def _example(kind: str) -> str:
    provider, *types = kind.split("/")
    path = "/".join(f"{item}/<name>" for item in types)
    return f"/subscriptions/<id>/resourceGroups/<name>/providers/{provider}/{path}"
