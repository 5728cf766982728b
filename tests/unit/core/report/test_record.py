# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who made a report with what, and how its files come to lie in their folder."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from ansible_collections.private_ai.endpoints.plugins.module_utils.core.errors import EndpointError
from ansible_collections.private_ai.endpoints.plugins.module_utils.report_maker import (
    COLLECTION,
    made_by,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.written import write

ROOT = Path(__file__).resolve().parents[4]


def test_the_release_is_that_of_the_collection() -> None:
    assert yaml.safe_load((ROOT / "galaxy.yml").read_text())["version"] == COLLECTION


def test_who_where_and_with_what() -> None:
    made = made_by("somebody")
    assert made["who"] == "somebody"
    assert made["where"]
    assert {"private_ai.endpoints", "python", "ansible-core", "boto3"} <= set(made["versions"])
    assert made_by()["who"]


def test_a_user_without_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> str:
        raise KeyError("getpwuid(): uid not found: 10001")

    monkeypatch.setattr("getpass.getuser", nobody)
    assert made_by()["who"] == "unknown"


def test_files_are_replaced_whole_and_are_private(tmp_path: Path) -> None:
    folder = tmp_path / "a/b"
    (first,) = write(str(folder), {"x.txt": "one"})
    write(str(folder), {"x.txt": "two\n\ud800", "y.txt": ""})
    assert Path(first).read_text() == "two\n?"
    assert sorted(path.name for path in folder.iterdir()) == ["x.txt", "y.txt"]
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    assert folder.stat().st_mode & 0o777 == 0o700


def test_what_cannot_be_written_is_named_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "x.txt").mkdir()
    with pytest.raises(EndpointError) as caught:
        write(str(tmp_path), {"x.txt": "one"})
    assert "cannot be written" in caught.value.message
    assert [path.name for path in tmp_path.iterdir()] == ["x.txt"]
