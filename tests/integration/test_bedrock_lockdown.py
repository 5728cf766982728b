# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""bedrock_lockdown in the lab: it binds outside callers, is undone exactly, survives dead and parallel runs."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
NAME = "private_ai.endpoints.bedrock_lockdown"
APP, SPOKE = "vpc-0a00000000000000a", "vpc-0b00000000000000b"
ACCOUNT, OTHER = "222222222222", "333333333333"
NETWORK = {
    "region": "us-east-1",
    "assume_role_arn": "arn:aws:iam::222222222222:role/network-automation",
}
IDS = ["vpce-0a0000000000000e0", "vpce-0a0000000000000e1"]
SPOKE_ID = "vpce-0b0000000000000e0"
ENDPOINTS = [
    {
        "id": IDS[number],
        "vpc": APP,
        "service": service,
        "subnets": ["subnet-0a0000000000000a1"],
        "security_groups": ["sg-0a0000000000000a8"],
        "private_dns": True,
    }
    for number, service in enumerate(("bedrock", "bedrock-runtime"))
]
OF_SPOKE = {
    "id": SPOKE_ID,
    "vpc": SPOKE,
    "service": "bedrock",
    "subnets": ["subnet-0b0000000000000a1"],
    "private_dns": True,
}
GROUP = {
    "id": "sg-0a0000000000000a8",
    "name": "endpoints",
    "description": "endpoints",
    "ingress": [{"protocol": "tcp", "from_port": 443, "to_port": 443, "cidr": "10.10.0.0/16"}],
}
AWS: dict[str, Any] = {
    "timing": {"scp_propagation": 0.3},
    "vpcs": [{"id": APP, "security_groups": [GROUP]}],
    "endpoints": [*ENDPOINTS, OF_SPOKE],
}
WORLD = {"aws": AWS}
MEMBER = {"target": "app", "vpc_id": APP, **NETWORK}
SPOKE_MEMBER = {"target": "spoke", "vpc_id": SPOKE, **NETWORK}
LOCK: dict[str, Any] = {
    "region": "us-east-1",
    "targets": [ACCOUNT],
    "vpc_endpoint_ids": IDS,
    "members": [MEMBER],
    "break_glass_arns": ["arn:aws:iam::222222222222:role/break-glass"],
    "require_proof": False,
    "run_id": "one",
}


def module(**options: Any) -> dict[str, Any]:
    return {NAME: {**LOCK, **options}}


def call(place: str, after: float = 0.5) -> dict[str, Any]:
    """A signed read of Bedrock by the application's user at a vantage; prints `ok`, or what it is refused with."""
    code = f"""
        import boto3, botocore, time
        time.sleep({after})
        try:
            boto3.client('bedrock', region_name='us-east-1').list_foundation_models()
            print('ok')
        except botocore.exceptions.ClientError as error:
            print(error)
    """
    words = ["sh", "-c", 'exec "$LAB_RUN/in-$0" python -c "$1"', place, textwrap.dedent(code)]
    return {"ansible.builtin.command": {"argv": words}}


def admin(code: str) -> dict[str, Any]:
    """Python in the hands of the organisation's administrator: `o`, and `p`, the lock's policy id or None."""
    prelude = """
        import boto3, json
        o = boto3.client('organizations', region_name='us-east-1')
        found = o.list_policies(Filter='SERVICE_CONTROL_POLICY')['Policies']
        p = next((x['Id'] for x in found if x['Name'] == 'private-ai-endpoints'), None)
    """
    text = textwrap.dedent(prelude) + textwrap.dedent(code)
    return {
        "ansible.builtin.command": {"argv": ["python", "-c", text]},
        "environment": {
            "AWS_ACCESS_KEY_ID": "AKIALABADMINISTRAT00",
            "AWS_SECRET_ACCESS_KEY": "lab-secret-admin",
        },
    }


LOOK = admin(
    """
    print(json.dumps(None if not p else {
        'content': json.loads(o.describe_policy(PolicyId=p)['Policy']['Content']),
        'targets': sorted(t['TargetId'] for t in o.list_targets_for_policy(PolicyId=p)['Targets']),
        'tags': {t['Key']: t['Value'] for t in o.list_tags_for_resource(ResourceId=p)['Tags']}}))
    """
)


def looked(result: dict[str, Any]) -> dict[str, Any]:
    assert result["rc"] == 0, result
    return json.loads(result["stdout"])


def listed(found: dict[str, Any]) -> list[str]:
    (lock,) = [
        item for item in found["content"]["Statement"] if item["Sid"] == "PrivateAiEndpoints"
    ]
    return lock["Condition"]["StringNotEqualsIfExists"]["aws:SourceVpce"]


def attributes(steps: list[dict[str, Any]]) -> set[tuple[str, str, str]]:
    return {
        (step["resource"], step["action"], key)
        for step in steps
        for key in {**step["before"], **step["after"]}
    }


def test_a_lock_from_prediction_to_its_end(lab):
    outcome = lab.tasks(
        {**module(require_proof=True), "check_mode": True},
        {**module(state="sealed"), "check_mode": True},
        module(require_proof=True),
        call("outside", 0),
        module(),
        call("outside"),
        call("app-a", 0),
        LOOK,
        module(),
        module(state="sealed"),
        LOOK,
        module(run_id="two"),
        module(state="unlocked", run_id="two"),
        module(state="unlocked", vpc_endpoint_ids=[], run_id="three"),
        LOOK,
        call("outside"),
        module(state="unlocked", vpc_endpoint_ids=[]),
        world=WORLD,
    )
    (
        predicted,
        sealing,
        refused,
        before,
        made,
        outside,
        inside,
        pending,
        same,
        sealed,
        clean,
        again,
        rescue,
        *end,
    ) = outcome.results
    assert all(step["conditional_on"] for step in predicted["steps"])
    assert [step["action"] for step in sealing["steps"]] == ["delete"]
    assert "there is none" in refused["msg"]
    assert before["stdout"] == "ok"
    assert attributes(predicted["steps"]) == attributes(made["steps"])
    assert made["pending"]["run_id"] == "one"
    assert made["binds"]["management_account_id"] == "111111111111"
    assert "explicit deny in a service control policy" in outside["stdout"]
    assert inside["stdout"] == "ok"
    assert looked(pending)["targets"] == [ACCOUNT]
    assert any(
        key.startswith("private-ai-endpoints:pending:one") for key in looked(pending)["tags"]
    )
    assert not same["changed"]
    assert [step["action"] for step in sealed["steps"]] == ["delete"]
    assert looked(clean)["tags"] == {"private-ai-endpoints:managed": "true"}
    assert (again["changed"], again["pending"], rescue["changed"]) == (False, None, False)
    unlocked, gone, after, twice = end
    assert [step["action"] for step in unlocked["steps"]] == ["delete", "delete"]
    assert looked(gone) is None
    assert after["stdout"] == "ok"
    assert not twice["changed"]


# Evidence, its digest, and a proof made of it, as verification would.
PROVE = """
import json, sys
from datetime import datetime, timedelta, timezone
sys.path.insert(0, sys.argv[2] + '/playbooks/collections')
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.aws.configuration import config_hash
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.contracts import Finding, Scope
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.proof import make_proof
evidence = json.loads(sys.argv[1])
seen = Finding(check='c1', title='names resolve', status='pass', severity='critical', cloud='aws', target='app',
               resource='bedrock', expected='', observed='', why='', fix='', checklist=['C1'])
scope = Scope(cloud='aws', id='222222222222', regions=['us-east-1'], members=['app'])
def proof(age=0, **changes):
    made = make_proof(scope=scope, config_hashes={'app': config_hash(evidence)}, findings=[seen], vantages=['app-a'],
                      principals=['arn:aws:iam::222222222222:user/app'], roll_out='enforced', ttl=3600,
                      now=datetime.now(timezone.utc) - timedelta(seconds=age)).to_json()
    return {**made, **changes}
print(json.dumps({'good': proof(), 'old': proof(7200), 'tagged': proof(roll_out='tagged'),
                  'failed': proof(findings=[{**seen.__dict__, 'status': 'fail'}]),
                  'exempt': proof(principals=['arn:aws:iam::222222222222:role/break-glass']),
                  'elsewhere': proof(scope={**scope.__dict__, 'id': 'r-lab1'})}))
"""


def test_only_a_proof_of_what_stands_now_locks(lab):
    def proved(name: str, **options: Any) -> dict[str, Any]:
        proof = "{{ (result_1.stdout | from_json)." + name + " }}"
        return module(require_proof=True, proof=proof, **options)

    gather = {
        "vpc_id": APP,
        "target_name": "app",
        "gather": ["network", "endpoints", "dns"],
        **NETWORK,
    }
    open_up = textwrap.dedent(
        """
        import boto3
        s = boto3.client('sts').assume_role(RoleArn='arn:aws:iam::222222222222:role/network-automation',
            RoleSessionName='hands')['Credentials']
        ec2 = boto3.client('ec2', aws_access_key_id=s['AccessKeyId'], aws_secret_access_key=s['SecretAccessKey'],
            aws_session_token=s['SessionToken'])
        ec2.authorize_security_group_ingress(GroupId='sg-0a0000000000000a8', IpPermissions=[dict(IpProtocol='tcp',
            FromPort=443, ToPort=443, IpRanges=[dict(CidrIp='0.0.0.0/0')])])
        """
    )
    outcome = lab.tasks(
        {"private_ai.endpoints.bedrock_vpc_endpoint_info": gather},
        {
            "ansible.builtin.command": {
                "argv": ["python", "-c", PROVE, "{{ result_0.evidence | to_json }}", str(ROOT)]
            }
        },
        proved("old"),
        proved("tagged"),
        proved("failed"),
        proved("elsewhere"),
        proved("exempt"),
        proved("good", members=[MEMBER, SPOKE_MEMBER]),
        {**proved("good"), "check_mode": True},
        {"ansible.builtin.command": {"argv": ["python", "-c", open_up]}},
        proved("good"),
        world=WORLD,
    )
    _, made, *refusals = outcome.results
    assert made["rc"] == 0, made
    opened = refusals.pop(-2)
    assert opened["rc"] == 0, opened
    accepted = refusals.pop(-2)
    assert [step["conditional_on"] for step in accepted["steps"]] == [None, None, None]
    for result, text in zip(
        refusals,
        (
            "it expired at",
            "made for roll_out tagged",
            "with status fail",
            "made for scope r-lab1",
            "binds none of the principals",
            "does not cover spoke",
            "configuration of app changed",
        ),
        strict=True,
    ):
        assert text in result.get("msg", ""), result
    assert not [entry for entry in outcome.writes if entry.startswith("organizations:")]


def test_a_dead_run_is_resumed_on_its_targets_and_undone_on_others(lab):
    other = {
        "targets": ["ou-lab1-workload"],
        "vpc_endpoint_ids": [SPOKE_ID],
        "members": [SPOKE_MEMBER],
        "run_id": "three",
    }
    outcome = lab.tasks(
        module(run_id="dead", vpc_endpoint_ids=IDS[:1]),
        module(run_id="two"),
        LOOK,
        module(**other),
        LOOK,
        module(
            **other,
            pending_timeout=0,
            break_glass_arns=["arn:aws:iam::222222222222:role/break-glass"],
        ),
        LOOK,
        module(state="unlocked", run_id="three", vpc_endpoint_ids=[SPOKE_ID]),
        LOOK,
        world=WORLD,
    )
    _, resumed, first, _, beside, undone, alone, _, nothing = outcome.results
    assert "resumed: run dead" in resumed["warnings"][0]
    assert (listed(looked(first)), looked(first)["targets"]) == (IDS, [ACCOUNT])
    assert not [key for key in looked(first)["tags"] if "dead" in key]
    assert (listed(looked(beside)), looked(beside)["targets"]) == (
        [*IDS, SPOKE_ID],
        [ACCOUNT, "ou-lab1-workload"],
    )
    assert "undone: run two" in undone["warnings"][0]
    assert (listed(looked(alone)), looked(alone)["targets"]) == ([SPOKE_ID], ["ou-lab1-workload"])
    assert looked(nothing) is None


def test_runs_at_the_same_time_lose_nothing(lab):
    """Each of four runs adds an endpoint of its own, again and again, to the one policy."""
    many = [
        {**OF_SPOKE, "id": f"vpce-0b000000000000a{number:02}", "private_dns": False}
        for number in range(4)
    ]
    play = [
        {
            "hosts": "localhost",
            "gather_facts": False,
            "vars": {"ansible_python_interpreter": "{{ ansible_playbook_python }}"},
            "tasks": [
                module(
                    targets=["{{ target }}"],
                    vpc_endpoint_ids=["{{ endpoint }}"],
                    members=[SPOKE_MEMBER],
                    run_id="{{ endpoint }}",
                ),
                module(state="sealed", run_id="{{ endpoint }}", targets=["{{ target }}"]),
            ],
        }
    ]
    lab.path("parallel.json").write_text(json.dumps(play))
    targets = [ACCOUNT, "ou-lab1-workload", "r-lab1", ACCOUNT]
    runs = "".join(
        f"ansible-playbook {lab.path('parallel.json')} -e endpoint={item['id']} -e target={target} "
        f'> {lab.path(item["id"])} 2>&1 & pids="$pids $!"\n'
        for item, target in zip(many, targets, strict=True)
    )
    lab.path("look.py").write_text(LOOK["ansible.builtin.command"]["argv"][2])
    script = f"""{runs}
        for pid in $pids; do wait $pid || cat {lab.folder}/vpce-*; done
        AWS_ACCESS_KEY_ID=AKIALABADMINISTRAT00 AWS_SECRET_ACCESS_KEY=lab-secret-admin python {lab.path("look.py")}
    """
    # Several see no policy at first (how many depends on the machine); later all write from what they read before.
    late = [
        {
            "match": {"operation": "organizations:ListPolicies"},
            "kind": "delay",
            "seconds": 3,
            "count": 4,
        },
        {"match": {"operation": "organizations:DescribePolicy"}, "kind": "delay", "seconds": 0.6},
    ]
    endpoints = [*ENDPOINTS, OF_SPOKE, *many]
    outcome = lab.run(script, world={"aws": {**AWS, "endpoints": endpoints}}, faults=late)
    found = json.loads(outcome.output.splitlines()[-1])
    assert listed(found) == [item["id"] for item in many], outcome.output
    assert found["targets"] == sorted({*targets})
    assert outcome.writes.count("organizations:CreatePolicy") > 1, "the runs did not meet"
    assert found["tags"] == {"private-ai-endpoints:managed": "true"}


def test_others_statements_in_a_policy_of_that_name_stay(lab):
    theirs = {"Sid": "Theirs", "Effect": "Deny", "Action": "s3:DeleteBucket", "Resource": "*"}
    policy = {
        "id": "p-theirs00",
        "name": "private-ai-endpoints",
        "content": {"Version": "2012-10-17", "Statement": [theirs]},
        "targets": ["ou-lab1-sandboxx"],
    }
    outcome = lab.tasks(
        module(),
        LOOK,
        module(state="unlocked"),
        LOOK,
        world={"aws": {**AWS, "organization": {"policies": [policy]}}},
    )
    _, locked, _, unlocked = outcome.results
    assert looked(locked)["content"]["Statement"][0] == theirs
    assert looked(locked)["targets"] == [ACCOUNT, "ou-lab1-sandboxx"]
    assert looked(unlocked) == {
        "content": policy["content"],
        "targets": ["ou-lab1-sandboxx"],
        "tags": {},
    }


def test_the_policy_type_is_switched_on_first(lab):
    outcome = lab.tasks(
        {**module(), "check_mode": True},
        module(),
        call("outside"),
        module(),
        world={"aws": {**AWS, "organization": {"scp": "disabled"}}},
    )
    predicted, made, outside, again = outcome.results
    assert predicted["steps"][0]["resource"] == "policy type SERVICE_CONTROL_POLICY"
    assert attributes(predicted["steps"]) == attributes(made["steps"])
    assert "explicit deny" in outside["stdout"]
    assert not again["changed"]


def test_bad_input_is_named_before_any_write(lab):
    full = [
        {
            "id": f"p-guard{number:03}",
            "name": f"guard {number}",
            "content": {
                "Version": "2012-10-17",
                "Statement": [{"Effect": "Deny", "Action": "s3:DeleteBucket", "Resource": "*"}],
            },
            "targets": [ACCOUNT],
        }
        for number in range(9)
    ]
    many = [f"arn:aws:iam::222222222222:role/break-glass-{number:040}" for number in range(140)]
    outcome = lab.tasks(
        module(vpc_endpoint_ids=[], targets=[], members=[], roll_out="tagged"),
        module(
            targets=["account"],
            vpc_endpoint_ids=["vpce-x"],
            break_glass_arns=["me", "arn:aws:iam::*:role/*"],
        ),
        module(break_glass_arns=many),
        module(vpc_endpoint_ids=["vpce-0123456789abcdef0"], targets=[OTHER]),
        module(targets=["444444444444"]),
        module(members=[{**MEMBER, "vpc_id": "vpc-0123456789abcdef0"}]),
        world={"aws": {**AWS, "organization": {"policies": full}}},
    )
    for result, texts in zip(
        outcome.results,
        (
            ("vpc_endpoint_ids: name", "targets: name", "members: name", "opt_in_tag: roll_out"),
            ("'account' is not", "'vpce-x' is not", "'me' is not", "leaves open who is exempt"),
            ("AWS allows 10240", "has 10 service control policies"),
            ("vpce-0123456789abcdef0 is in no VPC", "not under 333333333333"),
            ("444444444444", "TargetNotFoundException"),
            ("vpc-0123456789abcdef0",),
        ),
        strict=True,
    ):
        for text in texts:
            assert text in result["msg"], result["msg"]
    assert outcome.writes == []


def test_no_account_is_bound_whose_callers_nobody_looked_at(lab):
    def wide(*targets: str, **options: Any) -> dict[str, Any]:
        return module(targets=list(targets), require_proof=True, **options)

    tagged = {"roll_out": "tagged", "opt_in_tag": {"key": "private-ai", "value": "pilot"}}
    outcome = lab.tasks(
        wide("r-lab1"),
        wide(ACCOUNT, OTHER),
        wide("ou-lab1-workload"),
        wide("r-lab1", accounts_without_members=[OTHER]),
        wide("r-lab1", **tagged),
        world=WORLD,
    )
    for result in outcome.results[:2]:
        assert f"account {OTHER} (other) under it, and no member is in that" in result["msg"]
    for result in outcome.results[2:]:
        assert "the lock needs a proof" in result["msg"]
    assert outcome.writes == []


def test_denied_permission_names_the_action_and_validation_may_be_denied(lab):
    def only(*actions: str) -> dict[str, Any]:
        statements = [
            {"Effect": "Allow", "Action": list(actions), "Resource": "*"},
            {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"},
        ]
        return {
            "arn": "arn:aws:iam::111111111111:user/automation",
            "policies": [{"Version": "2012-10-17", "Statement": statements}],
        }

    world = {"aws": {**AWS, "principals": [only("organizations:*")]}}
    (made,) = lab.tasks(module(), world=world).results
    assert made["changed"], made
    assert "access-analyzer:ValidatePolicy" in made["warnings"][0]
    world = {"aws": {**AWS, "principals": [only("organizations:Describe*", "access-analyzer:*")]}}
    outcome = lab.tasks(module(), world=world)
    assert "organizations:List" in outcome.results[0]["msg"]
    assert outcome.writes == []


def test_it_is_the_same_as_an_ordinary_module(lab):
    outcome = lab.tasks(module(), module(state="unlocked"), in_process=False, world=WORLD)
    made, gone = outcome.results
    assert made["changed"], made
    assert gone["changed"], gone


def test_it_warns_of_services_that_no_endpoint_serves(lab):
    """No preview shows who calls InvokeEndpoint: a lock that denies it everywhere says so."""
    wide, narrow = lab.tasks(
        module(), module(policy_name="narrow", action_prefixes=["bedrock"]), check=True, world=WORLD
    ).results
    cut_off = [text.split()[7] for text in wide["warnings"] if "no endpoint of the members" in text]
    assert cut_off == ["bedrock-agentcore,", "bedrock-mantle,", "sagemaker,"]
    assert not [text for text in narrow.get("warnings", ()) if "no endpoint" in text]
