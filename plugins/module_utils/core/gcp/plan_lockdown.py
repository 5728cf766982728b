# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What to change of a perimeter so that its lock stands, in the dry run or enforced, is sealed, or is gone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from ..errors import EndpointError
from ..proof import timestamp
from . import org_policies
from .lock_record import FOLDED, MADE, Delta, Record, Run, from_description, text_of, with_record
from .lock_standing import Standing
from .perimeter import LISTS, Additions, added, digest, lacking, merge, same, take

DRY_RUN, ENFORCED = "dry_run", "enforced"
VERTEX = "aiplatform.googleapis.com"


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a lock is to add, and where.

    title: of a perimeter that has to be made. policies: parts of organisation policies, by `NAME PART`.
    """

    additions: Additions
    roll_out: str = ENFORCED
    title: str = ""
    policies: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class LockPlan:
    """From what stands to what is to stand. run: the marker that stands afterwards. delta: what is made or undone."""

    start: Standing
    desired: Standing
    run: Run | None = None
    delta: Delta = field(default_factory=Delta)
    notes: tuple[str, ...] = ()

    @property
    def refuses(self) -> bool:
        """Whether somebody may be refused who was let in before."""
        return self.delta.status.narrows or org_policies.enforces(self.delta.policies)

    def to_json(self) -> dict[str, Any]:
        """The result's `delta`: whom it refuses that was let in, what stood before, and what was added."""
        with_it = self.desired if self.run else self.start
        before = {
            part: _touched(getattr(self.delta, part), getattr(with_it, part) or {})
            for part in ("status", "spec")
        }
        return {
            "targets": [self.start.name] if self.run and self.refuses else [],
            "previous": {part: values for part, values in before.items() if values},
            "made": self.delta.to_json(),
        }


def lock(start: Standing, wanted: Wanted, *, run_id: str, now: datetime) -> LockPlan:
    """Add to what stands.

    The enforced configuration gets the additions and nothing else of the dry run's, which may hold what other teams
    plan. Their dry run gets the same additions, since without them it would end the lock when it is enforced one day.
    A dry run that only this collection made ends when all of it is enforced.

    The marker of another run is of one that died, or is at work on the same perimeter: what it added stays and becomes
    part of this run's delta, so that undoing this run goes back to before both.
    """
    record = from_description(start.description)
    other = record.run
    status, spec = _with(start, wanted, record)
    before = start.spec if start.spec is not None else start.status
    policies, changes = org_policies.put(start.policies, wanted.policies)
    step = Delta(
        created=not start.exists,
        status=added(start.status, status),
        # Where our own dry run ends, what it lacked of what is enforced now: so it can come back as it was.
        spec=added(before, status if spec is None and start.spec is not None else spec or before),
        dry_run=_word(start, spec),
        policies=changes,
    )
    if step.to_json() == {"created": True}:
        step = Delta()
    delta = other.delta.then(step) if other else step
    run = None
    if not delta.empty:
        run = Run(run_id=run_id, time=timestamp(now), delta=delta)
        if other and (other.run_id, other.delta.to_json()) == (run_id, delta.to_json()):
            run = other
    desired = replace(
        start,
        exists=start.exists or not step.empty,
        title=start.title or wanted.title or start.short,
        status=status,
        spec=spec,
        policies=policies,
    )
    return _plan(
        start,
        desired,
        Record(kept=record.kept, run=run),
        run=run,
        delta=delta,
        notes=(f"resumed: {other} did not end",) if other and other.run_id != run_id else (),
    )


def _with(
    start: Standing, wanted: Wanted, record: Record
) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """status and spec with the additions."""
    status = dict(start.status)
    spec = None if start.spec is None else merge(start.spec, wanted.additions)
    if wanted.roll_out == DRY_RUN:
        planned = merge(start.status, wanted.additions)
        if spec is None and not same(planned, start.status):
            spec = planned
        return status, spec
    status = merge(start.status, wanted.additions)
    if (
        start.spec is not None
        and spec is not None
        and record.total.dry_run == MADE
        and (same(spec, status) or _untouched(start, record, wanted))
    ):
        spec = None
    return status, spec


def _untouched(start: Standing, record: Record, wanted: Wanted) -> bool:
    """Whether the dry run is as this collection made it, and all that it plans is enforced by this lock."""
    if start.spec is None or not record.spec or digest(start.spec) != record.spec:
        return False
    return not lacking(merge(start.status, wanted.additions), record.total.spec)


def _word(start: Standing, spec: Any) -> str:
    if (start.spec is None) == (spec is None):
        return ""
    return FOLDED if spec is None else MADE


def seal(start: Standing, *, run_id: str | None, services: tuple[str, ...] = ()) -> LockPlan:
    """Clear the run's marker, after making sure that what it added still stands; what to undo stays.

    services: those that the lock enforces, so that one that another run undid is not taken for one that is sealed.
    """
    record = from_description(start.description)
    run = record.run
    if run is None:
        open_again = set(services) - set(start.status.get("restrictedServices") or ())
        if run_id is not None and record.empty and open_again:
            raise EndpointError(
                f"nothing is left of the lock of run {run_id}, so it is not sealed: another run undid it",
                resource=start.resource,
                fix="Let no two runs lock one perimeter at once, and run again",
            )
        return LockPlan(start=start, desired=start)
    if run_id is not None and run.run_id != run_id:
        return LockPlan(
            start=start, desired=start, run=run, notes=(f"{run} has not sealed this lock",)
        )
    gone = lacking(start.status, run.delta.status)
    if run.delta.dry_run != FOLDED:
        gone += lacking(start.spec or {}, run.delta.spec)
    gone += org_policies.lacking(start.policies, run.delta.policies)
    if gone:
        raise EndpointError(
            "the lock does not stand as it was made, so it is not sealed: others took away "
            + ", ".join(gone),
            resource=start.resource,
            fix="Find out who changed it, and lock again",
        )
    return _plan(start, start, Record(kept=record.total), delta=run.delta)


def unlock(start: Standing, *, run_id: str | None, services: tuple[str, ...] = ()) -> LockPlan:
    """Undo a run by its marker; or, without a run, take out what this collection added, sealed or not.

    What others changed since stays. services: those that are no longer restricted also where nothing is kept of how
    the perimeter was before, or where that cannot be read.
    """
    if run_id is not None:
        record = from_description(start.description)
        if record.run is None or record.run.run_id != run_id:
            note = f"run {run_id} left no pending marker: it changed nothing, or is sealed"
            return LockPlan(start=start, desired=start, run=record.run, notes=(note,))
        return _undone(start, record)
    try:
        record = from_description(start.description)
    except EndpointError as error:
        return _opened(
            start, services or (VERTEX,), (f"{error.message} It restricts them no longer.",)
        )
    if record.empty:
        return _opened(start, services, ()) if services else _as_it_is(start)
    made = _all_undone(start, record)
    left = [
        item for item in services if item in (made.desired.status.get("restrictedServices") or ())
    ]
    if left:
        opened = _opened(made.desired, tuple(left), ())
        return replace(opened, start=start, delta=record.total)
    return made


def recover(
    start: Standing, *, run_id: str | None, now: datetime, pending_timeout: float
) -> LockPlan:
    """Undo what a run that did not end has added; one younger than `pending_timeout` seconds may be at work."""
    record = from_description(start.description)
    run = record.run
    if run is None or run.run_id == run_id:
        return LockPlan(start=start, desired=start, run=run)
    if run.age(now) < pending_timeout:
        note = f"left alone: {run} is younger than {pending_timeout:g} s, and may be at work"
        return LockPlan(start=start, desired=start, run=run, notes=(note,))
    made = _undone(start, record)
    return replace(made, notes=(f"undone: {run} did not end",))


def restore(start: Standing) -> LockPlan:
    """Take out what this collection added, and end the dry run that it made also where others changed it since."""
    record = from_description(start.description)
    if record.empty:
        note = f"nothing is kept with {start.resource}: it is not locked by this collection"
        return LockPlan(start=start, desired=start, notes=(note,))
    return _all_undone(start, record, whole=True)


def _undone(start: Standing, record: Record) -> LockPlan:
    """Without the run that has not ended."""
    delta = record.run.delta if record.run else Delta()
    return _plan(start, _without(start, delta, record), Record(kept=record.kept), delta=delta)


def _all_undone(start: Standing, record: Record, *, whole: bool = False) -> LockPlan:
    """Without anything of ours. whole: also without a dry run of ours that others changed."""
    total = record.total
    desired = _without(start, total, record)
    if whole and total.dry_run == MADE:
        desired = replace(desired, spec=None)
    notes: tuple[str, ...] = ()
    if desired.exists and VERTEX in (desired.status.get("restrictedServices") or ()):
        notes = (f"{start.resource} still restricts {VERTEX}: it did so before, or others made it",)
    return _plan(start, desired, Record(), delta=total, notes=notes)


def _without(start: Standing, delta: Delta, record: Record) -> Standing:
    """What stands, without a delta. A perimeter that it made and that holds nothing else is gone."""
    start = replace(start, policies=org_policies.undo(start.policies, delta.policies))
    status, spec = take(start.status, delta.status), start.spec
    if delta.dry_run == FOLDED:
        # It was in the dry run before: there it is again. A dry run that others have begun since stays.
        spec = take(start.status, delta.spec) if spec is None else spec
    elif spec is not None:
        gone = delta.spec if delta.dry_run != MADE else delta.spec.plus(delta.status)
        left = take(spec, gone)
        ours = bool(record.spec) and digest(spec) == record.spec
        spec = None if delta.dry_run == MADE and (ours or same(left, status)) else left
    nothing = not any(status.values()) and not any((spec or {}).values())
    if delta.created and nothing and not text_of(start.description).strip():
        return replace(start, exists=False, status={}, spec=None, description="")
    return replace(start, status=status, spec=spec)


def _opened(start: Standing, services: tuple[str, ...], notes: tuple[str, ...]) -> LockPlan:
    """These services are restricted no longer, whoever restricted them."""
    gone = Additions(services=services)
    desired = replace(
        start,
        status=take(start.status, gone),
        spec=None if start.spec is None else take(start.spec, gone),
    )
    delta = Delta(status=added(desired.status, start.status))
    return _plan(start, desired, Record(), delta=delta, notes=notes)


def _as_it_is(start: Standing) -> LockPlan:
    notes: tuple[str, ...] = ()
    restricted = start.status.get("restrictedServices") or ()
    if VERTEX in restricted:
        notes = (
            f"{start.resource} restricts {VERTEX}, but not by this collection, or its description was replaced, so it "
            f"stays. Say restricted_services: [{VERTEX}] to take it out all the same",
        )
    return LockPlan(start=start, desired=start, notes=notes)


def _touched(additions: Additions, config: Any) -> dict[str, Any]:
    """The fields of a configuration that additions touch, without them."""
    before = take(config, additions)
    return {
        LISTS[name]: list(before.get(LISTS[name]) or ())
        for name in LISTS
        if getattr(additions, name)
    }


def _plan(
    start: Standing,
    desired: Standing,
    record: Record,
    *,
    run: Run | None = None,
    delta: Delta,
    notes: tuple[str, ...] = (),
) -> LockPlan:
    if desired.exists:
        ours = desired.spec is not None and record.total.dry_run == MADE
        kept = _digest_kept(start, desired) if ours else ""
        record = replace(record, spec=kept)
        desired = replace(desired, description=with_record(start.description, record))
    return LockPlan(start=start, desired=desired, run=run, delta=delta, notes=notes)


def _digest_kept(start: Standing, desired: Standing) -> str:
    """The digest of the dry run as this collection leaves it; the old one where it leaves it as it is."""
    if start.spec == desired.spec and start.exists:
        return from_description(start.description).spec
    before = from_description(start.description).spec
    if start.spec is not None and before and digest(start.spec) != before:
        # Others have put something into it: it stays known as touched.
        return before
    return digest(desired.spec or {})
