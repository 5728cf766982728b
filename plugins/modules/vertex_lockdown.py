#!/usr/bin/python

# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: vertex_lockdown
short_description: Refuse calls to Vertex AI that do not come from inside a service perimeter
version_added: 0.3.0
author: private_ai.endpoints contributors (@private-ai)
description:
  - Puts projects into a perimeter of VPC Service Controls that restricts Vertex AI, and takes them out again. The
    perimeter is made where it does not exist, and extended where it does.
  - A perimeter binds every project in it. The module adds to what stands, in one write of this one perimeter that is
    conditional on the policy being as it was read, and undoes exactly what it added. Other perimeters of the policy
    are never written, and two runs at once lose nothing.
  - What was added is kept in one line of the perimeter's description, which is written in the same request, together
    with a I(pending) marker of the run. So the lock can be undone from another machine on another day.
    O(state=sealed) clears the marker and keeps the rest. The line begins with C(private_ai.endpoints:) and holds no
    secret.
  - O(roll_out=dry_run) refuses nobody. Google then records whom the lock would refuse. O(roll_out=enforced) reads these
    records and stops unless somebody answers for every caller in them.
  - What other teams plan in the dry run of the same perimeter is kept, is never enforced, and gets the same additions,
    since without them it would end the lock when it is enforced one day.
  - A run that finds the marker of another run takes it over, so that undoing the later run undoes both.
  - It enforces only with a proof of M(private_ai.endpoints.private_endpoint_validate) that was made of what stands now.
options:
  state:
    description:
      - V(locked) makes the lock, with a pending marker.
      - V(sealed) clears the marker of O(run_id), or without O(run_id) the one that is there. It fails when others took
        away what the lock added.
      - V(recovered) undoes what a run that did not end has added, by its marker, and changes nothing without one.
      - V(unlocked) with O(run_id) undoes that run by its marker. Without a marker that run changed nothing, or is
        sealed, and nothing happens.
      - V(unlocked) without O(run_id) is for emergencies, and needs nothing but O(perimeter). It takes out what this
        collection added, sealed or not, and leaves what others changed since. A perimeter that this collection made
        and that holds nothing else is deleted.
      - V(restored) does the same, and also ends the dry run that this collection began where others changed it since.
    type: str
    choices: [locked, sealed, recovered, unlocked, restored]
    default: locked
  perimeter:
    description:
      - The perimeter, by its whole name C(accessPolicies/NUMBER/servicePerimeters/NAME), or by its name in
        O(access_policy).
      - A project that is in a perimeter already can only be locked there, so name that one.
    type: str
    required: true
  access_policy:
    description: The access policy, C(accessPolicies/NUMBER) or its number. Not needed with a perimeter's whole name.
    type: str
  title:
    description: Title of a perimeter that has to be made. Its name when left out. That of another one stays.
    type: str
  projects:
    description:
      - Projects that the lock binds, by id or number.
      - Without it, the projects of O(members) and of their networks.
    type: list
    elements: str
  restricted_services:
    description:
      - Services that the perimeter restricts, C(aiplatform.googleapis.com) when left out.
      - With O(state=unlocked), those that are named are restricted no longer also where this collection keeps nothing
        of how the perimeter was before, or somebody else restricts them as well.
    type: list
    elements: str
  accessible_services:
    description:
      - Services that networks inside may still call through endpoints. V(RESTRICTED-SERVICES) stands for those that the
        perimeter restricts. Left out, that is as it is.
      - Switching this on cuts networks inside off from all other APIs.
    type: list
    elements: str
  access_levels:
    description: Access levels whose holders are let in from outside, by name, added to those that stand.
    type: list
    elements: str
  ingress_policies:
    description:
      - Ingress rules that are added to those that stand, in the form of Google's API, with C(ingressFrom) and
        C(ingressTo). A rule without sources admits nobody and is refused.
    type: list
    elements: dict
  roll_out:
    description:
      - V(dry_run) only records whom the lock would refuse, and needs no proof. V(enforced) refuses them.
      - A lock that is enforced already is not taken back by V(dry_run).
    type: str
    choices: [dry_run, enforced]
    default: enforced
  projects_without_members:
    description:
      - Projects of the perimeter, by id or number, that none of O(members) is in, and whose callers you answer for.
      - A lock is refused while it binds another project, since nobody has looked at its callers.
        O(require_proof=false) skips that look too.
    type: list
    elements: str
    default: []
  explained_callers:
    description:
      - Callers whom the dry run refused and that somebody answers for. Each has a C(reason) and at least one pattern
        out of C(principal), C(operation), C(region) and C(source), in which C(*) and C(?) match as in a shell.
    type: list
    elements: dict
    default: []
  preview_days:
    description: Days of dry-run records to look at before enforcing. V(0) looks at none.
    type: int
    default: 7
  organization_policies:
    description:
      - Organisation policies of projects that support the lock. They restrict what may be used, not by which path.
      - Each is set as a whole, and put back when the lock is undone, where it still stands as it was made.
      - With O(roll_out=dry_run) none of them is enforced.
    type: list
    elements: dict
    suboptions:
      constraint:
        description: Constraint, such as V(vertexai.allowedModels) or V(gcp.restrictServiceUsage).
        type: str
        required: true
      project:
        description: Project, by id or number.
        type: str
        required: true
      allowed_values:
        description: Values that are allowed.
        type: list
        elements: str
      denied_values:
        description: Values that are denied.
        type: list
        elements: str
      enforce:
        description: Whether a constraint that is a switch is on.
        type: bool
      dry_run:
        description: Set it in the policy's dry run, which only records.
        type: bool
        default: false
  members:
    description:
      - The networks whose callers the lock binds. They are observed before the lock is enforced.
      - Required for O(state=locked) with O(roll_out=enforced), unless O(require_proof=false).
    type: list
    elements: dict
    default: []
    suboptions:
      target:
        description: Name of the network in the inventory and in the proof.
        type: str
        required: true
      project:
        description: Project whose Vertex AI is called, by default O(project).
        type: str
      network:
        description: Path of the application's network, or its name in the project.
        type: str
        required: true
      spoke_networks:
        description: Paths of further networks with an endpoint of their own.
        type: list
        elements: str
        default: []
      regions:
        description: Regions whose host names clients use. Give the same as when the evidence was collected.
        type: list
        elements: str
        default: []
      extra_hosts:
        description: Further names that clients use. Give the same as when the evidence was collected.
        type: list
        elements: str
        default: []
      zone_project:
        description: Project of the names' zones. Give the same as when the evidence was collected.
        type: str
  proof:
    description:
      - Proof that private_endpoint_validate returned for this scope. It is refused when it is expired, was made for
        another scope or O(roll_out), lacks a member, contains a failure, or when a member's configuration changed.
      - The id of the scope is the perimeter's whole name.
    type: dict
  require_proof:
    description: Set this to V(false) to enforce without a proof. Callers may then be locked out.
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
    description: Seconds to wait for the policy, while it is changed by this run or by others.
    type: int
    default: 600
extends_documentation_fragment:
  - private_ai.endpoints.gcp
attributes:
  check_mode:
    description: Predicts without writing. A lock that still lacks its proof is predicted as conditional on it.
    support: full
  diff_mode:
    description: Shows before and after.
    support: full
notes:
  - Needs C(accesscontextmanager.servicePerimeters.get), C(list), C(create), C(update) and C(delete) on the
    organization, C(resourcemanager.projects.get) on each project that is given by its id,
    C(logging.logEntries.list) on each project of the perimeter, and what the module that collects the members' evidence
    needs to read them.
  - O(organization_policies) needs C(orgpolicy.policy.get), C(orgpolicy.policies.create), C(update) and C(delete).
  - Google takes up to 30 minutes until a change of a perimeter binds everywhere.
  - A perimeter refuses with status 403 and the reason C(SECURITY_POLICY_VIOLATED), after it looked at the caller's
    token. A call without a token gets 401, which proves nothing.
  - A host project of a Shared VPC belongs into the perimeter, since calls come from its networks.
seealso:
  - name: Overview of VPC Service Controls
    description: What a perimeter binds.
    link: https://cloud.google.com/vpc-service-controls/docs/overview
  - name: Dry run mode
    description: What is recorded without refusing.
    link: https://cloud.google.com/vpc-service-controls/docs/dry-run-mode
  - module: private_ai.endpoints.vertex_psc_endpoint
  - module: private_ai.endpoints.private_endpoint_validate
"""

EXAMPLES = r"""
- name: Record whom the lock would refuse
  private_ai.endpoints.vertex_lockdown:
    perimeter: accessPolicies/600000000001/servicePerimeters/vertex
    projects: [lab-vertex]
    roll_out: dry_run
    run_id: "{{ run_id }}"

- name: Enforce the lock, for a perimeter that holds another team's project as well
  private_ai.endpoints.vertex_lockdown:
    access_policy: accessPolicies/600000000001
    perimeter: vertex
    members:
      - target: lab-vertex
        project: lab-vertex
        network: projects/lab-vertex/global/networks/app
        spoke_networks: [projects/lab-vertex/global/networks/spoke]
        regions: [us-central1, europe-west1]
    projects_without_members: [lab-other]
    explained_callers:
      - principal: batch@lab-other.iam.gserviceaccount.com
        reason: moves to the hub next week
    proof: "{{ validated.proof }}"
    run_id: "{{ run_id }}"
  register: lock

- name: Seal the lock once refusal and admission were seen
  private_ai.endpoints.vertex_lockdown:
    state: sealed
    perimeter: "{{ lock.perimeter.id }}"
    run_id: "{{ lock.run_id }}"

- name: Undo what this run changed
  private_ai.endpoints.vertex_lockdown:
    state: unlocked
    perimeter: "{{ lock.perimeter.id }}"
    run_id: "{{ lock.run_id }}"

- name: Let an office in by an ingress rule
  private_ai.endpoints.vertex_lockdown:
    perimeter: accessPolicies/600000000001/servicePerimeters/vertex
    projects: [lab-vertex]
    ingress_policies:
      - ingressFrom:
          identities: [user:analyst@example.com]
          sources:
            - accessLevel: accessPolicies/600000000001/accessLevels/office
        ingressTo:
          operations:
            - serviceName: aiplatform.googleapis.com
              methodSelectors: [{method: '*'}]
          resources: ['*']
    require_proof: false
    run_id: "{{ run_id }}"

- name: Unlock in an emergency
  private_ai.endpoints.vertex_lockdown:
    state: unlocked
    perimeter: accessPolicies/600000000001/servicePerimeters/vertex
"""

RETURN = r"""
steps:
  description:
    - What was changed, or in check mode would be. Steps that hang on a proof say so in C(conditional_on).
  returned: always
  type: list
  elements: dict
  sample:
    - resource: perimeter vertex
      action: update
      before: {restricted_services: [storage.googleapis.com]}
      after: {restricted_services: [storage.googleapis.com, aiplatform.googleapis.com]}
      conditional_on: null
      schema_version: 1
perimeter:
  description: The perimeter as it stands afterwards, in check mode as it would.
  returned: always
  type: dict
  contains:
    id:
      description: Whole name.
      type: str
      returned: always
      sample: accessPolicies/600000000001/servicePerimeters/vertex
    name:
      description: Name in its access policy.
      type: str
      returned: always
    title:
      description: Title.
      type: str
      returned: always
    exists:
      description: Whether there is such a perimeter.
      type: bool
      returned: always
    resources:
      description: Projects and networks inside, as C(projects/NUMBER) and C(//compute.googleapis.com/...).
      type: list
      elements: str
      returned: always
    restricted_services:
      description: Services that are refused from outside.
      type: list
      elements: str
      returned: always
    access_levels:
      description: Access levels that let callers in.
      type: list
      elements: str
      returned: always
    accessible_services:
      description: Services that networks inside may call, null when that is not restricted.
      type: list
      elements: str
      returned: always
    ingress_policies:
      description: Ingress rules as the API has them.
      type: list
      elements: dict
      returned: always
    egress_policies:
      description: Egress rules as the API has them.
      type: list
      elements: dict
      returned: always
    dry_run:
      description: The same of the dry run, null when it has no configuration of its own.
      type: dict
      returned: always
pending:
  description: The run's marker that is kept with the perimeter, null when there is nothing to undo.
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
      description: As RV(delta.made).
      type: dict
      returned: always
delta:
  description: What the run added, so what undoing it takes away; when unlocking, what was taken away.
  returned: always
  type: dict
  contains:
    targets:
      description: The perimeter, when this run refuses callers that were let in before. Empty for a dry run.
      type: list
      elements: str
      returned: always
    previous:
      description: The lists that were added to, as they were before, for C(status) and for C(spec), the dry run.
      type: dict
      returned: always
    made:
      description: What was added to C(status) and C(spec), whether the perimeter was C(created), whether its dry run
        was C(made) or C(folded) into what is enforced, and C(policies), before and after.
      type: dict
      returned: always
run_id:
  description: Name of the run, null when it has none.
  returned: always
  type: str
binds:
  description: What the lock binds.
  returned: always
  type: dict
  contains:
    perimeter_id:
      description: Whole name of the perimeter.
      type: str
      returned: always
    scope_id:
      description: The same, which is the id of the scope in a proof.
      type: str
      returned: always
    projects:
      description: The projects inside, by id where they were given by it, else by number.
      type: list
      elements: str
      returned: always
    restricted_services:
      description: Services that are refused from outside.
      type: list
      elements: str
      returned: always
    roll_out:
      description: O(roll_out).
      type: str
      returned: always
    enforced:
      description: Whether the lock is enforced, and not only in the dry run.
      type: bool
      returned: always
"""

from ansible_collections.private_ai.endpoints.plugins.module_utils.gcp.client import (
    CONNECTION_SPEC,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.gcp.lockdown import run
from ansible_collections.private_ai.endpoints.plugins.module_utils.module import (
    ModuleSpec,
    execute,
)

_NAMES = {"type": "list", "elements": "str"}
_MORE = {**_NAMES, "default": []}

SPEC = ModuleSpec(
    argument_spec={
        "state": {
            "type": "str",
            "choices": ["locked", "sealed", "recovered", "unlocked", "restored"],
            "default": "locked",
        },
        "perimeter": {"type": "str", "required": True},
        "access_policy": {"type": "str"},
        "title": {"type": "str"},
        "projects": _NAMES,
        "restricted_services": _NAMES,
        "accessible_services": _NAMES,
        "access_levels": _NAMES,
        "ingress_policies": {"type": "list", "elements": "dict"},
        "roll_out": {"type": "str", "choices": ["dry_run", "enforced"], "default": "enforced"},
        "projects_without_members": _MORE,
        "explained_callers": {"type": "list", "elements": "dict", "default": []},
        "preview_days": {"type": "int", "default": 7},
        "organization_policies": {
            "type": "list",
            "elements": "dict",
            "options": {
                "constraint": {"type": "str", "required": True},
                "project": {"type": "str", "required": True},
                "allowed_values": _NAMES,
                "denied_values": _NAMES,
                "enforce": {"type": "bool"},
                "dry_run": {"type": "bool", "default": False},
            },
        },
        "members": {
            "type": "list",
            "elements": "dict",
            "default": [],
            "options": {
                "target": {"type": "str", "required": True},
                "project": {"type": "str"},
                "network": {"type": "str", "required": True},
                "spoke_networks": _MORE,
                "regions": _MORE,
                "extra_hosts": _MORE,
                "zone_project": {"type": "str"},
            },
        },
        "proof": {"type": "dict"},
        "require_proof": {"type": "bool", "default": True},
        "run_id": {"type": "str"},
        "pending_timeout": {"type": "int", "default": 0},
        "wait_timeout": {"type": "int", "default": 600},
        **CONNECTION_SPEC,
    },
)


def main() -> None:
    """Run as an ordinary module."""
    execute(SPEC, run)


if __name__ == "__main__":
    main()
