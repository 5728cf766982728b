# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A first run that is killed at any request converges when it is run again, and makes nothing twice."""

from __future__ import annotations

import random
from typing import Any

import pytest

from . import aws_subjects, azure_subjects
from .conftest import Lab
from .harness import ALL, SEED, killed

CLOUDS: dict[str, Any] = {"aws": aws_subjects, "azure": azure_subjects}
# What an undisturbed first run asks, at the least.
REQUESTS = {"aws": 76, "azure": 74, "gcp": 66}
KILLS = 50 if ALL else 10
# Another seed: FAULTS_SEED=n.
CHANCE = random.Random(SEED)
MOMENTS = [
    pytest.param(cloud, at, whom, id=f"{cloud}-seed{SEED}-request{at}-{whom}")
    for cloud in CLOUDS
    for at in sorted(CHANCE.sample(range(1, REQUESTS[cloud]), KILLS))
    for whom in CHANCE.choices(["all", "one"])
]


@pytest.mark.parametrize(("cloud", "at", "whom"), MOMENTS)
def test_a_killed_first_run_converges_when_it_is_run_again(
    lab: Lab, cloud: str, at: int, whom: str
) -> None:
    subjects = CLOUDS[cloud]
    world = {cloud: {"timing": subjects.TIMING}}
    outcome = killed(lab, cloud, subjects.FIRST_RUN, world, at, whom)
    assert "killed after request" in outcome.output, "the run ended before: lower REQUESTS"
    (result,) = outcome.results
    assert result["stands"] == subjects.AFTER_FIRST_RUN, outcome.output
    assert result["changed"] == [False] * len(subjects.FIRST_RUN), outcome.output
