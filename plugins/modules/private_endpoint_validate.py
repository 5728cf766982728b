#!/usr/bin/python

# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: private_endpoint_validate
short_description: Judge whether AI services are reached only through private endpoints, and make a proof of it
version_added: 0.1.0
author: private_ai.endpoints contributors (@private-ai)
description:
  - Judges evidence (what the control planes say) and observations (what vantages saw), and returns findings, the
    seven-point checklist, the seven misconfigurations, a table of hosts and vantages, and a proof.
  - It needs neither a network nor an SDK, so that stored evidence can be judged anywhere. Only with O(probe_here) it
    looks for itself.
  - A check whose evidence is missing is V(unknown) and names what is missing. Nothing passes because there was nothing
    to look at.
  - It fails when O(expect) is not met or when a finding counts by O(fail_on). The whole result is returned then too.
options:
  evidence:
    description: Documents of the info modules, one for each target.
    type: list
    elements: dict
    default: []
  probe_targets:
    description: What was to be probed, as the modules that create endpoints return it.
    type: list
    elements: dict
    default: []
  observations:
    description: What M(private_ai.endpoints.private_endpoint_probe) returned on the vantages, all in one list.
    type: list
    elements: dict
    default: []
  probe_here:
    description:
      - Also probe from where this module runs, for example in a job that itself runs inside the network. It sees every
        host of O(probe_targets), by name, or at its addresses with O(pinned=true).
    type: dict
    suboptions:
      name:
        description: Name of this machine in the observations. Without it, its host name.
        type: str
      position:
        description: Where this machine lies, seen from the target.
        type: str
        choices: [inside, spoke, outside, canary]
        required: true
      access_key:
        description: AWS access key that signs the reads. Without it they are sent unsigned, which proves little.
        type: str
      secret_key:
        description: AWS secret key that belongs to it.
        type: str
      session_token:
        description: AWS session token, for temporary credentials.
        type: str
      ca_path:
        description: File with certificate authorities to trust instead of the system's.
        type: path
      timeout:
        description: Seconds for each wait.
        type: float
        default: 5
      deadline:
        description: Seconds for everything together.
        type: float
        default: 30
  vantages:
    description:
      - The vantages that should have observed. One without an observation is missing coverage.
      - Vantages that only observations name are judged as well.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name in the inventory and in the observations.
        type: str
        required: true
      position:
        description: Where it lies, seen from the target.
        type: str
        choices: [inside, spoke, outside, canary]
        required: true
      target:
        description: The target that it belongs to. Without it, every target.
        type: str
      subnet:
        description: Id of the subnet that it is in. Subnets without a vantage are reported.
        type: str
      network:
        description:
          - Id of the network (VPC, virtual network; on Google its path) that it is in. It tells which peered network a
            spoke vantage speaks for, and on Google which endpoint it can reach, since each network has its own.
        type: str
        aliases: [vpc]
      principal_tags:
        description:
          - Tags of the identity that it signs with. They decide whether a lock with an opt-in tag or an exclusion tag
            binds it. Leave it out when they are not known, and write V({}) when it has none.
        type: dict
  expect:
    description:
      - V(private) expects that every inside and spoke vantage resolves every host only to the endpoints and is
        admitted there.
      - V(blocked) expects that, and that every outside vantage, signing with an identity that the lock binds, is
        refused by the lock itself.
      - V(open) expects that outside vantages are admitted, as after an undone lock.
    type: str
    choices: [private, blocked, open]
    default: blocked
  pinned:
    description:
      - Judge pinned observations, which are connection, TLS and admission at the addresses of the endpoints, from
        every inside and spoke vantage. Names are not judged, since they do not lead there yet. Such a proof allows
        switching names and locks nothing.
    type: bool
    default: false
  checks:
    description:
      - Run only the checks with these ids. Without it every check that O(expect) and O(pinned) ask for.
      - For AWS the ids are V(aws_m1_public_access), V(aws_m2_names), V(aws_m3_endpoint_policy),
        V(aws_m4_firewall), V(aws_m5_placement), V(aws_m6_spokes), V(aws_m7_planes), V(aws_admission),
        V(aws_c7_traffic), V(aws_pinned), V(aws_open), V(aws_contradictions), V(aws_blind_spots),
        V(aws_interception) and V(aws_proxies).
      - For Azure they are V(azure_m1_public_access), V(azure_m2_names), V(azure_m3_access),
        V(azure_m4_firewall), V(azure_m5_placement), V(azure_m6_spokes), V(azure_m7_planes),
        V(azure_connection), V(azure_admission), V(azure_c7_traffic), V(azure_pinned), V(azure_open),
        V(azure_contradictions), V(azure_blind_spots), V(azure_interception) and V(azure_proxies).
      - For Google they are V(gcp_m1_public_access), V(gcp_m2_names), V(gcp_m3_access), V(gcp_m4_firewall),
        V(gcp_m5_placement), V(gcp_m6_spokes), V(gcp_m7_planes), V(gcp_connection), V(gcp_admission),
        V(gcp_c7_traffic), V(gcp_pinned), V(gcp_open), V(gcp_contradictions), V(gcp_blind_spots),
        V(gcp_interception) and V(gcp_proxies).
    type: list
    elements: str
    default: []
  fail_on:
    description:
      - Also fail when a finding with status V(fail) has this severity or a higher one.
      - Findings about the lock count only with O(expect=blocked). With V(never) only O(expect) decides.
    type: str
    choices: [critical, high, medium, low, never]
    default: high
  scope:
    description: What one lock binds, for the proof. Without it, all targets of this run.
    type: dict
    suboptions:
      cloud:
        description: The cloud. Without it, that of the first target.
        type: str
      id:
        description: Name of the scope, which the lockdown module has to be given as well.
        type: str
      regions:
        description: Regions of its members.
        type: list
        elements: str
      members:
        description: Names of the targets that must all be proved.
        type: list
        elements: str
  roll_out:
    description:
      - How far the lock is meant to reach. With V(tagged) only identities with the opt-in tag are bound.
      - With V(dry_run) it records whom it would refuse and refuses nobody, which is not enforcement.
    type: str
    choices: [tagged, dry_run, enforced]
    default: enforced
  lock:
    description:
      - RV(ignore:binds) of M(private_ai.endpoints.bedrock_lockdown), which says whom the lock binds. A refusal counts
        only for an identity that it binds. Without it the policies in the evidence say it.
      - For Google that of the module that locks the perimeter. It tells a dry run from an enforced lock.
    type: dict
  proof_ttl:
    description: Seconds for which the proof holds.
    type: int
    default: 3600
  application_cidrs:
    description:
      - Networks that callers are in. A firewall that admits more is a finding. Without it, the networks of the target
        and its peers.
    type: list
    elements: str
    default: []
  application_subnets:
    description: Ids of the subnets that callers are in. Without it, every subnet of the target's network.
    type: list
    elements: str
    default: []
  baseline:
    description:
      - Findings of an earlier run, as C(findings.json) of role P(private_ai.endpoints.report#role) holds them or as
        this module returned them, to compare with. RV(drift) says what is new, worse, still open, fixed, or not judged
        any more.
    type: dict
    version_added: 0.3.0
  accepted:
    description:
      - Risks that somebody signed for. A finding that one of them names does not fail the run until its date is over.
      - It still does not pass, and there is no proof with it, so that no lock is made by a signature.
    type: list
    elements: dict
    default: []
    version_added: 0.3.0
    suboptions:
      check:
        description: Id of the check.
        type: str
        required: true
      resource:
        description: What the finding is about, exactly as RV(findings[].resource) says it.
        type: str
        required: true
      reason:
        description: Why it is accepted, and by whom.
        type: str
        required: true
      until:
        description: Until when, as V(2026-12-31) (to the end of that day in UTC) or V(2026-12-31T12:00:00Z).
        type: str
        required: true
      target:
        description: Only for this target. Without it, for every one.
        type: str
      vantage:
        description: Only as seen from this vantage. Without it, from everywhere.
        type: str
      status:
        description:
          - The worst that is accepted. What was signed for as a warning, or as not known, counts again when it fails.
        type: str
        choices: [warn, unknown, fail]
        default: unknown
  bundle:
    description:
      - File (or its folder) with the sealed bundle of a run, as role P(private_ai.endpoints.report#role) writes it. All
        its judgements are made again and compared with what was decided then.
      - It holds everything that is judged, so that the other options are left out, except O(bundle_seal).
      - A bundle that was tampered with is refused, and every entry that was changed is named.
    type: path
    version_added: 0.3.0
  bundle_seal:
    description:
      - The seal that the bundle has to have, as the report of its run says it. It alone shows that nobody made the
        whole bundle anew.
    type: str
    version_added: 0.3.0
attributes:
  check_mode:
    description: Can run in check mode. It judges then as well.
    support: full
  diff_mode:
    description: Shows before and after.
    support: none
seealso:
  - module: private_ai.endpoints.private_endpoint_probe
  - module: private_ai.endpoints.private_endpoint_report
  - module: private_ai.endpoints.bedrock_vpc_endpoint_info
  - module: private_ai.endpoints.azure_openai_private_link_info
  - module: private_ai.endpoints.bedrock_lockdown
"""

EXAMPLES = r"""
- name: Prove that every vantage reaches the endpoints, before names lead there
  private_ai.endpoints.private_endpoint_validate:
    expect: private
    pinned: true
    evidence: ["{{ observed.evidence }}"]
    probe_targets: "{{ created.probe_targets }}"
    observations: "{{ pinned_observations }}"
    vantages:
      - {name: app-a, position: inside}
      - {name: spoke-a, position: spoke}
  register: pinned_proof

- name: Prove that names lead to the endpoints everywhere, before the lock
  private_ai.endpoints.private_endpoint_validate:
    expect: private
    evidence: ["{{ observed.evidence }}"]
    probe_targets: "{{ created.probe_targets }}"
    observations: "{{ named_observations }}"
    vantages:
      - {name: app-a, position: inside, subnet: subnet-0a0000000000000a1}
      - {name: spoke-a, position: spoke, network: vpc-0b00000000000000b}
    scope:
      id: "222222222222"
      members: [app-use1]
  register: proved

- name: Judge stored evidence offline and show everything, without failing
  private_ai.endpoints.private_endpoint_validate:
    evidence:
      - "{{ lookup('ansible.builtin.file', 'evidence/app-use1.json') | from_json }}"
    fail_on: never
  register: judged
  ignore_errors: true

- name: Compare with yesterday, and leave out what somebody signed for
  private_ai.endpoints.private_endpoint_validate:
    expect: private
    evidence: ["{{ observed.evidence }}"]
    probe_targets: "{{ created.probe_targets }}"
    observations: "{{ named_observations }}"
    baseline: "{{ lookup('ansible.builtin.file', 'yesterday/findings.json') | from_json }}"
    accepted:
      - check: aws_m4_firewall
        resource: vpce-0a1b2c3d4e5f60718 / sg-0123456789abcdef0
        reason: The partner's network moves in June; signed by the head of platform
        until: "{{ signed_until }}"
        status: fail

- name: Judge a sealed bundle again, on a machine without network and SDKs
  private_ai.endpoints.private_endpoint_validate:
    bundle: received/bundle.json
    bundle_seal: "{{ seal }}"

- name: Show the table
  ansible.builtin.debug:
    msg: "{{ judged.text.splitlines() }}"
"""

RETURN = r"""
findings:
  description: One entry for each thing that was judged, in the order of the checks.
  returned: always
  type: list
  elements: dict
  contains:
    check:
      description: Id of the check.
      type: str
    title:
      description: What the check asks.
      type: str
    status:
      description: V(pass), V(fail), V(warn), V(unknown) or V(skipped).
      type: str
    severity:
      description: V(critical), V(high), V(medium) or V(low).
      type: str
    cloud:
      description: Cloud of the target.
      type: str
    target:
      description: The target.
      type: str
    resource:
      description: What the finding is about.
      type: str
    vantage:
      description: The vantage that saw it, or null.
      type: str
    expected:
      description: What should be.
      type: str
    observed:
      description: What is. For V(unknown), which evidence was missing.
      type: str
    why:
      description: Why it matters.
      type: str
    fix:
      description: What to do.
      type: str
    checklist:
      description: Points of the checklist that it speaks for.
      type: list
      elements: str
    misconfiguration:
      description: The misconfiguration that it speaks for, or null.
      type: str
    references:
      description: Pages of the cloud, and controls.
      type: list
      elements: str
summary:
  description: Verdict, whether the expectation is met, and counts by status and severity.
  returned: always
  type: dict
checklist:
  description: C1 to C7, each with status and evidence.
  returned: always
  type: list
  elements: dict
misconfigurations:
  description: M1 to M7, each with status and evidence. V(fail) means that it is there.
  returned: always
  type: list
  elements: dict
matrix:
  description: What each vantage saw of each host.
  returned: always
  type: list
  elements: dict
  sample:
    - target: app-use1
      host: bedrock.us-east-1.amazonaws.com
      vantage: app-a
      position: inside
      where: private
      outcome: admitted
      cell: private 10.10.1.5 · admitted
accepted:
  description:
    - Every entry of O(accepted), with its state V(active), V(expired) or V(unused), and how many findings it names.
  returned: always
  type: list
  elements: dict
drift:
  description:
    - What changed since O(baseline), in the groups V(new), V(worse), V(still_open), V(fixed) and V(not_judged), with
      counts. Null without a baseline.
  returned: always
  type: dict
judgements:
  description: For each judgement in the bundle its verdict, what was recorded, and whether both say the same.
  returned: with O(bundle)
  type: list
  elements: dict
  sample:
    - {target: app-use1, label: blocked, verdict: pass, recorded: pass, same: true, differences: []}
seal:
  description: The seal of the bundle.
  returned: with O(bundle)
  type: str
text:
  description: The table of hosts and vantages, and the findings that did not pass, as plain text.
  returned: always
  type: str
proof:
  description:
    - The findings that the expectation hangs on, bound to a digest of each target's configuration, for
      O(proof_ttl) seconds. Null when something that it needs did not pass.
  returned: always
  type: dict
proof_refused:
  description: Why there is no proof, or null.
  returned: always
  type: str
"""

from datetime import datetime, timezone
from typing import Any

from ansible_collections.private_ai.endpoints.plugins.module_utils.core.errors import EndpointError
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.offline import (
    read_bundle,
    validate_bundle,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.validate import (
    Request,
    validate,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.verdict import FAIL_ON
from ansible_collections.private_ai.endpoints.plugins.module_utils.module import (
    Context,
    ModuleSpec,
    execute,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.probe_here import look
from ansible_collections.private_ai.endpoints.plugins.module_utils.risk_options import (
    ACCEPTED,
)

_DICTS: dict[str, Any] = {"type": "list", "elements": "dict", "default": []}
_POSITIONS = ["inside", "spoke", "outside", "canary"]
_STRINGS: dict[str, Any] = {"type": "list", "elements": "str", "default": []}

SPEC = ModuleSpec(
    argument_spec={
        "evidence": _DICTS,
        "probe_targets": _DICTS,
        "observations": _DICTS,
        "probe_here": {
            "type": "dict",
            "required_together": [("access_key", "secret_key")],
            "options": {
                "name": {"type": "str"},
                "position": {"type": "str", "required": True, "choices": _POSITIONS},
                "access_key": {"type": "str", "no_log": True},
                "secret_key": {"type": "str", "no_log": True},
                "session_token": {"type": "str", "no_log": True},
                "ca_path": {"type": "path"},
                "timeout": {"type": "float", "default": 5},
                "deadline": {"type": "float", "default": 30},
            },
        },
        "vantages": {
            **_DICTS,
            "options": {
                "name": {"type": "str", "required": True},
                "position": {"type": "str", "required": True, "choices": _POSITIONS},
                "target": {"type": "str"},
                "subnet": {"type": "str"},
                "network": {"type": "str", "aliases": ["vpc"]},
                "principal_tags": {"type": "dict"},
            },
        },
        "expect": {"type": "str", "choices": ["private", "blocked", "open"], "default": "blocked"},
        "pinned": {"type": "bool", "default": False},
        "checks": _STRINGS,
        "fail_on": {"type": "str", "choices": list(FAIL_ON), "default": "high"},
        "scope": {
            "type": "dict",
            "options": {
                "cloud": {"type": "str"},
                "id": {"type": "str"},
                "regions": {"type": "list", "elements": "str"},
                "members": {"type": "list", "elements": "str"},
            },
        },
        "roll_out": {
            "type": "str",
            "choices": ["tagged", "dry_run", "enforced"],
            "default": "enforced",
        },
        "lock": {"type": "dict"},
        "proof_ttl": {"type": "int", "default": 3600},
        "application_cidrs": _STRINGS,
        "application_subnets": _STRINGS,
        "baseline": {"type": "dict"},
        "accepted": {**_DICTS, "options": ACCEPTED},
        "bundle": {"type": "path"},
        "bundle_seal": {"type": "str"},
    },
    required_by={"bundle_seal": ("bundle",)},
)
# What is in a bundle, and can be said only there.
_IN_BUNDLE = (
    "evidence",
    "probe_targets",
    "observations",
    "probe_here",
    "vantages",
    "accepted",
    "baseline",
)


def run(params: dict[str, Any], context: Context) -> dict[str, Any]:
    """Look, where asked to, and judge."""
    if params["bundle"]:
        given = [key for key in _IN_BUNDLE if params[key]]
        if given:
            raise EndpointError(
                f"holds what {', '.join(given)} would say", resource="bundle", fix="Leave them out"
            )
        return validate_bundle(read_bundle(params["bundle"]), params["bundle_seal"])
    elsewhere = ("probe_here", "bundle", "bundle_seal")
    wanted = {key: params[key] for key in SPEC.argument_spec if key not in elsewhere}
    if params["probe_here"]:
        seen = look(params["probe_here"], params["probe_targets"], pinned=params["pinned"])
        wanted["observations"] = [*params["observations"], *seen]
    return validate(Request(**wanted, now=datetime.now(timezone.utc)))


def main() -> None:
    """Entry point of the ordinary module."""
    execute(SPEC, run)


if __name__ == "__main__":
    main()
