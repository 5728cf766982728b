# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whom an endpoint policy admits, by what binds a principal and what only looks like it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.private_ai.endpoints.plugins.module_utils.core.aws.policy_analysis import (
    too_wide,
)

ORG, ACCOUNT = "o-a1b2c3d4e5", "222222222222"


def policy(condition: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    statement = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "bedrock:InvokeModel",
        "Resource": "*",
    }
    statement.update(changes)
    if condition is not None:
        statement["Condition"] = condition
    return {"Statement": [statement]}


BINDING = [
    {"StringEquals": {"aws:PrincipalOrgID": ORG}},
    {"StringEquals": {"AWS:principalorgid": [ORG]}},
    {"StringEqualsIgnoreCase": {"aws:PrincipalOrgID": ORG}},
    {"StringLike": {"aws:PrincipalOrgID": ORG}},
    {"StringEquals": {"aws:PrincipalAccount": [ACCOUNT, "333333333333"]}},
    {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": f"{ORG}/r-1/ou-*"}},
    {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": [f"{ORG}/*"]}},
    {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/*"}},
    {"StringLike": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:*"}},
    {"ArnEquals": {"aws:PrincipalArn": f"arn:aws:sts::{ACCOUNT}:assumed-role/app/*"}},
    {"StringEquals": {"aws:PrincipalOrgID": ORG}, "IpAddress": {"aws:VpcSourceIp": "10.0.0.0/8"}},
]

NOT_BINDING = [
    {},
    {"StringEqualsIfExists": {"aws:PrincipalOrgID": ORG}},
    {"ForAllValues:StringEquals": {"aws:PrincipalOrgID": ORG}},
    {"ForAllValues:StringLike": {"aws:PrincipalOrgPaths": f"{ORG}/*"}},
    {"StringNotEquals": {"aws:PrincipalOrgID": "o-somebody"}},
    {"StringLike": {"aws:PrincipalOrgID": "*"}},
    {"StringLike": {"aws:PrincipalOrgID": "o-*"}},
    {"StringLike": {"aws:PrincipalOrgID": [ORG, "*"]}},
    {"StringLike": {"aws:PrincipalAccount": "????????????"}},
    {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "*"}},
    {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-*/r-1/*"}},
    {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/app"}},
    {"StringLike": {"aws:PrincipalArn": "*"}},
    {"StringEquals": {"aws:SourceVpc": "vpc-0a"}},
    {"StringEquals": {"aws:SourceVpce": "vpce-0a"}},
    {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}},
    {"Null": {"aws:PrincipalOrgID": "false"}},
    {"StringEquals": {"aws:ResourceOrgID": ORG}},
    {"StringEquals": {"aws:PrincipalTag/team": "ai"}},
    {"Bool": {"aws:PrincipalIsAWSService": "false"}},
    {"StringEquals": {"aws:PrincipalOrgID": []}},
]


@pytest.mark.parametrize("condition", BINDING, ids=str)
def test_binding(condition: dict[str, Any]) -> None:
    assert too_wide(policy(condition)) == []


@pytest.mark.parametrize("condition", NOT_BINDING, ids=str)
def test_not_binding(condition: dict[str, Any]) -> None:
    assert len(too_wide(policy(condition))) == 1


@pytest.mark.parametrize("key", ["NotPrincipal", "NotAction", "NotResource"])
def test_negated_elements_fail_even_with_a_binding_condition(key: str) -> None:
    document = policy(BINDING[0])
    document["Statement"][0].pop(key.removeprefix("Not"))
    document["Statement"][0][key] = "*"
    assert any(key in item.reason for item in too_wide(document))


@pytest.mark.parametrize(
    ("principal", "wide"),
    [
        ({"AWS": ACCOUNT}, False),
        ({"AWS": [f"arn:aws:iam::{ACCOUNT}:root"]}, False),
        ({"AWS": f"arn:aws:iam::{ACCOUNT}:role/app"}, False),
        ({"AWS": "*"}, True),
        ({"AWS": [ACCOUNT, "*"]}, True),
        ({"AWS": []}, True),
        ({"Service": "bedrock.amazonaws.com"}, True),
        ({"AWS": ACCOUNT, "Service": "bedrock.amazonaws.com"}, True),
        ("*", True),
    ],
)
def test_principals(principal: Any, wide: bool) -> None:
    assert bool(too_wide(policy(Principal=principal))) is wide


def test_every_action_is_too_wide_whoever_may() -> None:
    assert [item.reason for item in too_wide(policy(BINDING[0], Action="*"))] == [
        "allows every action (`*`)"
    ]


@pytest.mark.parametrize("key", ["aws:PrincipalOrgID", "aws:PrincipalAccount"])
def test_a_policy_variable_binds_to_nobody(key: str) -> None:
    assert too_wide(policy({"StringEquals": {key: f"${{{key}}}"}}))


def test_bound_to_somebody_else() -> None:
    document = policy({"StringEquals": {"aws:PrincipalOrgID": "o-somebody"}})
    assert too_wide(document) == []
    assert "o-a1b2c3d4e5" in too_wide(document, organization_id=ORG)[0].reason
    assert too_wide(policy(Principal={"AWS": "999999999999"}), accounts=[ACCOUNT])


def test_a_deny_admits_nobody_and_a_single_statement_needs_no_list() -> None:
    assert (
        too_wide(
            {"Statement": {"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}}
        )
        == []
    )
    assert too_wide({"Statement": policy()["Statement"][0]})


@given(st.lists(st.sampled_from([*BINDING, *NOT_BINDING]), min_size=1, max_size=5))
def test_each_statement_stands_for_itself(found: list[dict[str, Any]]) -> None:
    document = {"Statement": [policy(item)["Statement"][0] for item in found]}
    unbound = [f"statement {index + 1}" for index, item in enumerate(found) if item in NOT_BINDING]
    assert [item.statement for item in too_wide(document)] == unbound
