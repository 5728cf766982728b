# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What stands in the lab's AWS, in words that do not depend on ids, seen with its administrators' credentials.

As a script it prints that as JSON; the action plugin `look` returns it.
"""

from __future__ import annotations

import json
from typing import Any

import botocore.loaders
import botocore.session

REGION = "us-east-1"
VPC = "vpc-0a00000000000000a"
NAME = "private-ai-endpoints"
OWN = f"{NAME}:"


# Shared by all clients, and by all tasks of a playbook: parsing EC2's model takes longer than asking.
LOADER = botocore.loaders.create_loader()


def client(service: str, key: str, secret: str) -> Any:
    session = botocore.session.Session()
    session.register_component("data_loader", LOADER)
    return session.create_client(
        service, region_name=REGION, aws_access_key_id=key, aws_secret_access_key=secret
    )


def workload(service: str) -> Any:
    return client(service, "AKIALABAPPADMIN00000", "lab-secret-app-admin")


def tags(items: list[dict[str, str]]) -> dict[str, str]:
    return {item["Key"]: item["Value"] for item in items}


def endpoints(found: list[dict[str, Any]]) -> list[str]:
    """`service state subnets private-dns own-tags` of each endpoint of the application's VPC."""
    lines = []
    for item in found:
        if item["VpcId"] != VPC:
            continue
        own = {key: value for key, value in tags(item["Tags"]).items() if not key.startswith(OWN)}
        dns = "private" if item["PrivateDnsEnabled"] else "public"
        words = [short(item), item["State"].lower(), str(len(item["SubnetIds"])), dns]
        lines.append(" ".join([*words, *(f"{key}={own[key]}" for key in sorted(own))]))
    return sorted(lines)


def short(endpoint: dict[str, Any]) -> str:
    return str(endpoint["ServiceName"].split(f".{REGION}.")[1])


def groups(ec2: Any) -> list[str]:
    """`name source…` of each group of ours."""
    found = ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [VPC]}])
    lines = []
    for item in found["SecurityGroups"]:
        if item["GroupName"] == NAME:
            sources = [
                each["CidrIp"] for rule in item["IpPermissions"] for each in rule["IpRanges"]
            ]
            lines.append(" ".join([NAME, *sorted(sources)]))
    return lines


def zones(route53: Any) -> list[str]:
    """`name vpc… aliases=n tags=n authorisations=n` of each hosted zone."""
    lines = []
    for item in route53.list_hosted_zones()["HostedZones"]:
        name = item["Id"].split("/")[-1]
        vpcs = [vpc["VPCId"] for vpc in route53.get_hosted_zone(Id=name)["VPCs"]]
        records = route53.list_resource_record_sets(HostedZoneId=name)["ResourceRecordSets"]
        aliases = sum("AliasTarget" in record for record in records)
        marks = route53.list_tags_for_resource(ResourceType="hostedzone", ResourceId=name)
        own = len(marks["ResourceTagSet"]["Tags"])
        left = len(route53.list_vpc_association_authorizations(HostedZoneId=name)["VPCs"])
        counts = f"aliases={aliases} tags={own} authorisations={left}"
        lines.append(" ".join([item["Name"].rstrip("."), *sorted(vpcs), counts]))
    return sorted(lines)


def lock(organizations: Any, found: list[dict[str, Any]]) -> list[str]:
    """`admits service… at target… pending|sealed` of each policy of ours."""
    names = {item["VpcEndpointId"]: short(item) for item in found}
    lines = []
    for item in organizations.list_policies(Filter="SERVICE_CONTROL_POLICY")["Policies"]:
        if item["Name"] != NAME:
            continue
        policy = organizations.describe_policy(PolicyId=item["Id"])["Policy"]["Content"]
        ids = [
            each
            for statement in json.loads(policy)["Statement"]
            for each in statement.get("Condition", {})
            .get("StringNotEqualsIfExists", {})
            .get("aws:SourceVpce", [])
        ]
        targets = organizations.list_targets_for_policy(PolicyId=item["Id"])["Targets"]
        marks = tags(organizations.list_tags_for_resource(ResourceId=item["Id"])["Tags"])
        sealed = "sealed" if list(marks) == [f"{OWN}managed"] else "pending"
        lines.append(
            " ".join(
                [
                    *("admits", *sorted(names.get(each, each) for each in ids)),
                    *("at", *sorted(target["TargetId"] for target in targets), sealed),
                ]
            )
        )
    return lines


def look() -> dict[str, list[str]]:
    """Everything, by kind; each kind sorted."""
    ec2 = workload("ec2")
    organizations = client("organizations", "AKIALABADMINISTRAT00", "lab-secret-admin")
    found = ec2.describe_vpc_endpoints()["VpcEndpoints"]
    return {
        "endpoints": endpoints(found),
        "groups": groups(ec2),
        "zones": zones(workload("route53")),
        "lock": lock(organizations, found),
    }


if __name__ == "__main__":
    print(json.dumps(look()))
