# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Least privilege on Azure, in one lab: the playbooks with exactly the files of index.yml, then each permission away.

Phases that write have subscriptions of their own for each principal, so that nothing of one shows to another. Those
that read, and the lock, whose proof has to be made by a whole run, share the default world's first account.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from . import permission_holders as holders
from .azure_permission_world import (
    DEFAULT_SCOPES,
    FAST,
    SECRET,
    TENANT,
    Own,
    administrator,
    client_id,
    principal,
    target_resources,
)
from .azure_private_link import ACCOUNTS, OPENAI, SUBNET
from .conftest import AZURE_INVENTORY, ROOT, Lab
from .permission_runs import (
    Case,
    Phase,
    Runs,
    assert_files_are_enough,
    assert_lacking_is_named,
    assert_playbooks_passed,
)

CLOUD = "azure"
# In this order each has something to do.
PLAYBOOKS = ("lockdown", "verify", "unlock", "teardown", "create", "dns")
WRITING = ("create", "dns", "teardown")
SHARED = ("observe", "lockdown", "unlock")
TARGETS = ("lab-openai", "lab-foundry")
LINK, DNS, LOCK, INFO = (
    f"private_ai.endpoints.azure_openai_{name}"
    for name in ("private_link", "private_dns", "lockdown", "private_link_info")
)
ADMINISTRATOR = {"tenant": TENANT, "client_id": "{{ administrator }}", "secret": SECRET}
AS = {"tenant": TENANT, "client_id": "{{ client_id }}", "secret": SECRET}
CREATE: dict[str, Any] = {
    "account_id": "{{ own.one }}",
    "subnet_id": "{{ own.subnet }}",
    "allowed_cidrs": ["10.20.0.0/16"],
}
NAMES: dict[str, Any] = {
    "account_id": "{{ own.one }}",
    "network_id": "{{ own.app }}",
    "networks": ["{{ own.spoke }}"],
    "zone_subscription_id": "{{ own.hub }}",
    "zone_resource_group": "dns",
}
RECORDS = {**NAMES, "mode": "records"}
TWO = {**RECORDS, "account_id": "{{ own.two }}", "allow_other_accounts": True}
LOCKED: dict[str, Any] = {
    "account_id": OPENAI,
    "members": "{{ job.members }}",
    "proof": "{{ job.proof }}",
    "zone_subscription_id": "{{ own.hub }}",
    "run_id": "{{ inventory_hostname }}",
}
PROVED = "lockdown-job.json"


def phases(folder: Any) -> list[Phase]:
    """What each phase runs, as its role entry does."""
    undo = "{{ result_dns_%d.undo }}"
    return [
        Phase(
            "create",
            [
                {LINK: {**CREATE, **AS}},
                {LINK: {**CREATE, "account_id": "{{ own.two }}", "tags": {"team": "x"}, **AS}},
                {LINK: {**CREATE, "allowed_cidrs": [], **AS}},
            ],
        ),
        Phase(
            "dns",
            [
                {DNS: {**NAMES, **AS}},
                {DNS: {**NAMES, "state": "restored", "undo": undo % 0, **AS}},
                {DNS: {**RECORDS, **AS}},
                {DNS: {**RECORDS, "state": "restored", "undo": undo % 2, **AS}},
            ],
        ),
        Phase(
            "teardown",
            [
                {
                    INFO: {
                        "account_id": "{{ own.one }}",
                        "subnet_id": "{{ own.subnet }}",
                        "gather": ["account"],
                        **AS,
                    }
                },
                {DNS: {**NAMES, "state": "absent", **AS}},
                {DNS: {**TWO, "state": "absent", **AS}},
                {LINK: {**CREATE, "account_id": "{{ own.two }}", "state": "absent", **AS}},
                {LINK: {**CREATE, "state": "absent", **AS}},
            ],
            before=[
                {LINK: {**CREATE, **ADMINISTRATOR}},
                {LINK: {**CREATE, "account_id": "{{ own.two }}", **ADMINISTRATOR}},
                {DNS: {**NAMES, "allow_other_accounts": True, **ADMINISTRATOR}},
                {DNS: {**TWO, **ADMINISTRATOR}},
            ],
        ),
        Phase(
            "observe",
            [
                {
                    INFO: {
                        "account_id": OPENAI,
                        "subnet_id": SUBNET,
                        "zone_subscription_id": "{{ own.hub }}",
                        "gather": ["account", "network", "endpoints", "dns", "access", "traffic"],
                        **AS,
                    }
                }
            ],
        ),
        Phase(
            "lockdown",
            [
                {
                    LOCK: {**LOCKED, **AS},
                    "vars": {"job": f"{{{{ lookup('file', '{folder}/{PROVED}') | from_json }}}}"},
                },
                {
                    LOCK: {
                        "account_id": OPENAI,
                        "state": "sealed",
                        "run_id": "{{ inventory_hostname }}",
                        **AS,
                    }
                },
                {LOCK: {"account_id": OPENAI, "state": "recovered", **AS}},
            ],
            after=[{LOCK: {"account_id": OPENAI, "state": "unlocked"}}],
        ),
        Phase(
            "unlock",
            [{LOCK: {"account_id": OPENAI, "state": "unlocked", **AS}}],
            before=[
                {LOCK: {"account_id": OPENAI, "state": "locked", "require_proof": False}},
            ],
            after=[{LOCK: {"account_id": OPENAI, "state": "unlocked"}}],
        ),
    ]


def cases() -> tuple[list[Case], dict[str, Any]]:
    """Every principal: of whole phases, and of those without one permission; and the world that they are in."""
    found: list[Case] = []
    world: dict[str, list[dict[str, Any]]] = {
        "principals": [],
        "subscriptions": [],
        "resource_groups": [],
        "resources": target_resources(),
    }
    for phase in (*WRITING, *SHARED):
        for holder in (holders.whole(CLOUD, phase), *holders.removals(CLOUD, phase)):
            number = len(found) + 1
            own = Own(number)
            scopes = DEFAULT_SCOPES
            if phase in WRITING:
                scopes = own.scopes
                for name, items in own.sections().items():
                    world[name] += items
                if phase == "create":
                    world["resources"] += [*own.linked_zone(), *own.waiting_endpoint()]
                if phase == "dns":
                    world["resources"] += [own.endpoint("one")]
            world["principals"] += [
                principal(number, holder, scopes),
                administrator(number, scopes),
            ]
            variables = {
                "client_id": client_id(number),
                "administrator": client_id(number, 8),
                "own": {
                    "one": own.account("one"),
                    "two": own.account("two"),
                    "app": own.app,
                    "spoke": own.spoke,
                    "subnet": own.subnet,
                    "hub": scopes["hub"].rpartition("/")[2],
                },
            }
            found.append(Case(f"{phase}-{number}", holder, variables))
    for position, playbook in enumerate(PLAYBOOKS, len(found) + 1):
        holder = holders.for_playbook(CLOUD, playbook)
        world["principals"].append(principal(position, holder, DEFAULT_SCOPES))
        found.append(Case(f"playbook-{playbook}", holder, {"client_id": client_id(position)}))
    return found, {"azure": {"timing": FAST, **world}}


class Story:
    """Everything that was run, once for the module."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.cases, self.world = cases()
        self.runs = Runs(lab, phases(lab.folder), self.cases)
        self.results: dict[str, list[dict[str, Any]]] = {}

    def playbook(self, name: str, arguments: str, **variables: Any) -> str:
        """A playbook of the collection with exactly the files that index.yml has for it."""
        case = next(item for item in self.cases if item.host == f"playbook-{name}")
        given = {
            "azure_openai_client_id": case.variables["client_id"],
            "azure_openai_secret": SECRET,
            "azure_openai_tenant": TENANT,
            "azure_openai_soak_seconds": 1,
            "private_endpoint_report_dir": str(self.lab.path(name)),
            **variables,
        }
        label = f"{name}-{len(list(self.lab.folder.glob('said-*')))}"
        path = self.lab.path(f"said-{label}.json")
        path.write_text(json.dumps(given))
        output = self.lab.path(f"{label}.output")
        return f"ansible-playbook {arguments} -e @{path} > {output} 2>&1; echo $? > {output}.code"

    def tell(self) -> None:
        """All of it, in one lab; what failed shows in the results."""
        job = self.lab.path(PROVED)
        keep = {
            "name": "Keep what the lock was made of",
            "hosts": "lab-openai",
            "gather_facts": False,
            "tasks": [
                {
                    "name": "Keep it",
                    "ansible.builtin.copy": {
                        "content": "{{ private_endpoint_job | to_json }}",
                        "dest": str(job),
                        "mode": "0600",
                    },
                }
            ],
        }
        main = self.lab.path("main.yml")
        playbook = {"import_playbook": str(ROOT / "playbooks/lockdown.yml")}
        main.write_text(yaml.safe_dump([playbook, keep], sort_keys=False))
        inventory = f"-i {AZURE_INVENTORY}"
        script = [
            self.runs.command(*WRITING),
            self.playbook("lockdown", f"{inventory} {main}"),
            self.playbook("verify", f"{inventory} playbooks/verify.yml"),
            self.runs.command("observe"),
            self.playbook("unlock", "-i /dev/null playbooks/unlock.yml", scope=OPENAI),
            self.playbook(
                "unlock", "-i /dev/null playbooks/unlock.yml", scope=f"{ACCOUNTS}/lab-foundry"
            ),
            self.runs.command("lockdown", "unlock"),
            self.playbook("teardown", f"{inventory} playbooks/teardown.yml"),
            self.playbook("create", f"{inventory} playbooks/create.yml"),
            self.playbook("dns", f"{inventory} playbooks/dns.yml"),
        ]
        outcome = self.lab.run("\n".join(script), world=self.world, timeout=1800)
        assert outcome.code == 0, outcome.output
        for names in (WRITING, ("observe",), ("lockdown", "unlock")):
            self.results |= self.runs.results(*names)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    made = Story(Lab(tmp_path_factory.mktemp("azure-permissions")))
    made.tell()
    return made


def test_the_playbooks_run_with_exactly_the_files_of_the_index(story: Story) -> None:
    assert_playbooks_passed(story, len(PLAYBOOKS) + 1, TARGETS)


def test_each_phase_runs_with_its_files(story: Story) -> None:
    assert_files_are_enough(story, {*WRITING, *SHARED})


def test_whatever_is_taken_out_of_a_file_is_named(story: Story) -> None:
    assert_lacking_is_named(story, CLOUD)
