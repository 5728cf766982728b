# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The impact preview of records that name the network that a call came from, as Google's do."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.private_ai.endpoints.plugins.filter.impact_preview import impact_preview
from ansible_collections.private_ai.endpoints.plugins.filter.refused_callers import refused_callers
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.preview import BLOCKING

INSIDE = "projects/lab-vertex/global/networks/app"
OUTSIDE = "projects/lab-other/global/networks/default"
EGRESS = "198.51.100.121"
DRY = {"perimeter": "accessPolicies/1/servicePerimeters/v", "reason": "NO_MATCH", "dry_run": True}
ENFORCED = {**DRY, "dry_run": False}


def group(**changes: Any) -> dict[str, Any]:
    return {
        "principal": "batch@lab-other.iam.gserviceaccount.com",
        "operation": "Predict",
        "region": "us-central1",
        "source_ip": "203.0.113.9",
        "network": "",
        "path": "public",
        "count": 3,
        "error_code": None,
        "probe": False,
        "violation": None,
        **changes,
    }


def judged(*groups: dict[str, Any], **options: Any) -> Any:
    traffic = {"start": "a", "end": "b", "complete": True, "groups": list(groups)}
    known = {"egress": [EGRESS], "projects": ["lab-vertex"], **options}
    return impact_preview([{"traffic": traffic}], [], ["us-central1"], **known)


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({}, "public"),
        ({"region": "", "source_ip": ""}, "public"),
        ({"source_ip": EGRESS}, "proved"),
        ({"network": INSIDE, "path": "private", "source_ip": "10.30.1.10"}, "private"),
        ({"network": INSIDE, "path": "ambiguous"}, "proved"),
        ({"network": OUTSIDE, "path": "private", "source_ip": "10.0.0.3"}, "outside"),
        # Its address is a member network's, but Google knows that it is another network's.
        ({"network": OUTSIDE, "path": "ambiguous", "source_ip": EGRESS}, "outside"),
        ({"path": "private", "source_ip": "gce-internal-ip"}, "outside"),
        ({"error_code": "7"}, "refused"),
        ({"error_code": "PERMISSION_DENIED"}, "refused"),
        ({"error_code": "8"}, "public"),
        ({"violation": ENFORCED}, "refused"),
        # A dry run records the code that it would have answered.
        ({"violation": DRY, "error_code": "7"}, "outside"),
        ({"violation": DRY, "source_ip": EGRESS}, "proved"),
        ({"violation": DRY, "network": INSIDE, "path": "private"}, "private"),
        ({"violation": DRY, "network": OUTSIDE, "path": "private"}, "outside"),
        ({"violation": DRY, "probe": True}, "probe"),
        ({"probe": True}, "probe"),
    ],
)
def test_each_caller_has_its_class_and_blocks_by_it(changes: dict[str, Any], kind: str) -> None:
    result = judged(group(**changes))
    assert result["callers"][0]["class"] == kind, result
    expected = "blocked" if kind in BLOCKING else "unknown" if kind == "probe" else "clear"
    assert result["status"] == expected


def test_without_projects_nobody_is_inside() -> None:
    result = judged(group(network=INSIDE, path="private"), projects=[])
    assert result["status"] == "blocked"
    assert INSIDE in result["blocking"][0]


def test_a_caller_of_the_dry_run_is_named_with_method_and_count_until_somebody_answers_for_him() -> (
    None
):
    (sentence,) = judged(group(violation=DRY, region=""))["blocking"]
    for text in ("batch@lab-other", "Predict", "3 times", "dry run", "NO_MATCH", "unknown region"):
        assert text in sentence
    explained = [{"principal": "batch@*", "reason": "moves next week"}]
    assert judged(group(violation=DRY), explained=explained)["status"] == "clear"


def refused(since: dict[str, Any], before: dict[str, Any]) -> list[str]:
    documents = [[{"traffic": {"groups": [each]}}] for each in (since, before)]
    return refused_callers(*documents, [], egress=[EGRESS], projects=["lab-vertex"])


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"network": INSIDE, "path": "private", "violation": ENFORCED}, True),
        ({"source_ip": EGRESS, "error_code": "7"}, True),
        ({"network": OUTSIDE, "path": "private", "violation": ENFORCED}, False),
        ({"violation": ENFORCED}, False),
        ({"network": INSIDE, "path": "private"}, False),
        ({"network": INSIDE, "path": "private", "violation": DRY}, False),
        ({"network": INSIDE, "path": "private", "violation": ENFORCED, "probe": True}, False),
    ],
)
def test_a_caller_from_inside_who_is_refused_since_the_lock_is_named(
    changes: dict[str, Any], named: bool
) -> None:
    assert bool(refused(group(**changes), group())) == named
    assert not refused(group(**changes), group(error_code="7"))
