#!/usr/bin/python

# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: vertex_private_dns
short_description: Make Vertex AI's names resolve to the private endpoints of Google networks
version_added: 0.3.0
author: private_ai.endpoints contributors (@private-ai)
description:
  - Makes Vertex AI's host names (C(aiplatform.googleapis.com), C(REGION-aiplatform.googleapis.com) and further ones)
    resolve, in each network, to the address of the endpoint there.
  - By default with one private zone for each exact name and address, which has one A record at its apex and touches no
    other name. A zone of exactly that name that already answers in the network is used, whoever made it.
  - Everything that stands against it is said at once, before the first write.
  - A record is made before the network that asks for it is attached, so that no name stops to resolve in between. A
    record set is replaced by one change, which Cloud DNS makes as a whole or not at all. When a change fails halfway,
    what was changed is switched back. RV(undo) switches a successful change back later.
options:
  state:
    description:
      - V(present) makes the names resolve as asked for.
      - V(absent) takes away the zones, response policies and rules that this collection made for the networks. They
        leave the networks first, so that names fall through to what answers without them.
      - V(restored) switches back exactly what the run changed that returned O(undo), as far as it still stands.
    type: str
    choices: [present, absent, restored]
    default: present
  networks:
    description:
      - The networks that are to resolve the names, each with the address of its own endpoint, since an endpoint cannot
        be reached from another network. Required but for O(state=restored).
      - A network that is no longer listed keeps what it has.
    type: list
    elements: dict
    suboptions:
      network:
        description:
          - Path of the network, such as V(projects/my-project/global/networks/app), or its name in O(project).
        type: str
        required: true
      address:
        description: Address of the endpoint in this network. Required with O(state=present).
        type: str
  regions:
    description: Regions whose host names clients use, beside the global one.
    type: list
    elements: str
  extra_hosts:
    description: Further names under googleapis.com that clients use, such as V(storage.googleapis.com).
    type: list
    elements: str
  mode:
    description:
      - V(zones) uses private zones of the exact names.
      - V(response_policy) uses rules for the exact names in the network's response policy, of which it can have one. A
        network without one gets a new one.
      - V(none) changes nothing and only says what is to resolve where, for networks whose DNS others keep.
    type: str
    choices: [zones, response_policy, none]
    default: zones
  ttl:
    description:
      - Seconds for which clients may keep an answer.
      - Without it new record sets get 60, and those that stand keep what they have.
    type: int
  zone_prefix:
    description: How the names of new zones, response policies and rules begin. C(private-ai) when left out.
    type: str
  replaced_addresses:
    description:
      - Addresses of endpoints that others have replaced and that still stand. RV(drain_until) then also tells of
        changes that earlier runs made, which costs one more read for each zone.
    type: list
    elements: str
  target_name:
    description: What the probe targets call these networks. The first network's name when left out.
    type: str
  undo:
    description: What another run of this module returned as RV(undo). Required for O(state=restored).
    type: dict
  wait_timeout:
    description: How many seconds to wait for everything together.
    type: int
    default: 600
extends_documentation_fragment:
  - private_ai.endpoints.gcp
attributes:
  check_mode:
    description: Predicts what a run would change and writes nothing.
    support: full
  diff_mode:
    description: Shows the attributes that differ, before and after.
    support: full
  idempotent:
    description: A second run changes nothing.
    support: full
notes:
  - With O(project) zones and response policies that do not exist yet are made in that project, else in the project of
    their network. They are looked for in both.
  - Needs C(dns.managedZones.list), C(dns.resourceRecordSets.list), C(dns.responsePolicies.list) and
    C(dns.responsePolicyRules.list), and for changes what the role DNS Administrator has, with
    C(dns.networks.bindPrivateDNSZone) or C(dns.networks.bindDNSResponsePolicy) in the projects of the networks.
  - Zones and response policies that this collection makes carry the label C(private-ai-endpoints=managed), and their
    description says for which network.
seealso:
  - module: private_ai.endpoints.vertex_psc_endpoint
  - name: DNS for endpoints of Google APIs
    description: Which names an endpoint serves.
    link: https://cloud.google.com/vpc/docs/configure-private-service-connect-apis
  - name: Name resolution order
    description: What decides for a name in a network.
    link: https://cloud.google.com/dns/docs/vpc-name-res-order
"""

EXAMPLES = r"""
- name: The application network and a spoke, each by its own endpoint
  private_ai.endpoints.vertex_private_dns:
    networks:
      - network: projects/lab-vertex/global/networks/app
        address: 10.255.30.2
      - network: projects/lab-vertex/global/networks/spoke
        address: 10.255.31.2
    regions: [us-central1]
  register: switched

- name: Switch back what that changed
  private_ai.endpoints.vertex_private_dns:
    state: restored
    undo: "{{ switched.undo }}"

- name: By rules of the network's response policy, and for storage too
  private_ai.endpoints.vertex_private_dns:
    networks:
      - network: projects/lab-vertex/global/networks/app
        address: 10.255.30.2
    extra_hosts: [storage.googleapis.com]
    mode: response_policy

- name: Take away what this collection made for a network
  private_ai.endpoints.vertex_private_dns:
    networks:
      - network: projects/lab-vertex/global/networks/app
    state: absent
"""

RETURN = r"""
zones:
  description:
    - The private zones that answer for the names in the networks. In check mode as they would be.
  returned: always
  type: list
  elements: dict
  contains:
    id:
      description: Path of the zone.
      type: str
      returned: always
      sample: projects/lab-vertex/managedZones/private-ai-aiplatform-app-9a4cb0d7
    name:
      description: Its name.
      type: str
      returned: always
    dns_name:
      description: The name that it answers for.
      type: str
      returned: always
      sample: aiplatform.googleapis.com
    networks:
      description: Paths of the networks that it is attached to.
      type: list
      elements: str
      returned: always
    managed:
      description: Whether this collection made it.
      type: bool
      returned: always
    records:
      description: Its record sets, each with C(name), C(type), C(ttl) and C(values).
      type: list
      elements: dict
      returned: always
policies:
  description: With O(mode=response_policy), the response policies of the networks, as in RV(zones).
  returned: always
  type: list
  elements: dict
  contains:
    id:
      description: Path of the response policy.
      type: str
      returned: always
    name:
      description: Its name.
      type: str
      returned: always
    networks:
      description: Paths of the networks that it is attached to.
      type: list
      elements: str
      returned: always
    managed:
      description: Whether this collection made it.
      type: bool
      returned: always
    rules:
      description: Its rules, each with C(name), C(dns_name), C(bypass) and C(records).
      type: list
      elements: dict
      returned: always
drain_until:
  description:
    - Until when clients may go on with an address that this run took out of DNS, in UTC. Endpoints at such an address
      are removed only after that.
    - Null when no address was replaced, or all of that is over, and in check mode.
  returned: always
  type: str
  sample: "2026-01-31T12:00:00Z"
undo:
  description: What this run changed. Pass it as O(undo) with O(state=restored) to switch it back.
  returned: always
  type: dict
  contains:
    run:
      description: What the labels of zones and response policies that this run made say.
      type: str
      returned: always
    changes:
      description: What was changed, before and after.
      type: list
      elements: dict
      returned: always
hosts:
  description: The names.
  returned: always
  type: list
  elements: str
  sample: [aiplatform.googleapis.com, us-central1-aiplatform.googleapis.com]
probe_targets:
  description:
    - What M(private_ai.endpoints.private_endpoint_probe) needs, one entry for each name.
  returned: always
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
  returned: always
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
from ansible_collections.private_ai.endpoints.plugins.module_utils.gcp.dns import run
from ansible_collections.private_ai.endpoints.plugins.module_utils.module import (
    ModuleSpec,
    execute,
)

_NAMES = {"type": "list", "elements": "str"}

SPEC = ModuleSpec(
    argument_spec={
        "state": {
            "type": "str",
            "choices": ["present", "absent", "restored"],
            "default": "present",
        },
        "networks": {
            "type": "list",
            "elements": "dict",
            "options": {
                "network": {"type": "str", "required": True},
                "address": {"type": "str"},
            },
        },
        "regions": _NAMES,
        "extra_hosts": _NAMES,
        "mode": {
            "type": "str",
            "choices": ["zones", "response_policy", "none"],
            "default": "zones",
        },
        "ttl": {"type": "int"},
        "zone_prefix": {"type": "str"},
        "replaced_addresses": _NAMES,
        "target_name": {"type": "str"},
        "undo": {"type": "dict"},
        "wait_timeout": {"type": "int", "default": 600},
        **CONNECTION_SPEC,
    },
    required_if=(
        ("state", "present", ("networks",)),
        ("state", "absent", ("networks",)),
        ("state", "restored", ("undo",)),
    ),
)


def main() -> None:
    """Run as an ordinary module."""
    execute(SPEC, run)


if __name__ == "__main__":
    main()
