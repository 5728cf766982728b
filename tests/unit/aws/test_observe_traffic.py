# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""CloudTrail's events, put together."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.private_ai.endpoints.plugins.module_utils.aws.observe_traffic import (
    grouped,
)

ROLE = "arn:aws:iam::222222222222:role/app"


def event(session: str = "one", **changes: Any) -> dict[str, Any]:
    return {
        "eventTime": "2026-03-01T12:00:00Z",
        "eventName": "InvokeModel",
        "eventSource": "bedrock.amazonaws.com",
        "awsRegion": "us-east-1",
        "sourceIPAddress": "10.10.1.10",
        "vpcEndpointId": "vpce-1",
        "userIdentity": {
            "type": "AssumedRole",
            "arn": f"arn:aws:sts::222222222222:assumed-role/app/{session}",
            "sessionContext": {"sessionIssuer": {"arn": ROLE}},
        },
        **changes,
    }


def test_sessions_of_a_role_are_one_caller() -> None:
    groups = grouped([event("one"), event("two", eventTime="2026-03-01T11:00:00Z")])
    assert [(item["principal"], item["count"]) for item in groups] == [(ROLE, 2)]
    assert (groups[0]["first_seen"], groups[0]["last_seen"]) == (
        "2026-03-01T11:00:00Z",
        "2026-03-01T12:00:00Z",
    )


def test_a_service_is_told_apart_from_a_caller() -> None:
    identity = {"type": "AWSService", "invokedBy": "bedrock.amazonaws.com"}
    (group,) = grouped([event(userIdentity=identity, vpcEndpointId=None)])
    assert (group["invoked_by"], group["vpc_endpoint_id"]) == ("bedrock.amazonaws.com", None)


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "vpcEndpointId": st.sampled_from([None, "vpce-1"]),
                "errorCode": st.sampled_from([None, "AccessDenied"]),
                "eventName": st.sampled_from(["InvokeModel", "Converse"]),
            }
        ),
        max_size=20,
    )
)
def test_no_event_is_lost_and_no_group_is_mixed(changes: list[dict[str, Any]]) -> None:
    groups = grouped(event(**item) for item in changes)
    assert sum(item["count"] for item in groups) == len(changes)
    assert len(groups) == len({tuple(sorted(item.items(), key=str)) for item in changes})
