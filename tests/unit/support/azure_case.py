# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A target on Azure in which everything is right, to break one thing at a time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

from ansible_collections.private_ai.endpoints.plugins.module_utils.core.validate import Request

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=timezone.utc)
LOCATION = "eastus"
APPLICATION = "/subscriptions/5a000000-0000-0000-0000-00000000000a"
AI = "/subscriptions/5c000000-0000-0000-0000-00000000000c"
NETWORKS = f"{APPLICATION}/resourceGroups/app-network/providers/Microsoft.Network"
APP, SPOKE = f"{NETWORKS}/virtualNetworks/app", f"{NETWORKS}/virtualNetworks/spoke"
APP_SUBNET, ENDPOINT_SUBNET = f"{APP}/subnets/app", f"{APP}/subnets/endpoints"
APP_GROUP = f"{NETWORKS}/networkSecurityGroups/app"
GROUP = f"{NETWORKS}/networkSecurityGroups/endpoints"
TABLE = f"{NETWORKS}/routeTables/app"
PEERING = f"{APP}/virtualNetworkPeerings/spoke"
ENDPOINT = f"{NETWORKS}/privateEndpoints/foundry"
ACCOUNT = f"{AI}/resourceGroups/ai/providers/Microsoft.CognitiveServices/accounts/lab-foundry"
SUBDOMAIN = "lab-foundry"
CONNECTION = f"{ACCOUNT}/privateEndpointConnections/foundry"
COGNITIVE = f"{SUBDOMAIN}.cognitiveservices.azure.com"
OPENAI = f"{SUBDOMAIN}.openai.azure.com"
SERVICES = f"{SUBDOMAIN}.services.ai.azure.com"
ADDRESSES = {COGNITIVE: "10.20.2.4", OPENAI: "10.20.2.5", SERVICES: "10.20.2.6"}
PUBLIC = ["203.0.113.90"]
OPENAI_USER = "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd"
CALLER = "0a000000-0000-0000-0000-0000000000ca"


def rule(name: str, priority: int, access: str, source: str, **changes: Any) -> dict[str, Any]:
    """A rule about everything that comes in, from one source."""
    return {
        "name": name,
        "priority": priority,
        "direction": "Inbound",
        "access": access,
        "protocol": "*",
        "source_prefixes": [source],
        "source_asgs": [],
        "source_ports": ["*"],
        "destination_prefixes": ["*"],
        "destination_asgs": [],
        "destination_ports": ["*"],
        "default": False,
        **changes,
    }


def default_rules() -> list[dict[str, Any]]:
    """What every group ends with."""
    both = {"destination_prefixes": ["VirtualNetwork"], "default": True}
    out = {"direction": "Outbound", "default": True}
    return [
        rule("AllowVnetInBound", 65000, "Allow", "VirtualNetwork", **both),
        rule("AllowAzureLoadBalancerInBound", 65001, "Allow", "AzureLoadBalancer", default=True),
        rule("DenyAllInBound", 65500, "Deny", "*", default=True),
        rule("AllowVnetOutBound", 65000, "Allow", "VirtualNetwork", **{**both, **out}),
        rule(
            "AllowInternetOutBound",
            65001,
            "Allow",
            "*",
            destination_prefixes=["Internet"],
            **out,
        ),
        rule("DenyAllOutBound", 65500, "Deny", "*", **out),
    ]


def allow(name: str, priority: int, source: str) -> dict[str, Any]:
    """The managed rule that lets HTTPS in from the application to the endpoint."""
    return rule(
        name,
        priority,
        "Allow",
        source,
        protocol="Tcp",
        destination_ports=["443"],
        destination_prefixes=sorted(ADDRESSES.values()),
    )


def subnet(identifier: str, cidr: str, **changes: Any) -> dict[str, Any]:
    """A subnet without anything special."""
    return {
        "id": identifier,
        "name": identifier.rpartition("/")[2],
        "cidrs": [cidr],
        "nsg_id": None,
        "route_table_id": None,
        "private_endpoint_network_policies": "NetworkSecurityGroupEnabled",
        "delegations": [],
        "service_endpoints": [],
        **changes,
    }


def zone(host: str, networks: tuple[str, ...] = (APP, SPOKE)) -> dict[str, Any]:
    """A zone of the family of a name, with its record, linked to networks."""
    family = host.removeprefix(SUBDOMAIN + ".")
    name = f"privatelink.{family}"
    zones = f"{APPLICATION}/resourceGroups/dns/providers/Microsoft.Network/privateDnsZones"
    return {
        "id": f"{zones}/{name}",
        "name": name,
        "links": [
            {
                "id": f"{zones}/{name}/virtualNetworkLinks/{network.rpartition('/')[2]}",
                "name": network.rpartition("/")[2],
                "network_id": network,
                "state": "Completed",
                "registration_enabled": False,
                "resolution_policy": "Default",
            }
            for network in networks
        ],
        "records": [{"name": SUBDOMAIN, "type": "A", "ttl": 10, "addresses": [ADDRESSES[host]]}],
    }


def endpoint(**changes: Any) -> dict[str, Any]:
    """An approved endpoint with a member for each name."""
    members = zip(("default", "secondary", "third"), ADDRESSES.items(), strict=True)
    return {
        "id": ENDPOINT,
        "name": "foundry",
        "location": LOCATION,
        "subnet_id": ENDPOINT_SUBNET,
        "network_id": APP,
        "provisioning_state": "Succeeded",
        "connection": {
            "name": "foundry",
            "account_id": ACCOUNT,
            "group_ids": ["account"],
            "status": "Approved",
            "description": None,
            "manual": False,
        },
        "nic_id": f"{NETWORKS}/networkInterfaces/foundry.nic",
        "application_security_groups": [],
        "members": [
            {"member": member, "group_id": "account", "fqdns": [host], "address": address}
            for member, (host, address) in members
        ],
        "zone_group": {
            "name": "default",
            "zones": [
                {
                    "name": zone(host)["name"].replace(".", "-"),
                    "zone_id": zone(host)["id"],
                    "records": [{"name": SUBDOMAIN, "fqdn": host, "addresses": [address]}],
                }
                for host, address in ADDRESSES.items()
            ],
        },
        **changes,
    }


def account(**changes: Any) -> dict[str, Any]:
    """A locked AI Services account."""
    return {
        "id": ACCOUNT,
        "name": SUBDOMAIN,
        "kind": "AIServices",
        "location": LOCATION,
        "custom_subdomain": SUBDOMAIN,
        "provisioning_state": "Succeeded",
        "public_network_access": "Disabled",
        "network_acls": {
            "default_action": "Deny",
            "bypass": "AzureServices",
            "ip_rules": [],
            "virtual_network_rules": [],
        },
        "disable_local_auth": True,
        "restrict_outbound_network_access": False,
        "tags": {},
        "endpoints": {"Azure AI Model Inference API": f"https://{SERVICES}/"},
        "hosts": sorted(ADDRESSES),
        "private_endpoint_connections": [
            {
                "id": CONNECTION,
                "endpoint_id": ENDPOINT,
                "status": "Approved",
                "description": "",
                "actions_required": "None",
                "group_ids": ["account"],
            }
        ],
        "perimeters": [],
        **changes,
    }


def grant(scope: str = ACCOUNT, **changes: Any) -> dict[str, Any]:
    """A role that calls models, granted to the application."""
    return {
        "scope": scope,
        "role": "Cognitive Services OpenAI User",
        "role_id": f"{AI}/providers/Microsoft.Authorization/roleDefinitions/{OPENAI_USER}",
        "principal_id": CALLER,
        "principal_type": "ServicePrincipal",
        "condition": None,
        "data_actions": [],
        **changes,
    }


def call(**changes: Any) -> dict[str, Any]:
    """A group of logged calls from inside."""
    return {
        "principal": CALLER,
        "principal_type": None,
        "operation": "ChatCompletions_Create",
        "category": "RequestResponse",
        "region": LOCATION,
        "count": 3,
        "source_ip": "10.20.1.***",
        "path": "private",
        "error_code": None,
        "probe": False,
        "first_seen": "2026-02-28T00:00:00Z",
        "last_seen": "2026-02-28T01:00:00Z",
        **changes,
    }


def network() -> dict[str, Any]:
    """The application's network: callers in one subnet, the endpoint in the other."""
    return {
        "id": APP,
        "name": "app",
        "location": LOCATION,
        "cidrs": ["10.20.0.0/16"],
        "dns_servers": [],
        "subnets": [
            subnet(APP_SUBNET, "10.20.1.0/24", nsg_id=APP_GROUP, route_table_id=TABLE),
            subnet(ENDPOINT_SUBNET, "10.20.2.0/24", nsg_id=GROUP),
        ],
    }


def evidence() -> dict[str, Any]:
    """Evidence in which everything is right."""
    managed = [
        allow("private-ai-1", 200, "10.20.0.0/16"),
        allow("private-ai-2", 201, "10.21.0.0/16"),
        rule("private-ai-deny", 4000, "Deny", "*", destination_prefixes=sorted(ADDRESSES.values())),
    ]
    return {
        "schema_version": 1,
        "kind": "evidence",
        "cloud": "azure",
        "target": "foundry",
        "collected_at": "2026-03-01T12:00:00Z",
        "subscription_id": AI.rpartition("/")[2],
        "tenant_id": "7e000000-0000-0000-0000-000000000001",
        "region": LOCATION,
        "environment": "AzureCloud",
        "gathered": ["account", "network", "endpoints", "dns", "access", "traffic"],
        "missing": [],
        "account": account(),
        "network": network(),
        "peerings": [
            {
                "id": PEERING,
                "name": "spoke",
                "state": "Connected",
                "sync_level": "FullyInSync",
                "peer_network_id": SPOKE,
                "peer_cidrs": ["10.21.0.0/16"],
                "peer_readable": True,
                "allow_virtual_network_access": True,
            }
        ],
        "peers": [
            {
                "id": SPOKE,
                "name": "spoke",
                "location": LOCATION,
                "cidrs": ["10.21.0.0/16"],
                "dns_servers": [],
                "subnets": [subnet(f"{SPOKE}/subnets/app", "10.21.1.0/24")],
            }
        ],
        "security_groups": [
            {"id": GROUP, "rules": [*managed, *default_rules()]},
            {"id": APP_GROUP, "rules": default_rules()},
        ],
        "route_tables": [{"id": TABLE, "routes": []}],
        "endpoints": [endpoint()],
        "zones": [zone(host) for host in ADDRESSES],
        "access": {"role_assignments": [grant()]},
        "logging": {
            "settings": [
                {
                    "id": f"{ACCOUNT}/providers/Microsoft.Insights/diagnosticSettings/audit",
                    "name": "audit",
                    "workspace_id": f"{AI}/resourceGroups/ai/providers/Microsoft.OperationalInsights/workspaces/audit",
                    "categories": ["Audit", "RequestResponse"],
                }
            ]
        },
        "traffic": {
            "start": "2026-02-22T12:00:00Z",
            "end": "2026-03-01T12:00:00Z",
            "complete": True,
            "groups": [call()],
        },
    }


_REFUSALS = {
    "denied_public_access": "Public access is disabled. Please configure private endpoint.",
    "denied_network_rules": "Access denied due to Virtual Network/Firewall rules.",
    "denied_unapproved_endpoint": "Traffic is not from an approved private endpoint.",
}


def connection(address: str, answer: str | None, **changes: Any) -> dict[str, Any]:
    """One connection that reached HTTP."""
    http = {
        "status": 401 if answer == "admitted" else 403,
        "code": "401" if answer == "admitted" else "AccessDenied",
        "message": _REFUSALS.get(str(answer)),
        "request_id": None,
        "answer": answer,
        "ms": 1,
    }
    return {
        "address": address,
        "tcp": {"ok": True, "error": None, "ms": 1},
        "tls": {
            "ok": True,
            "version": "TLSv1.3",
            "names": [],
            "issuer": "C=US, O=Microsoft Corporation, CN=Microsoft Azure RSA TLS Issuing CA 03",
            "not_after": "x",
            "error": None,
            "ms": 1,
        },
        "http": http if answer else None,
        **changes,
    }


def unconnected(address: str, error: str) -> dict[str, Any]:
    """One connection that ended at TCP."""
    return connection(address, None, tcp={"ok": False, "error": error, "ms": 5000}, tls=None)


def observation(
    vantage: str,
    position: str,
    host: str,
    addresses: list[str],
    answer: str | None = "admitted",
    **changes: Any,
) -> dict[str, Any]:
    """What a vantage saw of a host; by name unless `pinned` is given."""
    pinned = changes.get("pinned")
    answers = [] if pinned else [{"type": "A", "address": item, "ttl": 10} for item in addresses]
    return {
        "schema_version": 1,
        "vantage": vantage,
        "position": position,
        "cloud": "azure",
        "target": "foundry",
        "host": host,
        "port": 443,
        "service": host.removeprefix(SUBDOMAIN + ".").removesuffix(".azure.com"),
        "plane": "runtime",
        "action": "azure_openai:ListModels",
        "pinned": None,
        "observed_at": "2026-03-01T12:00:00Z",
        "resolver": {"nameservers": ["168.63.129.16"], "hosts_file": False},
        "dns": {
            "status": "skipped" if pinned else "ok",
            "chain": [],
            "answers": answers,
            "system": [] if pinned else list(addresses),
            "error": None,
            "ms": 1,
        },
        "connections": [connection(item, answer) for item in addresses],
        "principal": None,
        "proxy": [],
        "error": None,
        "attempts": 1,
        **changes,
    }


def by_name() -> list[dict[str, Any]]:
    """Everyone sees what should be seen under the lock."""
    seen = []
    for host, address in ADDRESSES.items():
        seen.append(observation("app", "inside", host, [address]))
        seen.append(observation("spoke", "spoke", host, [address]))
        seen.append(observation("outside", "outside", host, PUBLIC, "denied_public_access"))
        seen.append(observation("canary", "canary", host, [address]))
    return seen


def pinned() -> list[dict[str, Any]]:
    """Every inside and spoke vantage is let in at every address."""
    return [
        observation(name, position, host, [address], pinned=address)
        for host, address in ADDRESSES.items()
        for name, position in (("app", "inside"), ("spoke", "spoke"))
    ]


def probe_targets() -> list[dict[str, Any]]:
    """Every name with its read."""
    return [
        {
            "schema_version": 1,
            "host": host,
            "addresses": [address],
            "cloud": "azure",
            "target": "foundry",
            "service": "openai",
            "plane": "runtime",
            "port": 443,
            "probe_action": {"name": "azure_openai:ListModels", "method": "GET", "path": "/"},
        }
        for host, address in ADDRESSES.items()
    ]


def vantages() -> list[dict[str, Any]]:
    """Every place that traffic comes from."""
    return [
        {"name": "app", "position": "inside", "subnet": APP_SUBNET},
        {"name": "spoke", "position": "spoke", "network": SPOKE},
        {"name": "outside", "position": "outside"},
        {"name": "canary", "position": "canary"},
    ]


def request(*changes: Callable[[dict[str, Any]], object], **values: Any) -> Request:
    """A request in which everything is right, after these changes to its parts."""
    parts: dict[str, Any] = {
        "evidence": [evidence()],
        "observations": by_name(),
        "probe_targets": probe_targets(),
        "vantages": vantages(),
        "expect": "blocked",
        "fail_on": "never",
        **values,
    }
    for change in changes:
        change(parts)
    return Request(**parts, now=NOW)
