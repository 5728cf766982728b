# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Principals on Azure that hold the files under permissions/azure, and resources of their own for those that write."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .azure_private_link import AI, APPLICATION, FOUNDRY, HUB, OPENAI, SUBNET, endpoint
from .azure_private_link import APP as DEFAULT_APP
from .azure_private_link import GROUP as DEFAULT_GROUP
from .permission_holders import Holder, Kept

TENANT = "7e000000-0000-0000-0000-000000000001"
SECRET = "lab-azure-permissions"
WORKSPACE = (
    f"/subscriptions/{HUB}/resourceGroups/monitoring/providers/Microsoft.OperationalInsights/"
    "workspaces/central"
)
# Where index.yml says that a file is attached.
DEFAULT_SCOPES = {
    "network": f"/subscriptions/{APPLICATION}",
    "hub": f"/subscriptions/{HUB}",
    "account": f"/subscriptions/{AI}",
    "workspace": WORKSPACE,
}
FAST = {
    "operation": 0.02,
    "endpoint": 0.02,
    "account": 0.02,
    "dns": 0.02,
    "access_propagation": 0.02,
    "retry_after": 0,
}


@dataclass(frozen=True)
class Own:
    """Three subscriptions that only one principal may use, as the default world's are arranged."""

    number: int

    def subscription(self, letter: str) -> str:
        return f"5{letter}{self.number:06d}-0000-0000-0000-00000000000{letter}"

    @property
    def network_group(self) -> str:
        return f"/subscriptions/{self.subscription('a')}/resourceGroups/network"

    @property
    def app(self) -> str:
        return f"{self.network_group}/providers/Microsoft.Network/virtualNetworks/app"

    @property
    def spoke(self) -> str:
        return f"{self.network_group}/providers/Microsoft.Network/virtualNetworks/spoke"

    @property
    def subnet(self) -> str:
        return f"{self.app}/subnets/endpoints"

    @property
    def zone(self) -> str:
        return (
            f"/subscriptions/{self.subscription('b')}/resourceGroups/dns/providers/"
            "Microsoft.Network/privateDnsZones/privatelink.openai.azure.com"
        )

    def account(self, name: str) -> str:
        return (
            f"/subscriptions/{self.subscription('c')}/resourceGroups/ai/providers/"
            f"Microsoft.CognitiveServices/accounts/{name}-{self.number}"
        )

    @property
    def scopes(self) -> dict[str, str]:
        places = {"network": "a", "hub": "b", "account": "c"}
        return {
            name: f"/subscriptions/{self.subscription(letter)}" for name, letter in places.items()
        }

    def sections(self) -> dict[str, list[dict[str, Any]]]:
        """Its subscriptions, groups, networks and accounts."""
        groups = (self.network_group, self.zone.split("/providers")[0])
        group = self.account("one").split("/providers")[0]
        return {
            "subscriptions": [
                {
                    "id": self.subscription(letter),
                    "name": f"{letter}{self.number}",
                    "tenant": TENANT,
                }
                for letter in "abc"
            ],
            "resource_groups": [{"id": item, "location": "eastus"} for item in (*groups, group)],
            "resources": [*self._networks(), *self._accounts()],
        }

    def _networks(self) -> Iterable[dict[str, Any]]:
        table = f"{self.network_group}/providers/Microsoft.Network/routeTables/app"
        gateway = f"{self.network_group}/providers/Microsoft.Network/natGateways/app"
        yield {"id": table, "location": "eastus", "properties": {}}
        yield {"id": gateway, "location": "eastus", "sku": {"name": "Standard"}}
        subnet = {
            "addressPrefix": "10.20.2.0/24",
            "routeTable": {"id": table},
            "natGateway": {"id": gateway},
        }
        for network, cidr, properties in (
            (self.app, "10.20.0.0/16", subnet),
            (self.spoke, "10.21.0.0/16", {"addressPrefix": "10.21.1.0/24"}),
        ):
            yield {
                "id": network,
                "location": "eastus",
                "properties": {
                    "addressSpace": {"addressPrefixes": [cidr]},
                    "subnets": [{"name": "endpoints", "properties": properties}],
                },
            }

    def _accounts(self) -> Iterable[dict[str, Any]]:
        for name in ("one", "two"):
            yield {
                "id": self.account(name),
                "location": "eastus",
                "kind": "OpenAI",
                "sku": {"name": "S0"},
                "properties": {"customSubDomainName": f"{name}-{self.number}"},
            }

    def linked_zone(self) -> list[dict[str, Any]]:
        """A zone that the network asks already."""
        return [
            {"id": self.zone, "location": "global"},
            {
                "id": f"{self.zone}/virtualNetworkLinks/app",
                "location": "global",
                "properties": {"virtualNetwork": {"id": self.app}, "registrationEnabled": False},
            },
        ]

    def endpoint(self, name: str, **more: Any) -> dict[str, Any]:
        """An endpoint of one of the accounts, as the module would name it."""
        made = endpoint(self.account(name), f"pe-{name}-{self.number}-app", **more)
        group = f"{self.network_group}/providers/Microsoft.Network"
        properties = {**made["properties"], "subnet": {"id": self.subnet}}
        return {
            **made,
            "id": f"{group}/privateEndpoints/pe-{name}-{self.number}-app",
            "properties": properties,
        }

    def waiting_endpoint(self) -> list[dict[str, Any]]:
        """One that was asked for by hand, in an application security group."""
        asg = f"{self.network_group}/providers/Microsoft.Network/applicationSecurityGroups/app"
        made = self.endpoint("two", manual=True)
        made["properties"] = {**made["properties"], "applicationSecurityGroups": [{"id": asg}]}
        return [{"id": asg, "location": "eastus", "properties": {}}, made]


def client_id(number: int, kind: int = 9) -> str:
    return f"c{kind}{number:06d}-0000-0000-0000-00000000000{kind}"


def administrator(number: int, scopes: Mapping[str, str]) -> dict[str, Any]:
    """Who prepares a principal's own subscriptions, and sees no others."""
    permissions = [{"scope": scope, "actions": ["*"]} for scope in scopes.values()]
    return {
        "client_id": client_id(number, 8),
        "object_id": f"08{number:06d}-0000-0000-0000-000000000008",
        "tenant": TENANT,
        "name": f"administrator-{number}",
        "secrets": [SECRET],
        "permissions": permissions,
    }


def principal(number: int, holder: Holder, scopes: Mapping[str, str]) -> dict[str, Any]:
    """A client with the files of a holder, each at its own scope."""
    return {
        "client_id": client_id(number),
        "object_id": f"09{number:06d}-0000-0000-0000-000000000009",
        "tenant": TENANT,
        "name": f"holder-{number}",
        "secrets": [SECRET],
        "permissions": [_permission(item, scopes) for item in holder.files],
    }


def _permission(kept: Kept, scopes: Mapping[str, str]) -> dict[str, Any]:
    return {"scope": scopes[kept.where], "actions": list(kept.permissions)}


def target_resources() -> list[dict[str, Any]]:
    """What the default world's first account lacks: what a subnet can name, and a subnet that the account lets in."""
    table = f"{DEFAULT_GROUP}/providers/Microsoft.Network/routeTables/app"
    gateway = f"{DEFAULT_GROUP}/providers/Microsoft.Network/natGateways/app"
    batch = {
        "name": "batch",
        "properties": {
            "addressPrefix": "10.20.9.0/24",
            "serviceEndpoints": [{"service": "Microsoft.CognitiveServices"}],
        },
    }
    rules = [{"id": f"{DEFAULT_APP}/subnets/batch"}]
    return [
        {"id": DEFAULT_APP, "properties": {"subnets": [batch]}},
        *(
            {
                "id": account,
                "properties": {
                    "networkAcls": {"defaultAction": "Allow", "virtualNetworkRules": rules}
                },
            }
            for account in (OPENAI, FOUNDRY)
        ),
        {"id": table, "location": "eastus", "properties": {}},
        {"id": gateway, "location": "eastus", "sku": {"name": "Standard"}},
        {
            "id": SUBNET,
            "properties": {
                "addressPrefix": "10.20.2.0/24",
                "routeTable": {"id": table},
                "natGateway": {"id": gateway},
            },
        },
    ]
