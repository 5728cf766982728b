# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The probe on vantages with the oldest Pythons that ansible-core allows sees what it sees with any other."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from .conftest import BIN, INVENTORY, ROOT, Lab

# The oldest Python on a target, for each ansible-core; its own documentation's table.
OLDEST = {"2.19": 8, "2.20": 9, "2.21": 9}
NEWEST_OF_THESE = 10
VANTAGES = ("app-a", "app-b", "app-c")
# A management API that is signed for, a name that is not there, and an address that is silent.
TARGETS: list[dict[str, Any]] = [
    {
        "host": host,
        "addresses": addresses,
        "cloud": "aws",
        "target": "app-use1",
        "service": "bedrock",
        "plane": "management",
        "probe_action": {
            "name": "bedrock:ListFoundationModels",
            "path": "/foundation-models",
            "auth": "aws4",
            "signing_name": "bedrock",
            "region": "us-east-1",
        },
    }
    for host, addresses in (
        ("bedrock.us-east-1.amazonaws.com", []),
        ("nowhere.us-east-1.amazonaws.com", []),
        ("bedrock-runtime.us-east-1.amazonaws.com", ["10.10.1.200"]),
    )
]


def ansible_core() -> str:
    """The version in the environment, as far as it tells one release from the next."""
    code = "from ansible.release import __version__ as v; print('.'.join(v.split('.')[:2]))"
    done = subprocess.run(
        [BIN / "python", "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout.strip()


def pythons() -> dict[str, Path]:
    """By version, those from the oldest on that this machine has."""
    found = {}
    for minor in range(OLDEST[ansible_core()], NEWEST_OF_THESE + 1):
        done = subprocess.run(
            [sys.executable, ROOT / "tools/find-python", f"3.{minor}"],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        if done.returncode == 0:
            found[f"3.{minor}"] = Path(done.stdout.strip())
    return found


def playbook(folder: Path) -> Path:
    """One probe on each vantage, and what it returned in a file of the vantage's name."""
    tasks = [
        {
            "name": "Say which Python it is",
            "ansible.builtin.setup": {"gather_subset": ["!all", "!min", "python"]},
        },
        {
            "name": "Probe",
            "private_ai.endpoints.private_endpoint_probe": {
                "vantage": "{{ inventory_hostname }}",
                "position": "{{ vantage_position }}",
                "access_key": "{{ vantage_aws_access_key_id }}",
                "secret_key": "{{ vantage_aws_secret_access_key }}",
                "targets": TARGETS,
                "identify": True,
            },
            "register": "seen",
        },
        {
            "name": "Keep",
            "ansible.builtin.copy": {
                "content": "{{ {'python': ansible_facts.python.version, 'seen': seen} | to_json }}",
                "dest": f"{folder}/{{{{ inventory_hostname }}}}.json",
                "mode": "0600",
            },
            "delegate_to": "localhost",
            "vars": {"ansible_python_interpreter": "{{ ansible_playbook_python }}"},
        },
    ]
    play = {
        "name": "Probe with old Pythons",
        "hosts": ",".join([*VANTAGES, "spoke-a"]),
        "gather_facts": False,
        "tasks": tasks,
    }
    path = folder / "probe.yml"
    path.write_text(yaml.safe_dump([play], sort_keys=False))
    return path


def told(observations: list[dict[str, Any]]) -> list[Any]:
    """What was seen, without what differs from one vantage and moment to the next."""
    return [
        {
            "host": item["host"],
            "dns": [item["dns"]["status"], sorted(item["dns"]["system"] or [])],
            "principal": item["principal"],
            "connections": sorted(
                (
                    entry["address"],
                    entry["tcp"]["ok"],
                    entry["tls"] and [entry["tls"]["ok"], entry["tls"]["names"]],
                    entry["http"] and entry["http"]["answer"],
                )
                for entry in item["connections"]
            ),
        }
        for item in observations
    ]


def test_old_pythons_see_what_a_new_one_sees(lab: Lab) -> None:
    found = pythons()
    oldest = f"3.{OLDEST[ansible_core()]}"
    if oldest not in found:
        pytest.skip(f"no Python {oldest} on this machine: the probe was not run on it")
    given = dict(zip(VANTAGES, found.items(), strict=False))
    for vantage, (_, python) in given.items():
        wrapper = lab.path(f"python-{vantage}")
        wrapper.write_text(f'#!/bin/sh\nexec "$LAB_RUN/in-{vantage}" {python} "$@"\n')
        wrapper.chmod(0o755)
    overriding = {
        "vantages": {
            "hosts": {
                vantage: {"ansible_python_interpreter": str(lab.path(f"python-{vantage}"))}
                for vantage in given
            }
        }
    }
    lab.path("old.yml").write_text(yaml.safe_dump(overriding))
    outcome = lab.run(
        f"ansible-playbook -i {INVENTORY} -i {lab.path('old.yml')} {playbook(lab.folder)}"
    )
    assert outcome.code == 0, outcome.output
    reference = json.loads(lab.path("spoke-a.json").read_text())
    assert len(told(reference["seen"]["observations"])) == len(TARGETS)
    assert [item["dns"][0] for item in told(reference["seen"]["observations"])][1] == "nxdomain"
    for vantage, (version, _) in given.items():
        result = json.loads(lab.path(f"{vantage}.json").read_text())
        ran = result["python"]
        assert f"{ran['major']}.{ran['minor']}" == version
        assert told(result["seen"]["observations"]) == told(reference["seen"]["observations"])
