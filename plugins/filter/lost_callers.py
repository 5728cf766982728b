# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Callers that were admitted before a change and are not any more."""

from __future__ import annotations

DOCUMENTATION = r"""
name: lost_callers
short_description: Name callers that were admitted before and are not now
version_added: 0.1.0
description:
  - Compares observations of the same vantage and host, whatever path the call takes. What was not admitted before is
    not lost.
author:
  - private_ai.endpoints contributors (@private-ai)
positional: before
options:
  _input:
    description: What is seen now.
    type: list
    elements: dict
    required: true
  before:
    description: What was seen before the change.
    type: list
    elements: dict
    required: true
"""

EXAMPLES = r"""
- name: Stop when a canary cannot call any more
  ansible.builtin.assert:
    that: lost | length == 0
    fail_msg: "{{ lost | join(' ') }}"
  vars:
    lost: "{{ now | private_ai.endpoints.lost_callers(before) }}"
"""

RETURN = r"""
_value:
  description: One sentence for each caller and host that was lost.
  type: list
  elements: str
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Observations = Sequence[Mapping[str, Any]]


def lost_callers(now: Observations, before: Observations) -> list[str]:
    """See DOCUMENTATION."""
    seen = {(item["vantage"], item["host"]): item for item in now if item["pinned"] is None}
    return [
        f"{item['vantage']} ({item['position']}) was admitted at {item['host']} before, "
        f"now: {_told(later)}."
        for item in before
        if item["pinned"] is None and _admitted(item)
        for later in (seen.get((item["vantage"], item["host"])),)
        if not _admitted(later) or _denied(later) > _denied(item)
    ]


def _answers(item: Mapping[str, Any] | None) -> list[str]:
    return [
        entry["http"]["answer"] if entry["http"] else "no answer"
        for entry in (item or {}).get("connections", [])
    ]


def _admitted(item: Mapping[str, Any] | None) -> bool:
    return "admitted" in _answers(item)


def _denied(item: Mapping[str, Any] | None) -> bool:
    """Whether any of the addresses refuses: a caller gets one or the other."""
    return any(answer.startswith("denied") for answer in _answers(item))


def _told(item: Mapping[str, Any] | None) -> str:
    if item is None:
        return "not observed"
    if item["error"]:
        return str(item["error"])
    return ", ".join(sorted(set(_answers(item)))) or f"DNS {item['dns']['status']}"


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name and function."""
        return {"lost_callers": lost_callers}
