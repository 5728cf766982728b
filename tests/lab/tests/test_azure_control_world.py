# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a world file may say of Azure, and what the lab says of the mistakes in one."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import pytest

from lab import azure, worlds
from lab.azure import sample
from lab.azure.sample import APP, ENDPOINT, GROUP, NETWORK, OPENAI, SUBSCRIPTION, TENANT


def problems(**sections: Any) -> list[str]:
    return azure.check(worlds.merge(sample.world(), {"azure": sections}))


def resources(*entries: dict[str, Any]) -> list[str]:
    return problems(resources=list(entries))


def test_the_sample_and_the_default_world_are_right() -> None:
    assert azure.check(sample.world()) == []
    assert "azure" in worlds.load(worlds.DEFAULT).clouds


@pytest.mark.parametrize(
    ("sections", "words"),
    [
        ({"nothing": 1}, "azure.nothing: unknown key (known: "),
        ({"timing": {"speed": 1}}, "azure.timing.speed: unknown key"),
        ({"timing": {"endpoint": "fast"}}, "azure.timing.endpoint: must be int or float"),
        ({"tenants": [{"id": "x"}]}, "azure.tenants[0] (x).id: must match"),
        ({"tenants": [{"id": TENANT, "cloud": "Moon"}]}, ".cloud: must match AzureCloud|"),
        ({"tenants": "x"}, "azure.tenants: must be a list"),
        ({"subscriptions": [{"id": SUBSCRIPTION}]}, ".tenant: missing"),
        (
            {"subscriptions": [{"id": SUBSCRIPTION, "tenant": SUBSCRIPTION}]},
            f"azure.subscriptions[0].tenant: there is no tenant {SUBSCRIPTION}",
        ),
        ({"principals": [{"client_id": SUBSCRIPTION}]}, ".object_id: missing"),
        ({"resource_groups": [{"id": "ai", "location": "eastus"}]}, ".id: must be /subscriptions/"),
        (
            {
                "resource_groups": [
                    {"id": f"/subscriptions/{TENANT}/resourceGroups/ai", "location": "eastus"}
                ]
            },
            f".id: there is no subscription {TENANT}",
        ),
        ({"resources": {"id": APP}}, "azure.resources: must be a list"),
        ({"failures": [{"operation": "x"}]}, ".code: missing"),
    ],
)
def test_a_section_that_is_wrong(sections: dict[str, Any], words: str) -> None:
    world = sample.world()
    world["azure"] |= copy.deepcopy(sections)
    found = azure.check(world)
    assert any(words in each for each in found), found


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"id": "app"}, "(app): 'app' is no resource id"),
        ({"id": f"{NETWORK}/things/a"}, "has no resources of type Microsoft.Network/things"),
        ({"id": APP.replace(SUBSCRIPTION, TENANT)}, f"there is no subscription {TENANT}"),
        ({"id": APP.replace("/ai/", "/x/"), "location": "eastus"}, "ResourceGroupNotFound"),
        (
            {
                "id": f"{APP}/subnets/x",
                "properties": {"address_prefix": "10.20.1.0/24"},
            },
            "InvalidRequestContent: The request content was invalid and could not be",
        ),
        (sample.endpoint(account_id=OPENAI + "x"), "InvalidResourceReference"),
        (
            {**sample.account(f"{sample.ACCOUNTS}/x"), "forced": {"connection": "Rejected"}},
            "forced.connection: must be one of",
        ),
    ],
)
def test_a_resource_that_azure_would_refuse(entry: dict[str, Any], words: str) -> None:
    found = resources(entry)
    assert found and words in found[0], found
    assert found[0].startswith("azure.resources[")


def test_an_endpoint_whose_operation_fails_is_a_problem_too() -> None:
    nameless = sample.account(f"{sample.ACCOUNTS}/nameless", customSubDomainName=None)
    found = resources(nameless, sample.endpoint(account_id=nameless["id"]))
    assert found and "custom subdomain" in found[0]


def test_a_vantage_lies_in_a_subnet_that_exists() -> None:
    def vantage(place: Any) -> list[str]:
        return azure.check({**sample.world(), "vantages": [{"name": "a", "network": place}]})

    assert vantage({"azure": {"subnet": f"{APP}/subnets/app"}}) == []
    assert vantage({}) == []
    assert "there is no subnet" in vantage({"azure": {"subnet": f"{APP}/subnets/x"}})[0]
    assert "network.azure" in vantage({"azure": {"vnet": APP}})[0]


def test_addresses_of_vantages_are_not_given_to_endpoints() -> None:
    world = worlds.merge(
        sample.world(),
        {"azure": {"resources": [sample.endpoint(subnet=f"{APP}/subnets/app")]}},
    )
    vantage = replace(sample.INSIDE, address="10.20.1.4")
    cloud = azure.build(world, [vantage], b"")
    assert isinstance(cloud, azure.Azure)
    made = cloud.state.find(ENDPOINT)
    assert made is not None
    interface = cloud.state.find(made.properties["networkInterfaces"][0]["id"])
    assert interface is not None
    configuration = interface.properties["ipConfigurations"][0]["properties"]
    assert configuration["privateIPAddress"] == "10.20.1.5"


def test_what_is_forced_is_laid_over_what_was_made() -> None:
    lab = sample.lab(
        {**sample.endpoint(), "forced": {"connection": "Rejected"}},
        {
            "id": f"{sample.OTHER}/subnets/app",
            "properties": {"addressPrefix": "10.22.1.0/24"},
            "forced": {"provisioningState": "Failed"},
        },
        {
            "id": f"{APP}/virtualNetworkPeerings/to-spoke",
            "forced": {"peeringState": "Initiated"},
        },
    )
    shown = lab.arm("GET", ENDPOINT, version="2024-05-01")[1]["properties"]
    state = shown["privateLinkServiceConnections"][0]["properties"]
    assert state["privateLinkServiceConnectionState"]["status"] == "Rejected"
    theirs = lab.arm("GET", OPENAI)[1]["properties"]["privateEndpointConnections"][0]
    assert theirs["properties"]["privateLinkServiceConnectionState"]["status"] == "Rejected"
    subnet = lab.arm("GET", f"{sample.OTHER}/subnets/app", version="2024-05-01")[1]
    assert subnet["properties"]["provisioningState"] == "Failed"
    peering = lab.arm("GET", f"{APP}/virtualNetworkPeerings/to-spoke", version="2024-05-01")[1]
    assert peering["properties"]["peeringState"] == "Initiated"


def test_groups_and_resources_are_listed() -> None:
    lab = sample.lab()
    base = f"/subscriptions/{SUBSCRIPTION}"
    groups = lab.arm("GET", f"{base}/resourcegroups", version="2024-11-01")[1]["value"]
    assert [each["id"] for each in groups] == [GROUP]
    wanted = "Microsoft.CognitiveServices/accounts"
    path = f"{base}/resources?$filter=resourceType eq '{wanted}'".replace(" ", "%20")
    found = lab.arm("GET", path, version="2024-11-01")[1]["value"]
    assert {each["name"] for each in found} == {"lab-openai", "lab-foundry"}
    path = f"{base}/providers/Microsoft.Network"
    provider = lab.arm("GET", path, version="2024-11-01")[1]
    assert provider["registrationState"] == "Registered"
    assert "privateEndpoints" in {each["resourceType"] for each in provider["resourceTypes"]}
    assert lab.arm("DELETE", GROUP, version="2024-11-01")[0] == 409
