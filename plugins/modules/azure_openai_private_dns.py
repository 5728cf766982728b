#!/usr/bin/python
# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: azure_openai_private_dns
short_description: Make the names of an Azure AI account resolve to its private endpoint
version_added: 0.2.0
description:
  - Keeps the private DNS zones, records and virtual network links that lead an account's names (C(X.openai.azure.com),
    C(X.cognitiveservices.azure.com), C(X.services.ai.azure.com)) to its private endpoint, in the endpoint's own network
    and in further ones.
  - Which zones and records are needed is read from the endpoint's network interface on each run.
  - Zones that exist are used, those of a central subscription and those that the network is linked to already; missing
    ones are made. Everything that forbids a change is said at once, before the first write.
  - A record is made before the link that lets it be asked for, so that no name stops to resolve in between. When a
    change fails halfway, what was changed is switched back. RV(undo) switches a successful change back later.
author:
  - private_ai.endpoints contributors (@private-ai)
extends_documentation_fragment:
  - private_ai.endpoints.azure
attributes:
  check_mode:
    description: Predicts without writing, also for an endpoint that does not exist yet.
    support: full
  diff_mode:
    description: Shows before and after.
    support: full
options:
  state:
    description:
      - V(present) makes the names resolve as asked for.
      - V(absent) takes away what this collection made for the endpoint. A zone and its links stay as long as the zone
        has records of others; this account's names then fall through to public DNS there.
      - V(restored) switches back exactly what the run changed that returned O(undo), as far as it still stands.
    type: str
    choices: [present, absent, restored]
    default: present
  endpoint_id:
    description: Resource id of the private endpoint. Spares a look through all endpoints of the subscription.
    type: str
  account_id:
    description:
      - Resource id of the account. Without O(endpoint_id) its endpoint in O(network_id) or O(subnet_id) is meant.
    type: str
  network_id:
    description: Resource id of the endpoint's virtual network.
    type: str
  subnet_id:
    description: Resource id of the endpoint's subnet, in place of O(network_id).
    type: str
  mode:
    description:
      - V(zone_group) lets Azure keep the records, by a zone group at the endpoint. Records that someone changed or
        deleted are repaired.
      - V(records) writes the A records, and removes those of members that the endpoint no longer has.
      - V(none) changes nothing and only says what is to resolve where, for networks whose DNS others keep.
    type: str
    choices: [zone_group, records, none]
    default: zone_group
  zone_subscription_id:
    description: Subscription of zones that do not exist yet, by default the network's. A central one, mostly.
    type: str
  zone_resource_group:
    description: Resource group of zones that do not exist yet, by default the network's.
    type: str
  zone_credentials:
    description:
      - Credentials for O(zone_subscription_id), where those of the task do not reach. They need
        C(Microsoft.Network/virtualNetworks/join/action) on the networks, since they make the links.
    type: dict
    suboptions:
      tenant:
        description: As O(tenant).
        type: str
      client_id:
        description: As O(client_id).
        type: str
      secret:
        description: As O(secret).
        type: str
      x509_certificate_path:
        description: As O(x509_certificate_path).
        type: path
      certificate_password:
        description: As O(certificate_password).
        type: str
      federated_token_file:
        description: As O(federated_token_file).
        type: path
      auth_source:
        description: As O(auth_source).
        type: str
        choices: [auto, cli, env, msi]
  networks:
    description:
      - Resource ids of further virtual networks that are to resolve the names.
      - A network that is no longer listed, or no longer peered, keeps its link.
    type: list
    elements: str
    default: []
  link_peered:
    description: Whether all networks that the endpoint's network is peered with are to resolve the names too.
    type: bool
    default: true
  link_networks:
    description:
      - V(false) makes zones and records ready and links nothing. Do so for all accounts of a network before the first
        link is made, since a linked zone answers for all of them.
    type: bool
    default: true
  resolution_policy:
    description:
      - What a linked network gets for a name without a record. V(Default) says that it does not exist,
        V(NxDomainRedirect) asks public DNS.
      - Without it new links get V(Default), and links that stand keep what they have.
    type: str
    choices: [Default, NxDomainRedirect]
  allow_other_accounts:
    description:
      - A link is refused when other accounts have private endpoints and the zone has no record for them, since their
        names would stop to resolve in that network. V(true) links all the same.
    type: bool
    default: false
  target_name:
    description: Name of the account in the probe targets, by default the account's own.
    type: str
  undo:
    description: What another run of this module returned as RV(undo). Required for O(state=restored).
    type: dict
  wait_timeout:
    description: How many seconds everything that is waited for may take together.
    type: int
    default: 900
notes:
  - Needs of C(Microsoft.Network) C(privateEndpoints/read), C(networkInterfaces/read), C(virtualNetworks/read),
    C(virtualNetworks/join/action), C(privateEndpoints/privateDnsZoneGroups/*), C(privateDnsZones/read),
    C(privateDnsZones/write), C(privateDnsZones/join/action), C(privateDnsZones/ALL/read), C(privateDnsZones/A/*) and
    C(privateDnsZones/virtualNetworkLinks/*), and C(Microsoft.CognitiveServices/accounts/read).
  - Zones and links that this collection makes carry the tag C(private-ai-endpoints-managed), and records that it writes
    the same as metadata.
  - Other accounts and zones are seen in the subscriptions that the credentials reach.
seealso:
  - module: private_ai.endpoints.azure_openai_private_link
  - module: private_ai.endpoints.azure_openai_lockdown
  - name: Private endpoint DNS
    description: Zones, and how public and private names relate.
    link: https://learn.microsoft.com/azure/private-link/private-endpoint-dns
"""

EXAMPLES = r"""
- name: Resolve the account privately in its network and in all peers, by zones of a central subscription
  private_ai.endpoints.azure_openai_private_dns:
    account_id: "{{ ai }}/providers/Microsoft.CognitiveServices/accounts/my-openai"
    subnet_id: "{{ app }}/providers/Microsoft.Network/virtualNetworks/app/subnets/endpoints"
    zone_subscription_id: 5b000000-0000-0000-0000-00000000000b
    zone_resource_group: private-dns
  register: switched
  vars: &scopes
    ai: /subscriptions/5c000000-0000-0000-0000-00000000000c/resourceGroups/ai
    app: /subscriptions/5a000000-0000-0000-0000-00000000000a/resourceGroups/app-network

- name: Switch back what that changed
  private_ai.endpoints.azure_openai_private_dns:
    zone_subscription_id: 5b000000-0000-0000-0000-00000000000b
    state: restored
    undo: "{{ switched.undo }}"

- name: Take away what was made for the endpoint
  private_ai.endpoints.azure_openai_private_dns:
    endpoint_id: "{{ app }}/providers/Microsoft.Network/privateEndpoints/my-openai"
    zone_subscription_id: 5b000000-0000-0000-0000-00000000000b
    zone_resource_group: private-dns
    state: absent
  vars: *scopes
"""

RETURN = r"""
steps:
  description: What was changed, or in check mode would be.
  returned: always
  type: list
  elements: dict
  sample:
    - resource: link of private-dns/privatelink.openai.azure.com to app-network/spoke
      action: create
      before: {}
      after:
        network_id: "/subscriptions/5a000000-0000-0000-0000-00000000000a/resourceGroups/app-network/providers/\
          Microsoft.Network/virtualNetworks/spoke"
        registration_enabled: false
        resolution_policy: Default
      conditional_on: null
      schema_version: 1
undo:
  description: What this run changed. Pass it as O(undo) with O(state=restored) to switch it back.
  returned: always
  type: dict
  contains:
    account_id:
      description: The account.
      type: str
      returned: always
    endpoint_id:
      description: The private endpoint.
      type: str
      returned: always
    network_id:
      description: The endpoint's network.
      type: str
      returned: always
    run:
      description: What the tags of zones and links that this run made say.
      type: str
      returned: always
    hosts:
      description: Zones and records of the account's names.
      type: list
      elements: dict
      returned: always
    known:
      description: Names that the zones had records for before.
      type: dict
      returned: always
    zones:
      description: Ids of zones that were created.
      type: list
      elements: str
      returned: always
    records:
      description: Records that were changed, before and after.
      type: list
      elements: dict
      returned: always
    group:
      description: The zone group before and after; null when it was not changed.
      type: dict
      returned: always
    links:
      description: Links that were changed, before and after.
      type: list
      elements: dict
      returned: always
probe_targets:
  description:
    - One for each name of the account, with the addresses of the endpoint, as
      M(private_ai.endpoints.private_endpoint_probe) takes them. None where the endpoint does not exist yet.
  returned: always
  type: list
  elements: dict
  sample:
    - host: my-openai.openai.azure.com
      port: 443
      addresses: [10.20.2.4]
      cloud: azure
      target: my-openai
      service: openai
      plane: runtime
      probe_action:
        name: azure_openai:ListModels
        method: GET
        path: /openai/models?api-version=2024-10-21
        auth: null
      schema_version: 1
zones:
  description: The zones that answer for the names, in check mode as they are now.
  returned: always
  type: list
  elements: dict
  contains:
    id:
      description: Resource id of the zone.
      type: str
      returned: always
    name:
      description: Name of the zone.
      type: str
      returned: always
    networks:
      description: Resource ids of the networks that are linked to it.
      type: list
      elements: str
      returned: always
    records:
      description: Addresses that it has for the account's names.
      type: dict
      returned: always
links:
  description: The links of those zones.
  returned: always
  type: list
  elements: dict
  contains:
    id:
      description: Resource id of the link.
      type: str
      returned: always
    zone_id:
      description: Resource id of the zone.
      type: str
      returned: always
    network_id:
      description: Resource id of the network.
      type: str
      returned: always
    resolution_policy:
      description: What the network gets for names without a record.
      type: str
      returned: always
    registration_enabled:
      description: Whether machines of the network are registered in the zone.
      type: bool
      returned: always
endpoint_id:
  description: The private endpoint.
  returned: always
  type: str
account_id:
  description: The account.
  returned: always
  type: str
network_id:
  description: The endpoint's network.
  returned: always
  type: str
"""

from ansible_collections.private_ai.endpoints.plugins.module_utils.azure.client import (
    CONNECTION_SPEC,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.azure.dns import run
from ansible_collections.private_ai.endpoints.plugins.module_utils.azure.dns_places import (
    CREDENTIALS_SPEC,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.module import ModuleSpec, execute

SPEC = ModuleSpec(
    argument_spec={
        **CONNECTION_SPEC,
        "state": {
            "type": "str",
            "choices": ["present", "absent", "restored"],
            "default": "present",
        },
        "endpoint_id": {"type": "str"},
        "account_id": {"type": "str"},
        "network_id": {"type": "str"},
        "subnet_id": {"type": "str"},
        "mode": {
            "type": "str",
            "choices": ["zone_group", "records", "none"],
            "default": "zone_group",
        },
        "zone_subscription_id": {"type": "str"},
        "zone_resource_group": {"type": "str"},
        "zone_credentials": {"type": "dict", "options": CREDENTIALS_SPEC},
        "networks": {"type": "list", "elements": "str", "default": []},
        "link_peered": {"type": "bool", "default": True},
        "link_networks": {"type": "bool", "default": True},
        "resolution_policy": {"type": "str", "choices": ["Default", "NxDomainRedirect"]},
        "allow_other_accounts": {"type": "bool", "default": False},
        "target_name": {"type": "str"},
        "undo": {"type": "dict"},
        "wait_timeout": {"type": "int", "default": 900},
    },
    mutually_exclusive=(("network_id", "subnet_id"),),
    required_if=(("state", "restored", ("undo",)),),
)


def main() -> None:
    """Be an Ansible module."""
    execute(SPEC, run)


if __name__ == "__main__":
    main()
