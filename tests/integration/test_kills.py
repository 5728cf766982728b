# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A first run that is killed at any request converges when it is run again, and makes nothing twice."""

from __future__ import annotations

import random

import pytest

from .aws_subjects import AFTER_FIRST_RUN, FIRST_RUN, TIMING
from .conftest import Lab
from .harness import ALL, SEED, killed

WORLD = {"aws": {"timing": TIMING}}
# What an undisturbed first run asks, at the least.
REQUESTS = 80
KILLS = 50 if ALL else 10
# Another seed: FAULTS_SEED=n.
CHANCE = random.Random(SEED)
MOMENTS = [
    pytest.param(at, whom, id=f"seed{SEED}-request{at}-{whom}")
    for at in sorted(CHANCE.sample(range(1, REQUESTS), KILLS))
    for whom in CHANCE.choices(["all", "one"])
]


@pytest.mark.parametrize(("at", "whom"), MOMENTS)
def test_a_killed_first_run_converges_when_it_is_run_again(lab: Lab, at: int, whom: str) -> None:
    outcome = killed(lab, "aws", FIRST_RUN, WORLD, at, whom)
    assert "killed after request" in outcome.output, "the run ended before: lower REQUESTS"
    (result,) = outcome.results
    assert result["stands"] == AFTER_FIRST_RUN, outcome.output
    assert result["changed"] == [False] * len(FIRST_RUN), outcome.output
