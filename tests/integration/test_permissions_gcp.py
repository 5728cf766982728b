# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Least privilege at Google, in one lab: the playbooks with exactly the files of index.yml, then each permission away.

Phases that write have projects of their own for each principal, so that nothing of one shows to another. Those that
read, and the lock, whose proof has to be made by a whole run, share the default world's networks.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from . import permission_holders as holders
from .conftest import GCP_INVENTORY, ROOT, Lab
from .gcp_permission_world import (
    ACCESS_POLICY,
    AI,
    APP,
    CONSTRAINT,
    DEFAULT_SCOPES,
    HERE,
    MODEL,
    MOVED,
    OTHER,
    PERIMETER,
    SHARED,
    SPOKE,
    THERE,
    ZONES,
    Own,
    World,
    email,
    key_file,
    prober,
)
from .permission_runs import (
    Case,
    Phase,
    Runs,
    assert_files_are_enough,
    assert_lacking_is_named,
    assert_playbooks_passed,
)

CLOUD = "gcp"
# In this order each has something to do.
PLAYBOOKS = ("lockdown", "verify", "unlock", "teardown", "create", "dns")
WRITING = ("create", "dns", "teardown")
PROBING = "probe"
SHARING = (PROBING, "observe", "lockdown", "unlock")
TARGETS = ("lab-vertex",)
PROBE = "private_ai.endpoints.private_endpoint_probe"
ENDPOINT, DNS, LOCK, INFO = (
    f"private_ai.endpoints.vertex_{name}"
    for name in ("psc_endpoint", "private_dns", "lockdown", "psc_endpoint_info")
)
AS = {"auth_kind": "serviceaccount", "service_account_file": key_file("{{ email }}")}
ADMIN = {**AS, "service_account_file": key_file("admin@lab-vertex.iam.gserviceaccount.com")}
OWN_MODEL = "publishers/google/models/{{ inventory_hostname }}:predict"
OUTSIDE = "{{ lookup('ansible.builtin.env', 'LAB_RUN') }}/python-gcp-outside"
PROVED = "lockdown-job.json"
IN_SPOKE = {"network": "{{ own.spoke }}", "endpoint_name": "pscspoke", "address": THERE}
CREATE: dict[str, Any] = {
    "networks": [
        {"network": "{{ own.app }}", "endpoint_name": "pscvertex", "address": HERE},
        IN_SPOKE,
    ],
    "labels": {"team": "x"},
    "allowed_cidrs": ["10.30.0.0/16"],
    "private_google_access_subnets": ["{{ own.subnet }}"],
}
CHANGE = {**CREATE, "labels": {"team": "y"}, "allowed_cidrs": ["10.31.0.0/16"]}
MOVE = {**CHANGE, "networks": [{**CREATE["networks"][0], "address": MOVED}, IN_SPOKE]}
NAMES: dict[str, Any] = {
    "networks": [
        {"network": "{{ own.app }}", "address": HERE},
        {"network": "{{ own.spoke }}", "address": THERE},
    ],
    "project": "{{ own.zones }}",
}
MOVED_NAMES = {
    **NAMES,
    "networks": [{"network": "{{ own.app }}", "address": MOVED}, NAMES["networks"][1]],
}
RPZ = {"mode": "response_policy"}
PLAIN = {
    **NAMES,
    "networks": [{"network": "{{ own.app }}"}, {"network": "{{ own.spoke }}"}],
    "state": "absent",
}
LOCKED: dict[str, Any] = {
    "perimeter": PERIMETER,
    "members": "{{ job.members }}",
    "proof": "{{ job.proof }}",
}
OWN_INFO: dict[str, Any] = {
    "project": AI,
    "network": "{{ own.app }}",
    "spoke_networks": ["{{ own.spoke }}"],
    "zone_project": "{{ own.zones }}",
    "access_policy": ACCESS_POLICY,
}
INFORM: dict[str, Any] = {
    "project": AI,
    "network": APP,
    "spoke_networks": [SPOKE],
    "zone_project": ZONES,
    "regions": ["us-central1"],
}


TARGET: dict[str, Any] = {
    "host": "us-central1-aiplatform.googleapis.com",
    "addresses": [],
    "cloud": "gcp",
    "target": AI,
    "service": "aiplatform",
    "plane": "runtime",
    "probe_action": {
        "name": "aiplatform.endpoints.list",
        "method": "GET",
        "path": f"/v1/projects/{AI}/locations/us-central1/endpoints?pageSize=1",
        "auth": "bearer",
    },
}


def models(*values: str, project: str = AI) -> dict[str, Any]:
    """An organisation policy of the models that may be used."""
    wish = {"constraint": CONSTRAINT, "project": project}
    return {"organization_policies": [{**wish, "allowed_values": list(values)}]}


WIDE = models(MODEL, MODEL.replace("2.0", "2.5"))


def phases(folder: Any) -> list[Phase]:
    """What each phase runs, as its role entry does."""
    undo = "{{ result_dns_%d.undo }}"
    job = {"job": f"{{{{ lookup('file', '{folder}/{PROVED}') | from_json }}}}"}
    run = "{{ inventory_hostname }}-%s"
    lock = {**LOCKED, **models(MODEL), **AS}
    wider = {"restricted_services": ["aiplatform.googleapis.com", "storage.googleapis.com"]}
    unproved = {"perimeter": PERIMETER, "projects": [AI], "require_proof": False}
    token = (
        "{{ lookup('private_ai.endpoints.vertex_token', prober, auth_kind='serviceaccount', "
        "service_account_file=lookup('ansible.builtin.env', 'LAB_RUN') ~ '/gcp/' ~ email ~ '.json') }}"
    )
    return [
        Phase(
            PROBING,
            [
                {
                    PROBE: {
                        "targets": [TARGET],
                        "bearer_token": token,
                        "bearer_principal": "{{ prober }}",
                    }
                }
            ],
        ),
        Phase(
            "create",
            [
                {ENDPOINT: {**CREATE, **AS}},
                {ENDPOINT: {**CHANGE, **AS}},
                {ENDPOINT: {**MOVE, **AS}},
                {ENDPOINT: {**MOVE, "remove_replaced": True, **AS}},
                {ENDPOINT: {**MOVE, "allowed_cidrs": [], **AS}},
            ],
        ),
        Phase(
            "dns",
            [
                {DNS: {**NAMES, **AS}},
                {DNS: {**MOVED_NAMES, "replaced_addresses": [HERE], **AS}},
                {DNS: {"state": "restored", "undo": undo % 1, **AS}},
                {DNS: {"state": "restored", "undo": undo % 0, **AS}},
                {DNS: {**NAMES, **RPZ, **AS}},
                {DNS: {**MOVED_NAMES, **RPZ, **AS}},
                {DNS: {"state": "restored", "undo": undo % 5, **AS}},
                {DNS: {"state": "restored", "undo": undo % 4, **AS}},
            ],
        ),
        Phase(
            "teardown",
            [
                {INFO: {**OWN_INFO, "gather": ["perimeter"], **AS}},
                {DNS: {**PLAIN, **AS}},
                {INFO: {**OWN_INFO, "gather": ["endpoints", "network", "dns"], **AS}},
                {ENDPOINT: {"networks": CREATE["networks"], "state": "absent", **AS}},
            ],
            before=[
                {ENDPOINT: {**CREATE, **ADMIN}},
                {DNS: {**NAMES, "networks": NAMES["networks"][:1], **ADMIN}},
                {DNS: {**NAMES, "networks": NAMES["networks"][1:], **RPZ, **ADMIN}},
            ],
        ),
        Phase(
            "observe",
            [
                {
                    INFO: {
                        **INFORM,
                        "access_policy": ACCESS_POLICY,
                        "gather": ["endpoints", "network", "dns", "perimeter", "access", "traffic"],
                        **AS,
                    }
                },
                {INFO: {**INFORM, "gather": ["perimeter"], **AS}},
            ],
        ),
        Phase(
            "lockdown",
            [
                {LOCK: {**lock, "run_id": run % "a"}, "vars": job},
                {LOCK: {"perimeter": PERIMETER, "state": "recovered", **AS}},
                {LOCK: {**lock, "run_id": run % "b"}, "vars": job},
                {LOCK: {"perimeter": PERIMETER, "state": "sealed", "run_id": run % "b", **AS}},
                {LOCK: {**unproved, **wider, **WIDE, "run_id": run % "c", **AS}},
            ],
            after=[{LOCK: {"perimeter": PERIMETER, "state": "unlocked", **ADMIN}}],
        ),
        Phase(
            "unlock",
            [
                {LOCK: {"perimeter": PERIMETER, "state": "unlocked", **AS}},
                {LOCK: {"perimeter": SHARED, "state": "unlocked", **AS}},
            ],
            before=[
                # A policy that an unlock before could not take away must not look like this one.
                {LOCK: {**unproved, **models(OWN_MODEL, project=ZONES), **ADMIN}},
                {
                    LOCK: {
                        **unproved,
                        "perimeter": SHARED,
                        "projects": [OTHER],
                        **models(MODEL, MODEL.replace("2.0", "2.5"), project=OTHER),
                        "preview_days": 0,
                        **ADMIN,
                    }
                },
            ],
            after=[
                {LOCK: {"perimeter": PERIMETER, "state": "unlocked", **ADMIN}},
                {LOCK: {"perimeter": SHARED, "state": "unlocked", **ADMIN}},
            ],
        ),
    ]


def cases() -> tuple[list[Case], dict[str, Any]]:
    """Every principal: of whole phases, and of those without one permission; and the world that they are in."""
    found: list[Case] = []
    world = World()
    for phase in (*WRITING, *SHARING):
        for holder in (holders.whole(CLOUD, phase), *holders.removals(CLOUD, phase)):
            number = len(found) + 1
            own = Own(number)
            if phase in WRITING:
                sections = own.sections()
                world.projects += sections["projects"]
                world.networks += sections["networks"]
            world.add(number, holder, own.scopes if phase in WRITING else DEFAULT_SCOPES)
            known = {"app": own.network("app"), "spoke": own.network("spoke")}
            known |= {"subnet": own.subnet("app"), "zones": own.zones}
            variables = {"email": email(number), "prober": prober(number), "own": known}
            if phase == PROBING:
                variables["ansible_python_interpreter"] = OUTSIDE
            found.append(Case(f"{phase}-{number}", holder, variables))
    for playbook in PLAYBOOKS:
        number, holder = len(found) + 1, holders.for_playbook(CLOUD, playbook)
        world.add(number, holder, DEFAULT_SCOPES)
        known = {"email": email(number), "prober": prober(number)}
        found.append(Case(f"playbook-{playbook}", holder, known))
    return found, world.document()


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
            "vertex_service_account_file": key_file(case.variables["email"]),
            "vertex_soak_seconds": 1,
            "vertex_project": AI,
            "vertex_zone_project": ZONES,
            "vertex_probe_service_account": case.variables["prober"],
            "private_endpoint_report_dir": str(self.lab.path(name)),
            **variables,
        }
        path, output = self.lab.path(f"said-{name}.json"), self.lab.path(f"{name}.output")
        path.write_text(json.dumps(given))
        return f"ansible-playbook {arguments} -e @{path} > {output} 2>&1; echo $? > {output}.code"

    def tell(self) -> None:
        """All of it, in one lab; what failed shows in the results."""
        content = "{{ private_endpoint_job | to_json }}"
        copy = {"content": content, "dest": str(self.lab.path(PROVED)), "mode": "0600"}
        keep = {
            "name": "Keep what the lock was made of",
            "hosts": "lab-vertex",
            "gather_facts": False,
            "tasks": [{"name": "Keep it", "ansible.builtin.copy": copy}],
        }
        main = self.lab.path("main.yml")
        playbook = {"import_playbook": str(ROOT / "playbooks/lockdown.yml")}
        main.write_text(yaml.safe_dump([playbook, keep], sort_keys=False))
        inventory = f"-i {GCP_INVENTORY}"
        script = [
            self.runs.command(*WRITING),
            self.runs.command(PROBING),
            self.playbook("lockdown", f"{inventory} {main}"),
            self.playbook("verify", f"{inventory} playbooks/verify.yml"),
            self.runs.command("observe"),
            self.playbook("unlock", "-i /dev/null playbooks/unlock.yml", scope=PERIMETER),
            self.runs.command("lockdown", "unlock"),
            self.playbook("teardown", f"{inventory} playbooks/teardown.yml"),
            self.playbook("create", f"{inventory} playbooks/create.yml"),
            self.playbook("dns", f"{inventory} playbooks/dns.yml"),
        ]
        outcome = self.lab.run("\n".join(script), world=self.world, timeout=1800)
        assert outcome.code == 0, outcome.output
        for names in (
            WRITING,
            (PROBING,),
            ("observe",),
            ("lockdown", "unlock"),
        ):
            self.results |= self.runs.results(*names)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    made = Story(Lab(tmp_path_factory.mktemp("gcp-permissions")))
    made.tell()
    return made


def test_the_playbooks_run_with_exactly_the_files_of_the_index(story: Story) -> None:
    assert_playbooks_passed(story, len(PLAYBOOKS), TARGETS)


def test_each_phase_runs_with_its_files(story: Story) -> None:
    assert_files_are_enough(story, {*WRITING, *SHARING})


def test_whatever_is_taken_out_of_a_file_is_named(story: Story) -> None:
    assert_lacking_is_named(story, CLOUD)
