# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is kept with a perimeter, in its description: what locks have added to it, and the run that has not ended yet.

The record is one line behind whatever text others have written there, and is sent in the same request as the change
that it speaks of, so that neither stands without the other. Whoever finds it later, on another machine, knows what to
undo.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ..canonical import canonical_json
from ..errors import EndpointError
from ..proof import parse_timestamp
from . import org_policies
from .perimeter import Additions

HEAD = "private_ai.endpoints:"
PENDING, SEALED = "pending", "sealed"
MADE, FOLDED = "made", "folded"


@dataclass(frozen=True, kw_only=True)
class Delta:
    """What one run changed of a perimeter, or several one after the other.

    created: whether it did not exist before. status, spec: what was added to the enforced configuration and to the one
    of the dry run. dry_run: `made` where there was no dry run of its own before; `folded` where the one that this
    collection had made ended, because all of it is enforced now: then spec is what it lacked of that.
    policies: parts of organisation policies, before and after.
    """

    created: bool = False
    status: Additions = field(default_factory=Additions)
    spec: Additions = field(default_factory=Additions)
    dry_run: str = ""
    policies: org_policies.Changes = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to undo."""
        return not self.to_json()

    def then(self, later: Delta) -> Delta:
        """This and a later one as one, so that undoing it goes back to before both."""
        word = self.dry_run or later.dry_run
        spec = self.spec.plus(later.spec)
        if self.dry_run and later.dry_run:
            word = "" if self.dry_run != later.dry_run else self.dry_run
        if (self.dry_run, later.dry_run) == (MADE, FOLDED):
            spec = Additions()
        return Delta(
            created=self.created or later.created,
            status=self.status.plus(later.status),
            spec=spec,
            dry_run=word,
            policies=org_policies.then(self.policies, later.policies),
        )

    def to_json(self) -> dict[str, Any]:
        """Only what is there."""
        document: dict[str, Any] = {
            "created": self.created,
            "status": self.status.to_json(),
            "spec": self.spec.to_json(),
            "dry_run": self.dry_run,
            "policies": {key: list(pair) for key, pair in self.policies.items()},
        }
        return {name: value for name, value in document.items() if value}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Delta:
        """Read what `to_json` wrote; ValueError for anything else."""
        unknown = set(document) - {"created", "status", "spec", "dry_run", "policies"}
        word = document.get("dry_run", "")
        if unknown or word not in ("", MADE, FOLDED):
            raise ValueError(f"unknown {', '.join(sorted(unknown)) or word}")
        return cls(
            created=document.get("created") is True,
            status=Additions.from_json(document.get("status") or {}),
            spec=Additions.from_json(document.get("spec") or {}),
            dry_run=word,
            policies=org_policies.read_changes(document.get("policies") or {}),
        )


@dataclass(frozen=True, kw_only=True)
class Run:
    """A run that has changed the perimeter and has not ended, or died. time: UTC, ISO 8601."""

    run_id: str
    time: str
    delta: Delta

    def age(self, now: datetime) -> float:
        """Seconds since it changed the perimeter."""
        return (now - parse_timestamp(self.time)).total_seconds()

    def to_json(self) -> dict[str, Any]:
        """What the module returns as `pending`."""
        return {
            "run_id": self.run_id,
            "time": self.time,
            "phase": PENDING,
            "delta": self.delta.to_json(),
        }

    def __str__(self) -> str:
        return f"run {self.run_id} of {self.time}"


@dataclass(frozen=True, kw_only=True)
class Record:
    """kept: what sealed locks changed. run: what one that is not sealed changed on top of that.

    spec: digest of the dry run's configuration as this collection left it, where it made the dry run; so that it is
    known later whether others have put something into it.
    """

    kept: Delta = field(default_factory=Delta)
    run: Run | None = None
    spec: str = ""

    @property
    def empty(self) -> bool:
        """Whether there is nothing to keep."""
        return self.run is None and self.kept.empty

    @property
    def total(self) -> Delta:
        """All that this collection changed, as one delta."""
        return self.kept.then(self.run.delta) if self.run else self.kept

    def to_json(self) -> dict[str, Any]:
        """As steps show it; empty when there is nothing to keep."""
        if self.empty:
            return {}
        return {"pending": self.run.run_id if self.run else None, "added": self.total.to_json()}


def to_line(record: Record) -> str:
    """The line that holds a record; empty for one that holds nothing."""
    if record.empty:
        return ""
    document: dict[str, Any] = {"lock": PENDING if record.run else SEALED}
    if record.run:
        document.update(
            run_id=record.run.run_id, time=record.run.time, delta=record.run.delta.to_json()
        )
    if not record.kept.empty:
        document["kept"] = record.kept.to_json()
    if record.spec:
        document["spec"] = record.spec
    return f"{HEAD} {canonical_json(document)}"


def from_description(description: str) -> Record:
    """The record in a description. EndpointError when there is one that cannot be read."""
    lines = [line for line in description.split("\n") if is_own(line)]
    if not lines:
        return Record()
    try:
        if len(lines) > 1:
            raise ValueError("there are several")
        document = json.loads(lines[0].strip()[len(HEAD) :])
        run = None
        if document["lock"] == PENDING:
            parse_timestamp(document["time"])
            run = Run(
                run_id=str(document["run_id"]),
                time=str(document["time"]),
                delta=Delta.from_json(document["delta"]),
            )
        return Record(
            kept=Delta.from_json(document.get("kept") or {}),
            run=run,
            spec=str(document.get("spec") or ""),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise EndpointError(
            f"what was kept in the perimeter's description about its lock cannot be read: {error}",
            resource=f"description line {HEAD}",
            fix="Open the perimeter with state: unlocked and without run_id, which needs no readable record",
        ) from error


def is_own(line: str) -> bool:
    """Whether a line of a description is a record."""
    return line.strip().startswith(HEAD)


def text_of(description: str) -> str:
    """A description without the record: what others wrote."""
    if not any(is_own(line) for line in description.split("\n")):
        return description
    return "\n".join(line for line in description.split("\n") if not is_own(line))


def with_record(description: str, record: Record) -> str:
    """The description with this record instead of the one in it; others' text as it is."""
    text, line = text_of(description), to_line(record)
    if not line:
        return text
    return f"{text}\n{line}" if text else line
