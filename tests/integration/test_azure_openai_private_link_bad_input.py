# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bad input to azure_openai_private_link: one clear sentence with option, Azure's code and fix, before any write."""

from __future__ import annotations

import json
from typing import Any

from .azure_private_link import (
    ACCOUNTS,
    APP,
    CIDRS,
    FOUNDRY,
    NETWORK,
    OPENAI,
    SUBNET,
    endpoint,
    module,
    world,
)

FOREIGN = "5f000000-0000-0000-0000-00000000000f"
CREDENTIALS = {
    "tenant": "7e000000-0000-0000-0000-000000000001",
    "client_id": "c1000000-0000-0000-0000-000000000001",
    "secret": "lab-azure-secret",
}
READER = {"client_id": "c4000000-0000-0000-0000-000000000004", "secret": "lab-azure-reader"}
BLIND = {"client_id": "c5000000-0000-0000-0000-000000000005", "secret": "lab-azure-blind"}
DENYING = {
    "name": "closed",
    "properties": {
        "priority": 4000,
        "direction": "Inbound",
        "access": "Deny",
        "protocol": "*",
        "sourceAddressPrefix": "*",
        "sourcePortRange": "*",
        "destinationAddressPrefix": "*",
        "destinationPortRange": "*",
    },
}


def other_subnet(name: str, prefix: str, **properties: Any) -> dict[str, Any]:
    return {"name": name, "properties": {"addressPrefix": prefix, **properties}}


def in_more(name: str, subnet: str) -> dict[str, Any]:
    """An endpoint of somebody else in the other network."""
    made = endpoint(account=f"{ACCOUNTS}/lost", name=name)
    made["properties"]["subnet"] = {"id": f"{NETWORK}/virtualNetworks/more/subnets/{subnet}"}
    return {**made, "location": "westus"}


WORLD = world(
    {
        "id": f"{NETWORK}/networkSecurityGroups/closed",
        "location": "eastus",
        "properties": {"securityRules": [DENYING]},
    },
    {
        "id": f"{NETWORK}/virtualNetworks/more",
        "location": "westus",
        "properties": {
            "addressSpace": {"addressPrefixes": ["10.30.0.0/16"]},
            "subnets": [
                other_subnet("tiny", "10.30.0.0/29"),
                other_subnet("GatewaySubnet", "10.30.1.0/24"),
                other_subnet(
                    "web",
                    "10.30.2.0/24",
                    delegations=[
                        {"name": "web", "properties": {"serviceName": "Microsoft.Web/serverFarms"}}
                    ],
                ),
                other_subnet(
                    "closed",
                    "10.30.3.0/24",
                    networkSecurityGroup={"id": f"{NETWORK}/networkSecurityGroups/closed"},
                ),
            ],
        },
    },
    {
        "id": f"{ACCOUNTS}/plain",
        "location": "eastus",
        "kind": "OpenAI",
        "sku": {"name": "S0"},
        "properties": {},
    },
    endpoint(account=FOUNDRY, name="pe-lab-openai-app"),
    in_more("neighbour", "closed"),
    in_more("squatter", "tiny"),
    {**endpoint(account=f"{ACCOUNTS}/lost", name="lost"), "forced": {"connection": "Rejected"}},
    tenants=[
        {"id": "7e000000-0000-0000-0000-000000000001"},
        {"id": "7f000000-0000-0000-0000-000000000002"},
    ],
    subscriptions=[
        {"id": FOREIGN, "name": "foreign", "tenant": "7f000000-0000-0000-0000-000000000002"}
    ],
    principals=[
        {
            "name": "reader",
            "client_id": READER["client_id"],
            "object_id": "04000000-0000-0000-0000-000000000004",
            "tenant": CREDENTIALS["tenant"],
            "secrets": [READER["secret"]],
            "permissions": [{"scope": "/", "actions": ["*/read"]}],
        },
        {
            "name": "blind",
            "client_id": BLIND["client_id"],
            "object_id": "05000000-0000-0000-0000-000000000005",
            "tenant": CREDENTIALS["tenant"],
            "secrets": [BLIND["secret"]],
            "permissions": [{"scope": APP, "actions": ["*"]}],
        },
    ],
)
WORLD["azure"]["resources"].insert(
    0,
    {
        "id": f"{ACCOUNTS}/lost",
        "location": "eastus",
        "kind": "OpenAI",
        "sku": {"name": "S0"},
        "properties": {"customSubDomainName": "lab-lost"},
    },
)
MORE = f"{NETWORK}/virtualNetworks/more/subnets"
LOST = {"account_id": f"{ACCOUNTS}/lost"}
# What is wrong → the options that differ, and what the sentence must say.
CASES: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "no such account": (
        {"account_id": f"{ACCOUNTS}/nobody"},
        ("account_id: ", "accounts/nobody does not exist", "ResourceNotFound"),
    ),
    "no such subscription": (
        {"account_id": OPENAI.replace("5c000000", "5d000000")},
        ("account_id: ", "does not exist for these credentials"),
    ),
    "no such subnet, and no such account": (
        {"account_id": f"{ACCOUNTS}/nobody", "subnet_id": f"{APP}/subnets/none"},
        ("account_id: ", "subnet_id: ", "subnets/none does not exist"),
    ),
    "an account without its group": (
        {"account_id": "lab-openai"},
        ("resource_group: is missing",),
    ),
    "no id": ({"subnet_id": "endpoints"}, ("subnet_id: endpoints is not the resource id",)),
    "no custom subdomain": (
        {"account_id": f"{ACCOUNTS}/plain"},
        ("has no custom subdomain", "--custom-domain"),
    ),
    "a subnet too small": (
        {"account_id": FOUNDRY, "subnet_id": f"{MORE}/tiny", "endpoint_name": "new"},
        ("has 2 free addresses", "takes 3", "SubnetIsFull"),
    ),
    "a subnet of the wrong kind": (
        {"subnet_id": f"{MORE}/GatewaySubnet"},
        ("GatewaySubnet is reserved",),
    ),
    "a delegated subnet": (
        {"subnet_id": f"{MORE}/web"},
        ("delegated to Microsoft.Web/serverFarms",),
    ),
    "another place": (
        {"subnet_id": f"{MORE}/tiny", "location": "eastus"},
        ("location: eastus is not where the virtual network is, westus",),
    ),
    "a name that is taken": ({}, ("endpoint_name: ", "belongs to another account")),
    "neighbours that would be closed": (
        {"subnet_id": f"{MORE}/closed"},
        ("neighbour", "the rules closed", "subnet_policies: NetworkSecurityGroupEnabled"),
    ),
    "addresses elsewhere": (
        {"static_addresses": ["10.99.0.1"], "endpoint_name": "new"},
        ("10.99.0.1 does not lie in the subnet", "PrivateIPAddressNotInSubnet"),
    ),
    "a rejected connection": (LOST, ("is Rejected", "Approve the connection again")),
    "a network in another tenant": (
        {"subnet_id": SUBNET.replace(SUBNET.split("/")[2], FOREIGN)},
        ("InvalidAuthenticationTokenTenant", "another tenant"),
    ),
    "half a principal": (
        {"client_id": "c", "tenant": "t"},
        ("secret: client_id is given without secret",),
    ),
    "a wrong secret": (
        {**CREDENTIALS, "secret": "wrong"},
        ("AADSTS7000215", "Check tenant, client_id and secret"),
    ),
    "an unknown cloud": (
        {"cloud_environment": "AzureStack"},
        ("cloud_environment: AzureStack", "AzureUSGovernment"),
    ),
    "no network": ({"allowed_cidrs": ["10.0.0.0/33"]}, ("allowed_cidrs: 10.0.0.0/33",)),
    "no permission to write": (
        {**CREDENTIALS, **READER, "endpoint_name": "new"},
        (
            "permission denied for Microsoft.Network/privateEndpoints/write",
            "on /subscriptions/5a000000-0000-0000-0000-00000000000a/resourceGroups/app-network",
            "Microsoft.Network/virtualNetworks/subnets/join/action",
            "Microsoft.CognitiveServices/accounts/PrivateEndpointConnectionsApproval/action",
        ),
    ),
    "no permission to read": (
        {**CREDENTIALS, **BLIND},
        (
            "permission denied for Microsoft.CognitiveServices/accounts/read",
            f"on {OPENAI}",
            "Microsoft.Network/privateEndpoints/read",
        ),
    ),
}


def test_every_mistake_is_one_clear_sentence_before_a_write(lab: Any) -> None:
    outcome = lab.tasks(*(module(**options) for options, _words in CASES.values()), world=WORLD)
    for name, (options, words), result in zip(CASES, CASES.values(), outcome.results, strict=True):
        assert result.get("failed"), (name, result)
        assert all(word in result["msg"] for word in words), (name, result["msg"])
        assert "Traceback" not in json.dumps(result), (name, result)
        assert "error" in result, (name, result)
        secret = options.get("secret")
        assert not secret or secret not in json.dumps(result), name
    assert outcome.writes == []


def test_a_provider_that_is_not_registered_stays_so(lab: Any) -> None:
    subscriptions = [
        {"id": SUBNET.split("/")[2], "unregistered": ["Microsoft.Network"]},
    ]
    outcome = lab.tasks(
        {**module(), "check_mode": True}, module(), world=world(subscriptions=subscriptions)
    )
    predicted, failed = outcome.results
    assert not predicted.get("failed"), predicted
    assert failed["failed"] and "az provider register" in failed["msg"]
    assert not [item for item in outcome.journal if "register" in item["operation"]]
    assert CIDRS and "MissingSubscriptionRegistration" in failed["msg"]
