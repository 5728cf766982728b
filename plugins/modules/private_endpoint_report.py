#!/usr/bin/python

# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: private_endpoint_report
short_description: Write what a run found, for managers, auditors and machines
version_added: 0.3.0
author: private_ai.endpoints contributors (@private-ai)
description:
  - Turns what the playbooks remember of each target, or a sealed bundle, into a report in several forms. The verdict
    comes first, in words that need no networking. Then come two questions (is the traffic private, is that enforced),
    the checklist and the misconfigurations by cloud, what each network saw, the strategy as designed and as observed,
    every finding, drift, accepted risks, and the record of who made it with what.
  - It runs on the controller and needs neither a network nor an SDK.
  - Whatever the clouds and the vantages said stays text in every form, and what looks like a secret is hidden.
options:
  runs:
    description:
      - What is known of each target, one entry for each, as the playbooks keep it in C(private_endpoint_run). Keys that
        are not named here are left alone.
      - C(target) is its name, and the only key that has to be there.
      - C(results) holds results of M(private_ai.endpoints.private_endpoint_validate) by what was expected (C(blocked),
        C(private) or C(pinned)). The report shows the first of these that is there. Each also holds C(observations) and
        C(vantages), and C(request) with the other options of that judgement, where it shall be in the bundle.
      - C(evidence) is the evidence document of the target, C(failure) why the run failed for it, C(steps) its steps by
        phase as the modules returned them, C(preview) the impact preview, C(scope) what the lock binds, and C(cloud)
        its cloud where no evidence says that.
    type: list
    elements: dict
    default: []
  bundle:
    description:
      - File (or its folder) with a sealed bundle to report on instead of O(runs). Everything in it is judged again. One
        that was tampered with is refused.
    type: path
  bundle_seal:
    description: The seal that the bundle has to have.
    type: str
  bundles:
    description:
      - Sealed bundles of several runs, each of other targets, to put together to one report and one bundle, instead of
        O(runs). Each is a file, a folder with a C(bundle.json), a folder of such folders, or the text that
        RV(packed) was.
      - Everything in them is judged again. One that was tampered with is refused, and so is a target that two of them
        hold, while the same bundle twice counts once. A target that was not judged, or is judged differently now, is
        reported as failed.
    type: list
    elements: str
    default: []
  expected:
    description:
      - With O(bundles), the targets that have to be in one of them, each with its cloud (V(aws), V(azure) or V(gcp)).
        One that is in none is reported as failed, and nothing is said to be private without it.
    type: dict
    default: {}
  max_age:
    description:
      - With O(bundles), how many hours ago a target may have been judged. One that was judged earlier is reported as
        failed, with both times, and so is one that claims to be judged later than now. Without it, and with V(0), its
        age does not matter.
    type: float
  pack:
    description: Whether to return the bundle as one text, in RV(packed).
    type: bool
    default: false
  dest:
    description:
      - Folder to write to. It is made where it is missing, and its files can be read by their owner alone.
      - Without it nothing is written, and the document is returned instead.
    type: path
  formats:
    description:
      - What to write. V(html) is C(report.html), V(json) is C(findings.json) and C(evidence.json), V(junit) is
        C(junit.xml), V(markdown) is C(report.md), V(text) is C(summary.txt), V(bundle) is C(bundle.json).
    type: list
    elements: str
    choices: [html, json, junit, markdown, text, bundle]
    default: [html, json, junit, markdown, text, bundle]
  job:
    description: What the run is called. Without it, what a bundle says, or C(report).
    type: str
  prediction:
    description: Whether the steps are those that a run in check mode would take.
    type: bool
    default: false
  made_by:
    description: Who made the report. Without it, the user that this runs as.
    type: str
  fail_on:
    description:
      - From which severity findings count against the run. They are counted in RV(counting) and are failures in
        C(junit.xml). The module itself does not fail for them.
    type: str
    choices: [critical, high, medium, low, never]
    default: never
  baseline:
    description: Findings of an earlier run to compare with, as its C(findings.json) holds them.
    type: dict
  accepted:
    description:
      - Risks that somebody signed for. What they name is shown as accepted and does not count, until their date is
        over.
    type: list
    elements: dict
    default: []
    suboptions:
      check:
        description: Id of the check.
        type: str
        required: true
      resource:
        description: What the finding is about, exactly as the finding says it.
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
attributes:
  check_mode:
    description: Can run in check mode. It says then what it would write.
    support: full
  diff_mode:
    description: Shows before and after.
    support: none
seealso:
  - module: private_ai.endpoints.private_endpoint_validate
"""

EXAMPLES = r"""
- name: Report on one target that was judged in this play
  private_ai.endpoints.private_endpoint_report:
    runs:
      - target: app-use1
        evidence: "{{ observed.evidence }}"
        results:
          blocked: "{{ judged | combine({'observations': observations}) }}"
    dest: private-endpoint-report

- name: Compare with an earlier run, and leave out what somebody signed for
  private_ai.endpoints.private_endpoint_report:
    runs: "{{ groups.bedrock | map('extract', hostvars, 'private_endpoint_run') }}"
    baseline: "{{ lookup('ansible.builtin.file', 'yesterday/findings.json') | from_json }}"
    accepted:
      - check: aws_m4_firewall
        resource: vpce-0a1b2c3d4e5f60718 / sg-0123456789abcdef0
        reason: The partner's network moves in June; signed by the head of platform
        until: "2026-06-30"
    fail_on: high
    dest: private-endpoint-report

- name: Judge a sealed bundle again, and make the page anew, on a machine without network and SDKs
  private_ai.endpoints.private_endpoint_report:
    bundle: received/bundle.json
    dest: received/again
    formats: [html, text]

- name: Put the bundles of two jobs together
  private_ai.endpoints.private_endpoint_report:
    bundles: [jobs/101, jobs/102]
    expected: {app-use1: aws, assistant: azure}
    max_age: 24
    dest: private-endpoint-report
"""

RETURN = r"""
verdict:
  description: Status V(pass), V(warn), V(unknown) or V(fail), a headline, and sentences.
  returned: always
  type: dict
  sample:
    status: fail
    headline: 1 of 3 AI services is not private
    sentences: ["foundry: Private endpoint exists, traffic is public, and the public path is open."]
counting:
  description: For each target with findings that count by O(fail_on), how many do.
  returned: always
  type: dict
  sample: {app-use1: 2}
counts:
  description: Findings by status, and those that fail by severity.
  returned: always
  type: dict
brief:
  description: What the run did to each target, in a few lines.
  returned: always
  type: str
table:
  description: Verdict and services as a table in plain text.
  returned: always
  type: str
files:
  description: Every file that was written (or would be, in check mode), with its size and SHA-256.
  returned: always
  type: list
  elements: dict
  sample:
    - {path: /srv/private-endpoint-report/report.html, bytes: 81234, sha256: "9f86d081884c7d65"}
seal:
  description: Seal of the bundle. Keep it apart from the bundle.
  returned: always
  type: str
packed:
  description: The bundle as one text, a data URL of the compressed file. It holds no secret.
  returned: when O(pack) is true
  type: str
  sample: data:application/gzip;base64,H4sIAAAAAAAC/
failures:
  description:
    - For each target whose run failed, or that no bundle of O(bundles) holds as judged and not too long ago, why.
  returned: always
  type: dict
  sample: {app-use1: "app-use1: no bundle holds it."}
judgements:
  description:
    - For each judgement of O(bundle) or O(bundles) its verdict, what was recorded, and whether both say the same.
  returned: always
  type: list
  elements: dict
document:
  description: The report as data, by the schema C(docs/schema/report-1.schema.json).
  returned: when O(dest) is left out
  type: dict
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from ansible_collections.private_ai.endpoints.plugins.module_utils.core.errors import EndpointError
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.merged import merge
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.offline import (
    read_bundle,
    read_bundles,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.packed import pack
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.proof import timestamp
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.rejudge import (
    header_of,
    rejudged,
    sealed,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.report.document import build
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.report.render import (
    FORMATS,
    brief,
    files,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.report.runs import checked
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.report.terminal import (
    terminal,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.verdict import FAIL_ON
from ansible_collections.private_ai.endpoints.plugins.module_utils.module import (
    Context,
    ModuleSpec,
    execute,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.report_maker import made_by
from ansible_collections.private_ai.endpoints.plugins.module_utils.risk_options import (
    ACCEPTED,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.written import write

SPEC = ModuleSpec(
    argument_spec={
        "runs": {
            "type": "list",
            "elements": "dict",
            "default": [],
        },
        "bundle": {"type": "path"},
        "bundle_seal": {"type": "str"},
        "bundles": {"type": "list", "elements": "str", "default": []},
        "expected": {"type": "dict", "default": {}},
        "max_age": {"type": "float"},
        "pack": {"type": "bool", "default": False},
        "dest": {"type": "path"},
        "formats": {
            "type": "list",
            "elements": "str",
            "choices": list(FORMATS),
            "default": list(FORMATS),
        },
        "job": {"type": "str"},
        "prediction": {"type": "bool", "default": False},
        "made_by": {"type": "str"},
        "fail_on": {"type": "str", "choices": list(FAIL_ON), "default": "never"},
        "baseline": {"type": "dict"},
        "accepted": {
            "type": "list",
            "elements": "dict",
            "default": [],
            "options": ACCEPTED,
        },
    },
    required_by={"bundle_seal": ("bundle",)},
)


def run(params: dict[str, Any], context: Context) -> dict[str, Any]:
    """Put the report together, and write it where asked to."""
    now = datetime.now(timezone.utc)
    maker = made_by(params["made_by"])
    told = _told(params, now, maker)
    document = build(
        told.runs,
        job=params["job"] or str(told.header["job"]),
        check_mode=params["prediction"] or bool(told.header.get("check_mode")),
        now=now,
        made_by=maker,
        fail_on=params["fail_on"],
        baseline=params["baseline"],
        accepted=params["accepted"],
        seal=told.bundle["seal"],
        rejudged=told.again,
        merged=told.header.get("merged"),
    )
    written = None if params["bundle"] else told.bundle
    made = files(document, told.runs, written, params["formats"])
    if params["dest"] and not context.check_mode:
        write(params["dest"], made)
    return {
        "changed": bool(params["dest"] and made),
        "verdict": document["verdict"],
        "counting": document["counting"],
        "counts": document["counts"],
        "failures": {
            item["target"]: item["failure"] for item in document["targets"] if item["failure"]
        },
        "brief": brief(document),
        "table": terminal(document),
        "seal": told.bundle["seal"],
        "judgements": told.compared,
        "files": _listed(params["dest"], made) if params["dest"] else [],
        **({"packed": pack(told.bundle)} if params["pack"] else {}),
        **({} if params["dest"] else {"document": document}),
    }


@dataclass(frozen=True, kw_only=True)
class _Told:
    """What is reported, from wherever it comes. again: how judgements compare, where the report has to say so."""

    runs: list[dict[str, Any]]
    header: Mapping[str, Any]
    bundle: dict[str, Any]
    compared: list[dict[str, Any]]
    again: list[dict[str, Any]] | None


def _told(params: Mapping[str, Any], now: datetime, maker: Mapping[str, Any]) -> _Told:
    given = [name for name in ("runs", "bundle", "bundles") if params[name]]
    if len(given) > 1:
        raise EndpointError(
            f"says what {given[0]} would say", resource=given[1], fix=f"Leave {given[0]} out"
        )
    if params["bundle"]:
        bundle = read_bundle(params["bundle"])
        runs, compared = rejudged(bundle, params["bundle_seal"])
        return _Told(
            runs=runs, header=header_of(bundle), bundle=bundle, compared=compared, again=compared
        )
    header: dict[str, Any] = {
        "job": params["job"] or "report",
        "made_at": timestamp(now),
        "made_by": maker,
        "check_mode": params["prediction"],
    }
    if not params["bundles"]:
        runs = checked(params["runs"])
        bundle = sealed(runs, header=header, now=now)
        return _Told(runs=runs, header=header, bundle=bundle, compared=[], again=None)
    bundles = [bundle for given in params["bundles"] for bundle in read_bundles(given)]
    max_age = timedelta(hours=params["max_age"]) if params["max_age"] else None
    parts = merge(bundles, params["expected"], now=now, max_age=max_age)
    header |= {
        "job": params["job"] or parts.jobs,
        "check_mode": params["prediction"] or parts.prediction,
        "merged": parts.sources,
    }
    changed = any(not item["same"] for item in parts.judgements)
    return _Told(
        runs=parts.runs,
        header=header,
        bundle=sealed(parts.runs, header=header, now=now),
        compared=parts.judgements,
        again=parts.judgements if changed else None,
    )


def _listed(folder: str, made: dict[str, str]) -> list[dict[str, Any]]:
    listed = []
    for name, content in made.items():
        data = content.encode("utf-8", "replace")
        listed.append(
            {
                "path": f"{folder.rstrip('/')}/{name}",
                "bytes": len(data),
                "sha256": hashlib.sha256(data).hexdigest(),
            }
        )
    return listed


def main() -> None:
    """Entry point of the ordinary module."""
    execute(SPEC, run)


if __name__ == "__main__":
    main()
