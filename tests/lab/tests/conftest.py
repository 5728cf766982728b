# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs commands in labs, as a user does."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parents[2]
Lab = Callable[..., "subprocess.CompletedProcess[str]"]


def _environment(extra: Mapping[str, str] | None) -> dict[str, str]:
    inherited = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return inherited | dict(extra or {})


@pytest.fixture
def tiny_arguments() -> list[str]:
    """The start of a command line that runs a lab around the tiny cloud of clouds/tiny."""
    clouds = HERE / "clouds"
    return [sys.executable, str(clouds / "run.py"), "--world", str(clouds / "tiny.yml")]


@pytest.fixture
def tiny(tiny_arguments: list[str]) -> Lab:
    """tiny(script, *options): a shell script in a lab around the tiny cloud."""

    def run(
        script: str,
        *options: str,
        variables: Mapping[str, str] | None = None,
        wrap: tuple[str, ...] = (),
    ) -> subprocess.CompletedProcess[str]:
        arguments = [*wrap, *tiny_arguments, *options, "--", "sh", "-c", script]
        return subprocess.run(
            arguments,
            env=_environment(variables),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


@pytest.fixture
def lab_run() -> Lab:
    """lab_run(*arguments): tests/lab/run itself."""

    def run(
        *arguments: str, variables: Mapping[str, str] | None = None, timeout: float = 60
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(CHECKOUT / "tests/lab/run"), *arguments],
            env=_environment(variables),
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    return run
