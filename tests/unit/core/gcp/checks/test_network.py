# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What findings about names and networks say, and where fail, warn and unknown part."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.private_ai.endpoints.tests.unit.support import gcp_case as gcp
from ansible_collections.private_ai.endpoints.tests.unit.support.gcp_changes import (
    Parts,
    admitted_outside,
    doc,
    everyone,
    failed,
    firewalls,
    forget,
    found,
    judged,
    no_zone_of,
    public_inside,
    resolve,
    said,
    seen,
    silent,
    statuses,
    update,
)

HUB = gcp.ADDRESSES[gcp.APP]


# M2 -----------------------------------------------------------------------------------------------------------------


def test_an_endpoint_without_zones_is_public_traffic_and_no_lock() -> None:
    before = (no_zone_of(*gcp.HOSTS), everyone("inside", gcp.PUBLIC), admitted_outside)
    result = judged(*before, expect="private")
    names = [item for item in found(result, "gcp_m2_names") if item["vantage"] is None]
    assert {item["resource"] for item in names if item["status"] == "fail"} == set(gcp.HOSTS)
    assert names[0]["severity"] == "critical"
    assert names[0]["observed"].startswith("private endpoint exists, traffic is public")
    assert result["proof"] is None and "gcp_m2_names" in result["proof_refused"]


def test_each_host_is_judged_by_itself() -> None:
    result = judged(no_zone_of(gcp.EU))
    wrong = {item["resource"] for item in found(result, "gcp_m2_names") if item["status"] == "fail"}
    assert wrong == {gcp.EU}


def test_a_zone_that_the_evidence_does_not_show_is_no_failure_where_vantages_resolve() -> None:
    def no_zones(parts: Parts) -> None:
        zones = doc(parts)["zones"]
        doc(parts)["zones"] = [item for item in zones if gcp.SPOKE in item["network_ids"]]

    result = judged(no_zones, expect="private")
    names = [item for item in found(result, "gcp_m2_names") if item["vantage"] is None]
    assert {item["status"] for item in names} == {"unknown"}
    assert statuses(result, "checklist")["C1"] == "pass" and result["proof"]


def test_dns_servers_of_a_networks_own_are_judged_by_probes_only() -> None:
    servers = update("network", dns_policy={"id": "p", "name_servers": ["10.30.1.53"]})
    assert statuses(judged(servers), "checklist")["C1"] == "pass"
    assert statuses(judged(servers, silent("inside")), "checklist")["C1"] == "unknown"
    assert failed(judged(servers, public_inside)) == {"M2"}


def test_a_response_policy_is_named() -> None:
    rule = {
        "name": "vertex",
        "dns_name": gcp.GLOBAL,
        "bypass": False,
        "records": [gcp.record(gcp.GLOBAL, "10.30.1.99")],
    }
    entry = {"id": "projects/p/responsePolicies/rpz", "network_ids": [gcp.APP], "rules": [rule]}
    result = judged(lambda parts: doc(parts)["response_policies"].append(entry))
    assert "projects/p/responsePolicies/rpz" in said(result, "gcp_m2_names", "fail")
    rule["bypass"] = True
    assert not failed(judged(lambda parts: doc(parts)["response_policies"].append(entry)))


@pytest.mark.parametrize(
    ("records", "changes", "status", "text"),
    [
        ([], {}, "fail", "names of all other Google APIs do not exist there"),
        ([("*.googleapis.com", HUB)], {}, "pass", "leads on"),
        ([("*.googleapis.com", "199.36.153.8")], {}, "pass", "leads on"),
        ([("*.googleapis.com", "199.36.153.5")], {}, "warn", "only APIs that VPC Service Controls"),
        ([], {"peering_network_id": "projects/p/global/networks/hub"}, None, ""),
        ([], {"forwarding": ["10.0.0.53"]}, None, ""),
        ([], {"network_ids": ["projects/p/global/networks/hub"]}, None, ""),
    ],
)
def test_a_zone_for_all_of_googleapis(
    records: list[tuple[str, str]], changes: dict[str, Any], status: str | None, text: str
) -> None:
    sets = [gcp.record(*item) for item in records]
    zone = gcp.zone("googleapis.com", gcp.APP, sets, **changes)
    result = judged(lambda parts: doc(parts)["zones"].append(zone))
    about = [item for item in result["findings"] if item["resource"] == zone["id"]]
    assert [item["status"] for item in about] == ([status] if status else [])
    assert all(text in item["observed"] for item in about)


def test_with_the_bundle_vpc_sc_a_wildcard_breaks_other_apis_all_the_same() -> None:
    def change(parts: Parts) -> None:
        for item in doc(parts)["endpoints"]:
            item["bundle"] = "vpc-sc"
        record = gcp.record("*.googleapis.com", HUB)
        doc(parts)["zones"].append(gcp.zone("googleapis.com", gcp.APP, [record]))

    assert "only APIs that VPC Service Controls supports" in said(
        judged(change), "gcp_m2_names", "warn"
    )


# M4, M5 -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rules", "status"),
    [
        # A deny of the same number counts first.
        ([gcp.firewall("w", "allow", priority=1001)], "pass"),
        ([gcp.firewall("w", "allow", priority=1002)], "pass"),
        ([gcp.firewall("w", "allow", priority=1000)], "fail"),
        ([gcp.firewall("w", "allow", priority=1, disabled=True)], "pass"),
        ([gcp.firewall("w", "allow", priority=1, protocols=["udp"])], "pass"),
        ([gcp.firewall("w", "allow", priority=1, protocols=["tcp:80"])], "pass"),
        ([gcp.firewall("w", "allow", priority=1, destinations=["10.9.0.0/16"])], "pass"),
        ([gcp.firewall("w", "allow", priority=1, tags=["app"])], "pass"),
        ([gcp.firewall("w", "allow", priority=1, accounts=[gcp.CALLER])], "pass"),
        ([gcp.firewall("w", "allow", priority=1, direction="INGRESS")], "pass"),
    ],
)
def test_the_order_of_egress_rules(rules: list[dict[str, Any]], status: str) -> None:
    assert statuses(judged(firewalls(*rules)), "misconfigurations")["M4"] == status


def test_a_deny_for_some_machines_is_no_deny() -> None:
    def tagged(parts: Parts) -> None:
        for item in doc(parts)["firewalls"]:
            item["tags"] = ["app"] if item["action"] == "deny" else []

    result = judged(tagged)
    assert failed(result) == {"M4"}
    text = said(result, "gcp_m4_firewall", "fail")
    assert "no rule denies the rest" in text and "has no ingress firewall" in text


@pytest.mark.parametrize(
    ("cidrs", "status"), [(["10.30.0.0/15"], "pass"), (["10.30.1.0/24", "10.31.0.0/16"], "fail")]
)
def test_ranges_beyond_the_application_that_is_named(cidrs: list[str], status: str) -> None:
    result = judged(application_cidrs=cidrs)
    assert statuses(result, "checklist")["C5"] == status


def test_machines_by_tag_are_let_through_a_deny() -> None:
    def tagged(parts: Parts) -> None:
        for item in doc(parts)["firewalls"]:
            if item["action"] == "allow":
                item.update(ranges=[], tags=["app"])

    result = judged(tagged)
    assert not failed(result)
    assert "but for machines that private-ai-app-allow-ranges names" in said(
        result, "gcp_m5_placement", "pass"
    )


def test_a_peering_does_not_bring_the_endpoint_near() -> None:
    def spoke_only(parts: Parts) -> None:
        """The network that the endpoint is in is a peer, and no spoke of this target."""
        found = doc(parts)
        found["endpoints"] = found["endpoints"][1:]
        found["peers"], found["spokes"] = found["spokes"], []

    result = judged(spoke_only, forget("inside"))
    assert "the peering between them carries nothing" in said(result, "gcp_m5_placement", "fail")


def test_an_endpoint_in_a_network_that_is_not_near_is_found() -> None:
    def misplaced(parts: Parts) -> None:
        found = doc(parts)
        own, *others = found["endpoints"]
        found["endpoints"] = others
        found["endpoints_elsewhere"] = [
            {**own, "network_id": "projects/lab-vertex/global/networks/x"}
        ]

    result = judged(misplaced, forget("inside"))
    assert "networks/x, and the application in" in said(result, "gcp_m5_placement", "fail")
    assert not said(result, "gcp_m7_planes", "fail")


# M6 -----------------------------------------------------------------------------------------------------------------


def spoke_without(parts: Parts) -> None:
    doc(parts)["endpoints"] = doc(parts)["endpoints"][:1]
    zones = [item for item in doc(parts)["zones"] if gcp.APP in item["network_ids"]]
    peering = gcp.zone("googleapis.com", gcp.SPOKE, [], peering_network_id=gcp.APP)
    doc(parts)["zones"] = [*zones, peering]
    for item in parts["probe_targets"]:
        item["networks"].pop(gcp.SPOKE)


def test_a_spoke_that_is_only_dns_peered_is_found_by_configuration() -> None:
    result = judged(spoke_without, forget("spoke"))
    text = said(result, "gcp_m6_spokes", "fail")
    assert "no endpoint of its own" in text and f"leads to {HUB}" in text


def test_a_spoke_that_is_only_dns_peered_is_found_by_its_vantage() -> None:
    def timeouts(parts: Parts) -> None:
        for item in seen(parts, "spoke"):
            resolve(item, [HUB])
            item["connections"] = [gcp.unconnected(HUB, "timed out")]

    result = judged(spoke_without, timeouts)
    assert failed(result) == {"M6"}
    assert f"that is the endpoint of {gcp.APP}, which no peering leads to" in said(
        result, "gcp_m6_spokes", "fail"
    )


def test_a_spoke_without_endpoint_has_no_right_address_whatever_the_probe_targets_say() -> None:
    def union(parts: Parts) -> None:
        for item in parts["probe_targets"]:
            item["networks"] = {}
        for item in seen(parts, "spoke"):
            resolve(item, [HUB])
            item["connections"] = [gcp.unconnected(HUB, "timed out")]

    assert failed(judged(spoke_without, union)) == {"M6"}


def test_an_endpoint_that_answers_from_another_network_is_believed() -> None:
    result = judged(spoke_without, everyone("spoke", [HUB]), expect="private")
    assert statuses(result, "checklist")["C2"] == "pass"
    assert "answers here all the same" in said(result, "gcp_m6_spokes", "pass")


def test_a_spoke_that_could_not_be_read_has_no_right_address_by_default() -> None:
    other = "projects/lab-other/global/networks/other"

    def unread(parts: Parts) -> None:
        for item in parts["vantages"]:
            if item["position"] == "spoke":
                item.update(network=other, subnet=None)
        for item in seen(parts, "spoke"):
            resolve(item, [HUB])
            item["connections"] = [gcp.unconnected(HUB, "timed out")]

    def own(parts: Parts) -> None:
        for item in parts["probe_targets"]:
            item["networks"][other] = ["10.9.9.9"]

    assert failed(judged(unread)) == {"M6"}
    elsewhere = judged(unread, everyone("spoke", ["10.9.9.9"]))
    assert statuses(elsewhere, "checklist")["C2"] == "unknown"
    told = judged(unread, own, everyone("spoke", ["10.9.9.9"]))
    assert statuses(told, "checklist")["C2"] == "pass"


def test_a_network_may_be_called_by_its_name() -> None:
    def short(parts: Parts) -> None:
        for item in parts["vantages"]:
            if item.get("network"):
                item["network"] = item["network"].rpartition("/")[2]

    assert not failed(judged(short))
    assert failed(judged(short, everyone("spoke", [HUB]), everyone("inside", [HUB]))) == set()
    assert failed(judged(short, everyone("inside", [gcp.ADDRESSES[gcp.SPOKE]]))) == {"M2"}


def test_an_endpoint_may_have_an_address_that_is_public_elsewhere() -> None:
    def moved(parts: Parts) -> None:
        doc(parts)["endpoints"][0]["address"] = "192.0.2.7"
        for item in doc(parts)["zones"]:
            if gcp.APP in item["network_ids"]:
                item["records"][0]["values"] = ["192.0.2.7"]
        for item in doc(parts)["firewalls"]:
            if item["network_id"] == gcp.APP:
                item["destinations"] = ["192.0.2.7/32"]

    result = judged(moved, everyone("inside", ["192.0.2.7"]))
    assert not failed(result)
    cells = {row["where"] for row in result["matrix"] if row["position"] == "inside"}
    assert cells == {"private"}


def test_a_place_behind_a_vpn_may_use_any_endpoint() -> None:
    def vpn(parts: Parts) -> None:
        for item in parts["vantages"]:
            if item["position"] == "spoke":
                item.update(network="corp", subnet=None)

    def change(address: str) -> dict[str, Any]:
        return judged(vpn, everyone("spoke", [address]))

    assert statuses(change(HUB), "checklist")["C2"] == "pass"
    assert statuses(change("10.9.9.9"), "checklist")["C2"] == "fail"


def test_networks_that_google_peers_with_for_itself_are_no_spokes() -> None:
    def of_google(parts: Parts) -> None:
        path = "projects/abc-tp/global/networks/servicenetworking"
        name = "servicenetworking-googleapis-com"
        peering = {"name": name, "network_id": path, "state": "ACTIVE", "readable": False}
        doc(parts)["network"]["peerings"].append(peering)

    assert statuses(judged(of_google, forget("spoke")), "checklist")["C2"] == "pass"


def test_a_spoke_is_private_by_configuration_when_no_vantage_says_so() -> None:
    result = judged(forget("spoke"))
    assert statuses(result, "checklist")["C2"] == "pass"
    row = next(item for item in result["checklist"] if item["id"] == "C2")
    assert "by configuration" in row["evidence"][0]["observed"]
    alone = judged(forget("spoke"), checks=["gcp_m6_spokes"], expect="private")
    assert alone["proof"] is None and "no vantage" in alone["proof_refused"]


def test_no_spoke_at_all_is_skipped() -> None:
    def alone(parts: Parts) -> None:
        doc(parts)["spokes"] = []
        doc(parts)["network"]["peerings"] = []

    result = judged(alone, forget("spoke"))
    assert [item["status"] for item in found(result, "gcp_m6_spokes")] == ["skipped"]


# M7, and what stands beside -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("oauth2.googleapis.com", "pass"),
        ("sts.googleapis.com", "fail"),
        ("drive.googleapis.com", "fail"),
        ("youtube.googleapis.com", "unknown"),
    ],
)
def test_hosts_beside_vertex_ai(host: str, status: str) -> None:
    """The perimeter's networks may call what it restricts, and storage; oauth2 is nothing that it can name."""

    def change(parts: Parts) -> None:
        doc(parts)["hosts"].append(host)
        for item in doc(parts)["endpoints"]:
            item["bundle"] = "vpc-sc"

    result = judged(change)
    about = [item for item in found(result, "gcp_m7_planes") if item["resource"] == host]
    assert {item["status"] for item in about} == {status}


def test_a_replaced_endpoint_is_told_and_its_address_is_not_right_any_more() -> None:
    def replaced(parts: Parts) -> None:
        old = gcp.endpoint(id=gcp.ENDPOINT + "0", address="10.255.30.1", replaced=True)
        doc(parts)["endpoints"].append(old)

    result = judged(replaced)
    assert not failed(result)
    assert "10.255.30.1" in said(result, "gcp_connection", "warn")
    assert statuses(result, "checklist")["C6"] == "pass"
    assert failed(judged(replaced, everyone("inside", ["10.255.30.1"]))) == {"M2"}
