#!/usr/bin/python
# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: bedrock_lockdown
short_description: Refuse calls to AWS AI services that do not come through your VPC endpoints
version_added: 0.1.0
description:
  - Creates a service control policy that denies calls to Bedrock and SageMaker unless they come through the given VPC
    endpoints, attaches it to roots, organizational units or accounts, and takes it away again.
  - Several runs share one policy. The module adds its endpoints, targets and statements to what stands, and undoes
    exactly what it added. It never writes back an old copy, and leaves statements of others as they are.
  - Before its first write it stores a I(pending) marker with its delta in tags of the policy. O(state=sealed) clears
    the marker. A run that finds the marker of another run on the same targets, with one of the same endpoints, takes
    it over, so that undoing the later run undoes both. Another marker that is older than O(pending_timeout) is undone.
  - It locks only with a proof of M(private_ai.endpoints.private_endpoint_validate)
    that was made of what stands now. It refuses endpoints
    that do not exist, an empty list of endpoints, policies that AWS would refuse, and changes of a shared policy that
    would bind targets without a proof.
  - A service control policy binds the accounts in all Regions. It does not bind the management account or
    service-linked roles, and calls that AWS services make on behalf of a principal are exempt.
  - The policy type is switched on at the root when it is off, and stays on when the lock is taken away.
author:
  - private_ai.endpoints contributors (@private-ai)
extends_documentation_fragment:
  - private_ai.endpoints.aws
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
      - V(locked) makes the lock, with a pending marker.
      - V(admitted) adds O(vpc_endpoint_ids) to a lock that stands at O(targets) already, with a pending marker, and
        changes nothing where none does. It needs no proof, since it cuts nobody off. Without it nobody could prove an
        endpoint that is new under a lock. V(locked) takes its marker over.
      - V(sealed) clears the marker of O(run_id), or without O(run_id) those of O(targets). Endpoints that got lost
        since are put back. It fails when the policy was detached or its statements were changed.
      - V(recovered) undoes what runs that did not end have bound at O(targets), by their markers, and changes nothing
        without one.
      - V(unlocked) with O(run_id) and O(vpc_endpoint_ids) undoes that run by its marker. Without a marker that run
        changed nothing, or is sealed, and nothing happens.
      - V(unlocked) with O(vpc_endpoint_ids) and without O(run_id) takes these endpoints out of the list, and ends the
        lock when none is left.
      - V(unlocked) without O(vpc_endpoint_ids) is for emergencies. It detaches the policy from O(targets), or from
        everything without O(targets), whatever the markers say, and deletes it when it is attached nowhere and this
        collection created it.
    type: str
    choices: [locked, admitted, sealed, recovered, unlocked]
    default: locked
  policy_name:
    description:
      - Name of the service control policy. Scopes that share the name share the policy.
      - Give scopes that differ in O(roll_out), O(action_prefixes) or exemptions a policy of their own.
    type: str
    default: private-ai-endpoints
  targets:
    description:
      - Ids of the root, organizational units or accounts that the policy is attached to.
      - Required for O(state=locked) and O(state=admitted).
    type: list
    elements: str
    default: []
  roll_out:
    description:
      - V(tagged) binds only principals that wear O(opt_in_tag). V(enforced) binds all.
    type: str
    choices: [tagged, enforced]
    default: enforced
  opt_in_tag:
    description: Tag that binds a principal. Required for O(roll_out=tagged), without effect otherwise.
    type: dict
    suboptions:
      key:
        description: Key of the tag.
        type: str
        required: true
      value:
        description: Value of the tag.
        type: str
        required: true
  break_glass_arns:
    description:
      - ARNs of roles and users that the lock never binds. C(*) and C(?) match as in IAM.
      - They may set the exclusion tag too.
    type: list
    elements: str
    default: []
  exclusion_tag:
    description:
      - Whether principals with the tag C(dp:exclude:network=true) are exempt.
      - Whoever may tag principals could exempt himself, so the same policy then denies setting tags C(dp:exclude:*)
        to everyone but O(break_glass_arns).
    type: bool
    default: false
  action_prefixes:
    description:
      - Services that are locked, as the part of their IAM actions before the colon.
      - One that no endpoint of O(members) serves is refused everywhere. The module warns of it, since CloudTrail's
        event history does not show who makes calls like InvokeEndpoint, InvokeAgent or Retrieve.
    type: list
    elements: str
    default: [bedrock, bedrock-agentcore, bedrock-mantle, sagemaker]
  vpc_endpoint_ids:
    description:
      - Ids of the endpoints that calls may come through, of every Region and VPC in use. They are added to those that
        stand in the policy already.
      - Required for O(state=locked) and O(state=admitted). Each must be available in one of O(members).
    type: list
    elements: str
    default: []
  members:
    description:
      - The VPCs whose callers the lock binds. They are observed with their own account's credentials before the lock
        is made.
      - Required for O(state=locked) and O(state=admitted).
    type: list
    elements: dict
    default: []
    suboptions:
      target:
        description: Name of the VPC in the inventory and in the proof.
        type: str
        required: true
      vpc_id:
        description: Id of the VPC.
        type: str
        required: true
      region:
        description: Region of the VPC, by default O(region).
        type: str
      assume_role_arn:
        description:
          - Role of the workload account to observe the VPC with. Without it the credentials of this task are used
            without O(assume_role_arn), which is for the organization.
        type: str
      assume_role_external_id:
        description: External id for the member's role.
        type: str
  accounts_without_members:
    description:
      - Ids of accounts under O(targets) that none of O(members) is in, and whose callers you answer for.
      - A lock that everyone is bound by is refused while another account is under it, since nobody has looked at its
        callers. O(require_proof=false) skips that look too.
    type: list
    elements: str
    default: []
  proof:
    description:
      - Proof that private_endpoint_validate returned for this scope. It is refused when it is expired, was made for
        another scope or O(roll_out), lacks a member, contains a failure, or when a member's configuration changed.
      - The id of the scope is the list of O(targets), sorted and joined by commas.
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
    description: Age in seconds at which the marker of another scope is taken for that of a dead run, and undone.
    type: int
    default: 3600
notes:
  - The exact permissions are the files C(permissions/aws/lockdown-management.json) and, for O(state=unlocked) alone,
    C(permissions/aws/unlock.json), in the management account or in one that service control policies are delegated to,
    and C(permissions/aws/lockdown-vpc.json) in the account of each of O(members).
  - AWS takes up to five minutes until a change of a service control policy binds everywhere.
  - An organization has one place for all commercial Regions. Where no Region is set, V(us-east-1) serves every O(state)
    but V(locked) and V(admitted), and with a role of AWS GovCloud (US) or China in O(assume_role_arn) the one there.
seealso:
  - name: Service control policies
    description: What they bind, and what they do not.
    link: https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html
  - module: private_ai.endpoints.bedrock_private_dns
"""

EXAMPLES = r"""
- name: Lock one account to the endpoints of its VPC
  private_ai.endpoints.bedrock_lockdown:
    targets: ['222222222222']
    vpc_endpoint_ids: [vpce-0a1b2c3d4e5f60718, vpce-0a1b2c3d4e5f60719]
    members:
      - target: app-use1
        region: us-east-1
        vpc_id: vpc-0a00000000000000a
        assume_role_arn: arn:aws:iam::222222222222:role/network-automation
    break_glass_arns: ['arn:aws:iam::222222222222:role/break-glass']
    proof: "{{ validated.proof }}"
    run_id: "{{ run_id }}"
  register: lock

- name: Seal the lock once refusal and admission were seen
  private_ai.endpoints.bedrock_lockdown:
    state: sealed
    targets: ['222222222222']
    run_id: "{{ lock.run_id }}"

- name: Undo what this run changed
  private_ai.endpoints.bedrock_lockdown:
    state: unlocked
    targets: ['222222222222']
    vpc_endpoint_ids: [vpce-0a1b2c3d4e5f60718, vpce-0a1b2c3d4e5f60719]
    run_id: "{{ lock.run_id }}"

- name: Start with principals that opted in by a tag
  private_ai.endpoints.bedrock_lockdown:
    policy_name: private-ai-endpoints-pilot
    targets: [ou-lab1-workload]
    roll_out: tagged
    opt_in_tag: {key: private-ai, value: pilot}
    vpc_endpoint_ids: [vpce-0a1b2c3d4e5f60718]
    members:
      - target: app-use1
        region: us-east-1
        vpc_id: vpc-0a00000000000000a
        assume_role_arn: arn:aws:iam::222222222222:role/network-automation
    proof: "{{ validated.proof }}"

- name: Unlock an account in an emergency
  private_ai.endpoints.bedrock_lockdown:
    state: unlocked
    targets: ['222222222222']
"""

RETURN = r"""
steps:
  description:
    - What was changed, or in check mode would be. Steps that hang on a proof say so in C(conditional_on).
  returned: always
  type: list
  elements: dict
  sample:
    - resource: attachment of private-ai-endpoints to 222222222222
      action: create
      before: {}
      after: {attached: true}
      conditional_on: null
      schema_version: 1
policy_id:
  description: Id of the policy, V((known after apply\)) in check mode before it exists, null when there is none.
  returned: always
  type: str
  sample: p-a1b2c3d4
policy:
  description: Content of the policy, null when there is none.
  returned: always
  type: dict
  sample:
    Version: '2012-10-17'
    Statement:
      - Sid: PrivateAiEndpoints
        Effect: Deny
        Action: ['bedrock:*', 'bedrock-agentcore:*', 'bedrock-mantle:*', 'sagemaker:*']
        Resource: '*'
        Condition:
          StringNotEqualsIfExists: {'aws:SourceVpce': [vpce-0a1b2c3d4e5f60718]}
          BoolIfExists: {'aws:ViaAWSService': 'false'}
targets:
  description: Everything that the policy is attached to, also by others.
  returned: always
  type: list
  elements: str
  sample: ['222222222222']
pending:
  description: The run's marker that is stored with the policy, null when the run has nothing to undo.
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
      description: V(pending), or V(undoing) while it is being undone.
      type: str
      returned: always
    delta:
      description: As RV(delta).
      type: dict
      returned: always
delta:
  description: What the run added, so what undoing it takes away; when unlocking, what was taken away.
  returned: always
  type: dict
  contains:
    created:
      description: Whether the run created the policy.
      type: bool
      returned: always
    endpoint_ids:
      description: Endpoints that the run added to the list.
      type: list
      elements: str
      returned: always
    targets:
      description: Targets that the run attached the policy to.
      type: list
      elements: str
      returned: always
run_id:
  description: Name of the run.
  returned: always
  type: str
binds:
  description: How to tell whether the lock binds a principal.
  returned: always
  type: dict
  contains:
    organization_id:
      description: Id of the organization.
      type: str
      returned: always
    management_account_id:
      description: The account that no service control policy binds.
      type: str
      returned: always
    accounts:
      description: The accounts that are bound, empty when O(targets) are not all accounts.
      type: list
      elements: str
      returned: always
    targets:
      description: O(targets), sorted.
      type: list
      elements: str
      returned: always
    roll_out:
      description: O(roll_out).
      type: str
      returned: always
    opt_in_tag:
      description: O(opt_in_tag), null when everyone is bound.
      type: dict
      returned: always
    break_glass_arns:
      description: O(break_glass_arns).
      type: list
      elements: str
      returned: always
    action_prefixes:
      description: O(action_prefixes).
      type: list
      elements: str
      returned: always
    exclusion_tag:
      description: O(exclusion_tag).
      type: bool
      returned: always
"""

from ansible_collections.private_ai.endpoints.plugins.module_utils.aws.client import CONNECTION_SPEC
from ansible_collections.private_ai.endpoints.plugins.module_utils.aws.lockdown import run
from ansible_collections.private_ai.endpoints.plugins.module_utils.module import ModuleSpec, execute

SPEC = ModuleSpec(
    argument_spec={
        **CONNECTION_SPEC,
        "state": {
            "type": "str",
            "choices": ["locked", "admitted", "sealed", "recovered", "unlocked"],
            "default": "locked",
        },
        "policy_name": {"type": "str", "default": "private-ai-endpoints"},
        "targets": {"type": "list", "elements": "str", "default": []},
        "roll_out": {"type": "str", "choices": ["tagged", "enforced"], "default": "enforced"},
        "opt_in_tag": {
            "type": "dict",
            "no_log": False,
            "options": {
                "key": {"type": "str", "required": True, "no_log": False},
                "value": {"type": "str", "required": True},
            },
        },
        "break_glass_arns": {"type": "list", "elements": "str", "default": []},
        "exclusion_tag": {"type": "bool", "default": False},
        "action_prefixes": {
            "type": "list",
            "elements": "str",
            "default": ["bedrock", "bedrock-agentcore", "bedrock-mantle", "sagemaker"],
        },
        "vpc_endpoint_ids": {"type": "list", "elements": "str", "default": []},
        "members": {
            "type": "list",
            "elements": "dict",
            "default": [],
            "options": {
                "target": {"type": "str", "required": True},
                "vpc_id": {"type": "str", "required": True},
                "region": {"type": "str"},
                "assume_role_arn": {"type": "str"},
                "assume_role_external_id": {"type": "str"},
            },
        },
        "accounts_without_members": {"type": "list", "elements": "str", "default": []},
        "proof": {"type": "dict"},
        "require_proof": {"type": "bool", "default": True},
        "run_id": {"type": "str"},
        "pending_timeout": {"type": "int", "default": 3600},
    },
)


def main() -> None:
    """Be an Ansible module."""
    execute(SPEC, run)


if __name__ == "__main__":
    main()
