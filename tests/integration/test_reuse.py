# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each role alone in a playbook that somebody has already, with none of this collection's playbooks."""

from __future__ import annotations

import json
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from .conftest import INVENTORIES, ROOT, Lab

NETWORKS = (
    "/subscriptions/5a000000-0000-0000-0000-00000000000a/resourceGroups/app-network/providers"
    "/Microsoft.Network/virtualNetworks"
)
ACCOUNTS = (
    "/subscriptions/5c000000-0000-0000-0000-00000000000c/resourceGroups/ai/providers"
    "/Microsoft.CognitiveServices/accounts"
)
WORLD = {
    "aws": {"timing": {"endpoint_pending": 0.1, "endpoint_delete": 0.1, "scp_propagation": 0.1}},
    "azure": {
        "timing": {
            **dict.fromkeys(("operation", "endpoint", "account", "dns"), 0.02),
            "access_propagation": 0.02,
            "retry_after": 0,
        }
    },
    "gcp": {"timing": dict.fromkeys(("operation", "dns_pending", "dns_serve"), 0.02)},
}
# What somebody has of his own, in a file.
VARIABLES: dict[str, Any] = {
    "company": "example",
    "bedrock_region": "us-east-1",
    "bedrock_vpc_id": "vpc-0a00000000000000a",
    "bedrock_subnet_ids": ["subnet-0a0000000000000a1", "subnet-0a0000000000000b1"],
    "bedrock_allowed_cidrs": ["10.10.0.0/16", "10.20.0.0/16"],
    "bedrock_spoke_vpcs": ["vpc-0b00000000000000b"],
    "bedrock_assume_role_arn": "arn:aws:iam::222222222222:role/network-automation",
    "azure_openai_account_id": f"{ACCOUNTS}/lab-openai",
    "azure_openai_subnet_id": f"{NETWORKS}/app/subnets/endpoints",
    "vertex_project": "lab-vertex",
    "vertex_network": "projects/lab-vertex/global/networks/app",
    "vertex_regions": ["us-central1"],
}


def role(name: str, entry: str, how: str = "include_role", **more: Any) -> dict[str, Any]:
    """A task that takes one entry point of a role."""
    return {
        "name": f"{name} {entry}",
        f"ansible.builtin.{how}": {"name": f"private_ai.endpoints.{name}", "tasks_from": entry},
        **more,
    }


def tagged(name: str, entry: str) -> dict[str, Any]:
    """The same with a tag, in the way that Ansible wants it for a role that is included."""
    task = role(name, entry, tags=[entry])
    task["ansible.builtin.include_role"]["apply"] = {"tags": [entry]}
    return task


def play(*tasks: dict[str, Any], **keywords: Any) -> dict[str, Any]:
    return {"name": "Somebody's play", "gather_facts": False, **keywords, "tasks": list(tasks)}


SITE = [
    play(
        {"name": "Something of his own", "ansible.builtin.set_fact": {"region": "mine"}},
        role("bedrock", "create", "import_role", tags=["create"]),
        role("bedrock", "dns", "import_role", tags=["dns"]),
        *(
            tagged(name, entry)
            for name in ("azure_openai", "vertex")
            for entry in ("create", "dns")
        ),
        hosts="localhost",
        gather_facts=True,
        vars_files=["variables.yml"],
    )
]
# What is known only while a play runs is put together by whoever uses a role alone.
JUDGE = {
    "verify_probe_targets": "{{ _bedrock_observe.probe_targets }}",
    "verify_evidence": ["{{ _bedrock_observe.evidence }}"],
    "verify_timeout": 30,
    "verify_deadline": 60,
    "vantages": ["app-a", "app-b", "spoke-a"],
}
PROVE = [
    role("bedrock", "observe"),
    role("verify", "inventory", vars={"vantages": ["app-a", "app-b", "spoke-a"]}),
    role("verify", "private", vars=JUDGE),
]
STRATEGIES = [
    play(*PROVE, hosts="fleet", strategy=strategy, vars_files=["variables.yml"])
    for strategy in ("free", "host_pinned")
]
REPORT = [
    play(
        *PROVE,
        {
            "name": "Report",
            "ansible.builtin.include_role": {"name": "private_ai.endpoints.report"},
            "vars": {
                "report_runs": [
                    {
                        "target": "first",
                        "evidence": "{{ _bedrock_observe.evidence }}",
                        "results": "{{ verify_results }}",
                    }
                ],
                "report_dir": "{{ playbook_dir }}/report",
            },
        },
        hosts="first",
        vars_files=["variables.yml"],
    )
]
# Another user on another machine: nothing runs in process there.
ELSEWHERE = [
    play(
        role("bedrock", "create"),
        role("azure_openai", "create"),
        role("vertex", "create"),
        hosts="bastion",
        become=True,
        vars_files=["variables.yml"],
    )
]
# A lock by somebody's own hands.
LOCK = [
    play(
        role("bedrock", "create"),
        role(
            "bedrock",
            "lockdown",
            vars={
                "bedrock_lockdown_targets": ["222222222222"],
                "bedrock_require_proof": False,
                "bedrock_lock_run_id": "by-hand",
                "bedrock_lock_endpoint_ids": "{{ _bedrock_create.endpoints | map(attribute='id') }}",
                "bedrock_lock_members": [
                    {
                        "target": "localhost",
                        "vpc_id": "{{ bedrock_vpc_id }}",
                        "assume_role_arn": "{{ bedrock_assume_role_arn }}",
                    }
                ],
            },
        ),
        role(
            "bedrock",
            "unlock",
            vars={"bedrock_lockdown_targets": ["222222222222"]},
        ),
        role("bedrock", "teardown"),
        role("azure_openai", "teardown"),
        role("vertex", "teardown"),
        hosts="localhost",
        vars_files=["variables.yml"],
    )
]
NO_ENTRY = [
    {
        **play(hosts="localhost", vars_files=["variables.yml"], ignore_errors=True),
        "roles": [f"private_ai.endpoints.{name}"],
    }
    for name in ("bedrock", "azure_openai", "vertex", "verify")
]
SUDO = '#!/bin/sh\nwhile [ "${1#-}" != "$1" ]; do [ "$1" = -u ] && shift; shift; done\nexec "$@"\n'


@dataclass
class Run:
    """What one ansible-playbook said and wrote."""

    code: int
    output: str
    writes: list[str]


class Runs:
    """Several of them, one after the other in one lab."""

    def __init__(self, folder: Path) -> None:
        self.lab = Lab(folder)
        self.names: list[str] = []
        self.script: list[str] = []
        (folder / "variables.yml").write_text(yaml.safe_dump(VARIABLES))
        # Files of his own, by names that the roles' files have too: next to the playbook and where he stands.
        for name in ("variables", "create", "probe", "judge", "endpoints", "dns", "observe"):
            for place in (folder, folder / "tasks", folder / "phases", folder / "tasks/phases"):
                place.mkdir(exist_ok=True)
                path = place / f"{name}.yml"
                if not path.exists():
                    path.write_text("[{name: Not the role's, ansible.builtin.fail: {}}]\n")
        sudo = folder / "sudo"
        sudo.write_text(SUDO)
        sudo.chmod(sudo.stat().st_mode | stat.S_IXUSR)
        local = {
            "ansible_connection": "local",
            "ansible_python_interpreter": "{{ ansible_playbook_python }}",
        }
        hosts = {
            "fleet": {"hosts": {"first": local, "second": local}},
            # Not the connection that the controller has itself, as ssh would not be.
            "elsewhere": {"hosts": {"bastion": {**local, "ansible_become_exe": str(sudo)}}},
        }
        (folder / "inventory.yml").write_text(yaml.safe_dump(hosts))

    def tell(self, name: str, content: list[dict[str, Any]], *arguments: str) -> None:
        folder = self.lab.folder
        (folder / f"{name}.yml").write_text(yaml.safe_dump(content, sort_keys=False))
        inventories = f"-i {folder}/inventory.yml -i {INVENTORIES}"
        self.names.append(name)
        self.script += [
            f"cd {folder}",
            f"wc -l < $LAB_JOURNAL > {folder}/{name}.from",
            f"ansible-playbook {inventories} {folder}/{name}.yml {' '.join(arguments)}"
            f" > {folder}/{name}.out 2>&1",
            f"echo $? > {folder}/{name}.code",
            f"wc -l < $LAB_JOURNAL > {folder}/{name}.to",
        ]

    def read(self) -> dict[str, Run]:
        # The collection is installed somewhere, and the playbooks are in a folder of their own.
        installed = {"ANSIBLE_COLLECTIONS_PATH": str(ROOT / "playbooks/collections")}
        script = "\n".join(self.script)
        outcome = self.lab.run(script, world=WORLD, environment=installed, timeout=1800)
        assert outcome.code == 0, outcome.output
        return {name: self._run(name, outcome.journal) for name in self.names}

    def _run(self, name: str, journal: list[dict[str, Any]]) -> Run:
        base = self.lab.folder / name
        code, start, end = (
            int(base.with_suffix(f".{part}").read_text()) for part in ("code", "from", "to")
        )
        writes = [entry["operation"] for entry in journal[start:end] if entry["write"]]
        return Run(code, base.with_suffix(".out").read_text(), writes)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("reuse")


@pytest.fixture(scope="module")
def runs(folder: Path) -> dict[str, Run]:
    made = Runs(folder)
    made.tell("predicted", SITE, "--check")
    made.tell("only-created", SITE, "--tags", "create")
    made.tell("done", SITE)
    made.tell("again", SITE)
    made.tell("strategies", STRATEGIES)
    made.tell("report", REPORT)
    made.tell("elsewhere", ELSEWHERE)
    made.tell("no-entry", NO_ENTRY)
    made.tell("lock", LOCK)
    return made.read()


@pytest.mark.parametrize(
    "name",
    ["predicted", "only-created", "done", "again", "strategies", "report", "elsewhere", "lock"],
)
def test_it_works_in_somebodys_playbook(runs: dict[str, Run], name: str) -> None:
    assert runs[name].code == 0, runs[name].output


@pytest.mark.parametrize("name", ["predicted", "again", "strategies", "report", "elsewhere"])
def test_nothing_is_written_where_nothing_is_to_be_done(runs: dict[str, Run], name: str) -> None:
    """Neither in check mode nor a second time, on another machine or under another strategy."""
    assert runs[name].writes == [], runs[name].output


def test_a_tag_takes_its_part_alone(runs: dict[str, Run]) -> None:
    created, done = runs["only-created"].writes, runs["done"].writes
    assert {"ec2:CreateVpcEndpoint", "compute.globalForwardingRules.insert"} <= {*created}
    assert "Microsoft.Network/privateEndpoints:PUT" in created
    assert not {"ec2:ModifyVpcEndpoint", "dns.managedZones.create"} & {*created}
    assert {"ec2:ModifyVpcEndpoint", "dns.managedZones.create"} <= {*done}
    assert not {"ec2:CreateVpcEndpoint", "compute.globalForwardingRules.insert"} & {*done}


def test_a_report_of_ones_own_is_written(runs: dict[str, Run], folder: Path) -> None:
    document = json.loads((folder / "report/findings.json").read_text())
    assert [target["target"] for target in document["targets"]] == ["first"], runs["report"].output


def test_a_lock_by_hand_is_undone_and_everything_taken_away(runs: dict[str, Run]) -> None:
    writes = runs["lock"].writes
    assert {"organizations:CreatePolicy", "organizations:DeletePolicy"} <= {*writes}
    assert {"ec2:DeleteVpcEndpoints", "compute.globalForwardingRules.delete"} <= {*writes}
    assert "Microsoft.Network/privateEndpoints:DELETE" in writes


def test_a_role_without_an_entry_point_says_which_there_are(runs: dict[str, Run]) -> None:
    """Nothing done, and nothing said, would look like success."""
    said = runs["no-entry"]
    assert said.writes == []
    for name, one in (
        ("bedrock", "restore_dns"),
        ("azure_openai", "create"),
        ("vertex", "retire"),
        ("verify", "pinned"),
    ):
        assert re.search(rf"{name} has no entry point .*tasks_from: .*{one}", said.output), name
