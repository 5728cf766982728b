# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table of what each phase said without each of its permissions."""

from __future__ import annotations

from collections.abc import Iterable

from .conftest import ROOT

# What is cut out is who asked.
BEGINNING, END = 150, 90
HEADS = ("cloud", "file", "permission", "what the run said")


def write(cloud: str, rows: Iterable[tuple[str, str, str]]) -> None:
    """Print (file, permission, what the run said) as a table, and keep it as build/permissions/<cloud>.txt."""
    table = [HEADS, *((cloud, *row) for row in rows)]
    widths = [max(len(row[column]) for row in table) for column in range(3)]
    lines = ["  ".join([*map(str.ljust, row[:3], widths), _short(row[3])]) for row in table]
    folder = ROOT / "build/permissions"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{cloud}.txt").write_text("\n".join(lines) + "\n")
    print("\n" + "\n".join(lines))


def _short(text: str) -> str:
    return text if len(text) <= BEGINNING + END else f"{text[:BEGINNING]} … {text[-END:]}"
