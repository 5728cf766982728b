# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What would lead nowhere if some addresses were gone."""

from __future__ import annotations

DOCUMENTATION = r"""
name: leading_to
short_description: Name the zones and response policies of Google that lead to addresses
version_added: 0.3.0
description:
  - Reads the evidence of M(private_ai.endpoints.vertex_psc_endpoint_info), and names every private zone and response
    policy that one of the networks sees and that has one of the addresses in a record.
author:
  - private_ai.endpoints contributors (@private-ai)
positional: addresses
options:
  _input:
    description: The evidence, with its part C(dns).
    type: dict
    required: true
  addresses:
    description: The addresses.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Show what still leads to the endpoints
  ansible.builtin.debug:
    msg: "{{ observed.evidence | private_ai.endpoints.leading_to(['10.255.30.2']) }}"
"""

RETURN = r"""
_value:
  description: Paths of zones and policies, sorted.
  type: list
  elements: str
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible_collections.private_ai.endpoints.plugins.module_utils.core.gcp import answers


def leading_to(evidence: Mapping[str, Any], addresses: Sequence[str]) -> list[str]:
    """See DOCUMENTATION."""
    return answers.leading_to(evidence, addresses)


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name and function."""
        return {"leading_to": leading_to}
