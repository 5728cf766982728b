# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What to change of an account so that its lock stands, is sealed, or is gone."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from ..errors import EndpointError
from ..proof import timestamp
from .arm_id import key
from .lock_record import Record, Run, from_tags, with_record
from .lock_settings import ALLOW, DENY, DISABLED, ENABLED, Delta, Settings, difference
from .lock_standing import Standing


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a lock is to set; None leaves a setting as it stands."""

    public_network_access: str = DISABLED
    bypass: str | None = None
    ip_rules: tuple[str, ...] | None = None
    disable_local_auth: bool | None = None
    restrict_outbound_network_access: bool | None = None
    allowed_fqdns: tuple[str, ...] | None = None

    def of(self, settings: Settings) -> Settings:
        """The settings with these wishes."""
        wishes = {
            "bypass": self.bypass,
            "ip_rules": self.ip_rules,
            "disable_local_auth": self.disable_local_auth,
            "restrict_outbound_network_access": self.restrict_outbound_network_access,
            "allowed_fqdns": self.allowed_fqdns,
        }
        stated: dict[str, Any] = {
            name: value for name, value in wishes.items() if value is not None
        }
        return replace(
            settings,
            public_network_access=self.public_network_access,
            default_action=DENY,
            **stated,
        )


@dataclass(frozen=True, kw_only=True)
class LockPlan:
    """From what stands to what is to stand. run: the marker that stands afterwards. delta: what is made or undone."""

    start: Standing
    desired: Standing
    run: Run | None = None
    delta: Delta = field(default_factory=Delta)
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The result's `delta`: whom it refuses that was let in, and the values from before."""
        narrower = self.desired.settings.narrower_than(self.delta.undo(self.desired.settings))
        changes = self.delta.to_json()
        return {
            "targets": [self.start.account_id] if self.run and narrower else [],
            "previous": {name: pair[0] for name, pair in changes.items()},
            "made": {name: pair[1] for name, pair in changes.items()},
        }


def lock(start: Standing, wanted: Wanted, *, run_id: str, now: datetime) -> LockPlan:
    """Close the account.

    The marker of another run is of one that died, or is at work on the same account: what it changed becomes part of
    this run's delta, so that undoing this run goes back to before both.
    """
    record = from_tags(start.tags)
    other = record.run
    base = other.delta.undo(start.settings) if other else start.settings
    desired = wanted.of(base)
    delta = difference(base, desired)
    run = None
    if not delta.empty:
        run = Run(run_id=run_id, time=timestamp(now), delta=delta)
        if other and (other.run_id, other.delta) == (run_id, delta):
            run = other
    return _plan(
        start,
        desired,
        replace(record, run=run),
        run=run,
        delta=delta,
        notes=(f"resumed: {other} did not end",) if other and other.run_id != run_id else (),
    )


def seal(start: Standing, *, run_id: str | None) -> LockPlan:
    """Clear the run's marker, after making sure that what it changed still stands; the previous values stay."""
    record = from_tags(start.tags)
    run = record.run
    if run is None:
        return LockPlan(start=start, desired=start)
    if run_id is not None and run.run_id != run_id:
        return LockPlan(
            start=start, desired=start, run=run, notes=(f"{run} has not sealed this lock",)
        )
    gone = run.delta.missing_in(start.settings)
    if gone:
        raise EndpointError(
            "the lock does not stand as it was made, so it is not sealed: others changed "
            + ", ".join(gone),
            resource=start.resource,
            fix="Find out who changed it, and lock again",
        )
    return _plan(start, start.settings, Record(kept=record.total), delta=run.delta)


def unlock(start: Standing, *, run_id: str | None, open_all: bool = False) -> LockPlan:
    """Undo a run by its marker; or, without a run, open what this collection closed, sealed or not.

    What others changed since stays. open_all: open an account also where nothing is kept of how it was before.
    """
    if run_id is not None:
        record = from_tags(start.tags)
        if record.run is None or record.run.run_id != run_id:
            note = f"run {run_id} left no pending marker: it changed nothing, or is sealed"
            return LockPlan(start=start, desired=start, run=record.run, notes=(note,))
        return _undone(start, record)
    try:
        record = from_tags(start.tags)
    except EndpointError as error:
        return _opened(start, (f"{error.message} Opened to every network.",))
    if record.total.empty:
        return _opened(start, ()) if open_all else _as_it_is(start)
    desired = record.total.undo(start.settings)
    notes: tuple[str, ...] = ()
    if not desired.open:
        notes = (f"{start.resource} stays closed: it was so before, or others closed it since",)
    return _plan(start, desired, Record(), delta=record.total, notes=notes)


def recover(
    start: Standing, *, run_id: str | None, now: datetime, pending_timeout: float
) -> LockPlan:
    """Undo what a run that did not end has closed; one younger than `pending_timeout` seconds may be at work."""
    record = from_tags(start.tags)
    run = record.run
    if run is None or run.run_id == run_id:
        return LockPlan(start=start, desired=start, run=run)
    if run.age(now) < pending_timeout:
        note = f"left alone: {run} is younger than {pending_timeout:g} s, and may be at work"
        return LockPlan(start=start, desired=start, run=run, notes=(note,))
    made = _undone(start, record)
    return replace(made, notes=(f"undone: {run} did not end",))


def restore(start: Standing) -> LockPlan:
    """Write back exactly the values from before this collection's first change, whoever changed them since."""
    total = from_tags(start.tags).total
    if total.empty:
        note = f"nothing is kept with {start.resource}: it is not locked by this collection"
        return LockPlan(start=start, desired=start, notes=(note,))
    return _plan(start, total.before(start.settings), Record(), delta=total)


def scope_id(account_id: str) -> str:
    """What a scope of this cloud is called: the account that its lock binds."""
    return key(account_id)


def _undone(start: Standing, record: Record) -> LockPlan:
    delta = record.run.delta if record.run else Delta()
    return _plan(start, delta.undo(start.settings), replace(record, run=None), delta=delta)


def _opened(start: Standing, notes: tuple[str, ...]) -> LockPlan:
    desired = replace(start.settings, public_network_access=ENABLED, default_action=ALLOW)
    delta = difference(start.settings, desired)
    return _plan(start, desired, Record(), delta=delta, notes=notes)


def _as_it_is(start: Standing) -> LockPlan:
    notes: tuple[str, ...] = ()
    if not start.settings.open:
        notes = (
            f"{start.resource} is closed, but not by this collection, so it stays closed. "
            "Say public_network_access: Enabled to open it all the same",
        )
    return LockPlan(start=start, desired=start, notes=notes)


def _plan(
    start: Standing,
    settings: Settings,
    record: Record,
    *,
    run: Run | None = None,
    delta: Delta,
    notes: tuple[str, ...] = (),
) -> LockPlan:
    desired = replace(start, settings=settings, tags=with_record(start.tags, record))
    return LockPlan(start=start, desired=desired, run=run, delta=delta, notes=notes)
