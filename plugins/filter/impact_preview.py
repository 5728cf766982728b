# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The impact preview: whom a lock would cut off, as far as the audit records tell."""

from __future__ import annotations

DOCUMENTATION = r"""
name: impact_preview
short_description: Say from audit records whom a lock would cut off
version_added: 0.1.0
description:
  - Classifies every recorded caller. Those that came through the endpoints, from the public addresses of proved
    networks, that are refused already or that somebody explained go on; the others would be cut off.
  - Where records tell a private from a public path (Azure), neither O(endpoint_ids) nor O(regions) matters. A caller
    whose address is masked too far to tell blocks nothing, and the status is V(unknown) then.
  - Where records name the network that a call came from (Google), those from a project in O(projects) go on, and others
    would be cut off, as would those that the dry run of the lock recorded.
author:
  - private_ai.endpoints contributors (@private-ai)
positional: endpoint_ids, regions
options:
  _input:
    description: Evidence documents of the scope's targets, with their traffic.
    type: list
    elements: dict
    required: true
  endpoint_ids:
    description: Endpoints that the lock lists.
    type: list
    elements: str
    required: true
  regions:
    description: Regions of the targets.
    type: list
    elements: str
    required: true
  egress:
    description: Public addresses by which the proved networks leave.
    type: list
    elements: str
    default: []
  explained:
    description: Callers that somebody answers for, as patterns (principal, operation, region, source) with a reason.
    type: list
    elements: dict
    default: []
  final:
    description:
      - Whether O(endpoint_ids) has those of all targets of the scope. While it has not, an endpoint that is not in it
        blocks nothing.
    type: bool
    default: true
  projects:
    description: Ids of the projects inside the lock, where it binds by project.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Show whom the lock would cut off
  ansible.builtin.debug:
    msg: "{{ [observed.evidence] | private_ai.endpoints.impact_preview(['vpce-0a0000000000000e1'], ['us-east-1']) }}"
"""

RETURN = r"""
_value:
  description: Status V(clear), V(blocked) or V(unknown), why, the window, every caller with its class, what blocks.
  type: dict
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.private_ai.endpoints.plugins.module_utils.core import preview
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.errors import EndpointError


def impact_preview(
    evidence: Sequence[Mapping[str, Any]],
    endpoint_ids: Sequence[str],
    regions: Sequence[str],
    egress: Sequence[str] = (),
    explained: Sequence[Mapping[str, Any]] = (),
    final: bool = True,
    projects: Sequence[str] = (),
) -> dict[str, Any]:
    """See DOCUMENTATION."""
    reach = preview.Reach(
        endpoints=frozenset(endpoint_ids),
        regions=frozenset(regions),
        egress=frozenset(egress),
        final=final,
        projects=frozenset(projects),
    )
    try:
        return preview.preview(_merged(evidence), reach, preview.explanations(explained))
    except EndpointError as error:
        raise AnsibleFilterError(error.message) from error


def _merged(evidence: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """The records of all targets, each group once: targets of one account and Region have the same ones."""
    known = [item["traffic"] for item in evidence if item.get("traffic")]
    if not known or len(known) < len(evidence):
        return None
    groups: list[Any] = []
    for traffic in known:
        groups += [group for group in traffic["groups"] if group not in groups]
    return {
        "start": max(traffic["start"] for traffic in known),
        "end": min(traffic["end"] for traffic in known),
        "complete": all(traffic["complete"] for traffic in known),
        "groups": groups,
    }


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name and function."""
        return {"impact_preview": impact_preview}
