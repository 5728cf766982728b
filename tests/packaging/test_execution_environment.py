# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ansible-builder finds what the collection needs, and makes the context of an image.

No image is built: that takes a container engine.
"""

from __future__ import annotations

from pathlib import Path

import yaml

from .conftest import PACKAGING, ROOT, clean, run

DEFINITION = ROOT / "extensions/ee/execution-environment.yml"


def requirements() -> list[str]:
    """What requirements.txt asks for, without the comments."""
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def test_introspect_finds_every_requirement(unpacked: Path, tmp_path: Path) -> None:
    pip, bindep = tmp_path / "pip.txt", tmp_path / "bindep.txt"
    done = run(
        PACKAGING / "ansible-builder",
        *("introspect", str(unpacked), "--write-pip", str(pip), "--write-bindep", str(bindep)),
        cwd=tmp_path,
        env=clean(tmp_path / "home", PACKAGING),
    )
    assert done.returncode == 0, done.stdout
    found = [line.partition("#")[0].strip() for line in pip.read_text().splitlines()]
    assert sorted(filter(None, found)) == sorted(requirements())
    # No system package is needed.
    assert not bindep.exists() or not bindep.read_text().strip()


def test_create_makes_a_build_context(tmp_path: Path) -> None:
    context = tmp_path / "context"
    done = run(
        PACKAGING / "ansible-builder",
        *("create", "--file", str(DEFINITION), "--context", str(context)),
        *("--output-filename", "Containerfile"),
        cwd=tmp_path,
        env=clean(tmp_path / "home", PACKAGING),
    )
    assert done.returncode == 0, done.stdout
    definition = yaml.safe_load(DEFINITION.read_text())
    recipe = (context / "Containerfile").read_text()
    assert definition["images"]["base_image"]["name"] in recipe
    assert definition["dependencies"]["ansible_core"]["package_pip"] in recipe
    # The recipe looks by `introspect` into what it installs from this file.
    galaxy = yaml.safe_load((context / "_build/requirements.yml").read_text())
    release = yaml.safe_load((ROOT / "galaxy.yml").read_text())["version"]
    assert galaxy == {"collections": [{"name": "private_ai.endpoints", "version": release}]}
    assert "introspect" in recipe
    # The base image has no Python.
    interpreter = definition["dependencies"]["python_interpreter"]
    assert f'PYPKG="{interpreter["package_system"]}"' in recipe
    assert "$PKGMGR install $PYPKG" in recipe
