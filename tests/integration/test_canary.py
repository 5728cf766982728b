# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A canary whose model call Bedrock makes under a service role, from AWS's side: named, seen to break, saved."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from .conftest import INVENTORY, Lab
from .story import Chapter, Story

ROLE = "arn:aws:iam::222222222222:role/AmazonBedrockExecutionRoleForAgents_lab"
ALLOWED = {"Effect": "Allow", "Action": "bedrock:InvokeModel", "Resource": "*"}
WORLD = {
    "aws": {
        "timing": {"endpoint_pending": 0.3, "scp_propagation": 0.3},
        "principals": [
            {
                "arn": ROLE,
                "trusted": ["222222222222"],
                "policies": [{"Version": "2012-10-17", "Statement": [ALLOWED]}],
            }
        ],
    }
}
AGENT = """
import boto3
keys = dict(aws_access_key_id="AKIALABAPPLICATION00", aws_secret_access_key="lab-secret-application")
client = boto3.client("bedrock-agent-runtime", region_name="us-east-1", **keys)
said = client.invoke_agent(agentId="LABAGENT01", agentAliasId="LABALIAS01", sessionId="canary", inputText="hello")
print(b"".join(event["chunk"]["bytes"] for event in said["completion"] if "chunk" in event).decode())
"""


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Chapter]:
    """Every run by its name."""
    told = Story(lab := Lab(tmp_path_factory.mktemp("canary")))
    script = lab.path("agent.py")
    script.write_text(AGENT)
    command = ["{{ ansible_playbook_python }}", str(script)]
    more = lab.path("more.yml")
    more.write_text(
        yaml.safe_dump(
            {
                "bedrock": {
                    "vars": {
                        "bedrock_services": ["bedrock", "bedrock-agent-runtime"],
                        "bedrock_soak_seconds": 0,
                    }
                },
                "vantages": {"hosts": {"canary": {"vantage_canary_command": command}}},
            }
        )
    )
    both = f"{INVENTORY} -i {more}"
    settings: dict[str, Any] = {"vantages": ["app-a", "spoke-a", "outside", "canary"]}
    call = f"$LAB_RUN/in-canary python {script}"
    told.do(call)
    told.tell("stopped", both, "lockdown.yml", **settings)
    wrong = {"principal": "*AmazonBedrockExecutionRoleForAgents_*", "reason": "has an endpoint"}
    told.tell("undone", both, "lockdown.yml", **settings, bedrock_explained_callers=[wrong])
    told.do(call)
    told.tell(
        "exempt",
        both,
        "lockdown.yml",
        **settings,
        bedrock_explained_callers=[wrong],
        bedrock_break_glass_arns=[ROLE],
    )
    told.do(call)
    return told.read(world=WORLD)


def test_the_preview_stops_the_scope_and_names_the_service_role(story: dict[str, Chapter]) -> None:
    run = story["stopped"]
    assert run.code != 0
    assert f"{ROLE} called InvokeModel" in run.failures["app-use1"]
    assert "made by bedrock.amazonaws.com over the public path" in run.failures["app-use1"]
    callers = run.report["targets"][0]["preview"]["callers"]
    assert [item["class"] for item in callers if item["principal"] == ROLE] == ["service"]
    assert not any("organizations" in name for name in run.writes)


def test_explained_wrongly_the_soak_sees_it_fail_and_undoes_the_lock(
    story: dict[str, Chapter],
) -> None:
    run = story["undone"]
    assert run.code != 0
    assert "canary (canary) cannot do what it does: exit code 1" in run.failures["app-use1"]
    # Which is said only after the canary did its work once more.
    assert "The lock was undone, and calls are admitted again." in run.failures["app-use1"]
    assert run.writes.index("organizations:AttachPolicy") < run.writes.index(
        "organizations:DetachPolicy"
    )


def test_with_its_role_exempt_the_lock_holds(story: dict[str, Chapter]) -> None:
    run = story["exempt"]
    assert run.code == 0, run.output
    assert "organizations:UntagResource" in run.writes
    assert json.dumps(run.report).count("cannot do what it does") == 0
