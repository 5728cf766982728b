# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The impact preview: who stops a scope, and who does not."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.private_ai.endpoints.plugins.module_utils.core.errors import EndpointError
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.preview import (
    BLOCKING,
    Reach,
    explanations,
    preview,
)

REACH = Reach(
    endpoints=frozenset({"vpce-1"}),
    regions=frozenset({"us-east-1"}),
    egress=frozenset({"198.51.100.21"}),
)


def group(**changes: Any) -> dict[str, Any]:
    return {
        "principal": "arn:aws:iam::222222222222:role/batch",
        "operation": "InvokeModel",
        "region": "us-east-1",
        "vpc_endpoint_id": None,
        "invoked_by": None,
        "error_code": None,
        "source_ip": "203.0.113.9",
        "count": 3,
        **changes,
    }


def judged(
    *groups: dict[str, Any], explained: list[dict[str, Any]] | None = None, complete: bool = True
) -> Any:
    traffic = {"start": "a", "end": "b", "complete": complete, "groups": list(groups)}
    return preview(traffic, REACH, explanations(explained or []))


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({}, "public"),
        ({"invoked_by": "bedrock.amazonaws.com"}, "service"),
        ({"vpc_endpoint_id": "vpce-1"}, "private"),
        ({"vpc_endpoint_id": "vpce-2"}, "unlisted"),
        ({"region": "eu-west-1"}, "region"),
        ({"region": "eu-west-1", "vpc_endpoint_id": "vpce-1"}, "region"),
        ({"source_ip": "198.51.100.21"}, "proved"),
        ({"source_ip": "198.51.100.21", "invoked_by": "bedrock.amazonaws.com"}, "service"),
        ({"error_code": "AccessDenied"}, "refused"),
        ({"error_code": "ThrottlingException"}, "public"),
        ({"probe": True}, "probe"),
        ({"probe": False}, "public"),
    ],
)
def test_each_caller_has_its_class_and_blocks_by_it(changes: dict[str, Any], kind: str) -> None:
    result = judged(group(**changes))
    assert result["callers"][0]["class"] == kind
    expected = "blocked" if kind in BLOCKING else "unknown" if kind == "probe" else "clear"
    assert result["status"] == expected


def test_an_unlisted_endpoint_blocks_only_once_all_members_are_known() -> None:
    traffic = {"complete": True, "groups": [group(vpc_endpoint_id="vpce-2")]}
    early = Reach(endpoints=REACH.endpoints, regions=REACH.regions, final=False)
    assert preview(traffic, early, [])["status"] == "clear"
    assert preview(traffic, REACH, [])["status"] == "blocked"


def test_a_blocking_caller_is_named_with_count_and_way_out() -> None:
    (sentence,) = judged(group())["blocking"]
    assert "role/batch called InvokeModel 3 times in us-east-1" in sentence
    assert "explained_callers" in sentence


def test_an_explanation_covers_only_what_it_names() -> None:
    explained = [{"principal": "*role/batch", "operation": "Invoke*", "reason": "moves in March"}]
    result = judged(group(), group(operation="Converse"), explained=explained)
    assert [caller["class"] for caller in result["callers"]] == ["explained", "public"]
    assert result["callers"][0]["because"] == "moves in March"
    assert result["status"] == "blocked"


@pytest.mark.parametrize("traffic", [None, {"complete": True, "groups": []}])
def test_no_records_is_unknown(traffic: Any) -> None:
    assert preview(traffic, REACH, [])["status"] == "unknown"


def test_records_cut_short_are_unknown_unless_they_already_block() -> None:
    assert judged(group(vpc_endpoint_id="vpce-1"), complete=False)["status"] == "unknown"
    assert judged(group(), complete=False)["status"] == "blocked"


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"principal": "x"}, "no reason"),
        ({"reason": "because"}, "matches every caller"),
        ({"principal": "*", "reason": "because"}, "matches every caller"),
        ({"who": "x", "reason": "because"}, "unknown keys who"),
    ],
)
def test_an_explanation_that_explains_nothing_is_refused(
    document: dict[str, Any], words: str
) -> None:
    with pytest.raises(EndpointError, match=words):
        explanations([document])


_GROUPS = st.builds(
    group,
    vpc_endpoint_id=st.sampled_from([None, "vpce-1", "vpce-2"]),
    region=st.sampled_from(["us-east-1", "eu-west-1"]),
    invoked_by=st.sampled_from([None, "bedrock.amazonaws.com"]),
    error_code=st.sampled_from([None, "AccessDenied"]),
    source_ip=st.sampled_from(["198.51.100.21", "203.0.113.9"]),
)


@given(st.lists(_GROUPS, min_size=1, max_size=6), _GROUPS)
def test_more_callers_never_unblock_a_scope(
    groups: list[dict[str, Any]], another: dict[str, Any]
) -> None:
    if judged(*groups)["status"] == "blocked":
        assert judged(*groups, another)["status"] == "blocked"


@given(st.lists(_GROUPS, min_size=1, max_size=6))
def test_clear_means_that_every_call_that_works_today_is_private_or_proved(
    groups: list[dict[str, Any]],
) -> None:
    if judged(*groups)["status"] == "clear":
        for caller in groups:
            assert caller["error_code"] or (
                caller["region"] == "us-east-1"
                and (
                    caller["vpc_endpoint_id"] == "vpce-1"
                    or (not caller["invoked_by"] and caller["source_ip"] == "198.51.100.21")
                )
            )
