#!/usr/bin/python
# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: bedrock_private_dns
short_description: Make the host names of AWS AI services resolve to your VPC endpoints
version_added: 0.1.0
description:
  - Switches private DNS of a VPC's interface endpoints on or off, which decides where the services' host names resolve
    in that VPC.
  - Makes the same names resolve to the same endpoints in further VPCs, the spokes, of this or of other accounts. For
    each host it keeps a private hosted zone of exactly that name, with alias records to the endpoint at its top,
    associated with each spoke.
  - All hosts that the endpoint's service answers are covered, as C(DescribeVpcEndpointServices) lists them.
  - Finds zones that override the endpoints, and names all problems at once before the first write.
  - When a change fails halfway, what was changed is switched back. RV(undo) switches a successful change back later.
author:
  - private_ai.endpoints contributors (@private-ai)
extends_documentation_fragment:
  - private_ai.endpoints.aws
attributes:
  check_mode:
    description: Predicts without writing, also for endpoints that do not exist yet.
    support: full
  diff_mode:
    description: Shows before and after.
    support: full
options:
  state:
    description:
      - V(present) makes the names resolve as asked for.
      - V(absent) deletes the zones that this collection made for the endpoints of O(vpc_id), and switches private DNS
        off for the endpoints that it created.
      - V(restored) switches back exactly what the run changed that returned O(undo), as far as it still stands.
    type: str
    choices: [present, absent, restored]
    default: present
  vpc_id:
    description: Id of the VPC that the endpoints are in.
    type: str
    required: true
  services:
    description:
      - Services whose endpoints are meant, as short names (V(bedrock-runtime)), full names or presets (V(bedrock),
        V(bedrock_all), V(sagemaker)), as in M(private_ai.endpoints.bedrock_vpc_endpoint).
    type: list
    elements: str
    default: [bedrock]
  private_dns:
    description: Whether the names resolve to the endpoints in O(vpc_id) itself.
    type: str
    choices: [enabled, disabled]
    default: enabled
  spoke_vpcs:
    description:
      - VPCs that resolve the names to the endpoints by private hosted zones. O(vpc_id) itself cannot be one.
      - A zone lies in the account of O(vpc_id) when one of its spokes does, else in that of the first spoke, since a
        zone needs a VPC of its own account. Across accounts the zone's owner authorises the association first, and
        takes the authorisation back afterwards.
      - A VPC that is no longer listed keeps its association. O(state=absent) deletes the zones.
    type: list
    elements: dict
    default: []
    suboptions:
      vpc_id:
        description: Id of the VPC.
        type: str
        required: true
      region:
        description: Region of the VPC, by default O(region).
        type: str
      assume_role_arn:
        description: Role of the account that owns the VPC. Without it the credentials of this task are used.
        type: str
      assume_role_external_id:
        description: External id for that role.
        type: str
  created:
    description:
      - What M(private_ai.endpoints.bedrock_vpc_endpoint) has just returned for the same VPC and services, as it was
        registered. With it a run that has nothing to do need not read the endpoints, their network interfaces and the
        Region's services again.
      - It only ever serves to see that nothing is to be done, and only where Route 53 lists the endpoints' names for
        the VPC just as it says. In every other case, and before anything is written, all of it is read.
    type: dict
    version_added: 0.2.0
  target_name:
    description: Name of the VPC in the probe targets, by default O(vpc_id).
    type: str
  undo:
    description: What another run of this module returned as RV(undo). Required for O(state=restored).
    type: dict
  wait_timeout:
    description: How many seconds everything that is waited for may take together.
    type: int
    default: 600
notes:
  - The exact permissions are the files C(permissions/aws/dns-vpc.json) for the account of O(vpc_id), and
    C(permissions/aws/dns-spoke.json) for the account of each spoke that lies in another.
  - The zones carry the tags C(private-ai-endpoints:managed) and C(private-ai-endpoints:vpc).
seealso:
  - module: private_ai.endpoints.bedrock_vpc_endpoint
  - module: private_ai.endpoints.bedrock_lockdown
  - name: Private hosted zones and VPCs of other accounts
    description: How an association across accounts is made.
    link: https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/hosted-zone-private-associate-vpcs-different-accounts.html
"""

EXAMPLES = r"""
- name: Create the endpoints
  private_ai.endpoints.bedrock_vpc_endpoint:
    region: us-east-1
    vpc_id: vpc-0a00000000000000a
    services: [bedrock]
    subnet_ids: [subnet-0a0000000000000a1, subnet-0a0000000000000b1]
    allowed_cidrs: [10.10.0.0/16]
  register: endpoints

- name: Resolve Bedrock privately in their VPC, without reading them a second time when nothing is to be done
  private_ai.endpoints.bedrock_private_dns:
    region: us-east-1
    vpc_id: vpc-0a00000000000000a
    created: "{{ endpoints }}"

- name: Resolve Bedrock privately in the application VPC and in two spokes
  private_ai.endpoints.bedrock_private_dns:
    region: us-east-1
    vpc_id: vpc-0a00000000000000a
    services: [bedrock]
    spoke_vpcs:
      - vpc_id: vpc-0b00000000000000b
      - vpc_id: vpc-0c00000000000000c
        region: us-west-2
        assume_role_arn: arn:aws:iam::333333333333:role/network-automation
  register: switched

- name: Switch back what that changed
  private_ai.endpoints.bedrock_private_dns:
    region: us-east-1
    vpc_id: vpc-0a00000000000000a
    spoke_vpcs:
      - vpc_id: vpc-0b00000000000000b
      - vpc_id: vpc-0c00000000000000c
        region: us-west-2
        assume_role_arn: arn:aws:iam::333333333333:role/network-automation
    state: restored
    undo: "{{ switched.undo }}"

- name: Take the zones away again
  private_ai.endpoints.bedrock_private_dns:
    region: us-east-1
    vpc_id: vpc-0a00000000000000a
    state: absent
"""

RETURN = r"""
steps:
  description: What was changed, or in check mode would be.
  returned: always
  type: list
  elements: dict
  sample:
    - resource: private DNS of bedrock-runtime in vpc-0a00000000000000a
      action: update
      before: {private_dns_enabled: false}
      after: {private_dns_enabled: true}
      conditional_on: null
      schema_version: 1
undo:
  description: What this run changed. Pass it as O(undo) with O(state=restored) to switch it back.
  returned: always
  type: dict
  contains:
    vpc_id:
      description: The VPC of the endpoints.
      type: str
      returned: always
    private_dns:
      description: Whether private DNS was enabled before, by endpoint id.
      type: dict
      returned: always
    created:
      description: Zones that were created.
      type: list
      elements: dict
      returned: always
    associated:
      description: Associations that were added to zones that stood.
      type: list
      elements: dict
      returned: always
    records:
      description: Records that were changed in zones that stood, before and after.
      type: list
      elements: dict
      returned: always
probe_targets:
  description:
    - One for each host, with the addresses of the endpoint, as
      M(private_ai.endpoints.private_endpoint_probe) takes them.
  returned: always
  type: list
  elements: dict
  sample:
    - host: bedrock-runtime.us-east-1.amazonaws.com
      port: 443
      addresses: [10.10.1.5, 10.10.2.5]
      cloud: aws
      target: vpc-0a00000000000000a
      service: bedrock-runtime
      plane: runtime
      probe_action: null
      schema_version: 1
private_dns:
  description: Whether private DNS is enabled, by service; in check mode as it is now.
  returned: always
  type: dict
  sample: {bedrock: true, bedrock-runtime: true}
zones:
  description: The zones that this collection keeps for the endpoints, in check mode as they are now.
  returned: always
  type: list
  elements: dict
  contains:
    id:
      description: Id of the zone.
      type: str
      returned: always
    name:
      description: Name of the zone, which is the host.
      type: str
      returned: always
    account_id:
      description: Account that owns it.
      type: str
      returned: always
    vpcs:
      description: Those of O(spoke_vpcs) that it is associated with.
      type: list
      elements: str
      returned: always
vpc_id:
  description: O(vpc_id).
  returned: always
  type: str
region:
  description: Region of the VPC.
  returned: always
  type: str
"""

from ansible_collections.private_ai.endpoints.plugins.module_utils.aws.client import CONNECTION_SPEC
from ansible_collections.private_ai.endpoints.plugins.module_utils.aws.dns import run
from ansible_collections.private_ai.endpoints.plugins.module_utils.module import ModuleSpec, execute

SPEC = ModuleSpec(
    argument_spec={
        **CONNECTION_SPEC,
        "state": {
            "type": "str",
            "choices": ["present", "absent", "restored"],
            "default": "present",
        },
        "vpc_id": {"type": "str", "required": True},
        "services": {"type": "list", "elements": "str", "default": ["bedrock"]},
        "private_dns": {"type": "str", "choices": ["enabled", "disabled"], "default": "enabled"},
        "spoke_vpcs": {
            "type": "list",
            "elements": "dict",
            "default": [],
            "options": {
                "vpc_id": {"type": "str", "required": True},
                "region": {"type": "str"},
                "assume_role_arn": {"type": "str"},
                "assume_role_external_id": {"type": "str"},
            },
        },
        "created": {"type": "dict"},
        "target_name": {"type": "str"},
        "undo": {"type": "dict"},
        "wait_timeout": {"type": "int", "default": 600},
    },
    required_if=(("state", "restored", ("undo",)),),
)


def main() -> None:
    """Be an Ansible module."""
    execute(SPEC, run)


if __name__ == "__main__":
    main()
