# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The unmodified SDK in a running lab: real host names, faults on the way, and what the journal says."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

SUBSCRIPTION = "5a000000-0000-0000-0000-00000000000a"
CLIENT = "c1000000-0000-0000-0000-000000000001"
GROUP = "Microsoft.Network/networkSecurityGroups"

STORY = """
import json, sys
from azure.core.exceptions import HttpResponseError, ServiceRequestError, ServiceResponseError
from azure.identity import DefaultAzureCredential
from azure.mgmt.network import NetworkManagementClient

client = NetworkManagementClient(
    DefaultAzureCredential(), sys.argv[1], polling_interval=0.05, retry_total=0
)
groups = client.network_security_groups
seen = []
for name in ("throttled", "failed", "reset", "lost", "made"):
    try:
        made = groups.begin_create_or_update("app-network", name, {"location": "eastus"}).result()
        seen.append([made.provisioning_state, ""])
    except HttpResponseError as error:
        seen.append([error.status_code, error.error.code if error.error else ""])
    except (ServiceRequestError, ServiceResponseError) as error:
        seen.append(["broken", ""])
names = sorted(each.name for each in groups.list("app-network"))
print(json.dumps({"seen": seen, "names": names}))
"""


def journal_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_the_sdk_meets_each_fault_in_azures_words(
    lab_run: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    faults, journal = tmp_path / "faults.yml", tmp_path / "journal.jsonl"
    match = {"operation": f"{GROUP}:PUT", "principal": CLIENT}
    kinds = ("throttle", "error", "reset", "lost")
    entries = [{"match": match, "kind": kind, "nth": n + 1} for n, kind in enumerate(kinds)]
    faults.write_text(yaml.safe_dump(entries))
    options = ["--faults", str(faults), "--journal", str(journal)]

    done = lab_run(*options, "--", sys.executable, "-c", STORY, SUBSCRIPTION)

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "seen": [
            [429, "TooManyRequests"],
            [500, "InternalServerError"],
            ["broken", ""],
            ["broken", ""],
            ["Succeeded", ""],
        ],
        # What was lost was carried out.
        "names": ["app", "lost", "made"],
    }
    lines = journal_lines(journal)
    assert lines[0]["operation"] == "login:discovery"
    token = next(each for each in lines if each["operation"] == "login:token")
    assert token["parameters"]["client_secret"] == "********"
    writes = [each for each in lines if each["write"]]
    assert [(each["status"], each["fault"]) for each in writes] == [
        (429, "throttle"),
        (500, "error"),
        (None, "reset"),
        (201, "lost"),
        (201, None),
    ]
    assert {each["operation"] for each in writes} == {f"{GROUP}:PUT"}
    assert {each["principal"] for each in writes} == {CLIENT}
    assert writes[-1]["parameters"]["body"] == {"location": "eastus"}
