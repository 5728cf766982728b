# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write a world and inventories of N Azure OpenAI accounts, for the benchmark. Usage: azure_fleet.py N FOLDER."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
GROUP = "/subscriptions/5a000000-0000-0000-0000-00000000000a/resourceGroups/bench"
NETWORKS = f"{GROUP}/providers/Microsoft.Network/virtualNetworks"
ACCOUNTS = f"{GROUP}/providers/Microsoft.CognitiveServices/accounts"


def target(number: int) -> list[dict[str, Any]]:
    """One account that is open to everybody, and the network that is to reach it."""
    return [
        {
            "id": f"{NETWORKS}/net-{number:03d}",
            "location": "eastus",
            "properties": {
                "addressSpace": {"addressPrefixes": [f"10.50.{number}.0/24"]},
                "subnets": [
                    {
                        "name": "endpoints",
                        "properties": {"addressPrefix": f"10.50.{number}.0/25"},
                    }
                ],
            },
        },
        {
            "id": f"{ACCOUNTS}/openai-{number:03d}",
            "location": "eastus",
            "kind": "OpenAI",
            "sku": {"name": "S0"},
            "properties": {
                "customSubDomainName": f"bench-openai-{number:03d}",
                "publicNetworkAccess": "Enabled",
            },
        },
    ]


def world(count: int) -> dict[str, Any]:
    """The default world with `count` more accounts, all in one resource group."""
    return {
        "extends": str(ROOT / "tests/lab/worlds/default.yml"),
        "azure": {
            "resource_groups": [{"id": GROUP, "location": "eastus"}],
            "resources": [each for number in range(count) for each in target(number)],
        },
    }


def inventory(count: int) -> dict[str, Any]:
    """One host per account, with its own id and its network's."""
    hosts = {
        f"openai-{number:03d}": {
            "account_id": f"{ACCOUNTS}/openai-{number:03d}",
            "network_id": f"{NETWORKS}/net-{number:03d}",
        }
        for number in range(count)
    }
    return {
        "all": {
            "hosts": hosts,
            "vars": {
                "ansible_connection": "local",
                "ansible_python_interpreter": "{{ ansible_playbook_python }}",
            },
        }
    }


def main() -> None:
    count, folder = int(sys.argv[1]), Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "world.yml").write_text(yaml.safe_dump(world(count)))
    (folder / "inventory.yml").write_text(yaml.safe_dump(inventory(count)))


if __name__ == "__main__":
    main()
