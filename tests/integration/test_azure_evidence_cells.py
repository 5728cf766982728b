# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is wrong in a world of Azure is found in the evidence alone, by its own check and in its own words."""

from __future__ import annotations

from typing import Any

import pytest

NAME = "private_ai.endpoints.azure_openai_private_link_info"
APPLICATION = "/subscriptions/5a000000-0000-0000-0000-00000000000a"
AI = "/subscriptions/5c000000-0000-0000-0000-00000000000c"
NETWORK = f"{APPLICATION}/resourceGroups/app-network/providers/Microsoft.Network"
NETWORKS = f"{NETWORK}/virtualNetworks"
ACCOUNT = f"{AI}/resourceGroups/ai/providers/Microsoft.CognitiveServices/accounts/lab-openai"
OPENAI_USER = "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd"
ROLES = f"{AI}/providers/Microsoft.Authorization"
ZONE = f"{NETWORK}/privateDnsZones/privatelink.openai.azure.com"


def account(**properties: Any) -> dict[str, Any]:
    return {"id": ACCOUNT, "properties": properties}


def endpoint(**forced: str) -> dict[str, Any]:
    """An endpoint that was made by hand."""
    of = {"privateLinkServiceId": ACCOUNT, "groupIds": ["account"]}
    properties = {
        "subnet": {"id": f"{NETWORKS}/app/subnets/endpoints"},
        "privateLinkServiceConnections": [{"name": "pe", "properties": of}],
    }
    made = {"id": f"{NETWORK}/privateEndpoints/pe", "location": "eastus", "properties": properties}
    return {**made, "forced": forced} if forced else made


def zone(*addresses: str) -> list[dict[str, Any]]:
    """A zone for the network and the spoke, with these addresses for the account."""
    records = [{"ipv4Address": item} for item in addresses]
    links = [
        {
            "id": f"{ZONE}/virtualNetworkLinks/{name}",
            "location": "global",
            "properties": {
                "virtualNetwork": {"id": f"{NETWORKS}/{name}"},
                "registrationEnabled": False,
            },
        }
        for name in ("app", "spoke")
    ]
    record = {"id": f"{ZONE}/A/lab-openai", "properties": {"ttl": 10, "aRecords": records}}
    return [{"id": ZONE, "location": "global"}, *links, record]


def grant(scope: str, role: str) -> dict[str, Any]:
    values = {"principalId": "03000000-0000-0000-0000-000000000003", "principalType": "Group"}
    definition = f"{ROLES}/roleDefinitions/{role}"
    assignment = f"{scope}/providers/Microsoft.Authorization/roleAssignments/"
    return {
        "id": assignment + "b0000000-0000-0000-0000-000000000001",
        "properties": {"roleDefinitionId": definition, **values},
    }


def custom_role() -> dict[str, Any]:
    identifier = "c0000000-0000-0000-0000-00000000000c"
    permissions = [
        {"actions": [], "dataActions": ["Microsoft.CognitiveServices/accounts/OpenAI/*"]}
    ]
    properties = {"roleName": "Callers", "permissions": permissions}
    return {"id": f"{ROLES}/roleDefinitions/{identifier}", "properties": properties}


def perimeter(*prefixes: str) -> dict[str, Any]:
    rule = {"name": "in", "properties": {"direction": "Inbound", "addressPrefixes": list(prefixes)}}
    properties = {
        "networkSecurityPerimeter": {
            "id": f"{AI}/resourceGroups/ai/providers/Microsoft.Network/p/ai"
        },
        "resourceAssociation": {"name": "a", "accessMode": "Enforced"},
        "profile": {"name": "p", "accessRules": [rule]},
    }
    return {"id": f"{ACCOUNT}/networkSecurityPerimeterConfigurations/x", "properties": properties}


def spoke_dns() -> dict[str, Any]:
    return {
        "id": f"{NETWORKS}/spoke",
        "properties": {"dhcpOptions": {"dnsServers": ["10.21.1.4"]}},
    }


def peering() -> dict[str, Any]:
    return {
        "id": f"{NETWORKS}/app/virtualNetworkPeerings/to-spoke",
        "forced": {"peeringState": "Disconnected"},
    }


_DISABLED = account(publicNetworkAccess="Disabled", networkAcls={"defaultAction": "Deny"})


@pytest.mark.parametrize(
    ("resources", "check", "status", "said"),
    [
        ([perimeter("0.0.0.0/0")], "m1_public_access", "fail", "admits 0.0.0.0/0"),
        ([perimeter()], "m1_public_access", "pass", "no inbound rule (Enforced)"),
        ([_DISABLED], "m1_public_access", "pass", "publicNetworkAccess is Disabled"),
        ([endpoint(), *zone("10.20.2.99")], "m2_names", "fail", "10.20.2.99"),
        ([endpoint(), *zone("10.20.2.4")], "m2_names", "pass", "privatelink.openai.azure.com"),
        ([grant(AI, OPENAI_USER)], "m3_access", "fail", f"is granted on {AI}"),
        (
            [custom_role(), grant(AI, "c0000000-0000-0000-0000-00000000000c")],
            "m3_access",
            "fail",
            "Callers is granted",
        ),
        ([endpoint()], "m4_firewall", "fail", "has no network security group"),
        ([endpoint(), peering()], "m5_placement", "warn", "it is Disconnected"),
        ([endpoint(), *zone("10.20.2.4"), spoke_dns()], "m6_spokes", "unknown", "10.21.1.4"),
        ([endpoint(), *zone("10.20.2.4")], "m6_spokes", "pass", "by configuration"),
        ([endpoint(connection="Rejected")], "connection", "fail", "its connection is Rejected"),
        ([endpoint(connection="Pending")], "connection", "fail", "its connection is Pending"),
        ([endpoint(connection="Disconnected")], "connection", "fail", "is Disconnected"),
    ],
)
def test_it_is_found_by_its_own_check(
    lab: Any, resources: list[dict[str, Any]], check: str, status: str, said: str
) -> None:
    judge = {
        "evidence": ["{{ result_0.evidence }}"],
        "fail_on": "never",
        "expect": "private",
        "checks": [f"azure_{check}"],
    }
    outcome = lab.tasks(
        {NAME: {"account_id": ACCOUNT, "network_id": f"{NETWORKS}/app", "target_name": "openai"}},
        {"private_ai.endpoints.private_endpoint_validate": judge},
        world={"azure": {"resources": resources}},
    )
    observed, judged = outcome.results
    assert not observed.get("failed"), observed
    assert "findings" in judged, judged
    found = [item for item in judged["findings"] if item["status"] == status]
    assert any(said in item["observed"] for item in found), judged["findings"]
