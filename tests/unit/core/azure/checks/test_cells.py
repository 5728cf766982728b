# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every cell of the two tables on Azure: broken alone it is found alone, without its evidence it is unknown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.private_ai.endpoints.plugins.module_utils.core.azure.configuration import (
    config_hash,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.azure.probe_targets import (
    of_evidence,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.validate import (
    Refused,
    validate,
)
from ansible_collections.private_ai.endpoints.tests.unit.support import azure_case as azure

Parts = dict[str, Any]
Change = Callable[[Parts], object]
HUB = f"{azure.NETWORKS}/virtualNetworks/hub"


def judged(*changes: Change, **values: Any) -> dict[str, Any]:
    """The result, whether the run failed or not."""
    try:
        return validate(azure.request(*changes, **values))
    except Refused as refused:
        return refused.as_result()


def statuses(result: dict[str, Any], table: str) -> dict[str, str]:
    return {row["id"]: row["status"] for row in result[table]}


def doc(parts: Parts) -> dict[str, Any]:
    return parts["evidence"][0]


def found(result: dict[str, Any], check: str) -> list[dict[str, Any]]:
    return [item for item in result["findings"] if item["check"] == check]


def seen(parts: Parts, *positions: str) -> list[dict[str, Any]]:
    return [item for item in parts["observations"] if item["position"] in positions]


def resolve(item: dict[str, Any], addresses: list[str], answer: str = "admitted") -> None:
    item["dns"]["answers"] = [{"type": "A", "address": entry, "ttl": 10} for entry in addresses]
    item["dns"]["system"] = list(addresses)
    item["connections"] = [azure.connection(entry, answer) for entry in addresses]


def everyone(position: str, addresses: list[str], answer: str = "admitted") -> Change:
    def change(parts: Parts) -> None:
        for item in seen(parts, position):
            resolve(item, addresses, answer)

    return change


def both(*changes: Change) -> Change:
    def change(parts: Parts) -> None:
        for one in changes:
            one(parts)

    return change


def update(part: str, **values: Any) -> Change:
    return lambda parts: doc(parts)[part].update(values)


def forget(*positions: str) -> Change:
    def change(parts: Parts) -> None:
        for key in ("observations", "vantages"):
            parts[key] = [item for item in parts[key] if item["position"] not in positions]

    return change


def silent(*positions: str) -> Change:
    """Expected, but nothing was reported."""

    def change(parts: Parts) -> None:
        parts["observations"] = [
            item for item in parts["observations"] if item["position"] not in positions
        ]

    return change


# M1 -----------------------------------------------------------------------------------------------------------------


def acls(**values: Any) -> Change:
    def change(parts: Parts) -> None:
        doc(parts)["account"]["public_network_access"] = "Enabled"
        doc(parts)["account"]["network_acls"].update(values)

    return change


def perimeter(mode: str, rules: list[dict[str, Any]] | None) -> Change:
    entry = {"id": "/p", "name": "ai", "access_mode": mode, "rules": rules}
    return update("account", perimeters=[entry])


def inbound(*prefixes: str) -> dict[str, Any]:
    return {
        "name": "r",
        "direction": "Inbound",
        "address_prefixes": list(prefixes),
        "subscriptions": [],
    }


_ADMITTED = everyone("outside", azure.PUBLIC)

# M2 -----------------------------------------------------------------------------------------------------------------

_PUBLIC_INSIDE = everyone("inside", azure.PUBLIC, "denied_public_access")


def no_zones(parts: Parts) -> None:
    doc(parts)["zones"] = []
    doc(parts)["endpoints"][0]["zone_group"] = None


def no_zone_of(host: str) -> Change:
    def change(parts: Parts) -> None:
        name = azure.zone(host)["name"]
        doc(parts)["zones"] = [item for item in doc(parts)["zones"] if item["name"] != name]
        for item in seen(parts, "inside"):
            if item["host"] == host:
                resolve(item, azure.PUBLIC, "denied_public_access")

    return change


def unlinked(parts: Parts) -> None:
    for item in doc(parts)["zones"]:
        item["links"] = item["links"][1:]


def records(addresses: list[str]) -> Change:
    def change(parts: Parts) -> None:
        for item in doc(parts)["zones"]:
            item["records"][0]["addresses"] = addresses

    return change


def no_records(parts: Parts) -> None:
    for item in doc(parts)["zones"]:
        item["records"] = []


def falls_back(parts: Parts) -> None:
    no_records(parts)
    for item in doc(parts)["zones"]:
        for link in item["links"]:
            link["resolution_policy"] = "NxDomainRedirect"


# M3 -----------------------------------------------------------------------------------------------------------------


def grants(*items: dict[str, Any]) -> Change:
    return update("access", role_assignments=list(items))


_GROUP_SCOPE = f"{azure.AI}/resourceGroups/ai"
_MANAGEMENT_GROUP = "/providers/Microsoft.Management/managementGroups/lab"

# M4, M5 -------------------------------------------------------------------------------------------------------------


def subnet(index: int, **values: Any) -> Change:
    return lambda parts: doc(parts)["network"]["subnets"][index].update(values)


def rules(*items: dict[str, Any], group: int = 0) -> Change:
    return lambda parts: doc(parts)["security_groups"][group]["rules"].extend(items)


def without_rule(name: str) -> Change:
    def change(parts: Parts) -> None:
        group = doc(parts)["security_groups"][0]
        group["rules"] = [item for item in group["rules"] if item["name"] != name]

    return change


def elsewhere(parts: Parts) -> None:
    """In a network that is not peered with the application's."""
    doc(parts)["endpoints"][0].update(network_id=HUB, subnet_id=f"{HUB}/subnets/endpoints")


def behind_a_broken_peering(parts: Parts) -> None:
    doc(parts)["endpoints"][0].update(
        network_id=azure.SPOKE, subnet_id=f"{azure.SPOKE}/subnets/app"
    )
    doc(parts)["peerings"][0]["state"] = "Initiated"


def cannot_connect(parts: Parts) -> None:
    for item in seen(parts, "inside"):
        item["connections"][0] = azure.unconnected(item["connections"][0]["address"], "timed out")


def route(prefix: str, kind: str) -> Change:
    def change(parts: Parts) -> None:
        entry = {"name": "r", "prefix": prefix, "next_hop_type": kind, "next_hop_address": None}
        doc(parts)["route_tables"][0]["routes"].append(entry)

    return change


# M6 -----------------------------------------------------------------------------------------------------------------


def spoke_unlinked(parts: Parts) -> None:
    for item in doc(parts)["zones"]:
        item["links"] = item["links"][:1]


def spoke_dns(parts: Parts) -> None:
    doc(parts)["peers"][0]["dns_servers"] = ["10.21.0.4"]


def spoke_unreadable(parts: Parts) -> None:
    doc(parts)["peers"] = []
    doc(parts)["peerings"][0]["peer_readable"] = False


# M7 -----------------------------------------------------------------------------------------------------------------


def no_endpoint(parts: Parts) -> None:
    doc(parts).update(endpoints=[], zones=[])
    doc(parts)["account"]["private_endpoint_connections"] = []
    for item in parts["probe_targets"]:
        item["addresses"] = []
    for item in seen(parts, "inside", "spoke"):
        resolve(item, azure.PUBLIC)


def one_name_lacking(parts: Parts) -> None:
    """As after the account's kind was upgraded under an old endpoint."""
    doc(parts)["endpoints"][0]["members"] = doc(parts)["endpoints"][0]["members"][:2]
    doc(parts)["zones"] = doc(parts)["zones"][:2]
    for item in parts["probe_targets"]:
        if item["host"] == azure.SERVICES:
            item["addresses"] = []
    for item in seen(parts, "inside", "spoke"):
        if item["host"] == azure.SERVICES:
            resolve(item, azure.PUBLIC)


def connection(status: str) -> Change:
    """The account's side says so; the endpoint's side does not know yet."""

    def change(parts: Parts) -> None:
        doc(parts)["account"]["private_endpoint_connections"][0]["status"] = status

    return change


def disconnected(parts: Parts) -> None:
    """The account removed its side."""
    doc(parts)["account"]["private_endpoint_connections"] = []
    doc(parts)["endpoints"][0]["connection"]["status"] = "Disconnected"


def denied(action: str, part: str) -> Change:
    entry = {
        "part": part,
        "resource": "/r",
        "action": action,
        "code": "AuthorizationFailed",
        "message": "denied",
    }
    return lambda parts: doc(parts)["missing"].append(entry)


def not_gathered(*names: str) -> Change:
    def change(parts: Parts) -> None:
        doc(parts)["gathered"] = [item for item in doc(parts)["gathered"] if item not in names]
        for name in names:
            if name in ("account", "access", "traffic"):
                doc(parts)[name] = None

    return change


def test_what_is_right_passes() -> None:
    result = judged()
    assert result["summary"]["verdict"] == "pass"
    assert statuses(result, "misconfigurations") == {
        **{f"M{number}": "pass" for number in range(1, 8)},
        # Azure's management plane is public by nature, and C6 passes with that note.
        "M7": "warn",
    }
    assert set(statuses(result, "checklist").values()) == {"pass"}
    (row,) = (item for item in result["checklist"] if item["id"] == "C6")
    assert any("public by nature" in item["observed"] for item in row["evidence"])
    assert result["proof"]["targets"] == ["foundry"]


@pytest.mark.parametrize(
    ("cell", "change"),
    [
        ("M1", both(acls(default_action="Allow"), _ADMITTED)),
        ("M1", acls(default_action="Allow")),
        ("M1", acls(ip_rules=["0.0.0.0/1", "128.0.0.0/1"])),
        ("M1", _ADMITTED),
        ("M1", everyone("outside", azure.PUBLIC, "denied_unapproved_endpoint")),
        ("M1", perimeter("Enforced", [inbound("0.0.0.0/0")])),
        ("M1", perimeter("Learning", [inbound("0.0.0.0/0")])),
        ("M2", both(no_zones, _PUBLIC_INSIDE)),
        ("M2", both(unlinked, _PUBLIC_INSIDE)),
        ("M2", both(falls_back, _PUBLIC_INSIDE)),
        ("M2", no_zone_of(azure.SERVICES)),
        ("M2", records(["10.20.2.99"])),
        ("M2", no_records),
        ("M2", everyone("inside", ["10.20.2.4", *azure.PUBLIC])),
        ("M3", grants(azure.grant(azure.AI))),
        ("M3", grants(azure.grant(_MANAGEMENT_GROUP))),
        ("M3", grants(azure.grant("/"))),
        ("M3", grants(azure.grant(principal_type="ForeignGroup"))),
        (
            "M3",
            grants(
                azure.grant(
                    azure.AI, role_id="/r/0", data_actions=["Microsoft.CognitiveServices/*"]
                )
            ),
        ),
        ("M3", update("account", disable_local_auth=False)),
        ("M4", subnet(1, nsg_id=None)),
        ("M4", subnet(1, private_endpoint_network_policies="Disabled")),
        ("M4", subnet(1, private_endpoint_network_policies="RouteTableEnabled")),
        ("M4", without_rule("private-ai-deny")),
        ("M4", rules(azure.rule("all", 100, "Allow", "*"))),
        ("M4", rules(azure.rule("net", 100, "Allow", "Internet", destination_ports=["400-500"]))),
        ("M4", rules(azure.rule("vnet", 100, "Allow", "VirtualNetwork"))),
        ("M4", rules(azure.rule("wide", 100, "Allow", "10.0.0.0/8"))),
        ("M4", rules(azure.rule("cloud", 100, "Allow", "AzureCloud"))),
        ("M5", both(elsewhere, forget("inside", "spoke"))),
        ("M5", both(behind_a_broken_peering, forget("inside", "spoke"))),
        ("M5", rules(azure.rule("shut", 100, "Deny", "10.20.1.0/25"))),
        ("M5", rules(azure.rule("out", 100, "Deny", "*", direction="Outbound"), group=1)),
        ("M5", route("10.20.2.4/32", "None")),
        (
            "M5",
            both(
                route("10.20.0.0/16", "None"),
                subnet(1, private_endpoint_network_policies="Enabled"),
            ),
        ),
        ("M5", cannot_connect),
        ("M6", everyone("spoke", azure.PUBLIC, "denied_public_access")),
        ("M6", both(spoke_unlinked, forget("spoke"))),
        ("M7", no_endpoint),
        ("M7", one_name_lacking),
        ("azure_connection", connection("Pending")),
        ("azure_connection", connection("Rejected")),
        ("azure_connection", disconnected),
        ("azure_c7_traffic", update("traffic", groups=[azure.call(path="public")])),
    ],
)
def test_one_broken_thing_is_found_alone(cell: str, change: Change) -> None:
    result = judged(change)
    failed = {
        item["misconfiguration"] or item["check"]
        for item in result["findings"]
        if item["status"] == "fail"
    }
    assert failed == {cell}
    if cell.startswith("M"):
        assert statuses(result, "misconfigurations")[cell] == "fail"
    assert all(item["fix"] and item["observed"] for item in result["findings"])


@pytest.mark.parametrize(
    "answer", ["denied_unapproved_endpoint", "denied_public_access", "denied_network_rules"]
)
def test_a_refusal_at_the_endpoint_is_found(answer: str) -> None:
    def refused(parts: Parts) -> None:
        for item in seen(parts, "inside"):
            resolve(item, [azure.ADDRESSES[item["host"]]], answer)

    result = judged(refused)
    assert {item["check"] for item in result["findings"] if item["status"] == "fail"} == {
        "azure_admission"
    }
    assert statuses(result, "checklist")["C6"] == "fail" and result["proof"] is None


@pytest.mark.parametrize(
    ("row", "changes"),
    [
        ("M1", (not_gathered("account"), forget("outside"))),
        ("C3", (denied("Microsoft.CognitiveServices/accounts/read", "account"), silent("outside"))),
        ("M2", (denied("Microsoft.Network/privateDnsZones/read", "dns"),)),
        ("M2", (silent("inside"),)),
        ("M2", (forget("inside"),)),
        ("M2", (lambda parts: parts["vantages"][0].update(subnet="/another"),)),
        ("C1", (silent("inside"),)),
        ("M3", (not_gathered("access"),)),
        ("C4", (denied("Microsoft.Authorization/roleAssignments/read", "access"),)),
        ("M4", (denied("Microsoft.Network/networkSecurityGroups/read", "network"),)),
        ("C5", (not_gathered("endpoints"),)),
        ("C5", (lambda parts: doc(parts)["security_groups"].clear(),)),
        ("M5", (not_gathered("network"),)),
        ("M6", (not_gathered("network"),)),
        ("M6", (silent("spoke"),)),
        ("C2", (silent("spoke"),)),
        ("C2", (spoke_dns, forget("spoke"))),
        ("C2", (spoke_unreadable, forget("spoke"))),
        ("M7", (not_gathered("endpoints"),)),
        ("C6", (silent("inside"),)),
        ("C7", (not_gathered("traffic"),)),
        ("C7", (denied("Microsoft.OperationalInsights/workspaces/query/read", "traffic"),)),
        ("C7", (update("logging", settings=[]),)),
    ],
)
def test_missing_evidence_is_unknown(row: str, changes: tuple[Change, ...]) -> None:
    result = judged(*changes)
    table = "checklist" if row.startswith("C") else "misconfigurations"
    assert statuses(result, table)[row] == "unknown"


def test_no_evidence_at_all_passes_nothing() -> None:
    result = judged(evidence=[], observations=[])
    # That the management plane is public is known without evidence.
    others = [item for item in result["findings"] if item["resource"] != "management.azure.com"]
    assert {item["status"] for item in others} == {"unknown"}
    assert set(statuses(result, "misconfigurations").values()) == {"unknown"}
    assert set(statuses(result, "checklist").values()) == {"unknown"}
    assert result["proof"] is None


def test_an_endpoint_without_a_zone_is_public_traffic_and_no_lock() -> None:
    """The first of the two questions: before a lock clients are still admitted by the public path."""
    before = (
        no_zones,
        everyone("inside", azure.PUBLIC),
        everyone("spoke", azure.PUBLIC),
        _ADMITTED,
    )
    result = judged(*before, acls(default_action="Allow"), expect="private")
    names = [item for item in found(result, "azure_m2_names") if item["vantage"] is None]
    assert names[0]["status"] == "fail" and names[0]["severity"] == "critical"
    assert names[0]["observed"].startswith("private endpoint exists, traffic is public")
    assert "there is no private DNS zone privatelink.openai.azure.com" in names[0]["observed"]
    assert result["summary"]["expectation_met"] is False and result["proof"] is None
    assert "azure_m2_names" in result["proof_refused"]


def test_a_zone_that_the_evidence_does_not_show_is_no_failure_where_vantages_resolve() -> None:
    """A central subscription that these credentials cannot read may hold it."""
    result = judged(no_zones, expect="private")
    names = [item for item in found(result, "azure_m2_names") if item["vantage"] is None]
    assert [item["status"] for item in names] == ["unknown"]
    assert statuses(result, "checklist")["C1"] == "pass" and result["proof"]


def test_custom_dns_servers_are_judged_by_probes_only() -> None:
    def servers(parts: Parts) -> None:
        doc(parts)["network"]["dns_servers"] = ["10.20.1.4"]
        doc(parts)["zones"] = []

    assert statuses(judged(servers), "checklist")["C1"] == "pass"
    assert statuses(judged(servers, silent("inside")), "checklist")["C1"] == "unknown"
    public = judged(servers, _PUBLIC_INSIDE)
    assert statuses(public, "misconfigurations")["M2"] == "fail"


def test_network_rules_alone_are_a_weaker_pass() -> None:
    result = judged(
        acls(ip_rules=["198.51.100.7"]), everyone("outside", azure.PUBLIC, "denied_network_rules")
    )
    assert statuses(result, "checklist")["C3"] == "warn" and result["proof"]
    said = " ".join(item["observed"] for item in found(result, "azure_m1_public_access"))
    assert "weaker" in said and "198.51.100.7" in said


@pytest.mark.parametrize(
    ("change", "status"),
    [
        (perimeter("Enforced", []), "pass"),
        (both(perimeter("Enforced", []), acls(default_action="Allow")), "pass"),
        (both(perimeter("Learning", []), acls(default_action="Allow")), "fail"),
        (perimeter("Enforced", None), "warn"),
        (perimeter("Enforced", [inbound("198.51.100.0/28")]), "warn"),
    ],
)
def test_a_perimeter_is_judged_with_the_account(change: Change, status: str) -> None:
    assert statuses(judged(change), "misconfigurations")["M1"] == status


def test_either_way_of_knowing_the_lock_is_enough_for_the_checklist() -> None:
    assert statuses(judged(silent("outside")), "checklist")["C3"] == "pass"
    assert judged(silent("outside"))["proof"] is None


def test_a_spoke_is_private_by_configuration_when_no_vantage_says_so() -> None:
    result = judged(forget("spoke"))
    assert statuses(result, "checklist")["C2"] == "pass"
    row = next(item for item in result["checklist"] if item["id"] == "C2")
    assert "by configuration" in row["evidence"][0]["observed"]


@pytest.mark.parametrize(
    ("policies", "entry", "status", "said"),
    [
        ("NetworkSecurityGroupEnabled", ("10.20.0.0/16", "None"), "pass", "nothing in the way"),
        ("Enabled", ("0.0.0.0/0", "None"), "pass", "nothing in the way"),
        ("Enabled", ("10.20.0.0/16", "VirtualAppliance"), "pass", "reaches 10.20.2.4 through"),
        ("RouteTableEnabled", ("10.20.2.0/24", "None"), "fail", "drops what goes to 10.20.2.4"),
        ("Disabled", ("10.20.2.4/32", "None"), "fail", "drops what goes to 10.20.2.4"),
    ],
)
def test_a_route_counts_where_it_takes_the_place_of_the_endpoint_s_own(
    policies: str, entry: tuple[str, str], status: str, said: str
) -> None:
    result = judged(route(*entry), subnet(1, private_endpoint_network_policies=policies))
    reach = [
        item
        for item in found(result, "azure_m5_placement")
        if item["expected"].startswith("TCP 443 passes")
    ]
    assert [item["status"] for item in reach] == [status]
    assert said in reach[0]["observed"]


def test_configuration_alone_is_no_proof() -> None:
    result = judged(forget("spoke"), checks=["azure_m6_spokes"], expect="private")
    assert result["summary"]["verdict"] == "pass" and result["proof"] is None
    assert "no vantage" in result["proof_refused"]


def test_each_state_of_a_connection_has_its_own_fix() -> None:
    fixes = [
        next(
            item["fix"]
            for item in found(judged(change), "azure_connection")
            if item["status"] == "fail"
        )
        for change in (connection("Pending"), connection("Rejected"), disconnected)
    ]
    assert len(set(fixes)) == 3


def test_endpoints_of_other_teams_are_not_in_the_way() -> None:
    def another(parts: Parts) -> None:
        theirs = azure.endpoint(
            id=azure.ENDPOINT + "2", network_id=HUB, subnet_id=HUB + "/subnets/a"
        )
        doc(parts)["endpoints"].append(theirs)

    result = judged(another)
    assert not [item for item in result["findings"] if item["status"] == "fail"]


def test_an_endpoint_in_a_peered_hub_is_in_reach() -> None:
    def hub(parts: Parts) -> None:
        subnet_id = f"{azure.SPOKE}/subnets/app"
        doc(parts)["endpoints"][0].update(network_id=azure.SPOKE, subnet_id=subnet_id)
        doc(parts)["peers"][0]["subnets"][0]["nsg_id"] = azure.GROUP

    assert not [item for item in judged(hub)["findings"] if item["status"] == "fail"]


def test_a_proof_hangs_on_an_endpoint_in_a_hub_as_well() -> None:
    document = azure.evidence()
    subnet_id = f"{azure.SPOKE}/subnets/app"
    document["endpoints"][0].update(network_id=azure.SPOKE, subnet_id=subnet_id)
    document["peers"][0]["subnets"][0]["nsg_id"] = azure.GROUP
    assert [item.addresses for item in of_evidence(document)] == [
        [azure.ADDRESSES[host]] for host in sorted(azure.ADDRESSES)
    ]
    before = config_hash(document)
    for change in (
        lambda: document["peers"][0]["subnets"][0].update(nsg_id=None),
        lambda: document["endpoints"][0]["members"][0].update(address="10.21.1.9"),
    ):
        change()
        assert config_hash(document) != before
        before = config_hash(document)


@pytest.mark.parametrize("resource_group", [True, False])
def test_a_grant_on_the_resource_group_is_worth_a_warning(resource_group: bool) -> None:
    item = azure.grant(_GROUP_SCOPE if resource_group else azure.ACCOUNT.upper())
    row = statuses(judged(grants(item)), "checklist")["C4"]
    assert row == ("warn" if resource_group else "pass")


@pytest.mark.parametrize("expect", ["pinned", "open"])
def test_the_other_expectations(expect: str) -> None:
    if expect == "pinned":
        good = judged(observations=azure.pinned(), pinned=True)
        assert good["summary"]["expectation_met"] is True

        def refused(parts: Parts) -> None:
            parts["observations"][0]["connections"][0] = azure.connection(
                "10.20.2.4", "denied_unapproved_endpoint"
            )

        bad = judged(refused, observations=azure.pinned(), pinned=True)
    else:
        good = judged(_ADMITTED, expect="open")
        assert good["summary"]["expectation_met"] is True
        bad = judged(expect="open")
    assert bad["summary"]["expectation_met"] is False


@pytest.mark.parametrize(
    ("groups", "complete", "status", "said"),
    [
        ([azure.call(path="public", source_ip="203.0.113.***")], True, "fail", "3 × Chat"),
        ([azure.call(path="ambiguous")], True, "unknown", "say too little"),
        ([azure.call(path="public", error_code="403")], True, "unknown", "3 refused"),
        ([azure.call(path="public", error_code="429")], True, "fail", "3 × Chat"),
        ([azure.call(path="public", probe=True)], True, "unknown", "no calls"),
        ([azure.call()], False, "unknown", "in part"),
        ([], True, "unknown", "no calls"),
        ([azure.call()], True, "pass", "3 calls"),
    ],
)
def test_logged_traffic(groups: list[Any], complete: bool, status: str, said: str) -> None:
    result = judged(update("traffic", groups=groups, complete=complete))
    (finding,) = found(result, "azure_c7_traffic")
    assert finding["status"] == status
    assert said in finding["observed"]
