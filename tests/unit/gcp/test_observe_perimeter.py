# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which perimeters are the target's, and what a lockdown left in their description."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.private_ai.endpoints.plugins.module_utils.gcp.observe_perimeter import (
    pending,
    perimeters,
)

NETWORK = "projects/p/global/networks/app"
BOTH = ("1", "2")


def perimeter(name: str, **parts: Any) -> dict[str, Any]:
    return {"name": f"accessPolicies/6/servicePerimeters/{name}", "title": name, **parts}


def holding(*resources: str) -> dict[str, Any]:
    return {"resources": list(resources)}


@pytest.mark.parametrize(
    ("parts", "held"),
    [
        ({"status": holding("projects/1")}, True),
        ({"status": holding("projects/2")}, False),
        ({"status": holding(f"//compute.googleapis.com/{NETWORK}")}, False),
        ({"status": holding(), "spec": holding("projects/1"), "useExplicitDryRunSpec": True}, True),
        # Without the flag it is not in force, not even as a dry run.
        ({"status": holding(), "spec": holding("projects/1")}, None),
        ({"status": holding("projects/12", "projects/3")}, None),
        ({}, None),
    ],
)
def test_a_perimeter_is_the_targets_where_it_holds_a_project_or_network(
    parts: dict[str, Any], held: bool | None
) -> None:
    found = perimeters([perimeter("x", **parts)], BOTH, "1", [NETWORK])
    assert [item["holds_project"] for item in found] == ([] if held is None else [held])


def test_the_dry_run_is_null_where_it_is_what_is_enforced() -> None:
    listed = [
        perimeter("b", status=holding("projects/1")),
        perimeter("a", status=holding("projects/1"), spec=holding(), useExplicitDryRunSpec=True),
    ]
    first, second = perimeters(listed, BOTH, "1", [])
    assert (first["title"], second["title"]) == ("a", "b")
    assert first["dry_run"]["resources"] == [] and second["dry_run"] is None
    assert second["type"] == "PERIMETER_TYPE_REGULAR"


def test_without_the_projects_number_nothing_is_taken_for_its_own() -> None:
    assert perimeters([perimeter("x", status=holding("projects/None"))], (), None, []) == []


RECORD = 'private_ai.endpoints: {"delta":{},"lock":"LOCK","run_id":"r","time":"t"}'


@pytest.mark.parametrize(
    ("description", "found"),
    [
        ("", None),
        ("Somebody's perimeter", None),
        (RECORD.replace("LOCK", "sealed"), None),
        (RECORD.replace("LOCK", "pending"), {"run_id": "r", "time": "t", "delta": {}}),
        (
            "Somebody's\n " + RECORD.replace("LOCK", "pending"),
            {"run_id": "r", "time": "t", "delta": {}},
        ),
        ("private_ai.endpoints: {", {"unreadable": "private_ai.endpoints: {"}),
        ("private_ai.endpoints: []", {"unreadable": "private_ai.endpoints: []"}),
        ("private_ai.endpoints: {}", {"unreadable": "private_ai.endpoints: {}"}),
    ],
)
def test_a_run_that_has_not_ended(description: str, found: dict[str, Any] | None) -> None:
    assert pending(description) == found
