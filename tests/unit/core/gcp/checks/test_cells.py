# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every cell of the two tables on Google: broken alone it is found alone, without its evidence it is unknown."""

from __future__ import annotations

import pytest

from ansible_collections.private_ai.endpoints.tests.unit.support import gcp_case as gcp
from ansible_collections.private_ai.endpoints.tests.unit.support.gcp_changes import (
    Change,
    Parts,
    admitted_outside,
    both,
    denied,
    doc,
    dry_run_only,
    everyone,
    failed,
    firewalls,
    forget,
    found,
    grants,
    judged,
    no_zone_of,
    not_gathered,
    perimeter,
    public_inside,
    resolve,
    seen,
    silent,
    statuses,
    subnet,
    update,
)

OTHER = "projects/lab-other/global/networks/other"
HOST_PROJECT = "projects/lab-host/global/networks/shared"

# M1 -----------------------------------------------------------------------------------------------------------------


def no_perimeter(parts: Parts) -> None:
    doc(parts)["perimeters"] = []


def shared_vpc(**changes: object) -> Change:
    """The application's network is a host project's, whose number was read or not."""

    def change(parts: Parts) -> None:
        document = doc(parts)
        spoke = gcp.network(HOST_PROJECT, "spoke", [], gcp.APP)
        document["spokes"].append({**spoke, "peerings": [], **changes})
        document["endpoints"].append(gcp.endpoint(HOST_PROJECT))
        document["zones"] += [
            gcp.zone(host, gcp.APP, [gcp.record(host, "10.255.39.2")], network_ids=[HOST_PROJECT])
            for host in gcp.HOSTS
        ]
        allow = gcp.firewall("a", "allow", network_id=gcp.APP, ranges=["10.39.0.0/16"])
        deny = gcp.firewall("d", "deny", network_id=gcp.APP, priority=1001)
        for rule in (allow, deny):
            rule.update(network_id=HOST_PROJECT, destinations=["10.255.39.2/32"])
            document["firewalls"].append(rule)

    return change


# M2 -----------------------------------------------------------------------------------------------------------------


def no_zones(parts: Parts) -> None:
    doc(parts)["zones"] = [item for item in doc(parts)["zones"] if gcp.SPOKE in item["network_ids"]]


def wildcard_only(parts: Parts) -> None:
    """*.aiplatform.googleapis.com, which no regional name is below of."""
    zone = gcp.zone(gcp.GLOBAL, gcp.APP)
    zone["records"].append(gcp.record(f"*.{gcp.GLOBAL}", gcp.ADDRESSES[gcp.APP]))
    no_zone_of(gcp.US, gcp.EU)(parts)
    doc(parts)["zones"] = [item for item in doc(parts)["zones"] if item["id"] != zone["id"]]
    doc(parts)["zones"].append(zone)


def automatic_zone(parts: Parts) -> None:
    """What Google makes by itself for an endpoint's own names says nothing about the real ones."""
    no_zones(parts)
    name = "aiplatform-pscvertex.p.googleapis.com"
    records = [gcp.record(name, gcp.ADDRESSES[gcp.APP])]
    doc(parts)["zones"].append(gcp.zone("p.googleapis.com", gcp.APP, records))


def record_of_the_spoke(parts: Parts) -> None:
    """Right in the other network, out of reach here."""
    for item in doc(parts)["zones"]:
        if gcp.APP in item["network_ids"]:
            item["records"][0]["values"] = [gcp.ADDRESSES[gcp.SPOKE]]


def empty_zones(parts: Parts) -> None:
    for item in doc(parts)["zones"]:
        if gcp.APP in item["network_ids"]:
            item["records"] = []


def bare_zone(*records: dict[str, object], path: str = gcp.APP) -> Change:
    return lambda parts: doc(parts)["zones"].append(gcp.zone("googleapis.com", path, list(records)))


def policy(dns_name: str, *, bypass: bool = False) -> Change:
    rule = {
        "name": "vertex",
        "dns_name": dns_name,
        "bypass": bypass,
        "records": [] if bypass else [gcp.record(dns_name, "10.30.1.99")],
    }
    entry = {
        "id": f"projects/{gcp.PROJECT}/responsePolicies/rpz",
        "network_ids": [gcp.APP],
        "rules": [rule],
    }
    return lambda parts: doc(parts)["response_policies"].append(entry)


# M4, M5 -------------------------------------------------------------------------------------------------------------


def wide(name: str = "wide", **values: object) -> Change:
    return firewalls(gcp.firewall(name, "allow", **{"priority": 900, **values}))


def without(name: str) -> Change:
    def change(parts: Parts) -> None:
        rules = doc(parts)["firewalls"]
        doc(parts)["firewalls"] = [item for item in rules if item["name"] != name]

    return change


def elsewhere(parts: Parts) -> None:
    """In a network of its own, that the application is not in."""
    doc(parts)["endpoints"][0]["network_id"] = OTHER


def in_the_spoke(parts: Parts) -> None:
    """The spoke has the only one, and the peering does not carry anything to it."""
    doc(parts)["endpoints"] = doc(parts)["endpoints"][1:]


def in_a_subnet(parts: Parts) -> None:
    doc(parts)["network"]["subnets"].append(gcp.subnet(gcp.APP_A + "2", "10.255.30.0/24"))
    doc(parts)["network"]["subnets"][-1]["purpose"] = "REGIONAL_MANAGED_PROXY"


def in_a_range_of_a_peer(parts: Parts) -> None:
    doc(parts)["spokes"][0]["subnets"][0]["secondary"] = ["10.255.30.0/28"]


def host_route(parts: Parts) -> None:
    route = {"name": "r", "dest": "10.255.30.2/32", "next_hop": "10.30.1.7", "priority": 1}
    doc(parts)["network"]["routes"].append(route)


def cannot_connect(parts: Parts) -> None:
    for item in seen(parts, "inside"):
        item["connections"][0] = gcp.unconnected(item["connections"][0]["address"], "timed out")


# M6 -----------------------------------------------------------------------------------------------------------------


def spoke_without(parts: Parts) -> None:
    """Neither endpoint nor zones of its own."""
    doc(parts)["endpoints"] = doc(parts)["endpoints"][:1]
    doc(parts)["zones"] = [item for item in doc(parts)["zones"] if gcp.APP in item["network_ids"]]
    for item in parts["probe_targets"]:
        item["networks"].pop(gcp.SPOKE)


def dns_peered(parts: Parts) -> None:
    """Its names are asked for in the hub, and lead to the hub's endpoint."""
    spoke_without(parts)
    peering = gcp.zone("googleapis.com", gcp.SPOKE, [], peering_network_id=gcp.APP)
    doc(parts)["zones"].append(peering)


def hub_seen_from_the_spoke(answer: str | None = None) -> Change:
    def change(parts: Parts) -> None:
        hub = gcp.ADDRESSES[gcp.APP]
        for item in seen(parts, "spoke"):
            resolve(item, [hub], answer or "admitted")
            if answer is None:
                item["connections"] = [gcp.unconnected(hub, "timed out")]

    return change


def discovered(parts: Parts) -> None:
    """Not given as a spoke, but peered with the application's network."""
    document = doc(parts)
    document["peers"] = [{**document["spokes"].pop(), "role": "peer"}]


def unread_peer(parts: Parts) -> None:
    doc(parts)["spokes"] = []
    doc(parts)["network"]["peerings"][0]["readable"] = False


# M7 -----------------------------------------------------------------------------------------------------------------


def no_endpoint(parts: Parts) -> None:
    """None at all, in no network; the spoke is not one of ours."""
    doc(parts).update(endpoints=[], zones=[], spokes=[], firewalls=[])
    doc(parts)["network"]["peerings"] = []
    for item in parts["probe_targets"]:
        item.update(addresses=[], networks={})
    for item in seen(parts, "inside"):
        resolve(item, gcp.PUBLIC)


def extra_host(host: str, bundle: str) -> Change:
    """A host beside Vertex AI's, with its zones, and the bundle of the endpoints."""

    def change(parts: Parts) -> None:
        document = doc(parts)
        document["hosts"].append(host)
        document["zones"] += [gcp.zone(host, path) for path in gcp.ADDRESSES]
        for item in document["endpoints"]:
            item["bundle"] = bundle

    return change


def test_what_is_right_passes() -> None:
    result = judged()
    assert result["summary"]["verdict"] == "pass"
    assert set(statuses(result, "misconfigurations").values()) == {"pass"}
    assert set(statuses(result, "checklist").values()) == {"pass"}
    assert result["proof"]["targets"] == [gcp.TARGET]


@pytest.mark.parametrize(
    ("cells", "change"),
    [
        ("M1", no_perimeter),
        ("M1", dry_run_only),
        ("M1", perimeter(restricted_services=["storage.googleapis.com"])),
        ("M1", perimeter(resources=["projects/500000000003"])),
        ("M1", admitted_outside),
        ("M1", both(no_perimeter, admitted_outside)),
        ("M1", shared_vpc(project_number=gcp.HOST_NUMBER)),
        # Whoever is let in from anywhere takes the lock away, and is one too many.
        ("M1 M3", perimeter(ingress=[gcp.ingress()])),
        ("M1 M3", perimeter(ingress=[gcp.ingress(identity="ANY_USER_ACCOUNT", service="*")])),
        ("M2", both(no_zones, public_inside)),
        ("M2", no_zone_of(gcp.US)),
        ("M2", wildcard_only),
        ("M2", both(automatic_zone, public_inside)),
        ("M2", record_of_the_spoke),
        ("M2", empty_zones),
        ("M2", bare_zone(gcp.record("googleapis.com", gcp.ADDRESSES[gcp.APP]))),
        ("M2", policy(gcp.GLOBAL)),
        ("M2", policy("*.googleapis.com")),
        ("M2", everyone("inside", [gcp.ADDRESSES[gcp.APP], *gcp.PUBLIC])),
        ("M2", everyone("inside", [gcp.ADDRESSES[gcp.SPOKE]])),
        ("M3", grants(gcp.binding(members=["allUsers"]))),
        ("M3", grants(gcp.binding(members=["allAuthenticatedUsers"], condition="true"))),
        ("M3", grants(gcp.binding("projects/p/roles/custom", members=["allUsers"]))),
        ("M3", grants(gcp.binding(resource="organizations/400000000001"))),
        ("M3", grants(gcp.binding("roles/aiplatform.admin", resource="folders/1"))),
        ("M4", without("private-ai-app-deny")),
        ("M4", without("private-ai-spoke-deny")),
        ("M4", wide()),
        ("M4", wide(ranges=["10.0.0.0/8"])),
        ("M4", wide(priority=1000)),
        ("M4", wide(protocols=["all"], destinations=[])),
        ("M4", wide(protocols=["tcp:400-500"], destinations=["10.0.0.0/8"])),
        ("M5", both(elsewhere, forget("inside"))),
        ("M7", both(in_the_spoke, forget("inside"))),
        ("M5", in_a_subnet),
        ("M5", in_a_range_of_a_peer),
        ("M5", host_route),
        ("M5", subnet(0, private_google_access=False)),
        ("M5", firewalls(gcp.firewall("shut", "deny", priority=900, ranges=["10.30.1.0/25"]))),
        ("M5", firewalls(gcp.firewall("tie", "deny", ranges=["10.30.1.0/24"]))),
        ("M5", cannot_connect),
        ("M6", everyone("spoke", gcp.PUBLIC, "denied_perimeter")),
        ("M6", both(spoke_without, forget("spoke"))),
        ("M6", both(spoke_without, discovered, forget("spoke"))),
        ("M6", both(spoke_without, everyone("spoke", gcp.PUBLIC, "denied_perimeter"))),
        ("M6", both(dns_peered, hub_seen_from_the_spoke())),
        ("M6", both(dns_peered, forget("spoke"))),
        ("M6", hub_seen_from_the_spoke()),
        ("M6", bare_zone(path=gcp.SPOKE)),
        ("M7", both(no_endpoint, forget("spoke"))),
        ("M7", extra_host("gmail.googleapis.com", "vpc-sc")),
        ("M7", perimeter(accessible_services={"enabled": True, "allowed": [gcp.STORAGE]})),
        ("M7", perimeter(accessible_services={"enabled": True, "allowed": [gcp.GLOBAL]})),
        (
            "gcp_c7_traffic",
            update("traffic", groups=[gcp.call(path="public", source_ip="198.51.100.7")]),
        ),
    ],
)
def test_one_broken_thing_is_found_alone(cells: str, change: Change) -> None:
    result = judged(change)
    assert failed(result) == set(cells.split())
    for cell in cells.split():
        if cell.startswith("M"):
            assert statuses(result, "misconfigurations")[cell] == "fail"
    assert all(item["fix"] and item["observed"] for item in result["findings"])


@pytest.mark.parametrize("answer", ["denied_perimeter", "denied_identity"])
def test_a_refusal_at_the_endpoint_is_found(answer: str) -> None:
    def refused(parts: Parts) -> None:
        for item in seen(parts, "inside"):
            if item["action"]:
                resolve(item, [gcp.ADDRESSES[gcp.APP]], answer)

    result = judged(refused)
    assert failed(result) == {"gcp_admission"}
    assert statuses(result, "checklist")["C6"] == "fail" and result["proof"] is None


@pytest.mark.parametrize(
    ("row", "changes"),
    [
        ("M1", (not_gathered("perimeter"), forget("outside"))),
        ("M1", (denied("accesscontextmanager.policies.list", "perimeter"), silent("outside"))),
        ("C3", (update("project", number=None), silent("outside"))),
        (
            "C3",
            (not_gathered("perimeter"), everyone("outside", gcp.PUBLIC, "unauthenticated")),
        ),
        ("C3", (not_gathered("perimeter"), everyone("outside", gcp.PUBLIC, "denied_identity"))),
        ("M1", (shared_vpc(), silent("outside"))),
        ("M2", (denied("dns.managedZones.list", "dns"),)),
        ("M2", (silent("inside"),)),
        ("M2", (forget("inside"),)),
        ("M2", (lambda parts: parts["vantages"][0].update(subnet=gcp.APP_B),)),
        ("C1", (silent("inside"),)),
        ("M3", (not_gathered("access"),)),
        ("M3", (not_gathered("perimeter"),)),
        ("C4", (denied("resourcemanager.projects.getIamPolicy", "access"),)),
        ("M4", (denied("compute.firewalls.list", "network"),)),
        ("C5", (not_gathered("endpoints"),)),
        ("C5", (lambda parts: doc(parts).update(endpoints=doc(parts)["endpoints"][1:]),)),
        ("M5", (not_gathered("network"),)),
        ("M5", (lambda parts: doc(parts)["network"]["subnets"].clear(),)),
        ("M6", (not_gathered("network"),)),
        ("M6", (silent("spoke"),)),
        ("C2", (silent("spoke"),)),
        ("C2", (unread_peer, forget("spoke"))),
        (
            "C2",
            (discovered, denied("compute.globalForwardingRules.list", "peers"), forget("spoke")),
        ),
        ("C2", (denied("dns.managedZones.list", "dns"), forget("spoke"))),
        ("M7", (not_gathered("endpoints"),)),
        ("M7", (extra_host("generativelanguage.googleapis.com", "vpc-sc"),)),
        ("M7", (extra_host("aiplatform.us.rep.googleapis.com", "all-apis"),)),
        ("C6", (silent("inside"),)),
        ("C7", (not_gathered("traffic"),)),
        ("C7", (denied("logging.privateLogEntries.list", "traffic"),)),
        ("C7", (denied("resourcemanager.projects.getIamPolicy", "logging"),)),
        ("C7", (update("logging", audit={}),)),
        ("C7", (update("logging", audit={gcp.GLOBAL: ["DATA_WRITE"]}),)),
    ],
)
def test_missing_evidence_is_unknown(row: str, changes: tuple[Change, ...]) -> None:
    result = judged(*changes)
    table = "checklist" if row.startswith("C") else "misconfigurations"
    assert statuses(result, table)[row] == "unknown"


def test_no_evidence_at_all_passes_nothing() -> None:
    result = judged(evidence=[], observations=[])
    assert {item["status"] for item in result["findings"]} == {"unknown"}
    assert set(statuses(result, "misconfigurations").values()) == {"unknown"}
    assert set(statuses(result, "checklist").values()) == {"unknown"}
    assert result["proof"] is None


def test_no_network_in_the_evidence_passes_nothing_that_needs_it() -> None:
    def nothing(parts: Parts) -> None:
        doc(parts).update(network=None, spokes=[], endpoints=[], zones=[])

    result = judged(nothing, observations=[])
    rows = statuses(result, "misconfigurations")
    assert all(rows[name] == "unknown" for name in ("M2", "M4", "M5", "M6"))
    assert not [item for item in found(result, "gcp_m7_planes") if item["status"] == "pass"]
