# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From wide open to locked in the lab, judged at each stage; and from where a module runs."""

from __future__ import annotations

import json
from typing import Any

import yaml

VPC, SPOKE = "vpc-0a00000000000000a", "vpc-0b00000000000000b"
SUBNETS = [f"subnet-0a0000000000000{letter}1" for letter in "abc"]
MODULE = "private_ai.endpoints."
PLACES = [
    *(
        {"name": name, "position": "inside", "subnet": subnet}
        for name, subnet in (("app-a", SUBNETS[0]), ("app-c", SUBNETS[2]))
    ),
    {"name": "spoke-a", "position": "spoke", "network": SPOKE},
    {"name": "outside", "position": "outside"},
]
SCOPE = {"id": "222222222222", "members": ["app-use1"]}
WORLD = {
    "aws": {"timing": {"endpoint_pending": 0.3, "endpoint_delete": 0.2, "scp_propagation": 0.2}}
}


def files(lab: Any) -> str:
    """The playbook and its task files, in the test's folder."""
    probe = {
        f"{MODULE}private_endpoint_probe": {
            "targets": "{{ created.probe_targets }}",
            "vantage": "{{ item.name }}",
            "position": "{{ item.position }}",
            "access_key": "{{ hostvars[item.name].vantage_aws_access_key_id }}",
            "secret_key": "{{ hostvars[item.name].vantage_aws_secret_access_key }}",
            "identify": True,
            "timeout": 3,
        },
        "delegate_to": "{{ item.name }}",
        "loop": PLACES,
        "loop_control": {"label": "{{ item.name }}"},
        "register": "probes",
    }
    info = {
        f"{MODULE}bedrock_vpc_endpoint_info": {
            "vpc_id": VPC,
            "target_name": "app-use1",
            "assume_role_arn": "{{ bedrock_assume_role_arn }}",
            "gather": ["network", "endpoints", "dns", "enforcement"],
        },
        "register": "observed",
    }
    validate = {
        f"{MODULE}private_endpoint_validate": {
            "evidence": ["{{ observed.evidence }}"],
            "probe_targets": "{{ created.probe_targets }}",
            "observations": "{{ probes.results | map(attribute='observations') | flatten }}",
            "vantages": PLACES,
            "scope": SCOPE,
            "expect": "{{ stage.expect }}",
            "application_subnets": [SUBNETS[0], SUBNETS[2]],
            "lock": "{{ locked.binds | default(omit) }}",
        },
        "register": "judged",
        "ignore_errors": True,
    }
    keep = {
        "ansible.builtin.copy": {
            "content": "{{ judged | to_json }}",
            "dest": f"{lab.folder}/" + "{{ stage.name }}.json",
            "mode": "0600",
        }
    }
    judge = lab.path("judge.yml")
    judge.write_text(yaml.safe_dump([probe, info, validate, keep]))

    def stage(name: str, expect: str) -> dict[str, Any]:
        return {
            "ansible.builtin.include_tasks": str(judge),
            "vars": {"stage": {"name": name, "expect": expect}},
        }

    common = {
        "vpc_id": VPC,
        "assume_role_arn": "{{ bedrock_assume_role_arn }}",
        "target_name": "app-use1",
    }
    play = {
        "hosts": "bedrock",
        "gather_facts": False,
        "module_defaults": {"group/private_ai.endpoints.aws": {"region": "{{ bedrock_region }}"}},
        "tasks": [
            {
                f"{MODULE}bedrock_vpc_endpoint": {
                    **common,
                    "services": ["bedrock"],
                    "subnet_ids": SUBNETS,
                    "allowed_cidrs": "{{ bedrock_allowed_cidrs }}",
                    "organization_id": "{{ bedrock_organization_id }}",
                },
                "register": "created",
            },
            stage("created", "private"),
            {f"{MODULE}bedrock_private_dns": {**common, "spoke_vpcs": [{"vpc_id": SPOKE}]}},
            stage("named", "private"),
            {
                f"{MODULE}bedrock_lockdown": {
                    "targets": ["222222222222"],
                    "roll_out": "enforced",
                    "vpc_endpoint_ids": "{{ observed.evidence.endpoints | map(attribute='id') }}",
                    "members": [
                        {
                            "target": "app-use1",
                            "region": "us-east-1",
                            "vpc_id": VPC,
                            "assume_role_arn": "{{ bedrock_assume_role_arn }}",
                        }
                    ],
                    "proof": "{{ judged.proof }}",
                },
                "register": "locked",
            },
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
        f"ansible-playbook -i tests/lab/inventory/aws.yml {playbook}", world=WORLD, timeout=1200
    )
    assert outcome.code == 0, outcome.output[-4000:]

    def stage(name: str) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(lab.path(f"{name}.json").read_text())
        return document

    created, named, locked = stage("created"), stage("named"), stage("locked")
    assert created["failed"] and created["proof"] is None
    assert {k for k, v in statuses(created, "misconfigurations").items() if v == "fail"} == {
        "M1",
        "M2",
        "M6",
    }
    assert not named["failed"] and named["proof"], named["proof_refused"]
    assert statuses(named, "checklist") == {
        **dict.fromkeys(("C1", "C2", "C4", "C5", "C6"), "pass"),
        "C3": "fail",
        "C7": "unknown",
    }
    assert not locked["failed"] and locked["proof"], locked["proof_refused"]
    assert statuses(locked, "checklist")["C3"] == "pass"
    outside = {row["cell"] for row in locked["matrix"] if row["vantage"] == "outside"}
    assert outside == {"public · denied by SCP"}


def test_it_can_look_from_where_it_runs(lab: Any) -> None:
    """The controller is outside: before the lock its own signed call is admitted on the public path."""
    target = {
        "host": "bedrock.us-east-1.amazonaws.com",
        "addresses": [],
        "cloud": "aws",
        "target": "app-use1",
        "service": "bedrock",
        "plane": "management",
        "probe_action": {
            "name": "bedrock:ListFoundationModels",
            "method": "GET",
            "path": "/foundation-models",
            "headers": {},
            "body": "",
            "auth": "aws4",
            "signing_name": "bedrock",
            "region": "us-east-1",
        },
    }
    here = {"name": "here", "position": "outside", "access_key": "AKIALABAPPLICATION00"}

    def validate(**options: Any) -> dict[str, Any]:
        common = {"probe_targets": [target], "fail_on": "never", "expect": "open"}
        probe = {**here, "secret_key": "lab-secret-application", **options}
        return {f"{MODULE}private_endpoint_validate": {**common, "probe_here": probe}}

    outcome = lab.tasks(validate(), validate(secret_key="wrong"), validate(ca_path="/nowhere"))
    admitted, rejected, unreadable = outcome.results
    assert not admitted["failed"], admitted.get("msg")
    assert [row["cell"].rpartition(" · ")[2] for row in admitted["matrix"]] == ["admitted"]
    assert rejected["failed"] and rejected["summary"]["by_status"]["unknown"]
    assert "ca_path" in unreadable["msg"]
    assert "lab-secret" not in outcome.output
