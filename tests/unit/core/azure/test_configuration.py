# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a proof of an Azure account hangs on: every part that callers rely on, and nothing else."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.private_ai.endpoints.plugins.module_utils.core.azure.configuration import (
    NEEDED,
    config_hash,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.errors import EndpointError

GROUP = "/subscriptions/5a/resourceGroups/app-network/providers/Microsoft.Network/"
APP, SPOKE = GROUP + "virtualNetworks/app", GROUP + "virtualNetworks/spoke"
NSG, TABLE, PE = (
    GROUP + "networkSecurityGroups/app",
    GROUP + "routeTables/app",
    GROUP + "privateEndpoints/pe",
)
ZONE = GROUP + "privateDnsZones/privatelink.openai.azure.com"
ACCOUNT = (
    "/subscriptions/5c/resourceGroups/ai/providers/Microsoft.CognitiveServices/accounts/lab-openai"
)
HOST = "lab-openai.openai.azure.com"


def subnet(name: str, cidr: str, **changes: Any) -> dict[str, Any]:
    return {
        "id": f"{APP}/subnets/{name}",
        "name": name,
        "cidrs": [cidr],
        "nsg_id": NSG,
        "route_table_id": None,
        "private_endpoint_network_policies": "NetworkSecurityGroupEnabled",
        "delegations": [],
        "service_endpoints": [],
        **changes,
    }


def rule(name: str, priority: int, access: str) -> dict[str, Any]:
    return {
        "name": name,
        "priority": priority,
        "direction": "Inbound",
        "access": access,
        "protocol": "Tcp",
        "source_prefixes": ["10.20.0.0/16"],
        "source_asgs": [],
        "source_ports": ["*"],
        "destination_prefixes": ["10.20.2.4", "10.20.2.5"],
        "destination_asgs": [],
        "destination_ports": ["443"],
        "default": False,
    }


def record(name: str, *addresses: str) -> dict[str, Any]:
    return {"name": name, "type": "A", "ttl": 10, "addresses": list(addresses)}


def link(name: str, network: str) -> dict[str, Any]:
    return {
        "id": f"{ZONE}/virtualNetworkLinks/{name}",
        "name": name,
        "network_id": network,
        "state": "Completed",
        "registration_enabled": False,
        "resolution_policy": None,
    }


EVIDENCE: dict[str, Any] = {
    "schema_version": 1,
    "kind": "evidence",
    "cloud": "azure",
    "target": "openai",
    "collected_at": "2026-03-01T12:00:00Z",
    "region": "eastus",
    "gathered": [*NEEDED],
    "missing": [],
    "account": {
        "id": ACCOUNT,
        "name": "lab-openai",
        "kind": "OpenAI",
        "custom_subdomain": "lab-openai",
        "provisioning_state": "Succeeded",
        "public_network_access": "Enabled",
        "network_acls": {"default_action": "Allow", "ip_rules": []},
        "tags": {},
        "hosts": [HOST],
        "private_endpoint_connections": [
            {"id": ACCOUNT + "/c", "endpoint_id": PE, "status": "Approved"}
        ],
    },
    "network": {
        "id": APP,
        "cidrs": ["10.20.0.0/16", "10.22.0.0/16"],
        "dns_servers": [],
        "subnets": [
            subnet("app", "10.20.1.0/24", route_table_id=TABLE),
            subnet("endpoints", "10.20.2.0/24"),
        ],
    },
    "peerings": [
        {
            "id": APP + "/virtualNetworkPeerings/spoke",
            "state": "Connected",
            "peer_network_id": SPOKE,
            "peer_cidrs": ["10.21.0.0/16"],
            "allow_virtual_network_access": True,
        }
    ],
    "peers": [{"id": SPOKE, "cidrs": ["10.21.0.0/16"], "dns_servers": []}],
    "security_groups": [
        {
            "id": NSG,
            "rules": [
                rule("allow", 100, "Allow"),
                rule("deny", 200, "Deny"),
                {**rule("of-others", 110, "Deny"), "destination_prefixes": ["10.20.2.9"]},
            ],
        },
        {"id": GROUP + "networkSecurityGroups/of-others", "rules": []},
    ],
    "route_tables": [{"id": TABLE, "routes": [{"prefix": "0.0.0.0/0", "next_hop": "Internet"}]}],
    "endpoints": [
        {
            "id": PE,
            "subnet_id": APP + "/subnets/endpoints",
            "network_id": APP,
            "provisioning_state": "Succeeded",
            "connection": {
                "account_id": ACCOUNT,
                "group_ids": ["account"],
                "status": "Approved",
            },
            "members": [{"member": "default", "fqdns": [HOST], "address": "10.20.2.4"}],
            "zone_group": {"name": "default", "zones": [{"zone_id": ZONE, "records": []}]},
        }
    ],
    "zones": [
        {
            "id": ZONE,
            "name": "privatelink.openai.azure.com",
            "links": [link("app", APP), link("spoke", SPOKE), link("far", SPOKE + "-far")],
            "records": [record("lab-openai", "10.20.2.4"), record("another", "10.9.9.9")],
        }
    ],
    "logging": None,
    "traffic": None,
}


def changed(*path: Any, to: Any) -> dict[str, Any]:
    document = copy.deepcopy(EVIDENCE)
    part: Any = document
    for step in path[:-1]:
        part = part[step]
    part[path[-1]] = to
    return document


@pytest.mark.parametrize(
    "document",
    [
        changed("account", "hosts", to=["other.openai.azure.com"]),
        changed("account", "kind", to="AIServices"),
        changed("account", "private_endpoint_connections", 0, "status", to="Rejected"),
        changed("network", "dns_servers", to=["10.0.0.4"]),
        changed("network", "cidrs", to=["10.20.0.0/16"]),
        changed("network", "subnets", 1, "nsg_id", to=None),
        changed("network", "subnets", 0, "route_table_id", to=None),
        changed("network", "subnets", 1, "private_endpoint_network_policies", to="Disabled"),
        changed("peerings", 0, "state", to="Disconnected"),
        changed("peerings", to=[]),
        changed("peers", 0, "dns_servers", to=["10.0.0.4"]),
        changed("security_groups", 0, "rules", 1, "priority", to=50),
        changed("security_groups", 0, "rules", 0, "source_prefixes", to=["10.20.1.0/24"]),
        changed("security_groups", 0, "rules", 2, "destination_prefixes", to=["10.20.2.0/28"]),
        changed("security_groups", 0, "rules", 2, "destination_prefixes", to=["VirtualNetwork"]),
        changed("security_groups", 0, "rules", 2, "destination_asgs", to=["asg"]),
        changed("route_tables", 0, "routes", to=[]),
        changed("endpoints", to=[]),
        changed("endpoints", 0, "members", 0, "address", to="10.20.2.9"),
        changed("endpoints", 0, "connection", "status", to="Pending"),
        changed("endpoints", 0, "zone_group", to=None),
        changed("zones", 0, "links", to=[link("app", APP)]),
        changed("zones", 0, "links", 0, "resolution_policy", to="NxDomainRedirect"),
        changed("zones", 0, "records", 0, "addresses", to=["10.20.2.9"]),
        changed("zones", 0, "records", 1, "name", to="*"),
        changed("zones", to=[]),
    ],
)
def test_what_callers_rely_on_counts(document: dict[str, Any]) -> None:
    assert config_hash(document) != config_hash(EVIDENCE)


@pytest.mark.parametrize(
    "document",
    [
        changed("account", "public_network_access", to="Disabled"),
        changed("account", "network_acls", to={"default_action": "Deny", "ip_rules": ["1.2.3.4"]}),
        changed("account", "tags", to={"private-ai-endpoints:lock": "pending"}),
        changed("account", "disable_local_auth", to=True),
        changed("collected_at", to="2027-01-01T00:00:00Z"),
        changed("traffic", to={"groups": []}),
        changed("security_groups", 1, "rules", to=[rule("x", 100, "Deny")]),
        changed("security_groups", 0, "rules", 0, "name", to="renamed"),
        changed("security_groups", 0, "rules", 2, "access", to="Allow"),
        changed("security_groups", 0, "rules", 2, "destination_prefixes", to=["10.20.3.0/24"]),
        changed("network", "subnets", 0, "service_endpoints", to=["Microsoft.Storage"]),
        changed("zones", 0, "links", 2, "network_id", to=SPOKE + "-farther"),
        changed("zones", 0, "records", 1, "addresses", to=["10.8.8.8"]),
        changed("zones", 0, "records", 0, "ttl", to=3600),
        {**EVIDENCE, "missing": [{"part": "traffic", "action": "query", "code": "403"}]},
        {**EVIDENCE, "endpoints": [*EVIDENCE["endpoints"], {**EVIDENCE["endpoints"][0], "id": "far",
                                                            "network_id": SPOKE}]},
    ],
)  # fmt: skip
def test_what_nobody_relies_on_and_the_lock_itself_do_not_count(document: dict[str, Any]) -> None:
    assert config_hash(document) == config_hash(EVIDENCE)


def everywhere(value: Any, text: Callable[[str], str], turn: Callable[[list[Any]], Any]) -> Any:
    """The same document with every list turned and every id written in another case."""
    if isinstance(value, dict):
        return {name: everywhere(inner, text, turn) for name, inner in value.items()}
    if isinstance(value, list):
        return turn([everywhere(inner, text, turn) for inner in value])
    return text(value) if isinstance(value, str) and "/subscriptions/" in value else value


@given(st.randoms(use_true_random=False), st.sampled_from([str.upper, str.lower, str]))
@settings(max_examples=30, deadline=None)
def test_order_and_case_mean_nothing(random: Any, text: Callable[[str], str]) -> None:
    other = everywhere(EVIDENCE, text, lambda found: random.sample(found, len(found)))
    assert config_hash({**other, "gathered": EVIDENCE["gathered"]}) == config_hash(EVIDENCE)


@pytest.mark.parametrize("part", NEEDED)
def test_half_a_configuration_has_no_digest(part: str) -> None:
    with pytest.raises(EndpointError, match=f"{part} was not gathered"):
        config_hash({**EVIDENCE, "gathered": [item for item in NEEDED if item != part]})
    denied = {"part": part, "action": "Microsoft.Network/x/read", "code": "AuthorizationFailed"}
    with pytest.raises(EndpointError, match="x/read failed: AuthorizationFailed"):
        config_hash({**EVIDENCE, "missing": [denied]})


@pytest.mark.parametrize("part", ["account", "network"])
def test_nothing_there_has_no_digest(part: str) -> None:
    with pytest.raises(EndpointError, match=f"no {part} was found"):
        config_hash({**EVIDENCE, part: None})
