# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What stands in the lab's Azure, in words that do not depend on ids, seen by plain requests of Resource Manager.

As a script it prints that as JSON; the action plugin `look` returns it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from typing import Any

import requests

MANAGER = "https://management.azure.com"
APPLICATION, HUB, AI = (f"5{x}000000-0000-0000-0000-00000000000{x}" for x in "abc")
GROUP = f"/subscriptions/{APPLICATION}/resourceGroups/app-network/providers/Microsoft.Network"
SUBNET = f"{GROUP}/virtualNetworks/app/subnets/endpoints"
OWN = "private-ai-endpoints"
LOCK = f"{OWN}:lock"
NETWORK, DNS, ACCOUNTS = "2024-05-01", "2024-06-01", "2025-06-01"


class Arm:
    """Resource Manager, as the application's administrator."""

    def __init__(self) -> None:
        self.session = requests.Session()
        answer = self.session.post(
            f"https://login.microsoftonline.com/{os.environ['AZURE_TENANT_ID']}/oauth2/v2.0/token",
            data={
                "grant_type": "client_credentials",
                "client_id": os.environ["AZURE_CLIENT_ID"],
                "client_secret": os.environ["AZURE_CLIENT_SECRET"],
                "scope": f"{MANAGER}/.default",
            },
            timeout=30,
        )
        answer.raise_for_status()
        self.session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def get(self, path: str, version: str) -> dict[str, Any]:
        answer = self.session.get(MANAGER + path, params={"api-version": version}, timeout=30)
        answer.raise_for_status()
        return dict(answer.json())

    def list(self, path: str, version: str) -> list[dict[str, Any]]:
        return list(self.get(path, version)["value"])


def last(id_: str) -> str:
    return id_.rpartition("/")[2]


def counted(words: Iterable[str]) -> list[str]:
    """Each word once, with how often it is there when that is more than once."""
    words = list(words)
    return [
        word if words.count(word) == 1 else f"{word}*{words.count(word)}"
        for word in sorted(set(words))
    ]


def endpoints(arm: Arm) -> list[str]:
    """`name status zones=n own-tags` of each endpoint."""
    path = f"/subscriptions/{APPLICATION}/providers/Microsoft.Network/privateEndpoints"
    lines = []
    for item in arm.list(path, NETWORK):
        properties = item["properties"]
        (link,) = [
            *properties["privateLinkServiceConnections"],
            *properties["manualPrivateLinkServiceConnections"],
        ]
        status = link["properties"]["privateLinkServiceConnectionState"]["status"]
        groups = arm.list(f"{item['id']}/privateDnsZoneGroups", NETWORK)
        zones = sum(len(each["properties"]["privateDnsZoneConfigs"]) for each in groups)
        tags = item.get("tags") or {}
        own = [f"{key}={tags[key]}" for key in sorted(tags) if not key.startswith(OWN)]
        state = properties["provisioningState"]
        lines.append(" ".join([item["name"], state, status, f"zones={zones}", *own]))
    return sorted(lines)


def groups(arm: Arm) -> list[str]:
    """`name access<source… access<source…` of each security group, and what the endpoints' subnet has."""
    lines = []
    path = f"/subscriptions/{APPLICATION}/providers/Microsoft.Network/networkSecurityGroups"
    for item in arm.list(path, NETWORK):
        words = []
        for rule in item["properties"]["securityRules"]:
            each = rule["properties"]
            sources = each.get("sourceAddressPrefixes") or [each["sourceAddressPrefix"]]
            words.append(f"{each['access']}<{','.join(sorted(sources))}")
        lines.append(" ".join([item["name"], *counted(words)]))
    return sorted(lines)


def subnet(arm: Arm) -> list[str]:
    """`group policies` of the endpoints' subnet."""
    properties = arm.get(SUBNET, NETWORK)["properties"]
    attached = properties.get("networkSecurityGroup")
    return [
        f"{last(attached['id']) if attached else '-'} {properties['privateEndpointNetworkPolicies']}"
    ]


def zones(arm: Arm) -> list[str]:
    """`name network=policy… record=addresses…` of each private zone."""
    lines = []
    for subscription in (APPLICATION, HUB, AI):
        path = f"/subscriptions/{subscription}/providers/Microsoft.Network/privateDnsZones"
        for item in arm.list(path, DNS):
            links = [
                f"{last(link['properties']['virtualNetwork']['id'])}={link['properties']['resolutionPolicy']}"
                for link in arm.list(f"{item['id']}/virtualNetworkLinks", DNS)
            ]
            records = [
                f"{record['name']}:{len(record['properties']['aRecords'])}"
                for record in arm.list(f"{item['id']}/A", DNS)
            ]
            lines.append(" ".join([item["name"], *counted(links), *sorted(records)]))
    return sorted(lines)


def lock(arm: Arm) -> list[str]:
    """`name access default-action open|pending|sealed keyless? connections` of each account."""
    path = f"/subscriptions/{AI}/providers/Microsoft.CognitiveServices/accounts"
    lines = []
    for item in arm.list(path, ACCOUNTS):
        properties = item["properties"]
        rules = properties.get("networkAcls") or {}
        kept = (item.get("tags") or {}).get(LOCK, "open")
        connections = [
            each["properties"]["privateLinkServiceConnectionState"]["status"]
            for each in properties.get("privateEndpointConnections") or ()
        ]
        words = [item["name"], properties["publicNetworkAccess"], rules.get("defaultAction", "-")]
        keys = ["keyless"] if properties.get("disableLocalAuth") else []
        lines.append(" ".join([*words, kept.split()[0], *keys, *counted(connections)]))
    return sorted(lines)


def look() -> dict[str, list[str]]:
    """Everything, by kind; each kind sorted."""
    arm = Arm()
    return {
        "endpoints": endpoints(arm),
        "groups": groups(arm),
        "subnet": subnet(arm),
        "zones": zones(arm),
        "lock": lock(arm),
    }


if __name__ == "__main__":
    print(json.dumps(look()))
