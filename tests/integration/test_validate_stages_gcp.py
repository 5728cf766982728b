# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Vertex AI from wide open to locked in the lab, judged at each stage."""

from __future__ import annotations

import json
from typing import Any

import yaml

MODULE = "private_ai.endpoints."
TARGET = "lab-vertex"
NETWORKS = f"projects/{TARGET}/global/networks"
APP, SPOKE = f"{NETWORKS}/app", f"{NETWORKS}/spoke"
SUBNETS = [
    f"projects/{TARGET}/regions/{name}"
    for name in (
        "us-central1/subnetworks/app-a",
        "europe-west1/subnetworks/app-b",
        "us-central1/subnetworks/spoke-a",
    )
]
PERIMETER = "accessPolicies/600000000001/servicePerimeters/vertex"
ACCOUNT = f"app@{TARGET}.iam.gserviceaccount.com"
PLACES = [
    {"name": "gcp-app", "position": "inside", "network": APP, "subnet": SUBNETS[0]},
    {"name": "gcp-app-eu", "position": "inside", "network": APP, "subnet": SUBNETS[1]},
    {"name": "gcp-spoke", "position": "spoke", "network": SPOKE, "subnet": SUBNETS[2]},
    {"name": "gcp-outside", "position": "outside"},
]
# Storage stands for the APIs that have to go on working beside Vertex AI.
NAMES = {
    "regions": ["us-central1", "europe-west1"],
    "extra_hosts": ["storage.googleapis.com"],
    "target_name": TARGET,
}
WORLD = {
    "gcp": {
        "timing": {"operation": 0.05, "dns_pending": 0.05, "perimeter_propagation": 0.2},
        # What is explained beforehand is tested elsewhere.
        "log_entries": [],
    }
}
ADDRESSES = {APP: "10.255.30.2", SPOKE: "10.255.31.2"}


def judging() -> list[dict[str, Any]]:
    """Collect, probe from everywhere, judge, and keep the answer."""
    probe = {
        f"{MODULE}private_endpoint_probe": {
            "targets": "{{ created.probe_targets }}",
            "pinned": "{{ stage.pinned | default(false) }}",
            "vantage": "{{ item.name }}",
            "position": "{{ item.position }}",
            "network": "{{ item.network | default(omit) }}",
            "bearer_token": "{{ lookup('private_ai.endpoints.vertex_token', '" + ACCOUNT + "') }}",
            "bearer_principal": ACCOUNT,
            "timeout": 3,
        },
        "delegate_to": "{{ item.name }}",
        "loop": PLACES,
        "loop_control": {"label": "{{ item.name }}"},
        "register": "probes",
    }
    info = {
        f"{MODULE}vertex_psc_endpoint_info": {
            "project": TARGET,
            "network": APP,
            "spoke_networks": [SPOKE],
            "gather": ["endpoints", "network", "dns", "perimeter", "access"],
            **NAMES,
        },
        "register": "observed",
    }
    validate = {
        f"{MODULE}private_endpoint_validate": {
            "evidence": ["{{ observed.evidence }}"],
            "probe_targets": "{{ created.probe_targets }}",
            "observations": "{{ probes.results | map(attribute='observations') | flatten }}",
            "vantages": PLACES,
            "scope": {"id": PERIMETER, "members": [TARGET]},
            "expect": "{{ stage.expect }}",
            "pinned": "{{ stage.pinned | default(false) }}",
            "application_cidrs": ["10.30.0.0/16", "10.31.0.0/16"],
            "lock": "{{ locked.binds | default(omit) }}",
        },
        "register": "judged",
        "ignore_errors": True,
    }
    return [probe, info, validate]


def files(lab: Any) -> str:
    """The playbook and its task file, in the test's folder."""
    keep = {
        "ansible.builtin.copy": {
            "content": "{{ judged | to_json }}",
            "dest": f"{lab.folder}/" + "{{ stage.name }}.json",
            "mode": "0600",
        }
    }
    judge = lab.path("judge.yml")
    judge.write_text(yaml.safe_dump([*judging(), keep]))

    def stage(name: str, expect: str, **more: Any) -> dict[str, Any]:
        return {
            "ansible.builtin.include_tasks": str(judge),
            "vars": {"stage": {"name": name, "expect": expect, **more}},
        }

    create = {
        f"{MODULE}vertex_psc_endpoint": {
            "project": TARGET,
            "networks": [
                {"network": APP, "endpoint_name": "pscvertex", "address": ADDRESSES[APP]},
                {"network": SPOKE, "endpoint_name": "pscspoke", "address": ADDRESSES[SPOKE]},
            ],
            "allowed_cidrs": ["10.30.0.0/16", "10.31.0.0/16"],
            "private_google_access_subnets": SUBNETS,
            **NAMES,
        },
        "register": "created",
    }
    names = {
        f"{MODULE}vertex_private_dns": {
            "project": TARGET,
            "networks": [
                {"network": path, "address": address} for path, address in ADDRESSES.items()
            ],
            **NAMES,
        }
    }
    member = {
        "target": TARGET,
        "project": TARGET,
        "network": APP,
        "spoke_networks": [SPOKE],
        "regions": NAMES["regions"],
        "extra_hosts": NAMES["extra_hosts"],
    }
    lock = {
        f"{MODULE}vertex_lockdown": {
            "perimeter": PERIMETER,
            "members": [member],
            "proof": "{{ judged.proof }}",
        },
        "register": "locked",
    }
    play = {
        "hosts": TARGET,
        "gather_facts": False,
        "tasks": [
            create,
            stage("pinned", "private", pinned=True),
            stage("created", "private"),
            names,
            stage("named", "private"),
            lock,
            {"ansible.builtin.pause": {"seconds": 1}},
            stage("locked", "blocked"),
        ],
    }
    playbook = lab.path("stages.yml")
    playbook.write_text(yaml.safe_dump([play], sort_keys=False))
    return str(playbook)


def statuses(result: dict[str, Any], table: str) -> dict[str, str]:
    return {row["id"]: row["status"] for row in result[table]}


def test_stages(lab: Any) -> None:
    playbook = files(lab)
    outcome = lab.run(
        f"ansible-playbook -i tests/lab/inventory/gcp.yml {playbook}", world=WORLD, timeout=1200
    )
    assert outcome.code == 0, outcome.output[-4000:]

    def stage(name: str) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(lab.path(f"{name}.json").read_text())
        return document

    pinned, created, named, locked = (
        stage(name) for name in ("pinned", "created", "named", "locked")
    )
    assert not pinned["failed"] and pinned["proof"], pinned["proof_refused"]
    assert created["failed"] and created["proof"] is None
    rows = statuses(created, "misconfigurations")
    assert {name for name, status in rows.items() if status == "fail"} == {"M1", "M2", "M6"}
    assert not named["failed"] and named["proof"], named["proof_refused"]
    assert statuses(named, "checklist") == {
        **dict.fromkeys(("C1", "C2", "C5", "C6"), "pass"),
        # Who administers the organisation may call everything, which is worth a look.
        "C4": "warn",
        "C3": "fail",
        "C7": "unknown",
    }
    assert not locked["failed"] and locked["proof"], locked["proof_refused"]
    assert statuses(locked, "checklist")["C3"] == "pass"
    outside = {
        row["cell"]
        for row in locked["matrix"]
        if row["vantage"] == "gcp-outside" and not row["host"].startswith("storage.")
    }
    assert outside == {"public · denied by perimeter"}
