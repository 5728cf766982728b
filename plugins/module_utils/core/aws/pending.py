# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pending marker: what a run is about to change in a shared policy, kept with the policy itself, as tags.

It is written in the same request that creates the policy, or before the first change, and cleared when the lock is
sealed. Whoever finds it later knows what to undo. Each run has its own keys, so that runs at the same time do not
overwrite each other's markers. Tag values may hold letters, digits and a few signs, 256 at most: the delta is packed
and cut into pieces.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from ..canonical import canonical_json
from ..contracts import Contract
from ..errors import EndpointError
from ..proof import parse_timestamp

PREFIX = "private-ai-endpoints:"
MANAGED = PREFIX + "managed"
PENDING = PREFIX + "pending:"
DELTA = PREFIX + "delta:"
_PIECE = 256
_PLAIN = re.compile(r"[A-Za-z0-9._-]{1,64}")

Phase = Literal["pending", "undoing"]


@dataclass(frozen=True, kw_only=True)
class Delta(Contract):
    """What one run adds to what stands; undone by taking away exactly that.

    created: the run creates the policy. endpoint_ids, targets: what it adds to the list and attaches.
    frame_before: our statements as they were (without endpoints) when the run changes them; None: there were none.
    frame_after: their meaning after the change; "" when the run leaves them as they are.
    wanted_endpoint_ids, wanted_targets: all that the run relies on, whoever put it there.
    """

    created: bool = False
    endpoint_ids: list[str] = field(default_factory=list)
    targets: list[str] = field(default_factory=list)
    frame_before: list[dict[str, Any]] | None = None
    frame_after: str = ""
    wanted_endpoint_ids: list[str] = field(default_factory=list)
    wanted_targets: list[str] = field(default_factory=list)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to undo."""
        return not (self.binds or self.endpoint_ids)

    @property
    def binds(self) -> bool:
        """Whether it refuses anybody who was let in before; more endpoints alone do not."""
        return bool(self.created or self.targets or self.frame_after)


@dataclass(frozen=True, kw_only=True)
class Marker:
    """A run that has not ended yet, or died. time: UTC, ISO 8601. phase: whether it locks or is being undone."""

    run_id: str
    time: str
    delta: Delta
    phase: Phase = "pending"

    def age(self, now: datetime) -> float:
        """Seconds since it was written."""
        return (now - parse_timestamp(self.time)).total_seconds()

    def to_json(self) -> dict[str, Any]:
        """What a module returns of it."""
        return {
            "run_id": self.run_id,
            "time": self.time,
            "phase": self.phase,
            "delta": self.delta.to_json(),
        }


def to_tags(marker: Marker) -> dict[str, str]:
    """The tags that hold a marker."""
    slug = _slug(marker.run_id)
    packed = zlib.compress(
        canonical_json({"run_id": marker.run_id, "delta": marker.delta.to_json()}).encode(), 9
    )
    whole = base64.urlsafe_b64encode(packed).decode()
    pieces = [whole[start : start + _PIECE] for start in range(0, len(whole), _PIECE)]
    return {
        f"{PENDING}{slug}": f"{marker.time} {marker.phase} {len(pieces)}",
        **{f"{DELTA}{slug}:{index}": piece for index, piece in enumerate(pieces)},
    }


def from_tags(tags: Mapping[str, str]) -> list[Marker]:
    """The markers among a policy's tags, oldest first. EndpointError when one cannot be read."""
    found = [_read(key.removeprefix(PENDING), tags) for key in tags if key.startswith(PENDING)]
    return sorted(found, key=lambda marker: (marker.time, marker.run_id))


def keys_of(run_id: str, tags: Mapping[str, str]) -> set[str]:
    """The keys, among these tags, that belong to a run's marker."""
    slug = _slug(run_id)
    return {key for key in tags if key == f"{PENDING}{slug}" or key.startswith(f"{DELTA}{slug}:")}


def marker_keys(tags: Iterable[str]) -> set[str]:
    """All keys of all markers, readable or not."""
    return {key for key in tags if key.startswith((PENDING, DELTA))}


def _read(slug: str, tags: Mapping[str, str]) -> Marker:
    try:
        time, phase, count = tags[f"{PENDING}{slug}"].split(" ")
        parse_timestamp(time)
        whole = "".join(tags[f"{DELTA}{slug}:{index}"] for index in range(int(count)))
        document = json.loads(zlib.decompress(base64.urlsafe_b64decode(whole)))
        if phase not in ("pending", "undoing"):
            raise ValueError(f"phase {phase}")
        return Marker(
            run_id=document["run_id"],
            time=time,
            phase="undoing" if phase == "undoing" else "pending",
            delta=Delta.from_json(document["delta"]),
        )
    except (KeyError, ValueError, zlib.error) as error:
        raise EndpointError(
            f"the marker of a run that did not end cannot be read: {error}",
            resource=f"tag {PENDING}{slug}",
            fix="Unlock with state: unlocked and without vpc_endpoint_ids, which needs no marker",
        ) from error


def _slug(run_id: str) -> str:
    """The run's id where it fits into a tag key, else a digest of it."""
    if _PLAIN.fullmatch(run_id):
        return run_id
    return hashlib.sha256(run_id.encode()).hexdigest()[:24]
