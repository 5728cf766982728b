# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How canaries fared, from the registered result of a task that let them work."""

from __future__ import annotations

DOCUMENTATION = r"""
name: canaries
short_description: Say for each canary whether its command worked, and what it said if not
version_added: 0.1.0
description:
  - A canary that could not be reached did not work.
author:
  - private_ai.endpoints contributors (@private-ai)
options:
  _input:
    description: A registered M(ansible.builtin.command) task whose loop items are vantages.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show the canaries that do not work
  ansible.builtin.debug:
    msg: "{{ called | private_ai.endpoints.canaries | dict2items | selectattr('value') }}"
"""

RETURN = r"""
_value:
  description: Name of the vantage, and a sentence why its command failed, or an empty text when it worked.
  type: dict
"""

from collections.abc import Callable, Mapping
from typing import Any

_LONGEST = 300


def canaries(task: Mapping[str, Any]) -> dict[str, str]:
    """See DOCUMENTATION."""
    return {
        name: why and f"{name} (canary) cannot do what it does: {why}."
        for result in task.get("results") or ()
        for name, why in ((str(result["item"]), _why(result)),)
    }


def _why(result: Mapping[str, Any]) -> str:
    if result.get("rc") == 0:
        return ""
    if result.get("unreachable"):
        return f"unreachable: {result.get('msg') or 'no reason given'}"
    said = str(result.get("stderr") or result.get("stdout") or result.get("msg") or "").strip()
    last = said.splitlines()[-1][-_LONGEST:] if said else "it said nothing"
    return f"exit code {result.get('rc')}: {last}"


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name and function."""
        return {"canaries": canaries}
