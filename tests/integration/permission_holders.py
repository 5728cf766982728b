# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who holds which files under permissions/: whole, or without one permission."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import permission_files


@dataclass(frozen=True)
class Kept:
    """A file, and what a principal holds of it. where: the file's place, empty for a phase with one."""

    name: str
    where: str
    permissions: tuple[str, ...]


@dataclass(frozen=True)
class Holder:
    """What one principal holds. lacks: the file and the permission that was taken out of it."""

    files: tuple[Kept, ...]
    lacks: tuple[str, str] | None = None


def index(cloud: str) -> dict[str, dict[str, Any]]:
    """index.yml's files by name."""
    found: dict[str, dict[str, Any]] = permission_files.index(cloud)["files"]
    return found


def read(cloud: str, name: str) -> Kept:
    """A whole file."""
    where = name.rpartition(".")[0].partition("-")[2]
    return Kept(
        name, where, tuple(item.permission for item in permission_files.grants(cloud, name))
    )


def for_playbook(cloud: str, playbook: str) -> Holder:
    """Who may run a playbook by index.yml."""
    names = [name for name, item in index(cloud).items() if playbook in item["playbooks"]]
    return Holder(tuple(read(cloud, name) for name in names))


def whole(cloud: str, phase: str) -> Holder:
    """Who may run a phase."""
    names = [name for name, item in index(cloud).items() if item["phase"] == phase]
    return Holder(tuple(read(cloud, name) for name in names))


def removals(cloud: str, phase: str) -> Iterator[Holder]:
    """The same, each without one permission of one file."""
    base = whole(cloud, phase)
    for file in base.files:
        for permission in file.permissions:
            left = tuple(item for item in file.permissions if item != permission)
            kept = Kept(file.name, file.where, left)
            files = tuple(kept if item is file else item for item in base.files)
            yield Holder(files, (file.name, permission))
