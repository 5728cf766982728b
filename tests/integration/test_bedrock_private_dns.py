# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""bedrock_private_dns in the lab: names switch, are predicted, and switch back, in the VPC and in spokes."""

from __future__ import annotations

import textwrap
from typing import Any

import pytest

NAME = "private_ai.endpoints.bedrock_private_dns"
APP, SPOKE, FAR = "vpc-0a00000000000000a", "vpc-0b00000000000000b", "vpc-0c00000000000000c"
HOSTS = ("bedrock.us-east-1.amazonaws.com", "bedrock-runtime.us-east-1.amazonaws.com")
ROLE = "arn:aws:iam::222222222222:role/network-automation"
FAR_ROLE = "arn:aws:iam::333333333333:role/network-automation"
WANTED: dict[str, Any] = {
    "region": "us-east-1",
    "assume_role_arn": ROLE,
    "vpc_id": APP,
    "spoke_vpcs": [{"vpc_id": SPOKE}],
}
FAST = {"endpoint_pending": 0.3, "route53_pending": 0.2}
ENDPOINTS = [
    {
        "id": f"vpce-0a0000000000000e{number}",
        "vpc": APP,
        "service": service,
        "subnets": ["subnet-0a0000000000000a1", "subnet-0a0000000000000b1"],
        "security_groups": ["sg-0a0000000000000a9"],
        "private_dns": False,
        "tags": {"private-ai-endpoints:managed": "true"},
    }
    for number, service in enumerate(("bedrock", "bedrock-runtime"))
]
WORLD = {"aws": {"timing": FAST, "endpoints": ENDPOINTS}}


def module(**options: Any) -> dict[str, Any]:
    return {NAME: {**WANTED, **options}}


def seen(place: str) -> dict[str, Any]:
    """What the hosts resolve to at a vantage: `address host` lines."""
    looks = "; ".join(
        f"echo $($LAB_RUN/in-{place} getent ahostsv4 {host} | head -1)" for host in HOSTS
    )
    return {"ansible.builtin.shell": looks, "check_mode": False}


def admin(code: str) -> dict[str, Any]:
    """Python in the hands of the account's administrator."""
    prelude = "import boto3\nr = boto3.client('route53')\nec2 = boto3.client('ec2', region_name='us-east-1')\n"
    return {
        "ansible.builtin.command": {"argv": ["python", "-c", prelude + textwrap.dedent(code)]},
        "environment": {
            "AWS_ACCESS_KEY_ID": "AKIALABAPPADMIN00000",
            "AWS_SECRET_ACCESS_KEY": "lab-secret-app-admin",
        },
    }


LIST_ZONES = admin("print(len(r.list_hosted_zones()['HostedZones']))")


def attributes(steps: list[dict[str, Any]]) -> set[tuple[str, str, str]]:
    return {
        (step["resource"], step["action"], key)
        for step in steps
        for key in {**step["before"], **step["after"]}
    }


def test_names_switch_and_switch_back(lab):
    outcome = lab.tasks(
        {**module(), "check_mode": True},
        seen("app-a"),
        module(),
        seen("app-a"),
        seen("spoke-a"),
        module(),
        module(state="restored", undo="{{ result_2.undo }}"),
        seen("spoke-a"),
        LIST_ZONES,
        module(state="restored", undo="{{ result_2.undo }}"),
        world=WORLD,
    )
    predicted, before, made, inside, spoke, again, back, after, zones, twice = outcome.results
    assert not predicted.get("failed"), predicted
    assert attributes(predicted["steps"]) == attributes(made["steps"])
    assert all(line.startswith("203.0.113.") for line in before["stdout_lines"])
    assert all(line.startswith("10.10.") for line in inside["stdout_lines"] + spoke["stdout_lines"])
    assert (made["changed"], again["changed"], again["steps"]) == (True, False, [])
    assert {item["host"] for item in made["probe_targets"]} == set(HOSTS)
    assert all(item["addresses"] for item in made["probe_targets"])
    assert sorted(zone["name"] for zone in made["zones"]) == sorted(HOSTS)
    assert back["changed"]
    assert after["stdout_lines"] == [line for line in after["stdout_lines"] if "203.0.113." in line]
    assert zones["stdout"] == "0"
    assert not twice["changed"]


def test_endpoints_that_do_not_exist_yet_are_predicted_and_otherwise_refused(lab):
    outcome = lab.tasks({**module(), "check_mode": True}, module(), world={"aws": {"timing": FAST}})
    predicted, refused = outcome.results
    assert {step["action"] for step in predicted["steps"]} == {"create", "update"}
    assert refused["failed"]
    assert "bedrock-runtime has no endpoint in vpc-0a00000000000000a" in refused["msg"]
    assert outcome.writes == []


def test_all_problems_are_named_before_the_first_write(lab):
    zone = {
        "id": "Z0LABZONE0000000001",
        "name": HOSTS[1],
        "account": "222222222222",
        "vpcs": [{"region": "us-east-1", "id": APP}, {"region": "us-east-1", "id": SPOKE}],
        "records": [{"name": HOSTS[1], "type": "A", "ttl": 60, "values": ["10.10.1.9"]}],
    }
    parent = {**zone, "id": "Z0LABZONE0000000002", "name": "amazonaws.com"}
    world = {
        "aws": {
            "timing": FAST,
            "endpoints": [{**ENDPOINTS[0], "state": "failed"}, ENDPOINTS[1]],
            "zones": [zone, parent],
            "vpcs": [{"id": SPOKE, "dns_hostnames": False}, {"id": APP, "dns_support": False}],
        }
    }
    outcome = lab.tasks(
        module(), module(services=["bedrocks"]), module(vpc_id="vpc-0f"), world=world
    )
    refused, misspelt, nowhere = outcome.results
    for text in (
        "is failed",
        "Z0LABZONE0000000001 (bedrock-runtime.us-east-1.amazonaws.com) is associated with vpc-0a",
        "is associated with vpc-0b00000000000000b and overrides",
        "enableDnsSupport of vpc-0a00000000000000a is off",
        "enableDnsHostnames of vpc-0b00000000000000b is off",
    ):
        assert text in refused["msg"], refused["msg"]
    assert "bedrocks" in misspelt["msg"]
    assert "vpc-0f" in nowhere["msg"]
    assert "has no endpoint" not in nowhere["msg"]
    assert outcome.writes == []


def test_drift_is_found_and_repaired(lab):
    outcome = lab.tasks(
        module(),
        admin(
            f"""
            zone = next(z['Id'] for z in r.list_hosted_zones()['HostedZones'] if z['Name'] == '{HOSTS[1]}.')
            wrong = {{'Name': '{HOSTS[1]}', 'Type': 'A', 'TTL': 60, 'ResourceRecords': [{{'Value': '10.10.9.9'}}]}}
            r.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={{'Changes': [
                {{'Action': 'UPSERT', 'ResourceRecordSet': wrong}}]}})
            r.change_tags_for_resource(ResourceType='hostedzone', ResourceId=zone.split('/')[-1],
                RemoveTagKeys=['private-ai-endpoints:managed', 'private-ai-endpoints:vpc'])
            ec2.modify_vpc_endpoint(VpcEndpointId='{ENDPOINTS[0]["id"]}', PrivateDnsEnabled=False)
            """
        ),
        {**module(), "check_mode": True},
        module(),
        seen("spoke-a"),
        LIST_ZONES,
        module(),
        world=WORLD,
    )
    _, broken, predicted, repaired, spoke, zones, again = outcome.results
    assert broken["rc"] == 0, broken
    assert attributes(predicted["steps"]) == attributes(repaired["steps"])
    assert len(repaired["steps"]) == 3
    assert all(line.startswith("10.10.") for line in spoke["stdout_lines"])
    assert "10.10.9.9" not in spoke["stdout"]
    assert zones["stdout"] == "2"
    assert not again["changed"]


def test_what_was_just_created_is_not_read_again_and_never_believed_against_what_stands(lab):
    """created: from before the names were switched, then as they stand, and then older than two changes by hand."""
    kept = {key: WANTED[key] for key in ("region", "assume_role_arn", "vpc_id")}
    kept |= {"services": ["bedrock"], "endpoint_policy": "keep"}
    create = {"private_ai.endpoints.bedrock_vpc_endpoint": kept}
    off = f"ec2.modify_vpc_endpoint(VpcEndpointId='{ENDPOINTS[0]['id']}', PrivateDnsEnabled=False)"
    lost = "\n".join(
        (
            f"zone = next(z['Id'] for z in r.list_hosted_zones()['HostedZones'] if z['Name'] == '{HOSTS[1]}.')",
            "found = r.list_resource_record_sets(HostedZoneId=zone)['ResourceRecordSets']",
            "held = next(item for item in found if item['Type'] == 'A')",
            "r.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={'Changes': [",
            "    {'Action': 'DELETE', 'ResourceRecordSet': held}]})",
        )
    )
    outcome = lab.tasks(
        create,
        module(created="{{ result_0 }}"),
        create,
        module(created="{{ result_2 }}"),
        admin(off),
        module(created="{{ result_2 }}"),
        admin(lost),
        module(created="{{ result_2 }}"),
        module(created="{{ result_2 }}", private_dns="disabled"),
        module(created={"changed": False, "vpc_id": APP, "region": "us-east-1"}),
        world=WORLD,
    )
    _, made, _, again, switched, back, deleted, record, disabled, refused = outcome.results
    assert made["changed"], made
    assert (again["changed"], again["steps"]) == (False, []), again
    assert again["probe_targets"] == made["probe_targets"] and again["zones"] == made["zones"]
    assert again["private_dns"] == {"bedrock": True, "bedrock-runtime": True}
    assert switched["rc"] == deleted["rc"] == 0, (switched, deleted)
    assert [step["resource"] for step in back["steps"]] == [f"private DNS of bedrock in {APP}"]
    assert [step["resource"] for step in record["steps"]] == [f"hosted zone {HOSTS[1]} for {APP}"]
    assert len(disabled["steps"]) == 2
    assert refused["failed"] and "not what bedrock_vpc_endpoint returned" in refused["msg"]
    # create, create, made with its reading back, back and record with theirs, and disabled with its own.
    # Private DNS takes a moment, so that it is read once more at times.
    assert outcome.reads.count("ec2:DescribeVpcEndpointServices") in (10, 11)


ACROSS = {
    "aws": {
        "timing": FAST,
        "endpoints": ENDPOINTS,
        "principals": [
            {
                "arn": "arn:aws:iam::111111111111:user/automation",
                "access_key": "AKIALABAUTOMATION000",
                "secret_key": "lab-secret-automation",
                "policies": [
                    {
                        "Version": "2012-10-17",
                        "Statement": [
                            {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}
                        ],
                    }
                ],
            },
            {
                "arn": FAR_ROLE,
                "trusted": ["arn:aws:iam::111111111111:user/automation"],
                "policies": [
                    {
                        "Version": "2012-10-17",
                        "Statement": [
                            {"Effect": "Allow", "Action": ["ec2:*", "route53:*"], "Resource": "*"}
                        ],
                    }
                ],
            },
        ],
        "vpcs": [
            {
                "id": FAR,
                "account": "333333333333",
                "region": "us-west-2",
                "cidrs": ["10.30.0.0/16"],
                "dns_hostnames": True,
            }
        ],
    }
}
FAR_SPOKE = {"vpc_id": FAR, "region": "us-west-2", "assume_role_arn": FAR_ROLE}


def test_a_spoke_of_another_account_is_authorised_only_for_the_moment(lab):
    both = [{"vpc_id": SPOKE}, FAR_SPOKE]
    outcome = lab.tasks(
        module(spoke_vpcs=both, services=["bedrock-runtime"]),
        module(spoke_vpcs=both, services=["bedrock-runtime"]),
        module(spoke_vpcs=both, services=["bedrock-runtime"], state="absent"),
        LIST_ZONES,
        world=ACROSS,
    )
    made, again, gone, zones = outcome.results
    assert not made.get("failed"), made
    assert made["zones"][0]["account_id"] == "222222222222"
    assert made["zones"][0]["vpcs"] == [SPOKE, FAR]
    assert not again["changed"]
    association = [
        entry for entry in outcome.writes if "Association" in entry or "Associate" in entry
    ]
    assert association == [
        "route53:CreateVPCAssociationAuthorization",
        "route53:AssociateVPCWithHostedZone",
        "route53:DeleteVPCAssociationAuthorization",
    ]
    assert gone["changed"]
    assert zones["stdout"] == "0"


def test_a_zone_for_foreign_spokes_alone_lies_in_their_account(lab):
    options = {"spoke_vpcs": [FAR_SPOKE], "services": ["bedrock-runtime"]}
    outcome = lab.tasks(
        module(**options),
        module(**options),
        module(**options, state="restored", undo="{{ result_0.undo }}"),
        world=ACROSS,
    )
    made, again, back = outcome.results
    assert made["zones"][0]["account_id"] == "333333333333"
    assert not again["changed"]
    assert [step["action"] for step in back["steps"]] == ["update", "delete"]


def test_all_hosts_of_the_service_are_answered(lab):
    names = ["bedrock-runtime.us-east-1.amazonaws.com", "bedrock-runtime.us-east-1.api.aws"]
    world = {
        "aws": {
            "timing": FAST,
            "endpoints": ENDPOINTS,
            "regions": {
                "us-east-1": {"services": {"bedrock-runtime": {"private_dns_names": names}}}
            },
        }
    }
    outcome = lab.tasks(module(services=["bedrock-runtime"]), world=world)
    (made,) = outcome.results
    assert sorted(zone["name"] for zone in made["zones"]) == names
    assert sorted(item["host"] for item in made["probe_targets"]) == names


def test_a_zone_of_a_run_that_died_before_it_was_tagged_is_taken_up(lab):
    outcome = lab.tasks(
        admin(
            f"""
            r.create_hosted_zone(Name='{HOSTS[0]}', CallerReference='dead', VPC={{'VPCRegion': 'us-east-1',
                'VPCId': '{SPOKE}'}}, HostedZoneConfig={{'PrivateZone': True,
                'Comment': 'private_ai.endpoints: endpoints of {APP}'}})
            """
        ),
        module(),
        LIST_ZONES,
        module(),
        world=WORLD,
    )
    died, made, zones, again = outcome.results
    assert died["rc"] == 0, died
    assert made["changed"], made
    assert zones["stdout"] == "2"
    assert not again["changed"]


def role(*statements: dict[str, Any]) -> dict[str, Any]:
    """The workload account's role with other permissions."""
    return {
        "arn": ROLE,
        "trusted": ["arn:aws:iam::111111111111:user/automation"],
        "policies": [{"Version": "2012-10-17", "Statement": list(statements)}],
    }


@pytest.mark.parametrize(
    "action",
    ["ec2:ModifyVpcEndpoint", "route53:ChangeTagsForResource"],
)
def test_half_a_change_is_switched_back(lab, action):
    principals = [
        role(
            {"Effect": "Allow", "Action": ["ec2:*", "route53:*"], "Resource": "*"},
            {"Effect": "Deny", "Action": action, "Resource": "*"},
        )
    ]
    outcome = lab.tasks(
        module(),
        seen("app-a"),
        seen("spoke-a"),
        LIST_ZONES,
        world={"aws": {**WORLD["aws"], "principals": principals}},
    )
    failed, inside, spoke, zones = outcome.results
    assert failed["failed"]
    assert action in failed["msg"]
    assert zones["stdout"] == "0"
    assert "switched back" in failed["msg"]
    assert all("203.0.113." in line for line in inside["stdout_lines"] + spoke["stdout_lines"])


def test_denied_permission_names_the_action(lab):
    principals = [role({"Effect": "Allow", "Action": "ec2:*", "Resource": "*"})]
    outcome = lab.tasks(module(), world={"aws": {**WORLD["aws"], "principals": principals}})
    assert "route53:ListHostedZonesByVPC" in outcome.results[0]["msg"]
    assert outcome.writes == []


def test_it_is_the_same_as_an_ordinary_module(lab):
    outcome = lab.tasks(module(), module(state="absent"), in_process=False, world=WORLD)
    made, gone = outcome.results
    assert made["changed"], made
    assert gone["changed"], gone
