#!/usr/bin/python
# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: azure_openai_lockdown
short_description: Refuse calls to an Azure AI account that do not come through its private endpoints
version_added: 0.2.0
description:
  - Closes the public path of an Azure OpenAI, AI Services or other Cognitive Services account, and opens it again.
  - It is one change of the account, in which C(publicNetworkAccess) becomes V(Disabled) and
    C(networkAcls.defaultAction) V(Deny). Trusted services, IP rules, keys and outbound access follow when asked for.
  - What stood before is kept with the account, as tags that are written in the same change, together with a I(pending)
    marker of the run. So the lock can be undone from another machine on another day. O(state=sealed) clears the marker
    and keeps the values. The tags begin with C(private-ai-endpoints:lock) and hold no secret.
  - A lock is undone setting by setting, and only where what it made still stands. What others changed meanwhile stays.
    A run that finds the marker of another run takes it over, so that undoing the later run undoes both.
  - It locks only with a proof of M(private_ai.endpoints.private_endpoint_validate) that was made of what stands now.
    It refuses an account without an approved endpoint or without a custom subdomain.
  - The change is conditional on the account being as it was read. Two runs at once lose nothing.
author:
  - private_ai.endpoints contributors (@private-ai)
extends_documentation_fragment:
  - private_ai.endpoints.azure
attributes:
  check_mode:
    description: Predicts without writing. A lock that still lacks its proof is predicted as conditional on it.
    support: full
  diff_mode:
    description: Shows before and after.
    support: full
options:
  state:
    description:
      - V(locked) closes the account, with a pending marker.
      - V(sealed) clears the marker of O(run_id), or without O(run_id) the one that is there. It fails when others
        changed what the lock made.
      - V(recovered) undoes what a run that did not end has closed, by its marker, and changes nothing without one.
      - V(unlocked) with O(run_id) undoes that run by its marker. Without a marker that run changed nothing, or is
        sealed, and nothing happens.
      - V(unlocked) without O(run_id) is for emergencies, and needs nothing but O(account_id). It opens what this
        collection closed, sealed or not, and leaves what others changed since. Where the kept values cannot be read,
        the account is opened to every network.
      - V(restored) writes back exactly the values from before the first lock, also over what others changed since.
    type: str
    choices: [locked, sealed, recovered, unlocked, restored]
    default: locked
  account_id:
    description: Resource id of the account, or its name together with O(resource_group).
    type: str
    required: true
  resource_group:
    description: Resource group of an account that is given by its name, in O(subscription_id).
    type: str
  public_network_access:
    description:
      - What to make of public access. V(Disabled), the default when locking, refuses everybody on the public path.
        V(Enabled) lets in the networks of O(ip_rules), the account's virtual network rules, and nobody else.
      - With O(state=unlocked) V(Enabled) opens the account to every network also where this collection keeps nothing
        of how it was before.
    type: str
    choices: [Disabled, Enabled]
  bypass:
    description:
      - Whether Azure's trusted services may call the account past the network rules. Left out, it stays as it is.
      - Not every kind of account knows it.
    type: str
    choices: [None, AzureServices]
  ip_rules:
    description:
      - Public IPv4 addresses and networks that are let in where O(public_network_access=Enabled). The account's list
        becomes this one. Left out, it stays as it is.
    type: list
    elements: str
  disable_local_auth:
    description:
      - Whether the account's keys are refused, so that callers need a token of Microsoft Entra ID. Left out, it stays
        as it is.
      - Callers that use keys are cut off by this on every path, also through the endpoint.
    type: bool
  restrict_outbound_network_access:
    description: Whether the account itself may only call O(allowed_fqdns). Left out, it stays as it is.
    type: bool
  allowed_fqdns:
    description: Host names that the account may call. Left out, the list stays as it is.
    type: list
    elements: str
  members:
    description:
      - The networks whose callers the lock binds. They are observed before the lock is made.
      - Required for O(state=locked), unless O(require_proof=false).
    type: list
    elements: dict
    default: []
    suboptions:
      target:
        description: Name of the account and network in the inventory and in the proof.
        type: str
        required: true
      network_id:
        description: Resource id of the virtual network.
        type: str
        required: true
  zone_subscription_id:
    description:
      - Subscription that holds the private DNS zones of the members' networks. Give the same as when the evidence of
        the proof was collected.
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
  proof:
    description:
      - Proof that private_endpoint_validate returned for this scope. It is refused when it is expired, was made for
        another scope, lacks a member, contains a failure, or when a member's configuration changed.
      - The id of the scope is the account's resource id.
    type: dict
  require_proof:
    description: Set this to V(false) to lock without a proof. Callers may then be locked out.
    type: bool
    default: true
  run_id:
    description:
      - Name of this run in the pending marker. The tasks of one run pass the same one.
      - Made up when O(state=locked) gets none.
    type: str
  pending_timeout:
    description:
      - With O(state=recovered), age in seconds below which the marker of another run is left alone, as that of a run
        at work. The default undoes all.
    type: int
    default: 0
  wait_timeout:
    description: Seconds to wait for the account, while it is changed by this run or by others.
    type: int
    default: 600
notes:
  - Needs the actions C(Microsoft.CognitiveServices/accounts/read) and C(Microsoft.CognitiveServices/accounts/write) on
    the account, and what M(private_ai.endpoints.azure_openai_private_link_info) needs to read the members. Without
    C(Microsoft.CognitiveServices/accounts/networkSecurityPerimeterConfigurations/read) it warns that it cannot know
    whether a network security perimeter judges calls as well.
  - Azure takes up to ten minutes until the change of an account binds everywhere.
  - An account that is closed answers with status 403 over a verified connection. It does not refuse the connection.
seealso:
  - name: Configure virtual networks for Azure AI services
    description: What the settings mean.
    link: https://learn.microsoft.com/azure/ai-services/cognitive-services-virtual-networks
  - module: private_ai.endpoints.azure_openai_private_link
  - module: private_ai.endpoints.azure_openai_private_dns
  - module: private_ai.endpoints.private_endpoint_validate
"""

EXAMPLES = r"""
- name: Close an account to everybody but its endpoint's callers
  private_ai.endpoints.azure_openai_lockdown:
    account_id: "{{ account_id }}"
    members:
      - target: openai-eastus
        network_id: "{{ network_id }}"
    disable_local_auth: true
    proof: "{{ validated.proof }}"
    run_id: "{{ run_id }}"
  register: lock

- name: Seal the lock once refusal and admission were seen
  private_ai.endpoints.azure_openai_lockdown:
    state: sealed
    account_id: "{{ account_id }}"
    run_id: "{{ lock.run_id }}"

- name: Undo what this run changed
  private_ai.endpoints.azure_openai_lockdown:
    state: unlocked
    account_id: "{{ account_id }}"
    run_id: "{{ lock.run_id }}"

- name: Let one office in, and nobody else on the public path
  private_ai.endpoints.azure_openai_lockdown:
    account_id: "{{ account_id }}"
    public_network_access: Enabled
    ip_rules: [203.0.113.0/24]
    members:
      - target: openai-eastus
        network_id: "{{ network_id }}"
    proof: "{{ validated.proof }}"

- name: Open an account in an emergency
  private_ai.endpoints.azure_openai_lockdown:
    state: unlocked
    account_id: "{{ account_id }}"
"""

RETURN = r"""
steps:
  description:
    - What was changed, or in check mode would be. Steps that hang on a proof say so in C(conditional_on).
  returned: always
  type: list
  elements: dict
  sample:
    - resource: account my-openai
      action: update
      before: {public_network_access: Enabled, default_action: Allow}
      after: {public_network_access: Disabled, default_action: Deny}
      conditional_on: null
      schema_version: 1
account:
  description: The account with the settings as they stand afterwards, in check mode as they would.
  returned: always
  type: dict
  contains:
    id:
      description: Resource id.
      type: str
      returned: always
    name:
      description: Name.
      type: str
      returned: always
    location:
      description: Region.
      type: str
      returned: always
    public_network_access:
      description: Whether there is a public path at all.
      type: str
      returned: always
    default_action:
      description: What becomes of callers that no network rule names.
      type: str
      returned: always
    bypass:
      description: V(AzureServices) where trusted services are let in all the same, else V(None).
      type: str
      returned: always
    ip_rules:
      description: Public networks that are let in.
      type: list
      elements: str
      returned: always
    disable_local_auth:
      description: Whether keys are refused.
      type: bool
      returned: always
    restrict_outbound_network_access:
      description: Whether the account may only call RV(account.allowed_fqdns).
      type: bool
      returned: always
    allowed_fqdns:
      description: Host names that the account may call.
      type: list
      elements: str
      returned: always
pending:
  description: The run's marker that is kept with the account, null when there is nothing to undo.
  returned: always
  type: dict
  contains:
    run_id:
      description: Name of the run.
      type: str
      returned: always
    time:
      description: When it was written, in UTC.
      type: str
      returned: always
    phase:
      description: V(pending).
      type: str
      returned: always
    delta:
      description: Each setting that the run changed, with its value before and after.
      type: dict
      returned: always
delta:
  description: What the run changed, so what undoing it takes back; when unlocking, what was taken back.
  returned: always
  type: dict
  contains:
    targets:
      description: The account, when this run refuses callers on the public path that were let in before.
      type: list
      elements: str
      returned: always
    previous:
      description: The settings that were changed, with their values from before.
      type: dict
      returned: always
    made:
      description: The same settings with the values that they were given.
      type: dict
      returned: always
run_id:
  description: Name of the run, null when it has none.
  returned: always
  type: str
binds:
  description: What the lock binds, which is every caller of the account. Holds the settings as in RV(account).
  returned: always
  type: dict
  contains:
    account_id:
      description: Resource id of the account.
      type: str
      returned: always
    scope_id:
      description: The account's id in lower case, which is the id of the scope in a proof.
      type: str
      returned: always
"""

from ansible_collections.private_ai.endpoints.plugins.module_utils.azure.client import (
    CONNECTION_SPEC,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.azure.dns_places import (
    CREDENTIALS_SPEC,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.azure.lockdown import run
from ansible_collections.private_ai.endpoints.plugins.module_utils.module import ModuleSpec, execute

SPEC = ModuleSpec(
    argument_spec={
        **CONNECTION_SPEC,
        "state": {
            "type": "str",
            "choices": ["locked", "sealed", "recovered", "unlocked", "restored"],
            "default": "locked",
        },
        "account_id": {"type": "str", "required": True},
        "resource_group": {"type": "str"},
        "public_network_access": {"type": "str", "choices": ["Disabled", "Enabled"]},
        "bypass": {"type": "str", "choices": ["None", "AzureServices"]},
        "ip_rules": {"type": "list", "elements": "str"},
        "disable_local_auth": {"type": "bool"},
        "restrict_outbound_network_access": {"type": "bool"},
        "allowed_fqdns": {"type": "list", "elements": "str"},
        "members": {
            "type": "list",
            "elements": "dict",
            "default": [],
            "options": {
                "target": {"type": "str", "required": True},
                "network_id": {"type": "str", "required": True},
            },
        },
        "zone_subscription_id": {"type": "str"},
        "zone_credentials": {"type": "dict", "options": CREDENTIALS_SPEC},
        "proof": {"type": "dict"},
        "require_proof": {"type": "bool", "default": True},
        "run_id": {"type": "str"},
        "pending_timeout": {"type": "int", "default": 0},
        "wait_timeout": {"type": "int", "default": 600},
    },
    required_by={"zone_credentials": ("zone_subscription_id",)},
)


def main() -> None:
    """Be an Ansible module."""
    execute(SPEC, run)


if __name__ == "__main__":
    main()
