#!/usr/bin/python

# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: bedrock_vpc_endpoint_info
short_description: Collect the evidence about a VPC's Bedrock and SageMaker endpoints
version_added: 0.1.0
author: private_ai.endpoints contributors (@private-ai)
description:
  - Reads what AWS's control planes say about one VPC and its AI endpoints, and returns it as one document without
    secrets that M(private_ai.endpoints.private_endpoint_validate) judges, now or later, on a machine without a network.
  - Everything that does not depend on something else is read at the same time.
  - A part that the credentials may not read is named in RV(evidence.missing) together with the IAM action. It is
    neither a failure of this module nor an empty list that looks like nothing is there.
  - Nothing is changed.
options:
  vpc_id:
    description: The VPC that the endpoints are in.
    type: str
    required: true
  target_name:
    description:
      - Name of this target in the evidence, as it is in the inventory. Without it the VPC's id.
    type: str
  gather:
    description:
      - What to read.
      - V(network) is the VPC with its DNS attributes, subnets, route tables, network ACLs and peerings.
      - V(endpoints) is the AI endpoints with interfaces, policies, security groups and their rules, what the Region
        offers, and the endpoints in peered VPCs of the same account and Region.
      - V(dns) is the private hosted zones that decide where AI hosts resolve, in the VPC and its peers.
      - V(enforcement) is every service control policy in effect for the VPC's account, up to the organization's root.
      - V(traffic) is who called the AI services and by what path, from CloudTrail's event history. It takes half a
        second for every 50 events.
    type: list
    elements: str
    choices: [network, endpoints, dns, enforcement, traffic]
    default: [network, endpoints, dns]
  organizations_role_arn:
    description:
      - ARN of a role in the organization's management account, or in a delegated administrator's, that is assumed for
        O(gather=enforcement). Without it the credentials are used as they are, without O(assume_role_arn).
    type: str
  traffic_days:
    description:
      - How many days back O(gather=traffic) looks. CloudTrail's event history keeps 90.
    type: float
    default: 7
  traffic_start:
    description:
      - Look back to this moment instead, for example the time of the lock. UTC, such as V(2026-01-31T12:00:00Z).
    type: str
  traffic_regions:
    description:
      - Further Regions whose records are read. The VPC's own Region always is.
      - V(all) stands for every Region that is enabled for the account, which is what a service control policy binds.
    type: list
    elements: str
    default: []
  services:
    description:
      - Services whose hosts are in RV(probe_targets), as presets, short names or full names. A service without an
        endpoint has hosts all the same, which nothing answers privately.
      - Without it, the services that have an endpoint.
    type: list
    elements: str
  traffic_max_pages:
    description:
      - Read at most this many pages of 50 events in each Region. When there are more, RV(evidence.traffic) says that it
        is not complete, and nothing passes on it.
    type: int
    default: 40
extends_documentation_fragment:
  - private_ai.endpoints.aws
attributes:
  check_mode:
    description: Can run in check mode. It reads then as well.
    support: full
  diff_mode:
    description: Shows before and after.
    support: none
notes:
  - The exact permissions are the files C(permissions/aws/observe-vpc.json) and, with V(enforcement),
    C(permissions/aws/observe-management.json). What is denied is named in C(missing) of the evidence.
seealso:
  - module: private_ai.endpoints.private_endpoint_validate
  - module: private_ai.endpoints.bedrock_vpc_endpoint
"""

EXAMPLES = r"""
- name: Collect what a validation needs before anything is locked
  private_ai.endpoints.bedrock_vpc_endpoint_info:
    region: us-east-1
    vpc_id: vpc-0a00000000000000a
    target_name: app-use1
    assume_role_arn: arn:aws:iam::222222222222:role/network-automation
  register: observed

- name: Collect everything, with the policies of the organization and the records of a month
  private_ai.endpoints.bedrock_vpc_endpoint_info:
    region: us-east-1
    vpc_id: vpc-0a00000000000000a
    target_name: app-use1
    assume_role_arn: arn:aws:iam::222222222222:role/network-automation
    gather: [network, endpoints, dns, enforcement, traffic]
    organizations_role_arn: arn:aws:iam::111111111111:role/organization-reader
    traffic_days: 30
    traffic_regions: [us-west-2]
  register: observed

- name: Keep it, to judge it later
  ansible.builtin.copy:
    content: "{{ observed.evidence | to_nice_json }}"
    dest: evidence/app-use1.json
    mode: "0600"
"""

RETURN = r"""
probe_targets:
  description:
    - What M(private_ai.endpoints.private_endpoint_probe) needs, one entry per host. Empty when O(gather) lacks
      V(endpoints).
  returned: success
  type: list
  elements: dict
evidence:
  description: The document. It holds no secret, but it describes the network.
  returned: success
  type: dict
  contains:
    schema_version:
      description: Version of this shape.
      type: int
      sample: 1
    kind:
      description: Always V(evidence).
      type: str
    cloud:
      description: Always V(aws).
      type: str
    target:
      description: Name of the target.
      type: str
    collected_at:
      description: Time in UTC.
      type: str
      sample: "2026-01-31T12:00:00Z"
    account_id:
      description: Account that owns the VPC.
      type: str
    region:
      description: Its Region.
      type: str
    partition:
      description: The Region's partition.
      type: str
    gathered:
      description: What was asked for.
      type: list
      elements: str
    missing:
      description:
        - What could not be read, as part, IAM action, AWS's error code and its message. The part V(peers) is what
          peered networks did not show.
      type: list
      elements: dict
    vpc:
      description: Id, CIDR blocks, DNS attributes and owner of the VPC.
      type: dict
    subnets:
      description: Its subnets with zone, route table and network ACL.
      type: list
      elements: dict
    route_tables:
      description: Its route tables with their routes.
      type: list
      elements: dict
    network_acls:
      description: Its network ACLs with their entries.
      type: list
      elements: dict
    peerings:
      description: Its peerings. Keys that begin with C(peer_) are about the other side.
      type: list
      elements: dict
    endpoints:
      description: AI endpoints of the VPC and of its peers, with interfaces and policy.
      type: list
      elements: dict
    security_groups:
      description: The groups that the VPC's endpoints wear, with their rules.
      type: list
      elements: dict
    services:
      description: What the Region offers, with private names and zones.
      type: list
      elements: dict
    zones:
      description: Private hosted zones that decide where AI hosts resolve, with associations and records.
      type: list
      elements: dict
    enforcement:
      description:
        - The path from the organization's root to the account with every service control policy. Null when it was not
          asked for or could not be read.
      type: dict
    traffic:
      description:
        - Window, whether it was read completely, and the recorded calls in groups that differ in nothing but time. Null
          when it was not asked for or could not be read.
      type: dict
"""

from typing import Any

from ansible_collections.private_ai.endpoints.plugins.module_utils.aws.client import CONNECTION_SPEC
from ansible_collections.private_ai.endpoints.plugins.module_utils.aws.observe import (
    DEFAULT_PARTS,
    PARTS,
    observe,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.aws.probe_targets import (
    of_evidence,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.module import (
    Context,
    ModuleSpec,
    execute,
)

SPEC = ModuleSpec(
    argument_spec={
        **CONNECTION_SPEC,
        "vpc_id": {"type": "str", "required": True},
        "target_name": {"type": "str"},
        "gather": {
            "type": "list",
            "elements": "str",
            "choices": list(PARTS),
            "default": list(DEFAULT_PARTS),
        },
        "organizations_role_arn": {"type": "str"},
        "traffic_days": {"type": "float", "default": 7},
        "traffic_start": {"type": "str"},
        "traffic_regions": {"type": "list", "elements": "str", "default": []},
        "traffic_max_pages": {"type": "int", "default": 40},
        "services": {"type": "list", "elements": "str"},
    }
)


def run(params: dict[str, Any], context: Context) -> dict[str, Any]:
    """Collect the evidence."""
    evidence = observe(
        params,
        vpc_id=params["vpc_id"],
        target=params["target_name"],
        gather=params["gather"],
        organizations_role_arn=params["organizations_role_arn"],
        traffic_days=params["traffic_days"],
        traffic_start=params["traffic_start"],
        traffic_regions=params["traffic_regions"],
        traffic_max_pages=params["traffic_max_pages"],
    )
    for entry in evidence["missing"]:
        context.warn(f"not read ({entry['part']}): {entry['action']}: {entry['message']}")
    readable = "endpoints" in evidence["gathered"]
    targets = of_evidence(evidence, params["services"]) if readable else []
    return {
        "changed": False,
        "evidence": evidence,
        "probe_targets": [item.to_json() for item in targets],
    }


def main() -> None:
    """Entry point of the ordinary module."""
    execute(SPEC, run)


if __name__ == "__main__":
    main()
