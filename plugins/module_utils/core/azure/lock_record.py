# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is kept with an account, as tags: the values from before its lock, and the run that has not ended yet.

The tags are written in the same request as the settings that they speak of, so that neither stands without the other.
Whoever finds them later, on another machine, knows what to undo. A tag's value holds 256 characters, so the record is
packed and cut into pieces; a first tag says in words what it is. Names of tags have no case.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ..canonical import canonical_json
from ..errors import EndpointError
from ..proof import parse_timestamp
from .lock_settings import Delta

HEAD = "private-ai-endpoints:lock"
PENDING, SEALED = "pending", "sealed"
_PIECE = 256
_SHOWN = 128
MOST_TAGS = 50


@dataclass(frozen=True, kw_only=True)
class Run:
    """A run that has changed the account and has not ended, or died. time: UTC, ISO 8601."""

    run_id: str
    time: str
    delta: Delta

    def age(self, now: datetime) -> float:
        """Seconds since it changed the account."""
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
    """kept: what sealed locks changed. run: what one that is not sealed changed on top of that."""

    kept: Delta = field(default_factory=Delta)
    run: Run | None = None

    @property
    def total(self) -> Delta:
        """All that this collection changed, as one delta."""
        return self.kept.then(self.run.delta) if self.run else self.kept

    def to_json(self) -> dict[str, Any]:
        """As steps show it; empty when there is nothing to keep."""
        if self.run is None and self.kept.empty:
            return {}
        return {
            "pending": self.run.run_id if self.run else None,
            "values": {name: pair[0] for name, pair in self.total.to_json().items()},
        }


def to_tags(record: Record) -> dict[str, str]:
    """The tags that hold a record; none for one that holds nothing."""
    run = record.run
    if run is None and record.kept.empty:
        return {}
    document: dict[str, Any] = {"kept": record.kept.to_json()}
    if run:
        document.update(run_id=run.run_id, time=run.time, delta=run.delta.to_json())
    packed = zlib.compress(canonical_json(document).encode(), 9)
    whole = base64.urlsafe_b64encode(packed).decode()
    pieces = [whole[start : start + _PIECE] for start in range(0, len(whole), _PIECE)]
    words = [PENDING if run else SEALED, str(len(pieces))]
    words += [run.time, _shown(run.run_id)] if run else []
    return {HEAD: " ".join(words), **{f"{HEAD}:{n}": piece for n, piece in enumerate(pieces)}}


def from_tags(tags: Mapping[str, str]) -> Record:
    """The record among an account's tags. EndpointError when there is one that cannot be read."""
    own = {name.lower(): str(value) for name, value in tags.items() if is_own(name)}
    if not own:
        return Record()
    try:
        count = int(own[HEAD].split(" ")[1])
        whole = "".join(own[f"{HEAD}:{number}"] for number in range(count))
        document = json.loads(zlib.decompress(base64.urlsafe_b64decode(whole)))
        run = None
        if "run_id" in document:
            parse_timestamp(document["time"])
            run = Run(
                run_id=str(document["run_id"]),
                time=str(document["time"]),
                delta=Delta.from_json(document["delta"]),
            )
        return Record(kept=Delta.from_json(document["kept"]), run=run)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, zlib.error) as error:
        raise EndpointError(
            f"what was kept with the account about its lock cannot be read: {error}",
            resource=f"tag {HEAD}",
            fix="Open the account with state: unlocked and without run_id, which needs no readable tags",
        ) from error


def is_own(name: str) -> bool:
    """Whether a tag of this name belongs to a record."""
    return name.lower() == HEAD or name.lower().startswith(HEAD + ":")


def with_record(tags: Mapping[str, str], record: Record) -> dict[str, str]:
    """The account's tags with this record instead of the one in them; others' tags as they are."""
    return {
        **{name: value for name, value in tags.items() if not is_own(name)},
        **to_tags(record),
    }


def _shown(run_id: str) -> str:
    """A run's name for people who read the tags, without what a tag cannot hold."""
    return "".join(sign if sign.isprintable() else "?" for sign in run_id)[:_SHOWN]
