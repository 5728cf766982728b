# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Callers that a lock refuses though it should not, as far as the audit records tell."""

from __future__ import annotations

DOCUMENTATION = r"""
name: refused_callers
short_description: Name known callers whom a lock refuses
version_added: 0.1.0
description:
  - Compares the audit records since a lock with those before it. A refusal counts for a caller who was let in before
    and calls through the endpoints or from a member network. Refused calls from elsewhere are what the lock is for.
author:
  - private_ai.endpoints contributors (@private-ai)
positional: before, endpoint_ids, egress, explained, projects
options:
  _input:
    description: Evidence documents with the traffic since the lock.
    type: list
    elements: dict
    required: true
  before:
    description: Documents with the C(traffic) before it.
    type: list
    elements: dict
    required: true
  endpoint_ids:
    description: Endpoints that the lock lists.
    type: list
    elements: str
    required: true
  egress:
    description: Public addresses by which the member networks leave.
    type: list
    elements: str
    default: []
  explained:
    description: Callers that somebody answers for, as patterns (principal, operation, region, source) with a reason.
    type: list
    elements: dict
    default: []
  projects:
    description: Ids of the projects inside the lock, where it binds by project.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Stop when a known caller is refused
  ansible.builtin.assert:
    that: refused | length == 0
    fail_msg: "{{ refused | join(' ') }}"
  vars:
    refused: "{{ [now] | private_ai.endpoints.refused_callers([before], ['vpce-0a0000000000000e1']) }}"
"""

RETURN = r"""
_value:
  description: One sentence for each caller and operation.
  type: list
  elements: str
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.private_ai.endpoints.plugins.module_utils.core import preview
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.errors import EndpointError

Documents = Sequence[Mapping[str, Any]]


def refused_callers(
    since: Documents,
    before: Documents,
    endpoint_ids: Sequence[str],
    egress: Sequence[str] = (),
    explained: Documents = (),
    projects: Sequence[str] = (),
) -> list[str]:
    """See DOCUMENTATION."""
    now, then = _groups(since), _groups(before)
    reach = preview.Reach(
        endpoints=frozenset(endpoint_ids),
        regions=frozenset(str(group.get("region") or "") for group in now),
        egress=frozenset(egress),
        projects=frozenset(projects),
    )
    try:
        return preview.refused(now, then, reach, preview.explanations(explained))
    except EndpointError as error:
        raise AnsibleFilterError(error.message) from error


def _groups(documents: Documents) -> list[Mapping[str, Any]]:
    return [group for item in documents for group in (item.get("traffic") or {}).get("groups", ())]


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name and function."""
        return {"refused_callers": refused_callers}
