# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole lives of Azure's networks, endpoints and zones, as the real SDKs see them."""

from __future__ import annotations

from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError

from lab.azure import sample
from lab.azure.sample import APP, FOUNDRY, NETWORK, OPENAI, SPOKE, SUBSCRIPTION
from lab.azure.sdk_client import Sdk

AT_ONCE = {
    "operation": 0,
    "endpoint": 0,
    "account": 0,
    "dns": 0,
    "access_propagation": 0,
    "retry_after": 0,
}
ZONES = (
    "privatelink.cognitiveservices.azure.com",
    "privatelink.openai.azure.com",
    "privatelink.services.ai.azure.com",
)


@pytest.fixture
def lab() -> sample.Lab:
    return sample.lab(timing=AT_ONCE)


@pytest.fixture
def sdk(lab: sample.Lab) -> Sdk:
    return Sdk(
        lab.cloud, sample.OUTSIDE, tenant=sample.TENANT, client_id=sample.OWNER, secret="owner"
    )


@pytest.fixture
def network(sdk: Sdk) -> Any:
    return sdk.network(SUBSCRIPTION)


@pytest.fixture
def dns(sdk: Sdk) -> Any:
    return sdk.dns(SUBSCRIPTION)


def endpoint(account: str, **properties: Any) -> dict[str, Any]:
    connection = {
        "name": "account",
        "properties": {"privateLinkServiceId": account, "groupIds": ["account"]},
    }
    return {
        "location": "eastus",
        "properties": {
            "subnet": {"id": f"{APP}/subnets/endpoints"},
            "privateLinkServiceConnections": [connection],
            **properties,
        },
    }


def zone(dns: Any, name: str, *networks: str) -> Any:
    made = dns.private_zones.begin_create_or_update("ai", name, {"location": "global"}).result()
    for each in networks:
        link(dns, name, each)
    return made


def link(dns: Any, name: str, network: str, **properties: Any) -> Any:
    return dns.virtual_network_links.begin_create_or_update(
        "ai",
        name,
        network.rpartition("/")[2],
        {
            "location": "global",
            "properties": {
                "virtualNetwork": {"id": network},
                "registrationEnabled": False,
                **properties,
            },
        },
    ).result()


def group(network: Any, name: str, *zones: Any) -> Any:
    configs = [
        {"name": each.name.replace(".", "-"), "properties": {"privateDnsZoneId": each.id}}
        for each in zones
    ]
    body = {"properties": {"privateDnsZoneConfigs": configs}}
    return network.private_dns_zone_groups.begin_create_or_update(
        "ai", name, "default", body
    ).result()


def refusal(call: Any, *arguments: Any, **more: Any) -> tuple[int, str]:
    with pytest.raises(HttpResponseError) as caught:
        call(*arguments, **more)
    return caught.value.status_code, caught.value.error.code


def test_an_ai_services_account_has_three_names_on_three_addresses(
    lab: sample.Lab, network: Any, dns: Any
) -> None:
    made = network.private_endpoints.begin_create_or_update("ai", "foundry", endpoint(FOUNDRY))
    made = made.result()

    connection = made.private_link_service_connections[0]
    assert connection.private_link_service_connection_state.status == "Approved"
    nic = network.network_interfaces.get("ai", made.network_interfaces[0].id.split("/")[-1])
    seen = {
        fqdn: each.private_ip_address
        for each in nic.ip_configurations
        for fqdn in each.private_link_connection_properties.fqdns
    }
    assert seen == {
        "lab-foundry.cognitiveservices.azure.com": "10.20.2.4",
        "lab-foundry.openai.azure.com": "10.20.2.5",
        "lab-foundry.services.ai.azure.com": "10.20.2.6",
    }
    assert {each.fqdn: each.ip_addresses[0] for each in made.custom_dns_configs} == seen

    group(network, "foundry", *(zone(dns, each, APP) for each in ZONES))

    after = network.private_endpoints.get("ai", "foundry")
    assert not after.custom_dns_configs
    for fqdn, address in seen.items():
        answer = lab.cloud.resolve(sample.INSIDE, fqdn, "A")
        assert answer is not None and answer.addresses == (address,)
    assert lab.cloud.admitted(sample.INSIDE) == frozenset(seen.values())


def test_deleting_an_endpoint_takes_its_interface_records_and_connection_with_it(
    lab: sample.Lab, network: Any, dns: Any
) -> None:
    network.private_endpoints.begin_create_or_update("ai", "openai", endpoint(OPENAI)).result()
    group(network, "openai", zone(dns, ZONES[1], APP))
    assert [each.name for each in dns.record_sets.list("ai", ZONES[1])] == ["lab-openai", "@"]

    network.private_endpoints.begin_delete("ai", "openai").result()

    assert [each.name for each in dns.record_sets.list("ai", ZONES[1])] == ["@"]
    assert not list(network.network_interfaces.list_all())
    account = lab.arm("GET", OPENAI)[1]
    assert account["properties"]["privateEndpointConnections"] == []
    assert refusal(network.private_endpoints.get, "ai", "openai") == (404, "ResourceNotFound")


def test_a_zone_group_leaves_the_records_of_others_alone(network: Any, dns: Any) -> None:
    home = zone(dns, ZONES[1], APP)
    record = {"properties": {"ttl": 300, "aRecords": [{"ipv4Address": "10.9.9.9"}]}}
    dns.record_sets.create_or_update("ai", ZONES[1], "A", "other", record)
    network.private_endpoints.begin_create_or_update("ai", "openai", endpoint(OPENAI)).result()
    group(network, "openai", home)

    network.private_dns_zone_groups.begin_delete("ai", "openai", "default").result()

    assert [each.name for each in dns.record_sets.list_by_type("ai", ZONES[1], "A")] == ["other"]
    restored = network.private_endpoints.get("ai", "openai")
    assert [each.fqdn for each in restored.custom_dns_configs] == ["lab-openai.openai.azure.com"]


def test_a_manual_connection_waits_for_the_account(lab: sample.Lab, network: Any) -> None:
    body = endpoint(OPENAI, privateLinkServiceConnections=[])
    body["properties"]["manualPrivateLinkServiceConnections"] = [
        {
            "name": "account",
            "properties": {
                "privateLinkServiceId": OPENAI,
                "groupIds": ["account"],
                "requestMessage": "please",
            },
        }
    ]
    made = network.private_endpoints.begin_create_or_update("ai", "openai", body).result()
    state = made.manual_private_link_service_connections[0].private_link_service_connection_state
    assert (state.status, state.description) == ("Pending", "please")

    theirs = lab.arm("GET", OPENAI)[1]["properties"]["privateEndpointConnections"][0]
    approved = {"properties": {"privateLinkServiceConnectionState": {"status": "Approved"}}}
    assert lab.arm("PUT", theirs["id"], approved)[0] in (200, 201, 202)

    made = network.private_endpoints.get("ai", "openai")
    state = made.manual_private_link_service_connections[0].private_link_service_connection_state
    assert state.status == "Approved"


def test_static_addresses_are_the_members_own(network: Any) -> None:
    wanted = {"default": "10.20.2.30", "secondary": "10.20.2.20", "third": "10.20.2.10"}
    configurations = [
        {
            "name": member,
            "properties": {
                "groupId": "account",
                "memberName": member,
                "privateIPAddress": address,
            },
        }
        for member, address in wanted.items()
    ]
    body = endpoint(FOUNDRY, ipConfigurations=configurations, customNetworkInterfaceName="mine")
    network.private_endpoints.begin_create_or_update("ai", "foundry", body).result()

    nic = network.network_interfaces.get("ai", "mine")
    assert {
        each.private_link_connection_properties.required_member_name: each.private_ip_address
        for each in nic.ip_configurations
    } == wanted


def full_subnet(lab: sample.Lab) -> dict[str, Any]:
    """A subnet that has everything that a subnet can have."""
    for kind, name in (
        ("networkSecurityGroups", "nsg"),
        ("routeTables", "routes"),
        ("natGateways", "nat"),
    ):
        lab.add({"id": f"{NETWORK}/{kind}/{name}", "location": "eastus", "properties": {}})
    return {
        "addressPrefix": "10.20.1.0/24",
        "networkSecurityGroup": {"id": f"{NETWORK}/networkSecurityGroups/nsg"},
        "routeTable": {"id": f"{NETWORK}/routeTables/routes"},
        "natGateway": {"id": f"{NETWORK}/natGateways/nat"},
        "serviceEndpoints": [{"service": "Microsoft.Storage", "locations": ["eastus"]}],
        "delegations": [
            {"name": "web", "properties": {"serviceName": "Microsoft.Web/serverFarms"}}
        ],
    }


def test_a_subnet_put_replaces_the_whole(lab: sample.Lab, network: Any) -> None:
    put = network.subnets.begin_create_or_update
    put("ai", "app", "app", {"properties": full_subnet(lab)}).result()
    read = network.subnets.get("ai", "app", "app")
    assert read.route_table.id.endswith("/routes")
    assert read.delegations[0].service_name == "Microsoft.Web/serverFarms"

    # What was read goes back unchanged.
    body = read.as_dict()
    body["properties"]["privateEndpointNetworkPolicies"] = "NetworkSecurityGroupEnabled"
    again = put("ai", "app", "app", body).result()
    assert again.nat_gateway.id == read.nat_gateway.id
    assert again.service_endpoints[0].locations == ["eastus"]
    assert again.private_endpoint_network_policies == "NetworkSecurityGroupEnabled"

    put("ai", "app", "app", {"properties": {"addressPrefix": "10.20.1.0/24"}}).result()
    bare = network.subnets.get("ai", "app", "app")
    assert (bare.route_table, bare.network_security_group, bare.nat_gateway) == (None, None, None)
    assert bare.private_endpoint_network_policies == "Disabled"


def test_a_network_put_keeps_what_it_does_not_mention_of_subnets_and_peerings(
    network: Any,
) -> None:
    body = {
        "location": "eastus",
        "tags": {"a": "b"},
        "properties": {"addressSpace": {"addressPrefixes": ["10.20.0.0/16"]}},
    }
    made = network.virtual_networks.begin_create_or_update("ai", "app", body).result()
    assert [each.name for each in made.subnets] == ["app", "endpoints"]
    assert [each.peering_state for each in made.virtual_network_peerings] == ["Connected"]

    body["properties"]["subnets"] = []
    made = network.virtual_networks.begin_create_or_update("ai", "app", body).result()
    assert not made.subnets


def test_security_rules_one_by_one_and_all_at_once(network: Any) -> None:
    rule = {
        "protocol": "Tcp",
        "direction": "Inbound",
        "access": "Allow",
        "priority": 100,
        "sourceAddressPrefix": "10.0.0.0/8",
        "sourcePortRange": "*",
        "destinationAddressPrefixes": ["10.20.2.4/32"],
        "destinationPortRange": "443",
    }
    groups = network.network_security_groups
    groups.begin_create_or_update("ai", "nsg", {"location": "eastus"}).result()
    for name, priority in (("one", 100), ("two", 200)):
        network.security_rules.begin_create_or_update(
            "ai", "nsg", name, {"properties": {**rule, "priority": priority}}
        ).result()
    made = groups.get("ai", "nsg")
    assert [each.name for each in made.security_rules] == ["one", "two"]
    assert [each.priority for each in made.default_security_rules] == [
        *(65000, 65001, 65500),
        *(65000, 65001, 65500),
    ]
    network.security_rules.begin_delete("ai", "nsg", "one").result()
    assert [each.name for each in network.security_rules.list("ai", "nsg")] == ["two"]

    body = {"location": "eastus", "properties": {"securityRules": []}}
    assert not groups.begin_create_or_update("ai", "nsg", body).result().security_rules


def test_a_group_in_use_cannot_be_deleted(lab: sample.Lab, network: Any) -> None:
    network.subnets.begin_create_or_update(
        "ai", "app", "app", {"properties": full_subnet(lab)}
    ).result()
    assert refusal(network.network_security_groups.begin_delete, "ai", "nsg") == (
        400,
        "InUseNetworkSecurityGroupCannotBeDeleted",
    )
    assert refusal(network.route_tables.begin_delete, "ai", "routes") == (
        400,
        "InUseRouteTableCannotBeDeleted",
    )


def test_peerings_are_connected_from_both_sides_or_not_at_all(network: Any) -> None:
    peerings = network.virtual_network_peerings
    peerings.begin_delete("ai", "spoke", "to-app").result()
    assert peerings.get("ai", "app", "to-spoke").peering_state == "Disconnected"

    back = {"properties": {"remoteVirtualNetwork": {"id": APP}}}
    made = peerings.begin_create_or_update("ai", "spoke", "back", back).result()
    assert made.peering_state == "Connected"
    assert made.remote_address_space.address_prefixes == ["10.20.0.0/16"]


def test_a_network_is_linked_to_one_zone_of_a_name(lab: sample.Lab, dns: Any) -> None:
    zone(dns, ZONES[1], APP)
    hub = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/hub"
    assert lab.arm("PUT", hub, {"location": "eastus"}, version="2024-11-01")[0] == 201
    twin = f"{hub}/providers/Microsoft.Network/privateDnsZones/{ZONES[1]}"
    lab.add({"id": twin, "location": "global"})
    body = {"location": "global", "properties": {"virtualNetwork": {"id": APP}}}
    status, code, message = sample.error(
        lab.arm("PUT", f"{twin}/virtualNetworkLinks/app", body, version="2024-06-01")
    )
    assert (status, code) == (409, "Conflict")
    assert "cannot be linked to multiple zones with overlapping namespaces" in message
    body["properties"] = {"virtualNetwork": {"id": SPOKE}}
    made = lab.arm("PUT", f"{twin}/virtualNetworkLinks/spoke", body, version="2024-06-01")
    assert made[0] == 202


def test_a_zone_goes_after_its_links(dns: Any) -> None:
    zone(dns, ZONES[1], APP)
    assert refusal(dns.private_zones.begin_delete, "ai", ZONES[1]) == (409, "CannotDeleteResource")
    dns.virtual_network_links.begin_delete("ai", ZONES[1], "app").result()
    dns.private_zones.begin_delete("ai", ZONES[1]).result()
    assert not list(dns.private_zones.list())


def test_a_link_is_patched_and_its_policy_falls_through(lab: sample.Lab, dns: Any) -> None:
    zone(dns, ZONES[1], APP)
    lab.add(sample.endpoint())  # public DNS now leads through the zone, which lacks the record
    name = "lab-openai.openai.azure.com"
    answer = lab.cloud.resolve(sample.INSIDE, name, "A")
    assert answer is not None and answer.status == "nxdomain"
    body = {"properties": {"resolutionPolicy": "NxDomainRedirect"}}
    patched = dns.virtual_network_links.begin_update("ai", ZONES[1], "app", body).result()
    assert patched.properties.resolution_policy == "NxDomainRedirect"
    assert patched.properties.virtual_network.id == APP
    answer = lab.cloud.resolve(sample.INSIDE, name, "A")
    assert answer is not None and answer.status == "ok"


def test_record_sets_merge_and_replace(dns: Any) -> None:
    zone(dns, ZONES[1])
    put, merge = dns.record_sets.create_or_update, dns.record_sets.update
    record = {
        "properties": {
            "ttl": 10,
            "aRecords": [{"ipv4Address": "10.0.0.4"}],
            "metadata": {"by": "us"},
        }
    }
    keys = {"resource_group_name": "ai", "private_zone_name": ZONES[1]}
    keys |= {"record_type": "A", "relative_record_set_name": "one"}
    made = put(**keys, parameters=record)
    assert made.properties.fqdn == f"one.{ZONES[1]}."
    merged = merge(**keys, parameters={"properties": {"ttl": 60}})
    assert merged.properties.ttl == 60 and merged.properties.metadata == {"by": "us"}
    bare = {"properties": {"ttl": 60, "aRecords": [{"ipv4Address": "10.0.0.5"}]}}
    assert not put(**keys, parameters=bare).properties.metadata
    dns.record_sets.delete("ai", ZONES[1], "A", "one")
    assert refusal(dns.record_sets.get, "ai", ZONES[1], "A", "one")[0] == 404


def test_the_swapped_record_call_is_refused(dns: Any) -> None:
    """`(…, "my-account", "A")` asks for a resource type that there is none of."""
    zone(dns, ZONES[1])
    record = {"properties": {"ttl": 10, "aRecords": [{"ipv4Address": "10.0.0.4"}]}}
    put = dns.record_sets.create_or_update
    assert refusal(put, "ai", ZONES[1], "my-account", "A", record) == (404, "InvalidResourceType")


def test_lists_come_in_pages(lab: sample.Lab, dns: Any, sdk: Sdk) -> None:
    home = zone(dns, ZONES[1])
    for number in range(230):
        lab.add(
            {
                "id": f"{home.id}/A/h{number}",
                "properties": {"ttl": 10, "aRecords": [{"ipv4Address": "10.0.0.4"}]},
            }
        )
    del sdk.adapter.calls[:]
    assert len(list(dns.record_sets.list("ai", ZONES[1]))) == 231
    assert sdk.adapter.operations() == ["Microsoft.Network/privateDnsZones/ALL:LIST"] * 3
    del sdk.adapter.calls[:]
    assert len(list(dns.record_sets.list("ai", ZONES[1], top=200))) == 231
    assert len(sdk.adapter.calls) == 3


def test_an_unregistered_subscription_is_registered_by_the_sdk(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("azure.mgmt.core.policies._base.time.sleep", lambda _: None)
    """By policy of azure-core, for whatever is no long-running operation."""
    home = f"{NETWORK}/privateDnsZones/{ZONES[1]}"
    lab = sample.lab(
        {"id": home, "location": "global"},
        timing=AT_ONCE,
        subscriptions=[
            {
                "id": SUBSCRIPTION,
                "tenant": sample.TENANT,
                "registered": ["Microsoft.CognitiveServices"],
            }
        ],
    )
    client = Sdk(
        lab.cloud, sample.OUTSIDE, tenant=sample.TENANT, client_id=sample.OWNER, secret="owner"
    )
    groups = client.network(SUBSCRIPTION).network_security_groups
    assert refusal(groups.begin_create_or_update, "ai", "nsg", {"location": "eastus"}) == (
        409,
        "MissingSubscriptionRegistration",
    )

    record = {"properties": {"ttl": 10, "aRecords": [{"ipv4Address": "10.0.0.4"}]}}
    client.dns(SUBSCRIPTION).record_sets.create_or_update("ai", ZONES[1], "A", "one", record)

    assert "Microsoft.Network/register:POST" in client.adapter.operations(write=True)
