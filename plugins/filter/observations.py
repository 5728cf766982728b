# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Observations from the registered result of a probe task that loops over vantages."""

from __future__ import annotations

DOCUMENTATION = r"""
name: observations
short_description: Collect the observations of a probe task that looped over vantages
version_added: 0.1.0
description:
  - Puts together what every vantage observed. A vantage that could not be reached, or where the probe failed, becomes
    observations with an error, so that it is missing coverage and never silence.
author:
  - private_ai.endpoints contributors (@private-ai)
positional: targets, positions, pinned, networks
options:
  _input:
    description:
      - The C(results) of a registered M(private_ai.endpoints.private_endpoint_probe) task whose loop
        items are vantages, or O(positions) as C(ansible.builtin.dict2items) makes them.
    type: list
    elements: dict
    required: true
  targets:
    description: The probe targets that were to be probed.
    type: list
    elements: dict
    required: true
  positions:
    description: Position of each vantage by its name.
    type: dict
    required: true
  pinned:
    description: Positions whose vantages connected to the addresses of the targets instead of resolving the names.
    type: list
    elements: str
    default: []
  networks:
    description: Network of each vantage by its name, as far as it is known.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Show who saw what
  ansible.builtin.debug:
    msg: "{{ probes.results | private_ai.endpoints.observations(created.probe_targets, {'app-a': 'inside'}) }}"
"""

RETURN = r"""
_value:
  description: The observations, as M(private_ai.endpoints.private_endpoint_probe) returns them.
  type: list
  elements: dict
"""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.private_ai.endpoints.plugins.module_utils.probe import observe, resolver


def observations(
    results: Sequence[Mapping[str, Any]],
    targets: Sequence[Mapping[str, Any]],
    positions: Mapping[str, str],
    pinned: Sequence[str] = (),
    networks: Mapping[str, str] | None = None,
) -> list[dict[str, Any]]:
    """See DOCUMENTATION."""
    seen: list[dict[str, Any]] = []
    for result in results:
        if result.get("skipped"):
            continue
        if "observations" in result:
            seen += result["observations"]
            continue
        item = result["item"]
        vantage = str(item["key"] if isinstance(item, Mapping) else item)
        if vantage not in positions:
            raise AnsibleFilterError(f"observations: no position is given for vantage {vantage}")
        what = "unreachable" if result.get("unreachable") else "the probe failed"
        error = f"{what}: {str(result.get('msg', 'no message')).strip()}"
        position = positions[vantage]
        network = (networks or {}).get(vantage)
        seen += _missing(targets, vantage, position, network, position in pinned, error)
    return seen


def _missing(
    targets: Sequence[Mapping[str, Any]],
    vantage: str,
    position: str,
    network: str | None,
    pinned: bool,
    error: str,
) -> list[dict[str, Any]]:
    return [
        {
            "schema_version": 1,
            "vantage": vantage,
            "position": position,
            **{key: target[key] for key in ("cloud", "target", "host", "service", "plane")},
            "port": target.get("port", 443),
            "action": (target.get("probe_action") or {}).get("name"),
            "pinned": address,
            "observed_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "resolver": {"nameservers": [], "hosts_file": False, "hosts_addresses": []},
            "dns": resolver.skipped(),
            "connections": [],
            "not_connected": 0,
            "principal": None,
            "proxy": [],
            "error": error,
            "attempts": 0,
        }
        for target in targets
        for address in (observe.expected(dict(target), network) if pinned else [None])
    ]


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name and function."""
        return {"observations": observations}
