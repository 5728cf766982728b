#!/usr/bin/python

# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: azure_openai_private_link
short_description: Connect an Azure OpenAI or AI Services account to a network by a private endpoint
version_added: 0.2.0
author: private_ai.endpoints contributors (@private-ai)
description:
  - Makes the private endpoint of one account in one virtual network, waits until both sides say that the
    connection is
    approved, and converges every attribute that is asked for. An attribute whose option is left out is left as it is.
  - An endpoint that already connects the account to the network is adopted, whatever its name and whoever made it.
  - Accounts of every kind are taken. One of kind OpenAI has one name and one address, one of kind AIServices
    (Foundry)
    has three of both, and the others have one.
  - Account, endpoint, network and DNS zones may lie in different resource groups and subscriptions of one tenant.
  - Every reason not to begin is named at once, before anything is written.
  - A subnet keeps its route table, security group, service endpoints, delegations and everything else when its
    policies
    change, and its other resources do not notice the managed rules.
  - As soon as an endpoint exists, public DNS sends the account's names to private DNS zones. In a network that is
    already linked to such a zone they would have no answer at that moment, so that the endpoint gets its zone
    group in the
    same step (O(linked_zones)). Everything else about DNS is the work of
    M(private_ai.endpoints.azure_openai_private_dns).
  - Two runs at once make one endpoint, and a run that was killed is completed by the next one.
options:
  account_id:
    description:
      - Resource id of the account.
      - Or its name, together with O(resource_group), in the subscription that O(subscription_id) or
        E(AZURE_SUBSCRIPTION_ID) names.
    type: str
    required: true
    aliases: [account]
  resource_group:
    description: Resource group of an account that O(account_id) gives by its name.
    type: str
  subnet_id:
    description:
      - Resource id of the subnet that a new endpoint gets its addresses in. Its network is the one that is
        connected.
    type: str
    required: true
  endpoint_name:
    description:
      - Name of a new endpoint.
      - Without it, V(pe-), the names of the account and of the virtual network.
    type: str
  endpoint_resource_group:
    description:
      - Resource group of a new endpoint, in the network's subscription. Without it the network's resource
        group.
    type: str
  location:
    description:
      - Location of the endpoint, which has to be the virtual network's. Without it, that is taken.
      - The account may be anywhere.
    type: str
  tags:
    description:
      - Tags of the endpoint. Without it tags are left as they are. A security group that is made gets them, too.
      - This collection marks what it creates with the tag C(private-ai-endpoints-managed).
    type: dict
  purge_tags:
    description: Whether O(tags) is the complete list. Tags of this collection are never removed.
    type: bool
    default: true
  subnet_policies:
    description:
      - Which of the subnet's rules hold for private endpoints at least. What holds already goes on to hold.
      - V(NetworkSecurityGroupEnabled) is for the security group, V(RouteTableEnabled) for the routes,
        V(Enabled) for both.
      - Without it, V(NetworkSecurityGroupEnabled) when O(allowed_cidrs) names networks, and otherwise nothing
        changes.
      - Another private endpoint of the subnet, which its security group did not reach before, makes that an
        error when the
        group has rules that deny. Set the option to say that it is meant.
    type: str
    choices: [NetworkSecurityGroupEnabled, RouteTableEnabled, Enabled]
  allowed_cidrs:
    description:
      - Networks that may connect. Two rules in the subnet's security group admit TCP 443 from them and deny
        everything else,
        always with this endpoint's addresses as destination.
      - A subnet without security group gets one.
      - An empty list takes the two rules away. Without the option they are left as they are.
    type: list
    elements: str
  security_group_name:
    description:
      - Name of the security group for a subnet that has none.
      - Without it, V(private-ai-), the names of virtual network and subnet.
    type: str
  rule_priority:
    description:
      - The managed rules take the first two priorities from here that are free. Rules that exist keep theirs.
      - A rule with a smaller number that speaks of the endpoint's addresses is decided first, which is warned about.
    type: int
    default: 100
  approval:
    description:
      - V(automatic) needs the permission to approve connections on the account, and also approves one that is
        pending.
      - V(manual) makes a request that the account's owner approves.
    type: str
    choices: [automatic, manual]
    default: automatic
  approval_message:
    description: What the account's owner reads when O(approval=manual) makes an endpoint. At most 140 characters.
    type: str
  static_addresses:
    description:
      - The addresses of a new endpoint, one for each member, in the order C(default), C(secondary), C(third).
      - One for an account of kind OpenAI, three for AIServices. They cannot be changed later.
    type: list
    elements: str
  linked_zones:
    description:
      - What happens when the endpoint is made in a network that is already linked to a private DNS zone of
        the account's
        names.
      - V(zone_group) gives the endpoint a zone group with these zones, so that they answer at once.
      - V(none) leaves it to others, such as an Azure Policy. Until they have done it, the names have no answer there.
    type: str
    choices: [zone_group, none]
    default: zone_group
  dns_zone_ids:
    description:
      - Private DNS zones to look at first, by resource id.
      - The zones of every subscription that these credentials can read are looked at all the same.
    type: list
    elements: str
  target_name:
    description: What the probe targets call this account. The account's name when left out.
    type: str
  state:
    description:
      - V(absent) deletes the endpoint if this collection created it, its managed rules, and a security group
        that this
        collection created when nothing else is in it.
    type: str
    choices: [present, absent]
    default: present
  force:
    description: With O(state=absent), delete the endpoint also when this collection did not create it.
    type: bool
    default: false
  wait:
    description:
      - Wait until the connection is approved on both sides.
      - That the endpoint is made is always waited for, since its addresses are only known then.
    type: bool
    default: true
  wait_timeout:
    description: How many seconds to wait for everything together.
    type: int
    default: 900
extends_documentation_fragment:
  - private_ai.endpoints.azure
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
seealso:
  - module: private_ai.endpoints.azure_openai_private_dns
  - module: private_ai.endpoints.azure_openai_lockdown
  - name: Private endpoints
    description: What a private endpoint is, and what it needs.
    link: https://learn.microsoft.com/azure/private-link/private-endpoint-overview
  - name: Network policies for private endpoints
    description: What a subnet's policies do.
    link: https://learn.microsoft.com/azure/private-link/disable-private-endpoint-network-policy
"""

EXAMPLES = r"""
- name: An account in the application network, for the application and the spoke only
  private_ai.endpoints.azure_openai_private_link:
    account_id: "{{ account_id }}"
    subnet_id: "{{ subnet_id }}"
    allowed_cidrs: [10.20.0.0/16, 10.21.0.0/16]
    tags:
      team: platform

- name: An account of another team, which approves the request itself
  private_ai.endpoints.azure_openai_private_link:
    account_id: foundry
    resource_group: ai
    subscription_id: 5c000000-0000-0000-0000-00000000000c
    subnet_id: "{{ subnet_id }}"
    approval: manual
    approval_message: Application network of team platform, ticket 4711
    wait: false

- name: Take away what this collection created
  private_ai.endpoints.azure_openai_private_link:
    account_id: "{{ account_id }}"
    subnet_id: "{{ subnet_id }}"
    state: absent
"""

RETURN = r"""
endpoint:
  description:
    - The endpoint as it stands after the run. In check mode as it would stand; a value that does not exist yet is
      V((known after apply\)).
    - With O(state=absent), the endpoint that stays because this collection did not create it, else V(none).
  returned: success
  type: dict
  contains:
    id:
      description: Resource id.
      type: str
    name:
      description: Name.
      type: str
      sample: pe-lab-openai-app
    location:
      description: Where it is, which is where the network is.
      type: str
      sample: eastus
    subnet_id:
      description: The subnet that it has its addresses in.
      type: str
    network_id:
      description: The virtual network.
      type: str
    provisioning_state:
      description: State of the endpoint itself.
      type: str
      sample: Succeeded
    connection:
      description:
        - The connection to the account, with C(name), C(account_id), C(group_ids), C(status),
          C(description), and C(manual)
          for one that had to be asked for.
      type: dict
    nic_id:
      description: Its network interface.
      type: str
    members:
      description: Its addresses, each with C(member), C(group_id), C(fqdns) and C(address).
      type: list
      elements: dict
      sample:
        - member: default
          group_id: account
          fqdns: [lab-openai.openai.azure.com]
          address: 10.20.2.4
    tags:
      description: Its tags.
      type: dict
account:
  description: The account.
  returned: with O(state=present)
  type: dict
  contains:
    id:
      description: Resource id.
      type: str
    name:
      description: Name.
      type: str
    kind:
      description: Kind.
      type: str
      sample: OpenAI
    location:
      description: Where it is.
      type: str
    custom_subdomain:
      description: What its host names begin with.
      type: str
    public_network_access:
      description: V(Enabled) or V(Disabled).
      type: str
    hosts:
      description: The names that clients use.
      type: list
      elements: str
      sample: [lab-openai.openai.azure.com]
fqdns:
  description: The names that clients use, each with the address that it must resolve to in the private networks.
  returned: success
  type: dict
  sample:
    lab-openai.openai.azure.com: 10.20.2.4
probe_targets:
  description:
    - What M(private_ai.endpoints.private_endpoint_probe) needs, one entry per host. An endpoint that does not
      exist yet
      has no addresses and is left out.
  returned: success
  type: list
  elements: dict
  sample:
    - schema_version: 1
      host: lab-openai.openai.azure.com
      port: 443
      addresses: [10.20.2.4]
      cloud: azure
      target: lab-openai
      service: openai
      plane: runtime
      probe_action:
        name: azure_openai:ListModels
        method: GET
        path: /openai/models?api-version=2024-10-21
        auth: null
steps:
  description:
    - What changed, or would change, each with C(resource), C(action), C(before) and C(after).
  returned: success
  type: list
  elements: dict
error:
  description:
    - Why it failed, beside the sentence in C(msg), with C(resource), C(code) of Azure, C(action), C(fix), and
      C(problems)
      when several were found.
  returned: failure
  type: dict
"""

from ansible_collections.private_ai.endpoints.plugins.module_utils.azure.client import (
    CONNECTION_SPEC,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.azure.create import run
from ansible_collections.private_ai.endpoints.plugins.module_utils.module import (
    ModuleSpec,
    execute,
)

_NAMES = {"type": "list", "elements": "str"}

SPEC = ModuleSpec(
    argument_spec={
        "account_id": {"type": "str", "required": True, "aliases": ["account"]},
        "resource_group": {"type": "str"},
        "subnet_id": {"type": "str", "required": True},
        "endpoint_name": {"type": "str"},
        "endpoint_resource_group": {"type": "str"},
        "location": {"type": "str"},
        "tags": {"type": "dict"},
        "purge_tags": {"type": "bool", "default": True},
        "subnet_policies": {
            "type": "str",
            "choices": ["NetworkSecurityGroupEnabled", "RouteTableEnabled", "Enabled"],
        },
        "allowed_cidrs": _NAMES,
        "security_group_name": {"type": "str"},
        "rule_priority": {"type": "int", "default": 100},
        "approval": {"type": "str", "choices": ["automatic", "manual"], "default": "automatic"},
        "approval_message": {"type": "str"},
        "static_addresses": _NAMES,
        "linked_zones": {"type": "str", "choices": ["zone_group", "none"], "default": "zone_group"},
        "dns_zone_ids": _NAMES,
        "target_name": {"type": "str"},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "force": {"type": "bool", "default": False},
        "wait": {"type": "bool", "default": True},
        "wait_timeout": {"type": "int", "default": 900},
        **CONNECTION_SPEC,
    },
)


def main() -> None:
    """Run as an ordinary module."""
    execute(SPEC, run)


if __name__ == "__main__":
    main()
