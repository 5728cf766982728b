# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How much is asked of AWS when nothing is to be done, by the lab's journal, and how long several endpoints wait."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

from .aws_subjects import CREATE, ENDPOINTS, TIMING
from .conftest import INVENTORY, Lab
from .harness import HERE

# Each answer takes so long that what begins before another has ended was asked at the same time.
SLOW = [{"match": {"operation": "*"}, "kind": "delay", "seconds": 0.4}]
OBSERVE = "bedrock_vpc_endpoint_info"
PHASES = {"bedrock_vpc_endpoint", "bedrock_private_dns", "bedrock_lockdown"}
# Of a target that is alone in its scope: its endpoints, their names, what stands of the organization's policy, and
# every AssumeRole.
PER_TARGET = 15


def began(entry: dict[str, Any]) -> float:
    return datetime.fromisoformat(entry["time"]).timestamp()


def round_trips(entries: list[dict[str, Any]]) -> int:
    """The longest chain of requests of which each began after the one before was answered."""
    count, end = 0, 0.0
    for entry in sorted(entries, key=lambda item: began(item) + item["duration"]):
        if began(entry) >= end:
            count, end = count + 1, began(entry) + entry["duration"]
    return count


@pytest.mark.parametrize("private_dns", ["keep", "enabled"])
def test_a_no_op_of_one_vpc_asks_little(lab: Lab, private_dns: str) -> None:
    module = {ENDPOINTS.module: {**CREATE, "private_dns": private_dns}}
    outcome = lab.tasks(module, {"ansible.builtin.pause": {"seconds": 1}}, module, faults=SLOW)
    made, _, again = outcome.results
    assert made["changed"] and not again["changed"], again
    assert not again["steps"] and len(again["endpoints"]) == 2
    # What follows the pause, the only second without a request.
    ends = [began(entry) + entry["duration"] for entry in outcome.journal]
    starts = [began(entry) for entry in outcome.journal]
    last = next(n for n in range(1, len(ends)) if min(starts[n:]) - max(ends[:n]) > 0.9)
    asked = outcome.journal[last:]
    assert not any(entry["write"] for entry in asked)
    # The role is assumed once per task and credentials; that is one of them.
    assert len(asked) <= 6, [entry["operation"] for entry in asked]
    assert round_trips(asked) <= 2, [entry["operation"] for entry in asked]


def test_four_endpoints_wait_as_long_as_the_slowest(lab: Lab) -> None:
    pending = 3.0
    services = ["bedrock", "bedrock-agent", "bedrock-agent-runtime"]
    outcome = lab.tasks(
        {ENDPOINTS.module: {**CREATE, "services": services}},
        world={"aws": {"timing": {**TIMING, "endpoint_pending": pending}}},
    )
    (made,) = outcome.results
    assert {item["state"] for item in made["endpoints"]} == {"available"}, made
    created = [
        e for e in outcome.journal if e["operation"] == "ec2:CreateVpcEndpoint" and e["write"]
    ]
    assert len(created) == 4
    waited = max(map(began, outcome.journal)) - min(map(began, created))
    assert pending <= waited < 2 * pending


def test_the_main_job_asks_little_when_nothing_is_to_be_done(lab: Lab) -> None:
    times = lab.path("times.jsonl")
    options = f"-e private_endpoint_report_dir={lab.folder} -e bedrock_soak_seconds=0"
    command = f"ansible-playbook -i {INVENTORY} playbooks/lockdown.yml {options}"
    outcome = lab.run(
        f"{command} > {lab.path('first')} 2>&1 && rm {times} && {command}",
        environment={
            "ANSIBLE_CALLBACK_PLUGINS": str(HERE / "callback_plugins"),
            "ANSIBLE_CALLBACKS_ENABLED": "task_times",
            "TASK_TIMES": str(times),
        },
        world={"aws": {"timing": TIMING}},
        timeout=900,
    )
    assert outcome.code == 0, outcome.output
    assert " changed=0 " in outcome.output
    tasks = [json.loads(line) for line in times.read_text().splitlines()]
    asked: list[tuple[str, str]] = []
    for entry in outcome.journal:
        if entry["vantage"] != "controller" or began(entry) < tasks[0]["time"]:
            continue
        task = [task for task in tasks if task["time"] <= began(entry)][-1]["action"].split(".")[-1]
        assert not entry["write"], entry
        assert task in {*PHASES, OBSERVE}, (task, entry)
        asked.append((task, entry["operation"]))
    ours = [(task, operation) for task, operation in asked if task != OBSERVE]
    assert {task for task, _ in ours} == PHASES
    assert len(ours) <= PER_TARGET, ours
    # Ansible forks a worker for each task, and the one that assumed the role tells the others.
    assert [operation for _, operation in asked].count("sts:AssumeRole") == 1, asked
