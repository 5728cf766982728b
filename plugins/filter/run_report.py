# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One report of what a playbook run did, for people and for programs."""

from __future__ import annotations

DOCUMENTATION = r"""
name: run_report
short_description: Put together what a run did to all its targets
version_added: 0.1.0
description:
  - Turns what the playbooks remember of each target into one document, the evidence behind it, and a text.
author:
  - private_ai.endpoints contributors (@private-ai)
positional: job, check_mode
options:
  _input:
    description: What was remembered, one entry per target.
    type: list
    elements: dict
    required: true
  job:
    description: Name of the playbook.
    type: str
    required: true
  check_mode:
    description: Whether the steps are a prediction.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Show the summary
  ansible.builtin.debug:
    msg: "{{ (runs | private_ai.endpoints.run_report('lockdown')).summary }}"
"""

RETURN = r"""
_value:
  description:
    - C(document) has the verdict, the targets with their failures, steps, checklist and table, and all findings;
      C(evidence) has what they were made of, C(brief) is a short text, and C(summary) the same with all tables.
  type: dict
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timezone
from typing import Any

from ansible_collections.private_ai.endpoints.plugins.module_utils.core.report.document import build
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.report.render import (
    brief,
    summary,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.report.runs import (
    basis,
    checked,
)


def run_report(
    runs: Iterable[Mapping[str, Any]], job: str, check_mode: bool = False
) -> dict[str, Any]:
    """See DOCUMENTATION."""
    listed = checked(runs)
    document = build(listed, job=job, check_mode=check_mode, now=datetime.now(timezone.utc))
    return {
        "document": document,
        "evidence": {run["target"]: basis(run) for run in listed},
        "brief": brief(document),
        "summary": summary(document, listed),
    }


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name and function."""
        return {"run_report": run_report}
