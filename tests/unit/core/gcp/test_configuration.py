# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a proof of Vertex AI hangs on: every part that callers rely on, and nothing else."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.private_ai.endpoints.plugins.module_utils.core.errors import EndpointError
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.gcp.configuration import (
    NEEDED,
    config_hash,
)

NETWORKS = "projects/p/global/networks"
APP, SPOKE, FAR = f"{NETWORKS}/app", f"{NETWORKS}/spoke", f"{NETWORKS}/far"
HOST, REGIONAL = "aiplatform.googleapis.com", "us-central1-aiplatform.googleapis.com"


def network(path: str, **changes: Any) -> dict[str, Any]:
    subnets = [
        {
            "id": f"projects/p/regions/us-central1/subnetworks/{name}",
            "name": name,
            "region": "us-central1",
            "cidr": cidr,
            "secondary": ["10.40.0.0/16", "10.41.0.0/16"],
            "private_google_access": True,
            "purpose": "PRIVATE",
        }
        for name, cidr in (("a", "10.30.1.0/24"), ("b", "10.30.2.0/24"))
    ]
    routes = [
        {"name": "default", "dest": "0.0.0.0/0", "next_hop": "internet", "priority": 1000},
        {"name": "of-others", "dest": "10.50.0.0/16", "next_hop": "vpn", "priority": 1000},
    ]
    peerings = [{"name": "p", "network_id": FAR, "state": "ACTIVE", "readable": False}]
    return {
        "id": path,
        "role": "application",
        "project": "p",
        "auto": False,
        "subnets": subnets,
        "peerings": peerings,
        "routes": routes,
        "dns_policy": None,
        **changes,
    }


def endpoint(name: str, path: str, address: str) -> dict[str, Any]:
    return {
        "id": f"projects/p/global/forwardingRules/{name}",
        "name": name,
        "project": "p",
        "network_id": path,
        "address": address,
        "bundle": "all-apis",
        "service_directory_region": "us-central1",
        "labels": {"private-ai-endpoints": "managed"},
        "managed": True,
        "replaced": False,
    }


def firewall(name: str, action: str, *destinations: str) -> dict[str, Any]:
    return {
        "id": f"projects/p/global/firewalls/{name}",
        "name": name,
        "network_id": APP,
        "direction": "EGRESS",
        "priority": 1000,
        "action": action,
        "protocols": ["tcp:443"],
        "destinations": list(destinations),
        "ranges": ["10.30.0.0/16"],
        "tags": [],
        "accounts": [],
        "disabled": False,
        "managed": True,
    }


def record(name: str, *values: str, kind: str = "A") -> dict[str, Any]:
    return {"name": name, "type": kind, "ttl": 60, "values": list(values)}


def zone(name: str, dns_name: str, path: str, *records: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": f"projects/p/managedZones/{name}",
        "name": name,
        "project": "p",
        "dns_name": dns_name,
        "network_ids": [path],
        "peering_network_id": None,
        "forwarding": [],
        "managed": True,
        "records": [record(dns_name, "ns.", kind="NS"), *records],
    }


EVIDENCE: dict[str, Any] = {
    "schema_version": 1,
    "kind": "evidence",
    "cloud": "gcp",
    "target": "vertex",
    "collected_at": "2026-03-01T12:00:00Z",
    "gathered": [*NEEDED],
    "missing": [],
    "region": "",
    "regions": ["us-central1"],
    "hosts": [HOST, REGIONAL],
    "project": {"id": "p", "number": "500000000001"},
    "network": network(APP),
    "spokes": [network(SPOKE, role="spoke")],
    "peers": [network(FAR, role="peer")],
    "firewalls": [
        firewall("allow", "allow", "10.255.30.2/32"),
        firewall("of-others", "deny", "10.255.99.0/24"),
    ],
    "endpoints": [
        endpoint("psc", APP, "10.255.30.2"),
        endpoint("pscspoke", SPOKE, "10.255.31.2"),
        endpoint("pscfar", FAR, "10.255.32.2"),
    ],
    "zones": [
        zone("app", HOST, APP, record(HOST, "10.255.30.2")),
        zone("far", HOST, FAR, record(HOST, "10.255.32.2")),
        zone(
            "wide",
            "googleapis.com",
            SPOKE,
            record("*.googleapis.com", "all.internal.example.", kind="CNAME"),
            record("storage.googleapis.com", "10.255.31.2"),
        ),
        zone(
            "alias",
            "internal.example",
            SPOKE,
            record("all.internal.example", "10.255.31.2"),
        ),
    ],
    "response_policies": [
        {
            "id": "projects/p/responsePolicies/rpz",
            "network_ids": [APP],
            "rules": [
                {
                    "name": "vertex",
                    "dns_name": REGIONAL,
                    "bypass": False,
                    "records": [record(REGIONAL, "10.255.30.2")],
                },
                {
                    "name": "other",
                    "dns_name": "*.example",
                    "bypass": False,
                    "records": [record("*.example", "10.9.9.9")],
                },
            ],
        }
    ],
    "perimeters": [],
    "access": None,
    "organization_policies": None,
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
        changed("project", "id", to="q"),
        changed("hosts", to=[HOST]),
        changed("spokes", to=[]),
        changed("network", "subnets", 0, "cidr", to="10.30.1.0/25"),
        changed("network", "subnets", 0, "secondary", to=["10.40.0.0/16"]),
        changed("network", "subnets", 1, "private_google_access", to=False),
        changed("network", "routes", 0, "next_hop", to="appliance"),
        changed("network", "routes", 1, "dest", to="10.255.0.0/16"),
        changed("network", "dns_policy", to={"id": "x", "name_servers": ["10.0.0.4"]}),
        changed("spokes", 0, "subnets", 0, "private_google_access", to=False),
        changed("firewalls", 0, "action", to="deny"),
        changed("firewalls", 0, "priority", to=900),
        changed("firewalls", 0, "disabled", to=True),
        changed("firewalls", 0, "ranges", to=["10.30.1.0/24"]),
        changed("firewalls", 1, "destinations", to=["10.255.0.0/16"]),
        changed("firewalls", to=[]),
        changed("endpoints", to=[]),
        changed("endpoints", 0, "address", to="10.255.30.9"),
        changed("endpoints", 1, "bundle", to="vpc-sc"),
        changed("zones", to=[]),
        changed("zones", 0, "network_ids", to=[FAR]),
        changed("zones", 0, "peering_network_id", to=FAR),
        changed("zones", 0, "forwarding", to=["10.0.0.4"]),
        changed("zones", 0, "records", 1, "values", to=["10.255.30.9"]),
        changed("zones", 2, "records", 1, "values", to=["10.255.31.2"]),
        # Only where the alias leads to.
        changed("zones", 3, "records", 1, "values", to=["10.255.31.9"]),
        changed("response_policies", 0, "rules", 0, "bypass", to=True),
        changed("response_policies", 0, "rules", 0, "records", to=[record(REGIONAL, "10.9.9.9")]),
        changed("response_policies", to=[]),
        # A peer calls through an endpoint and names of its own.
        changed("network", "peerings", to=[]),
        changed("endpoints", 2, "address", to="10.255.32.9"),
        changed("zones", 0, "network_ids", to=[APP, FAR]),
        changed("zones", 1, "records", to=[]),
    ],
)
def test_what_callers_rely_on_counts(document: dict[str, Any]) -> None:
    assert config_hash(document) != config_hash(EVIDENCE)


def test_what_a_peering_zone_leads_to_counts() -> None:
    peering = changed("zones", 0, "peering_network_id", to=FAR)
    other = copy.deepcopy(peering)
    other["zones"][1]["records"][1]["values"] = ["10.255.32.9"]
    assert config_hash(other) != config_hash(peering)


PERIMETER = {
    "id": "accessPolicies/6/servicePerimeters/vertex",
    "resources": ["projects/500000000001"],
    "restricted_services": [HOST],
}


@pytest.mark.parametrize(
    "document",
    [
        changed("perimeters", to=[PERIMETER]),
        changed("project", "number", to=None),
        changed("collected_at", to="2027-01-01T00:00:00Z"),
        changed("target", to="renamed"),
        changed("traffic", to={"groups": []}),
        changed("organization_policies", to=[{"constraint": "x", "rules": [], "dry_run": None}]),
        changed("network", "routes", 1, "next_hop", to="other"),
        changed("network", "routes", 0, "name", to="renamed"),
        changed("peers", to=[]),
        changed("endpoints", 0, "labels", to={}),
        changed("endpoints", 0, "managed", to=False),
        changed("firewalls", 1, "action", to="allow"),
        changed("firewalls", 0, "managed", to=False),
        changed("zones", 0, "records", 1, "ttl", to=300),
        changed("zones", 0, "records", 0, "values", to=["other."]),
        changed("zones", 2, "records", 2, "values", to=["10.9.9.9"]),
        changed("response_policies", 0, "rules", 1, "records", to=[]),
        changed("response_policies", 0, "rules", 0, "name", to="renamed"),
        {**EVIDENCE, "missing": [{"part": "traffic", "action": "x", "code": "y", "resource": "z"}]},
    ],
)
def test_what_nobody_relies_on_and_the_lock_itself_do_not_count(document: dict[str, Any]) -> None:
    assert config_hash(document) == config_hash(EVIDENCE)


def turned(value: Any, random: Any) -> Any:
    """The same document with every list in another order."""
    if isinstance(value, dict):
        return {name: turned(inner, random) for name, inner in value.items()}
    if isinstance(value, list):
        return random.sample([turned(inner, random) for inner in value], len(value))
    return value


@given(st.randoms(use_true_random=False))
@settings(max_examples=30)
def test_order_means_nothing(random: Any) -> None:
    assert config_hash(turned(EVIDENCE, random)) == config_hash(EVIDENCE)


@pytest.mark.parametrize("part", NEEDED)
def test_half_a_configuration_has_no_digest(part: str) -> None:
    with pytest.raises(EndpointError, match=f"{part} was not gathered"):
        config_hash({**EVIDENCE, "gathered": [item for item in NEEDED if item != part]})
    denied = {"part": part, "action": "compute.x.list", "code": "forbidden", "resource": "r"}
    with pytest.raises(EndpointError, match=r"compute\.x\.list failed: forbidden"):
        config_hash({**EVIDENCE, "missing": [denied]})
