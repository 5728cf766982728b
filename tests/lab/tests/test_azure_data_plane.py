# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The data planes: who is let in from where, and with which words others are refused."""

from __future__ import annotations

from typing import Any

import pytest

from lab.azure import admission, sample
from lab.azure.clouds import PUBLIC
from lab.azure.sample import (
    APP,
    ENDPOINT,
    FOUNDRY,
    IN_OTHER,
    IN_SPOKE,
    INSIDE,
    NETWORK,
    NETWORK_VERSION,
    OPENAI,
    OUTSIDE,
    USER,
    Lab,
)
from lab.cloud import Vantage

HOST = "lab-openai.openai.azure.com"
MODELS = f"https://{HOST}/openai/models?api-version=2024-10-21"
CHAT = f"https://{HOST}/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21"
HELLO = {"messages": [{"role": "user", "content": "Hello"}]}
ADDRESS = "10.20.2.4"
DENY = {"defaultAction": "Deny"}


def seen(lab: Lab, vantage: Vantage = OUTSIDE, address: str = "", url: str = MODELS) -> Any:
    """200, 401 or 404 with credentials left out, or the words of a 403."""
    where = address or "203.0.113.20"
    status, body = lab.send("GET", url, vantage=vantage, address=where)
    return body["error"]["message"] if status == 403 else status


def opened(**properties: Any) -> Lab:
    """The sample world with an endpoint in APP, and these settings of the account."""
    return sample.lab(sample.account(OPENAI, **properties), sample.endpoint())


@pytest.mark.parametrize(
    ("properties", "public", "private"),
    [
        ({}, 401, 401),
        ({"publicNetworkAccess": "Disabled"}, admission.DISABLED, 401),
        ({"publicNetworkAccess": "Disabled", "networkAcls": DENY}, admission.DISABLED, 401),
        ({"networkAcls": DENY}, admission.RULES, 401),
        ({"networkAcls": {"defaultAction": "Allow"}}, 401, 401),
        ({"networkAcls": {**DENY, "ipRules": [{"value": "198.51.100.0/24"}]}}, 401, 401),
        ({"networkAcls": {**DENY, "ipRules": [{"value": "198.51.100.12"}]}}, 401, 401),
        (
            {"networkAcls": {**DENY, "ipRules": [{"value": "203.0.113.0/24"}]}},
            admission.RULES,
            401,
        ),
        ({"networkAcls": {**DENY, "bypass": "AzureServices"}}, admission.RULES, 401),
    ],
)
def test_what_settings_let_in(properties: dict[str, Any], public: Any, private: Any) -> None:
    lab = opened(**properties)
    assert seen(lab) == public
    assert seen(lab, INSIDE, ADDRESS) == private
    assert seen(lab, IN_SPOKE, ADDRESS) == private
    # A caller inside that resolves the public address comes by the public path.
    pinhole = properties.get("networkAcls", {}).get("ipRules") == [{"value": "198.51.100.12"}]
    assert seen(lab, INSIDE) == (admission.RULES if pinhole else public)


@pytest.mark.parametrize("status", ["Pending", "Rejected", "Disconnected"])
def test_an_endpoint_that_is_not_approved(status: str) -> None:
    lab = sample.lab(sample.endpoint(manual=True))
    (connection,) = lab.state.children(OPENAI, "privateEndpointConnections")
    if status == "Rejected":
        body = {"properties": {"privateLinkServiceConnectionState": {"status": "Rejected"}}}
        assert lab.arm("PUT", str(connection.id), body)[0] == 202
    elif status == "Disconnected":
        assert lab.arm("DELETE", str(connection.id))[0] == 202
    lab.later(5)
    assert seen(lab, INSIDE, ADDRESS) == admission.UNAPPROVED
    assert seen(lab) == 401
    shown = lab.arm("GET", ENDPOINT, version=NETWORK_VERSION)[1]["properties"]
    (link,) = shown["manualPrivateLinkServiceConnections"]
    assert link["properties"]["privateLinkServiceConnectionState"]["status"] == status


def test_a_connection_is_approved_by_hand_and_taken_back() -> None:
    lab = sample.lab(sample.endpoint(manual=True))
    (connection,) = lab.state.children(OPENAI, "privateEndpointConnections")
    for status, expected in (("Approved", 401), ("Rejected", admission.UNAPPROVED)):
        body = {
            "properties": {
                "privateLinkServiceConnectionState": {"status": status, "description": "seen"}
            }
        }
        assert lab.arm("PUT", str(connection.id), body)[0] == 202
        lab.later(5)
        assert seen(lab, INSIDE, ADDRESS) == expected
        account = lab.arm("GET", OPENAI)[1]["properties"]
        (shown,) = account["privateEndpointConnections"]
        state = shown["properties"]["privateLinkServiceConnectionState"]
        assert (state["status"], state["description"]) == (status, "seen")
        assert shown["properties"]["privateEndpoint"]["id"] == ENDPOINT
    wrong = {"properties": {"privateLinkServiceConnectionState": {"status": "Pending"}}}
    assert sample.error(lab.arm("PUT", str(connection.id), wrong))[:2] == (400, "InvalidRequest")
    absent = f"{OPENAI}/privateEndpointConnections/absent"
    assert sample.error(lab.arm("PUT", absent, body))[0] == 404


def test_an_endpoint_answers_for_its_own_account_and_member_only() -> None:
    lab = sample.lab(sample.endpoint(account_id=FOUNDRY))
    assert seen(lab, INSIDE, ADDRESS) == admission.UNAPPROVED
    hosts = {
        "cognitiveservices": "10.20.2.4",
        "openai": "10.20.2.5",
        "services.ai": "10.20.2.6",
    }
    for family, own in hosts.items():
        url = f"https://lab-foundry.{family}.azure.com/openai/models?api-version=2024-10-21"
        for address in hosts.values():
            expected = 401 if address == own else admission.UNAPPROVED
            assert seen(lab, INSIDE, address, url) == expected


def test_public_access_follows_after_a_while() -> None:
    lab = sample.lab(timing={"account": 1, "access_propagation": 10})
    change = {"properties": {"publicNetworkAccess": "Disabled", "networkAcls": DENY}}
    assert lab.arm("PATCH", OPENAI, change)[0] == 200
    assert lab.arm("GET", OPENAI)[1]["properties"]["publicNetworkAccess"] == "Disabled"
    assert seen(lab) == 401
    lab.later(2)
    assert seen(lab) == 401
    assert lab.cloud.next_change() == sample.START + 10
    lab.later(8)
    assert seen(lab) == admission.DISABLED
    back = {"properties": {"publicNetworkAccess": "Enabled"}}
    assert lab.arm("PATCH", OPENAI, back)[0] == 200
    assert seen(lab) == admission.DISABLED
    lab.later(10)
    assert seen(lab) == admission.RULES


@pytest.mark.parametrize("mode", ["Learning", "Enforced", "Audit"])
@pytest.mark.parametrize("admits", [True, False])
def test_network_security_perimeters(mode: str, admits: bool) -> None:
    prefix = "198.51.100.0/24" if admits else "192.0.2.0/24"
    rule = {"name": "in", "properties": {"direction": "Inbound", "addressPrefixes": [prefix]}}
    perimeter = {
        "id": f"{OPENAI}/networkSecurityPerimeterConfigurations/lab",
        "properties": {
            "resourceAssociation": {"name": "lab", "accessMode": mode},
            "profile": {"name": "lab", "accessRules": [rule]},
        },
    }
    lab = sample.lab(perimeter, sample.endpoint())
    expected = 401 if admits or mode != "Enforced" else admission.PERIMETER
    assert seen(lab) == expected
    assert seen(lab, INSIDE, ADDRESS) == 401
    status, body = lab.arm("GET", f"{OPENAI}/networkSecurityPerimeterConfigurations")
    assert status == 200 and body["value"][0]["name"] == "lab"


def test_a_service_endpoint_shows_the_subnet_instead_of_the_address() -> None:
    app = f"{APP}/subnets/app"
    subnet = {
        "id": app,
        "properties": {
            "addressPrefix": "10.20.1.0/24",
            "serviceEndpoints": [{"service": "Microsoft.CognitiveServices"}],
        },
    }
    rules = {**DENY, "virtualNetworkRules": [{"id": app}]}
    lab = sample.lab(subnet)
    assert lab.arm("PATCH", OPENAI, {"properties": {"networkAcls": rules}})[0] == 200
    lab.later(5)
    assert seen(lab, INSIDE) == 401
    assert seen(lab, IN_SPOKE) == admission.RULES
    rules = {**DENY, "ipRules": [{"value": INSIDE.public_address}]}
    assert lab.arm("PATCH", OPENAI, {"properties": {"networkAcls": rules}})[0] == 200
    lab.later(5)
    assert seen(lab, INSIDE) == admission.RULES


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (MODELS, 401),
        (CHAT, 404),  # GET of what takes POST
        (MODELS.partition("?")[0], 404),
        (f"https://{HOST}/openai/v1/models", 401),
        (f"https://{HOST}/", 404),
        (
            "https://lab-foundry.services.ai.azure.com/models/info?api-version=2024-05-01-preview",
            401,
        ),
        ("https://lab-openai.openai.azure.com/models/info?api-version=2024-05-01-preview", 404),
        (
            "https://lab-foundry.cognitiveservices.azure.com/documentintelligence/info"
            "?api-version=2024-11-30",
            401,
        ),
    ],
)
def test_paths_without_credentials(url: str, expected: int) -> None:
    assert seen(sample.lab(), url=url) == expected


def test_keys() -> None:
    lab = sample.lab()
    keys = lab.arm("POST", f"{OPENAI}/listKeys")[1]
    for key in keys.values():
        status, body = lab.send("POST", CHAT, HELLO, headers={"api-key": key})
        assert status == 200
        assert body["choices"][0]["message"]["content"] == "Hello from the lab."
    assert lab.send("GET", MODELS, headers={"api-key": "wrong"})[0] == 401
    assert lab.arm("PATCH", OPENAI, {"properties": {"disableLocalAuth": True}})[0] == 200
    lab.later(5)
    refused = lab.send("POST", CHAT, HELLO, headers={"api-key": keys["key1"]})
    assert sample.error(refused)[:2] == (403, "AuthenticationTypeDisabled")


@pytest.mark.parametrize(
    ("audience", "expected"),
    [(PUBLIC.cognitive_audience, 200), ("https://ai.azure.com", 200), (PUBLIC.audiences[0], 401)],
)
def test_tokens(audience: str, expected: int) -> None:
    lab = sample.lab()
    headers = {"Authorization": f"Bearer {lab.token(audience=audience)}"}
    assert lab.send("GET", MODELS, headers=headers)[0] == expected
    if expected == 200:
        lab.later(4000)
        assert lab.send("GET", MODELS, headers=headers)[0] == 401


def test_roles_decide_what_a_token_may_do() -> None:
    lab = sample.lab()
    headers = {"Authorization": f"Bearer {lab.token(USER, PUBLIC.cognitive_audience)}"}
    refused = sample.error(lab.send("POST", CHAT, HELLO, headers=headers))
    assert refused[:2] == (401, "PermissionDenied")
    assert "OpenAI/deployments/chat/completions/action" in refused[2]
    roles = (
        f"/subscriptions/{sample.SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions"
    )
    assignments = "providers/Microsoft.Authorization/roleAssignments"
    assignment = f"{sample.GROUP}/{assignments}/a0000000-0000-0000-0000-000000000001"
    lab.add(
        {
            "id": assignment,
            "properties": {
                "roleDefinitionId": f"{roles}/5e0bd9bd-7b93-4f28-af87-19fc36ad61bd",
                "principalId": sample.USER_OBJECT,
            },
        }
    )
    assert lab.send("POST", CHAT, HELLO, headers=headers)[0] == 200
    assert lab.send("GET", MODELS, headers=headers)[0] == 200
    info = "https://lab-foundry.services.ai.azure.com/models/info?api-version=2024-05-01-preview"
    assert sample.error(lab.send("GET", info, headers=headers))[:2] == (401, "PermissionDenied")
    taken = [lab.arm("DELETE", assignment, version="2022-04-01")[0] for _ in range(2)]
    assert taken == [200, 204]
    assert sample.error(lab.send("POST", CHAT, HELLO, headers=headers))[0] == 401


def test_calls_that_are_wrong() -> None:
    lab = sample.lab()
    headers = {"api-key": lab.arm("POST", f"{OPENAI}/listKeys")[1]["key1"]}
    absent = CHAT.replace("gpt-4o", "absent")
    answer = lab.send("POST", absent, HELLO, headers=headers)
    assert sample.error(answer)[:2] == (404, "DeploymentNotFound")
    assert sample.error(lab.send("POST", CHAT, {}, headers=headers))[:2] == (400, "BadRequest")


def test_hosts_without_an_account_are_not_served() -> None:
    lab = sample.lab()
    assert lab.cloud.serves(HOST) and lab.cloud.serves("lab-foundry.services.ai.azure.com")
    for host in ("absent.openai.azure.com", "lab-openai.services.ai.azure.com", "example.com"):
        assert not lab.cloud.serves(host)


def test_throttling_and_failures_in_the_data_planes_own_words() -> None:
    lab = sample.lab()
    request = lab.cloud.parse(sample.request("GET", MODELS))
    throttled = lab.cloud.fault(request, "throttle")
    assert (throttled.status, throttled.headers["Retry-After"]) == (429, "1")
    assert lab.cloud.fault(request, "error").status == 500


def test_an_address_that_two_networks_use() -> None:
    """Endpoints of unconnected networks may have one address: the caller's network decides."""
    twin = f"{NETWORK}/virtualNetworks/twin"
    lab = sample.lab(
        {
            "id": twin,
            "location": "eastus",
            "properties": {
                "addressSpace": {"addressPrefixes": ["10.20.0.0/16"]},
                "subnets": [{"name": "endpoints", "properties": {"addressPrefix": "10.20.2.0/24"}}],
            },
        },
        sample.endpoint(f"{NETWORK}/privateEndpoints/twin", FOUNDRY, f"{twin}/subnets/endpoints"),
        sample.endpoint(),
    )
    assert seen(lab, INSIDE, ADDRESS) == 401
    assert seen(lab, IN_OTHER, ADDRESS) == admission.UNAPPROVED


def test_a_sovereign_cloud_has_names_and_tokens_of_its_own() -> None:
    tenant = "7f000000-0000-0000-0000-000000000002"
    subscription = "5f000000-0000-0000-0000-00000000000f"
    group = f"/subscriptions/{subscription}/resourceGroups/ai"
    id = f"{group}/providers/Microsoft.CognitiveServices/accounts/gov-openai"
    there = {**sample.account(id), "location": "usgovvirginia"}
    lab = sample.lab(
        there,
        tenants=[{"id": sample.TENANT}, {"id": tenant, "cloud": "AzureUSGovernment"}],
        subscriptions=[
            {"id": sample.SUBSCRIPTION, "tenant": sample.TENANT},
            {"id": subscription, "tenant": tenant},
        ],
        resource_groups=[
            {"id": sample.GROUP, "location": "eastus"},
            {"id": group, "location": "usgovvirginia"},
        ],
    )
    assert lab.cloud.serves("gov-openai.openai.azure.us")
    assert not lab.cloud.serves("gov-openai.openai.azure.com")
    url = "https://gov-openai.openai.azure.us/openai/models?api-version=2024-10-21"
    assert seen(lab, url=url) == 401
    headers = {"Authorization": f"Bearer {lab.token(audience=PUBLIC.cognitive_audience)}"}
    assert lab.send("GET", url, headers=headers)[0] == 401
    answer = lab.cloud.resolve(OUTSIDE, "gov-openai.openai.azure.us", "A")
    assert answer is not None and answer.status == "ok"
