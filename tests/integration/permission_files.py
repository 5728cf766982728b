# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files under permissions/: who holds which of them, whole or without one permission."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from .conftest import ROOT


@dataclass(frozen=True)
class Kept:
    """A file, and what a principal holds of it. where: the file's place, empty for a phase with one."""

    name: str
    phase: str
    where: str
    permissions: tuple[str, ...]


@dataclass(frozen=True)
class Holder:
    """What one principal holds. lacks: the file and the permission that was taken out of it."""

    phase: str
    files: tuple[Kept, ...]
    lacks: tuple[str, str] | None = None


def index(cloud: str) -> dict[str, dict[str, Any]]:
    """index.yml's files by name."""
    files: dict[str, dict[str, Any]] = yaml.safe_load(
        (ROOT / f"permissions/{cloud}/index.yml").read_text()
    )["files"]
    return files


def read(cloud: str, name: str) -> Kept:
    """A whole file."""
    document = yaml.safe_load((ROOT / f"permissions/{cloud}/{name}").read_text())
    phase, _, where = name.rpartition(".")[0].partition("-")
    listed = document.get("Actions") or document.get("includedPermissions") or ()
    return Kept(name, phase, where, tuple(listed))


def for_playbook(cloud: str, playbook: str) -> Holder:
    """Who may run a playbook by index.yml."""
    names = [name for name, item in index(cloud).items() if playbook in item["playbooks"]]
    return Holder(playbook, tuple(read(cloud, name) for name in names))


def whole(cloud: str, phase: str) -> Holder:
    """Who may run a phase."""
    names = [name for name, item in index(cloud).items() if item["phase"] == phase]
    return Holder(phase, tuple(read(cloud, name) for name in names))


def removals(cloud: str, phase: str) -> Iterator[Holder]:
    """The same, each without one permission of one file."""
    base = whole(cloud, phase)
    for file in base.files:
        for permission in file.permissions:
            left = tuple(item for item in file.permissions if item != permission)
            kept = Kept(file.name, file.phase, file.where, left)
            files = tuple(kept if item is file else item for item in base.files)
            yield Holder(phase, files, (file.name, permission))


def table(cloud: str, rows: Sequence[Mapping[str, str]]) -> str:
    """Rows of file, permission and what the run said; kept in build/permissions."""
    widths = [max(len(row[name]) for row in rows) for name in ("file", "permission")]
    lines = [
        f"{cloud}  {row['file']:{widths[0]}}  {row['permission']:{widths[1]}}  {row['said']}"
        for row in rows
    ]
    folder = ROOT / "build/permissions"
    folder.mkdir(parents=True, exist_ok=True)
    text = "\n".join(lines) + "\n"
    (folder / f"{cloud}.txt").write_text(text)
    return text


def said(result: Any, permission: str) -> str:
    """The line of a result, failed or not, that names a permission; empty when none does."""
    lines = json.dumps(result, default=str).replace("\\n", "\n").splitlines()
    return next((line for line in lines if permission.lower() in line.lower()), "")
