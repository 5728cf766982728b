# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The configuration of a service perimeter, as the API has it, and what a lock adds to one.

A lock only ever adds, so that undoing it is taking the same things out again. What is in a configuration besides, also
fields that this collection does not know, stays as it is, in its order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from ..canonical import canonical_json

Config: TypeAlias = "Mapping[str, Any]"
Rule: TypeAlias = "Mapping[str, Any]"

# Field of Additions → key of the API's configuration.
LISTS: Mapping[str, str] = {
    "resources": "resources",
    "services": "restrictedServices",
    "levels": "accessLevels",
    "ingress": "ingressPolicies",
}
_ACCESSIBLE = "vpcAccessibleServices"
# In the list of services that networks inside may call: those that the perimeter restricts.
RESTRICTED = "RESTRICTED-SERVICES"


@dataclass(frozen=True, kw_only=True)
class Additions:
    """What is added to a configuration.

    resources: `projects/NUMBER`. services: restricted ones. levels: access levels by their full names.
    ingress: rules in the API's form. accessible: services that networks inside may still call; None: that is left as it
    is. switched: whether the restriction of those was switched on by this, and not only the list made longer.
    """

    resources: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    levels: tuple[str, ...] = ()
    ingress: tuple[Rule, ...] = ()
    accessible: tuple[str, ...] | None = None
    switched: bool = False

    @property
    def empty(self) -> bool:
        """Whether nothing is added."""
        return not self.to_json()

    @property
    def narrows(self) -> bool:
        """Whether a call that was let in before may be refused after this."""
        return bool(self.resources or self.services or self.switched)

    def plus(self, later: Additions) -> Additions:
        """These and later ones, as one."""
        joined: dict[str, Any] = {
            name: _union(getattr(self, name), getattr(later, name)) for name in LISTS
        }
        accessible = None
        if self.accessible is not None or later.accessible is not None:
            accessible = _union(self.accessible or (), later.accessible or ())
        return Additions(**joined, accessible=accessible, switched=self.switched or later.switched)

    def to_json(self) -> dict[str, Any]:
        """Only what is there."""
        document: dict[str, Any] = {
            name: list(getattr(self, name)) for name in LISTS if getattr(self, name)
        }
        if self.accessible or self.switched:
            document["accessible"] = list(self.accessible or ())
        if self.switched:
            document["switched"] = True
        return document

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Additions:
        """Read what `to_json` wrote; ValueError for anything else."""
        unknown = set(document) - {*LISTS, "accessible", "switched"}
        if unknown:
            raise ValueError(f"unknown field {sorted(unknown)[0]}")
        lists: dict[str, Any] = {}
        for name in (*LISTS, "accessible"):
            if name in document:
                wanted: type = dict if name == "ingress" else str
                if not isinstance(document[name], list) or not all(
                    isinstance(item, wanted) for item in document[name]
                ):
                    raise ValueError(f"{name} is {document[name]!r}")
                lists[name] = tuple(document[name])
        return cls(**lists, switched=document.get("switched") is True)


def merge(config: Config, additions: Additions) -> dict[str, Any]:
    """The configuration with the additions; what is there already is not added twice."""
    made = dict(config)
    for name, key in LISTS.items():
        joined = _union(made.get(key) or (), getattr(additions, name))
        if joined:
            made[key] = list(joined)
    if additions.accessible is not None:
        stands = made.get(_ACCESSIBLE) or {}
        allowed = _union(allowed_of(config) or (), additions.accessible)
        made[_ACCESSIBLE] = {**stands, "enableRestriction": True, "allowedServices": list(allowed)}
    return made


def take(config: Config, additions: Additions) -> dict[str, Any]:
    """The configuration without the additions; what others have added since stays.

    A restriction that the additions switched on is switched off, whatever services were added to its list since: those
    stay reachable all the same.
    """
    left = dict(config)
    for name, key in LISTS.items():
        gone = {_key(item) for item in getattr(additions, name)}
        _put(left, key, [item for item in left.get(key) or () if _key(item) not in gone])
    if additions.switched:
        left.pop(_ACCESSIBLE, None)
    elif additions.accessible and allowed_of(config) is not None:
        rest = [item for item in allowed_of(config) or () if item not in additions.accessible]
        left[_ACCESSIBLE] = {**config[_ACCESSIBLE], "allowedServices": rest}
    return left


def added(before: Config, after: Config) -> Additions:
    """What `after` has more than `before`."""
    lists: dict[str, Any] = {}
    for name, key in LISTS.items():
        known = {_key(item) for item in before.get(key) or ()}
        lists[name] = tuple(item for item in after.get(key) or () if _key(item) not in known)
    was, now = allowed_of(before), allowed_of(after)
    more = tuple(item for item in now or () if item not in (was or ()))
    switched = was is None and now is not None
    return Additions(**lists, accessible=more if more or switched else None, switched=switched)


def lacking(config: Config, additions: Additions) -> list[str]:
    """Of the additions what is not in the configuration any more, in words."""
    missing = added(config, merge(config, additions))
    words = [*missing.resources, *missing.services, *missing.levels]
    words += ["an ingress rule"] * bool(missing.ingress)
    if additions.switched and missing.switched:
        words.append("the restriction of accessible services")
    elif missing.accessible:
        words += missing.accessible
    return words


def allowed_of(config: Config) -> tuple[str, ...] | None:
    """The services that networks inside may call; None where that is not restricted."""
    stands = config.get(_ACCESSIBLE) or {}
    if not stands.get("enableRestriction"):
        return None
    return tuple(stands.get("allowedServices") or ())


def same(one: Config, other: Config) -> bool:
    """Whether two configurations mean the same."""
    return digest(one) == digest(other)


def digest(config: Config) -> str:
    """Twelve hexadecimal digits of what a configuration means: order does not matter, nor does what is empty."""
    return hashlib.sha256(_key(config).encode()).hexdigest()[:12]


def _union(one: Any, other: Any) -> tuple[Any, ...]:
    known = {_key(item) for item in one}
    found = list(one)
    for item in other:
        if _key(item) not in known:
            known.add(_key(item))
            found.append(item)
    return tuple(found)


def _put(config: dict[str, Any], key: str, items: list[Any]) -> None:
    if items:
        config[key] = items
    elif config.get(key):
        del config[key]


def _key(value: Any) -> str:
    """A value in a form that compares by meaning."""
    return canonical_json(_plain(value))


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        items = {name: _plain(item) for name, item in value.items()}
        return {name: item for name, item in items.items() if item not in (None, "", [], {}, False)}
    if isinstance(value, (list, tuple)):
        return sorted((_plain(item) for item in value), key=canonical_json)
    return value
