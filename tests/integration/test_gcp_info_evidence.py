# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""vertex_psc_endpoint_info in the lab: one document, few requests, and what was denied is named."""

from __future__ import annotations

import collections
from typing import Any

import pytest

from .conftest import Lab

NAME = "private_ai.endpoints.vertex_psc_endpoint_info"
PROJECT = "projects/lab-vertex"
NETWORKS = f"{PROJECT}/global/networks"
APP, SPOKE = f"{NETWORKS}/app", f"{NETWORKS}/spoke"
HUB = "projects/lab-other/global/networks/hub"
HUB_ZONES = "projects/lab-other/managedZones"
POLICY = "accessPolicies/600000000001"
PERIMETER = f"{POLICY}/servicePerimeters/vertex"
AUTOMATION = "serviceAccount:automation@lab-vertex.iam.gserviceaccount.com"
HOST, REGIONAL = "aiplatform.googleapis.com", "us-central1-aiplatform.googleapis.com"
PREDICT = "google.cloud.aiplatform.v1.PredictionService.Predict"
EVERYTHING = ["endpoints", "network", "dns", "perimeter", "access", "traffic"]
HUB_NETWORK = {
    "id": HUB,
    "subnets": [{"name": "hub-a", "region": "us-central1", "range": "10.32.1.0/24"}],
}
TO_HUB = {"name": "app-hub", "networks": [APP, HUB]}


def info(**options: Any) -> dict[str, Any]:
    asked = {"project": "lab-vertex", "network": APP, "regions": ["us-central1"]}
    return {NAME: {**asked, "spoke_networks": [SPOKE], **options}}


def created() -> dict[str, Any]:
    """Endpoints of both networks with their rules, and nothing in DNS."""
    networks = [
        {"network": APP, "endpoint_name": "pscvertex", "address": "10.255.30.2"},
        {"network": SPOKE, "endpoint_name": "pscspoke", "address": "10.255.31.2"},
    ]
    cidrs = ["10.30.0.0/16"]
    return {
        "private_ai.endpoints.vertex_psc_endpoint": {"networks": networks, "allowed_cidrs": cidrs}
    }


def world(**sections: Any) -> dict[str, Any]:
    """The default world, quick, with these sections of Google's."""
    return {"gcp": {"timing": {"operation": 0.05}, **sections}}


def project(name: str, number: str, **bindings: list[str]) -> dict[str, Any]:
    """A project with these bindings of the automation's, by roles without `roles/`."""
    return {
        "id": name,
        "number": number,
        "bindings": {f"roles/{key}": bindings[key] for key in bindings},
    }


def only(*permissions: str, **more: Any) -> dict[str, Any]:
    """A world whose automation has these permissions on its project, and nothing by the organisation."""
    dropped = (
        "browser",
        "iam.securityReviewer",
        "compute.networkAdmin",
        "compute.securityAdmin",
        "servicedirectory.editor",
        "dns.admin",
        "logging.privateLogViewer",
    )
    role = f"{PROJECT}/roles/partial"
    bindings = {f"roles/{name}": [] for name in dropped} | {role: [AUTOMATION]}
    own = (
        "accesscontextmanager.policyAdmin",
        "orgpolicy.policyAdmin",
        "resourcemanager.organizationViewer",
    )
    by_organization = {f"roles/{name}": [] for name in own}
    by_organization["organizations/400000000001/roles/accessReader"] = []
    return world(
        roles={role: list(permissions)},
        organization={"bindings": by_organization},
        projects=[{"id": "lab-vertex", "number": "500000000001", "bindings": bindings}],
        **more,
    )


def zone(name: str, dns_name: str, network: str, *addresses: str, **more: Any) -> dict[str, Any]:
    records = [{"name": f"{dns_name}.", "type": "A", "ttl": 60, "values": list(addresses)}]
    return {
        "id": f"{PROJECT}/managedZones/{name}",
        "dns_name": f"{dns_name}.",
        "networks": [network],
        **({"records": records} if addresses else {}),
        **more,
    }


def call(address: str, network: str = "", **more: Any) -> dict[str, Any]:
    link = {"caller_network": f"//compute.googleapis.com/{network}"} if network else {}
    principal = "batch@lab-other.iam.gserviceaccount.com"
    return {
        "project": "lab-vertex",
        "method": PREDICT,
        "caller_ip": address,
        "principal": principal,
        **link,
        **more,
    }


def succeeded(outcome: Any) -> list[dict[str, Any]]:
    failed = [item for item in outcome.results if item.get("failed")]
    assert not failed, failed
    results: list[dict[str, Any]] = outcome.results
    return results


CONFIG = {"resources": ["projects/500000000001"], "restrictedServices": [HOST]}
PLANNED = {**CONFIG, "accessLevels": [f"{POLICY}/accessLevels/office"]}
LOCKED = {
    "name": "vertex",
    "title": "vertex",
    "perimeterType": "PERIMETER_TYPE_REGULAR",
    "description": "Guards AI.\n"
    'private_ai.endpoints: {"delta":{},"lock":"pending","run_id":"r-1","time":"2026-03-01T12:00:00Z"}',
    "status": CONFIG,
    "spec": PLANNED,
    "useExplicitDryRunSpec": True,
}
OFFICE = {
    "name": "office",
    "title": "office",
    "basic": {"conditions": [{"ipSubnetworks": ["203.0.113.0/24"]}]},
}
WHOLE = world(
    networks=[HUB_NETWORK],
    peerings=[TO_HUB],
    projects=[
        project(
            "lab-other",
            "500000000002",
            **{"compute.networkViewer": [AUTOMATION], "dns.reader": [AUTOMATION]},
        )
    ],
    endpoints=[{"name": "pschub", "network": HUB, "address": "10.255.32.2"}],
    zones=[
        zone("global-app", HOST, APP, "10.255.30.2", labels={"private-ai-endpoints": "managed"}),
        zone("regional-app", REGIONAL, APP, peering=HUB),
        {**zone("wide", "googleapis.com", HUB, "10.255.32.2"), "id": "projects/lab-other/managedZones/wide"},
        zone("unrelated", "corp.example", APP, "10.9.9.9"),
        zone("public", "googleapis.com", APP, public=True, networks=[]),
        zone("unattached", "googleapis.com", APP, "10.9.9.9", networks=[]),
    ],
    response_policies=[
        {
            "id": f"{PROJECT}/responsePolicies/rpz",
            "networks": [SPOKE],
            "rules": [
                {"name": "vertex", "dns_name": f"{HOST}.",
                 "records": [{"name": f"{HOST}.", "type": "A", "values": ["10.255.31.2"]}]},
                {"name": "let", "dns_name": "*.googleapis.com.", "bypass": True},
                {"name": "unrelated", "dns_name": "corp.example.", "bypass": True},
            ],
        }
    ],
    dns_policies=[{"id": f"{PROJECT}/policies/corp", "networks": [SPOKE], "name_servers": ["10.31.1.53"]}],
    access_policies=[{"id": "600000000001", "levels": [OFFICE], "perimeters": [LOCKED]}],
    log_entries=[
        call("10.30.1.2", APP),
        call("203.0.113.9", APP),
        call("203.0.113.77", age=60),
        call("203.0.113.77", age=90),
        call("203.0.113.77", perimeter=PERIMETER),
    ],
)  # fmt: skip


@pytest.mark.parametrize("in_process", [True, False], ids=["in process", "ordinary module"])
def test_everything_in_one_document(lab: Any, in_process: bool) -> None:
    outcome = lab.tasks(
        created(),
        info(gather=EVERYTHING, target_name="vertex"),
        world=WHOLE,
        in_process=in_process,
    )
    _, result = succeeded(outcome)
    evidence = result["evidence"]
    assert (evidence["target"], evidence["missing"]) == ("vertex", [])
    assert evidence["project"] == {"id": "lab-vertex", "number": "500000000001"}
    _networks(evidence)
    _names(evidence)
    _who_is_let_in(evidence)
    assert "PRIVATE KEY" not in outcome.output and "ya29" not in outcome.output
    targets = {item["host"]: item for item in result["probe_targets"]}
    assert sorted(targets) == [HOST, REGIONAL]
    right = {APP: ["10.255.30.2"], SPOKE: ["10.255.31.2"], HUB: ["10.255.32.2"]}
    assert targets[HOST]["networks"] == right


def _networks(evidence: dict[str, Any]) -> None:
    found = {
        item["id"]: item for item in (evidence["network"], *evidence["spokes"], *evidence["peers"])
    }
    roles = {path: item["role"] for path, item in found.items()}
    assert roles == {APP: "application", SPOKE: "spoke", HUB: "peer"}
    peerings = {item["network_id"]: item["readable"] for item in found[APP]["peerings"]}
    assert peerings == {SPOKE: True, HUB: True}
    assert [item["cidr"] for item in found[HUB]["subnets"]] == ["10.32.1.0/24"]
    assert [item["dest"] for item in found[APP]["routes"]] == ["0.0.0.0/0"]
    assert found[APP]["dns_policy"] is None
    assert found[SPOKE]["dns_policy"]["name_servers"] == ["10.31.1.53"]
    rules = {(item["network_id"], item["action"]) for item in evidence["firewalls"]}
    assert rules == {(path, action) for path in (APP, SPOKE) for action in ("allow", "deny")}
    endpoints = {item["network_id"]: item for item in evidence["endpoints"]}
    assert endpoints[APP]["managed"] and not endpoints[HUB]["managed"]
    assert not any(item["replaced"] for item in endpoints.values())


def _names(evidence: dict[str, Any]) -> None:
    zones = {item["name"]: item for item in evidence["zones"]}
    assert sorted(zones) == ["global-app", "regional-app", "wide"]
    assert zones["global-app"]["managed"] and not zones["wide"]["managed"]
    (record,) = [item for item in zones["global-app"]["records"] if item["type"] == "A"]
    assert record == {"name": HOST, "type": "A", "ttl": 60, "values": ["10.255.30.2"]}
    assert zones["regional-app"]["peering_network_id"] == HUB
    assert zones["wide"]["network_ids"] == [HUB]
    (policy,) = evidence["response_policies"]
    rules = {item["name"]: item for item in policy["rules"]}
    assert sorted(rules) == ["let", "vertex"] and policy["network_ids"] == [SPOKE]
    assert rules["let"]["bypass"] and not rules["vertex"]["bypass"]
    assert rules["vertex"]["records"][0]["values"] == ["10.255.31.2"]


def _who_is_let_in(evidence: dict[str, Any]) -> None:
    (perimeter,) = evidence["perimeters"]
    assert (perimeter["id"], perimeter["holds_project"]) == (PERIMETER, True)
    assert perimeter["restricted_services"] == [HOST] and perimeter["access_levels"] == []
    assert perimeter["dry_run"]["access_levels"] == PLANNED["accessLevels"]
    assert perimeter["pending"] == {"run_id": "r-1", "time": "2026-03-01T12:00:00Z", "delta": {}}
    grants = {(item["resource"], item["role"]) for item in evidence["access"]["bindings"]}
    assert grants == {
        (PROJECT, "roles/aiplatform.user"),
        ("organizations/400000000001", "roles/owner"),
    }
    assert evidence["organization_policies"] == []
    assert evidence["logging"]["audit"] == {HOST: ["DATA_READ", "DATA_WRITE"]}
    traffic = evidence["traffic"]
    assert traffic["complete"]
    seen = [
        (item["path"], item["network"], item["count"], item["violation"])
        for item in traffic["groups"]
    ]
    reason = {"perimeter": PERIMETER, "reason": "NO_MATCHING_ACCESS_LEVEL", "dry_run": True}
    assert len(seen) == 4 and seen[0] == ("public", "", 2, None)
    assert ("private", APP, 1, None) in seen and ("ambiguous", APP, 1, None) in seen
    assert ("public", "", 1, reason) in seen


def test_reading_writes_nothing_and_asks_once(lab: Any) -> None:
    outcome = lab.tasks(info(access_policy=POLICY, gather=EVERYTHING))
    succeeded(outcome)
    assert outcome.writes == []
    reads = [name for name in outcome.reads if not name.startswith("oauth2.")]
    once = (
        "accesscontextmanager.accessPolicies.servicePerimeters.list",
        "cloudresourcemanager.organizations.getIamPolicy",
        "cloudresourcemanager.projects.get",
        "cloudresourcemanager.projects.getIamPolicy",
        "cloudresourcemanager.projects.testIamPermissions",
        "compute.firewalls.list",
        "compute.globalForwardingRules.list",
        "compute.routes.list",
        "compute.subnetworks.aggregatedList",
        "dns.managedZones.list",
        "dns.policies.list",
        "dns.responsePolicies.list",
        "logging.entries.list",
        "orgpolicy.projects.policies.list",
    )
    # Both networks, each by itself.
    expected = {**dict.fromkeys(once, 1), "compute.networks.get": 2}
    assert dict(collections.Counter(reads)) == expected


def test_only_what_is_asked_for_is_read(lab: Any) -> None:
    outcome = lab.tasks(
        info(gather=["endpoints"], spoke_networks=[]),
        info(gather=["perimeter"], access_policy="600000000001"),
        world=world(
            access_policies=[{"id": "600000000001", "levels": [OFFICE], "perimeters": [LOCKED]}]
        ),
    )
    first, second = succeeded(outcome)
    assert not {"dns.managedZones.list", "logging.entries.list"} & set(outcome.reads)
    assert first["evidence"]["gathered"] == ["endpoints"] and first["evidence"]["traffic"] is None
    assert first["evidence"]["logging"] is None and first["evidence"]["access"] is None
    # No endpoint is right anywhere yet, and nothing is probed without having looked for one.
    assert first["probe_targets"][0]["networks"] == {APP: [], SPOKE: []}
    assert second["probe_targets"] == []
    assert [item["id"] for item in second["evidence"]["perimeters"]] == [PERIMETER]
    assert "accesscontextmanager.accessPolicies.list" not in outcome.reads


def test_what_is_denied_is_missing_by_name(lab: Any) -> None:
    outcome = lab.tasks(info(gather=EVERYTHING), world=only("compute.networks.get"))
    (result,) = succeeded(outcome)
    evidence = result["evidence"]
    missing = {(item["part"], item["action"]) for item in evidence["missing"]}
    # Without the project its organisation is not known either, nor its number, by which perimeters name it.
    assert missing == {
        ("access", "resourcemanager.projects.getIamPolicy"),
        ("dns", "dns.managedZones.list"),
        ("dns", "dns.policies.list"),
        ("dns", "dns.responsePolicies.list"),
        ("endpoints", "compute.globalForwardingRules.list"),
        ("logging", "resourcemanager.projects.getIamPolicy"),
        ("network", "compute.firewalls.list"),
        ("network", "compute.routes.list"),
        ("network", "compute.subnetworks.list"),
        ("organization_policies", "orgpolicy.policies.list"),
        ("perimeter", "resourcemanager.projects.get"),
        ("project", "resourcemanager.projects.get"),
        ("traffic", "logging.logEntries.list"),
        ("traffic", "logging.privateLogEntries.list"),
    }
    assert {item["resource"] for item in evidence["missing"]} == {PROJECT}
    assert evidence["network"]["auto"] is False
    assert evidence["project"] == {"id": "lab-vertex", "number": None}
    for part in ("access", "logging", "organization_policies", "traffic"):
        assert evidence[part] is None
    assert any("dns.managedZones.list" in text for text in result["warnings"])


def test_others_things_that_cannot_be_read_are_named_apart(lab: Any) -> None:
    """A peer, the organisation and private logs: the target's own parts stay whole."""
    rights = ["compute.*", "dns.*", "resourcemanager.*", "logging.logEntries.list", "orgpolicy.*"]
    zones = [zone("regional", REGIONAL, SPOKE, peering=HUB)]
    outcome = lab.tasks(
        info(gather=EVERYTHING, access_policy=POLICY),
        info(gather=["dns"], spoke_networks=[]),
        info(network=HUB, gather=["network"], spoke_networks=[]),
        world=only(*rights, networks=[HUB_NETWORK], peerings=[TO_HUB], zones=zones,
                   log_entries=[call("203.0.113.77")]),
    )  # fmt: skip
    spoke, alone, unreadable = succeeded(outcome)
    missing = {
        (item["part"], item["resource"], item["action"]) for item in spoke["evidence"]["missing"]
    }
    assert missing == {
        # A name of the spoke leads to it: what its view is belongs to the target's own DNS.
        ("dns", "projects/lab-other", "dns.managedZones.list"),
        ("dns", "projects/lab-other", "dns.policies.list"),
        ("dns", "projects/lab-other", "dns.responsePolicies.list"),
        ("inherited", "organizations/400000000001", "resourcemanager.organizations.getIamPolicy"),
        ("peers", HUB, "compute.networks.get"),
        ("peers", "projects/lab-other", "compute.firewalls.list"),
        ("peers", "projects/lab-other", "compute.globalForwardingRules.list"),
        ("peers", "projects/lab-other", "compute.routes.list"),
        ("peers", "projects/lab-other", "compute.subnetworks.list"),
        ("perimeter", POLICY, "accesscontextmanager.servicePerimeters.list"),
        ("traffic", PROJECT, "logging.privateLogEntries.list"),
    }
    peerings = {
        item["network_id"]: item["readable"] for item in spoke["evidence"]["network"]["peerings"]
    }
    assert peerings == {SPOKE: True, HUB: False} and spoke["evidence"]["peers"] == []
    assert spoke["evidence"]["traffic"] is None and spoke["evidence"]["perimeters"] == []
    grants = {item["resource"] for item in spoke["evidence"]["access"]["bindings"]}
    assert grants == {PROJECT}
    # Nothing of the application leads to it.
    assert {item["part"] for item in alone["evidence"]["missing"]} == {"peers"}
    assert unreadable["evidence"]["network"]["auto"] is None


def test_records_that_only_a_peer_sees_are_not_the_targets_own(lab: Any) -> None:
    """The same records are, for the spoke whose names lead to that peer."""
    role = "projects/lab-other/roles/partial"
    rights = [
        "compute.*",
        "dns.managedZones.list",
        "dns.policies.list",
        "dns.responsePolicies.list",
    ]
    wide = {**zone("wide", "googleapis.com", HUB, "10.255.32.2"), "id": f"{HUB_ZONES}/wide"}
    outcome = lab.tasks(
        info(gather=["dns"], spoke_networks=[]),
        info(gather=["dns"]),
        world=world(
            roles={role: rights},
            projects=[
                {"id": "lab-other", "number": "500000000002", "bindings": {role: [AUTOMATION]}}
            ],
            networks=[HUB_NETWORK],
            peerings=[TO_HUB],
            zones=[wide, zone("regional", REGIONAL, SPOKE, peering=HUB)],
        ),
    )
    for result, part in zip(succeeded(outcome), ("peers", "dns"), strict=True):
        missing = [
            (item["part"], item["resource"], item["action"])
            for item in result["evidence"]["missing"]
        ]
        assert missing == [(part, f"{HUB_ZONES}/wide", "dns.resourceRecordSets.list")]


def test_a_limit_makes_traffic_incomplete_and_a_window_leaves_out_what_is_older(lab: Any) -> None:
    entries = [call("10.30.1.2", APP, age=60), call("203.0.113.9", age=7200)]
    outcome = lab.tasks(
        info(gather=["traffic"], traffic_max_entries=1),
        info(gather=["traffic"], traffic_days=0.05),
        world=world(log_entries=entries),
    )
    limited, recent = (item["evidence"]["traffic"] for item in succeeded(outcome))
    assert limited["complete"] is False and [item["path"] for item in limited["groups"]] == [
        "private"
    ]
    assert recent["complete"] is True and [item["path"] for item in recent["groups"]] == ["private"]


def test_bad_input_is_one_sentence(lab: Any) -> None:
    wrong = [
        (info(network=f"{NETWORKS}/gone"), ["networks/gone", "was not found"]),
        (info(spoke_networks=["gone"]), ["networks/gone", "was not found"]),
        (
            info(network="projects/lab-vertex/app"),
            ["network", "projects/PROJECT/global/networks/NAME"],
        ),
        (info(regions=["America"]), ["America", "regions"]),
        (
            info(extra_hosts=["x.prediction.vertexai.goog"]),
            ["extra_hosts", "prediction.vertexai.goog"],
        ),
        (info(gather=["traffic"], traffic_start="yesterday"), ["traffic_start"]),
        (info(gather=["traffic"], traffic_max_entries=0), ["traffic_max_entries"]),
        (info(gather=["everything"]), ["gather", "everything"]),
        (info(access_policy="777777777777"), ["accessPolicies/777777777777"]),
        ({NAME: {"project": "lab-vertex"}}, ["network"]),
    ]
    outcome = lab.tasks(*(task for task, _ in wrong))
    for result, (_, said) in zip(outcome.results, wrong, strict=True):
        assert result["failed"], result
        assert all(word in result["msg"] for word in said), result["msg"]


def test_zones_of_a_central_project_are_seen_where_it_is_named(lab: Lab) -> None:
    central = {
        "id": f"{HUB_ZONES}/central",
        "dns_name": f"{HOST}.",
        "networks": [APP],
        "records": [{"name": f"{HOST}.", "type": "A", "ttl": 60, "values": ["10.255.30.2"]}],
    }
    reader = project("lab-other", "500000000002", **{"dns.reader": [AUTOMATION]})
    asked = {"gather": ["endpoints", "network", "dns"]}
    outcome = lab.tasks(
        info(**asked),
        info(**asked, zone_project="lab-other"),
        world=world(projects=[reader], zones=[central]),
    )
    without, named = (result["evidence"] for result in outcome.results)
    assert without["zones"] == []
    assert [zone["id"] for zone in named["zones"]] == [central["id"]]
    assert named["zones"][0]["network_ids"] == [APP]
