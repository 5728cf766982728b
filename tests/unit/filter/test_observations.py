# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a loop over vantages saw, put together."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.private_ai.endpoints.plugins.filter.observations import observations
from ansible_collections.private_ai.endpoints.plugins.module_utils.probe import connection, observe

TARGET: dict[str, Any] = {
    "schema_version": 1,
    "host": "bedrock.us-east-1.amazonaws.com",
    "port": 443,
    "addresses": ["10.10.1.5", "10.10.2.5"],
    "cloud": "aws",
    "target": "app-use1",
    "service": "bedrock",
    "plane": "management",
    "probe_action": {"name": "bedrock:ListFoundationModels", "path": "/foundation-models"},
}
POSITIONS = {"app-a": "inside", "outside": "outside"}
UNREACHABLE = {"item": "app-a", "unreachable": True, "msg": "Connection refused\n"}


def test_what_was_observed_is_kept() -> None:
    seen = [{"vantage": "app-a"}, {"vantage": "app-b"}]
    results: list[dict[str, Any]] = [
        {"item": "app-a", "observations": seen[:1]},
        {"observations": seen[1:]},
    ]
    assert observations(results, [TARGET], POSITIONS) == seen


def test_an_unreachable_vantage_is_missing_coverage_of_each_address() -> None:
    seen = observations([UNREACHABLE], [TARGET, TARGET], POSITIONS, ["inside"])
    assert [entry["pinned"] for entry in seen] == ["10.10.1.5", "10.10.2.5"] * 2
    assert {entry["error"] for entry in seen} == {"unreachable: Connection refused"}
    assert {entry["position"] for entry in seen} == {"inside"}


def test_by_name_it_is_missing_once_for_each_target() -> None:
    seen = observations([{**UNREACHABLE, "item": "outside"}], [TARGET], POSITIONS, ["inside"])
    assert [entry["pinned"] for entry in seen] == [None]


def test_a_failed_probe_is_missing_coverage_too() -> None:
    (seen,) = observations([{"item": "outside", "msg": "no python"}], [TARGET], POSITIONS)
    assert seen["error"] == "the probe failed: no python"


def test_a_skipped_vantage_is_left_out() -> None:
    assert observations([{"item": "app-a", "skipped": True}], [TARGET], POSITIONS) == []


def test_a_vantage_without_position_is_refused() -> None:
    with pytest.raises(AnsibleFilterError, match="other"):
        observations([{**UNREACHABLE, "item": "other"}], [TARGET], POSITIONS)


def test_it_has_the_shape_of_what_a_probe_returns() -> None:
    """A judge that knows the one knows the other."""
    means = connection.Means(connection.trust(None), 0.1)
    vantage = observe.Vantage("app-a", "inside", means, 0.0, nameservers=["127.0.0.1"])
    unresolvable = {**TARGET, "addresses": ["(known after apply)"]}
    (real,) = observe.observe([unresolvable], True, vantage)
    (made,) = observations([UNREACHABLE], [unresolvable], POSITIONS, ["inside"])
    assert made.keys() == real.keys()
    assert made["dns"] == real["dns"]
    assert made["resolver"].keys() == real["resolver"].keys()
