# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The service control policy: what it says, and that it is recognised again."""

from __future__ import annotations

from ansible_collections.private_ai.endpoints.plugins.module_utils.core.aws import scp, scp_analysis

RULES = scp.Rules(
    break_glass_arns=("arn:aws:iam::222222222222:role/break-glass",),
    opt_in_tag=("team", "ai"),
    exclusion_tag=True,
)


def document(rules: scp.Rules, *endpoint_ids: str) -> dict:
    return scp.render(scp.Document(frame=scp.frame(rules), endpoint_ids=frozenset(endpoint_ids)))


def test_the_plain_lock_denies_what_does_not_come_through_the_endpoints():
    assert document(scp.Rules(), "vpce-0b", "vpce-0a") == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "PrivateAiEndpoints",
                "Effect": "Deny",
                "Action": [
                    "bedrock:*",
                    "bedrock-agentcore:*",
                    "bedrock-mantle:*",
                    "sagemaker:*",
                ],
                "Resource": "*",
                "Condition": {
                    "StringNotEqualsIfExists": {"aws:SourceVpce": ["vpce-0a", "vpce-0b"]},
                    "BoolIfExists": {"aws:ViaAWSService": "false"},
                },
            }
        ],
    }


def test_exemptions_are_conditions_that_must_all_fail():
    lock, *guards = document(RULES, "vpce-0a")["Statement"]
    assert lock["Condition"]["ArnNotLikeIfExists"] == {
        "aws:PrincipalArn": ["arn:aws:iam::222222222222:role/break-glass"]
    }
    assert lock["Condition"]["StringEquals"] == {"aws:PrincipalTag/team": "ai"}
    assert (
        lock["Condition"]["StringNotEqualsIfExists"]["aws:PrincipalTag/dp:exclude:network"]
        == "true"
    )
    assert [guard["Condition"] for guard in guards] == [
        {
            operator: {"aws:TagKeys": [value]},
            "ArnNotLikeIfExists": lock["Condition"]["ArnNotLikeIfExists"],
        }
        for operator, value in (
            ("ForAnyValue:StringLike", "dp:exclude:*"),
            ("ForAnyValue:StringEqualsIgnoreCase", "dp:exclude:network"),
        )
    ]
    assert all("sts:TagSession" in guard["Action"] for guard in guards)


def test_it_is_read_back_in_any_form():
    made = document(RULES, "vpce-0a", "vpce-0b")
    lock = made["Statement"][0]
    lock["Action"] = list(reversed(lock["Action"]))
    lock["Resource"] = ["*"]
    lock["Condition"]["BoolIfExists"]["aws:ViaAWSService"] = False
    found = scp.read(made)
    assert found.endpoint_ids == {"vpce-0a", "vpce-0b"}
    assert scp.same_frame(found.frame, scp.frame(RULES))
    assert scp.rules_of(found.frame) == RULES


def test_a_statement_edited_by_hand_is_not_taken_for_rules():
    made = document(scp.Rules(), "vpce-0a")
    made["Statement"][0]["Condition"]["StringNotEquals"] = {"aws:RequestedRegion": "us-east-1"}
    found = scp.read(made)
    assert scp.rules_of(found.frame) is None
    assert found.endpoint_ids == {"vpce-0a"}


def test_others_statements_are_not_ours():
    theirs = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    found = scp.read({"Version": "2012-10-17", "Statement": theirs})
    assert found.foreign == (theirs,)
    assert found.frame is None
    assert not scp.same_frame(found.frame, scp.frame(scp.Rules()))


def in_effect(content: dict) -> dict:
    """Evidence in which a policy is attached to an account."""
    node = {"id": "2" * 12, "policies": [{"name": "lock", "id": "p-1", "content": content}]}
    return {"scp_enabled": True, "management_account_id": "1" * 12, "path": [node]}


def test_the_checks_accept_what_is_generated():
    evidence = in_effect(document(RULES, "vpce-0a"))
    for prefix in scp.ACTION_PREFIXES:
        (deny,) = scp_analysis.denies(evidence, prefix)
        assert deny.useless == ()
        assert deny.endpoint_ids == {"vpce-0a"}
        assert deny.opt_in == ("team", "ai")
        assert deny.exclusion == ("dp:exclude:network", "true")
        assert deny.exempt_arns == RULES.break_glass_arns
    assert scp_analysis.unprotected_tagging(evidence, "dp:exclude:network") == []
