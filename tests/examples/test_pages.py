# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every block of every page runs, in order, in one folder and one lab for each page; README.md here says how."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.worlds import load

from .documented import ROOT
from .fences import Block, pages

HERE = Path(__file__).parent
PAGES = pages()
RUN = [
    page
    for page, blocks in PAGES.items()
    if {block.kind for block in blocks} & {"shell", "plays", "tasks", "file"}
]


def test_every_block_says_what_it_is() -> None:
    found = [each for blocks in PAGES.values() for block in blocks for each in block.problems()]
    assert found == [], "\n".join(found)


def test_what_does_not_run_has_a_reason(record_property: Any) -> None:
    """The list that a reader of the gate sees (pytest -s)."""
    left = [block for blocks in PAGES.values() for block in blocks if block.not_run]
    for block in left:
        print(f"not run: {block.place}: {block.not_run}")
    assert [block.place for block in left if len(block.not_run) < 8] == []


@pytest.mark.parametrize("page", RUN)
def test_files_of_a_page_are_used_by_what_follows(page: str) -> None:
    for number, block in enumerate(PAGES[page]):
        if block.kind == "file":
            later = [other.kind for other in PAGES[page][number + 1 :]]
            assert {"shell", "plays", "tasks"} & set(later), block.place


@pytest.mark.parametrize("page", RUN)
def test_page_runs(page: str, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(ROOT / "examples/inventory", home / "inventory")
    for folder in (HERE / "reader/pages", HERE / "reader" / name(page)):
        if folder.exists():
            shutil.copytree(folder, home, dirs_exist_ok=True)
    world = HERE / f"worlds/pages/{name(page)}.yml"
    world = world if world.exists() else HERE / "worlds/reader.yml"
    machines = {each.address: each.name for each in load(world).vantages}
    (tmp_path / "machines.json").write_text(json.dumps(machines))
    (tmp_path / "page.sh").write_text(script(PAGES[page], home, tmp_path))
    done = subprocess.run(
        [
            str(ROOT / "tests/lab/run"),
            "--world",
            str(world),
            "--",
            "bash",
            str(tmp_path / "page.sh"),
        ],
        cwd=home,
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=1800,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-12000:]


def name(page: str) -> str:
    """README.md → readme, docs/guides/hub-and-spoke.md → hub-and-spoke, examples/README.md → examples."""
    path = Path(page)
    own = path.stem.lower()
    return path.parent.name if own == "readme" and path.parent.name else own


def environment(folder: Path) -> dict[str, str]:
    """What every reader has: this collection installed, and ssh to his machines."""
    return {
        **os.environ,
        "PATH": f"{HERE / 'machine'}:{ROOT / '.venv/bin'}:{os.environ['PATH']}",
        "READER_MACHINES": str(folder / "machines.json"),
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "playbooks/collections"),
        "ANSIBLE_PIPELINING": "true",
        # Spares a look around on every machine in every run.
        "ANSIBLE_PYTHON_INTERPRETER": str(ROOT / ".venv/bin/python"),
        "ANSIBLE_SSH_TRANSFER_METHOD": "piped",
        "ANSIBLE_HOST_KEY_CHECKING": "false",
        "ANSIBLE_CALLBACK_PLUGINS": str(ROOT / "tests/integration/callback_plugins"),
        "ANSIBLE_CALLBACKS_ENABLED": "quick_retries",
        "ANSIBLE_FORCE_COLOR": "0",
        "ANSIBLE_NOCOLOR": "1",
    }


def script(blocks: Sequence[Block], home: Path, folder: Path) -> str:
    """One shell for the whole page."""
    lines = ["set -eu", f"cd {shlex.quote(str(home))}"]
    for number, block in enumerate(blocks):
        if block.kind in ("shown", "not run"):
            continue
        kept = folder / f"block-{number}"
        kept.write_text(content(block))
        lines.append(f"printf '\\n=== %s\\n' {block.place}")
        lines += commands(block, shlex.quote(str(kept)), home)
    return "\n".join(lines) + "\n"


def content(block: Block) -> str:
    """The block as it stands; tasks get a play around them."""
    if block.kind != "tasks":
        return block.text
    play = {
        "name": block.place,
        "hosts": "localhost",
        "connection": "local",
        "gather_facts": False,
        "tasks": yaml.safe_load(block.text),
    }
    return yaml.safe_dump([play], sort_keys=False)


def commands(block: Block, kept: str, home: Path) -> list[str]:
    """How the shell takes it."""
    if block.kind == "file":
        target = home / block.path
        assert target.resolve().is_relative_to(home), block.place
        quoted = shlex.quote(block.path)
        return [f"mkdir -p $(dirname {quoted})", f"cp {kept} {quoted}"]
    run = f". {kept}" if block.kind == "shell" else f"ansible-playbook -i inventory {kept}"
    if not block.exits:
        return [run]
    return [
        f"code=0; (set -e; {run}) || code=$?",
        f"[ $code = {block.exits} ] || {{ echo exited with $code instead of {block.exits}; exit 1; }}",
    ]
