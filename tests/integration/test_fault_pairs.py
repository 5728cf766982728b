# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two and three misconfigurations at once: all are found. `make scenarios` draws many more of them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .conftest import ROOT

SCENARIOS = ROOT / "tests/integration/scenarios"
CLOUDS = sorted(path.name for path in (SCENARIOS / "cells").iterdir())
DRAW = """
import json, sys
import combine
print(json.dumps([(each.cloud, each.faults) for each in combine.draw(sys.argv[1:], 30, 7)]))
"""


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What a pair and a triple of each cloud came to."""
    folder: Path = tmp_path_factory.mktemp("faults")
    command = [sys.executable, str(SCENARIOS / "faults.py"), str(folder)]
    command += ["--count", str(2 * len(CLOUDS)), "--seed", "11"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    listed = folder / "rows.json"
    assert listed.exists(), done.stdout + done.stderr
    read: list[dict[str, Any]] = json.loads(listed.read_text())
    return read


def test_none_hides_another(rows: list[dict[str, Any]]) -> None:
    assert sorted(len(row["faults"]) for row in rows) == [2] * len(CLOUDS) + [3] * len(CLOUDS)
    assert [row["problems"] for row in rows] == [[]] * len(rows)


def test_the_same_seed_draws_the_same() -> None:
    command = [sys.executable, "-c", DRAW, *CLOUDS]
    drawn = [
        json.loads(subprocess.run(command, cwd=SCENARIOS, capture_output=True, check=True).stdout)
        for _unused in range(2)
    ]
    assert drawn[0] == drawn[1]
    assert len({json.dumps(each) for each in drawn[0]}) == 30
    assert {len(faults) for _cloud, faults in drawn[0]} == {2, 3}
    assert {cloud for cloud, _faults in drawn[0]} == set(CLOUDS)
