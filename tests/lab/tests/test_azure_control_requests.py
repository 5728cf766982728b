# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Resource Manager and the network provider refuse, and how they say it."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from lab.azure import sample
from lab.azure.sample import (
    APP,
    ENDPOINT,
    FOUNDRY,
    GROUP,
    NETWORK,
    OPENAI,
    OTHER,
    SPOKE,
    SUBSCRIPTION,
    error,
)

V = "2024-05-01"
DNS = "2024-06-01"
MISSING = f"{NETWORK}/networkSecurityGroups/none"
ZONE = f"{NETWORK}/privateDnsZones/privatelink.openai.azure.com"
SUBNET = f"{APP}/subnets/app"
NSG = f"{NETWORK}/networkSecurityGroups/nsg"
ACCOUNT_WITHOUT_NAME = f"{sample.ACCOUNTS}/nameless"


def endpoint(**properties: Any) -> dict[str, Any]:
    made = copy.deepcopy(sample.endpoint())
    del made["id"]
    made["properties"].update(properties)
    return made


def connection(account: str = OPENAI, **properties: Any) -> list[dict[str, Any]]:
    inner = {"privateLinkServiceId": account, "groupIds": ["account"], **properties}
    return [{"name": "account", "properties": inner}]


def subnet(**properties: Any) -> dict[str, Any]:
    return {"properties": {"addressPrefix": "10.20.1.0/24", **properties}}


def rule(**properties: Any) -> dict[str, Any]:
    base = {
        "protocol": "Tcp",
        "direction": "Inbound",
        "access": "Allow",
        "priority": 100,
        "sourceAddressPrefix": "*",
        "sourcePortRange": "*",
        "destinationAddressPrefix": "*",
        "destinationPortRange": "443",
    }
    chosen = {key: value for key, value in {**base, **properties}.items() if value is not None}
    return {"properties": chosen}


def member(address: str, name: str = "default", group: str = "account") -> dict[str, Any]:
    return {
        "name": name,
        "properties": {"groupId": group, "memberName": name, "privateIPAddress": address},
    }


def group(*zones: str) -> dict[str, Any]:
    configs = [
        {"name": f"z{number}", "properties": {"privateDnsZoneId": each}}
        for number, each in enumerate(zones)
    ]
    return {"properties": {"privateDnsZoneConfigs": configs}}


def link(network: str = APP, **properties: Any) -> dict[str, Any]:
    inner = {"virtualNetwork": {"id": network}, **properties}
    return {"location": "global", "properties": inner}


def records(*addresses: str, **properties: Any) -> dict[str, Any]:
    inner = {"ttl": 10, "aRecords": [{"ipv4Address": each} for each in addresses]}
    return {"properties": {**inner, **properties}}


# method, path, body, api-version; status, code, words of the message
WRONG: dict[str, tuple[str, str, Any, str, int, str, str]] = {
    "no api-version": ("GET", APP, None, "", 400, "MissingApiVersionParameter", "is required"),
    "api-version of no provider": (
        *("GET", APP, None, "2024-05-02"),
        *(404, "InvalidResourceType", "The supported api-versions are '2026-03-01, "),
    ),
    "api-version of no provider, with a location": (
        *("PUT", ENDPOINT, endpoint(), "2024-05-02"),
        *(400, "NoRegisteredProviderFound", "for type 'privateEndpoints'. The supported api-"),
    ),
    "api-version of another provider": (
        *("GET", ZONE, None, V),
        *(404, "InvalidResourceType", "'2024-06-01, 2020-06-01, 2020-01-01, 2018-09-01'"),
    ),
    "unknown namespace": (
        *("GET", f"{GROUP}/providers/Microsoft.Nothing/things/a", None, V),
        *(404, "InvalidResourceNamespace", "'Microsoft.Nothing'"),
    ),
    "unknown type": (
        *("GET", f"{NETWORK}/privateLinkThings/a", None, V),
        *(404, "InvalidResourceType", "'privateLinkThings' could not be found"),
    ),
    "unknown method": (
        *("PATCH", SUBNET, {"tags": {}}, V),
        *(405, "HttpMethodNotSupported", "'PATCH'"),
    ),
    "unknown subscription": (
        *("GET", "/subscriptions/5f000000-0000-0000-0000-00000000000f/resourceGroups/x", None),
        *("2024-11-01", 404, "SubscriptionNotFound", "could not be found"),
    ),
    "unknown group": (
        *("PUT", NSG.replace("/ai/", "/none/"), {"location": "eastus"}, V),
        *(404, "ResourceGroupNotFound", "Resource group 'none' could not be found."),
    ),
    "unknown resource": (
        *("GET", ENDPOINT, None, V),
        *(404, "ResourceNotFound", "'Microsoft.Network/privateEndpoints/openai' under resource"),
    ),
    "unknown child": ("GET", f"{APP}/subnets/x", None, V, 404, "NotFound", "subnets/x not found."),
    "child of nothing, read": (
        *("GET", f"{APP}x/subnets/x", None, V),
        *(404, "ResourceNotFound", "'Microsoft.Network/virtualNetworks/appx'"),
    ),
    "child of nothing, written": (
        *("PUT", f"{APP}x/subnets/x", subnet(), V),
        *(404, "ParentResourceNotFound", "'virtualNetworks/subnets', because the parent"),
    ),
    "list of children of nothing": (
        *("GET", f"{ENDPOINT}/privateDnsZoneGroups", None, V),
        *(404, "ResourceNotFound", "privateEndpoints/openai"),
    ),
    "no location": ("PUT", NSG, {"properties": {}}, V, 400, "LocationRequired", "is required"),
    "unknown location": (
        *("PUT", NSG, {"location": "atlantis"}, V),
        *(400, "LocationNotAvailableForResourceType", "'atlantis' is not available"),
    ),
    "zone with a region": (
        *("PUT", ZONE, {"location": "eastus"}, DNS),
        *(400, "LocationNotAvailableForResourceType", "'global'"),
    ),
    "network moved": (
        *("PUT", APP, {"location": "westus", "properties": {}}, V),
        *(409, "InvalidResourceLocation", "already exists in location 'eastus'"),
    ),
    "unknown property at the top": (
        *("PUT", NSG, {"location": "eastus", "zone": 1}, V),
        *(400, "InvalidRequestContent", "'zone' on object of type 'NetworkSecurityGroup'"),
    ),
    "snake case": (
        *("PUT", ENDPOINT, endpoint(private_link_service_connections=[]), V),
        *(400, "InvalidRequestContent", "'private_link_service_connections' on object of type"),
    ),
    "unknown property deep down": (
        *("PUT", SUBNET, subnet(delegations=[{"name": "a", "properties": {"service_name": "b"}}])),
        *(V, 400, "InvalidRequestContent", "Path 'properties.delegations[0].properties.service_na"),
    ),
    "value of the wrong type": (
        *("PUT", SUBNET, subnet(addressPrefix=["10.20.1.0/24"]), V),
        *(400, "InvalidRequestContent", "Path 'properties.addressPrefix'"),
    ),
    "value that is none of an enum": (
        *("PUT", SUBNET, subnet(privateEndpointNetworkPolicies="On"), V),
        *(400, "InvalidRequestContent", "VirtualNetworkPrivateEndpointNetworkPolicies"),
    ),
    "body that is a list": ("PUT", SUBNET, [], V, 400, "InvalidRequestContent", "JSON object"),
    "no body": ("PUT", SUBNET, None, V, 400, "InvalidRequestContent", "JSON object"),
    "PATCH of more than tags": (
        *("PATCH", APP, {"properties": {}}, V),
        *(400, "InvalidRequestContent", "'properties' on object of type 'TagsObject'"),
    ),
    # Networks
    "network without space": (
        *("PUT", f"{NETWORK}/virtualNetworks/n", {"location": "eastus", "properties": {}}, V),
        *(400, "MissingAddressSpace", "address space"),
    ),
    "subnet outside": (
        *("PUT", f"{APP}/subnets/x", subnet(addressPrefix="10.99.0.0/24"), V),
        *(400, "NetcfgSubnetRangeOutsideVnet", "outside the IP address range"),
    ),
    "subnets overlap": (
        *("PUT", f"{APP}/subnets/x", subnet(addressPrefix="10.20.2.128/25"), V),
        *(400, "NetcfgSubnetRangesOverlap", "'endpoints'"),
    ),
    "no CIDR": (
        *("PUT", SUBNET, subnet(addressPrefix="10.20.1.0"), V),
        *(400, "InvalidAddressPrefixFormat", "should follow CIDR notation"),
    ),
    "host bits": (
        *("PUT", SUBNET, subnet(addressPrefix="10.20.1.5/24"), V),
        *(400, "InvalidCIDRNotation", "should be 10.20.1.0/24"),
    ),
    "subnet's group is missing": (
        *("PUT", SUBNET, subnet(networkSecurityGroup={"id": MISSING}), V),
        *(400, "InvalidResourceReference", "none referenced by resource"),
    ),
    "subnet's group is no id": (
        *("PUT", SUBNET, subnet(networkSecurityGroup={"id": "none"}), V),
        *(400, "LinkedInvalidPropertyId", "'none'"),
    ),
    "prefix in use moves": (
        *("PUT", f"{OTHER}/subnets/endpoints", subnet(addressPrefix="10.22.3.0/24"), V),
        *(400, "InUsePrefixCannotBeDeleted", "active allocations"),
    ),
    "subnet in use goes": (
        *("DELETE", f"{OTHER}/subnets/endpoints", None, V),
        *(400, "InUseSubnetCannotBeDeleted", "Subnet endpoints is in use by"),
    ),
    "network in use goes": ("DELETE", OTHER, None, V, 400, "InUseSubnetCannotBeDeleted", "in use"),
    "subnet in use is left out": (
        "PUT",
        OTHER,
        {
            "location": "eastus",
            "properties": {"addressSpace": {"addressPrefixes": ["10.22.0.0/16"]}, "subnets": []},
        },
        *(V, 400, "InUseSubnetCannotBeDeleted", "in use"),
    ),
    "peering with itself": (
        *("PUT", f"{OTHER}/virtualNetworkPeerings/p"),
        {"properties": {"remoteVirtualNetwork": {"id": OTHER}}},
        *(V, 400, "VnetCannotPeerWithItself", "itself"),
    ),
    "peering with nothing": (
        *("PUT", f"{OTHER}/virtualNetworkPeerings/p"),
        {"properties": {"remoteVirtualNetwork": {"id": f"{OTHER}x"}}},
        *(V, 400, "InvalidResourceReference", "not found"),
    ),
    "second peering": (
        *("PUT", f"{APP}/virtualNetworkPeerings/again"),
        {"properties": {"remoteVirtualNetwork": {"id": SPOKE}}},
        *(V, 400, "AnotherPeeringAlreadyReferencesRemoteVnet", "to-spoke"),
    ),
    # Rules and routes
    "rule without access": (
        *("PUT", f"{NSG}/securityRules/r", rule(access=None), V),
        *(400, "RequiredSecurityRuleParameterMissing", "Access"),
    ),
    "rule without destination": (
        *("PUT", f"{NSG}/securityRules/r", rule(destinationAddressPrefix=None), V),
        *(400, "RequiredSecurityRuleParameterMissing", "DestinationAddressPrefixes, Dest"),
    ),
    "priority": (
        *("PUT", f"{NSG}/securityRules/r", rule(priority=99), V),
        *(400, "SecurityRuleInvalidPriority", "Value provided: 99"),
    ),
    "priority taken": (
        *("PUT", f"{NSG}/securityRules/r", rule(priority=300), V),
        *(400, "SecurityRuleConflict", "rule r. Rules cannot have the same Priority"),
    ),
    "prefix": (
        *("PUT", f"{NSG}/securityRules/r", rule(sourceAddressPrefix="10.0.0.1/8"), V),
        *(400, "SecurityRuleInvalidAddressPrefix", "10.0.0.1/8"),
    ),
    "port": (
        *("PUT", f"{NSG}/securityRules/r", rule(destinationPortRange="443-80"), V),
        *(400, "SecurityRuleInvalidPortRange", "443-80"),
    ),
    "hop": (
        *("PUT", f"{NETWORK}/routeTables/t"),
        {
            "location": "eastus",
            "properties": {
                "routes": [
                    {
                        "name": "r",
                        "properties": {
                            "addressPrefix": "0.0.0.0/0",
                            "nextHopType": "VirtualAppliance",
                        },
                    }
                ]
            },
        },
        *(V, 400, "InvalidRouteNextHopIpAddress", "must have a next hop IP address"),
    ),
    # Endpoints
    "endpoint without subnet": (
        *("PUT", ENDPOINT, endpoint(subnet={}), V),
        *(400, "InvalidRequestFormat", "Cannot parse the request."),
    ),
    "endpoint in no subnet": (
        *("PUT", ENDPOINT, endpoint(subnet={"id": f"{APP}/subnets/x"}), V),
        *(400, "InvalidResourceReference", "subnets/x referenced by resource"),
    ),
    "endpoint in another region": (
        *("PUT", ENDPOINT, {**endpoint(), "location": "westus"}, V),
        *(400, "InvalidResourceReference", "in the same region"),
    ),
    "endpoint with two connections": (
        *("PUT", ENDPOINT, endpoint(manualPrivateLinkServiceConnections=connection()), V),
        *(400, "PrivateEndpointMustHaveExactlyOneConnection", "2 given"),
    ),
    "endpoint with none": (
        *("PUT", ENDPOINT, endpoint(privateLinkServiceConnections=[]), V),
        *(400, "PrivateEndpointMustHaveExactlyOneConnection", "0 given"),
    ),
    "endpoint of no account": (
        *("PUT", ENDPOINT, endpoint(privateLinkServiceConnections=connection(OPENAI + "x")), V),
        *(400, "InvalidResourceReference", "lab-openaix"),
    ),
    "delegated subnet": (
        *("PUT", ENDPOINT, endpoint(subnet={"id": f"{APP}/subnets/delegated"}), V),
        *(400, "PrivateEndpointCreationNotAllowedAsSubnetIsDelegated", "is delegated"),
    ),
    "small subnet": (
        "PUT",
        ENDPOINT,
        endpoint(
            subnet={"id": f"{APP}/subnets/small"},
            privateLinkServiceConnections=connection(FOUNDRY),
        ),
        *(V, 400, "SubnetIsFull", "enough capacity for 3 IP addresses"),
    ),
    "address elsewhere": (
        *("PUT", ENDPOINT, endpoint(ipConfigurations=[member("10.20.3.9")]), V),
        *(400, "PrivateIPAddressNotInSubnet", "10.20.3.9"),
    ),
    "address of Azure's": (
        *("PUT", ENDPOINT, endpoint(ipConfigurations=[member("10.20.2.3")]), V),
        *(400, "PrivateIPAddressInReservedRange", "10.20.2.3"),
    ),
    "address of another": (
        "PUT",
        ENDPOINT,
        endpoint(
            subnet={"id": f"{OTHER}/subnets/endpoints"}, ipConfigurations=[member("10.22.2.4")]
        ),
        *(V, 400, "PrivateIPAddressIsAllocated", "already allocated"),
    ),
    "too few members": (
        "PUT",
        ENDPOINT,
        endpoint(
            privateLinkServiceConnections=connection(FOUNDRY),
            ipConfigurations=[member("10.20.2.9")],
        ),
        *(V, 400, "PrivateEndpointIpConfigurationMembersMismatch", "default, secondary, third"),
    ),
    "subnet of an endpoint changes": (
        *("PUT", f"{NETWORK}/privateEndpoints/other", endpoint(), V),
        *(400, "PrivateEndpointSubnetCannotBeChanged", "cannot be changed"),
    ),
    "account of an endpoint changes": (
        "PUT",
        f"{NETWORK}/privateEndpoints/other",
        endpoint(
            subnet={"id": f"{OTHER}/subnets/endpoints"},
            privateLinkServiceConnections=connection(OPENAI),
        ),
        *(V, 400, "PrivateLinkServiceConnectionCannotBeChanged", "cannot be changed"),
    ),
    "interface of an endpoint goes": (
        *("DELETE", f"{NETWORK}/networkInterfaces/other-nic", None, V),
        *(400, "NicInUseWithPrivateEndpoint", "in use with an private endpoint"),
    ),
    "effective rules of an endpoint": (
        *("POST", f"{NETWORK}/networkInterfaces/other-nic/effectiveNetworkSecurityGroups", None),
        *(V, 400, "NetworkInterfaceNotAttachedToRunningVm", "private endpoint"),
    ),
    # Zone groups
    "zone group without zone": (
        *("PUT", f"{NETWORK}/privateEndpoints/other/privateDnsZoneGroups/default", group()),
        *(V, 400, "InvalidPrivateDnsZoneConfigsCount", "0 given"),
    ),
    "zone group with no zone": (
        *("PUT", f"{NETWORK}/privateEndpoints/other/privateDnsZoneGroups/default"),
        *(group(ZONE + "x"), V, 400, "InvalidResourceReference", "was not found"),
    ),
    "zone group with a zone twice": (
        *("PUT", f"{NETWORK}/privateEndpoints/other/privateDnsZoneGroups/default"),
        *(group(ZONE, ZONE), V, 400, "DuplicatePrivateDnsZoneInPrivateDnsZoneGroup", "twice"),
    ),
    "second zone group": (
        *("PUT", f"{NETWORK}/privateEndpoints/grouped/privateDnsZoneGroups/another", group(ZONE)),
        *(V, 400, "MoreThanOnePrivateDnsZoneGroupPerPrivateEndpointNotAllowed", "default"),
    ),
    # Private DNS
    "zone name": (
        *("PUT", f"{NETWORK}/privateDnsZones/local", {"location": "global"}, DNS),
        *(400, "InvalidPrivateZoneName", "'local'"),
    ),
    "link to nothing": (
        *("PUT", f"{ZONE}/virtualNetworkLinks/l", link(APP + "x"), DNS),
        *(400, "BadRequest", "does not exist"),
    ),
    "network linked twice": (
        *("PUT", f"{ZONE}/virtualNetworkLinks/l", link(OTHER), DNS),
        *(409, "Conflict", "already linked"),
    ),
    "link moved": (
        *("PUT", f"{ZONE}/virtualNetworkLinks/other", link(APP), DNS),
        *(400, "BadRequest", "cannot be changed"),
    ),
    "fall through before it existed": (
        *("PUT", f"{ZONE}/virtualNetworkLinks/l", link(resolutionPolicy="NxDomainRedirect")),
        *("2020-06-01", 400, "InvalidRequestContent", "'resolutionPolicy'"),
    ),
    "registration in a privatelink zone": (
        *("PUT", f"{ZONE}/virtualNetworkLinks/l", link(registrationEnabled=True), DNS),
        *(400, "BadRequest", "Registration is not allowed"),
    ),
    "record in snake case": (
        *("PUT", f"{ZONE}/A/a", {"properties": {"ttl": 1, "a_records": []}}, DNS),
        *(400, "InvalidRequestContent", "'a_records' on object of type 'RecordSetProperties'"),
    ),
    "record without TTL": (
        *("PUT", f"{ZONE}/A/a", records("10.0.0.4", ttl=None), DNS),
        *(400, "BadRequest", "must have a TTL"),
    ),
    "record that is no address": (
        *("PUT", f"{ZONE}/A/a", records("10.0.0.400"), DNS),
        *(400, "BadRequest", "'10.0.0.400'"),
    ),
    "record of another type": (
        *("PUT", f"{ZONE}/AAAA/a", records("10.0.0.4"), DNS),
        *(400, "BadRequest", "does not match"),
    ),
    "name and type swapped": (
        *("PUT", f"{ZONE}/my-account/A", records("10.0.0.4"), DNS),
        *(404, "InvalidResourceType", "'privateDnsZones/my-account' could not be found"),
    ),
    "SOA goes": ("DELETE", f"{ZONE}/SOA/@", None, DNS, 400, "BadRequest", "SOA"),
}


def standing_lab() -> sample.Lab:
    """The sample with one of everything that somebody could get in the way of."""
    lab = sample.lab(
        {"id": NSG, "location": "eastus", "properties": {}},
        {"id": f"{NSG}/securityRules/standing", **rule(priority=300)},
        {
            "id": f"{APP}/subnets/delegated",
            "properties": {
                "addressPrefix": "10.20.8.0/24",
                "delegations": [{"name": "d", "properties": {"serviceName": "Microsoft.Web/x"}}],
            },
        },
        {"id": f"{APP}/subnets/small", "properties": {"addressPrefix": "10.20.9.0/29"}},
        {"id": ZONE, "location": "global"},
        {"id": f"{ZONE}/virtualNetworkLinks/other", **link(OTHER)},
        sample.account(ACCOUNT_WITHOUT_NAME, customSubDomainName=None),
    )
    for name, account in (("other", FOUNDRY), ("grouped", OPENAI)):
        given = sample.endpoint(
            f"{NETWORK}/privateEndpoints/{name}", account, f"{OTHER}/subnets/endpoints"
        )
        given["properties"]["customNetworkInterfaceName"] = f"{name}-nic"
        lab.add(given)
    grouped = f"{NETWORK}/privateEndpoints/grouped/privateDnsZoneGroups/default"
    lab.add({"id": grouped, **group(ZONE)})
    # Three of the eight addresses of the small subnet are for use.
    lab.add(sample.endpoint(f"{NETWORK}/privateEndpoints/first", OPENAI, f"{APP}/subnets/small"))
    return lab


@pytest.fixture(scope="module")
def standing() -> sample.Lab:
    return standing_lab()


def fingerprint(lab: sample.Lab) -> str:
    return repr([(key, each.body, each.etag) for key, each in lab.state.resources.items()])


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_request_is_refused_as_azure_does_and_changes_nothing(
    standing: sample.Lab, name: str
) -> None:
    method, path, body, version, status, code, words = WRONG[name]
    before = fingerprint(standing)
    answer = standing.arm(method, path, copy.deepcopy(body), version=version)
    assert answer[0] >= 400, answer
    got = error(answer)
    assert got[:2] == (status, code) and words in got[2]
    assert fingerprint(standing) == before


CONDITIONS = [
    (f"{APP}/subnets/app", subnet(), V),
    (ZONE, {"location": "global"}, DNS),
    (f"{ZONE}/virtualNetworkLinks/other", link(OTHER), DNS),
]


@pytest.mark.parametrize(("path", "body", "version"), CONDITIONS)
def test_a_write_with_a_stale_etag_is_refused(path: str, body: Any, version: str) -> None:
    lab = standing_lab()
    etag = lab.arm("GET", path, version=version)[1]["etag"]

    def put(**headers: str) -> int:
        lab.later(1)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return lab.arm("PUT", path, copy.deepcopy(body), version=version, headers=named)[0]

    assert put(If_None_Match="*") == 412
    assert put(If_Match='W/"00000000-0000-0000-0000-000000000000"') == 412
    assert put(If_Match=etag) in (200, 202)
    assert put(If_Match=etag) == 412
    assert put(If_Match="*") in (200, 202)


def test_if_match_on_what_is_not_there_is_refused(standing: sample.Lab) -> None:
    answer = standing.arm(
        "PUT", f"{ZONE}/A/new", records("10.0.0.4"), version=DNS, headers={"If-Match": "*"}
    )
    assert error(answer)[:2] == (412, "PreconditionFailed")


def test_a_link_takes_only_the_id_of_a_whole_network() -> None:
    """As azure_rm_privatednszonelink of azure.azcollection sends it."""
    lab = sample.lab({"id": ZONE, "location": "global"})
    body = link(APP)
    body["properties"]["virtualNetwork"]["properties"] = {"enableDdosProtection": False}
    path = f"{ZONE}/virtualNetworkLinks/app"
    assert lab.arm("PUT", path, body, version=DNS)[0] in (201, 202)
    made = lab.arm("GET", path, version=DNS)[1]
    assert made["properties"]["virtualNetwork"] == {"id": APP}
    body["properties"]["virtualNetwork"] = {"id": APP, "resourceId": APP}
    assert error(lab.arm("PUT", path, body, version=DNS))[:2] == (400, "InvalidRequestContent")


def poll(lab: sample.Lab, headers: dict[str, str]) -> Any:
    url = headers["Azure-AsyncOperation"]
    return lab.send("GET", url, headers={"Authorization": f"Bearer {lab.token()}"})[1]


def begin(lab: sample.Lab, method: str, path: str, body: Any, version: str = V) -> Any:
    url = f"https://management.azure.com{path}?api-version={version}"
    return lab.raw(method, url, body, headers={"Authorization": f"Bearer {lab.token()}"})


def test_an_endpoint_is_made_in_its_time_and_its_network_is_busy_meanwhile() -> None:
    lab = sample.lab()
    answer = begin(lab, "PUT", ENDPOINT, endpoint())
    assert answer.status == 201
    assert answer.headers["Retry-After"] == "1"
    assert poll(lab, answer.headers)["status"] == "InProgress"
    made = lab.arm("GET", ENDPOINT, version=V)[1]["properties"]
    assert (made["provisioningState"], made["customDnsConfigs"]) == ("Updating", [])
    assert lab.cloud.admitted(sample.INSIDE) == frozenset()
    for method, path, body in (
        ("PUT", SUBNET, subnet()),
        ("PUT", f"{NETWORK}/privateEndpoints/second", endpoint()),
        ("DELETE", ENDPOINT, None),
    ):
        busy = error(lab.arm(method, path, body, version=V))
        assert busy[:2] == (409, "AnotherOperationInProgress")
        assert "/operations/" in busy[2]

    due = lab.cloud.next_change()
    assert due == pytest.approx(lab.clock.time + lab.state.timing.endpoint)
    lab.later(lab.state.timing.endpoint)

    assert poll(lab, answer.headers)["status"] == "Succeeded"
    made = lab.arm("GET", ENDPOINT, version=V)[1]["properties"]
    assert made["provisioningState"] == "Succeeded" and made["customDnsConfigs"]
    assert lab.cloud.admitted(sample.INSIDE) == frozenset({"10.20.2.4"})
    assert lab.arm("PUT", SUBNET, subnet(), version=V)[0] == 200


@pytest.mark.parametrize(
    ("wanted", "code", "words"),
    [
        (endpoint(privateLinkServiceConnections=connection(groupIds=["blob"])), "", "blob"),
        (
            endpoint(privateLinkServiceConnections=connection(ACCOUNT_WITHOUT_NAME)),
            "BadRequest",
            "custom subdomain",
        ),
    ],
)
def test_an_operation_that_was_accepted_fails_at_its_end(
    wanted: Any, code: str, words: str
) -> None:
    lab = standing_lab()
    answer = begin(lab, "PUT", ENDPOINT, wanted)
    assert answer.status == 201
    lab.later(1)
    polled = poll(lab, answer.headers)
    assert polled["status"] == "Failed"
    assert polled["error"]["code"].endswith(code) and words in polled["error"]["message"]
    made = lab.arm("GET", ENDPOINT, version=V)[1]
    assert made["properties"]["provisioningState"] == "Failed"


def test_a_failure_that_the_world_has_in_store_happens_once() -> None:
    stored = {
        "operation": "Microsoft.Network/virtualNetworks/subnets:PUT",
        "id": SUBNET,
        "code": "InternalServerError",
        "message": "An error occurred.",
    }
    lab = sample.lab(failures=[stored])
    answer = begin(lab, "PUT", SUBNET, subnet())
    assert answer.status == 200
    lab.later(1)
    assert poll(lab, answer.headers)["error"]["code"] == "InternalServerError"
    answer = begin(lab, "PUT", SUBNET, subnet())
    lab.later(1)
    assert poll(lab, answer.headers)["status"] == "Succeeded"


def test_a_later_write_does_not_interrupt_an_endpoint() -> None:
    lab = sample.lab(sample.endpoint())
    tagged = {**endpoint(), "tags": {"a": "b"}}
    assert begin(lab, "PUT", ENDPOINT, tagged).status == 200
    assert lab.arm("GET", ENDPOINT, version=V)[1]["properties"]["provisioningState"] == "Updating"
    assert lab.cloud.admitted(sample.INSIDE) == frozenset({"10.20.2.4"})
    lab.later(1)
    begin(lab, "DELETE", ENDPOINT, None)
    assert lab.cloud.admitted(sample.INSIDE) == frozenset()


def test_what_was_deleted_stays_deleted_without_complaint(standing: sample.Lab) -> None:
    for path, version in ((ENDPOINT, V), (f"{APP}/subnets/none", V), (f"{ZONE}/A/none", DNS)):
        assert standing.arm("DELETE", path, version=version) == (204, None)


def test_ids_are_compared_without_regard_to_case_and_shown_as_they_were_made() -> None:
    lab = standing_lab()
    loud = SUBNET.upper().replace("/SUBSCRIPTIONS/", "/subscriptions/")
    assert lab.arm("GET", loud, version=V)[1]["id"] == SUBNET
    lab.later(1)
    body = endpoint(subnet={"id": f"{APP}/subnets/endpoints".upper()})
    assert begin(lab, "PUT", ENDPOINT, body).status == 201
    shown = lab.arm("GET", ENDPOINT, version=V)[1]["properties"]["subnet"]["id"]
    assert shown == f"{APP}/subnets/endpoints"


def limited(*actions: str, scope: str = "/", but: tuple[str, ...] = ()) -> sample.Lab:
    principal = {
        "client_id": sample.OWNER,
        "object_id": "01000000-0000-0000-0000-000000000001",
        "tenant": sample.TENANT,
        "secrets": ["owner"],
        "permissions": [{"scope": scope, "actions": list(actions), "not_actions": list(but)}],
    }
    return sample.lab(
        {"id": NSG, "location": "eastus", "properties": {}},
        {"id": ZONE, "location": "global"},
        principals=[principal],
    )


DENIED = [
    ("PUT", ENDPOINT, endpoint(), V, "Microsoft.Network/privateEndpoints/write"),
    ("DELETE", SUBNET, None, V, "Microsoft.Network/virtualNetworks/subnets/delete"),
    ("PUT", f"{ZONE}/A/a", records("10.0.0.4"), DNS, "Microsoft.Network/privateDnsZones/A/write"),
]


@pytest.mark.parametrize(("method", "path", "body", "version", "action"), DENIED)
def test_a_missing_permission_names_action_and_scope(
    method: str, path: str, body: Any, version: str, action: str
) -> None:
    lab = limited("*/read")
    status, code, message = error(lab.arm(method, path, body, version=version))
    assert (status, code) == (403, "AuthorizationFailed")
    assert f"perform action '{action}' over scope '{path}'" in message
    assert f"The client '{sample.OWNER}' with object id '01000000-" in message


LINKED = [
    (
        *(ENDPOINT, endpoint(), V, "Microsoft.Network/virtualNetworks/subnets/join/action"),
        f"{APP}/subnets/endpoints",
    ),
    (
        *(ENDPOINT, endpoint(), V),
        "Microsoft.CognitiveServices/accounts/privateEndpointConnectionsApproval/action",
        OPENAI,
    ),
    (
        *(SUBNET, subnet(networkSecurityGroup={"id": NSG}), V),
        *("Microsoft.Network/networkSecurityGroups/join/action", NSG),
    ),
    (
        *(f"{ZONE}/virtualNetworkLinks/app", link(), DNS),
        *("Microsoft.Network/virtualNetworks/join/action", APP),
    ),
]


@pytest.mark.parametrize(("path", "body", "version", "action", "scope"), LINKED)
def test_a_missing_permission_on_what_a_body_names_is_a_refusal_too(
    path: str, body: Any, version: str, action: str, scope: str
) -> None:
    lab = limited("*", but=(action,))
    status, code, message = error(lab.arm("PUT", path, copy.deepcopy(body), version=version))
    assert (status, code) == (403, "LinkedAuthorizationFailed")
    assert action in message and scope in message


@pytest.mark.parametrize("allowed", [True, False])
def test_every_write_of_an_endpoint_joins_its_application_groups(allowed: bool) -> None:
    action = "Microsoft.Network/applicationSecurityGroups/joinIpConfiguration/action"
    lab = limited("*", but=() if allowed else (action,))
    group = f"{NETWORK}/applicationSecurityGroups/app"
    lab.add({"id": group, "location": "eastus", "properties": {}})
    body = endpoint(applicationSecurityGroups=[{"id": group}])
    answer = lab.arm("PUT", ENDPOINT, body, version=V)
    assert answer[0] == (201 if allowed else 403), answer
    assert allowed or error(answer)[1] == "LinkedAuthorizationFailed"


def test_a_subnet_beside_the_one_that_is_written_joins_nothing() -> None:
    lab = limited("*", but=("Microsoft.Network/networkSecurityGroups/join/action",))
    lab.add({"id": SUBNET, **subnet(networkSecurityGroup={"id": NSG})})
    beside = {"properties": {"addressPrefix": "10.20.7.0/24"}}
    assert lab.arm("PUT", f"{APP}/subnets/beside", beside, version=V)[0] == 201


POLLED = [
    (SUBNET, subnet(), V, "Microsoft.Network/locations/operations/read"),
    (
        f"{ZONE}.x",
        {"location": "global"},
        DNS,
        "Microsoft.Network/privateDnsOperationStatuses/read",
    ),
]


@pytest.mark.parametrize("allowed", [True, False])
@pytest.mark.parametrize(("path", "body", "version", "action"), POLLED)
def test_to_poll_an_operation_takes_a_permission_on_the_subscription(
    path: str, body: Any, version: str, action: str, allowed: bool
) -> None:
    lab = limited("*", but=() if allowed else (action,))
    answer = begin(lab, "PUT", path, copy.deepcopy(body), version)
    assert answer.status in (200, 201, 202)
    seen = poll(lab, answer.headers)
    assert allowed == ("error" not in seen), seen
    assert allowed or f"'{action}' over scope '/subscriptions/" in seen["error"]["message"]


@pytest.mark.parametrize("actions", [("Microsoft.Network/virtualNetworks/read",), ()])
def test_a_subscription_is_listed_for_whoever_may_do_anything_in_it(
    actions: tuple[str, ...],
) -> None:
    lab = limited(*actions, scope=APP)
    listed = lab.arm("GET", "/subscriptions", version="2022-12-01")[1]["value"]
    assert [item["subscriptionId"] for item in listed] == [SUBSCRIPTION] * len(actions)


def test_a_permission_holds_below_its_scope_only() -> None:
    lab = limited("*", scope=f"{APP}/subnets/app")
    assert lab.arm("PUT", f"{APP}/subnets/app", subnet(), version=V)[0] == 200
    lab.later(1)
    denied = error(lab.arm("PUT", f"{APP}/subnets/endpoints", subnet(), version=V))
    assert denied[1] == "AuthorizationFailed"


def test_faults_answer_in_azures_own_words() -> None:
    lab = sample.lab()
    seen = {}
    for host in ("management.azure.com", "login.microsoftonline.com"):
        request = sample.request("GET", f"https://{host}{SUBNET}?api-version={V}")
        call = lab.cloud.parse(request)
        for kind in ("throttle", "error"):
            response = lab.cloud.fault(call, kind)  # type: ignore[arg-type]
            seen[host.split(".")[0], kind] = (response.status, response.headers.get("Retry-After"))
    assert seen == {
        ("management", "throttle"): (429, "1"),
        ("management", "error"): (500, None),
        ("login", "throttle"): (429, "1"),
        ("login", "error"): (503, None),
    }


def test_calls_have_the_names_that_the_journal_shows() -> None:
    lab = sample.lab()
    names = {}
    for method, path in (
        ("PUT", SUBNET),
        ("GET", f"{APP}/subnets"),
        ("GET", f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Network/privateEndpoints"),
        ("POST", f"{NETWORK}/networkInterfaces/n/effectiveRouteTable"),
        ("GET", f"{ZONE}/ALL"),
        ("PUT", f"{ZONE}/my-account/A"),
    ):
        url = f"https://management.azure.com{path.lower()}?api-version={V}"
        headers = {"Authorization": f"Bearer {lab.token()}"}
        call = lab.cloud.parse(sample.request(method, url, headers=headers))
        names[call.operation] = (call.write, call.principal)
    assert names == {
        "Microsoft.Network/virtualNetworks/subnets:PUT": (True, sample.OWNER),
        "Microsoft.Network/virtualNetworks/subnets:LIST": (False, sample.OWNER),
        "Microsoft.Network/privateEndpoints:LIST": (False, sample.OWNER),
        "Microsoft.Network/networkInterfaces/effectiveRouteTable:POST": (False, sample.OWNER),
        "Microsoft.Network/privateDnsZones/ALL:LIST": (False, sample.OWNER),
        "Microsoft.Network/privateDnsZones/my-account:PUT": (True, sample.OWNER),
    }
