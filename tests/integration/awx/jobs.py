# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs jobs inside the lab the way AWX 24.6 does: its copy of the inventory, its slices, its environment.

usage: python jobs.py PLAN. The plan is JSON: `{folder, inventory, injected, jobs}`. A job is `{name, playbook, slices,
only, at_once, limit, extra_vars, takes, drop}`: `only` lists the slices that run, `takes` the jobs whose artifacts it
is given, as a node of a workflow is, and `drop` the slices of those that are withheld. FOLDER/NAME/SLICE/result.json
then has exit code, artifacts, and how many requests the clouds answered meanwhile.
"""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[3]
# What a container of an execution environment has by itself, and what the lab needs for its authority.
_CONTAINER = (
    "PATH",
    "HOME",
    "LANG",
    "TMPDIR",
    "ANSIBLE_HOME",
    "ANSIBLE_REMOTE_TMP",
    "NO_GCE_CHECK",
)
_TRUST = ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE")


# In a process of its own, since ansible-runner hands the environment that it finds on to Ansible.
_RUN = """
import sys, ansible_runner
folder, project, playbook = sys.argv[1:]
run = ansible_runner.run(
    private_data_dir=folder, project_dir=project, playbook=playbook, ident="job", quiet=True
)
sys.exit(run.rc)
"""


class Unsafe(str):
    """A text that Ansible must not template, as every launch-time variable of AWX is."""


yaml.SafeDumper.add_representer(
    Unsafe, lambda dumper, text: dumper.represent_scalar("!unsafe", str(text))
)


def imported(source: str) -> dict[str, Any]:
    """The inventory as an inventory source leaves it in AWX's database: `ansible-inventory --list --export`, as in
    awx/main/tasks/jobs.py, RunInventoryUpdate.build_args."""
    done = subprocess.run(
        ["ansible-inventory", "--list", "--export", "-i", source],
        cwd=ROOT,
        env=_base(),
        capture_output=True,
        text=True,
        check=True,
    )
    listed: dict[str, Any] = json.loads(done.stdout)
    return listed


def script_data(inventory: Mapping[str, Any], number: int, count: int) -> dict[str, Any]:
    """What a job sees: awx/main/models/inventory.py, get_script_data and get_sliced_hosts.

    Hosts in the order of their names, every count-th of them; groups keep their variables and, of their hosts, those.
    """
    every = sorted({host for group in inventory.values() for host in group.get("hosts", [])})
    hosts = every[number - 1 :: count] if count > 1 else every
    known = inventory["_meta"]["hostvars"]
    groups = {name: group for name, group in inventory.items() if name not in ("_meta", "all")}
    grouped = {host for group in groups.values() for host in group.get("hosts", [])}
    data: dict[str, Any] = {"all": {"hosts": [host for host in hosts if host not in grouped]}}
    if inventory["all"].get("vars"):
        data["all"]["vars"] = inventory["all"]["vars"]
    for name, group in groups.items():
        told = {"hosts": [host for host in group.get("hosts", []) if host in hosts]}
        told |= {key: group[key] for key in ("children", "vars") if group.get(key)}
        if kept := {key: value for key, value in told.items() if value}:
            data[name] = kept
    data["all"]["children"] = list(groups)
    data["_meta"] = {
        "hostvars": {
            host: {
                **known.get(host, {}),
                "remote_tower_enabled": "true",
                "remote_tower_id": every.index(host) + 1,
            }
            for host in hosts
        }
    }
    return data


def credentials(folder: Path) -> dict[str, str]:
    """What the credential types Amazon Web Services, Microsoft Azure Resource Manager and Google Compute Engine inject:
    awx_plugins/credentials/injectors.py. The values are those that the lab gave its controller, under other names."""
    own = os.environ
    key = json.loads(Path(own["GOOGLE_APPLICATION_CREDENTIALS"]).read_text())
    file = folder / "env/tmp_gce"
    file.write_text(
        json.dumps(
            {
                "type": "service_account",
                "private_key": key["private_key"],
                "client_email": key["client_email"],
                "project_id": key["project_id"],
                "token_uri": "https://oauth2.googleapis.com/token",
            },
            indent=2,
        )
    )
    file.chmod(0o600)
    return {
        "AWS_ACCESS_KEY_ID": own["AWS_ACCESS_KEY_ID"],
        "AWS_SECRET_ACCESS_KEY": own["AWS_SECRET_ACCESS_KEY"],
        "AZURE_SUBSCRIPTION_ID": own["AZURE_SUBSCRIPTION_ID"],
        "AZURE_CLIENT_ID": own["AZURE_CLIENT_ID"],
        "AZURE_TENANT": own["AZURE_TENANT_ID"],
        "AZURE_SECRET": own["AZURE_CLIENT_SECRET"],
        "GCE_EMAIL": key["client_email"],
        "GCE_PROJECT": key["project_id"],
        "GCE_CREDENTIALS_FILE_PATH": str(file),
        "GCP_SERVICE_ACCOUNT_FILE": str(file),
        "GOOGLE_APPLICATION_CREDENTIALS": str(file),
        "GCP_AUTH_KIND": "serviceaccount",
        "GCP_PROJECT": key["project_id"],
        "GCP_ENV_TYPE": "tower",
    }


def launch(
    plan: Mapping[str, Any],
    inventory: Mapping[str, Any],
    job: Mapping[str, Any],
    given: Mapping[str, Any],
    number: int,
) -> dict[str, Any]:
    """One job, or one slice of one: its artifacts."""
    count = job.get("slices", 1)
    identity = 100 * (1 + [item["name"] for item in plan["jobs"]].index(job["name"])) + number
    folder = Path(plan["folder"]) / job["name"] / str(number)
    for name in ("inventory", "env"):
        (folder / name).mkdir(parents=True)
    script = folder / "inventory/hosts"
    data = json.dumps(script_data(inventory, number, count))
    script.write_text(f"#! /usr/bin/env python3\n# -*- coding: utf-8 -*-\nprint({data!r})\n")
    script.chmod(0o700)
    meta = {
        "awx_job_id": identity,
        "awx_job_launch_type": "workflow",
        "awx_job_template_name": f"private-ai {job['playbook']}",
        "awx_workflow_job_id": identity - number,
        # The workflow that AWX makes of a sliced job is named as the job template.
        "awx_workflow_job_name": f"private-ai {job['playbook']}" if count > 1 else "private-ai",
        "awx_user_name": "operator",
        "awx_inventory_name": "fleet",
    }
    own = {"private_endpoint_report_dir": str(folder / "report"), **job.get("extra_vars", {})}
    variables = {**own, **given, **meta}
    (folder / "env/extravars").write_text(yaml.safe_dump(_unsafe(variables)))
    environment = {
        **credentials(folder),
        "AWX_PRIVATE_DATA_DIR": str(folder),
        "ANSIBLE_FORCE_COLOR": "True",
        "ANSIBLE_HOST_KEY_CHECKING": "False",
        "ANSIBLE_INVENTORY_UNPARSED_FAILED": "True",
        "ANSIBLE_PARAMIKO_RECORD_HOST_KEYS": "False",
        "ANSIBLE_RETRY_FILES_ENABLED": "False",
        "JOB_ID": str(identity),
        "INVENTORY_ID": "1",
        "MAX_EVENT_RES": "700000",
    }
    (folder / "env/envvars").write_text(json.dumps(environment))
    words = [
        "-u",
        "root",
        *(["-l", job["limit"]] if "limit" in job else []),
        "-e",
        f"@{_injected(folder, plan['injected'])}",
    ]
    (folder / "env/cmdline").write_text(" ".join(words))
    before = _asked()
    done = subprocess.run(
        [sys.executable, "-c", _RUN, str(folder), str(ROOT), f"playbooks/{job['playbook']}"],
        env=_base(),
        check=False,
    )
    artifacts = _artifacts(folder)
    said = {"code": done.returncode, "artifacts": artifacts, "asked": _asked() - before}
    (folder / "result.json").write_text(json.dumps(said))
    return artifacts


def _injected(folder: Path, variables: Mapping[str, str]) -> Path:
    """Extra variables of a custom credential type: awx/main/models/credential.py, inject_credential."""
    path = folder / "env/tmp_injected"
    path.write_text(yaml.safe_dump(_unsafe(variables)))
    path.chmod(0o600)
    return path


def _artifacts(folder: Path) -> dict[str, Any]:
    """What set_stats left: awx/main/tasks/callback.py, RunnerCallback.event_handler."""
    for path in (folder / "artifacts/job/job_events").glob("*.json"):
        event = json.loads(path.read_text())
        if event["event"] == "playbook_on_stats":
            return dict(event["event_data"].get("artifact_data") or {})
    return {}


def _asked() -> int:
    """How many requests the clouds have answered."""
    return len(Path(os.environ["LAB_JOURNAL"]).read_text().splitlines())


def _base() -> dict[str, str]:
    lab = {name: value for name, value in os.environ.items() if name.startswith("LAB_")}
    return {name: os.environ[name] for name in (*_CONTAINER, *_TRUST) if name in os.environ} | lab


def _unsafe(value: Any) -> Any:
    if isinstance(value, str):
        return Unsafe(value)
    if isinstance(value, Mapping):
        return {key: _unsafe(item) for key, item in value.items()}
    return [_unsafe(item) for item in value] if isinstance(value, list) else value


def main(arguments: Sequence[str]) -> None:
    """Run the jobs of a plan, one after the other."""
    plan = json.loads(Path(arguments[0]).read_text())
    inventory = imported(plan["inventory"])
    left: dict[str, dict[int, dict[str, Any]]] = {}
    for job in plan["jobs"]:
        # awx/main/models/workflow.py, get_job_kwargs and get_effective_artifacts: later ones replace earlier ones.
        given: dict[str, Any] = {}
        for name in job.get("takes", []):
            for number, artifacts in left[name].items():
                if number not in job.get("drop", []):
                    given |= artifacts
        numbers = job.get("only") or range(1, job.get("slices", 1) + 1)
        run = functools.partial(launch, plan, inventory, job, given)
        with ThreadPoolExecutor(len(numbers) if job.get("at_once") else 1) as pool:
            left[job["name"]] = dict(zip(numbers, pool.map(run, numbers), strict=True))


if __name__ == "__main__":
    main(sys.argv[1:])
