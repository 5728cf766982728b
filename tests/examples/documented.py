# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Takes the examples out of the documentation of the collection's plugins, as they stand there."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("modules", "lookup", "filter")
_PREFIX = "private_ai.endpoints."


def plugin_examples() -> dict[str, list[dict[str, Any]]]:
    """The tasks in EXAMPLES of every plugin that is documented, by folder and name."""
    return {
        f"{folder}/{path.stem}": _tasks(path)
        for folder in FOLDERS
        for path in sorted((ROOT / "plugins" / folder).glob("*.py"))
    }


def _tasks(path: Path) -> list[dict[str, Any]]:
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "EXAMPLES":
            tasks: list[dict[str, Any]] = yaml.safe_load(ast.literal_eval(node.value))
            return tasks
    return []


def writes(task: dict[str, Any]) -> bool:
    """Whether it brings something in a cloud into a state, so that a second run finds it there."""
    action = next((key for key in task if key.startswith(_PREFIX)), "").removeprefix(_PREFIX)
    return bool(action) and not action.endswith("_info") and not action.startswith("private_")
