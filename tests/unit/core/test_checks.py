# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The shape of a check, and the catalogue as a whole."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from ansible_collections.private_ai.endpoints.plugins.module_utils.core import registry
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.case import Case
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.checklist import (
    CHECKLIST,
    MISCONFIGURATIONS,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.checks import (
    Check,
    run_check,
)
from ansible_collections.private_ai.endpoints.plugins.modules import private_endpoint_validate

AWS = registry.CLOUDS["aws"].checks


def test_a_check_without_anything_to_look_at_is_unknown() -> None:
    check = Check(
        id="x",
        cloud="aws",
        title="It is so",
        severity="high",
        why="w",
        fix="f",
        needs="evidence of it",
        judge=lambda case: [],
        checklist=("C1",),
    )
    (judged,) = run_check(check, Case(cloud="aws", target="t"))
    assert judged.finding.status == "unknown"
    assert "evidence of it" in judged.finding.observed
    assert judged.finding.checklist == ["C1"]


def test_every_row_of_both_tables_has_a_check() -> None:
    assert {item.misconfiguration for item in AWS} - {None} == set(MISCONFIGURATIONS)
    assert {point for item in AWS for point in item.checklist} == set(CHECKLIST)


def test_every_check_says_why_and_what_to_do() -> None:
    assert len({item.id for item in AWS}) == len(AWS)
    for item in AWS:
        assert all((item.title, item.why, item.fix, item.needs, item.references)), item.id
        assert any(text.startswith("https://docs.aws.amazon.com/") for text in item.references)


def test_the_module_documents_every_check_by_its_id() -> None:
    text = str(yaml.safe_load(private_endpoint_validate.DOCUMENTATION)["options"]["checks"])
    assert set(re.findall(r"V\((aws_\w+)\)", text)) == {item.id for item in AWS}


def test_every_check_is_one_small_file() -> None:
    folder = Path(registry.__file__).parent / "aws" / "checks"
    lengths = {path.name: len(path.read_text().splitlines()) for path in folder.glob("*.py")}
    assert max(lengths.values()) < 320, lengths
