# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A refusal proves the lock only for an identity that the lock binds: others are not accepted as proof."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import Lab
from .scenarios.build import Scenario, inventory, world
from .story import Chapter, Story

# Somebody else's policy refuses whoever comes from outside, so that those whom the lock exempts are refused as well.
GUARD = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Deny",
            "Action": "bedrock:*",
            "Resource": "*",
            "Condition": {"IpAddress": {"aws:SourceIp": ["198.51.100.0/24"]}},
        }
    ],
}
TAG = {"key": "team", "value": "ai"}


def scenario(number: int, name: str, condition: dict[str, Any], **said: Any) -> Scenario:
    """A locked target whose lock has one more condition."""
    blank = Scenario("aws", name, number, {})
    listed = [f"vpce-0a000000000000{letter}{number}" for letter in "ef"]
    statement = {
        "Sid": "PrivateAiEndpoints",
        "Effect": "Deny",
        "Action": ["bedrock:*", "bedrock-agentcore:*", "bedrock-mantle:*", "sagemaker:*"],
        "Resource": "*",
        "Condition": {
            "StringNotEqualsIfExists": {"aws:SourceVpce": listed},
            "BoolIfExists": {"aws:ViaAWSService": "false"},
            **condition,
        },
    }
    content = {"Version": "2012-10-17", "Statement": [statement]}
    policies: list[dict[str, Any]] = [{"id": f"p-lablock{number}", "content": content}]
    if said.pop("guarded"):
        guard = {"name": f"guard-{name}", "content": GUARD, "targets": [blank.value("account")]}
        policies.append({"id": f"p-labguard{number}", **guard})
    more = {"principals": said.pop("principals", [])}
    return Scenario(
        "aws",
        name,
        number,
        {"world": {"aws": {"organization": {"policies": policies}, **more}}, **said},
    )


def app(number: int) -> str:
    return f"arn:aws:iam::2222222222{number}:user/app"


MANAGEMENT = {
    "arn": "arn:aws:iam::111111111111:user/admin",
    "access_key": "AKIALABADMINISTRAT00",
    "secret_key": "lab-secret-admin",
    "policies": [
        {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
        }
    ],
}
OPT_IN = {"StringEquals": {"aws:PrincipalTag/team": "ai"}}
TAGGED = {"bedrock_roll_out": "tagged", "bedrock_opt_in_tag": TAG}
LISTED = [
    scenario(
        11,
        "management",
        {},
        guarded=False,
        principals=[MANAGEMENT],
        outside={
            "vantage_aws_access_key_id": MANAGEMENT["access_key"],
            "vantage_aws_secret_access_key": MANAGEMENT["secret_key"],
        },
    ),
    scenario(
        12,
        "glass",
        {"ArnNotLikeIfExists": {"aws:PrincipalArn": [app(12)]}},
        guarded=True,
        variables={"bedrock_break_glass_arns": [app(12)]},
    ),
    scenario(
        13,
        "untagged",
        OPT_IN,
        guarded=True,
        variables=TAGGED,
        outside={"vantage_principal_tags": {}},
    ),
    scenario(14, "unsaid", OPT_IN, guarded=True, variables=TAGGED),
    scenario(
        15,
        "tagged",
        OPT_IN,
        guarded=False,
        variables=TAGGED,
        principals=[{"arn": app(15), "tags": {"team": "ai"}}],
        outside={"vantage_principal_tags": {"team": "ai"}},
    ),
    scenario(16, "bound", {}, guarded=False),
]
REASONS = {
    "management": "is in the management account, which no SCP binds",
    "glass": f"{app(12)} is exempt as {app(12)}",
    "untagged": "does not wear the opt-in tag team=ai",
    "unsaid": "nobody said whether",
}


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Chapter]:
    """All of them judged at once, and one of them locked."""
    told = Story(lab := Lab(tmp_path_factory.mktemp("exempt")))
    hosts = inventory(LISTED, lab.folder)
    told.tell("verified", hosts, "verify.yml")
    told.tell("locked", hosts, "lockdown.yml --limit unsaid:vantages")
    return told.read(world=world(LISTED, lab.folder))


@pytest.fixture
def verified(story: dict[str, Chapter]) -> Chapter:
    return story["verified"]


def seen(chapter: Chapter, name: str) -> list[dict[str, Any]]:
    """What was judged of the calls from outside."""
    return [
        item
        for item in chapter.report["findings"]
        if item["target"] == name
        and item["check"] == "aws_m1_public_access"
        and item["vantage"] == f"{name}-outside"
    ]


@pytest.mark.parametrize("name", sorted(REASONS))
def test_what_an_exempt_identity_sees_proves_nothing(verified: Chapter, name: str) -> None:
    findings = seen(verified, name)
    assert len(findings) == 2
    for finding in findings:
        assert finding["status"] == "unknown"
        assert REASONS[name] in finding["observed"]
        assert ("denied by SCP" in finding["observed"]) == (name != "management")
    assert "aws_m1_public_access unknown" in verified.failures[name]


@pytest.mark.parametrize("name", ["bound", "tagged"])
def test_what_one_whom_it_binds_sees_does(verified: Chapter, name: str) -> None:
    assert [finding["status"] for finding in seen(verified, name)] == ["pass", "pass"]
    assert name not in verified.failures


def test_no_lock_is_made_that_nobody_could_prove(story: dict[str, Chapter]) -> None:
    """Nobody said whether the outside identity wears the tag: told at once, and not after the lock was waited for."""
    locked = story["locked"]
    assert locked.code != 0
    assert "unsaid-outside needs vantage_principal_tags" in locked.failures["unsaid"]
    assert locked.writes == []
