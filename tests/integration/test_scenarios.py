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
NAMES = sorted(
    (path.parent.name, path.name.removesuffix(".yml.in"))
    for path in (SCENARIOS / "cells").glob("*/*.yml.in")
)
CLOUDS = sorted({cloud for cloud, _name in NAMES})

Rows = dict[tuple[str, str], dict[str, object]]


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Rows:
    """What every scenario came to, by its cloud and name."""
    folder: Path = tmp_path_factory.mktemp("scenarios")
    command = [sys.executable, str(SCENARIOS / "run.py"), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1800, check=False)
    listed = folder / "rows.json"
    assert listed.exists(), done.stdout + done.stderr
    return {(row["cloud"], row["scenario"]): row for row in json.loads(listed.read_text())}


@pytest.mark.parametrize("cloud", CLOUDS)
def test_every_misconfiguration_has_a_scenario(cloud: str) -> None:
    own = {name for of, name in NAMES if of == cloud}
    assert {f"M{n}" for n in range(1, 8)} <= {name[:2].upper() for name in own}
    assert "good" in own


@pytest.mark.parametrize(("cloud", "name"), NAMES)
def test_it_goes_as_its_file_says(rows: Rows, cloud: str, name: str) -> None:
    assert rows[cloud, name]["problems"] == []
