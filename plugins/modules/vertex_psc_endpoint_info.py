#!/usr/bin/python

# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: vertex_psc_endpoint_info
short_description: Collect the evidence about a project's private endpoints for Vertex AI
version_added: 0.3.0
author: private_ai.endpoints contributors (@private-ai)
description:
  - Reads what Google says about Vertex AI in one project and the networks that it is called from, and returns it as one
    document without secrets that M(private_ai.endpoints.private_endpoint_validate) judges, now or later, on a machine
    without a network.
  - Everything that does not depend on something else is read at the same time.
  - A part that the credentials may not read is named in RV(evidence.missing) together with Google's name of the
    permission. It is neither a failure of this module nor an empty list that looks like nothing is there.
  - Nothing is changed.
options:
  network:
    description:
      - The network that the application is in, as C(projects/PROJECT/global/networks/NAME), as URL, or by its name in
        O(project). Its peered networks are read as well, as far as that is allowed.
    type: str
    required: true
  spoke_networks:
    description:
      - Further networks, written in the same way, that call Vertex AI through an endpoint of their own. An endpoint is
        not reachable over a peering.
    type: list
    elements: str
    default: []
  regions:
    description: Regions whose names of Vertex AI are called, such as V(us-central1), besides the global name.
    type: list
    elements: str
    default: []
  extra_hosts:
    description: Further names under C(googleapis.com) that have to be private.
    type: list
    elements: str
    default: []
  zone_project:
    description:
      - Project that private zones of the names are in, where that is neither O(project) nor one of a network.
    type: str
  access_policy:
    description:
      - Access policy whose perimeters are read, as C(accessPolicies/NUMBER) or as the number.
      - Without it, the policies of the project's organisation are looked for, which needs the permission to list them
        there.
    type: str
  target_name:
    description:
      - Name of this target in the evidence, as it is in the inventory. Without it the project's id.
    type: str
  gather:
    description:
      - What to read. The project and its networks with their peerings are always read.
      - V(endpoints) is every endpoint for Google APIs of the networks and their peers, in whatever project of these its
        forwarding rule is.
      - V(network) is the networks' and their peers' subnets, routes and egress firewall rules.
      - V(dns) is the private zones, response policies and DNS server policies that decide where the hosts lead in the
        networks, with their records. Peering zones are followed.
      - V(perimeter) is the service perimeters that hold one of the target's projects, enforced or in their dry run, and
        the organisation policies that are set on the project.
      - V(access) is who may call Vertex AI by IAM, from the project and from what it lies in.
      - V(traffic) is who called Vertex AI, and by what path, from the project's audit logs, with what VPC Service
        Controls refused or would refuse.
    type: list
    elements: str
    choices: [endpoints, network, dns, perimeter, access, traffic]
    default: [endpoints, network, dns, perimeter, access]
  traffic_days:
    description:
      - How many days back O(gather=traffic) looks. The log bucket decides how long entries are kept.
    type: float
    default: 7
  traffic_start:
    description:
      - Look back to this moment instead, for example the time of the lock. UTC, such as V(2026-01-31T12:00:00Z).
    type: str
  traffic_max_entries:
    description:
      - Read at most this many log entries, the newest first, a thousand for each request. When there are more,
        RV(evidence.traffic) says that it is not complete, and nothing passes on it.
      - Google allows sixty such requests in a minute for a project.
    type: int
    default: 10000
extends_documentation_fragment:
  - private_ai.endpoints.gcp
attributes:
  check_mode:
    description: Can run in check mode. It reads then as well.
    support: full
  diff_mode:
    description: Shows before and after.
    support: none
notes:
  - Needs the roles Compute Network Viewer and DNS Reader on the projects of the networks, Browser on O(project), Access
    Context Manager Reader on the organisation for V(perimeter), Security Reviewer on O(project) and what it lies in for
    V(access), and Private Logs Viewer on O(project) for V(traffic).
  - Google leaves out data access entries, without a word, for credentials without Private Logs Viewer. That is asked
    for as well, so that RV(evidence.traffic) is null then, and not empty.
  - Firewall policies of the organisation, folders and networks are not read. Neither are organisation policies that the
    project inherits.
seealso:
  - module: private_ai.endpoints.private_endpoint_validate
  - module: private_ai.endpoints.vertex_psc_endpoint
"""

EXAMPLES = r"""
- name: Collect what a validation needs before anything is locked
  private_ai.endpoints.vertex_psc_endpoint_info:
    project: lab-vertex
    network: projects/lab-vertex/global/networks/app
    spoke_networks: [projects/lab-vertex/global/networks/spoke]
    regions: [us-central1, europe-west1]
    access_policy: accessPolicies/600000000001
    target_name: lab-vertex
  register: observed

- name: Collect everything, with the calls of a month, and find the access policy by the organisation
  private_ai.endpoints.vertex_psc_endpoint_info:
    project: lab-vertex
    network: app
    regions: [us-central1]
    extra_hosts: [storage.googleapis.com]
    gather: [endpoints, network, dns, perimeter, access, traffic]
    traffic_days: 30
  register: observed

- name: Keep it, to judge it later
  ansible.builtin.copy:
    content: "{{ observed.evidence | to_nice_json }}"
    dest: evidence/lab-vertex.json
    mode: "0600"
"""

RETURN = r"""
probe_targets:
  description:
    - What M(private_ai.endpoints.private_endpoint_probe) needs, one entry per host, with the addresses that are right
      in each network. Empty when O(gather) lacks V(endpoints).
  returned: success
  type: list
  elements: dict
evidence:
  description: The document. It holds no secret, but it describes the network. Resources are named by their path.
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
      description: Always V(gcp).
      type: str
    target:
      description: Name of the target.
      type: str
    collected_at:
      description: Time in UTC.
      type: str
      sample: "2026-01-31T12:00:00Z"
    gathered:
      description: What was asked for.
      type: list
      elements: str
    missing:
      description:
        - What could not be read, as part, resource, permission (C(action)), Google's error code and its message. The
          part V(project) is the project's number, V(peers) what peered networks did not show, V(inherited) who has
          roles by the folders and the organisation, V(organization_policies) those, and V(logging) the project's audit
          configuration.
      type: list
      elements: dict
    region:
      description: Always empty. Vertex AI is regional, its endpoints are not.
      type: str
    regions:
      description: The regions that were asked for.
      type: list
      elements: str
    hosts:
      description: Every name that has to be private.
      type: list
      elements: str
    project:
      description:
        - The C(id) of the project that Vertex AI is used in, and its C(number), null when that could not be read.
      type: dict
    network:
      description:
        - The application's network with C(id), C(role), C(project), C(auto) (null when the network could not be read),
          C(subnets), C(peerings), C(routes), C(dns_policy) and C(project_number). Each subnet has C(id), C(name),
          C(region), C(cidr), C(secondary), C(private_google_access) and C(purpose), each peering C(network_id),
          C(state) and whether it is C(readable). The DNS server policy is null or has C(name_servers) that are asked
          instead of Google's.
      type: dict
    spokes:
      description: The networks of O(spoke_networks), in the shape of RV(evidence.network).
      type: list
      elements: dict
    peers:
      description: Other peered networks that could be read, in the shape of RV(evidence.network).
      type: list
      elements: dict
    firewalls:
      description: Egress firewall rules of all these networks.
      type: list
      elements: dict
    endpoints:
      description:
        - Endpoints for Google APIs of all these networks, with C(network_id), C(address), C(bundle), whether this
          collection C(managed) them, and whether a newer one C(replaced) them.
      type: list
      elements: dict
    endpoints_elsewhere:
      description:
        - Those of other networks in the same projects, with C(network_id), C(address) and C(bundle). None of these
          networks reaches them.
      type: list
      elements: dict
    zones:
      description:
        - Private zones that one of the networks sees and that can decide about a host, with C(dns_name),
          C(network_ids), C(records), and where a zone only passes questions on, C(peering_network_id) or C(forwarding).
      type: list
      elements: dict
    response_policies:
      description: Response policies of these networks, with those C(rules) that can decide about a host.
      type: list
      elements: dict
    perimeters:
      description:
        - Service perimeters that hold one of the target's projects, enforced or in their dry run, with C(resources),
          C(restricted_services), C(accessible_services), C(ingress), C(egress) and C(access_levels). C(dry_run) has the
          same keys, or is null where the dry run is the enforced configuration. C(holds_project) says whether one of
          both holds the project that Vertex AI is used in, C(pending) what a lockdown has yet to confirm.
      type: list
      elements: dict
    access:
      description:
        - The C(bindings) of roles of Vertex AI, of owner and editor, and of everything that is given to everybody, of
          the project and what it lies in. Null when it was not asked for or could not be read.
      type: dict
    organization_policies:
      description:
        - The organisation policies that are set on the project, with C(rules) and the rules of their C(dry_run). Null
          when they were not asked for or could not be read.
      type: list
      elements: dict
    logging:
      description:
        - In C(audit) which data access entries of Vertex AI the project keeps, and in C(exempted) whose calls it leaves
          out. Null when V(traffic) was not asked for or it could not be read.
      type: dict
    traffic:
      description:
        - Window, whether it was read completely, and the logged calls in groups that differ in nothing but time. The
          C(path) of a group is V(private), V(public), or V(ambiguous) for a public address of a known network, which a
          machine with an external address has also when it calls by an endpoint. C(violation) is what a perimeter
          refused, or would refuse. Null when it was not asked for or could not be read.
      type: dict
"""

from typing import Any

from ansible_collections.private_ai.endpoints.plugins.module_utils.core.gcp.probe_targets import (
    of_evidence,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.gcp.client import (
    CONNECTION_SPEC,
    connect,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.gcp.observe import (
    DEFAULT_PARTS,
    PARTS,
    read,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.module import (
    Context,
    ModuleSpec,
    execute,
)

SPEC = ModuleSpec(
    argument_spec={
        **CONNECTION_SPEC,
        "network": {"type": "str", "required": True},
        "spoke_networks": {"type": "list", "elements": "str", "default": []},
        "zone_project": {"type": "str"},
        "regions": {"type": "list", "elements": "str", "default": []},
        "extra_hosts": {"type": "list", "elements": "str", "default": []},
        "access_policy": {"type": "str"},
        "target_name": {"type": "str"},
        "gather": {
            "type": "list",
            "elements": "str",
            "choices": list(PARTS),
            "default": list(DEFAULT_PARTS),
        },
        "traffic_days": {"type": "float", "default": 7},
        "traffic_start": {"type": "str"},
        "traffic_max_entries": {"type": "int", "default": 10000},
    },
)


def run(params: dict[str, Any], context: Context) -> dict[str, Any]:
    """Collect the evidence."""
    evidence = read(connect(params), params, params["gather"])
    for entry in evidence["missing"]:
        text = f"{entry['action']} on {entry['resource']}: {entry['message']}"
        context.warn(f"not read ({entry['part']}): {text}")
    targets = of_evidence(evidence) if "endpoints" in evidence["gathered"] else []
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
