# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each misconfiguration alone: its finding and fix, repaired or not and why, gone, unknown without evidence."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import ROOT

SCENARIOS = ROOT / "tests/integration/scenarios"
NAMES = sorted(path.name.removesuffix(".yml.in") for path in (SCENARIOS / "cells").iterdir())

# One run of all of them, whichever worker gets them.

Rows = dict[str, dict[str, object]]


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Rows:
    """What every scenario came to, by its name."""
    folder: Path = tmp_path_factory.mktemp("scenarios")
    command = [sys.executable, str(SCENARIOS / "run.py"), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1800, check=False)
    listed = folder / "rows.json"
    assert listed.exists(), done.stdout + done.stderr
    return {row["scenario"]: row for row in json.loads(listed.read_text())}


def test_every_misconfiguration_has_a_scenario() -> None:
    assert {name[:2].upper() for name in NAMES if name != "good"} == {f"M{n}" for n in range(1, 8)}


@pytest.mark.parametrize("name", NAMES)
def test_it_goes_as_its_file_says(rows: Rows, name: str) -> None:
    assert rows[name]["problems"] == []
