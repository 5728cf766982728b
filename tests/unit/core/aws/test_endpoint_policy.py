# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The generated policies: every Allow binds its principals, and the probe's read is admitted."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.private_ai.endpoints.plugins.module_utils.core.aws.catalogue import (
    CATALOGUE,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.aws.endpoint_policy import (
    MAX_CHARACTERS,
    Admission,
    action_problem,
    generate,
    is_listed,
    model_arns,
    profile_arns,
    profile_problem,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.aws.plan_create_request import (
    policy_problems,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.aws.policy_analysis import (
    too_wide,
)

MODEL = "arn:aws:bedrock:us-east-1::foundation-model/amazon.titan"
services = st.sampled_from([None, *CATALOGUE.values()])
admissions = st.builds(
    Admission,
    organization_id=st.just("o-1"),
    organization_paths=st.sampled_from([(), ("o-1/r-1/*",)]),
    account_ids=st.sampled_from([(), ("222222222222",)]),
    resources=st.sampled_from([(), (MODEL,), ("arn:aws:sagemaker:us-east-1:2:endpoint/a", MODEL)]),
    extra_actions=st.sampled_from([(), ("bedrock:CreateGuardrail", "sagemaker:CreateModel")]),
)


def admitted(policy: dict[str, Any], action: str, resource: str = "*") -> bool:
    return any(
        action in statement["Action"] and resource in statement["Resource"]
        for statement in policy["Statement"]
    )


@given(services, admissions)
def test_every_statement_binds_its_principals(service: Any, admission: Admission) -> None:
    policy = generate(service, admission)
    assert policy_problems(policy) == []
    assert len(json.dumps(policy)) < MAX_CHARACTERS
    for statement in policy["Statement"]:
        conditions = statement["Condition"]
        assert conditions["StringEquals"]["aws:PrincipalOrgID"] == "o-1"
        assert ("aws:PrincipalAccount" in conditions["StringEquals"]) == bool(admission.account_ids)
        paths = conditions.get("ForAnyValue:StringLike", {}).get("aws:PrincipalOrgPaths", [])
        assert tuple(paths) == admission.organization_paths
        if is_listed(service):
            assert not {"*", f"{service.iam_prefix}:*"} & set(statement["Action"])


@given(
    services.filter(is_listed),
    st.sampled_from(
        [
            Admission(organization_id="o-1"),
            Admission(account_ids=("222222222222",)),
            Admission(organization_paths=("o-1/r-1/ou-1/*",), resources=(MODEL,)),
        ]
    ),
)
def test_the_analysis_of_policies_finds_nothing_in_them(service: Any, admission: Admission) -> None:
    policy = generate(service, admission)
    assert too_wide(policy, organization_id="o-1", accounts=["222222222222"]) == []


@given(services.filter(lambda item: item and item.probe), admissions)
def test_the_probe_is_always_admitted(service: Any, admission: Admission) -> None:
    assert admitted(generate(service, admission), service.probe.name)


def test_models_narrow_invocations_and_nothing_else() -> None:
    admission = Admission(organization_id="o-1", resources=(MODEL,))
    policy = generate(CATALOGUE["bedrock-runtime"], admission)
    for action in ("InvokeModel", "InvokeModelWithResponseStream", "CountTokens"):
        assert admitted(policy, f"bedrock:{action}", MODEL)
        assert not admitted(policy, f"bedrock:{action}")
    assert admitted(policy, "bedrock:ApplyGuardrail")
    assert not any("Converse" in action for s in policy["Statement"] for action in s["Action"])


def test_a_model_of_bedrock_narrows_no_sagemaker_endpoint() -> None:
    admission = Admission(organization_id="o-1", resources=(MODEL,))
    assert admitted(generate(CATALOGUE["sagemaker.runtime"], admission), "sagemaker:InvokeEndpoint")


def test_a_fips_variant_has_the_plain_services_policy() -> None:
    admission = Admission(organization_id="o-1")
    plain, fips = CATALOGUE["bedrock-runtime"], CATALOGUE["bedrock-runtime-fips"]
    assert generate(plain, admission) == generate(fips, admission)


def test_extra_actions_go_where_they_belong() -> None:
    admission = Admission(organization_id="o-1", extra_actions=("sagemaker:CreateModel",))
    assert admitted(generate(CATALOGUE["sagemaker.api"], admission), "sagemaker:CreateModel")
    assert not admitted(generate(CATALOGUE["bedrock"], admission), "sagemaker:CreateModel")


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        (
            {"id": "us.anthropic.claude", "regions": ["us-east-1", "us-west-2"]},
            [
                "arn:aws:bedrock:us-east-1:*:inference-profile/us.anthropic.claude",
                "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude",
                "arn:aws:bedrock:us-west-2::foundation-model/anthropic.claude",
            ],
        ),
        (
            {"id": "eu.anthropic.claude"},
            [
                "arn:aws:bedrock:us-east-1:*:inference-profile/eu.anthropic.claude",
                "arn:aws:bedrock:eu-*::foundation-model/anthropic.claude",
            ],
        ),
        (
            {"id": "global.anthropic.claude"},
            [
                "arn:aws:bedrock:us-east-1:*:inference-profile/global.anthropic.claude",
                "arn:aws:bedrock:*::foundation-model/anthropic.claude",
                "arn:aws:bedrock:::foundation-model/anthropic.claude",
            ],
        ),
        (
            {
                "id": "arn:aws:bedrock:us-east-1:2:application-inference-profile/abc",
                "model_id": "m",
                "regions": ["us-east-1"],
            },
            [
                "arn:aws:bedrock:us-east-1:2:application-inference-profile/abc",
                "arn:aws:bedrock:us-east-1::foundation-model/m",
            ],
        ),
    ],
)
def test_a_profile_needs_its_model_wherever_it_sends(
    profile: dict[str, Any], expected: list[str]
) -> None:
    assert profile_problem(profile) is None
    assert profile_arns(profile, partition="aws", region="us-east-1") == expected


def test_models_of_the_home_region() -> None:
    found = model_arns(["amazon.titan"], partition="aws-us-gov", region="us-gov-west-1")
    assert found == ["arn:aws-us-gov:bedrock:us-gov-west-1::foundation-model/amazon.titan"]


def test_words_that_cannot_be_meant() -> None:
    assert profile_problem({"id": "arn:aws:bedrock:r:2:application-inference-profile/abc"})
    assert action_problem("CreateGuardrail", {"bedrock"})
    assert action_problem("*", {"bedrock"})
    assert action_problem("s3:GetObject", {"bedrock"})
    assert action_problem("bedrock:Create*", {"bedrock"}) is None


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        ([], "not a JSON object"),
        ({}, "no Statement"),
        ({"Version": "2020", "Statement": [{}]}, "2012-10-17"),
        ({"Statement": ["x"]}, "statement 1 is not an object"),
        (
            {"Statement": {"Effect": "Permit", "Principal": "*", "Action": "*", "Resource": "*"}},
            "Allow or Deny",
        ),
        (
            {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}},
            "Principal and NotPrincipal",
        ),
        (
            {
                "Statement": {
                    "Effect": "Allow",
                    "Principal": "*",
                    "Action": "*",
                    "Resource": "*",
                    "Actions": "x",
                }
            },
            "unknown element Actions",
        ),
        (
            {
                "Statement": {
                    "Effect": "Allow",
                    "Principal": "*",
                    "Action": "a:" + "b" * MAX_CHARACTERS,
                    "Resource": "*",
                }
            },
            "longer than 20480",
        ),
    ],
)
def test_policies_that_ec2_would_refuse(policy: Any, words: str) -> None:
    assert words in "; ".join(policy_problems(policy))
