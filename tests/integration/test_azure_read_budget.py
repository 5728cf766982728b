# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How much is asked of Azure when nothing is to be done, by the lab's journal, and how long several things wait."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from .azure_private_link import FOUNDRY, OPENAI, SPOKE, SUBNET
from .azure_private_link import endpoint as an_endpoint
from .azure_subjects import CREATE, DNS, LOCK, LOCKDOWN, NAMES, OWN, PRIVATE_LINK, TIMING
from .conftest import AZURE_INVENTORY, Lab
from .harness import ENVIRONMENT, HERE
from .test_read_budget import began, round_trips

# What begins before another of these has ended was asked at the same time; all that a no-op asks is among them.
SLOW = [
    {"match": {"operation": f"Microsoft.{name}"}, "kind": "delay", "seconds": 0.8}
    for name in (
        "CognitiveServices/accounts:GET",
        "CognitiveServices/accounts/*:LIST",
        "Network/networkInterfaces:GET",
        "Network/networkSecurityGroups:GET",
        "Network/privateDnsZones/*:LIST",
        "Network/privateEndpoints:GET",
        "Network/virtualNetworks:GET",
        "Network/virtualNetworks/subnets:GET",
    )
]
PAUSE = {"ansible.builtin.pause": {"seconds": 2}}
ENDPOINT = an_endpoint(name=OWN)
THEIRS = an_endpoint(FOUNDRY, "pe-lab-foundry-app")
OBSERVE = "azure_openai_private_link_info"
PHASES = {"azure_openai_private_link", "azure_openai_private_dns", "azure_openai_lockdown"}
READ = "Microsoft.CognitiveServices/accounts:GET"
# Of an account of kind OpenAI, by all tasks of the main job that write when something is to be done.
PER_ACCOUNT = 15

Entries = list[dict[str, Any]]


def control(entries: Entries) -> Entries:
    """Requests of Resource Manager: signing in comes once with each task."""
    return [entry for entry in entries if not entry["operation"].startswith("login:")]


def again(lab: Lab, module: str, options: Mapping[str, Any], *resources: Any) -> Entries:
    """What a module asks that is run again and finds nothing to do."""
    task = {module: dict(options)}
    world = {"azure": {"timing": TIMING, "resources": list(resources)}}
    outcome = lab.tasks(task, PAUSE, task, world=world, faults=SLOW, environment=ENVIRONMENT)
    made, _, same = outcome.results
    assert not made.get("failed") and made["changed"], made
    assert not same.get("failed") and not same["changed"] and not same["steps"], same
    # What follows the pause, the only two seconds without a request.
    entries = outcome.journal
    ends = [began(entry) + entry["duration"] for entry in entries]
    starts = [began(entry) for entry in entries]
    last = next(n for n in range(1, len(ends)) if min(starts[n:]) - max(ends[:n]) > 1.9)
    asked = control(entries[last:])
    assert asked and not any(entry["write"] for entry in asked), asked
    return asked


def test_a_no_op_of_one_endpoint_asks_little(lab: Lab) -> None:
    asked = again(lab, PRIVATE_LINK.module, CREATE)
    assert len(asked) <= 6, [entry["operation"] for entry in asked]
    assert round_trips(asked) <= 2, [entry["operation"] for entry in asked]


@pytest.mark.parametrize("mode", ["zone_group", "records"])
@pytest.mark.parametrize(("account", "zones"), [(OPENAI, 1), (FOUNDRY, 3)], ids=["one", "three"])
def test_a_no_op_of_names_asks_little(lab: Lab, account: str, zones: int, mode: str) -> None:
    options = {**NAMES, "account_id": account, "mode": mode}
    asked = again(lab, DNS.module, options, ENDPOINT if account == OPENAI else THEIRS)
    assert len(asked) <= 2 + 2 * zones, [entry["operation"] for entry in asked]
    assert round_trips(asked) <= 2, [entry["operation"] for entry in asked]


def test_a_no_op_of_a_lock_asks_little(lab: Lab) -> None:
    asked = again(lab, LOCKDOWN.module, LOCK, ENDPOINT)
    assert len(asked) <= 2, [entry["operation"] for entry in asked]
    assert round_trips(asked) == 1, [entry["operation"] for entry in asked]


def test_the_end_of_a_lock_that_is_not_there_asks_once(lab: Lab) -> None:
    states = ("sealed", "unlocked", "restored", "recovered")
    tasks = [{LOCKDOWN.module: {"account_id": OPENAI, "state": state}} for state in states]
    outcome = lab.tasks(*tasks, world={"azure": {"timing": TIMING, "resources": [ENDPOINT]}})
    assert not any(item.get("failed") or item["changed"] for item in outcome.results), outcome
    assert [entry["operation"] for entry in control(outcome.journal)] == [READ] * len(states)


def at_one_time(entries: Entries, wanted: int, write: str, done: str) -> None:
    """So many writes began before the first of them was done: all waited together."""
    made = [entry for entry in entries if entry["operation"] == write]
    ended = [began(entry) for entry in entries if entry["operation"] == done]
    assert len(made) == wanted, made
    assert max(map(began, made)) < min(each for each in ended if each > began(made[0]))


def test_zones_and_links_wait_as_long_as_the_slowest(lab: Lab) -> None:
    outcome = lab.tasks(
        {DNS.module: {**NAMES, "account_id": FOUNDRY, "mode": "records"}},
        world={"azure": {"timing": {**TIMING, "dns": 3.0}, "resources": [THEIRS]}},
    )
    (made,) = outcome.results
    assert len(made["zones"]) == 3 and len(made["links"]) == 6, made
    zones, links = "Microsoft.Network/privateDnsZones", "virtualNetworkLinks"
    at_one_time(outcome.journal, 3, f"{zones}:PUT", f"{zones}:GET")
    at_one_time(outcome.journal, 6, f"{zones}/{links}:PUT", f"{zones}/{links}:GET")


def test_endpoints_wait_as_long_as_the_slowest(lab: Lab) -> None:
    inventory, play = lab.path("inventory.yml"), lab.path("play.yml")
    hosts = {
        "app": {"account": OPENAI, "subnet": SUBNET},
        "spoke": {"account": FOUNDRY, "subnet": f"{SPOKE}/subnets/app"},
    }
    inventory.write_text(yaml.safe_dump({"all": {"hosts": hosts}}))
    task = {PRIVATE_LINK.module: {"account_id": "{{ account }}", "subnet_id": "{{ subnet }}"}}
    local = {
        "ansible_connection": "local",
        "ansible_python_interpreter": "{{ ansible_playbook_python }}",
    }
    together = {"name": "Endpoints", "hosts": "all", "gather_facts": False, "vars": local}
    play.write_text(yaml.safe_dump([{**together, "tasks": [{"name": "Connect", **task}]}]))
    outcome = lab.run(
        f"ansible-playbook -i {inventory} {play}",
        world={"azure": {"timing": {**TIMING, "endpoint": 4.0}}},
    )
    assert outcome.code == 0, outcome.output
    # An endpoint has its interface from its first moment; it is read once it is made.
    network = "Microsoft.Network"
    made, done = f"{network}/privateEndpoints:PUT", f"{network}/networkInterfaces:GET"
    at_one_time(outcome.journal, 2, made, done)


def test_the_main_job_asks_little_when_nothing_is_to_be_done(lab: Lab) -> None:
    times = lab.path("times.jsonl")
    options = f"-e private_endpoint_report_dir={lab.folder} -e azure_openai_soak_seconds=0"
    command = f"ansible-playbook -i {AZURE_INVENTORY} playbooks/lockdown.yml {options} --limit lab-openai:vantages"
    outcome = lab.run(
        f"{command} > {lab.path('first')} 2>&1 && rm {times} && {command}",
        environment={
            "ANSIBLE_CALLBACK_PLUGINS": str(HERE / "callback_plugins"),
            "ANSIBLE_CALLBACKS_ENABLED": "task_times",
            "TASK_TIMES": str(times),
        },
        world={"azure": {"timing": TIMING}},
        timeout=300,
    )
    assert outcome.code == 0, outcome.output
    assert " changed=0 " in outcome.output
    tasks = [json.loads(line) for line in times.read_text().splitlines()]
    asked: dict[str, list[str]] = {name: [] for name in (*PHASES, OBSERVE)}
    for entry in control(outcome.journal):
        if entry["vantage"] != "controller" or began(entry) < tasks[0]["time"]:
            continue
        task = [task for task in tasks if task["time"] <= began(entry)][-1]["action"].split(".")[-1]
        assert not entry["write"], entry
        assert task in asked, (task, entry)
        asked[task].append(f"{task} {entry['operation']}")
    whole = [line for name in PHASES for line in asked[name]]
    assert {line.split()[0] for line in whole} == PHASES
    assert len(whole) <= PER_ACCOUNT, whole
