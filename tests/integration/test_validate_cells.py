# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From wide open to locked in the lab, judged at each stage; then each thing broken alone, seen, and repaired."""

from __future__ import annotations

import json
import textwrap
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

# What a person does behind the playbooks' back, and how he takes it back: `ec2`, `r53`, `org` are clients of the
# accounts' administrators, `models` and `runtime` the endpoints.
PRELUDE = """
import boto3, json, time
def client(service, key, secret):
    return boto3.client(service, region_name="us-east-1", aws_access_key_id=key, aws_secret_access_key=secret)
app = ("AKIALABAPPADMIN00000", "lab-secret-app-admin")
ec2, r53 = client("ec2", *app), client("route53", *app)
org = client("organizations", "AKIALABADMINISTRAT00", "lab-secret-admin")
def endpoints():
    return ec2.describe_vpc_endpoints(Filters=[dict(Name="vpc-id", Values=["vpc-0a00000000000000a"])])["VpcEndpoints"]
by = {e["ServiceName"].rpartition(".")[2]: e for e in endpoints()}
models, runtime = by["bedrock"], by["bedrock-runtime"]
def settle():
    while any(e["State"].lower() != "available" for e in endpoints()):
        time.sleep(0.1)
def modify(**change):
    ec2.modify_vpc_endpoint(VpcEndpointId=runtime["VpcEndpointId"], **change)
    settle()
def zone():
    found = r53.list_hosted_zones_by_vpc(VPCId="vpc-0b00000000000000b", VPCRegion="us-east-1")["HostedZoneSummaries"]
    return next(z["HostedZoneId"] for z in found if z["Name"].startswith("bedrock-runtime"))
def change(action, record):
    change = dict(Action=action, ResourceRecordSet=record)
    r53.change_resource_record_sets(HostedZoneId=zone(), ChangeBatch=dict(Changes=[change]))
    time.sleep(0.5)
def alias():
    found = r53.list_resource_record_sets(HostedZoneId=zone())["ResourceRecordSets"]
    return next(r for r in found if r["Type"] == "A")
group = runtime["Groups"][0]["GroupId"]
anyone = dict(GroupId=group, IpProtocol="tcp", FromPort=443, ToPort=443, CidrIp="0.0.0.0/0")
acl = ec2.describe_network_acls(Filters=[dict(Name="vpc-id", Values=["vpc-0a00000000000000a"])])["NetworkAcls"][0]
entry = dict(NetworkAclId=acl["NetworkAclId"], RuleNumber=50, Egress=False)
def lock():
    return next(p for p in org.list_policies(Filter="SERVICE_CONTROL_POLICY")["Policies"] if not p["AwsManaged"])
"""

CELLS: dict[str, tuple[str, str]] = {
    "M1": (
        'org.detach_policy(PolicyId=lock()["Id"], TargetId="222222222222"); time.sleep(0.5)',
        'org.attach_policy(PolicyId=lock()["Id"], TargetId="222222222222"); time.sleep(0.5)',
    ),
    "M2": ("modify(PrivateDnsEnabled=False)", "modify(PrivateDnsEnabled=True)"),
    "M3": (
        'open("{keep}", "w").write(runtime["PolicyDocument"]); modify(ResetPolicy=True)',
        'modify(PolicyDocument=open("{keep}").read())',
    ),
    "M4": (
        "ec2.authorize_security_group_ingress(**anyone)",
        "ec2.revoke_security_group_ingress(**anyone)",
    ),
    "M5": (
        'ec2.create_network_acl_entry(Protocol="6", RuleAction="deny", CidrBlock="10.10.3.0/24", '
        "PortRange=dict(From=443, To=443), **entry)",
        "ec2.delete_network_acl_entry(**entry)",
    ),
    "M6": (
        'kept = alias(); json.dump(kept, open("{keep}", "w")); change("DELETE", kept)',
        'change("CREATE", json.load(open("{keep}")))',
    ),
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
            "timeout": 0.7,
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

    def person(code: str) -> dict[str, Any]:
        code = code.replace("{keep}", str(lab.path("policy.json")))
        argv = ["{{ ansible_playbook_python }}", "-c", PRELUDE + textwrap.dedent(code)]
        return {"ansible.builtin.command": {"argv": argv}, "changed_when": True}

    broken = [
        task
        for cell, (breaks, repairs) in CELLS.items()
        for task in (
            person(breaks),
            stage(f"broken-{cell}", "blocked"),
            person(repairs),
        )
    ]
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
            *broken,
            stage("repaired", "blocked"),
        ],
    }
    playbook = lab.path("cells.yml")
    playbook.write_text(yaml.safe_dump([play], sort_keys=False))
    return str(playbook)


def statuses(result: dict[str, Any], table: str) -> dict[str, str]:
    return {row["id"]: row["status"] for row in result[table]}


def test_stages_and_cells(lab: Any) -> None:
    playbook = files(lab)
    outcome = lab.run(
        f"ansible-playbook -i tests/lab/inventory {playbook}", world=WORLD, timeout=420
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
    for cell in CELLS:
        broken = stage(f"broken-{cell}")
        failed = {
            item["misconfiguration"] for item in broken["findings"] if item["status"] == "fail"
        }
        assert failed == {cell}, (cell, broken["text"])
        assert broken["failed"]
    assert not stage("repaired")["failed"], stage("repaired")["text"]


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
