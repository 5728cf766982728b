# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the tests of azure_openai_private_link share: ids, worlds, tasks, and somebody else who writes to Azure."""

from __future__ import annotations

import textwrap
from typing import Any

NAME = "private_ai.endpoints.azure_openai_private_link"
APPLICATION, HUB, AI = (f"5{x}000000-0000-0000-0000-00000000000{x}" for x in "abc")
GROUP = f"/subscriptions/{APPLICATION}/resourceGroups/app-network"
NETWORK = f"{GROUP}/providers/Microsoft.Network"
APP, SPOKE = f"{NETWORK}/virtualNetworks/app", f"{NETWORK}/virtualNetworks/spoke"
SUBNET = f"{APP}/subnets/endpoints"
ACCOUNTS = f"/subscriptions/{AI}/resourceGroups/ai/providers/Microsoft.CognitiveServices/accounts"
OPENAI, FOUNDRY = f"{ACCOUNTS}/lab-openai", f"{ACCOUNTS}/lab-foundry"
ENDPOINT = f"{NETWORK}/privateEndpoints/pe-lab-openai-app"
RULES = f"{NETWORK}/networkSecurityGroups/private-ai-app-endpoints"
ZONE = (
    f"/subscriptions/{HUB}/resourceGroups/dns/providers/Microsoft.Network/privateDnsZones/"
    "privatelink.openai.azure.com"
)
HOST = "lab-openai.openai.azure.com"
MANAGED = "private-ai-endpoints-managed"
CIDRS = ["10.20.0.0/16", "10.21.0.0/16"]
FAST = {"operation": 0.05, "endpoint": 0.1, "account": 0.05, "dns": 0.05, "retry_after": 0}


def world(*resources: dict[str, Any], **sections: Any) -> dict[str, Any]:
    """The default world, quick, and with these resources."""
    return {"azure": {"timing": FAST, "resources": list(resources), **sections}}


def module(**options: Any) -> dict[str, Any]:
    """A task."""
    return {NAME: {"account_id": OPENAI, "subnet_id": SUBNET, "allowed_cidrs": CIDRS, **options}}


def endpoint(
    account: str = OPENAI,
    name: str = "somebody",
    manual: bool = False,
    tags: dict[str, str] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """An endpoint of a world file."""
    link = {
        "name": "link",
        "properties": {"privateLinkServiceId": account, "groupIds": ["account"]},
    }
    kind = "manualPrivateLinkServiceConnections" if manual else "privateLinkServiceConnections"
    return {
        "id": f"{NETWORK}/privateEndpoints/{name}",
        "location": "eastus",
        "tags": tags or {},
        "properties": {"subnet": {"id": SUBNET}, kind: [link]},
        **more,
    }


def linked_zone() -> list[dict[str, Any]]:
    """A zone that is linked to the application's network, and has no record."""
    return [
        {"id": ZONE, "location": "global"},
        {
            "id": f"{ZONE}/virtualNetworkLinks/app",
            "location": "global",
            "properties": {"virtualNetwork": {"id": APP}, "registrationEnabled": False},
        },
    ]


def admin(code: str) -> dict[str, Any]:
    """Resource Manager in the hands of somebody else: `arm(method, path, body)` waits until it is done."""
    prelude = textwrap.dedent(
        """
        import json, time, requests
        from azure.identity import EnvironmentCredential
        token = EnvironmentCredential().get_token('https://management.azure.com/.default').token
        def ask(method, url, body=None):
            return requests.request(method, url, json=body, headers={'Authorization': 'Bearer ' + token})
        def arm(method, path, body=None, version='2024-05-01'):
            answer = ask(method, 'https://management.azure.com' + path + '?api-version=' + version, body)
            assert answer.status_code < 400, answer.text
            monitor = answer.headers.get('azure-asyncoperation')
            while monitor and ask('GET', monitor).json()['status'] == 'InProgress':
                time.sleep(0.05)
            return answer.json() if answer.content else None
        """
    )
    return {
        "ansible.builtin.command": {"argv": ["python", "-c", prelude + textwrap.dedent(code)]},
        "check_mode": False,
        "diff": False,
    }


def from_vantage(place: str, address: str, host: str = HOST) -> dict[str, Any]:
    """The status that a vantage gets from an address, 000 when nothing answers."""
    url = f"https://{host}/openai/models?api-version=2024-10-21"
    return {
        "ansible.builtin.shell": f"$LAB_RUN/in-azure-{place} curl -s -m 2 -o /dev/null -w '%{{http_code}}' "
        f"--resolve {host}:443:{address} '{url}' || true",
        "check_mode": False,
    }


def succeeded(outcome: Any) -> list[dict[str, Any]]:
    """The results, none of which is a failure: a failed task has not changed anything either."""
    failed = [item for item in outcome.results if item.get("failed")]
    assert not failed, failed
    results: list[dict[str, Any]] = outcome.results
    return results


def shape(steps: list[dict[str, Any]]) -> set[tuple[str, str, str]]:
    """Steps, as a prediction is compared."""
    return {(s["resource"], s["action"], name) for s in steps for name in (*s["after"], "")}


def parts(journal: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """The journal's calls of Resource Manager, one list for each sign-in."""
    found: list[list[dict[str, Any]]] = []
    for entry in journal:
        if entry["operation"] == "login:token":
            found.append([])
        elif not entry["operation"].startswith("login:"):
            found[-1].append(entry)
    return found
