# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Drift: every finding is in one group, and what is not judged any more is not fixed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.private_ai.endpoints.plugins.module_utils.core.drift import (
    GROUPS,
    drift,
    sentence,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.errors import EndpointError
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.validate import validate
from ansible_collections.private_ai.endpoints.tests.unit.support import aws_case as aws

RANK = {"fail": 3, "unknown": 2, "warn": 1, "pass": 0, "skipped": 0}


def finding(status: str, **changes: Any) -> dict[str, Any]:
    return {
        "check": "aws_m2_names",
        "target": "app",
        "resource": "host",
        "vantage": "app-a",
        "status": status,
        **changes,
    }


def groups(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> dict[str, int]:
    found = drift(after, {"findings": before})
    assert found is not None
    return {name: count for name, count in found["counts"].items() if count}


@pytest.mark.parametrize(
    ("was", "now", "group"),
    [
        (None, "fail", "new"),
        (None, "unknown", "new"),
        ("pass", "warn", "new"),
        ("pass", "fail", "new"),
        ("skipped", "fail", "new"),
        ("unknown", "fail", "worse"),
        ("warn", "unknown", "worse"),
        ("fail", "fail", "still_open"),
        ("fail", "unknown", "still_open"),
        ("fail", "warn", "still_open"),
        ("fail", "pass", "fixed"),
        ("unknown", "pass", "fixed"),
        ("fail", "skipped", "not_judged"),
        ("fail", None, "not_judged"),
        ("warn", None, "not_judged"),
        (None, "pass", None),
        ("pass", "pass", None),
        ("pass", None, None),
    ],
)
def test_each_change_has_its_group(was: str | None, now: str | None, group: str | None) -> None:
    before = [finding(was)] if was else []
    after = [finding(now)] if now else []
    assert groups(before, after) == ({group: 1} if group else {})


@pytest.mark.parametrize(
    "changes",
    [{"check": "x"}, {"target": "x"}, {"resource": "x"}, {"vantage": "x"}, {"vantage": None}],
)
def test_a_finding_is_the_same_by_check_target_resource_and_vantage(
    changes: dict[str, Any],
) -> None:
    assert groups([finding("fail")], [finding("fail", **changes)]) == {"new": 1, "not_judged": 1}
    assert groups([finding("fail")], [finding("fail", observed="other")]) == {"still_open": 1}


def test_of_several_about_one_resource_the_worst_counts() -> None:
    both = [finding("pass"), finding("fail"), finding("warn")]
    assert groups([finding("pass")], both) == {"new": 1}


statuses = st.one_of(st.none(), st.sampled_from(sorted(RANK)))


@given(st.dictionaries(st.text(min_size=1, max_size=3), st.tuples(statuses, statuses), max_size=12))
def test_every_open_finding_is_in_exactly_one_group(
    pairs: dict[str, tuple[str | None, str | None]],
) -> None:
    before = [finding(was, resource=name) for name, (was, _now) in pairs.items() if was]
    after = [finding(now, resource=name) for name, (_was, now) in pairs.items() if now]
    found = drift(after, {"findings": before})
    assert found is not None
    listed = [item["resource"] for name in GROUPS for item in found[name]]
    open_ones = [
        name for name, (was, now) in pairs.items() if RANK.get(str(was), 0) or RANK.get(str(now), 0)
    ]
    assert sorted(listed) == sorted(open_ones)
    assert all(item["now"] == "pass" for item in found["fixed"])
    assert sum(found["counts"].values()) == len(listed)


def test_the_baseline_is_named_by_its_time_and_digest() -> None:
    found = drift([], {"findings": [], "made_at": "2026-01-01T00:00:00Z", "job": "verify"})
    assert found is not None
    assert found["baseline"]["made_at"] == "2026-01-01T00:00:00Z"
    assert found["baseline"]["sha256"].startswith("sha256:")
    assert "0 new" in sentence(found)


def test_without_a_baseline_there_is_no_drift() -> None:
    assert drift([finding("fail")], None) is None


@pytest.mark.parametrize(
    ("baseline", "said"),
    [
        ({}, "holds no findings"),
        ({"findings": "x"}, "holds no findings"),
        ({"findings": [{}]}, "lacks check"),
        ({"findings": [finding("great")]}, "has the status 'great'"),
        ({"findings": [], "schema_version": 9}, "schema_version 9"),
    ],
)
def test_a_baseline_that_cannot_be_read_is_refused(baseline: dict[str, Any], said: str) -> None:
    with pytest.raises(EndpointError) as caught:
        drift([], baseline)
    assert said in caught.value.message


def test_validation_compares_with_what_it_returned_before() -> None:
    def blind(parts: dict[str, Any]) -> None:
        parts["observations"] = [
            item for item in parts["observations"] if item["vantage"] != "app-b"
        ]

    before = validate(aws.request())
    again = validate(aws.request(baseline=before))
    counts = again["drift"]["counts"]
    assert [counts[name] for name in GROUPS if name != "still_open"] == [0, 0, 0, 0]
    with pytest.raises(Exception, match="not met") as caught:
        validate(aws.request(blind, baseline=before))
    new = caught.value.result["drift"]["new"]  # type: ignore[attr-defined]
    assert {item["vantage"] for item in new if item["vantage"]} == {"app-b"}
