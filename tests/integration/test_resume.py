# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run dies between lock and seal, or a vantage is lost then: no lock stands that nobody saw hold."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import Any

import pytest
import yaml

from .conftest import INVENTORY, Lab
from .story import Chapter, Story

WORLD = {"aws": {"timing": {"endpoint_pending": 0.3, "scp_propagation": 0.3}}}
SETTINGS: dict[str, Any] = {
    "vantages": ["app-a", "spoke-a", "outside"],
    "bedrock_soak_seconds": 0,
}

# Starts the main job, kills the whole of it once the policy is attached, and shows what it left.
KILL = """
import json, os, signal, subprocess, sys, time
import boto3
started = len(open(os.environ["LAB_JOURNAL"]).readlines())
command = ["ansible-playbook", "-i", sys.argv[1], "playbooks/lockdown.yml", "-e", "@" + sys.argv[2]]
log = open(sys.argv[3] + ".log", "w")
job = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
def attached():
    lines = open(os.environ["LAB_JOURNAL"]).readlines()[started:]
    return any("AttachPolicy" in line for line in lines)
while not attached():
    if job.poll() is not None:
        sys.exit("the job ended before it locked")
    time.sleep(0.05)
os.killpg(job.pid, signal.SIGKILL)
job.wait()
keys = dict(aws_access_key_id="AKIALABADMINISTRAT00", aws_secret_access_key="lab-secret-admin")
client = boto3.client("organizations", region_name="us-east-1", **keys)
(policy,) = [p for p in client.list_policies(Filter="SERVICE_CONTROL_POLICY")["Policies"] if not p["AwsManaged"]]
tags = {tag["Key"]: tag["Value"] for tag in client.list_tags_for_resource(ResourceId=policy["Id"])["Tags"]}
json.dump(tags, open(sys.argv[3], "w"))
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Lab, dict[str, Chapter]]:
    """A job that is killed, and a run that resumes; killed again, and a run that cannot prove anything."""
    story = Story(lab := Lab(tmp_path_factory.mktemp("resume")))
    lab.path("kill.py").write_text(textwrap.dedent(KILL))
    lab.path("slow.json").write_text(json.dumps({**SETTINGS, "bedrock_soak_seconds": 60}))
    kill = f"python {lab.path('kill.py')} {INVENTORY} {lab.path('slow.json')}"
    story.do(f"{kill} {lab.path('first.json')}")
    story.tell("resumed", INVENTORY, "lockdown.yml", **SETTINGS)
    story.tell("again", INVENTORY, "lockdown.yml", **SETTINGS)
    story.do("ansible-playbook playbooks/unlock.yml -e scope=222222222222 > /dev/null")
    story.do(f"{kill} {lab.path('second.json')}")
    # An inside vantage is gone by the time of the next run.
    gone = {"name": "gone", "position": "inside", "ansible_connection": "local"}
    gone["ansible_python_interpreter"] = "/nonexistent/python3"
    lost = {**SETTINGS, "vantages": ["app-a", "outside", gone]}
    story.tell("undone", INVENTORY, "lockdown.yml", **lost)
    story.tell("verified", INVENTORY, "verify.yml", private_endpoint_expect="open", **SETTINGS)
    return lab, story.read(world=WORLD)


Told = tuple[Lab, dict[str, Chapter]]


@pytest.mark.parametrize("name", ["first", "second"])
def test_a_run_that_is_killed_leaves_its_marker(told: Told, name: str) -> None:
    tags = json.loads(told[0].path(f"{name}.json").read_text())
    assert any(key.startswith("private-ai-endpoints:pending:") for key in tags)


def test_the_next_run_resumes_and_seals(told: Told) -> None:
    run = told[1]["resumed"]
    assert run.code == 0, run.output
    assert "resumed: run" in run.output
    assert "organizations:CreatePolicy" not in run.writes
    assert "organizations:UntagResource" in run.writes
    assert told[1]["again"].code == 0
    assert told[1]["again"].writes == []


def test_a_next_run_that_cannot_prove_undoes_it(told: Told) -> None:
    run = told[1]["undone"]
    assert run.code != 0
    assert "gone" in run.failures["app-use1"]
    assert "The lock of a run that did not end was undone." in run.failures["app-use1"]
    assert "organizations:DetachPolicy" in run.writes
    assert told[1]["verified"].code == 0, told[1]["verified"].output
    cells = {
        row["vantage"]: row["outcome"] for row in told[1]["verified"].report["targets"][0]["matrix"]
    }
    assert cells["outside"] == "admitted"


def test_a_vantage_that_is_lost_after_the_lock_undoes_it(lab: Lab) -> None:
    """An inside vantage answers until the policy is attached; the host it is on is gone then."""
    python: Path = lab.path("python-until-locked")
    python.write_text(
        '#!/bin/sh\ngrep -q AttachPolicy "$LAB_JOURNAL" && exit 255\nexec "$LAB_RUN/python-app-a" "$@"\n'
    )
    python.chmod(0o755)
    hosts = {"app-a": {"ansible_python_interpreter": str(python)}}
    more = lab.path("more.yml")
    more.write_text(yaml.safe_dump({"vantages": {"hosts": hosts}}))
    story = Story(lab)
    story.tell("lost", f"{INVENTORY} -i {more}", "lockdown.yml", **SETTINGS)
    run = story.read(world=WORLD)["lost"]
    assert run.code != 0
    assert "app-a" in run.failures["app-use1"]
    assert "The lock was undone, and calls are admitted again." in run.failures["app-use1"]
    assert run.writes.index("organizations:AttachPolicy") < run.writes.index(
        "organizations:DetachPolicy"
    )
