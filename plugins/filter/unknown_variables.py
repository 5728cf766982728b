# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Variables that look like a role's but that it does not know."""

from __future__ import annotations

DOCUMENTATION = r"""
name: unknown_variables
short_description: Find misspelt variables of a role
version_added: 0.1.0
description:
  - Compares the variables that are set with those that the role's argument specs describe. Ansible itself ignores a
    misspelt variable, and a lock that ignores one option of its inventory is dangerous.
author:
  - private_ai.endpoints contributors (@private-ai)
positional: specs, prefix
options:
  _input:
    description: Names of the variables that are set.
    type: list
    elements: str
    required: true
  specs:
    description: The C(argument_specs) of the role, from its C(meta/argument_specs.yml).
    type: dict
    required: true
  prefix:
    description: The prefix that all variables of the role have.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Refuse misspelt variables
  ansible.builtin.assert:
    that: unknown | length == 0
    fail_msg: "{{ unknown | join('\n') }}"
  vars:
    names: "{{ query('ansible.builtin.varnames', '^bedrock_') }}"
    specs: "{{ (lookup('ansible.builtin.file', role_path ~ '/meta/argument_specs.yml') | from_yaml).argument_specs }}"
    unknown: "{{ names | private_ai.endpoints.unknown_variables(specs, 'bedrock_') }}"
"""

RETURN = r"""
_value:
  description: One sentence for each variable that the role does not know.
  type: list
  elements: str
"""

import difflib
from collections.abc import Callable, Iterable, Mapping
from typing import Any


def unknown_variables(
    names: Iterable[str], specs: Mapping[str, Mapping[str, Any]], prefix: str
) -> list[str]:
    """See DOCUMENTATION."""
    known = {option for spec in specs.values() for option in spec.get("options") or {}}
    return [
        _sentence(name, known)
        for name in sorted(set(names))
        if name.startswith(prefix) and name not in known
    ]


def _sentence(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, sorted(known), 1)
    hint = (
        f"Did you mean {near[0]}?"
        if near
        else "Remove it: ansible-doc -t role lists what it knows."
    )
    return f"{name} is no variable of this role. {hint}"


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name and function."""
        return {"unknown_variables": unknown_variables}
