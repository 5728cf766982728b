#!/usr/bin/python

# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: azure_openai_private_link_info
short_description: Collect the evidence about an Azure AI account's private endpoint
version_added: 0.2.0
author: private_ai.endpoints contributors (@private-ai)
description:
  - Reads what Azure says about one AI account and the virtual network that it is called from, and returns it as one
    document without secrets that M(private_ai.endpoints.private_endpoint_validate) judges, now or later, on a machine
    without a network.
  - Everything that does not depend on something else is read at the same time.
  - A part that the credentials may not read is named in RV(evidence.missing) together with Azure's name of the
    permission. It is neither a failure of this module nor an empty list that looks like nothing is there.
  - Nothing is changed.
options:
  account_id:
    description: Resource id of the account, of any AI kind, or its name together with O(resource_group).
    type: str
    required: true
  resource_group:
    description: Resource group of an account that is given by its name, in O(subscription_id).
    type: str
  network_id:
    description:
      - Resource id of the virtual network that callers are in. Its peered networks are read as well.
      - Without it the network of O(subnet_id).
    type: str
  subnet_id:
    description: Resource id of a subnet of that network, as a short way to name it.
    type: str
  target_name:
    description:
      - Name of this target in the evidence, as it is in the inventory. Without it the account's resource id.
    type: str
  gather:
    description:
      - What to read.
      - V(account) is the account with its network settings, names, connections of private endpoints and network
        security perimeters.
      - V(network) is the virtual network with its subnets, their network security groups and route tables, its peerings
        and the peered networks.
      - V(endpoints) is every private endpoint that connects the account, with addresses and zone group.
      - V(dns) is the private DNS zones of AI accounts in every subscription that can be reached, with links and
        records.
      - V(access) is the role assignments that count for the account, inherited ones included.
      - V(traffic) is where the account's logs go, and who called it and by what path, from Log Analytics.
    type: list
    elements: str
    choices: [account, network, endpoints, dns, access, traffic]
    default: [account, network, endpoints, dns, access]
  zone_subscription_id:
    description:
      - Subscription that holds the private DNS zones. Without it, zones are looked for in every subscription that the
        credentials reach, and those of this network's subscription have to be readable.
    type: str
  zone_credentials:
    description:
      - Credentials for O(zone_subscription_id), where the others may not read it. Parts
        that are not given are not taken from the others, apart from O(tenant).
    type: dict
    suboptions:
      tenant:
        description: See O(tenant).
        type: str
      client_id:
        description: See O(client_id).
        type: str
      secret:
        description: See O(secret).
        type: str
      x509_certificate_path:
        description: See O(x509_certificate_path).
        type: path
      certificate_password:
        description: See O(certificate_password).
        type: str
      federated_token_file:
        description: See O(federated_token_file).
        type: path
      auth_source:
        description: See O(auth_source).
        type: str
        choices: [auto, cli, env, msi]
  traffic_days:
    description:
      - How many days back O(gather=traffic) looks. The workspace decides how long it keeps logs.
    type: float
    default: 7
  traffic_start:
    description:
      - Look back to this moment instead, for example the time of the lock. UTC, such as V(2026-01-31T12:00:00Z).
    type: str
  traffic_max_rows:
    description:
      - Read at most this many groups of calls from each workspace. When there are more, RV(evidence.traffic) says
        that it is not complete, and nothing passes on it.
    type: int
    default: 5000
extends_documentation_fragment:
  - private_ai.endpoints.azure
attributes:
  check_mode:
    description: Can run in check mode. It reads then as well.
    support: full
  diff_mode:
    description: Shows before and after.
    support: none
notes:
  - Needs the role Reader on the account, the network, its peers and the zones, and Log Analytics Reader on the
    workspace for O(gather=traffic).
seealso:
  - module: private_ai.endpoints.private_endpoint_validate
  - module: private_ai.endpoints.azure_openai_private_link
"""

EXAMPLES = r"""
- name: Collect what a validation needs before anything is locked
  private_ai.endpoints.azure_openai_private_link_info:
    account_id: "{{ ai }}/resourceGroups/ai/providers/Microsoft.CognitiveServices/accounts/foundry"
    network_id: "{{ application }}/resourceGroups/app-network/providers/Microsoft.Network/virtualNetworks/app"
    target_name: foundry
  vars:
    ai: /subscriptions/5c000000-0000-0000-0000-00000000000c
    application: /subscriptions/5a000000-0000-0000-0000-00000000000a
  register: observed

- name: Collect everything, with the calls of a month, and zones that a central subscription holds
  private_ai.endpoints.azure_openai_private_link_info:
    subscription_id: 5c000000-0000-0000-0000-00000000000c
    account_id: foundry
    resource_group: ai
    subnet_id: "{{ network_id }}/subnets/app"
    target_name: foundry
    gather: [account, network, endpoints, dns, access, traffic]
    zone_subscription_id: 5b000000-0000-0000-0000-00000000000b
    traffic_days: 30
  register: observed

- name: Keep it, to judge it later
  ansible.builtin.copy:
    content: "{{ observed.evidence | to_nice_json }}"
    dest: evidence/foundry.json
    mode: "0600"
"""

RETURN = r"""
probe_targets:
  description:
    - What M(private_ai.endpoints.private_endpoint_probe) needs, one entry per name of the account. Empty when O(gather)
      lacks V(account) or V(endpoints).
  returned: success
  type: list
  elements: dict
evidence:
  description: The document. It holds no secret, but it describes the network. Resource ids stand as Azure wrote them.
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
      description: Always V(azure).
      type: str
    target:
      description: Name of the target.
      type: str
    collected_at:
      description: Time in UTC.
      type: str
      sample: "2026-01-31T12:00:00Z"
    subscription_id:
      description: Subscription of the account.
      type: str
    region:
      description: Location of the network.
      type: str
      sample: eastus
    environment:
      description: The Azure cloud.
      type: str
      sample: AzureCloud
    gathered:
      description: What was asked for.
      type: list
      elements: str
    missing:
      description:
        - What could not be read, as part, resource, permission (C(action)), Azure's error code and its message. The
          part V(peers) is what peered networks did not show, V(elsewhere) subscriptions whose zones could not be
          listed, V(perimeters) the account's perimeters and V(logging) its diagnostic settings.
      type: list
      elements: dict
    account:
      description: The account, or null when it could not be read.
      type: dict
      contains:
        id:
          description: Resource id.
          type: str
        name:
          description: Resource name, which is not the name that clients use.
          type: str
        kind:
          description: What it is.
          type: str
          sample: AIServices
        location:
          description: Its Azure region.
          type: str
        custom_subdomain:
          description: First label of every name that clients use. Null when the account has none.
          type: str
        provisioning_state:
          description: What Azure is doing with it.
          type: str
        public_network_access:
          description: V(Enabled), V(Disabled) or V(SecuredByPerimeter).
          type: str
        network_acls:
          description: The keys C(default_action), C(bypass), C(ip_rules) and C(virtual_network_rules).
          type: dict
        disable_local_auth:
          description: Whether keys are refused.
          type: bool
        restrict_outbound_network_access:
          description: Whether the account's own calls are restricted.
          type: bool
        tags:
          description: Its tags.
          type: dict
        endpoints:
          description: URLs by the name of the interface, as Azure lists them.
          type: dict
        hosts:
          description: Every name that clients use, by the account's kind.
          type: list
          elements: str
        private_endpoint_connections:
          description: The account's side of each private endpoint, with C(id), C(endpoint_id) and C(status).
          type: list
          elements: dict
        perimeters:
          description:
            - Network security perimeters that it is associated with, with C(access_mode) and the C(rules) of its
              profile. Rules that could not be read are null.
          type: list
          elements: dict
    network:
      description:
        - The virtual network with its location, C(cidrs), C(dns_servers) of its own and subnets. Each subnet has C(id),
          C(name), C(cidrs), C(nsg_id), C(route_table_id), C(private_endpoint_network_policies), C(delegations) and
          C(service_endpoints).
      type: dict
    peerings:
      description:
        - Its peerings, with C(state), C(sync_level), C(peer_network_id), C(peer_cidrs), C(peer_readable) and
          C(allow_virtual_network_access).
      type: list
      elements: dict
    peers:
      description: The peered networks that could be read, in the shape of RV(evidence.network).
      type: list
      elements: dict
    security_groups:
      description: Network security groups of the network's subnets, with their own and their default rules.
      type: list
      elements: dict
    route_tables:
      description: Route tables of the network's subnets with their routes.
      type: list
      elements: dict
    endpoints:
      description:
        - Private endpoints that connect the account, wherever they are. Each has C(subnet_id), C(network_id), its
          side of the C(connection), C(members) with names and address, and C(zone_group).
      type: list
      elements: dict
    zones:
      description: Private DNS zones of AI accounts, with C(links) to networks and C(records).
      type: list
      elements: dict
    access:
      description:
        - The C(role_assignments) that count for the account, with scope, role, principal and the data actions of custom
          roles. Null when it was not asked for or could not be read.
      type: dict
    logging:
      description:
        - The diagnostic C(settings) of the account, with workspace and enabled categories. Null when V(traffic) was not
          asked for or they could not be read.
      type: dict
    traffic:
      description:
        - Window, whether it was read completely, and the logged calls in groups that differ in nothing but time. The
          C(path) of a group is V(private), V(public), or V(ambiguous) where the masked address allows both. Null when
          it was not asked for, is logged nowhere, or could not be read.
      type: dict
"""

from typing import Any

from ansible_collections.private_ai.endpoints.plugins.module_utils.azure.client import (
    CONNECTION_SPEC,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.azure.dns_places import (
    CREDENTIALS_SPEC,
    places,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.azure.observe import (
    DEFAULT_PARTS,
    PARTS,
    account_id,
    observe,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.azure.probe_targets import (
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
        "account_id": {"type": "str", "required": True},
        "resource_group": {"type": "str"},
        "network_id": {"type": "str"},
        "subnet_id": {"type": "str"},
        "target_name": {"type": "str"},
        "gather": {
            "type": "list",
            "elements": "str",
            "choices": list(PARTS),
            "default": list(DEFAULT_PARTS),
        },
        "zone_subscription_id": {"type": "str"},
        "zone_credentials": {
            "type": "dict",
            "options": CREDENTIALS_SPEC,
        },
        "traffic_days": {"type": "float", "default": 7},
        "traffic_start": {"type": "str"},
        "traffic_max_rows": {"type": "int", "default": 5000},
    },
    required_one_of=(("network_id", "subnet_id"),),
    required_by={"zone_credentials": ("zone_subscription_id",)},
)


def run(params: dict[str, Any], context: Context) -> dict[str, Any]:
    """Collect the evidence."""
    where = places(params)
    evidence = observe(
        where.main,
        account_id=account_id(params, where.main.subscription_id),
        network_id=params["network_id"],
        subnet_id=params["subnet_id"],
        target=params["target_name"],
        gather=params["gather"],
        places=where,
        traffic_days=params["traffic_days"],
        traffic_start=params["traffic_start"],
        traffic_max_rows=params["traffic_max_rows"],
    )
    for entry in evidence["missing"]:
        text = f"{entry['action']} on {entry['resource']}: {entry['message']}"
        context.warn(f"not read ({entry['part']}): {text}")
    readable = {"account", "endpoints"} <= set(evidence["gathered"])
    targets = of_evidence(evidence) if readable else []
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
