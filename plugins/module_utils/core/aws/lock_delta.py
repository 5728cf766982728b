# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What stands in the organisation about one lock, and the deltas that change it.

A lock is changed by adding to what stands, and undone by taking away exactly what was added: never by writing back an
old copy, which would lose what other runs did meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..contracts import Step
from . import scp
from .pending import MANAGED, PENDING, Delta, marker_keys


@dataclass(frozen=True, kw_only=True)
class Standing:
    """One policy by its name, as the organisation shows it.

    document: None when there is no such policy, or, in a plan, when it is to be deleted.
    targets: roots, units and accounts that it is attached to.
    policy_type: of service control policies at the root: ENABLED, PENDING_ENABLE, or DISABLED.
    arn: "" when there is no such policy.
    """

    name: str
    policy_id: str | None = None
    document: scp.Document | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    targets: frozenset[str] = frozenset()
    policy_type: str = "ENABLED"
    arn: str = ""

    @property
    def managed(self) -> bool:
        """Whether this collection created the policy."""
        return self.tags.get(MANAGED) == "true"

    @property
    def endpoint_ids(self) -> frozenset[str]:
        """The endpoints in our statements' list."""
        return self.document.endpoint_ids if self.document else frozenset()

    @property
    def frame(self) -> tuple[scp.Statement, ...] | None:
        """Our statements without endpoints."""
        return self.document.frame if self.document else None


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What one run wants to stand."""

    rules: scp.Rules
    endpoint_ids: frozenset[str]
    targets: frozenset[str]


def want(standing: Standing, wanted: Wanted) -> Standing:
    """Merge a run's wishes into what stands; what others put there stays."""
    document = standing.document or scp.Document()
    frame = scp.frame(wanted.rules)
    if scp.same_frame(document.frame, frame):
        frame = document.frame or frame
    tags = dict(standing.tags)
    if standing.document is None:
        tags[MANAGED] = "true"
    return replace(
        standing,
        document=replace(
            document, frame=frame, endpoint_ids=document.endpoint_ids | wanted.endpoint_ids
        ),
        targets=standing.targets | wanted.targets,
        tags=tags,
        policy_type="ENABLED",
    )


def difference(before: Standing, after: Standing, wanted: Wanted) -> Delta:
    """What `after` has more than `before`, and what to go back to."""
    frame_changed = not scp.same_frame(before.frame, after.frame)
    return Delta(
        created=before.document is None and after.document is not None,
        endpoint_ids=sorted(after.endpoint_ids - before.endpoint_ids),
        targets=sorted(after.targets - before.targets),
        frame_before=list(before.frame) if frame_changed and before.frame else None,
        frame_after=scp.meaning(after.frame) if frame_changed else "",
        wanted_endpoint_ids=sorted(wanted.endpoint_ids),
        wanted_targets=sorted(wanted.targets),
    )


def undo(standing: Standing, delta: Delta, others: Iterable[Delta] = ()) -> Standing:
    """Take a delta away from what stands now.

    others: deltas of runs that are still pending. Endpoints that they rely on stay in the list: taking them out would
    lock callers out. What is no longer there, or was changed again by someone, is left alone.
    """
    document = standing.document
    if document is None:
        return standing
    others = list(others)
    kept = {item for other in others for item in other.wanted_endpoint_ids}
    frame = document.frame
    if delta.frame_before and scp.meaning(frame) == delta.frame_after:
        frame = tuple(delta.frame_before)
    left = replace(
        standing,
        document=replace(
            document,
            frame=frame,
            endpoint_ids=document.endpoint_ids - (frozenset(delta.endpoint_ids) - kept),
        ),
        targets=standing.targets - frozenset(delta.targets),
    )
    return _ended(left, document, unused=delta.created and not left.targets and not others)


def remove(standing: Standing, endpoint_ids: frozenset[str]) -> Standing:
    """Take endpoints out of the list; with none left, the lock ends everywhere, since it would refuse everybody."""
    document = standing.document
    if document is None:
        return standing
    left = replace(document, endpoint_ids=document.endpoint_ids - endpoint_ids)
    return _ended(replace(standing, document=left), document)


def release(standing: Standing, targets: frozenset[str]) -> Standing:
    """Detach from targets; a policy that is then attached nowhere ends."""
    if standing.document is None:
        return standing
    left = replace(standing, targets=standing.targets - targets)
    return _ended(left, standing.document, unused=not left.targets)


def _ended(standing: Standing, original: scp.Document, *, unused: bool = False) -> Standing:
    """What remains of a policy that lost endpoints or targets: without endpoints it would refuse everybody."""
    document = standing.document or original
    if document.frame is None or (document.endpoint_ids and not unused):
        return standing
    tags = _unmarked(standing.tags)
    if document.foreign:
        # Somebody else's policy, or one that somebody added to: only our statements go.
        bare = replace(document, frame=None, endpoint_ids=frozenset())
        return replace(standing, document=bare, tags=tags)
    if not standing.managed:
        # Not ours to delete, and a policy cannot be empty: it stays as it was, attached nowhere.
        return replace(standing, document=original, targets=frozenset(), tags=tags)
    return replace(standing, document=None, targets=frozenset(), tags={})


def _unmarked(tags: Mapping[str, str]) -> dict[str, str]:
    gone = marker_keys(tags)
    return {key: value for key, value in tags.items() if key not in gone}


def steps(before: Standing, after: Standing, *, conditional_on: str | None = None) -> list[Step]:
    """The changes that lead from one to the other, in the order of their effect."""
    found = [
        *_type_steps(before, after),
        *_policy_steps(before, after),
        *_attachment_steps(before, after),
        *_marker_steps(before, after),
    ]
    if conditional_on is None:
        return found
    return [replace(step, conditional_on=conditional_on) for step in found]


def _type_steps(before: Standing, after: Standing) -> list[Step]:
    if before.policy_type == after.policy_type or after.document is None:
        return []
    return [
        Step(
            resource="policy type SERVICE_CONTROL_POLICY",
            action="update",
            before={"status": before.policy_type},
            after={"status": after.policy_type},
        )
    ]


def _policy_steps(before: Standing, after: Standing) -> list[Step]:
    old, new = _attributes(before), _attributes(after)
    resource = f"service control policy {before.name}"
    if not old or not new:
        if old == new:
            return []
        return [
            Step(resource=resource, action="create" if new else "delete", before=old, after=new)
        ]
    differing = sorted(key for key in {*old, *new} if old.get(key) != new.get(key))
    if not differing:
        return []
    return [
        Step(
            resource=resource,
            action="update",
            before={key: old.get(key) for key in differing},
            after={key: new.get(key) for key in differing},
        )
    ]


def _attributes(standing: Standing) -> dict[str, Any]:
    document = standing.document
    if document is None:
        return {}
    rules = scp.rules_of(document.frame)
    # Edited by hand, or none of ours: shown as it is.
    described = rules.describe() if rules else {"statements": list(document.frame or ())}
    return {**described, "vpc_endpoint_ids": sorted(document.endpoint_ids)}


def _attachment_steps(before: Standing, after: Standing) -> list[Step]:
    return [
        Step(
            resource=f"attachment of {before.name} to {target}",
            action="create" if target in after.targets else "delete",
            before={} if target in after.targets else {"attached": True},
            after={"attached": True} if target in after.targets else {},
        )
        for target in sorted(before.targets ^ after.targets)
    ]


def _marker_steps(before: Standing, after: Standing) -> list[Step]:
    def runs(standing: Standing) -> list[str]:
        return sorted(key.removeprefix(PENDING) for key in standing.tags if key.startswith(PENDING))

    old, new = runs(before), runs(after)
    if _markers(before) == _markers(after) or after.document is None:
        return []
    return [
        Step(
            resource=f"pending marker of {before.name}",
            action="update" if old and new else ("create" if new else "delete"),
            before={"runs": old} if old else {},
            after={"runs": new} if new else {},
        )
    ]


def _markers(standing: Standing) -> dict[str, str]:
    return {key: standing.tags[key] for key in marker_keys(standing.tags)}
