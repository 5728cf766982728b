# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plan the way back of the DNS phase: switch back what one run did, or take away all that this collection made.

Names leave a network before their records do, so that they fall through to what answered before, and never to nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from .plan_dns import ordered
from .plan_dns_done import Done
from .plan_dns_types import ADDRESS_TYPES, Change, Entry, Holder, View, Wanted


def restored(view: View, done: Done) -> list[Change]:
    """What a run did, the other way round, as far as it still stands."""
    found = []
    for change in done.changes.values():
        now = view.get(change.id)
        if now is None or change.after is None:
            continue
        if change.before is None and now.run != done.run:
            # Made anew by somebody since.
            continue
        after = _back(now, change.before, change.after)
        if after != now:
            found.append(Change(before=now, after=after))
    return found


def _back(now: Holder, before: Holder | None, made: Holder) -> Holder | None:
    """A zone or policy as it is now, without what was made of it."""
    joined = set(made.networks) - set(before.networks if before else ())
    networks = tuple(name for name in now.networks if name not in joined)
    if before is None and networks:
        # Others have come to use it.
        return replace(now, networks=networks)
    entries = ordered(_entries(now, before, made))
    if before is None and not entries:
        return None
    return replace(now, networks=networks, entries=entries)


def _entries(now: Holder, before: Holder | None, made: Holder) -> list[Entry]:
    """Those of now, and those of before wherever there still is what was made in their place."""
    old = {item.key: item for item in (before.entries if before else None) or ()}
    new = {item.key: item for item in made.entries or ()}
    held = {item.key: item for item in now.entries or ()}
    changed = {key for key in {*old, *new} if old.get(key) != new.get(key)}
    # A name is switched back as a whole: its address and an alias cannot stand beside each other.
    touched = {item.name for key in changed for item in (old.get(key), new.get(key)) if item}
    standing = {
        name
        for name in touched
        if all(held.get(key) == new.get(key) for key in changed if _named(key, name, old, new))
    }
    kept = [item for key, item in held.items() if key not in changed or item.name not in standing]
    return kept + [old[key] for key in changed if key in old and old[key].name in standing]


def _named(key: str, name: str, old: dict[str, Entry], new: dict[str, Entry]) -> bool:
    return any(item.name == name for item in (old.get(key), new.get(key)) if item)


def absent(view: View, wanted: Wanted) -> list[Change]:
    """What this collection made for these networks, and nothing else."""
    found = []
    for holder in view.holders:
        after = _without(holder, wanted)
        if after != holder:
            found.append(Change(before=holder, after=after))
    return found


def staying(view: View, wanted: Wanted) -> list[Holder]:
    """What goes on answering for the hosts, since this collection did not make it."""
    return [
        item
        for item in view.holders
        if item.kind == "zone"
        and item.dns_name in wanted.hosts
        and not item.managed
        and item.leads != "public"
        and set(item.networks) & set(wanted.places)
    ]


def _without(holder: Holder, wanted: Wanted) -> Holder | None:
    gone = set(wanted.places)
    concerned = bool(gone & set(holder.networks)) or (
        # What a run left behind that died before it attached it.
        not holder.networks and holder.made_for in gone
    )
    if not concerned or holder.entries is None:
        return holder
    rest = tuple(name for name in holder.networks if name not in gone)
    if holder.kind == "policy":
        return _policy_without(holder, wanted, rest)
    if not holder.managed:
        return holder
    if rest:
        return replace(holder, networks=rest)
    others = _others(holder.entries, holder.dns_name)
    return replace(holder, networks=(), entries=ordered(others)) if others else None


def _policy_without(holder: Holder, wanted: Wanted, rest: tuple[str, ...]) -> Holder | None:
    if holder.managed and rest:
        return replace(holder, networks=rest)
    if rest:
        # Somebody's, and it answers elsewhere too: its rules are not for these networks alone.
        return holder
    others = [item for item in holder.entries or () if not item.key.startswith(f"{wanted.prefix}-")]
    if holder.managed and not others:
        return None
    return replace(holder, entries=ordered(others))


def _others(entries: Iterable[Entry], name: str) -> list[Entry]:
    """Entries of a zone that are not its own name's addresses."""
    return [
        item for item in entries if item.name != name or item.records[0].type not in ADDRESS_TYPES
    ]
