# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Policies are compared by meaning."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.private_ai.endpoints.plugins.module_utils.core.aws.policy_compare import (
    same,
)

names = st.sampled_from(["bedrock:InvokeModel", "bedrock:ListAgents", "*"])
statements = st.fixed_dictionaries(
    {
        "Effect": st.sampled_from(["Allow", "Deny"]),
        "Action": st.lists(names, min_size=1, max_size=3),
        "Resource": st.lists(st.sampled_from(["*", "arn:aws:x"]), min_size=1, max_size=2),
        "Principal": st.sampled_from(
            ["*", {"AWS": ["222222222222", "333333333333"]}, {"AWS": "arn:aws:iam::1:role/a"}]
        ),
    },
    optional={
        "Condition": st.fixed_dictionaries(
            {"StringEquals": st.dictionaries(st.sampled_from(["aws:PrincipalOrgID"]), names)}
        ),
        "Sid": st.sampled_from(["One", "Two"]),
    },
)
policies = st.fixed_dictionaries({"Statement": st.lists(statements, min_size=1, max_size=3)})


def rewritten(value: Any, draw: Any) -> Any:
    """The same policy in other words."""
    result = copy.deepcopy(value)
    draw.shuffle(result["Statement"])
    for statement in result["Statement"]:
        statement["Sid"] = draw.choice(["A", "B"])
        statement["Action"] = [item.upper() for item in reversed(statement["Action"])]
        if len(statement["Resource"]) == 1 and draw.random() < 0.5:
            statement["Resource"] = statement["Resource"][0]
        if statement["Principal"] == "*":
            statement["Principal"] = draw.choice(["*", {"AWS": "*"}, {"AWS": ["*"]}])
        if isinstance(statement["Principal"], dict) and len(statement["Principal"]["AWS"]) == 2:
            statement["Principal"] = {
                "AWS": ["333333333333", "arn:aws:iam::222222222222:root", "333333333333"]
            }
    return result


@given(policies, st.randoms(use_true_random=False))
def test_words_do_not_count(policy: dict[str, Any], draw: Any) -> None:
    assert same(policy, rewritten(policy, draw))


@given(policies, policies)
def test_it_is_symmetric(left: dict[str, Any], right: dict[str, Any]) -> None:
    assert same(left, left)
    assert same(left, right) == same(right, left)


BASE = {
    "Effect": "Allow",
    "Principal": "*",
    "Action": ["a:B"],
    "Resource": ["arn:aws:x/Y"],
    "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}, "Bool": {"aws:Secure": True}},
}


@pytest.mark.parametrize(
    "change",
    [
        {"Effect": "Deny"},
        {"Principal": {"AWS": "222222222222"}},
        {"Principal": {"AWS": "arn:aws:iam::222222222222:role/root"}},
        {"Action": ["a:B", "a:C"]},
        {"Resource": ["arn:aws:x/y"]},
        {"Condition": {}},
        {"Condition": {**BASE["Condition"], "Bool": {"aws:Secure": "false"}}},  # type: ignore[dict-item]
        {"Condition": {**BASE["Condition"], "StringEquals": {"aws:PrincipalOrgID": "O-1"}}},  # type: ignore[dict-item]
        {"Condition": {**BASE["Condition"], "StringLike": {"aws:PrincipalOrgID": "o-1"}}},  # type: ignore[dict-item]
    ],
)
def test_what_means_something_else_differs(change: dict[str, Any]) -> None:
    assert not same({"Statement": BASE}, {"Statement": {**BASE, **change}})


def test_forms_that_mean_the_same() -> None:
    other = {
        "Id": "any",
        "Version": "2012-10-17",
        "Statement": [
            {
                **BASE,
                "Condition": {
                    "StringEquals": {"AWS:principalorgid": ["o-1"]},
                    "Bool": {"aws:secure": "true"},
                    "Null": {},
                },
            }
        ],
    }
    assert same({"Statement": BASE}, other)


def test_the_version_counts_where_there_is_a_variable() -> None:
    statement = {**BASE, "Resource": "arn:aws:s3:::${aws:username}"}
    assert not same({"Statement": statement}, {"Version": "2012-10-17", "Statement": statement})


def test_no_policy_is_only_no_policy() -> None:
    assert same(None, None)
    assert not same(None, {"Statement": BASE})
