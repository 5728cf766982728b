# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads the folder permissions/: for each cloud an index, and files in the cloud's own format.

A grant is one permission in one file; AWS's files have several statements, and there it is one action in one of them.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).resolve().parents[1] / "permissions"
CLOUDS = {"aws": "AWS", "azure": "Azure", "gcp": "Google"}
PHASES = ("controller", "create", "dns", "lockdown", "observe", "unlock", "teardown", "probe")
_AZURE = ("actions", "dataactions")


@dataclass(frozen=True)
class Grant:
    """One permission of one file. statement: the name of AWS's statement that it is in, else empty."""

    file: str
    permission: str
    statement: str = ""

    def __str__(self) -> str:
        return " ".join(filter(None, (self.file, self.statement, self.permission)))


def clouds() -> list[str]:
    """The clouds that have a folder."""
    return [cloud for cloud in CLOUDS if (FOLDER / cloud / "index.yml").exists()]


def index(cloud: str) -> dict[str, Any]:
    """The cloud's index.yml."""
    found: dict[str, Any] = yaml.safe_load((FOLDER / cloud / "index.yml").read_text())
    return found


def document(cloud: str, name: str) -> dict[str, Any]:
    """A file as data."""
    text = (FOLDER / cloud / name).read_text()
    found: dict[str, Any] = json.loads(text) if name.endswith(".json") else yaml.safe_load(text)
    return found


def grants(cloud: str, name: str) -> list[Grant]:
    """The grants of a file, in its order."""
    return [Grant(name, permission, place) for place, permission in _granted(document(cloud, name))]


def without(given: Mapping[str, Any], grant: Grant) -> dict[str, Any]:
    """The same document without one grant."""
    made = copy.deepcopy(dict(given))
    if "Statement" in made:
        for statement in made["Statement"]:
            if statement["Sid"] == grant.statement:
                statement["Action"] = [
                    each for each in listed(statement["Action"]) if each != grant.permission
                ]
        made["Statement"] = [each for each in made["Statement"] if each["Action"]]
        return made
    for key in _lists(made):
        made[key] = [each for each in made[key] if each != grant.permission]
    return made


def listed(value: Any) -> list[Any]:
    """AWS writes lists of one without brackets."""
    return list(value) if isinstance(value, list) else [value]


def _granted(found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for statement in found.get("Statement", ()):
        for action in listed(statement["Action"]):
            yield statement["Sid"], action
    for key in _lists(found):
        for permission in found[key]:
            yield "", permission


def _lists(found: Mapping[str, Any]) -> list[str]:
    return [key for key in found if key.lower() in _AZURE or key == "includedPermissions"]
