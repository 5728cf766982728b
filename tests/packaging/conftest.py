# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The collection as it is published: built once, and unpacked where ansible looks for collections."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BIN = ROOT / ".venv/bin"
# ansible-builder and galaxy-importer have an environment of their own.
PACKAGING = ROOT / "build/packaging/bin"


def clean(home: Path, *path: Path, **variables: str) -> dict[str, str]:
    """An environment with nothing in it but what is told, and the system's programs."""
    home.mkdir(exist_ok=True)
    places = [*map(str, path), "/usr/local/bin", "/usr/bin", "/bin"]
    return {"HOME": str(home), "LANG": "C.UTF-8", "PATH": os.pathsep.join(places), **variables}


def run(
    *command: str | Path, cwd: Path, env: Mapping[str, str], timeout: int = 600
) -> subprocess.CompletedProcess[str]:
    """A command, with both its outputs as one."""
    return subprocess.run(
        command,
        cwd=cwd,
        env=dict(env),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout,
        check=False,
    )


@pytest.fixture(scope="session")
def tarball(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `ansible-galaxy collection build` makes of the checkout."""
    folder = tmp_path_factory.mktemp("built")
    built = run(
        BIN / "ansible-galaxy",
        *("collection", "build", "--output-path", str(folder), str(ROOT)),
        cwd=folder,
        env=clean(folder / "home", BIN),
    )
    assert built.returncode == 0, built.stdout
    (made,) = folder.glob("private_ai-endpoints-*.tar.gz")
    return made


@pytest.fixture(scope="session")
def unpacked(tarball: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A collections folder, with the collection in it."""
    folder = tmp_path_factory.mktemp("collections")
    place = folder / "ansible_collections/private_ai/endpoints"
    place.mkdir(parents=True)
    subprocess.run(["tar", "-xzf", tarball, "-C", place], check=True)
    return folder
