# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which refusals in the audit records say that a lock hurts somebody."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.private_ai.endpoints.plugins.filter.refused_callers import refused_callers

APP = "arn:aws:iam::222222222222:user/app"
BEFORE = {
    "principal": APP,
    "operation": "Converse",
    "region": "us-east-1",
    "vpc_endpoint_id": "vpce-01",
    "source_ip": "10.10.1.10",
    "error_code": None,
    "invoked_by": None,
    "probe": False,
    "count": 3,
}
REFUSED = {**BEFORE, "error_code": "AccessDenied"}
OUTSIDE = {"vpc_endpoint_id": None, "source_ip": "198.51.100.10"}


def judged(now: dict[str, Any], *, before: dict[str, Any] = BEFORE, **options: Any) -> list[str]:
    def evidence(group: dict[str, Any]) -> list[dict[str, Any]]:
        return [{"traffic": {"groups": [group]}}]

    return refused_callers(
        evidence(now), evidence(before), ["vpce-01"], ["198.51.100.101"], **options
    )


@pytest.mark.parametrize(
    "now", [REFUSED, {**REFUSED, "vpc_endpoint_id": None, "source_ip": "198.51.100.101"}]
)
def test_a_known_caller_who_is_refused_counts(now: dict[str, Any]) -> None:
    (sentence,) = judged(now)
    assert APP in sentence and "refused 3 times since the lock" in sentence


@pytest.mark.parametrize(
    "now",
    [
        BEFORE,
        {**REFUSED, "probe": True},
        {**REFUSED, **OUTSIDE},
        {**REFUSED, "vpc_endpoint_id": "vpce-02"},
        {**REFUSED, "error_code": "ThrottlingException"},
    ],
)
def test_what_the_lock_is_for_does_not(now: dict[str, Any]) -> None:
    assert judged(now) == []


@pytest.mark.parametrize(
    "change", [{"error_code": "AccessDenied"}, {"probe": True}, {"operation": "InvokeModel"}]
)
def test_nor_does_one_who_was_not_let_in_before(change: dict[str, Any]) -> None:
    assert judged(REFUSED, before={**BEFORE, **change}) == []


def test_nor_does_one_whom_somebody_answers_for() -> None:
    assert judged(REFUSED, explained=[{"principal": "*user/app", "reason": "is retired"}]) == []
