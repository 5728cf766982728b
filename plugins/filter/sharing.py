# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hosts that have the same values of some variables: the members of one scope."""

from __future__ import annotations

DOCUMENTATION = r"""
name: sharing
short_description: Find the hosts whose variables have the same values as those of one host
version_added: 0.1.0
description:
  - Lists are compared without regard to their order. A variable that a host lacks is equal only to one that another
    lacks as well.
author:
  - private_ai.endpoints contributors (@private-ai)
positional: hostvars, host, variables
options:
  _input:
    description: Names of the hosts to look at.
    type: list
    elements: str
    required: true
  hostvars:
    description: The variables of all hosts.
    type: dict
    required: true
  host:
    description: Name of the host to compare with.
    type: str
    required: true
  variables:
    description: Names of the variables.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Show the targets that one lock binds
  ansible.builtin.debug:
    msg: "{{ groups.bedrock | private_ai.endpoints.sharing(hostvars, inventory_hostname, names) }}"
  vars:
    names: [bedrock_lockdown_targets, bedrock_lockdown_policy_name]
"""

RETURN = r"""
_value:
  description: Names of the hosts, sorted.
  type: list
  elements: str
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any


def sharing(
    hosts: Iterable[str],
    hostvars: Mapping[str, Mapping[str, Any]],
    host: str,
    variables: Sequence[str],
) -> list[str]:
    """See DOCUMENTATION."""
    wanted = _values(hostvars[host], variables)
    return sorted(name for name in hosts if _values(hostvars[name], variables) == wanted)


def _values(values: Mapping[str, Any], variables: Sequence[str]) -> list[Any]:
    found = [values.get(name) for name in variables]
    return [
        sorted({str(part) for part in item}) if isinstance(item, list) else item for item in found
    ]


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name and function."""
        return {"sharing": sharing}
