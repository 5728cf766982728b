# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What one run changed: remembered while it is done, returned as `undo`, and read from there again."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..contracts import SCHEMA_VERSION
from .plan_dns_types import Change, Entry, Holder, Record


@dataclass
class Done:
    """The changes of a run, one for each zone or policy: as it was before the first, and as the last one made it.

    run: what the labels of zones and policies say that it made.
    """

    run: str = ""
    changes: dict[str, Change] = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        """Whether nothing was changed."""
        return not self.changes

    def add(self, change: Change) -> None:
        """Remember a change, before it is made: when its answer is lost, it may be there."""
        earlier = self.changes.get(change.id)
        if earlier is None:
            self.changes[change.id] = change
            return
        before = earlier.before
        if before is None and change.before is not None and change.before.run != self.run:
            # Another run was faster to make it: from here on this one changes what that one made.
            before = change.before
        self.changes[change.id] = Change(before=before, after=change.after)

    def settle(self, holders: Mapping[str, Holder]) -> None:
        """Forget what turned out to be another run's work: what it made, and this run never changed."""
        for name, change in list(self.changes.items()):
            found = holders.get(name)
            if change.before is None and (found is None or found.run != self.run):
                del self.changes[name]

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, for Ansible to keep."""
        return {
            "schema_version": SCHEMA_VERSION,
            "run": self.run,
            "changes": [
                {
                    "before": dataclasses.asdict(item.before) if item.before else None,
                    "after": dataclasses.asdict(item.after) if item.after else None,
                }
                for item in self.changes.values()
            ],
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Done:
        """What `to_json` made. KeyError, TypeError or ValueError for anything else."""
        if document["schema_version"] != SCHEMA_VERSION:
            raise ValueError(f"schema_version {document['schema_version']}")
        done = cls(run=str(document["run"]))
        for item in document["changes"]:
            done.add(Change(before=_holder(item["before"]), after=_holder(item["after"])))
        return done


def _holder(document: Mapping[str, Any] | None) -> Holder | None:
    if document is None:
        return None
    if document["kind"] not in ("zone", "policy"):
        raise ValueError(f"kind {document['kind']}")
    values = {**document, "networks": tuple(document["networks"])}
    entries = document["entries"]
    values["entries"] = None if entries is None else tuple(_entry(item) for item in entries)
    return Holder(**values)


def _entry(document: Mapping[str, Any]) -> Entry:
    records = tuple(
        Record(**{**item, "ttl": int(item["ttl"]), "values": tuple(item["values"])})
        for item in document["records"]
    )
    return Entry(**{**document, "records": records})
