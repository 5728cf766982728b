# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The organisation: units, accounts, policies, what is attached where and what binds now."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

SCP = "SERVICE_CONTROL_POLICY"
FULL_ACCESS = "p-FullAWSAccess"
FULL_ACCESS_TEXT = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
)


@dataclass
class Node:
    """A root, an organizational unit or an account."""

    id: str
    type: str  # ROOT, ORGANIZATIONAL_UNIT, ACCOUNT
    name: str
    parent: str = ""  # "" for the root
    email: str = ""
    joined: float = 1.7e9  # seconds since the epoch
    tags: dict[str, str] = field(default_factory=dict)


@dataclass
class OrgPolicy:
    id: str
    name: str
    text: str  # the document as it was sent
    description: str = ""
    type: str = SCP
    aws_managed: bool = False
    tags: dict[str, str] = field(default_factory=dict)


# What binds: target id -> the documents attached there.
Binding = Mapping[str, tuple[Mapping[str, Any], ...]]


@dataclass
class Organization:
    id: str
    management_account: str
    nodes: dict[str, Node] = field(default_factory=dict)
    policies: dict[str, OrgPolicy] = field(default_factory=dict)
    attachments: dict[str, list[str]] = field(default_factory=dict)  # target id -> policy ids
    policy_types: dict[str, str] = field(default_factory=dict)  # SCP -> ENABLED, PENDING_ENABLE...
    binding: Binding | None = None  # None: service control policies are not enabled

    @property
    def root(self) -> Node:
        return next(node for node in self.nodes.values() if node.type == "ROOT")

    def path(self, node_id: str) -> list[str]:
        """Ids from the root down to the node itself; empty when it is not in the organisation."""
        found: list[str] = []
        while node_id and node_id in self.nodes:
            found.insert(0, node_id)
            node_id = self.nodes[node_id].parent
        return found

    def path_string(self, account: str) -> str:
        """The account's aws:PrincipalOrgPaths value: o-x/r-y/ou-z/ (without the account)."""
        parents = self.path(account)[:-1]
        return "/".join([self.id, *parents]) + "/" if parents else ""

    def effective(self, account: str) -> list[tuple[Mapping[str, Any], ...]] | None:
        """The SCP documents that bind an account now, one entry per level from the root down.

        None means that no SCP applies: the management account, an account outside the
        organisation, or the policy type is not enabled.
        """
        levels = self.path(account)
        if self.binding is None or not levels or account == self.management_account:
            return None
        return [self.binding.get(level, ()) for level in levels]

    def snapshot(self) -> Binding | None:
        """What the API shows now, as it will bind once it has propagated."""
        if self.policy_types.get(SCP) != "ENABLED":
            return None
        return {
            target: tuple(json.loads(self.policies[each].text) for each in attached)
            for target, attached in self.attachments.items()
        }
