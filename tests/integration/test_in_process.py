# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A module and its action plugin are the same thing: every case is run both ways and compared."""

from __future__ import annotations

import json
import re
from typing import Any

NAME = "private_ai.endpoints.bedrock_vpc_endpoint"
ROLE = "arn:aws:iam::222222222222:role/network-automation"
GOOD = {
    "region": "us-east-1",
    "vpc_id": "vpc-0a00000000000000a",
    "services": ["bedrock"],
    "subnet_ids": ["subnet-0a0000000000000a1"],
    "allowed_cidrs": ["10.10.0.0/16"],
    "assume_role_arn": ROLE,
}
CHECKED: dict[str, dict[str, Any]] = {
    "prediction and diff": {NAME: GOOD, "diff": True},
    "no such VPC": {NAME: {**GOOD, "vpc_id": "vpc-0000000000000dead"}},
    "unknown option": {NAME: {**GOOD, "vpcid": "x"}},
    "wrong choice": {NAME: {**GOOD, "private_dns": "perhaps"}},
    "missing option": {NAME: {"region": "us-east-1"}},
    "wrong key": {NAME: {**GOOD, "access_key": "AKIAUNKNOWN", "secret_key": "hush-hush-hush"}},
    "alias and templated values": {
        NAME: {**GOOD, "aws_region": "{{ place }}", "region": None},
        "vars": {"place": "us-east-1"},
    },
    "credentials from environment": {
        NAME: {
            key: value for key, value in GOOD.items() if key not in ("region", "assume_role_arn")
        },
        "environment": {
            "AWS_ACCESS_KEY_ID": "AKIALABAPPADMIN00000",
            "AWS_SECRET_ACCESS_KEY": "{{ 'lab-secret-' ~ 'app-admin' }}",
            "AWS_REGION": "us-east-1",
        },
    },
}
# What two labs cannot have in common.
VOLATILE = re.compile(
    r"(vpce|sg|eni|sgr)-[0-9a-f]{17}(-[0-9a-z]{8})?|\b\d{4}-\d\d-\d\dT[0-9:.]+Z?\b|"
    r"[0-9a-f]{8}-[0-9a-f-]{27}|Z[0-9A-Z]{12,}|10\.10\.1\.\d+"
)


def comparable(result: dict[str, Any]) -> Any:
    """A result without what only one lab has, and without what Ansible itself adds."""
    kept = json.loads(VOLATILE.sub("*", json.dumps(result, sort_keys=True)))
    for key in ("exception", "warnings", "deprecations", "invocation"):
        kept.pop(key, None)
    if kept.get("failed"):
        kept["msg"] = kept["msg"].rsplit("Supported parameters", 1)[0]
    return kept


def test_both_ways_judge_arguments_credentials_and_resources_alike(lab: Any) -> None:
    here, module = (
        lab.tasks(*CHECKED.values(), check=True, in_process=way) for way in (True, False)
    )
    for name, left, right in zip(CHECKED, here.results, module.results, strict=True):
        assert comparable(left) == comparable(right), name
    for outcome in (here, module):
        assert "hush-hush-hush" not in outcome.output + json.dumps(outcome.results)
        assert outcome.writes == []
    expected = [
        name
        in ("prediction and diff", "alias and templated values", "credentials from environment")
        for name in CHECKED
    ]
    assert [result["changed"] for result in here.results] == expected


def test_both_ways_create_the_same_and_find_it_the_second_time(lab: Any) -> None:
    here, module = (lab.tasks({NAME: GOOD}, {NAME: GOOD}, in_process=way) for way in (True, False))
    assert [comparable(result) for result in here.results] == [
        comparable(result) for result in module.results
    ]
    assert sorted(here.writes) == sorted(module.writes)
    assert [result["changed"] for result in here.results] == [True, False]


def test_only_where_it_is_the_same_thing_does_it_run_in_process(lab: Any) -> None:
    """An ordinary module is packed and written to a temporary folder; in process nothing is."""
    packed = "AnsiballZ_bedrock_vpc_endpoint"
    verbose = {"ANSIBLE_VERBOSITY": "3", "ANSIBLE_PIPELINING": "false"}
    task = {NAME: GOOD}
    other = {"vars": {"ansible_python_interpreter": "/usr/bin/env python3"}}
    assert packed not in lab.tasks(task, check=True, environment=verbose).output
    for changes, in_process in (({}, False), (other, True)):
        outcome = lab.tasks(
            {**task, **changes}, check=True, in_process=in_process, environment=verbose
        )
        assert packed in outcome.output, changes


def test_async_runs_the_ordinary_module(lab: Any) -> None:
    # On a busy machine Ansible may look for the job before it has begun, which the newest calls finished as well.
    started, ended = lab.tasks(
        {NAME: GOOD, "async": 300, "poll": 0},
        {
            "ansible.builtin.async_status": {"jid": "{{ result_0.ansible_job_id }}"},
            "until": "result_1.finished | default(false) and 'could not find' not in result_1.msg | default('')",
            "retries": 120,
            "delay": 1,
        },
    ).results
    assert started["ansible_job_id"] == ended["ansible_job_id"]
    assert ended["changed"] is True, json.dumps(ended)[:4000]
