# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""AI accounts at Resource Manager: what they keep, what they refuse, and when they bind."""

from __future__ import annotations

from typing import Any

import pytest

from lab.azure import sample
from lab.azure.sample import ACCOUNTS, APP, FOUNDRY, OPENAI, Lab, error

RULES = {"defaultAction": "Deny", "ipRules": [], "virtualNetworkRules": []}


def patch(lab: Lab, id: str = OPENAI, **properties: Any) -> tuple[int, Any]:
    return lab.arm("PATCH", id, {"properties": properties})


def settled(lab: Lab, id: str = OPENAI) -> Any:
    """The account once it is at rest."""
    lab.later(5)
    status, body = lab.arm("GET", id)
    assert status == 200 and body["properties"]["provisioningState"] == "Succeeded"
    return body


def test_an_account_shows_its_names_and_connections() -> None:
    lab = sample.lab()
    status, body = lab.arm("GET", OPENAI.upper().replace("/SUBSCRIPTIONS", "/subscriptions"))
    assert status == 200
    assert (body["id"], body["kind"], body["location"]) == (OPENAI, "OpenAI", "eastus")
    properties = body["properties"]
    assert properties["endpoint"] == "https://lab-openai.openai.azure.com/"
    assert properties["publicNetworkAccess"] == "Enabled"
    assert properties["privateEndpointConnections"] == []
    assert "networkAcls" not in properties and body["etag"]
    foundry = lab.arm("GET", FOUNDRY)[1]["properties"]["endpoints"]
    assert {each.split(".", 1)[1] for each in foundry.values()} == {
        "openai.azure.com/",
        "cognitiveservices.azure.com/",
        "services.ai.azure.com/",
    }


def test_lists_by_subscription_and_group() -> None:
    lab = sample.lab()
    for below in (sample.GROUP, f"/subscriptions/{sample.SUBSCRIPTION}"):
        status, body = lab.arm("GET", f"{below}/providers/Microsoft.CognitiveServices/accounts")
        assert status == 200
        assert [each["name"] for each in body["value"]] == ["lab-openai", "lab-foundry"]
    assert error(lab.arm("GET", f"{ACCOUNTS}/absent"))[:2] == (404, "ResourceNotFound")


def test_a_patch_merges_and_tags_are_replaced_as_a_whole() -> None:
    lab = sample.lab()
    assert lab.arm("PATCH", OPENAI, {"tags": {"a": "1", "b": "2"}})[0] == 200
    settled(lab)
    body = {"tags": {"c": "3"}, "properties": {"publicNetworkAccess": "Disabled"}}
    status, answered = lab.arm("PATCH", OPENAI, body)
    assert status == 200 and answered["properties"]["provisioningState"] == "Accepted"
    made = settled(lab)
    assert made["tags"] == {"c": "3"}
    assert made["properties"]["publicNetworkAccess"] == "Disabled"
    assert made["properties"]["customSubDomainName"] == "lab-openai"
    assert made["sku"] == {"name": "S0"}


def test_network_rules_are_replaced_and_filled_up() -> None:
    lab = sample.lab()
    patch(lab, networkAcls={"defaultAction": "Deny", "ipRules": [{"value": "203.0.113.0/24"}]})
    assert settled(lab)["properties"]["networkAcls"] == {
        **RULES,
        "ipRules": [{"value": "203.0.113.0/24"}],
    }
    patch(lab, networkAcls={"defaultAction": "Allow", "bypass": "AzureServices"})
    made = settled(lab)["properties"]["networkAcls"]
    assert made == {**RULES, "defaultAction": "Allow", "bypass": "AzureServices"}


def test_a_busy_account_refuses_the_next_write() -> None:
    lab = sample.lab()
    assert patch(lab, disableLocalAuth=True)[0] == 200
    status, code, message = error(patch(lab, disableLocalAuth=False))
    assert (status, code) == (400, "AccountProvisioningStateInvalid")
    assert message == f"Account {OPENAI} in state Accepted"
    body = {key: value for key, value in sample.account(OPENAI).items() if key != "id"}
    assert error(lab.arm("PUT", OPENAI, body))[:2] == (409, "RequestConflict")
    assert patch(lab, FOUNDRY, disableLocalAuth=True)[0] == 200
    assert settled(lab)["properties"]["disableLocalAuth"] is True
    assert patch(lab, disableLocalAuth=False)[0] == 200


def test_etags_guard_writes() -> None:
    lab = sample.lab()
    etag = lab.arm("GET", OPENAI)[1]["etag"]
    body = {"tags": {"a": "1"}}
    assert lab.arm("PATCH", OPENAI, body, headers={"If-Match": etag})[0] == 200
    lab.later(5)
    again = lab.arm("PATCH", OPENAI, body, headers={"If-Match": etag})
    assert error(again)[:2] == (412, "PreconditionFailed")


def test_a_put_makes_and_replaces() -> None:
    lab = sample.lab()
    body = {key: value for key, value in sample.account(f"{ACCOUNTS}/new").items() if key != "id"}
    status, made = lab.arm("PUT", f"{ACCOUNTS}/new", {**body, "tags": {"a": "1"}})
    assert status == 201 and made["properties"]["provisioningState"] == "Accepted"
    settled(lab, f"{ACCOUNTS}/new")
    body["properties"] = {"publicNetworkAccess": "Disabled"}
    assert lab.arm("PUT", f"{ACCOUNTS}/new", body)[0] == 200
    replaced = settled(lab, f"{ACCOUNTS}/new")
    assert replaced["tags"] == {} and replaced["properties"]["customSubDomainName"] == "new"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"properties": {"public_network_access": "Disabled"}}, 400, "InvalidRequestContent"),
        ({"properties": {"publicNetworkAccess": "Off"}}, 400, "InvalidRequestContent"),
        ({"properties": {"networkAcls": {"default_action": "Deny"}}}, 400, "InvalidRequestContent"),
        ({"properties": {"disableLocalAuth": "yes"}}, 400, "InvalidRequestContent"),
        ({"properties": {"customSubDomainName": "x"}}, 400, "SubDomainNameChangeNotAllowed"),
        ({"kind": "Face"}, 400, "InvalidResourceProperties"),
        ({"properties": {"networkAcls": {"ipRules": [{"value": "x"}]}}}, 400, "InvalidIpRule"),
        (
            {"properties": {"networkAcls": {"ipRules": [{"value": "10.0.0.0/8"}]}}},
            400,
            "InvalidIpRule",
        ),
        (
            {"properties": {"networkAcls": {"ipRules": [{"value": "203.0.113.1/32"}]}}},
            400,
            "InvalidIpRule",
        ),
        (
            {"properties": {"networkAcls": {"virtualNetworkRules": [{"id": f"{APP}/subnets/x"}]}}},
            400,
            "InvalidResourceReference",
        ),
        (
            {
                "properties": {
                    "networkAcls": {"virtualNetworkRules": [{"id": f"{APP}/subnets/app"}]}
                }
            },
            400,
            "SubnetsHaveNoServiceEndpointsConfigured",
        ),
    ],
)
def test_wrong_patches(body: dict[str, Any], status: int, code: str) -> None:
    lab = sample.lab()
    before = lab.arm("GET", OPENAI)[1]
    assert error(lab.arm("PATCH", OPENAI, body))[:2] == (status, code)
    assert lab.arm("GET", OPENAI)[1] == before


def test_subdomains_are_set_once_and_unique() -> None:
    plain = f"{ACCOUNTS}/plain"
    lab = sample.lab(sample.account(plain, customSubDomainName=None))
    shown = lab.arm("GET", plain)[1]["properties"]
    assert shown["endpoint"] == "https://eastus.api.cognitive.microsoft.com/"
    assert error(patch(lab, plain, networkAcls=RULES))[:2] == (400, "BadRequest")
    taken = patch(lab, plain, customSubDomainName="LAB-OPENAI")
    assert error(taken)[:2] == (409, "CustomDomainInUse")
    assert patch(lab, plain, customSubDomainName="plain")[0] == 200
    settled(lab, plain)
    assert lab.arm("DELETE", plain)[0] == 202
    lab.later(5)
    body = {key: value for key, value in sample.account(plain).items() if key != "id"}
    assert error(lab.arm("PUT", plain, body))[:2] == (409, "CustomDomainInUse")


def test_an_openai_account_becomes_an_ai_services_account() -> None:
    lab = sample.lab()
    assert lab.arm("PATCH", OPENAI, {"kind": "AIServices"})[0] == 200
    assert settled(lab)["kind"] == "AIServices"


def test_keys_and_local_authentication() -> None:
    lab = sample.lab()
    status, keys = lab.arm("POST", f"{OPENAI}/listKeys")
    assert status == 200 and set(keys) == {"key1", "key2"}
    patch(lab, disableLocalAuth=True)
    settled(lab)
    assert error(lab.arm("POST", f"{OPENAI}/listKeys"))[:2] == (400, "BadRequest")


def test_deployments_are_read_only() -> None:
    lab = sample.lab()
    status, body = lab.arm("GET", f"{OPENAI}/deployments")
    assert status == 200 and body["value"][0]["properties"]["model"]["name"] == "gpt-4o"
    wrong = {"properties": {"model": {"name": "gpt-5"}}}
    assert error(lab.arm("PUT", f"{OPENAI}/deployments/x", wrong))[:2] == (400, "InvalidRequest")


@pytest.mark.parametrize(
    ("account", "members", "zones"),
    [
        (OPENAI, ["default"], ["privatelink.openai.azure.com"]),
        (
            FOUNDRY,
            ["default", "secondary", "third"],
            [
                "privatelink.cognitiveservices.azure.com",
                "privatelink.openai.azure.com",
                "privatelink.services.ai.azure.com",
            ],
        ),
    ],
)
def test_link_resources(account: str, members: list[str], zones: list[str]) -> None:
    status, body = sample.lab().arm("GET", f"{account}/privateLinkResources")
    (only,) = body["value"]
    assert status == 200 and only["properties"]["groupId"] == "account"
    assert only["properties"]["requiredMembers"] == members
    assert only["properties"]["requiredZoneNames"] == zones


def test_reads_need_permission_and_an_api_version_that_exists() -> None:
    lab = sample.lab()
    assert error(lab.arm("GET", OPENAI, client=sample.USER))[:2] == (403, "AuthorizationFailed")
    assert error(lab.arm("GET", OPENAI, version="2024-05-01"))[:2] == (404, "InvalidResourceType")


def test_nothing_is_linked_to_a_busy_account() -> None:
    lab = sample.lab()
    body = {key: value for key, value in sample.endpoint().items() if key != "id"}
    assert patch(lab, disableLocalAuth=True)[0] == 200
    made = lab.arm("PUT", sample.ENDPOINT, body, version=sample.NETWORK_VERSION)
    status, code, message = error(made)
    assert (status, code) == (400, "AccountProvisioningStateInvalid")
    assert message.endswith(f"Account {OPENAI} in state Accepted")
    settled(lab)
    assert lab.arm("PUT", sample.ENDPOINT, body, version=sample.NETWORK_VERSION)[0] == 201
    settled(lab)
    (connection,) = lab.state.children(OPENAI, "privateEndpointConnections")
    assert patch(lab, disableLocalAuth=False)[0] == 200
    assert error(lab.arm("DELETE", str(connection.id)))[:2] == (409, "RequestConflict")


def test_an_endpoint_outlives_its_account() -> None:
    lab = sample.lab(sample.endpoint())
    assert lab.arm("DELETE", OPENAI)[0] == 202
    lab.later(5)
    assert error(lab.arm("GET", OPENAI))[0] == 404
    shown = lab.arm("GET", sample.ENDPOINT, version=sample.NETWORK_VERSION)[1]["properties"]
    (link,) = shown["privateLinkServiceConnections"]
    assert link["properties"]["privateLinkServiceConnectionState"]["status"] == "Disconnected"
