# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What `make test` says of its gates: each of them, also after one that failed, and nothing skipped in silence."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
MAKEFILE = """
lint:
	@echo "result: 7 of 7 checks"
unit:
	@echo "3 failed, 1876 passed, 2 warnings in 30.12s"; exit 1
twice:
	@echo "== 10 passed, 1 skipped in 0.30s =="; echo "SKIPPED [1] tests/a.py:3: no chromium here"
	@echo "5 passed in 1.0s"
browser:
	@echo "SKIPPED [2] tests/b.py:9: no chromium here"; echo "2 skipped in 0.01s"
newest:
	@echo "skipped: no Python 3.12"
silent:
	@echo "skipped: "
both:
	@echo "7 skipped in 1.0s"; echo "result: 5 scenarios"
broken:
	@exit 3
slow:
	@echo slow begins; sleep 0.3; echo slow ends
quick:
	@echo quick; sleep 60 &
"""


def gates(folder: Path, *names: str) -> tuple[int, str]:
    (folder / "Makefile").write_text(MAKEFILE)
    done = subprocess.run(
        [sys.executable, ROOT / "tools/gates", "make", *names],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout


@pytest.mark.parametrize(
    ("name", "code", "line"),
    [
        ("lint", 0, "ok lint 7 of 7 checks"),
        ("unit", 1, "FAIL unit 3 failed, 1876 passed"),
        ("twice", 0, "ok twice 15 passed, 1 skipped: no chromium here"),
        ("browser", 0, "skipped browser no chromium here"),
        ("newest", 0, "skipped newest no Python 3.12"),
        ("silent", 0, "skipped silent it does not say why"),
        ("both", 0, "ok both 7 skipped, 5 scenarios"),
        ("broken", 1, "FAIL broken exit code 2"),
        ("unknown", 1, "FAIL unknown exit code 2"),
    ],
)
def test_each_gets_one_line(tmp_path: Path, name: str, code: int, line: str) -> None:
    ended, said = gates(tmp_path, name)
    shown = said.splitlines()[-2]
    assert ended == code
    assert re.sub(r" +\d+s +", " ", " ".join(shown.split())).strip() == line


def test_one_that_fails_hides_no_other(tmp_path: Path) -> None:
    ended, said = gates(tmp_path, "broken", "lint", "newest")
    assert ended == 1
    assert "result: 7 of 7 checks" in said
    assert said.splitlines()[-1] == "gates: 1 passed, 1 failed, 1 skipped"


def test_those_that_run_at_once_are_shown_one_after_the_other(tmp_path: Path) -> None:
    """And what a gate leaves running does not keep the others waiting."""
    ended, said = gates(tmp_path, "slow+quick", "lint")
    shown = [line for line in said.splitlines() if line.startswith(("slow", "quick", "result"))]
    assert shown == ["slow begins", "slow ends", "quick", "result: 7 of 7 checks"]
    assert (ended, said.splitlines()[-1]) == (0, "gates: 3 passed, 0 failed")
