# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sealed bundle: plan, evidence, observations and decisions of a run, in a chain of hashes.

Each entry's link covers its content and the link before it, and the last link is the seal. Whoever changes, removes,
adds or moves an entry breaks the chain at that place. Whoever makes the whole chain anew gets another seal: keep the
seal apart (the report and the run's output name it) and give it when the bundle is opened.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from .canonical import digest
from .contracts import SCHEMA_VERSION
from .errors import EndpointError, refuse

KIND: Final = "bundle"
# What the link before the first entry is.
_START: Final = "sha256:" + "0" * 64
_ENTRY: Final = ("index", "kind", "name", "content", "sha256", "previous", "link")
_FIX: Final = "Use the bundle as it was written; one that was changed proves nothing"


@dataclass(frozen=True, kw_only=True)
class Item:
    """What goes into a bundle. kind: header, plan, evidence, observations, request or decision. name: for people."""

    kind: str
    name: str
    content: Any


def seal(items: Iterable[Item]) -> dict[str, Any]:
    """The bundle: `{schema_version, kind, entries, seal}`."""
    entries: list[dict[str, Any]] = []
    previous = _START
    for index, item in enumerate(items):
        entry = {
            "index": index,
            "kind": item.kind,
            "name": item.name,
            "sha256": digest(item.content),
            "previous": previous,
        }
        previous = _link(entry)
        entries.append({**entry, "content": item.content, "link": previous})
    return {
        "schema_version": SCHEMA_VERSION,
        "kind": KIND,
        "entries": entries,
        "seal": previous,
    }


def opened(bundle: Mapping[str, Any], expected_seal: str | None = None) -> list[Item]:
    """The entries of a bundle that nobody changed; EndpointError names every entry that was tampered with.

    expected_seal: what the report of the run says; it alone shows that the whole bundle was not made anew.
    """
    problems = _shape(bundle)
    refuse(problems, "this is no bundle that can be read")
    entries = bundle["entries"]
    found = [*_tampered(entries), *_ends(bundle, entries, expected_seal)]
    if found:
        raise EndpointError(
            "the bundle was tampered with", resource="bundle", fix=_FIX, problems=tuple(found)
        )
    return [Item(kind=item["kind"], name=item["name"], content=item["content"]) for item in entries]


def _link(entry: Mapping[str, Any]) -> str:
    return digest({key: entry[key] for key in ("index", "kind", "name", "sha256", "previous")})


def _shape(bundle: Any) -> list[str]:
    if not isinstance(bundle, Mapping) or bundle.get("kind") != KIND:
        return ["bundle: is not a sealed bundle. Pass the bundle.json of a run"]
    if bundle.get("schema_version") != SCHEMA_VERSION:
        return [
            f"bundle: has schema_version {bundle.get('schema_version')}, this release reads {SCHEMA_VERSION}"
        ]
    entries = bundle.get("entries")
    if not isinstance(entries, Sequence) or isinstance(entries, str) or not entries:
        return ["bundle: holds no entries"]
    return [
        f"bundle: entry {place} lacks {', '.join(lacking)}"
        for place, entry in enumerate(entries)
        if (
            lacking := [key for key in _ENTRY if not isinstance(entry, Mapping) or key not in entry]
        )
    ]


def _tampered(entries: Sequence[Mapping[str, Any]]) -> list[str]:
    problems = []
    previous = _START
    for place, entry in enumerate(entries):
        named = f"entry {place} ({entry['kind']} {entry['name']})"
        if entry["index"] != place:
            problems.append(
                f"{named} says that it is entry {entry['index']}: an entry was removed, added or moved before it"
            )
        elif entry["previous"] != previous:
            problems.append(f"{named} does not follow the entry before it, which was exchanged")
        if entry["sha256"] != digest(entry["content"]):
            problems.append(f"{named}: its content was changed")
        if entry["link"] != _link(entry):
            problems.append(f"{named}: its name, kind, digest or place was changed")
        previous = entry["link"]
    return problems


def _ends(
    bundle: Mapping[str, Any], entries: Sequence[Mapping[str, Any]], expected: str | None
) -> list[str]:
    problems = []
    if bundle.get("seal") != entries[-1]["link"]:
        problems.append(
            "the seal is not the link of the last entry: entries at the end were removed or added"
        )
    if expected and bundle.get("seal") != expected:
        problems.append(
            f"the seal is {bundle.get('seal')} and not {expected}: this is another bundle, or was made anew"
        )
    return problems
