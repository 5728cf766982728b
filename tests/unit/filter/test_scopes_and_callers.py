# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filters that decide for playbooks: members of a scope, lost callers, the preview, vantages."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.private_ai.endpoints.plugins.filter.impact_preview import impact_preview
from ansible_collections.private_ai.endpoints.plugins.filter.lost_callers import lost_callers
from ansible_collections.private_ai.endpoints.plugins.filter.sharing import sharing
from ansible_collections.private_ai.endpoints.plugins.filter.vantages import vantages

HOST = "bedrock.us-east-1.amazonaws.com"


def observation(vantage: str = "canary", *answers: str, **changes: Any) -> dict[str, Any]:
    return {
        "vantage": vantage,
        "position": "canary",
        "host": HOST,
        "pinned": None,
        "error": None,
        "dns": {"status": "ok"},
        "connections": [{"http": {"answer": answer}} for answer in answers],
        **changes,
    }


def test_members_share_their_values_whatever_the_order() -> None:
    hostvars: dict[str, dict[str, Any]] = {
        "a": {"targets": ["1", "2"], "name": "x"},
        "b": {"targets": ["2", "1", "1"], "name": "x"},
        "c": {"targets": ["1"], "name": "x"},
        "d": {"targets": ["1", "2"]},
        "e": {},
    }
    assert sharing("abcde", hostvars, "a", ["targets", "name"]) == ["a", "b"]
    assert sharing("abcde", hostvars, "a", ["targets"]) == ["a", "b", "d"]
    assert sharing("abcde", hostvars, "e", ["targets"]) == ["e"]


def test_a_caller_that_worked_before_and_not_now_is_lost() -> None:
    (sentence,) = lost_callers(
        [observation("canary", "denied_scp")], [observation("canary", "admitted")]
    )
    assert sentence == f"canary (canary) was admitted at {HOST} before, now: denied_scp."


def test_a_caller_that_goes_on_or_never_worked_is_not_lost() -> None:
    assert not lost_callers([observation("a", "admitted")], [observation("a", "admitted")])
    assert not lost_callers([observation("a", "denied_scp")], [observation("a", "denied_scp")])
    assert not lost_callers([], [observation("a", "admitted", pinned="10.0.0.1")])


def test_a_caller_that_one_of_two_addresses_refuses_is_lost() -> None:
    both = [observation("a", "admitted", "admitted")]
    assert lost_callers([observation("a", "admitted", "denied_scp")], both)
    assert not lost_callers([observation("a", "admitted", "timeout")], both)
    already = [observation("a", "admitted", "denied_scp")]
    assert not lost_callers(already, already)


def test_a_caller_that_nobody_looked_for_again_is_lost() -> None:
    before = [observation("a", "admitted")]
    assert "not observed" in lost_callers([], before)[0]
    assert "unreachable: x" in lost_callers([observation("a", error="unreachable: x")], before)[0]
    unresolved = observation("a", dns={"status": "nxdomain"})
    assert "DNS nxdomain" in lost_callers([unresolved], before)[0]
    pinned = observation("a", "admitted", pinned="10.0.0.1")
    assert "not observed" in lost_callers([pinned], before)[0]


def traffic(*groups: dict[str, Any], complete: bool = True) -> dict[str, Any]:
    document = {"start": "2026-01-01", "end": "2026-01-08", "complete": complete, "groups": groups}
    return {"traffic": {**document, "groups": list(groups)}}


CALL = {
    "principal": "arn:aws:iam::222222222222:role/batch",
    "operation": "InvokeModel",
    "region": "us-east-1",
    "source_ip": "198.51.100.7",
    "count": 3,
}


def test_the_preview_names_whom_a_lock_would_cut_off() -> None:
    seen = impact_preview([traffic(CALL)], ["vpce-1"], ["us-east-1"])
    assert seen["status"] == "blocked"
    assert "role/batch" in seen["blocking"][0]


def test_targets_of_one_account_show_a_caller_once() -> None:
    seen = impact_preview([traffic(CALL), traffic(CALL)], ["vpce-1"], ["us-east-1"])
    assert len(seen["callers"]) == 1


def test_addresses_and_explanations_clear_it() -> None:
    reason = [{"principal": "*/batch", "reason": "moves next week"}]
    for clear in ({"egress": ["198.51.100.7"]}, {"explained": reason}):
        assert impact_preview([traffic(CALL)], [], ["us-east-1"], **clear)["status"] == "clear"


def test_what_could_not_be_read_is_unknown() -> None:
    through = {**CALL, "vpc_endpoint_id": "vpce-1"}
    for evidence in (
        [],
        [{"traffic": None}],
        [traffic(through), {"traffic": None}],
        [traffic()],
        [traffic(through, complete=False)],
    ):
        assert impact_preview(evidence, ["vpce-1"], ["us-east-1"])["status"] == "unknown"
    assert impact_preview([traffic(through)], ["vpce-1"], ["us-east-1"])["status"] == "clear"


def test_an_explanation_without_a_reason_is_refused() -> None:
    with pytest.raises(AnsibleFilterError, match="reason"):
        impact_preview([traffic(CALL)], [], ["us-east-1"], explained=[{"principal": "*/batch"}])


def test_vantages_say_what_the_inventory_says_and_no_more() -> None:
    hostvars: dict[str, dict[str, Any]] = {
        "app-a": {
            "vantage_position": "inside",
            "vantage_subnet_id": "subnet-1",
            "ansible_host": "x",
        },
        "outside": {"vantage_position": "outside", "vantage_principal_tags": {}},
    }
    assert vantages(["app-a", "outside"], hostvars, "t") == [
        {"name": "app-a", "target": "t", "position": "inside", "subnet": "subnet-1"},
        {"name": "outside", "target": "t", "position": "outside", "principal_tags": {}},
    ]
