#!/usr/bin/python

# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: bedrock_vpc_endpoint
short_description: Create interface endpoints for Amazon Bedrock and SageMaker in a VPC, and keep them as asked for
version_added: 0.1.0
author: private_ai.endpoints contributors (@private-ai)
description:
  - Makes all AI endpoints of one VPC in one call, waits for all of them together, and converges every attribute that
    is asked for. An attribute whose option is left out is left as it is.
  - Endpoints that exist are adopted, whoever created them. Of several endpoints for one service, one that this
    collection created comes first, then one with private DNS, then the oldest.
  - Every reason not to begin is named at once, before anything is written. That includes missing permissions.
  - New endpoints have private DNS off unless O(private_dns=enabled). Names change their meaning for callers when it is
    switched on, which M(private_ai.endpoints.bedrock_private_dns) does after the new path was seen to work.
  - Two runs at once make one set of endpoints, and a run that was killed is completed by the next one.
options:
  vpc_id:
    description: The VPC.
    type: str
    required: true
  services:
    description:
      - The services that get an endpoint. Presets, short names, or full names such as
        V(com.amazonaws.us-east-1.bedrock-runtime).
      - The preset V(bedrock) is the management and the runtime API, V(sagemaker) likewise, and V(bedrock_all) is every
        service of Bedrock that the Region offers, without the FIPS variants.
      - 'Short names: V(bedrock-fips), V(bedrock-runtime), V(bedrock-runtime-fips), V(bedrock-mantle),
        V(bedrock-agent), V(bedrock-agent-runtime), V(bedrock-data-automation), V(bedrock-data-automation-fips),
        V(bedrock-data-automation-runtime), V(bedrock-data-automation-runtime-fips), V(bedrock-agentcore),
        V(bedrock-agentcore-control), V(bedrock-agentcore.gateway), V(sagemaker.api), V(sagemaker.runtime),
        V(sagemaker.runtime-fips), V(sagemaker.featurestore-runtime), V(sagemaker.metrics), V(sagemaker.studio),
        V(sagemaker.notebook), V(sagemaker.experiments), V(sagemaker.partner-app), V(sagemaker.mlflow).'
      - With O(state=absent) it may be left out, which means everything that this collection created in the VPC.
    type: list
    elements: str
  subnet_ids:
    description:
      - The subnets that get a network interface of each endpoint, one per availability zone.
      - A subnet in a zone without a service is left out for that service, with a warning. It is an error only when no
        subnet is left.
      - Without it and O(subnet_filters), existing endpoints keep their subnets. A new endpoint needs one of them.
    type: list
    elements: str
  subnet_filters:
    description:
      - Filters of EC2's DescribeSubnets that find the subnets in the VPC, for example C({"tag:tier":"application"}).
      - Of several subnets in one zone, the one that the endpoint already uses is taken, else the first by id.
    type: dict
  security_group_ids:
    description: Security groups that exist, and that the endpoints wear instead of any other.
    type: list
    elements: str
  allowed_cidrs:
    description:
      - Networks that may connect. The endpoints wear a security group that this collection keeps, which admits TCP 443
        from O(allowed_cidrs) and O(allowed_security_groups) and nothing else.
    type: list
    elements: str
  allowed_security_groups:
    description:
      - Security groups whose members may connect, as O(allowed_cidrs).
      - A group of another account, across a peering, is written V(123456789012/sg-0123456789abcdef0).
    type: list
    elements: str
  security_group_name:
    description: Name of the security group that this collection keeps in the VPC.
    type: str
    default: private-ai-endpoints
  private_dns:
    description:
      - Whether the services' public names resolve to the endpoints in this VPC.
      - V(keep) leaves an existing endpoint as it is and makes a new one without private DNS.
    type: str
    choices: [enabled, disabled, keep]
    default: keep
  ip_address_type:
    description:
      - Address type of the endpoints, and of the records that their names have.
      - Without it existing endpoints keep theirs, and new ones are V(ipv4).
    type: str
    choices: [ipv4, dualstack, ipv6]
  endpoint_policy:
    description:
      - V(generated) makes a policy per endpoint that admits what its service needs, to the principals that
        O(organization_id), O(organization_paths) and O(account_ids) name. When none of them is given, to the account
        that owns the VPC.
      - V(custom) takes O(policy), V(full) is the full-access policy of AWS, V(keep) leaves an existing endpoint's
        policy as it is and generates that of a new one.
    type: str
    choices: [generated, custom, full, keep]
    default: generated
  policy:
    description: The policy document of every endpoint with O(endpoint_policy=custom).
    type: json
  organization_id:
    description: Principals must belong to this organization, for example V(o-abcdefghij).
    type: str
  organization_paths:
    description:
      - Principals must belong to one of these paths of the organization, for example
        V(o-abcdefghij/r-abcd/ou-abcd-11111111/*). Together with O(organization_id) and O(account_ids) all must hold.
    type: list
    elements: str
  account_ids:
    description: Principals must belong to one of these accounts.
    type: list
    elements: str
  model_arns:
    description:
      - The generated policy of the runtime endpoints only admits these resources. Bedrock's models, inference profiles
        and provisioned models, and SageMaker endpoints, with C(*) and C(?) as patterns.
      - Without O(model_arns), O(model_ids) and O(inference_profiles) every model is admitted.
    type: list
    elements: str
  model_ids:
    description: Foundation models of the Region, as O(model_arns) without having to write the ARN.
    type: list
    elements: str
  inference_profiles:
    description:
      - Inference profiles. A caller needs the profile and its model in every Region that the profile may send the
        request to, and both are admitted.
    type: list
    elements: dict
    suboptions:
      id:
        description: Id or ARN of the profile, for example V(us.anthropic.claude-3-5-sonnet-20240620-v1:0).
        type: str
        required: true
      model_id:
        description: The model behind it. Needed for an application profile; known from the id of the others.
        type: str
      regions:
        description: The Regions that it may send a request to. Without it, all Regions of its geography.
        type: list
        elements: str
  extra_actions:
    description:
      - IAM actions that the generated policy admits beside those that the services need, for example
        V(bedrock:CreateGuardrail). An action is admitted on the endpoints of the services that it belongs to.
    type: list
    elements: str
  tags:
    description:
      - Tags of the endpoints and of the kept security group. Without it tags are left as they are.
      - This collection marks what it creates with the tag C(private-ai-endpoints:managed).
    type: dict
    aliases: [resource_tags]
  purge_tags:
    description: Whether O(tags) is the complete list. Tags of AWS and of this collection are never removed.
    type: bool
    default: true
  target_name:
    description: What the probe targets call this VPC. The VPC's id when left out.
    type: str
  state:
    description:
      - V(absent) deletes the endpoints that this collection created, and its security group with the last of them.
    type: str
    choices: [present, absent]
    default: present
  force:
    description:
      - With O(state=absent) and O(services), delete also endpoints that this collection did not create.
    type: bool
    default: false
  wait:
    description:
      - Wait until the endpoints are available, or gone. Without it nothing says that an endpoint works.
      - A change that takes two requests, such as another subnet in the same zone, always waits between them. So does
        the deletion of the security group.
    type: bool
    default: true
  wait_timeout:
    description: How many seconds to wait for everything together.
    type: int
    default: 900
extends_documentation_fragment:
  - private_ai.endpoints.aws
attributes:
  check_mode:
    description: Predicts what a run would change, and writes nothing.
    support: full
  diff_mode:
    description: Shows the attributes that differ, before and after.
    support: full
  idempotent:
    description: A second run changes nothing.
    support: full
notes:
  - The exact permissions are the file C(permissions/aws/create.json), and for O(state=absent)
    C(permissions/aws/teardown-vpc.json). They change rules and tags, and delete, only where they find the tag
    C(private-ai-endpoints:managed).
seealso:
  - module: private_ai.endpoints.bedrock_private_dns
  - module: private_ai.endpoints.bedrock_vpc_endpoint_info
  - name: Interface endpoints of Amazon Bedrock
    description: The services and their names.
    link: https://docs.aws.amazon.com/bedrock/latest/userguide/vpc-interface-endpoints.html
"""

EXAMPLES = r"""
- name: Management and runtime API of Bedrock, for one organization, names unchanged
  private_ai.endpoints.bedrock_vpc_endpoint:
    region: us-east-1
    vpc_id: vpc-0a00000000000000a
    services: [bedrock]
    subnet_ids: [subnet-0a0000000000000a1, subnet-0a0000000000000b1]
    allowed_cidrs: [10.10.0.0/16, 10.20.0.0/16]
    organization_id: o-labprivate1

- name: Only two models, one of them through an inference profile, in subnets found by tag
  private_ai.endpoints.bedrock_vpc_endpoint:
    region: us-east-1
    vpc_id: vpc-0a00000000000000a
    services: [bedrock, bedrock-agent-runtime]
    subnet_filters:
      tag:tier: application
    allowed_security_groups: [sg-0a0000000000000a9]
    organization_id: o-labprivate1
    model_ids: [amazon.titan-embed-text-v2:0]
    inference_profiles:
      - id: us.anthropic.claude-3-5-sonnet-20240620-v1:0
        regions: [us-east-1, us-east-2, us-west-2]
    tags:
      team: platform

- name: In another account, with groups that exist and a policy of one's own
  private_ai.endpoints.bedrock_vpc_endpoint:
    region: us-east-1
    assume_role_arn: arn:aws:iam::222222222222:role/network-automation
    vpc_id: vpc-0a00000000000000a
    services: [sagemaker]
    subnet_ids: [subnet-0a0000000000000a1]
    security_group_ids: [sg-0a0000000000000a9]
    endpoint_policy: custom
    policy: "{{ lookup('ansible.builtin.file', 'endpoint-policy.json') }}"

- name: Take away what this collection created
  private_ai.endpoints.bedrock_vpc_endpoint:
    region: us-east-1
    vpc_id: vpc-0a00000000000000a
    state: absent
"""

RETURN = r"""
endpoints:
  description:
    - The endpoints of the services asked for, as they stand after the run. In check mode as they would stand; a value
      that does not exist yet is V((known after apply\)).
    - With O(state=absent), the endpoints that stay.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Id of the endpoint.
      type: str
      sample: vpce-0a0000000000000e1
    service:
      description: Full name of the service.
      type: str
      sample: com.amazonaws.us-east-1.bedrock-runtime
    short_name:
      description: Name of the service in this collection.
      type: str
      sample: bedrock-runtime
    type:
      description: Always V(Interface).
      type: str
    state:
      description: State in lower case.
      type: str
      sample: available
    vpc_id:
      description: The VPC.
      type: str
    subnet_ids:
      description: Subnets with a network interface.
      type: list
      elements: str
    security_group_ids:
      description: Security groups that it wears.
      type: list
      elements: str
    private_dns_enabled:
      description: Whether the public names resolve to it in the VPC.
      type: bool
    ip_address_type:
      description: V(ipv4), V(dualstack) or V(ipv6).
      type: str
    dns_record_ip_type:
      description: Address type of its records.
      type: str
    policy:
      description: Its policy.
      type: dict
    addresses:
      description: IPv4 addresses of its network interfaces.
      type: list
      elements: str
      sample: [10.10.1.57, 10.10.2.203]
    ipv6_addresses:
      description: IPv6 addresses of its network interfaces.
      type: list
      elements: str
    network_interfaces:
      description: Its network interfaces, each with C(id), C(subnet_id), C(az), C(addresses) and C(ipv6_addresses).
      type: list
      elements: dict
    dns_entries:
      description: Its names, each with C(name) and C(zone_id).
      type: list
      elements: dict
    private_dns_names:
      description: The names that resolve to it in the VPC once private DNS is enabled. Not with O(state=absent).
      type: list
      elements: str
      sample: [bedrock-runtime.us-east-1.amazonaws.com]
    owner_id:
      description: The account that owns it. Not with O(state=absent).
      type: str
      sample: "222222222222"
    tags:
      description: Its tags.
      type: dict
    last_error:
      description: What AWS says when it failed.
      type: str
    created_at:
      description: When it was created, UTC.
      type: str
      sample: "2026-01-31T12:00:00Z"
probe_targets:
  description:
    - What M(private_ai.endpoints.private_endpoint_probe) needs, one entry per host. An endpoint that does not exist
      yet has no addresses and is left out.
  returned: success
  type: list
  elements: dict
  sample:
    - schema_version: 1
      host: bedrock-runtime.us-east-1.amazonaws.com
      port: 443
      addresses: [10.10.1.57, 10.10.2.203]
      cloud: aws
      target: app-use1
      service: bedrock-runtime
      plane: runtime
      probe_action:
        name: bedrock:ListAsyncInvokes
        method: GET
        path: /async-invoke?maxResults=1
        headers: {}
        body: ""
        auth: aws4
        signing_name: bedrock
        region: us-east-1
security_group_id:
  description: The security group that this collection keeps. V(none) when O(security_group_ids) or nothing was given.
  returned: with O(state=present)
  type: str
  sample: sg-0123456789abcdef0
services_not_offered:
  description: Services of a preset that the Region does not offer.
  returned: with O(state=present)
  type: list
  elements: str
subnets_left_out:
  description: For each service, the subnets that lie in a zone without it.
  returned: with O(state=present)
  type: dict
  sample:
    bedrock-runtime: [subnet-0a0000000000000c1]
steps:
  description:
    - What changed, or would change, each with C(resource), C(action), C(before) and C(after).
  returned: success
  type: list
  elements: dict
vpc_id:
  description: The VPC.
  returned: success
  type: str
region:
  description: The Region.
  returned: success
  type: str
error:
  description:
    - Why it failed, beside the sentence in C(msg), with C(resource), C(code) of AWS, C(action), C(fix), and C(problems)
      when several were found.
  returned: failure
  type: dict
"""

from ansible_collections.private_ai.endpoints.plugins.module_utils.aws.client import (
    CONNECTION_SPEC,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.aws.create import run
from ansible_collections.private_ai.endpoints.plugins.module_utils.module import (
    ModuleSpec,
    execute,
)

_NAMES = {"type": "list", "elements": "str"}

SPEC = ModuleSpec(
    argument_spec={
        "vpc_id": {"type": "str", "required": True},
        "services": _NAMES,
        "subnet_ids": _NAMES,
        "subnet_filters": {"type": "dict"},
        "security_group_ids": _NAMES,
        "allowed_cidrs": _NAMES,
        "allowed_security_groups": _NAMES,
        "security_group_name": {"type": "str", "default": "private-ai-endpoints"},
        "private_dns": {
            "type": "str",
            "choices": ["enabled", "disabled", "keep"],
            "default": "keep",
        },
        "ip_address_type": {"type": "str", "choices": ["ipv4", "dualstack", "ipv6"]},
        "endpoint_policy": {
            "type": "str",
            "choices": ["generated", "custom", "full", "keep"],
            "default": "generated",
        },
        "policy": {"type": "json"},
        "organization_id": {"type": "str"},
        "organization_paths": _NAMES,
        "account_ids": _NAMES,
        "model_arns": _NAMES,
        "model_ids": _NAMES,
        "inference_profiles": {
            "type": "list",
            "elements": "dict",
            "options": {
                "id": {"type": "str", "required": True},
                "model_id": {"type": "str"},
                "regions": _NAMES,
            },
        },
        "extra_actions": _NAMES,
        "tags": {"type": "dict", "aliases": ["resource_tags"]},
        "purge_tags": {"type": "bool", "default": True},
        "target_name": {"type": "str"},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "force": {"type": "bool", "default": False},
        "wait": {"type": "bool", "default": True},
        "wait_timeout": {"type": "int", "default": 900},
        **CONNECTION_SPEC,
    },
    mutually_exclusive=(
        ("subnet_ids", "subnet_filters"),
        ("security_group_ids", "allowed_cidrs"),
        ("security_group_ids", "allowed_security_groups"),
    ),
    required_if=(
        ("state", "present", ["services"]),
        ("endpoint_policy", "custom", ["policy"]),
        ("force", True, ["services"]),
    ),
)


def main() -> None:
    """Run as an ordinary module."""
    execute(SPEC, run)


if __name__ == "__main__":
    main()
