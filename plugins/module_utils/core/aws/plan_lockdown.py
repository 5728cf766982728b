# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What to change in the organisation so that a lock stands, is sealed, or is gone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from ..errors import EndpointError
from ..proof import timestamp
from . import scp
from .lock_checks import LockPlan
from .lock_delta import Standing, Wanted, difference, release, remove, undo, want
from .pending import Delta, Marker, from_tags, keys_of, marker_keys, to_tags


def lock(
    standing: Standing, wanted: Wanted, *, run_id: str, now: datetime, pending_timeout: float
) -> LockPlan:
    """Merge the run's wishes into what stands.

    A marker of the same targets with one of the same endpoints is of a run that died, or that this one repeats: its
    delta becomes part of this run's, so that undoing this run goes back to before both, and nothing that it put there
    gets lost. Another marker is undone when it is older than `pending_timeout` seconds, else it is of a run at work
    and is left alone.
    """
    markers = from_tags(standing.tags)
    mine = [each for each in markers if each.run_id == run_id or _same_scope(each, wanted)]
    added = [item for each in mine for item in each.delta.endpoint_ids]
    wanted = replace(wanted, endpoint_ids=wanted.endpoint_ids.union(added))
    dead = [each for each in markers if each not in mine and each.age(now) > pending_timeout]
    live = [each.delta for each in markers if each not in mine and each not in dead]
    base = standing
    for marker in reversed([*dead, *mine]):
        base = undo(base, marker.delta, live)
    desired = want(base, wanted)
    delta = difference(base, desired, wanted)
    tags = {
        key: standing.tags[key]
        for key in standing.tags
        if key not in _keys([*mine, *dead], standing)
    }
    if standing.document is None:
        tags.update(desired.tags)
    own: Marker | None = None
    if not delta.empty:
        own = _kept(mine, run_id, delta) or Marker(run_id=run_id, time=timestamp(now), delta=delta)
        tags.update(to_tags(own))
    return LockPlan(
        start=standing,
        desired=replace(desired, tags=tags),
        relied=wanted.endpoint_ids,
        marker=own,
        undone=tuple(dead),
        delta=delta,
        notes=(
            *(f"resumed: {_who(each)} did not end" for each in mine if each.run_id != run_id),
            *(f"undone: {_who(each)} did not end" for each in dead),
        ),
    )


def admit(standing: Standing, wanted: Wanted, *, run_id: str, now: datetime) -> LockPlan:
    """Let more endpoints through a lock that stands at the run's targets; nothing where none does.

    Until then the lock itself refuses whoever calls through them, so that nothing could be proved there. It cuts
    nobody off. The lock that follows takes the marker over.
    """
    unchanged = LockPlan(start=standing, desired=standing)
    if standing.frame is None or standing.document is None:
        return unchanged
    if not wanted.targets <= standing.targets or wanted.endpoint_ids <= standing.endpoint_ids:
        return unchanged
    ids = standing.endpoint_ids | wanted.endpoint_ids
    desired = replace(standing, document=replace(standing.document, endpoint_ids=ids))
    delta = difference(standing, desired, wanted)
    own = Marker(run_id=run_id, time=timestamp(now), delta=delta)
    return LockPlan(
        start=standing,
        desired=replace(desired, tags={**standing.tags, **to_tags(own)}),
        relied=wanted.endpoint_ids,
        marker=own,
        delta=delta,
    )


def _same_scope(marker: Marker, wanted: Wanted) -> bool:
    return set(
        marker.delta.wanted_targets
    ) == wanted.targets and not wanted.endpoint_ids.isdisjoint(marker.delta.wanted_endpoint_ids)


def seal(standing: Standing, *, run_id: str | None, targets: frozenset[str]) -> LockPlan:
    """Clear the run's marker, after making sure that its delta still stands.

    Endpoints that got lost meanwhile are put back. EndpointError when the policy, an attachment or the rules are gone.
    """
    markers = from_tags(standing.tags)
    if run_id is not None:
        mine = [each for each in markers if each.run_id == run_id]
    else:
        mine = [each for each in markers if set(each.delta.wanted_targets) == targets]
    notes = tuple(
        f"{_who(each)} has not sealed its part of this lock"
        for each in markers
        if each not in mine and set(each.delta.wanted_targets) == targets
    )
    _still_stands(standing, mine)
    relied = frozenset(item for each in mine for item in each.delta.wanted_endpoint_ids)
    desired = replace(
        standing,
        tags={key: standing.tags[key] for key in standing.tags if key not in _keys(mine, standing)},
    )
    if desired.document:
        ids = desired.document.endpoint_ids | relied
        desired = replace(desired, document=replace(desired.document, endpoint_ids=ids))
    return LockPlan(start=standing, desired=desired, relied=relied, notes=notes)


def unlock(
    standing: Standing,
    *,
    run_id: str | None,
    endpoint_ids: frozenset[str],
    targets: frozenset[str],
) -> LockPlan:
    """Undo a run by its marker; take endpoints out of the list; or, with none given, end the lock at the targets.

    A run that left no marker changed nothing, so there is nothing to undo. Ending the lock needs no readable marker.
    """
    if not endpoint_ids and not (run_id and keys_of(run_id, standing.tags)):
        return _end(standing, targets)
    markers = from_tags(standing.tags)
    if run_id is not None:
        mine = [each for each in markers if each.run_id == run_id]
        if not mine:
            return LockPlan(
                start=standing,
                desired=standing,
                notes=(f"run {run_id} left no pending marker: it changed nothing, or is sealed",),
            )
    else:
        mine = [each for each in markers if set(each.delta.wanted_endpoint_ids) <= endpoint_ids]
    others = [each.delta for each in markers if each not in mine]
    desired = standing
    for marker in reversed(mine):
        desired = undo(desired, marker.delta, others)
    desired = _unmark(desired, mine)
    if run_id is None:
        desired = remove(desired, endpoint_ids)
        notes = _left_behind(standing, desired, endpoint_ids)
    else:
        notes = _let_go(standing, desired, mine)
    return LockPlan(
        start=standing,
        desired=desired,
        undone=tuple(mine),
        delta=mine[-1].delta if mine else None,
        notes=notes,
    )


def recover(standing: Standing, targets: frozenset[str]) -> LockPlan:
    """Undo what runs that did not end bound at exactly these targets. What they only let through hurts nobody."""
    markers = from_tags(standing.tags)
    mine = [
        each for each in markers if set(each.delta.wanted_targets) == targets and each.delta.binds
    ]
    others = [each.delta for each in markers if each not in mine]
    desired = standing
    for marker in reversed(mine):
        desired = undo(desired, marker.delta, others)
    return LockPlan(
        start=standing,
        desired=_unmark(desired, mine),
        undone=tuple(mine),
        notes=tuple(f"undone: {_who(each)} did not end" for each in mine),
    )


def _end(standing: Standing, targets: frozenset[str]) -> LockPlan:
    released = targets or standing.targets
    desired = release(standing, released)
    if desired.document is not None and not marker_keys(desired.tags):
        return LockPlan(start=standing, desired=desired)
    if desired.document is None:
        return LockPlan(start=standing, desired=desired)
    gone = [
        each
        for each in from_tags(desired.tags)
        if set(each.delta.wanted_targets) <= released | (standing.targets - desired.targets)
    ]
    return LockPlan(start=standing, desired=_unmark(desired, gone))


def rebase(now: Standing, plan: LockPlan) -> Standing:
    """The plan's changes on top of what stands by now, with what other pending runs put there and someone lost.

    Two runs that read the same document and write one after the other would lose the first one's endpoints. Each reads
    again after its write, and puts back what a marker of another run says must be there.
    """
    start, desired = plan.start.document, plan.desired.document
    current = now.document
    if desired is None or current is None:
        return replace(now, document=desired)
    before = start or scp.Document()
    removed = before.endpoint_ids - desired.endpoint_ids
    added = (desired.endpoint_ids - before.endpoint_ids) | plan.relied
    own = {plan.marker.run_id} if plan.marker else set()
    lost = {
        item
        for each in from_tags(now.tags)
        if each.phase == "pending" and each.run_id not in own and each not in plan.undone
        for item in each.delta.endpoint_ids
    }
    keep_frame = scp.same_frame(before.frame, desired.frame) and not plan.relied
    merged = replace(
        current,
        frame=current.frame if keep_frame else desired.frame,
        endpoint_ids=((current.endpoint_ids - removed) | added | lost)
        if desired.frame
        else frozenset(),
    )
    return replace(now, document=merged)


def _still_stands(standing: Standing, markers: Iterable[Marker]) -> None:
    for marker in markers:
        gone = sorted(set(marker.delta.wanted_targets) - standing.targets)
        after = marker.delta.frame_after
        reasons = [f"it is no longer attached to {', '.join(gone)}"] if gone else []
        if after and scp.meaning(standing.frame) != after:
            reasons.append("its statements were changed by someone else")
        if marker.phase == "undoing":
            reasons.append("it is being undone")
        if reasons:
            raise EndpointError(
                "the lock does not stand as it was made, so it is not sealed: "
                + "; ".join(reasons),
                resource=f"service control policy {standing.name}",
                fix="Find out who changed it, and lock again",
            )


def _left_behind(
    standing: Standing, desired: Standing, endpoint_ids: frozenset[str]
) -> tuple[str, ...]:
    taken = sorted(standing.endpoint_ids & endpoint_ids)
    if not taken or desired.document is None or not desired.targets or not desired.endpoint_ids:
        return ()
    return (
        f"the lock still binds {', '.join(sorted(desired.targets))} to other endpoints: callers who used "
        f"{', '.join(taken)} are refused from now on",
    )


def _let_go(standing: Standing, desired: Standing, undone: Iterable[Marker]) -> tuple[str, ...]:
    """What others put into the same lock no longer counts where it is detached."""
    own = {item for each in undone for item in each.delta.wanted_endpoint_ids}
    others = sorted(standing.endpoint_ids - own)
    gone = sorted(standing.targets - desired.targets)
    if not others or not gone:
        return ()
    return (
        f"{', '.join(gone)} is unlocked for all, also where other runs locked it to {', '.join(others)}",
    )


def _kept(mine: list[Marker], run_id: str, delta: Delta) -> Marker | None:
    """This run's own marker from a task before, when it already says the same."""
    for marker in mine:
        if (marker.run_id, marker.delta, marker.phase) == (run_id, delta, "pending"):
            return marker
    return None


def _keys(markers: Iterable[Marker], standing: Standing) -> set[str]:
    return {key for marker in markers for key in keys_of(marker.run_id, standing.tags)}


def _unmark(standing: Standing, markers: Iterable[Marker]) -> Standing:
    gone = _keys(markers, standing)
    return replace(
        standing, tags={key: value for key, value in standing.tags.items() if key not in gone}
    )


def _who(marker: Marker) -> str:
    return f"run {marker.run_id} of {marker.time}"


def scope_id(targets: Iterable[str]) -> str:
    """What a scope of this cloud is called: the roots, units and accounts that its lock is attached to."""
    return ",".join(sorted(set(targets)))


def describe_binding(
    wanted: Wanted, management_account_id: str | None, organization_id: str | None
) -> dict[str, Any]:
    """How to tell whether a principal is bound. accounts is empty when not all targets are accounts."""
    accounts = sorted(wanted.targets) if all(item.isdigit() for item in wanted.targets) else []
    return {
        "organization_id": organization_id,
        "management_account_id": management_account_id,
        "accounts": accounts,
        "targets": sorted(wanted.targets),
        **wanted.rules.describe(),
    }
