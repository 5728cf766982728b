# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What stops a lock of a perimeter: other perimeters, members outside, callers that a dry run refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

import pytest

from ansible_collections.private_ai.endpoints.plugins.module_utils.core.gcp import violations
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.gcp.lock_checks import (
    Member,
    newly_bound,
    problems,
    unproved,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.gcp.lock_standing import (
    BRIDGE,
    Standing,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.gcp.perimeter import (
    Additions,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.gcp.plan_lockdown import (
    DRY_RUN,
    VERTEX,
    LockPlan,
    Wanted,
    lock,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.preview import explanations

NAME = "accessPolicies/1/servicePerimeters/vertex"
OTHER = "accessPolicies/1/servicePerimeters/other"
NETWORK = "projects/app/global/networks/app"
NEW = Standing(name=NAME, exists=False)
HERE = Standing(
    name=NAME, title="t", status={"resources": ["projects/9"], "restrictedServices": ["a"]}
)


def plan(start: Standing = NEW, roll_out: str = "enforced", **additions: Any) -> LockPlan:
    made = Additions(**{"resources": ("projects/1",), "services": (VERTEX,), **additions})
    now = datetime(2026, 1, 1, tzinfo=timezone.utc)
    return lock(start, Wanted(additions=made, roll_out=roll_out), run_id="one", now=now)


@pytest.mark.parametrize(
    ("other", "text"),
    [
        ({"status": {"resources": ["projects/1"]}}, f"in the perimeter {OTHER} already"),
        ({"spec": {"resources": ["projects/1"]}}, f"in the perimeter {OTHER} already"),
        ({"status": {"resources": ["projects/2"]}}, ""),
        ({"status": {"resources": ["projects/1"]}, "kind": BRIDGE}, ""),
        ({"title": "vertex"}, "is the title of another perimeter"),
    ],
)
@pytest.mark.parametrize("roll_out", ["enforced", DRY_RUN])
def test_what_another_perimeter_has_is_refused_with_its_name(
    other: dict[str, Any], text: str, roll_out: str
) -> None:
    found = problems(plan(roll_out=roll_out), [Standing(name=OTHER, **other)])
    assert len(found) == bool(text) and text in "".join(found)


def test_a_bridge_cannot_be_locked() -> None:
    assert "bridge" in problems(plan(replace(HERE, kind=BRIDGE)), [])[0]


@pytest.mark.parametrize(
    ("additions", "fine"),
    [
        ({}, False),
        ({"resources": ("projects/1", "projects/2")}, True),
        ({"resources": ("projects/1", f"//compute.googleapis.com/{NETWORK}")}, True),
        ({"ingress": ({"ingressFrom": {"sources": [{"resource": "projects/2"}]}},)}, True),
        ({"ingress": ({"ingressFrom": {"sources": [{"resource": "projects/3"}]}},)}, False),
    ],
)
def test_a_members_host_project_is_inside_or_let_in(additions: dict[str, Any], fine: bool) -> None:
    member = Member(
        target="lab",
        projects={"projects/1": "its Vertex AI", "projects/2": f"its network {NETWORK}"},
        networks={NETWORK: "projects/2"},
    )
    assert bool(problems(plan(**additions), [], [member])) != fine


def test_an_ingress_rule_leads_inside() -> None:
    rule = {"ingressTo": {"resources": ["projects/3"]}}
    assert "projects/3" in problems(plan(ingress=(rule,)), [])[0]
    assert not problems(plan(ingress=({"ingressTo": {"resources": ["projects/1", "*"]}},)), [])


def test_only_what_the_lock_newly_binds_needs_somebody_to_look_at_it() -> None:
    member = Member(target="lab", projects={"projects/1": "its Vertex AI"})
    assert newly_bound(plan(HERE)) == ["projects/9", "projects/1"]
    assert newly_bound(plan(HERE, services=("a",))) == ["projects/1"]
    assert newly_bound(plan(HERE, DRY_RUN)) == []
    assert "projects/9" in unproved(plan(HERE), [member], [])[0]
    assert unproved(plan(HERE), [member], ["projects/9"]) == []
    assert "projects/1" in unproved(plan(HERE), [], ["projects/9"])[0]


def entry(**changes: Any) -> dict[str, Any]:
    known: dict[str, Any] = {
        "principal": "batch@x.iam.gserviceaccount.com",
        "service": VERTEX,
        "method": "google.cloud.aiplatform.v1.PredictionService.Predict",
        "reason": "NO_MATCHING_ACCESS_LEVEL",
        "agent": "python",
        "perimeter": NAME,
        "direction": "ingress",
        **changes,
    }
    return {
        "timestamp": "2026-01-01T00:00:00Z",
        "protoPayload": {
            "authenticationInfo": {"principalEmail": known["principal"]},
            "serviceName": known["service"],
            "methodName": known["method"],
            "resourceName": "projects/1/locations/us-central1/endpoints/4",
            "requestMetadata": {
                "callerIp": "203.0.113.9",
                "callerSuppliedUserAgent": known["agent"],
            },
            "metadata": {
                "dryRun": True,
                "violationReason": known["reason"],
                f"{known['direction']}Violations": [{"servicePerimeter": known["perimeter"]}],
            },
        },
    }


def callers(*entries: dict[str, Any], accessible: bool = False) -> list[dict[str, Any]]:
    return violations.groups(entries, NAME, [VERTEX], accessible=accessible)


@pytest.mark.parametrize(
    ("changes", "accessible", "counts"),
    [
        ({}, False, True),
        ({"direction": "egress"}, False, True),
        # What another team plans, or another perimeter, is none of this lock's.
        ({"perimeter": OTHER}, False, False),
        ({"service": "storage.googleapis.com"}, False, False),
        ({"service": "storage.googleapis.com", "reason": violations.ACCESSIBLE}, False, False),
        ({"service": "storage.googleapis.com", "reason": violations.ACCESSIBLE}, True, True),
        # A record that names no perimeter may be of this one.
        ({"perimeter": ""}, False, True),
    ],
)
def test_records_of_this_lock_count(
    changes: dict[str, Any], accessible: bool, counts: bool
) -> None:
    assert bool(callers(entry(**changes), accessible=accessible)) == counts


def test_a_caller_is_named_once_with_his_count_until_somebody_answers_for_him() -> None:
    found = callers(entry(), entry(), entry(principal="rare@x"), entry(agent=violations.PROBE))
    assert [item["count"] for item in found] == [2, 1, 1]
    assert found[0]["region"] == "us-central1"
    first, second = violations.unexplained(found, [])
    assert "batch@x" in first and "Predict 2 times from 203.0.113.9" in first
    assert "rare@x" in second
    for pattern in ({"principal": "batch@*"}, {"operation": "Predict"}, {"region": "us-*"}):
        left = violations.unexplained(found[:1], explanations([{**pattern, "reason": "known"}]))
        assert left == []
    assert violations.unexplained(found, explanations([{"source": "198.*", "reason": "no"}]))


def test_members_are_not_shut_out_by_what_networks_inside_may_call() -> None:
    """The perimeter that is extended allows other services only, so that the lock would cut off whoever it protects."""
    closed = {"enableRestriction": True, "allowedServices": ["storage.googleapis.com"]}
    start = replace(HERE, status={**HERE.status, "vpcAccessibleServices": closed})
    assert any("accessible_services" in text for text in problems(plan(start), []))
    for allowed in ("aiplatform.googleapis.com", "RESTRICTED-SERVICES"):
        fine = {**closed, "allowedServices": [allowed]}
        start = replace(HERE, status={**HERE.status, "vpcAccessibleServices": fine})
        assert not problems(plan(start), [])


def test_a_member_has_to_be_in_what_is_enforced_and_not_only_in_the_dry_run() -> None:
    member = Member(
        target="app",
        projects={"projects/1": "Vertex AI", "projects/7": "its network"},
        networks={"projects/host/global/networks/app": "projects/7"},
    )
    start = replace(
        HERE, spec={"resources": ["projects/1", "projects/7"], "restrictedServices": []}
    )
    assert any("projects/7" in text for text in problems(plan(start), [], [member]))
