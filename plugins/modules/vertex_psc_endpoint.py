#!/usr/bin/python

# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: vertex_psc_endpoint
short_description: Give Google networks a private endpoint for Vertex AI
version_added: 0.2.0
author: private_ai.endpoints contributors (@private-ai)
description:
  - Makes a Private Service Connect endpoint for Google APIs in each network, which is an internal address and a
    forwarding rule that leads to a bundle of APIs, and converges every attribute that is asked for. An attribute whose
    option is left out is left as it is.
  - An endpoint cannot be reached over VPC peering, so that a spoke needs one of its own. All networks of one target are
    given in one call.
  - An endpoint that already has the bundle and the address is adopted, whatever its name and whoever made it.
  - Bundle and address are never changed under a client. When they are to be others, a new endpoint is made beside the
    old one, with a number behind its name. RV(endpoints) is the new one and RV(replaced) the old one. Once names lead
    to the new one, a call with O(remove_replaced=true) removes the old one.
  - Every reason not to begin is named at once, before anything is written, among them permissions that are lacking and
    organisation policies that forbid endpoints.
  - No name changes here. That is the work of a module for private DNS.
  - Two runs at once make one set, and a run that was killed is completed by the next one.
options:
  networks:
    description: The networks, one endpoint for each.
    type: list
    elements: dict
    required: true
    suboptions:
      network:
        description:
          - Path of the network, such as V(projects/my-project/global/networks/app), or its name in O(project).
        type: str
        required: true
      endpoint_name:
        description:
          - Name of a new endpoint, 1 to 20 lowercase letters and digits, a letter first.
          - Without it, V(psc) and the network's name without dashes.
        type: str
      address:
        description:
          - Address of the endpoint, one that lies outside all subnet ranges of the network and its peers.
          - Without it any address will do, and a new endpoint gets one that is free in the network and its peers.
        type: str
        aliases: [endpoint_address]
      address_name:
        description:
          - Name of a new address. One of this name that is reserved for the network and unused is taken.
          - Without it, the endpoint's name and V(-ip).
        type: str
      bundle:
        description: Bundle of this network's endpoint, when it is not O(bundle).
        type: str
        choices: [all-apis, vpc-sc]
  bundle:
    description:
      - V(all-apis) serves all Google APIs. V(vpc-sc) serves only those that VPC Service Controls supports.
    type: str
    choices: [all-apis, vpc-sc]
    default: all-apis
  labels:
    description:
      - Labels of the endpoints. Without it labels are left as they are.
      - This collection marks what it creates with the label C(private-ai-endpoints=managed) and in the description.
    type: dict
  purge_labels:
    description: Whether O(labels) is the complete list. The label of this collection is never removed.
    type: bool
    default: true
  service_directory_region:
    description:
      - Region of the Service Directory that a new endpoint is registered in. All endpoints of a network share one.
      - Without it, that of the network's other endpoints, else Google's default.
    type: str
  private_google_access_subnets:
    description:
      - Subnets that get Private Google Access, which machines without an external address need to reach an endpoint.
      - As C(projects/PROJECT/regions/REGION/subnetworks/NAME), or C(regions/REGION/subnetworks/NAME) in O(project).
      - It is never switched off, since others may need it.
    type: list
    elements: str
  allowed_cidrs:
    description:
      - Ranges of machines that may reach the endpoints. Egress firewall rules admit TCP 443 from them, and deny
        everything else to the endpoints' addresses.
      - With O(allowed_tags) and O(allowed_service_accounts), whoever one of the three names is admitted.
      - When all that are given are empty, the rules are taken away. Without any of the three they are left as they are.
    type: list
    elements: str
  allowed_tags:
    description: Network tags of machines that may reach the endpoints.
    type: list
    elements: str
  allowed_service_accounts:
    description: Service accounts of machines that may reach the endpoints, by email.
    type: list
    elements: str
  firewall_priority:
    description:
      - Priority of the rules that admit. The one that denies has the next number.
      - A rule of somebody else with a smaller number is decided first.
    type: int
    default: 1000
  regions:
    description: Regions whose host names clients use, beside the global one; for RV(hosts) and RV(probe_targets).
    type: list
    elements: str
  extra_hosts:
    description: Further names under googleapis.com that clients use, such as V(storage.googleapis.com).
    type: list
    elements: str
  vertex_project:
    description:
      - Project whose Vertex AI is called, for RV(probe_targets). The first network's project when left out, which is
        the wrong one where the network belongs to the host project of a Shared VPC.
    type: str
    version_added: 0.3.0
  target_name:
    description: What the probe targets call these networks. The first network's name when left out.
    type: str
  remove_replaced:
    description:
      - Remove this collection's endpoints that another one has replaced. Only after names lead to the new one.
      - Nothing is removed by the call that makes the new one.
    type: bool
    default: false
  state:
    description:
      - V(absent) deletes the endpoints, addresses and firewall rules of these networks that this collection created.
        With O(networks[].endpoint_name), only those of that name and its replacements.
    type: str
    choices: [present, absent]
    default: present
  wait_timeout:
    description: How many seconds to wait for everything together.
    type: int
    default: 600
extends_documentation_fragment:
  - private_ai.endpoints.gcp
attributes:
  check_mode:
    description: Predicts what a run would change, addresses too, and writes nothing.
    support: full
  diff_mode:
    description: Shows the attributes that differ, before and after.
    support: full
  idempotent:
    description: A second run changes nothing.
    support: full
notes:
  - With O(project) the endpoints are made in that project, else in the project of their network, which for a Shared VPC
    is the host project.
seealso:
  - name: Private Service Connect for Google APIs
    description: What an endpoint is, and what it needs.
    link: https://cloud.google.com/vpc/docs/about-accessing-google-apis-endpoints
  - name: Supported services of VPC Service Controls
    description: What the bundle vpc-sc serves.
    link: https://cloud.google.com/vpc-service-controls/docs/supported-products
"""

EXAMPLES = r"""
- name: The application network and a spoke, for the application only
  private_ai.endpoints.vertex_psc_endpoint:
    networks:
      - network: projects/lab-vertex/global/networks/app
        endpoint_name: pscvertex
        address: 10.255.30.2
      - network: projects/lab-vertex/global/networks/spoke
        endpoint_name: pscvertexspoke
    allowed_cidrs: [10.30.0.0/16, 10.31.0.0/16]
    private_google_access_subnets:
      - projects/lab-vertex/regions/us-central1/subnetworks/app-a
    regions: [us-central1]
    labels:
      team: platform
  register: made

- name: Remove the endpoints that were replaced, once names lead to the new ones
  private_ai.endpoints.vertex_psc_endpoint:
    networks:
      - network: projects/lab-vertex/global/networks/app
        endpoint_name: pscvertex
        address: 10.255.30.3
    remove_replaced: true

- name: Take away what this collection created
  private_ai.endpoints.vertex_psc_endpoint:
    networks:
      - network: projects/lab-vertex/global/networks/app
    state: absent
"""

RETURN = r"""
endpoints:
  description:
    - The endpoint of each network as it stands after the run, in the order of O(networks). In check mode as it would
      stand.
    - With O(state=absent), the endpoints that stay because this collection did not create them.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Path of the forwarding rule.
      type: str
      sample: projects/lab-vertex/global/forwardingRules/pscvertex
    name:
      description: Name.
      type: str
    project:
      description: Project that the endpoint is in.
      type: str
    network:
      description: Path of the network.
      type: str
    address:
      description: Its address.
      type: str
      sample: 10.255.30.2
    bundle:
      description: V(all-apis) or V(vpc-sc).
      type: str
    service_directory_region:
      description: Region of its Service Directory. Empty for a predicted endpoint that gets Google's default.
      type: str
    labels:
      description: Its labels.
      type: dict
    managed:
      description: Whether this collection created it.
      type: bool
replaced:
  description: Endpoints of this collection that others have replaced and that still stand, as in RV(endpoints).
  returned: success
  type: list
  elements: dict
hosts:
  description: The names that clients use.
  returned: success
  type: list
  elements: str
  sample: [aiplatform.googleapis.com, us-central1-aiplatform.googleapis.com]
probe_targets:
  description:
    - What M(private_ai.endpoints.private_endpoint_probe) needs, one entry for each host.
  returned: success
  type: list
  elements: dict
  sample:
    - schema_version: 1
      host: us-central1-aiplatform.googleapis.com
      port: 443
      addresses: [10.255.30.2]
      cloud: gcp
      target: lab-vertex
      service: aiplatform
      plane: runtime
      probe_action:
        name: aiplatform.endpoints.list
        method: GET
        path: /v1/projects/lab-vertex/locations/us-central1/endpoints?pageSize=1
        auth: bearer
      networks:
        projects/lab-vertex/global/networks/app: [10.255.30.2]
steps:
  description:
    - What changed, or would change, each with C(resource), C(action), C(before) and C(after).
  returned: success
  type: list
  elements: dict
error:
  description:
    - Why it failed, beside the sentence in C(msg), with C(resource), C(code) of Google, C(action), C(fix), and
      C(problems) when several were found.
  returned: failure
  type: dict
"""

from ansible_collections.private_ai.endpoints.plugins.module_utils.gcp.client import (
    CONNECTION_SPEC,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.gcp.create import run
from ansible_collections.private_ai.endpoints.plugins.module_utils.module import (
    ModuleSpec,
    execute,
)

_NAMES = {"type": "list", "elements": "str"}
_BUNDLES = ["all-apis", "vpc-sc"]

SPEC = ModuleSpec(
    argument_spec={
        "networks": {
            "type": "list",
            "elements": "dict",
            "required": True,
            "options": {
                "network": {"type": "str", "required": True},
                "endpoint_name": {"type": "str"},
                "address": {"type": "str", "aliases": ["endpoint_address"]},
                "address_name": {"type": "str"},
                "bundle": {"type": "str", "choices": _BUNDLES},
            },
        },
        "bundle": {"type": "str", "choices": _BUNDLES, "default": "all-apis"},
        "labels": {"type": "dict"},
        "purge_labels": {"type": "bool", "default": True},
        "service_directory_region": {"type": "str"},
        "private_google_access_subnets": _NAMES,
        "allowed_cidrs": _NAMES,
        "allowed_tags": _NAMES,
        "allowed_service_accounts": _NAMES,
        "firewall_priority": {"type": "int", "default": 1000},
        "regions": _NAMES,
        "extra_hosts": _NAMES,
        "vertex_project": {"type": "str"},
        "target_name": {"type": "str"},
        "remove_replaced": {"type": "bool", "default": False},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "wait_timeout": {"type": "int", "default": 600},
        **CONNECTION_SPEC,
    },
)


def main() -> None:
    """Run as an ordinary module."""
    execute(SPEC, run)


if __name__ == "__main__":
    main()
