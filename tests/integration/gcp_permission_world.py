# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Service accounts at Google that hold the files under permissions/gcp, and projects of their own for those that write.

Vertex AI is used in lab-ai, the networks are lab-vertex's and the zones lab-dns's, so that each file has a project of
its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .permission_holders import Holder

ORGANIZATION = "organizations/400000000001"
ACCESS_POLICY = "accessPolicies/600000000001"
PERIMETER, SHARED = (f"{ACCESS_POLICY}/servicePerimeters/{name}" for name in ("vertex", "shared"))
AI, NETWORK, ZONES, OTHER = "lab-ai", "lab-vertex", "lab-dns", "lab-shared"
APP, SPOKE = (f"projects/{NETWORK}/global/networks/{name}" for name in ("app", "spoke"))
CONSTRAINT = "vertexai.allowedModels"
MODEL = "publishers/google/models/gemini-2.0-flash:predict"
FAST = {
    "operation": 0.02,
    "dns_pending": 0.02,
    "dns_serve": 0.02,
    "policy_operation": 0.02,
    "perimeter_propagation": 0.02,
    "org_policy_propagation": 0.02,
}
# Where index.yml says that a file is attached, in the projects of the default world.
DEFAULT_SCOPES: dict[str, Sequence[str]] = {
    "": [NETWORK],
    "dns-network.yml": [NETWORK],
    "network": [NETWORK, ZONES],
    "zones": [ZONES],
    "project": [AI],
    "account": [AI],
    "organization": [ORGANIZATION],
}
HERE, THERE, MOVED = "10.255.30.2", "10.255.31.2", "10.255.30.3"


@dataclass(frozen=True)
class Own:
    """Projects with networks and zones that only one principal may use."""

    number: int

    @property
    def project(self) -> str:
        return f"network-{self.number}"

    @property
    def zones(self) -> str:
        return f"zones-{self.number}"

    def network(self, name: str) -> str:
        return f"projects/{self.project}/global/networks/{name}"

    def subnet(self, name: str) -> str:
        return f"projects/{self.project}/regions/us-central1/subnetworks/{name}"

    @property
    def scopes(self) -> dict[str, Sequence[str]]:
        return {
            **DEFAULT_SCOPES,
            "": [self.project],
            "dns-network.yml": [self.project],
            "network": [self.project, self.zones],
            "zones": [self.zones],
        }

    def sections(self) -> dict[str, list[dict[str, Any]]]:
        return {
            "projects": [
                {"id": self.project, "number": f"51{self.number:010d}"},
                {"id": self.zones, "number": f"52{self.number:010d}"},
            ],
            "networks": [
                {
                    "id": self.network(name),
                    "subnets": [{"name": name, "region": "us-central1", "range": cidr}],
                }
                for name, cidr in (("app", "10.30.1.0/24"), ("spoke", "10.31.1.0/24"))
            ],
        }


def email(number: int) -> str:
    return f"holder-{number}@lab-vertex.iam.gserviceaccount.com"


def prober(number: int) -> str:
    """Whose tokens a principal's probes call with."""
    return f"prober-{number}@lab-vertex.iam.gserviceaccount.com"


def key_file(account: str) -> str:
    """The key of an account, in a playbook."""
    return f"{{{{ lookup('ansible.builtin.env', 'LAB_RUN') }}}}/gcp/{account}.json"


class World:
    """The world of all principals; each file that one holds becomes a custom role of the organization."""

    def __init__(self) -> None:
        self.roles: dict[str, list[str]] = {}
        self.bindings: dict[str, dict[str, list[str]]] = {}
        self.accounts: list[dict[str, Any]] = []
        self.projects: list[dict[str, Any]] = [
            {
                "id": AI,
                "number": "500000000010",
                "audit": {"aiplatform.googleapis.com": ["DATA_READ", "DATA_WRITE"]},
            },
            {"id": ZONES, "number": "500000000011"},
            {"id": OTHER, "number": "500000000012"},
        ]
        self.networks: list[dict[str, Any]] = []

    def bind(self, place: str, role: str, account: str) -> None:
        members = self.bindings.setdefault(place, {}).setdefault(role, [])
        members.append(f"serviceAccount:{account}")

    def add(self, number: int, holder: Holder, scopes: Mapping[str, Sequence[str]]) -> None:
        """One principal, with its files where they belong."""
        account, creators = email(number), []
        for kept in holder.files:
            role = f"{ORGANIZATION}/roles/{kept.name.partition('.')[0].replace('-', '_')}_{number}"
            self.roles[role] = list(kept.permissions)
            for place in scopes.get(kept.name) or scopes.get(kept.where, ()):
                self.bind(place, role, prober(number) if kept.where == "account" else account)
            if kept.where == "controller" and kept.permissions:
                creators.append(f"serviceAccount:{account}")
        self.accounts += [{"id": account}, {"id": prober(number), "creators": creators}]

    def document(self) -> dict[str, Any]:
        known = {item["id"]: item for item in self.projects}
        known.setdefault(NETWORK, {"id": NETWORK})
        for place, roles in self.bindings.items():
            if place != ORGANIZATION:
                known[place] = {**known[place], "bindings": roles}
        policy = {"name": f"projects/500000000012/policies/{CONSTRAINT}"}
        return {
            "gcp": {
                "timing": FAST,
                "organization": {"bindings": self.bindings.get(ORGANIZATION, {})},
                "roles": self.roles,
                "projects": list(known.values()),
                "service_accounts": self.accounts,
                "networks": self.networks,
                "response_policies": [
                    {"id": f"projects/{ZONES}/responsePolicies/own", "networks": [APP]}
                ],
                "org_policies": [
                    {**policy, "spec": {"rules": [{"values": {"allowedValues": [MODEL]}}]}}
                ],
                "access_policies": [
                    {
                        "id": "600000000001",
                        "perimeters": [
                            {
                                "name": "shared",
                                "title": "shared",
                                "perimeterType": "PERIMETER_TYPE_REGULAR",
                                "status": {
                                    "resources": ["projects/500000000002"],
                                    "restrictedServices": ["storage.googleapis.com"],
                                },
                            }
                        ],
                    }
                ],
            }
        }
