# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Galaxy says of the built collection, and what is in it."""

from __future__ import annotations

import re
import subprocess
import tarfile
from pathlib import Path

from .conftest import PACKAGING, ROOT, clean, run

# Everything that is kept in these and in nothing else; the rest is for those who work on the collection.
SHIPPED = re.compile(
    r"(changelogs|docs|examples|extensions|meta|permissions|playbooks|plugins|roles)/.+"
    r"|(CHANGELOG|CONTRIBUTING|README)\.md|LICENSE|requirements\.txt|tests/config\.yml"
)
# In those folders, but not for users: the roles' tests, the site's maker, and the link to the checkout itself.
KEPT_BACK = re.compile(r"(docs/site|extensions/molecule|playbooks/collections)/.+")
MADE = {"MANIFEST.json", "FILES.json"}
# They speak of what only the repository has.
FOR_CONTRIBUTORS = {
    "CONTRIBUTING.md",
    *(f"docs/{name}.md" for name in ("adding-a-check", "adding-a-cloud", "architecture")),
}
LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)")


def contents(tarball: Path) -> set[str]:
    """The names of all files."""
    with tarfile.open(tarball) as archive:
        return {member.name for member in archive.getmembers() if not member.isdir()}


def test_it_has_what_users_need_and_nothing_else(tarball: Path) -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    tracked = {name for name in listed.stdout.split("\0") if name and (ROOT / name).exists()}
    wanted = {name for name in tracked if SHIPPED.fullmatch(name) and not KEPT_BACK.fullmatch(name)}
    assert contents(tarball) == wanted | MADE


def test_links_of_its_pages_lead_to_what_is_in_it(tarball: Path, unpacked: Path) -> None:
    place = unpacked / "ansible_collections/private_ai/endpoints"
    broken = [
        f"{page.relative_to(place)}: {link}"
        for page in sorted(place.rglob("*.md"))
        if str(page.relative_to(place)) not in FOR_CONTRIBUTORS
        for link in LINK.findall(page.read_text())
        if not (page.parent / link).exists()
    ]
    assert broken == []


def test_galaxy_takes_it_without_a_word(tarball: Path, tmp_path: Path) -> None:
    """All that the importer checks, ansible-lint too. ansible-test is a gate of its own."""
    (tmp_path / "importer.cfg").write_text(
        "[galaxy-importer]\nRUN_ANSIBLE_TEST = False\nCHECK_REQUIRED_TAGS = True\n"
    )
    done = run(
        PACKAGING / "python",
        *("-m", "galaxy_importer.main", str(tarball)),
        cwd=tmp_path,
        env=clean(
            tmp_path / "home", PACKAGING, GALAXY_IMPORTER_CONFIG=str(tmp_path / "importer.cfg")
        ),
    )
    lines = done.stdout.splitlines()
    assert [line for line in lines if line.startswith(("WARNING", "ERROR"))] == []
    assert done.returncode == 0, done.stdout
    assert "...ansible-lint run complete" in lines
    assert lines[-1] == "Importer processing completed successfully", done.stdout
    assert (tmp_path / "importer_result.json").exists()
