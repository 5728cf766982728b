# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""azure_openai_private_link_info in the lab: one document, few requests, and what was denied is named."""

from __future__ import annotations

from typing import Any

import pytest

NAME = "private_ai.endpoints.azure_openai_private_link_info"
APPLICATION = "/subscriptions/5a000000-0000-0000-0000-00000000000a"
HUB = "/subscriptions/5b000000-0000-0000-0000-00000000000b"
AI = "/subscriptions/5c000000-0000-0000-0000-00000000000c"
NETWORKS = f"{APPLICATION}/resourceGroups/app-network/providers/Microsoft.Network/virtualNetworks"
ACCOUNT = f"{AI}/resourceGroups/ai/providers/Microsoft.CognitiveServices/accounts/lab-foundry"
WORKSPACE = (
    f"{HUB}/resourceGroups/monitoring/providers/Microsoft.OperationalInsights/workspaces/central"
)
CALLER = "02000000-0000-0000-0000-000000000002"
EVERYTHING = ["account", "network", "endpoints", "dns", "access", "traffic"]


def info(**options: Any) -> dict[str, Any]:
    return {NAME: {"account_id": ACCOUNT, "network_id": f"{NETWORKS}/app", **options}}


def created() -> dict[str, Any]:
    """An endpoint with its rules, and nothing in DNS."""
    options = {"subnet_id": f"{NETWORKS}/app/subnets/endpoints", "linked_zones": "none"}
    cidrs = ["10.20.1.0/24", "10.21.1.0/24"]
    name = "private_ai.endpoints.azure_openai_private_link"
    return {name: {"account_id": ACCOUNT, "allowed_cidrs": cidrs, **options}}


def named() -> dict[str, Any]:
    """Zones in the hub, linked to the network and its peers."""
    name = "private_ai.endpoints.azure_openai_private_dns"
    zones = {"zone_subscription_id": HUB.rpartition("/")[2], "zone_resource_group": "dns"}
    return {name: {"account_id": ACCOUNT, "network_id": f"{NETWORKS}/app", **zones}}


def locked() -> dict[str, Any]:
    name = "private_ai.endpoints.azure_openai_lockdown"
    return {name: {"account_id": ACCOUNT, "require_proof": False, "disable_local_auth": True}}


def validated(source: int, **options: Any) -> dict[str, Any]:
    """A judgement of the evidence of a task before it."""
    evidence = ["{{ result_" + str(source) + ".evidence }}"]
    name = "private_ai.endpoints.private_endpoint_validate"
    return {name: {"evidence": evidence, "fail_on": "never", **options}}


def call(address: str, **row: Any) -> dict[str, Any]:
    """A logged call of an hour ago."""
    values = {
        "OperationName": "ChatCompletions_Create",
        "ResultSignature": "200",
        "CallerIPAddress": address,
        "properties_s": {"objectId": CALLER},
        **row,
    }
    return {"workspace": WORKSPACE, "account": ACCOUNT, "age": 3600, "row": values}


def logs(*rows: dict[str, Any]) -> dict[str, Any]:
    return {"azure": {"logs": list(rows)}}


def rows_of(result: dict[str, Any], table: str) -> dict[str, str]:
    return {row["id"]: row["status"] for row in result[table]}


@pytest.mark.parametrize("in_process", [True, False], ids=["in process", "ordinary module"])
def test_everything_in_one_document(lab: Any, in_process: bool) -> None:
    outcome = lab.tasks(
        created(),
        named(),
        locked(),
        info(gather=EVERYTHING, target_name="foundry"),
        validated(3, checks=["azure_m2_names", "azure_m3_access", "azure_m4_firewall"]),
        world=logs(call("10.20.1.***"), call("10.20.1.***"), call("203.0.113.***")),
        in_process=in_process,
    )
    assert not any(result.get("failed") for result in outcome.results[:4]), outcome.results
    evidence = outcome.results[3]["evidence"]
    assert (evidence["target"], evidence["missing"]) == ("foundry", [])
    account = evidence["account"]
    assert (account["kind"], account["public_network_access"]) == ("AIServices", "Disabled")
    assert account["disable_local_auth"] is True and len(account["hosts"]) == 3
    assert [item["status"] for item in account["private_endpoint_connections"]] == ["Approved"]
    (endpoint,) = evidence["endpoints"]
    assert endpoint["network_id"].lower() == f"{NETWORKS}/app".lower()
    by_host = {host: item["address"] for item in endpoint["members"] for host in item["fqdns"]}
    assert sorted(by_host) == account["hosts"] and len(set(by_host.values())) == 3
    assert len(endpoint["zone_group"]["zones"]) == 3
    for zone in evidence["zones"]:
        links = {item["network_id"].rpartition("/")[2]: item["state"] for item in zone["links"]}
        assert links == {"app": "Completed", "spoke": "Completed"}
        (record,) = zone["records"]
        assert record["addresses"] == [by_host[f"lab-foundry.{zone['name'][12:]}"]]
    assert [item["state"] for item in evidence["peerings"]] == ["Connected"]
    assert evidence["access"]["role_assignments"][0]["role"] == "Cognitive Services OpenAI User"
    paths = {item["path"]: item["count"] for item in evidence["traffic"]["groups"]}
    assert paths == {"private": 2, "public": 1} and evidence["traffic"]["complete"]
    assert "lab-azure-secret" not in outcome.output
    targets = {item["host"]: item["addresses"] for item in outcome.results[3]["probe_targets"]}
    assert targets == {host: [address] for host, address in by_host.items()}
    judged = rows_of(outcome.results[4], "misconfigurations")
    # Nobody probed, so that names are not seen to lead there; grants and rules need no probe.
    assert (judged["M2"], judged["M3"], judged["M4"]) == ("unknown", "pass", "pass")


def test_reading_writes_nothing_and_asks_once(lab: Any) -> None:
    outcome = lab.tasks(info())
    assert outcome.writes == []
    reads = [name for name in outcome.reads if not name.startswith("login:")]
    # The network and its peer; each subscription's zones.
    repeated = {
        "Microsoft.Network/virtualNetworks:GET": 2,
        "Microsoft.Network/privateDnsZones:LIST": 3,
    }
    once = (
        "Microsoft.CognitiveServices/accounts:GET",
        "Microsoft.CognitiveServices/accounts/networkSecurityPerimeterConfigurations:LIST",
        "Microsoft.Network/networkSecurityGroups:GET",
        "Microsoft.Network/privateEndpoints:LIST",
        "Microsoft.Resources/subscriptions:LIST",
        "Microsoft.Authorization/roleAssignments:LIST",
        "Microsoft.Authorization/roleDefinitions:LIST",
    )
    assert {name: reads.count(name) for name in set(reads)} == dict.fromkeys(once, 1) | repeated


def test_an_endpoint_without_a_zone_is_public_traffic(lab: Any) -> None:
    """The first of the two questions."""
    outcome = lab.tasks(created(), info(target_name="foundry"), validated(1, expect="private"))
    judged = outcome.results[2]
    (finding,) = (
        item
        for item in judged["findings"]
        if item["check"] == "azure_m2_names" and item["status"] == "fail"
    )
    assert finding["severity"] == "critical"
    assert "private endpoint exists, traffic is public" in finding["observed"]
    assert judged["failed"] and judged["proof"] is None
    found = rows_of(judged, "misconfigurations")
    assert (found["M1"], found["M4"], found["M5"], found["M6"]) == ("fail", "pass", "pass", "fail")


def test_what_is_denied_is_missing_by_name(lab: Any) -> None:
    allowed = ("accounts/read", "virtualNetworks/read", "networkSecurityGroups/read")
    permissions = [{"scope": "/", "actions": [f"*/{name}" for name in allowed]}]
    world = {"azure": {"principals": [{"name": "network-automation", "permissions": permissions}]}}
    outcome = lab.tasks(info(gather=EVERYTHING), validated(0), world=world)
    result, judged = outcome.results
    missing = {(item["part"], item["action"]) for item in result["evidence"]["missing"]}
    perimeters = "Microsoft.CognitiveServices/accounts/networkSecurityPerimeterConfigurations/read"
    assert missing >= {
        ("perimeters", perimeters),
        ("endpoints", "Microsoft.Network/privateEndpoints/read"),
        ("dns", "Microsoft.Network/privateDnsZones/read"),
        ("access", "Microsoft.Authorization/roleAssignments/read"),
        ("logging", "Microsoft.Insights/diagnosticSettings/read"),
    }
    assert all(
        item["resource"].startswith("/subscriptions/") for item in result["evidence"]["missing"]
    )
    assert result["evidence"]["account"]["name"] == "lab-foundry"
    assert (result["evidence"]["access"], result["evidence"]["traffic"]) == (None, None)
    assert any("privateDnsZones/read" in text for text in result["warnings"])
    found = rows_of(judged, "misconfigurations")
    assert {found[cell] for cell in ("M2", "M4", "M5", "M6", "M7")} == {"unknown"}


def test_bad_input_is_one_sentence(lab: Any) -> None:
    wrong = [
        (info(account_id=f"{ACCOUNT}-gone"), ["lab-foundry-gone", "ResourceNotFound"]),
        (info(network_id=f"{NETWORKS}/gone"), ["virtualNetworks/gone", "ResourceNotFound"]),
        (info(account_id="lab-foundry"), ["account_id", "resource_group"]),
        (
            info(account_id=f"{NETWORKS}/app"),
            ["account_id", "Microsoft.CognitiveServices/accounts"],
        ),
        (info(secret="wrong"), ["client_id"]),
        (info(gather=["traffic"], traffic_start="yesterday"), ["traffic_start"]),
        (info(gather=["everything"]), ["gather", "everything"]),
        ({NAME: {"account_id": ACCOUNT}}, ["network_id", "subnet_id"]),
    ]
    outcome = lab.tasks(*(task for task, _ in wrong))
    for result, (_, said) in zip(outcome.results, wrong, strict=True):
        assert result["failed"], result
        assert all(word in result["msg"] for word in said), result["msg"]


def test_an_account_by_name_and_a_network_by_a_subnet(lab: Any) -> None:
    subscription = AI.rpartition("/")[2]
    by_name = {
        "account_id": "lab-foundry",
        "resource_group": "ai",
        "subscription_id": subscription,
        "subnet_id": f"{NETWORKS}/app/subnets/app",
        "gather": ["account", "network"],
    }
    (result,) = lab.tasks({NAME: by_name}).results
    assert result["evidence"]["account"]["id"].lower() == ACCOUNT.lower()
    assert result["evidence"]["network"]["name"] == "app"


def test_a_rows_limit_makes_them_incomplete(lab: Any) -> None:
    world = logs(call("10.20.1.***"), call("203.0.113.***"))
    outcome = lab.tasks(
        info(gather=["account", "network", "traffic"], traffic_max_rows=1), world=world
    )
    traffic = outcome.results[0]["evidence"]["traffic"]
    assert traffic["complete"] is False and len(traffic["groups"]) == 1
