# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The vantages of a target as validation wants them, from the inventory's variables."""

from __future__ import annotations

DOCUMENTATION = r"""
name: vantages
short_description: Describe the vantages of a target by their inventory variables
version_added: 0.1.0
description:
  - Reads C(vantage_position), C(vantage_subnet_id), C(vantage_network_id) and C(vantage_principal_tags).
author:
  - private_ai.endpoints contributors (@private-ai)
positional: hostvars, target
options:
  _input:
    description: Names of the vantages.
    type: list
    elements: str
    required: true
  hostvars:
    description: The variables of all hosts.
    type: dict
    required: true
  target:
    description: Name of the target that they belong to.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Show the vantages
  ansible.builtin.debug:
    msg: "{{ vantages | private_ai.endpoints.vantages(hostvars, inventory_hostname) }}"
"""

RETURN = r"""
_value:
  description: One entry for each vantage, as M(private_ai.endpoints.private_endpoint_validate) takes them.
  type: list
  elements: dict
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

_VARIABLES = {
    "position": "vantage_position",
    "subnet": "vantage_subnet_id",
    "network": "vantage_network_id",
    "principal_tags": "vantage_principal_tags",
}


def vantages(
    names: Iterable[str], hostvars: Mapping[str, Mapping[str, Any]], target: str
) -> list[dict[str, Any]]:
    """See DOCUMENTATION."""
    return [
        {
            "name": name,
            "target": target,
            **{
                key: hostvars[name][variable]
                for key, variable in _VARIABLES.items()
                if variable in hostvars[name]
            },
        }
        for name in names
    ]


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name and function."""
        return {"vantages": vantages}
