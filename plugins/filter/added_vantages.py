# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The vantages that targets name and the inventory, or this slice of it, has no host for."""

from __future__ import annotations

DOCUMENTATION = r"""
name: added_vantages
short_description: Find the vantages of targets that are described and are no hosts of the inventory
version_added: 0.3.0
description:
  - A target describes a vantage in its C(vantages), or names one that C(private_endpoint_vantages) describes. The
    latter is a dictionary of names and variables, and serves inventories of which a job sees only a part.
  - A vantage that C(private_endpoint_vantages) describes and that is a host already keeps the variables of the host.
author:
  - private_ai.endpoints contributors (@private-ai)
positional: hostvars, known
options:
  _input:
    description: Names of the targets.
    type: list
    elements: str
    required: true
  hostvars:
    description: The variables of all hosts.
    type: dict
    required: true
  known:
    description: Names of the hosts that there are.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Show the vantages that this job lacks
  ansible.builtin.debug:
    msg: "{{ ansible_play_hosts | private_ai.endpoints.added_vantages(hostvars, groups.all) }}"
"""

RETURN = r"""
_value:
  description: One dictionary of variables for each vantage, with its C(name) and C(groups).
  type: list
  elements: dict
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError

VARIABLES = (
    "ansible_connection",
    "ansible_host",
    "ansible_port",
    "ansible_python_interpreter",
    "ansible_ssh_common_args",
    "ansible_user",
    "vantage_bearer_principal",
    "vantage_ca_path",
    "vantage_canary_command",
    "vantage_network_id",
    "vantage_position",
    "vantage_principal_tags",
    "vantage_subnet_id",
)
# What is added is shown in the output, so that secrets have to come from a group.
_SECRETS = (
    "vantage_aws_access_key_id",
    "vantage_aws_secret_access_key",
    "vantage_aws_session_token",
    "vantage_bearer_token",
)
_GROUPS = ("vantages",)


def added_vantages(
    hosts: Iterable[str], hostvars: Mapping[str, Mapping[str, Any]], known: Iterable[str]
) -> list[dict[str, Any]]:
    """See DOCUMENTATION."""
    there = set(known)
    found: dict[str, dict[str, Any]] = {}
    for host in hosts:
        described = hostvars[host].get("private_endpoint_vantages") or {}
        if not isinstance(described, Mapping):
            raise AnsibleFilterError(
                f"{host}: private_endpoint_vantages: it has to be a dictionary of names and variables."
            )
        for entry in _list(hostvars[host].get("vantages"), f"{host}: vantages"):
            if isinstance(entry, Mapping):
                if not entry.get("name"):
                    raise AnsibleFilterError(
                        f"{host}: vantages: an entry that describes a vantage has to have its name."
                    )
                added = _described(str(entry["name"]), f"{host}: vantages", entry)
            elif entry in described and entry not in there:
                added = _described(entry, "private_endpoint_vantages", described[entry])
            else:
                continue
            name = added["name"]
            if found.setdefault(name, added) != added:
                raise AnsibleFilterError(
                    f"vantage {name} is described in two ways, in the second by {host}. Describe it once."
                )
    return list(found.values())


def _list(value: Any, where: str) -> list[Any]:
    if value is None:
        return []
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise AnsibleFilterError(f"{where}: it has to be a list.")
    return list(value)


def _described(name: str, where: str, entry: Any) -> dict[str, Any]:
    if not isinstance(entry, (Mapping, type(None))):
        raise AnsibleFilterError(f"{where}: {name}: it has to be a dictionary of variables.")
    entry = entry or {}
    given = {key: value for key, value in entry.items() if key not in ("name", "groups")}
    if "position" in given:
        given["vantage_position"] = given.pop("position")
    secret = sorted(set(given) & set(_SECRETS))
    if secret:
        raise AnsibleFilterError(
            f"{where}: {name}: {', '.join(secret)} would be shown in the output."
            " Make it a variable of one of its groups."
        )
    unknown = sorted(set(given) - set(VARIABLES))
    if unknown:
        raise AnsibleFilterError(
            f"{where}: {name}: {', '.join(unknown)} cannot be described there. Make it a variable of one of"
            f" its groups. What can be: position, groups, {', '.join(VARIABLES)}."
        )
    groups = entry.get("groups")
    if isinstance(groups, str):
        # As add_host takes it.
        groups = [text.strip() for text in groups.split(",") if text.strip()]
    groups = _list(groups, f"{where}: {name}: groups")
    if not all(isinstance(group, str) for group in groups):
        raise AnsibleFilterError(f"{where}: {name}: groups: it has to be a list of names.")
    return {"name": name, "groups": groups or list(_GROUPS), **given}


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name and function."""
        return {"added_vantages": added_vantages}
