# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cloud DNS's control plane, and the views that its zones and policies make."""

from __future__ import annotations

from typing import Any

import pytest
from google.cloud import dns

from lab.gcp import Gcp, sample
from lab.gcp.sample import APP_NETWORK, IN_SPOKE, INSIDE, OUTSIDE, SPOKE_NETWORK, VIEWER

BASE = "https://dns.googleapis.com/dns/v1/projects/lab-vertex"
ZONES, POLICIES = f"{BASE}/managedZones", f"{BASE}/responsePolicies"
HOST = "us-central1-aiplatform.googleapis.com"
LINK = "https://www.googleapis.com/compute/v1/"


def seen_by(*networks: str) -> dict[str, Any]:
    return {"networks": [{"networkUrl": LINK + each} for each in networks]}


ZONE = {
    "name": "vertex",
    "dnsName": f"{HOST}.",
    "description": "",
    "visibility": "private",
    "privateVisibilityConfig": seen_by(APP_NETWORK),
}


def record(address: str = "10.9.9.9", name: str = f"{HOST}.", ttl: int = 300) -> dict[str, Any]:
    return {"name": name, "type": "A", "ttl": ttl, "rrdatas": [address]}


class Lab:
    def __init__(self, email: str = sample.ADMIN, **sections: Any) -> None:
        self.clock = sample.Clock()
        self.cloud = Gcp(sample.state(self.clock, **sections))
        self.http = sample.session(self.cloud, email)

    def call(self, method: str, url: str, body: Any = None, **params: Any) -> tuple[int, Any]:
        answer = self.http.request(method, url, json=body, params=params)
        return answer.status_code, answer.json() if answer.content else None

    def ok(self, method: str, url: str, body: Any = None) -> Any:
        """A call that succeeds and is served."""
        status, answer = self.call(method, url, body)
        assert status in (200, 204), answer
        self.clock.time += 1
        return answer

    def addresses(self, place: Any, name: str = HOST, qtype: str = "A") -> Any:
        answer = self.cloud.resolve(place, name, qtype)
        return None if answer is None else answer.addresses or answer.status


@pytest.fixture
def lab() -> Lab:
    return Lab()


def reason(answer: Any) -> tuple[int, str]:
    return answer["error"]["code"], answer["error"]["errors"][0]["reason"]


def test_google_cloud_dns_makes_a_zone_and_its_records() -> None:
    lab = Lab()
    client = dns.Client(project="lab-vertex", credentials=lab.http.credentials, _http=lab.http)
    lab.ok("POST", ZONES, ZONE)
    (zone,) = client.list_zones()
    assert (zone.name, zone.dns_name) == ("vertex", f"{HOST}.")
    changes = zone.changes()
    changes.add_record_set(zone.resource_record_set(f"{HOST}.", "A", 300, ["10.9.9.9"]))
    changes.create()
    assert changes.status == "pending"
    lab.clock.time += 0.25
    changes.reload()
    # Done means sent, not yet served.
    assert (changes.status, lab.addresses(INSIDE)) == ("done", "nodata")
    lab.clock.time += 0.25
    assert lab.addresses(INSIDE) == ("10.9.9.9",)
    kinds = {each.record_type: each.rrdatas for each in zone.list_resource_record_sets()}
    assert (set(kinds), kinds["A"]) == ({"A", "NS", "SOA"}, ["10.9.9.9"])
    subclass = type(
        "Private",
        (dns.ManagedZone,),
        {"_build_resource": lambda self: {**ZONE, "name": "b", "dnsName": "b.googleapis.com."}},
    )
    subclass("b", "b.googleapis.com.", client).create()
    patched = client._connection.api_request(
        "PATCH", "/projects/lab-vertex/managedZones/b", data={"description": "new"}
    )
    assert patched["status"] == "pending"


ZONE_ERRORS = [
    ({"name": "Vertex"}, 400, "invalid"),
    ({"name": None}, 400, "required"),
    ({"dnsName": HOST}, 400, "invalid"),
    ({"dnsName": None}, 400, "required"),
    ({"description": None}, 400, "required"),
    ({"visibility": "secret"}, 400, "invalid"),
    ({"colour": 1}, 400, "badRequest"),
    ({"privateVisibilityConfig": seen_by("projects/lab-vertex/global/networks/x")}, 400, "invalid"),
    ({"privateVisibilityConfig": {"networks": [{"networkUrl": "app"}]}}, 400, "invalid"),
    ({"visibility": "public"}, 400, "invalid"),
]


@pytest.mark.parametrize(("change", "code", "why"), ZONE_ERRORS)
def test_zones_that_google_refuses(lab: Lab, change: dict[str, Any], code: int, why: str) -> None:
    body = {name: value for name, value in {**ZONE, **change}.items() if value is not None}
    status, answer = lab.call("POST", ZONES, body)
    assert (status, reason(answer)) == (code, (code, why))


def test_zones_conflict_by_name_and_by_network(lab: Lab) -> None:
    lab.ok("POST", ZONES, ZONE)
    assert reason(lab.call("POST", ZONES, ZONE)[1]) == (409, "alreadyExists")
    twin = {**ZONE, "name": "twin"}
    assert lab.call("POST", ZONES, twin)[0] == 409
    lab.ok("POST", ZONES, {**twin, "privateVisibilityConfig": seen_by(SPOKE_NETWORK)})
    both = {"privateVisibilityConfig": seen_by(APP_NETWORK, SPOKE_NETWORK)}
    assert lab.call("PATCH", f"{ZONES}/twin", both)[0] == 409


def test_patch_replaces_the_list_of_networks(lab: Lab) -> None:
    lab.ok("POST", ZONES, ZONE)
    lab.ok("POST", f"{ZONES}/vertex/changes", {"additions": [record()]})
    operation = lab.call(
        "PATCH", f"{ZONES}/vertex", {"privateVisibilityConfig": seen_by(SPOKE_NETWORK)}
    )[1]
    assert operation["status"] == "pending"
    lab.clock.time += 1
    read = lab.call("GET", f"{ZONES}/vertex/operations/{operation['id']}")[1]
    assert read["status"] == "done"
    assert lab.addresses(IN_SPOKE) == ("10.9.9.9",)
    assert lab.addresses(INSIDE) == lab.addresses(OUTSIDE)
    assert reason(lab.call("PATCH", f"{ZONES}/vertex", {"dnsName": "other."})[1]) == (
        400,
        "invalid",
    )


CHANGE_ERRORS = [
    ({}, 400, "required"),
    ({"additions": [record(name="other.googleapis.com.")]}, 400, "invalid"),
    ({"additions": [record("10.9.9.999")]}, 400, "invalid"),
    ({"additions": [record(ttl=-1)]}, 400, "invalid"),
    ({"additions": [{**record(), "type": "Z"}]}, 400, "invalid"),
    ({"additions": [{**record(), "rrdatas": []}]}, 400, "required"),
    ({"additions": [record("10.9.9.10")]}, 409, "alreadyExists"),
    ({"deletions": [record("10.9.9.10")]}, 412, "conditionNotMet"),
    ({"deletions": [record(ttl=60)]}, 412, "conditionNotMet"),
    ({"deletions": [record(name=f"x.{HOST}.")]}, 404, "notFound"),
    (
        {"additions": [{**record(), "type": "CNAME", "rrdatas": ["a.b."]}]},
        400,
        "cnameResourceRecordSetConflict",
    ),
    (
        {"additions": [record(name=f"x.{HOST}.")], "deletions": [record(ttl=9)]},
        412,
        "conditionNotMet",
    ),
]


@pytest.mark.parametrize(("change", "code", "why"), CHANGE_ERRORS)
def test_changes_are_all_or_nothing(lab: Lab, change: Any, code: int, why: str) -> None:
    lab.ok("POST", ZONES, ZONE)
    lab.ok("POST", f"{ZONES}/vertex/changes", {"additions": [record()]})
    before = lab.call("GET", f"{ZONES}/vertex/rrsets")[1]["rrsets"]
    status, answer = lab.call("POST", f"{ZONES}/vertex/changes", change)
    assert (status, reason(answer)) == (code, (code, why))
    assert lab.call("GET", f"{ZONES}/vertex/rrsets")[1]["rrsets"] == before


def test_a_change_takes_one_record_for_another(lab: Lab) -> None:
    lab.ok("POST", ZONES, ZONE)
    lab.ok("POST", f"{ZONES}/vertex/changes", {"additions": [record()]})
    lab.call(
        "POST",
        f"{ZONES}/vertex/changes",
        {"deletions": [record()], "additions": [record("10.9.9.10")]},
    )
    assert lab.addresses(INSIDE) == ("10.9.9.9",)
    lab.clock.time += 1
    assert lab.addresses(INSIDE) == ("10.9.9.10",)


def test_a_change_as_google_cloud_s_module_sends_it(lab: Lab) -> None:
    """By its definition's name for startTime, and with the serial of the SOA counted up."""
    lab.ok("POST", ZONES, ZONE)
    (soa,) = lab.ok("GET", f"{ZONES}/vertex/rrsets?type=SOA")["rrsets"]
    words = soa["rrdatas"][0].split(" ")
    words[2] = str(int(words[2]) + 1)
    body = {
        "kind": "dns#change",
        "additions": [{**soa, "rrdatas": [" ".join(words)]}, record()],
        "deletions": [soa],
        "start_time": "2026-01-31T12:00:00.000000",
    }
    assert lab.ok("POST", f"{ZONES}/vertex/changes", body)["startTime"] != body["start_time"]
    assert lab.addresses(INSIDE) == ("10.9.9.9",)
    assert lab.call("POST", f"{ZONES}/vertex/changes", {**body, "start_tim": ""})[0] == 400


def test_a_zone_with_records_cannot_be_deleted(lab: Lab) -> None:
    lab.ok("POST", ZONES, ZONE)
    lab.ok("POST", f"{ZONES}/vertex/changes", {"additions": [record()]})
    assert reason(lab.call("DELETE", f"{ZONES}/vertex")[1]) == (400, "containerNotEmpty")
    lab.ok("POST", f"{ZONES}/vertex/changes", {"deletions": [record()]})
    assert lab.call("DELETE", f"{ZONES}/vertex") == (204, None)
    assert reason(lab.call("GET", f"{ZONES}/vertex")[1]) == (404, "notFound")
    assert lab.addresses(INSIDE) == lab.addresses(OUTSIDE)


def test_a_missing_permission_is_named() -> None:
    status, answer = Lab(VIEWER).call("POST", ZONES, ZONE)
    assert (
        status,
        "Permission 'dns.managedZones.create' denied" in answer["error"]["message"],
    ) == (403, True)


def test_a_private_zone_answers_alone(lab: Lab) -> None:
    lab.ok("POST", ZONES, {**ZONE, "dnsName": "googleapis.com."})
    assert lab.addresses(INSIDE, "storage.googleapis.com") == "nxdomain"
    assert str(lab.addresses(OUTSIDE, "storage.googleapis.com")[0]).startswith("203.0.113.")
    wild = {
        "additions": [
            record(name="*.googleapis.com."),
            record(name="storage.googleapis.com.", address="10.9.9.10"),
        ]
    }
    lab.ok("POST", f"{ZONES}/vertex/changes", wild)
    assert lab.addresses(INSIDE, HOST) == ("10.9.9.9",)
    assert lab.addresses(INSIDE, "storage.googleapis.com") == ("10.9.9.10",)
    assert lab.addresses(INSIDE, "a.storage.googleapis.com") == "nxdomain"
    assert lab.addresses(INSIDE, HOST, "AAAA") == "nodata"


def test_the_longest_zone_wins_and_a_wildcard_misses_regional_hosts(lab: Lab) -> None:
    lab.ok("POST", ZONES, {**ZONE, "dnsName": "aiplatform.googleapis.com."})
    lab.ok(
        "POST",
        f"{ZONES}/vertex/changes",
        {"additions": [record(name="*.aiplatform.googleapis.com.")]},
    )
    assert lab.addresses(INSIDE, HOST) == lab.addresses(OUTSIDE, HOST)
    lab.ok("POST", ZONES, {**ZONE, "name": "wide", "dnsName": "googleapis.com."})
    lab.ok(
        "POST", f"{ZONES}/wide/changes", {"additions": [record("10.9.9.10", "*.googleapis.com.")]}
    )
    assert lab.addresses(INSIDE, HOST) == ("10.9.9.10",)
    assert lab.addresses(INSIDE, "aiplatform.googleapis.com") == "nodata"


def test_a_peering_zone_answers_with_the_other_networks_view(lab: Lab) -> None:
    lab.ok("POST", ZONES, ZONE)
    lab.ok("POST", f"{ZONES}/vertex/changes", {"additions": [record()]})
    target = {"targetNetwork": {"networkUrl": LINK + APP_NETWORK}}
    peering = {
        **ZONE,
        "name": "spoke",
        "privateVisibilityConfig": seen_by(SPOKE_NETWORK),
        "peeringConfig": target,
    }
    lab.ok("POST", ZONES, peering)
    assert lab.addresses(IN_SPOKE) == ("10.9.9.9",)
    answer = lab.call("POST", f"{ZONES}/spoke/changes", {"additions": [record()]})[1]
    assert reason(answer) == (400, "invalid")


def test_response_policies_come_first(lab: Lab) -> None:
    lab.ok("POST", ZONES, ZONE)
    lab.ok("POST", f"{ZONES}/vertex/changes", {"additions": [record()]})
    policy = {"responsePolicyName": "rpz", "networks": [{"networkUrl": LINK + APP_NETWORK}]}
    lab.ok("POST", POLICIES, policy)
    assert lab.call("POST", POLICIES, {**policy, "responsePolicyName": "two"})[0] == 409
    local = {"localDatas": [record("10.9.9.11")]}
    rule = {"ruleName": "regional", "dnsName": f"{HOST}.", "localData": local}
    lab.ok("POST", f"{POLICIES}/rpz/rules", rule)
    assert lab.addresses(INSIDE) == ("10.9.9.11",)
    assert reason(lab.call("POST", f"{POLICIES}/rpz/rules", rule)[1]) == (409, "alreadyExists")
    assert reason(
        lab.call("POST", f"{POLICIES}/rpz/rules", {**rule, "ruleName": "b", "dnsName": "b."})[1]
    ) == (400, "invalid")
    wide = {
        "ruleName": "wide",
        "dnsName": "*.googleapis.com.",
        "localData": {"localDatas": [record("10.9.9.12", "*.googleapis.com.")]},
    }
    lab.ok("POST", f"{POLICIES}/rpz/rules", wide)
    passing = {
        "ruleName": "pass",
        "dnsName": "storage.googleapis.com.",
        "behavior": "bypassResponsePolicy",
    }
    lab.ok("POST", f"{POLICIES}/rpz/rules", passing)
    assert lab.addresses(INSIDE, "pubsub.googleapis.com") == ("10.9.9.12",)
    assert lab.addresses(INSIDE, "storage.googleapis.com") == lab.addresses(
        OUTSIDE, "storage.googleapis.com"
    )
    assert reason(lab.call("DELETE", f"{POLICIES}/rpz")[1]) == (400, "resourceInUse")
    lab.ok("PATCH", f"{POLICIES}/rpz", {"networks": []})
    assert lab.addresses(INSIDE) == ("10.9.9.9",)
    assert reason(lab.call("DELETE", f"{POLICIES}/rpz")[1]) == (400, "containerNotEmpty")
    for each in ("regional", "wide", "pass"):
        lab.ok("DELETE", f"{POLICIES}/rpz/rules/{each}")
    lab.ok("DELETE", f"{POLICIES}/rpz")


def test_names_that_google_makes_itself() -> None:
    endpoint = {"name": "pscvertex", "network": APP_NETWORK, "address": "10.9.9.9"}
    lab = Lab(endpoints=[endpoint])
    name = "aiplatform-pscvertex.p.googleapis.com"
    assert lab.addresses(INSIDE, name) == ("10.9.9.9",)
    for place in (IN_SPOKE, OUTSIDE):
        assert str(lab.addresses(place, name)[0]).startswith("203.0.113.")
    assert lab.addresses(OUTSIDE, "restricted.googleapis.com")[0] == "199.36.153.4"
    assert lab.addresses(OUTSIDE, HOST, "AAAA")[0].startswith("2001:db8:")
    assert lab.cloud.resolve(OUTSIDE, "example.com", "A") is None


def test_a_server_policy_takes_a_networks_questions_away_from_its_zones() -> None:
    zone = {
        "id": "projects/lab-vertex/managedZones/vertex",
        "dns_name": f"{HOST}.",
        "networks": [APP_NETWORK, SPOKE_NETWORK],
        "records": [{"name": f"{HOST}.", "type": "A", "values": ["10.9.9.9"]}],
    }
    policy = {
        "id": "projects/lab-vertex/policies/corporate",
        "networks": [SPOKE_NETWORK],
        "name_servers": ["10.31.1.53"],
    }
    lab = Lab(zones=[zone], dns_policies=[policy])
    (shown,) = lab.ok("GET", f"{BASE}/policies")["policies"]
    assert shown["name"] == "corporate" and shown["enableInboundForwarding"] is False
    assert [each["networkUrl"] for each in shown["networks"]] == [LINK + SPOKE_NETWORK]
    servers = shown["alternativeNameServerConfig"]["targetNameServers"]
    assert [each["ipv4Address"] for each in servers] == ["10.31.1.53"]
    assert lab.addresses(INSIDE) == ("10.9.9.9",)
    # The company's servers know what everybody knows.
    assert lab.addresses(IN_SPOKE) == lab.addresses(OUTSIDE) != ("10.9.9.9",)
