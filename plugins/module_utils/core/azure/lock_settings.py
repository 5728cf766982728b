# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What decides who may call an account: its settings, and the changes from one state of them to another.

A change is kept as what each setting was and what it became. It is undone setting by setting, and only where what it
made still stands: what others changed since stays as they left it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

ENABLED, DISABLED = "Enabled", "Disabled"
ALLOW, DENY = "Allow", "Deny"
Value: TypeAlias = "str | bool | tuple[str, ...]"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings that a lock changes. What an account does not say means what is the default here.

    bypass: `None` or `AzureServices`. ip_rules, allowed_fqdns: sorted, each once.
    """

    public_network_access: str = ENABLED
    default_action: str = ALLOW
    bypass: str = "None"
    ip_rules: tuple[str, ...] = ()
    disable_local_auth: bool = False
    restrict_outbound_network_access: bool = False
    allowed_fqdns: tuple[str, ...] = ()

    @property
    def open(self) -> bool:
        """Whether any caller on the internet is let in as far as networks go."""
        return self.public_network_access != DISABLED and self.default_action != DENY

    def narrower_than(self, other: Settings) -> bool:
        """Whether a caller on the public path that `other` lets in is refused by these."""
        if other.public_network_access == DISABLED:
            return False
        if self.public_network_access == DISABLED or (other.open and not self.open):
            return True
        return not other.open and not set(other.ip_rules) <= set(self.ip_rules)

    def to_json(self) -> dict[str, Any]:
        """With lists for tuples."""
        return {name: plain(value) for name, value in dataclasses.asdict(self).items()}


NAMES = tuple(item.name for item in dataclasses.fields(Settings))


@dataclass(frozen=True)
class Change:
    """One setting, before and after. A list without order is undone item by item."""

    before: Value
    after: Value

    def undo(self, value: Value) -> Value:
        """What the setting is without this change, as it stands at `value` now."""
        if isinstance(value, tuple):
            before, after = set(_items(self.before)), set(_items(self.after))
            return tuple(sorted((set(value) - (after - before)) | (before - after)))
        return self.before if value == self.after else value


@dataclass(frozen=True, kw_only=True)
class Delta:
    """What one run changed, or several one after the other."""

    changes: Mapping[str, Change] = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to undo."""
        return not self.changes

    def undo(self, settings: Settings) -> Settings:
        """The settings without this delta; what others changed since stays."""
        undone: dict[str, Any] = {
            name: change.undo(getattr(settings, name)) for name, change in self.changes.items()
        }
        return replace(settings, **undone)

    def before(self, settings: Settings) -> Settings:
        """The settings with exactly the values from before this delta, whoever changed them since."""
        values: dict[str, Any] = {name: change.before for name, change in self.changes.items()}
        return replace(settings, **values)

    def then(self, later: Delta) -> Delta:
        """This delta and a later one as one, so that undoing it goes back to before both.

        What others changed between the two counts as having stood before.
        """
        changes = dict(self.changes)
        for name, change in later.changes.items():
            mine = changes.get(name)
            before = mine.undo(change.before) if mine else change.before
            if before == change.after:
                changes.pop(name, None)
            else:
                changes[name] = Change(before, change.after)
        return Delta(changes=changes)

    def missing_in(self, settings: Settings) -> list[str]:
        """The settings that this delta made and that no longer stand."""
        return [
            name
            for name, change in self.changes.items()
            if change.undo(getattr(settings, name)) == getattr(settings, name)
        ]

    def to_json(self) -> dict[str, Any]:
        """Setting → [before, after]."""
        return {
            name: [plain(change.before), plain(change.after)]
            for name, change in sorted(self.changes.items())
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Delta:
        """Read what `to_json` wrote; ValueError for anything else."""
        changes = {}
        for name, pair in document.items():
            if name not in NAMES:
                raise ValueError(f"unknown setting {name}")
            before, after = (_value(name, item) for item in pair)
            changes[name] = Change(before, after)
        return cls(changes=changes)


def difference(before: Settings, after: Settings) -> Delta:
    """What `after` has changed of `before`."""
    return Delta(
        changes={
            name: Change(getattr(before, name), getattr(after, name))
            for name in NAMES
            if getattr(before, name) != getattr(after, name)
        }
    )


def plain(value: Any) -> Any:
    """JSON of a setting's value."""
    return list(value) if isinstance(value, tuple) else value


def _items(value: Value) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else ()


def _value(name: str, value: Any) -> Value:
    read = tuple(value) if isinstance(value, list) else value
    expected: type[Value] = type(getattr(Settings(), name))
    if not isinstance(read, expected):
        raise ValueError(f"{name} is {value!r}")
    return read
