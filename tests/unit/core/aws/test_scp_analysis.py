# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which Deny closes the public path, whom it binds, and whether its exemption by tag is guarded."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.private_ai.endpoints.plugins.module_utils.core.aws import scp
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.aws.binding import (
    EXCLUSION_TAG,
    Lock,
    binding,
    matches,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.aws.scp_analysis import (
    denies,
    lock_of,
    unprotected_tagging,
)
from ansible_collections.private_ai.endpoints.tests.unit.support.aws_case import (
    ACCOUNT,
    enforcement,
)

NETWORK = {"StringNotEquals": {"aws:SourceVpce": ["vpce-1"]}}
ARNS = st.sampled_from(
    [f"arn:aws:iam::{ACCOUNT}:role/break-glass", "arn:aws:iam::111111111111:user/admin"]
)


def counts(statement: dict[str, Any], prefix: str = "bedrock") -> bool:
    return any(not item.useless for item in denies(enforcement(statement), prefix))


def deny(condition: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    return {
        "Effect": "Deny",
        "Action": "bedrock:*",
        "Resource": "*",
        "Condition": NETWORK if condition is None else condition,
        **changes,
    }


@pytest.mark.parametrize(
    "statement",
    [
        deny(),
        deny({}),
        deny(Action="*"),
        deny(Action=["s3:*", "BEDROCK:*"]),
        deny(Action="bed*:*"),
        deny({"StringNotEqualsIfExists": {"aws:SourceVpce": "vpce-1"}}),
        deny({"StringNotLike": {"aws:SourceVpce": "vpce-*"}}),
        deny({"StringNotEquals": {"aws:SourceVpc": "vpc-1"}}),
        deny({"Null": {"aws:SourceVpce": "true"}}),
        deny({**NETWORK, "Bool": {"aws:ViaAWSService": False}}),
        {"Effect": "Deny", "NotAction": ["iam:*", "s3:*"], "Resource": "*", "Condition": NETWORK},
    ],
)
def test_counts(statement: dict[str, Any]) -> None:
    assert counts(statement)


@pytest.mark.parametrize(
    "statement",
    [
        deny(Effect="Allow"),
        deny(Action="bedrock:InvokeModel"),
        deny(Action="bedrock:Invoke*"),
        deny(Action="sagemaker:*"),
        deny(Resource="arn:aws:bedrock:*::foundation-model/*"),
        deny({"StringEquals": {"aws:SourceVpce": "vpce-1"}}),
        deny({"Null": {"aws:SourceVpce": "false"}}),
        deny({"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}}),
        deny({"StringNotEquals": {"aws:VpceOrgID": "o-1"}}),
        deny({**NETWORK, "StringEquals": {"aws:RequestedRegion": "us-east-1"}}),
        deny({**NETWORK, "Bool": {"aws:ViaAWSService": "true"}}),
        deny({**NETWORK, "ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/app"}}),
        deny({**NETWORK, "ArnNotLike": {"aws:PrincipalArn": "*"}}),
        deny({**NETWORK, "StringEqualsIfExists": {"aws:PrincipalTag/team": "ai"}}),
        {"Effect": "Deny", "NotAction": "bedrock:List*", "Resource": "*", "Condition": NETWORK},
        {"Effect": "Deny", "Action": "bedrock:*", "NotResource": "x", "Condition": NETWORK},
    ],
)
def test_does_not_count(statement: dict[str, Any]) -> None:
    assert not counts(statement)


def test_a_policy_type_that_is_off_denies_nothing() -> None:
    document = enforcement(deny())
    document["scp_enabled"] = False
    assert denies(document, "bedrock") == []


@given(
    prefixes=st.sets(st.sampled_from(scp.ACTION_PREFIXES), min_size=1),
    arns=st.sets(ARNS),
    opt_in=st.none() | st.just(("Team", "ai")),
    exclusion=st.booleans(),
    endpoints=st.sets(st.sampled_from(["vpce-1", "vpce-2"]), min_size=1),
)
def test_what_this_collection_writes_is_read_as_it_was_meant(
    prefixes: set[str],
    arns: set[str],
    opt_in: tuple[str, str] | None,
    exclusion: bool,
    endpoints: set[str],
) -> None:
    rules = scp.Rules(
        action_prefixes=tuple(prefixes),
        break_glass_arns=tuple(arns),
        opt_in_tag=opt_in,
        exclusion_tag=exclusion,
    )
    document = scp.Document(frame=scp.frame(rules), endpoint_ids=frozenset(endpoints))
    standing = enforcement(*scp.render(document)["Statement"])
    for prefix in scp.ACTION_PREFIXES:
        found = [item for item in denies(standing, prefix) if not item.useless]
        assert bool(found) == (prefix in prefixes)
        for item in found:
            assert item.endpoint_ids == endpoints
            assert (set(item.exempt_arns), item.opt_in) == (arns, opt_in)
            assert item.exclusion == (EXCLUSION_TAG if exclusion else None)
            assert lock_of(standing, item).management_account_id == "111111111111"
    if exclusion:
        assert unprotected_tagging(standing, EXCLUSION_TAG[0]) == []


@pytest.mark.parametrize(
    ("guard", "open_to"),
    [
        (None, 5),
        ({"Action": ["iam:Tag*"]}, 3),
        ({"Action": "*"}, 0),
        (
            {
                "Action": "*",
                "Condition": {"ForAllValues:StringEquals": {"aws:TagKeys": "dp:exclude:network"}},
            },
            5,
        ),
        ({"Action": "*", "Condition": {"ForAnyValue:StringEquals": {"aws:TagKeys": "other"}}}, 5),
        (
            {
                "Action": "*",
                "Condition": {"StringLike": {"aws:RequestTag/dp:exclude:network": "*"}},
            },
            0,
        ),
        ({"Action": "*", "Condition": {"Null": {"aws:RequestTag/dp:exclude:network": "false"}}}, 0),
        ({"Action": "*", "Condition": {"Null": {"aws:RequestTag/dp:exclude:network": "true"}}}, 5),
        (
            {
                "Action": "*",
                "Condition": {"StringNotEquals": {"aws:RequestTag/dp:exclude:network": "true"}},
            },
            5,
        ),
        *(
            (
                {
                    "Action": "*",
                    "Condition": {
                        "ForAnyValue:StringLike": {"aws:TagKeys": ["dp:exclude:*"]},
                        **narrowed,
                    },
                },
                open_to,
            )
            for narrowed, open_to in (
                ({"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/tagger"}}, 0),
                ({"ArnNotLike": {"aws:PrincipalArn": "*"}}, 5),
                ({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/tagger"}}, 5),
                ({"StringEquals": {"aws:RequestTag/team": "ai"}}, 5),
            )
        ),
    ],
)
def test_the_exclusion_tag_must_be_guarded(guard: dict[str, Any] | None, open_to: int) -> None:
    statement = {
        "Effect": "Deny",
        "Resource": "*",
        "Condition": {"ForAnyValue:StringLike": {"aws:TagKeys": ["dp:exclude:*"]}},
        **(guard or {}),
    }
    standing = enforcement(*([statement] if guard else []))
    assert len(unprotected_tagging(standing, "dp:exclude:network")) == open_to


@pytest.mark.parametrize(
    ("principal", "status"),
    [
        (f"arn:aws:iam::{ACCOUNT}:user/app", "bound"),
        (f"arn:aws:iam::{ACCOUNT}:root", "bound"),
        (f"arn:aws:sts::{ACCOUNT}:assumed-role/app/session", "bound"),
        ("arn:aws:iam::111111111111:user/admin", "exempt"),
        ("arn:aws:iam::999999999999:user/app", "exempt"),
        (f"arn:aws:iam::{ACCOUNT}:role/break-glass", "exempt"),
        (f"arn:aws:sts::{ACCOUNT}:assumed-role/break-glass/someone", "exempt"),
        (
            f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/x.amazonaws.com/AWSServiceRoleForX",
            "exempt",
        ),
        (f"arn:aws:sts::{ACCOUNT}:assumed-role/AWSServiceRoleForX/session", "exempt"),
        (None, "unknown"),
        ("someone", "unknown"),
    ],
)
def test_whom_a_lock_binds(principal: str | None, status: str) -> None:
    lock = Lock(
        management_account_id="111111111111",
        accounts=frozenset([ACCOUNT]),
        exempt_arns=(f"arn:aws:iam::{ACCOUNT}:role/path/break-*",),
    )
    if principal and principal.endswith(":role/break-glass"):
        lock = Lock(exempt_arns=("arn:aws:iam::*:role/break-glass",))
    assert binding(principal, None, lock).status == status


@pytest.mark.parametrize(
    ("tags", "opt_in", "exclusion", "status"),
    [
        (None, None, None, "bound"),
        (None, ("team", "ai"), None, "unknown"),
        (None, None, EXCLUSION_TAG, "unknown"),
        ({}, ("team", "ai"), None, "exempt"),
        ({"team": "web"}, ("team", "ai"), None, "exempt"),
        ({"team": "ai"}, ("team", "ai"), None, "bound"),
        ({"team": "ai", EXCLUSION_TAG[0]: "true"}, ("team", "ai"), EXCLUSION_TAG, "exempt"),
        ({EXCLUSION_TAG[0]: "false"}, None, EXCLUSION_TAG, "bound"),
    ],
)
def test_tags_decide(tags: Any, opt_in: Any, exclusion: Any, status: str) -> None:
    lock = Lock(opt_in=opt_in, exclusion=exclusion)
    assert binding(f"arn:aws:iam::{ACCOUNT}:user/app", tags, lock).status == status


@given(st.text(alphabet="ab*?.[", max_size=6), st.text(alphabet="ab.[", max_size=6))
def test_wildcards_are_the_only_pattern(pattern: str, text: str) -> None:
    def slow(left: str, right: str) -> bool:
        if not left:
            return not right
        if left[0] == "*":
            return any(slow(left[1:], right[index:]) for index in range(len(right) + 1))
        return bool(right) and left[0] in ("?", right[0]) and slow(left[1:], right[1:])

    assert matches(pattern, text) == slow(pattern, text)
