# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An account with an endpoint, and a DNS that this collection may not touch and that lacks its zone: never locked."""

from __future__ import annotations

import pytest

from .conftest import Lab
from .scenarios.build import inventory, scenarios, world
from .story import Chapter, Story

NAME = "m2-none"


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Chapter]:
    """The report before, and what the main job does about it."""
    only = [each for each in scenarios("azure") if each.name == NAME]
    story = Story(lab := Lab(tmp_path_factory.mktemp("no-zone")))
    listed = inventory(only, lab.folder)
    story.tell("before", listed, "verify.yml")
    story.tell("locked", listed, "lockdown.yml")
    return story.read(world=world(only, lab.folder))


def test_the_report_says_that_the_traffic_is_public(told: dict[str, Chapter]) -> None:
    found = [
        item
        for item in told["before"].report["findings"]
        if item["check"] == "azure_m2_names" and item["vantage"] is None
    ]
    assert [(item["status"], item["severity"]) for item in found] == [("fail", "critical")]
    assert "private endpoint exists, traffic is public" in found[0]["observed"]


def test_the_main_job_refuses_by_that(told: dict[str, Chapter]) -> None:
    locked = told["locked"]
    assert locked.code != 0
    assert f"azure_m2_names fail: lab-{NAME}.openai.azure.com" in locked.failures[NAME]
    assert "No name was changed." in locked.failures[NAME]


def test_public_access_stays_on(told: dict[str, Chapter]) -> None:
    assert told["locked"].writes == []


def test_a_manager_is_told_in_words(told: dict[str, Chapter]) -> None:
    for name in ("before", "locked"):
        (target,) = told[name].report["targets"]
        traffic = next(item for item in target["answers"] if item["id"] == "traffic")
        assert traffic["answer"] == "no"
        assert "rivate endpoint exists" in traffic["text"]
        assert "lockdown refuses" in traffic["text"]
    assert told["before"].report["verdict"]["headline"] == "The AI service is not private"
