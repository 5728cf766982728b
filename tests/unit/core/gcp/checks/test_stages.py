# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From wide open to locked: what each stage of the main job expects of Google, and what it gets."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.private_ai.endpoints.plugins.module_utils.core.gcp.configuration import (
    config_hash,
)
from ansible_collections.private_ai.endpoints.tests.unit.support import gcp_case as gcp
from ansible_collections.private_ai.endpoints.tests.unit.support.gcp_changes import (
    Change,
    Parts,
    admitted_outside,
    both,
    doc,
    everyone,
    failed,
    forget,
    judged,
    statuses,
)


def unlocked(parts: Parts) -> None:
    doc(parts)["perimeters"] = []
    admitted_outside(parts)


def nothing_made(parts: Parts) -> None:
    """As before the first run."""
    unlocked(parts)
    doc(parts).update(endpoints=[], zones=[], firewalls=[])
    for item in parts["probe_targets"]:
        item.update(addresses=[], networks={})
    for position in ("inside", "spoke", "canary"):
        everyone(position, gcp.PUBLIC)(parts)


def no_names(parts: Parts) -> None:
    """Endpoints are made; names do not lead there yet."""
    unlocked(parts)
    doc(parts)["zones"] = []
    for position in ("inside", "spoke", "canary"):
        everyone(position, gcp.PUBLIC)(parts)


@pytest.mark.parametrize(
    ("stage", "expect", "met", "misconfigurations", "checklist"),
    [
        (
            nothing_made,
            "private",
            False,
            {"M1": "fail", "M6": "fail", "M7": "fail", "M5": "unknown"},
            {"C1": "fail", "C2": "fail", "C3": "fail", "C6": "fail"},
        ),
        (
            no_names,
            "private",
            False,
            {"M1": "fail", "M2": "fail", "M6": "fail", "M4": "pass", "M5": "pass", "M7": "pass"},
            {"C1": "fail", "C2": "fail", "C3": "fail", "C5": "pass"},
        ),
        (
            unlocked,
            "private",
            True,
            {"M1": "fail", "M2": "pass", "M3": "warn", "M4": "pass", "M5": "pass", "M6": "pass"},
            {"C1": "pass", "C2": "pass", "C3": "fail", "C5": "pass", "C6": "pass"},
        ),
        (
            unlocked,
            "blocked",
            False,
            {"M1": "fail"},
            {"C3": "fail"},
        ),
        (
            lambda parts: None,
            "blocked",
            True,
            dict.fromkeys((f"M{number}" for number in range(1, 8)), "pass"),
            dict.fromkeys((f"C{number}" for number in range(1, 8)), "pass"),
        ),
        (lambda parts: None, "open", False, {}, {}),
        (unlocked, "open", True, {}, {}),
    ],
)
def test_stages(
    stage: Change, expect: str, met: bool, misconfigurations: Any, checklist: Any
) -> None:
    result = judged(stage, expect=expect, fail_on="high")
    assert result["summary"]["expectation_met"] is met, result["text"]
    assert bool(result["proof"]) is (met and expect != "open"), result["proof_refused"]
    rows = statuses(result, "misconfigurations")
    assert {name: rows[name] for name in misconfigurations} == misconfigurations
    rows = statuses(result, "checklist")
    assert {name: rows[name] for name in checklist} == checklist


def test_what_is_not_locked_yet_fails_no_run_that_does_not_expect_the_lock() -> None:
    assert judged(unlocked, expect="private", fail_on="low")["summary"]["verdict"] == "pass"
    assert judged(unlocked, expect="blocked", fail_on="low")["summary"]["verdict"] == "fail"


def test_before_names_change_every_vantage_reaches_its_own_networks_endpoint() -> None:
    result = judged(no_names, observations=gcp.pinned(), pinned=True)
    assert result["summary"]["expectation_met"] is True and result["proof"]
    asked = {(item["vantage"], item["resource"].split()[-1]) for item in result["findings"]}
    assert asked == {
        ("app", gcp.ADDRESSES[gcp.APP]),
        ("app-eu", gcp.ADDRESSES[gcp.APP]),
        ("spoke", gcp.ADDRESSES[gcp.SPOKE]),
    }


def test_without_an_inside_vantage_nothing_is_proved() -> None:
    result = judged(forget("inside"), expect="private")
    assert result["proof"] is None and "no inside vantage" in result["proof_refused"]


def _times_out(parts: Parts) -> None:
    item = parts["observations"][0]
    item["connections"] = [gcp.unconnected(item["pinned"], "timed out")]


def _refused(parts: Parts) -> None:
    item = parts["observations"][0]
    item["connections"] = [gcp.connection(item["pinned"], "denied_perimeter")]


def _spoke_without_endpoint(parts: Parts) -> None:
    doc(parts)["endpoints"] = doc(parts)["endpoints"][:1]
    for item in parts["probe_targets"]:
        item["networks"].pop(gcp.SPOKE)


@pytest.mark.parametrize(
    ("change", "status", "text"),
    [
        (_times_out, "fail", "timed out"),
        (_refused, "fail", "prohibited"),
        (lambda parts: parts["observations"].pop(), "unknown", "no observation"),
        (_spoke_without_endpoint, "unknown", "has no endpoint address for spoke"),
        (forget("inside"), "unknown", "no inside vantage"),
        (forget("inside", "spoke"), "unknown", "no inside or spoke vantage"),
    ],
)
def test_what_is_missing_before_names_change(change: Change, status: str, text: str) -> None:
    result = judged(both(no_names), change, observations=gcp.pinned(), pinned=True)
    assert result["summary"]["expectation_met"] is False and result["proof"] is None
    said = [item for item in result["findings"] if item["status"] == status]
    assert any(text in item["observed"] for item in said)


def test_a_proof_outlives_the_lock_that_it_is_for() -> None:
    """The perimeter is not part of what a proof hangs on; an endpoint is."""
    before = judged(unlocked, expect="private")["proof"]
    document = gcp.evidence()
    assert before["config_hash"] == {gcp.TARGET: config_hash(document)}
    document["endpoints"][0]["address"] = "10.255.30.9"
    assert before["config_hash"] != {gcp.TARGET: config_hash(document)}


def test_a_dry_run_gets_a_proof_of_the_private_path_alone() -> None:
    def tried(parts: Parts) -> None:
        unlocked(parts)
        empty = gcp.perimeter(resources=[], restricted_services=[], dry_run=gcp.config())
        doc(parts)["perimeters"] = [empty]

    lock = gcp.lock(roll_out="dry_run", enforced=False)
    private = judged(tried, expect="private", roll_out="dry_run", lock=lock)
    assert private["proof"]["roll_out"] == "dry_run" and failed(private) == {"M1"}
    assert judged(tried, expect="blocked", roll_out="dry_run", lock=lock)["proof"] is None
