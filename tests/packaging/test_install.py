# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""As a stranger has it: installed from the built collection, with its requirements alone, and no checkout anywhere.

The lab runs from the checkout, but over the checkout of those who work in it an empty file system is mounted. Nothing
that they run could come from there.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from .conftest import BIN, ROOT, clean, run

UV = ROOT / "build/uv/bin/uv"
NO_NAMESPACES = 78
SOAK = {f"{role}_soak_seconds": 1 for role in ("bedrock", "azure_openai", "vertex")}
# Runs in the lab, in the stranger's empty folder. `status` files say how each command ended.
SCRIPT = """
[ "${LAB_NETWORK:-}" != none ] || exit 78
unset LAB_WORLD LAB_JOURNAL
export PATH="$STRANGER_PATH" ANSIBLE_COLLECTIONS_PATH="$PWD/collections"
exec unshare --mount sh -euc '
mount -t tmpfs -o ro none "$CHECKOUT"
[ -z "$(ls -A "$CHECKOUT")" ]
unset CHECKOUT
env > environment.txt
python imports.py > imports.json
ansible-galaxy collection list > list.txt
for job in lockdown verify; do
  code=0
  ansible-playbook private_ai.endpoints.$job -i inventory -e @variables.json \\
    -e private_endpoint_report_dir="$PWD/$job" > $job.txt 2>&1 || code=$?
  echo $code > $job.status
done
'
"""
IMPORTS = """
import json, sys
import ansible, azure.identity, boto3, google.auth, requests
files = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
json.dump({"path": sys.path, "files": [file for file in files if file]}, sys.stdout)
"""


@dataclass
class Installed:
    """The stranger's folder, after everything ran in it."""

    folder: Path

    def text(self, name: str) -> str:
        return (self.folder / name).read_text()

    def report(self, job: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.text(f"{job}/findings.json"))
        return found


def environment(place: Path, *requirements: str) -> Path:
    """A new environment from what uv keeps, in the versions that the checkout is tested with."""
    quiet = ("--quiet", "--system-certs")
    subprocess.run([UV, "venv", *quiet, "--python", sys.executable, place], check=True)
    if requirements:
        pinned = ("--compile-bytecode", "--constraints", str(ROOT / "requirements/dev.txt"))
        target = ("--python", str(place / "bin/python"))
        command = [UV, "pip", "install", *quiet, *pinned, *target, *requirements]
        subprocess.run(command, check=True)
    return place / "bin"


@pytest.fixture(scope="module")
def installed(tarball: Path, unpacked: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Everything a stranger types, from `pip install` to `verify`."""
    around = tmp_path_factory.mktemp("stranger")
    collection = unpacked / "ansible_collections/private_ai/endpoints"
    controller = environment(
        around / "controller", "ansible-core", "-r", str(collection / "requirements.txt")
    )
    # A vantage needs Python, and nothing in it.
    vantage = environment(around / "vantage")
    folder = around / "empty"
    folder.mkdir()
    variables = clean(around / "home", controller)
    shutil.copy(tarball, around)
    got = run(
        controller / "ansible-galaxy",
        *("collection", "install", "--offline", str(around / tarball.name), "-p", "collections"),
        cwd=folder,
        env=variables,
    )
    assert got.returncode == 0, got.stdout
    shutil.copytree(ROOT / "tests/lab/inventory", folder / "inventory")
    (folder / "imports.py").write_text(IMPORTS)
    (folder / "variables.json").write_text(json.dumps(SOAK))
    ran = run(
        ROOT / "tests/lab/run",
        *("--python", str(vantage / "python"), "--", "sh", "-euc", SCRIPT),
        cwd=folder,
        env={**variables, "STRANGER_PATH": variables["PATH"], "CHECKOUT": str(ROOT)},
        timeout=1800,
    )
    if ran.returncode == NO_NAMESPACES:
        pytest.skip("this machine permits no namespaces, so that there is no lab to install into")
    assert ran.returncode == 0, ran.stdout
    return Installed(folder)


def test_nothing_of_the_checkout_is_in_reach(installed: Installed) -> None:
    loaded = json.loads(installed.text("imports.json"))
    assert any("/boto3/" in file for file in loaded["files"])
    assert not [place for place in (*loaded["path"], *loaded["files"]) if str(ROOT) in place]
    assert str(ROOT) not in installed.text("environment.txt")
    assert str(BIN) not in installed.text("environment.txt")
    shown = installed.text("list.txt")
    assert f"{installed.folder}/collections/ansible_collections" in shown
    names = [line.split()[0] for line in shown.splitlines() if "." in line.split(" ")[0]]
    # ansible-core lists one of its own.
    assert [name for name in names if not name.startswith("ansible.")] == ["private_ai.endpoints"]


@pytest.mark.parametrize("job", ["lockdown", "verify"])
def test_three_clouds_are_private_and_seen_to_be(installed: Installed, job: str) -> None:
    assert installed.text(f"{job}.status").strip() == "0", installed.text(f"{job}.txt")[-8000:]
    report = installed.report(job)
    assert report["ok"]
    assert {target["target"] for target in report["targets"]} == {
        "app-use1",
        "lab-openai",
        "lab-foundry",
        "lab-vertex",
    }
    for target in report["targets"]:
        assert target["summary"]["expectation_met"], target["target"]
        outside = {
            (row["where"], row["outcome"].partition("_")[0])
            for row in target["matrix"]
            if row["vantage"].endswith("outside")
        }
        assert outside == {("public", "denied")}, target["target"]
        inside = {
            (row["where"], row["outcome"])
            for row in target["matrix"]
            if not row["vantage"].endswith("outside")
        }
        assert inside == {("private", "admitted")}, target["target"]


def test_verify_writes_nothing_to_the_clouds(installed: Installed) -> None:
    assert installed.report("lockdown")["steps"]
    assert installed.report("verify")["steps"] == []
