# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""compute's control plane: the real client through a whole life, and everything that Google refuses."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest

from lab.gcp import Gcp, sample
from lab.gcp.sample import ADMIN, APP_NETWORK, SPOKE_NETWORK, VIEWER

BASE = "https://compute.googleapis.com/compute/v1/projects/lab-vertex"
ADDRESSES, RULES = f"{BASE}/global/addresses", f"{BASE}/global/forwardingRules"
ADDRESS = {
    "name": "psc-ip",
    "address": "10.9.9.9",
    "addressType": "INTERNAL",
    "purpose": "PRIVATE_SERVICE_CONNECT",
    "network": APP_NETWORK,
}
RULE = {
    "name": "pscvertex",
    "IPAddress": "projects/lab-vertex/global/addresses/psc-ip",
    "target": "all-apis",
    "network": APP_NETWORK,
}


class Lab:
    """A cloud with a clock, and google-auth's session to it."""

    def __init__(self, email: str = ADMIN, **sections: Any) -> None:
        self.clock = sample.Clock()
        self.cloud = Gcp(sample.state(self.clock, **sections))
        self.http = sample.session(self.cloud, email)

    def call(self, method: str, url: str, body: Any = None, **params: Any) -> tuple[int, Any]:
        answer = self.http.request(method, url, json=body, params=params)
        return answer.status_code, answer.json()

    def done(self, method: str, url: str, body: Any = None, **params: Any) -> dict[str, Any]:
        """The operation that a call starts, at its end."""
        status, operation = self.call(method, url, body, **params)
        assert (status, operation["status"]) == (200, "RUNNING"), operation
        self.clock.time += 1
        status, ended = self.call("GET", operation["selfLink"])
        assert (status, ended["status"]) == (200, "DONE")
        return ended

    def endpoint(self, **more: Any) -> None:
        assert "error" not in self.done("POST", ADDRESSES, ADDRESS)
        assert "error" not in self.done("POST", RULES, {**RULE, **more})


@pytest.fixture
def lab() -> Lab:
    return Lab()


def reason(answer: Any) -> tuple[int, str, str]:
    error = answer["error"]
    return error["code"], error["errors"][0]["reason"], error["message"]


def test_the_real_client_through_a_whole_life() -> None:
    from google.cloud import compute_v1

    cloud = Gcp(sample.state(timing={"operation": 0.05}))

    def client(kind: Any) -> Any:
        made = kind(credentials=sample.credentials(cloud, ADMIN))
        made.transport._session.mount("https://", sample.Wire(cloud))
        return made

    addresses = client(compute_v1.GlobalAddressesClient)
    rules = client(compute_v1.GlobalForwardingRulesClient)
    address = compute_v1.Address(
        name="psc-ip",
        address="10.9.9.9",
        address_type="INTERNAL",
        purpose="PRIVATE_SERVICE_CONNECT",
        network=APP_NETWORK,
    )
    polls = client(compute_v1.GlobalOperationsClient)

    def wait(operation: Any) -> None:
        ended = polls.wait(project="lab-vertex", operation=operation.name)
        assert ended.status == compute_v1.Operation.Status.DONE
        assert not ended.error.errors

    project = "lab-vertex"
    wait(addresses.insert_unary(project=project, address_resource=address))
    rule = compute_v1.ForwardingRule(
        name="pscvertex",
        I_p_address=f"projects/{project}/global/addresses/psc-ip",
        target="all-apis",
        network=APP_NETWORK,
    )
    wait(rules.insert_unary(project=project, forwarding_rule_resource=rule))
    read = rules.get(project=project, forwarding_rule="pscvertex")
    assert (read.I_p_address, read.target, read.I_p_protocol) == ("10.9.9.9", "all-apis", "TCP")
    assert read.network.endswith(APP_NETWORK)
    assert read.psc_connection_id
    assert not read.load_balancing_scheme
    labels = compute_v1.GlobalSetLabelsRequest(
        label_fingerprint=read.label_fingerprint, labels={"made": "by-us"}
    )
    wait(
        rules.set_labels_unary(
            project=project, resource="pscvertex", global_set_labels_request_resource=labels
        )
    )
    target = compute_v1.TargetReference(target="vpc-sc")
    wait(
        rules.set_target_unary(
            project=project, forwarding_rule="pscvertex", target_reference_resource=target
        )
    )
    listed = list(rules.list(project=project))
    assert [(each.name, each.target, dict(each.labels)) for each in listed] == [
        ("pscvertex", "vpc-sc", {"made": "by-us"})
    ]
    assert addresses.get(project=project, address="psc-ip").status == "IN_USE"
    wait(rules.delete_unary(project=project, forwarding_rule="pscvertex"))
    assert addresses.get(project=project, address="psc-ip").status == "RESERVED"
    wait(addresses.delete_unary(project=project, address="psc-ip"))
    assert not list(addresses.list(project=project))


ADDRESS_ERRORS = [
    ({"name": "Psc_IP"}, 400, "invalid", "Must be a match of regex"),
    ({"name": None}, 400, "required", "Required field 'resource.name'"),
    ({"address": None}, 400, "invalid", "Invalid value for field 'resource.address': ''"),
    ({"address": "10.9.9.0/24"}, 400, "invalid", "A single IPv4 address"),
    ({"address": "10.30.1.9"}, 400, "invalid", "overlaps with the range 10.30.1.0/24"),
    ({"address": "10.40.7.7"}, 400, "invalid", "overlaps with the range 10.40.0.0/16"),
    ({"address": "10.31.1.9"}, 400, "invalid", "overlaps with the range 10.31.1.0/24"),
    ({"address": "10.9.9.1"}, 400, "invalid", "conflicts with the static route"),
    ({"network": "projects/lab-vertex/global/networks/none"}, 404, "notFound", "networks/none"),
    ({"network": None}, 400, "required", "resource.network"),
    ({"prefixLength": 24}, 400, "invalid", "resource.prefixLength"),
    ({"purpose": "PSC"}, 400, "invalid", "Invalid value for field 'resource.purpose': 'PSC'"),
    ({"colour": "red"}, 400, "badRequest", 'Unknown name "colour": Cannot find field.'),
    ({"name": 5}, 400, "badRequest", "Invalid value at 'name' (TYPE_STRING), 5"),
    ({"labels": {"Big": "x"}}, 400, "invalid", "resource.labels"),
]


@pytest.mark.parametrize(("change", "code", "why", "says"), ADDRESS_ERRORS)
def test_addresses_that_google_refuses(
    lab: Lab, change: dict[str, Any], code: int, why: str, says: str
) -> None:
    body = {name: value for name, value in {**ADDRESS, **change}.items() if value is not None}
    status, answer = lab.call("POST", ADDRESSES, body)
    assert reason(answer)[:2] == (code, why)
    assert status == code
    assert says in answer["error"]["message"]


def test_an_auto_mode_network_keeps_its_range(lab: Lab) -> None:
    body = {**ADDRESS, "network": "projects/lab-vertex/global/networks/auto"}
    _, answer = lab.call("POST", ADDRESSES, {**body, "address": "10.200.0.9"})
    assert "10.128.0.0/9" in reason(answer)[2]
    assert lab.call("POST", ADDRESSES, body)[0] == 200


RULE_ERRORS = [
    ({"name": "psc-vertex"}, 400, "invalid", "1-20 characters string with lowercase letters and"),
    ({"name": "p" * 21}, 400, "invalid", "1-20 characters"),
    ({"name": "1psc"}, 400, "invalid", "must start with a letter"),
    ({"target": "some-apis"}, 400, "invalid", "resource.target"),
    ({"target": None}, 400, "required", "resource.target"),
    ({"network": None}, 400, "required", "resource.network"),
    ({"network": SPOKE_NETWORK}, 400, "invalid", "must be in the same network"),
    ({"labels": {"a": "b"}}, 400, "invalid", "Invalid field set in Private Service Connect"),
    ({"loadBalancingScheme": "EXTERNAL"}, 400, "invalid", "This field should not be set."),
    ({"IPAddress": None}, 400, "invalid", "resource.IPAddress"),
    ({"IPAddress": "10.9.9.8"}, 400, "invalid", "not reserved"),
    ({"IPAddress": "global/addresses/none"}, 404, "notFound", "addresses/none"),
    ({"IPProtocol": "SMOKE"}, 400, "invalid", "resource.IPProtocol"),
    (
        {"serviceDirectoryRegistrations": [{"serviceDirectoryRegion": "moon"}]},
        400,
        "invalid",
        "serviceDirectoryRegion",
    ),
]


@pytest.mark.parametrize(("change", "code", "why", "says"), RULE_ERRORS)
def test_rules_that_google_refuses(
    lab: Lab, change: dict[str, Any], code: int, why: str, says: str
) -> None:
    lab.done("POST", ADDRESSES, ADDRESS)
    body = {name: value for name, value in {**RULE, **change}.items() if value is not None}
    status, answer = lab.call("POST", RULES, body)
    assert reason(answer)[:2] == (code, why)
    assert status == code
    assert says in answer["error"]["message"]


def test_an_address_is_not_ready_at_once_and_then_used_once(lab: Lab) -> None:
    lab.call("POST", ADDRESSES, ADDRESS)
    _, answer = lab.call("POST", RULES, RULE)
    assert reason(answer)[:2] == (400, "resourceNotReady")
    lab.clock.time += 1
    lab.done("POST", RULES, RULE)
    _, answer = lab.call("POST", RULES, {**RULE, "name": "another"})
    assert "in-use and would result in a conflict" in reason(answer)[2]
    _, answer = lab.call("DELETE", f"{ADDRESSES}/psc-ip")
    assert reason(answer)[:2] == (400, "resourceInUseByAnotherResource")


def test_what_exists_cannot_be_made_again(lab: Lab) -> None:
    lab.endpoint()
    for url, body in ((ADDRESSES, ADDRESS), (RULES, RULE)):
        status, answer = lab.call("POST", url, body)
        assert (status, reason(answer)[1]) == (409, "alreadyExists")
    assert lab.call("GET", f"{RULES}/none")[0] == 404


def test_a_request_id_is_good_for_one_operation(lab: Lab) -> None:
    number = str(uuid.uuid4())
    first = lab.call("POST", ADDRESSES, ADDRESS, requestId=number)[1]
    again = lab.call("POST", ADDRESSES, ADDRESS, requestId=number)[1]
    assert first["name"] == again["name"]
    assert lab.call("DELETE", f"{ADDRESSES}/psc-ip", requestId=number)[0] == 400
    assert lab.call("POST", ADDRESSES, ADDRESS, requestId="five")[0] == 400


def test_labels_need_their_fingerprint(lab: Lab) -> None:
    lab.endpoint()
    shown = lab.call("GET", f"{RULES}/pscvertex")[1]["labelFingerprint"]
    body = {"labels": {"a": "b"}, "labelFingerprint": shown}
    assert lab.call("POST", f"{RULES}/pscvertex/setLabels", body)[0] == 200
    # Another who has seen the same fingerprint is too late, though the first operation still runs.
    status, answer = lab.call("POST", f"{RULES}/pscvertex/setLabels", body)
    assert (status, reason(answer)[1]) == (412, "conditionNotMet")


def test_an_operation_can_fail_after_it_has_started() -> None:
    failure = {
        "operation": "compute.globalForwardingRules.insert",
        "code": "QUOTA_EXCEEDED",
        "message": "Quota 'PSC_GOOGLE_APIS_FORWARDING_RULES_PER_VPC_NETWORK' exceeded.",
        "status": 403,
    }
    lab = Lab(failures=[failure])
    lab.done("POST", ADDRESSES, ADDRESS)
    ended = lab.done("POST", RULES, RULE)
    assert ended["error"]["errors"][0]["code"] == "QUOTA_EXCEEDED"
    assert ended["httpErrorStatusCode"] == 403
    assert lab.call("GET", f"{RULES}/pscvertex")[0] == 404
    assert "error" not in lab.done("POST", RULES, RULE)


def test_permissions_apis_and_organisation_policies() -> None:
    viewer = Lab(VIEWER)
    status, answer = viewer.call("POST", ADDRESSES, ADDRESS)
    assert status == 403
    assert reason(answer)[2] == (
        "Required 'compute.globalAddresses.createInternal' permission for "
        "'projects/lab-vertex/global/addresses/psc-ip'"
    )
    assert viewer.call("GET", ADDRESSES)[0] == 200
    lab = Lab()
    status, answer = lab.call("GET", ADDRESSES.replace("lab-vertex", "lab-empty"))
    info = answer["error"]["details"][0]
    assert (status, info["reason"]) == (403, "SERVICE_DISABLED")
    assert "has not been used in project 500000000004" in answer["error"]["message"]
    name = "organizations/400000000001/policies/compute.disablePrivateServiceConnectCreationForConsumers"
    rules = [{"values": {"deniedValues": ["GOOGLE_APIS"]}}]
    forbidden = Lab(org_policies=[{"name": name, "spec": {"rules": rules}}])
    forbidden.done("POST", ADDRESSES, ADDRESS)
    status, answer = forbidden.call("POST", RULES, RULE)
    assert status == 412
    assert "constraints/compute.disablePrivateServiceConnectCreation" in reason(answer)[2]


FIREWALL = {
    "name": "deny",
    "network": APP_NETWORK,
    "direction": "EGRESS",
    "denied": [{"IPProtocol": "tcp"}],
}
POLICY = "compute.networks.updatePolicy"
# What each method asks for besides the permission of its own name.
BESIDE = [
    ("POST", RULES, RULE, "compute.globalForwardingRules.create"),
    ("POST", RULES, RULE, "compute.networks.use"),
    ("POST", RULES, RULE, "compute.globalAddresses.use"),
    ("POST", RULES, RULE, "servicedirectory.namespaces.create"),
    ("POST", RULES, RULE, "servicedirectory.namespaces.associatePrivateZone"),
    ("POST", RULES, RULE, "dns.managedZones.create"),
    ("POST", f"{RULES}/standing/setLabels", {}, "compute.globalForwardingRules.setLabels"),
    ("DELETE", f"{RULES}/standing", None, "compute.globalForwardingRules.delete"),
    ("DELETE", f"{RULES}/standing", None, "servicedirectory.namespaces.delete"),
    ("DELETE", f"{RULES}/standing", None, "dns.managedZones.delete"),
    ("POST", f"{BASE}/global/firewalls", FIREWALL, POLICY),
    ("PUT", f"{BASE}/global/firewalls/standing", FIREWALL, POLICY),
    ("DELETE", f"{BASE}/global/firewalls/standing", None, POLICY),
]


@pytest.mark.parametrize(("method", "url", "body", "permission"), BESIDE)
def test_dependent_permissions(method: str, url: str, body: Any, permission: str) -> None:
    role = "organizations/400000000001/roles/most"
    lab = Lab(VIEWER, roles={role: ["*", f"-{permission}"]})
    others = Lab(VIEWER, roles={role: ["*", "-compute.routes.delete"]})
    for each in (lab, others):
        project = each.cloud.state.project("lab-vertex")
        assert project is not None
        bindings = project.policy["bindings"]
        bindings[:] = [{"role": role, "members": [f"serviceAccount:{VIEWER}"]}]
        admin = sample.session(each.cloud, ADMIN)
        taken = {**ADDRESS, "name": "taken", "address": "10.9.9.10"}
        rule = {
            **RULE,
            "name": "standing",
            "IPAddress": RULE["IPAddress"].replace("psc-ip", "taken"),
        }
        for where, what in (
            (ADDRESSES, ADDRESS),
            (ADDRESSES, taken),
            (RULES, rule),
            (f"{BASE}/global/firewalls", {**FIREWALL, "name": "standing"}),
        ):
            assert admin.request("POST", where, json=what).status_code == 200
            each.clock.time += 1
    status, answer = lab.call(method, url, body)
    assert status == 403
    assert f"'{permission}'" in reason(answer)[2]
    assert f"'{permission}'" not in str(others.call(method, url, body)[1].get("error"))


def test_requests_that_are_none(lab: Lab) -> None:
    assert lab.call("GET", f"{BASE}/global/unknownThings")[0] == 404
    assert lab.call("GET", f"{BASE}/zones/us-central1-a/instances")[0] == 501
    status, answer = lab.call("GET", ADDRESSES, colour="red")
    assert (status, 'Unknown name "colour"' in answer["error"]["message"]) == (400, True)
    broken = lab.http.post(ADDRESSES, data="{", headers={"Content-Type": "application/json"})
    assert broken.status_code == 400
    assert lab.call("GET", ADDRESSES, alt="json", prettyPrint="false")[0] == 200


def test_lists_have_filters_and_pages(lab: Lab) -> None:
    for number in range(3):
        body = {**ADDRESS, "name": f"ip-{number}", "address": f"10.9.8.{number + 1}"}
        lab.done("POST", ADDRESSES, body)
    found = lab.call("GET", ADDRESSES, filter='name = "ip-1"')[1]["items"]
    assert [each["name"] for each in found] == ["ip-1"]
    found = lab.call("GET", ADDRESSES, filter="(name eq ip-.*) (address eq 10.9.8.3)")[1]["items"]
    assert [each["name"] for each in found] == ["ip-2"]
    assert lab.call("GET", ADDRESSES, filter="name ~~ 1")[0] == 400
    first = lab.call("GET", ADDRESSES, maxResults=2)[1]
    second = lab.call("GET", ADDRESSES, maxResults=2, pageToken=first["nextPageToken"])[1]
    names = [each["name"] for part in (first, second) for each in part["items"]]
    assert (names, "nextPageToken" in second) == (["ip-0", "ip-1", "ip-2"], False)


def test_a_network_and_what_is_in_it(lab: Lab) -> None:
    networks, subnets = f"{BASE}/global/networks", f"{BASE}/regions/us-central1/subnetworks"
    peerings = lab.call("GET", f"{networks}/app")[1]["peerings"]
    assert [(each["state"], each["network"].endswith(SPOKE_NETWORK)) for each in peerings] == [
        ("ACTIVE", True)
    ]
    lab.done("POST", f"{networks}/app/removePeering", {"name": peerings[0]["name"]})
    spoke = lab.call("GET", f"{networks}/spoke")[1]["peerings"]
    assert spoke[0]["state"] == "INACTIVE"
    again = {
        "networkPeering": {"name": "again", "network": SPOKE_NETWORK, "exchangeSubnetRoutes": True}
    }
    lab.done("POST", f"{networks}/app/addPeering", again)
    assert lab.call("GET", f"{networks}/spoke")[1]["peerings"][0]["state"] == "ACTIVE"
    off = {"privateIpGoogleAccess": False}
    lab.done("POST", f"{subnets}/app-a/setPrivateIpGoogleAccess", off)
    assert lab.call("GET", f"{subnets}/app-a")[1]["privateIpGoogleAccess"] is False
    assert lab.call("PATCH", f"{subnets}/app-a", off)[0] == 412
    asked = {"permissions": ["compute.subnetworks.get", "compute.subnetworks.update"]}
    held = f"{subnets}/app-a/testIamPermissions"
    assert lab.call("POST", held, asked)[1] == asked
    assert Lab(VIEWER).call("POST", held, asked)[1] == {"permissions": asked["permissions"][:1]}
    lab.done("POST", ADDRESSES, ADDRESS)
    body = {"name": "late", "network": APP_NETWORK, "ipCidrRange": "10.9.9.0/24"}
    _, answer = lab.call("POST", subnets, body)
    assert "conflicts with reserved IP address" in reason(answer)[2]
    assert reason(lab.call("DELETE", f"{networks}/app")[1])[1] == "resourceInUseByAnotherResource"


FIREWALL_ERRORS = [
    ({"allowed": [{"IPProtocol": "tcp"}]}, "both allowed and denied"),
    ({"destinationRanges": ["10.0.0.300/32"]}, "resource.destinationRanges[0]"),
    ({"priority": 70000}, "resource.priority"),
    ({"sourceTags": ["web"]}, "resource.sourceTags"),
    ({"direction": "UP"}, "resource.direction"),
]


def test_firewall_rules(lab: Lab) -> None:
    url = f"{BASE}/global/firewalls"
    body = {
        "name": "deny-endpoint",
        "network": APP_NETWORK,
        "direction": "EGRESS",
        "priority": 900,
        "denied": [{"IPProtocol": "tcp", "ports": ["443"]}],
        "destinationRanges": ["10.9.9.9/32"],
    }
    for change, says in FIREWALL_ERRORS:
        status, answer = lab.call("POST", url, {**body, **change})
        assert (status, says in json.dumps(answer)) == (400, True)
    lab.done("POST", url, body)
    lab.done("PATCH", f"{url}/deny-endpoint", {"priority": 901})
    read = lab.call("GET", f"{url}/deny-endpoint")[1]
    assert (read["priority"], read["denied"]) == (901, body["denied"])
    assert lab.call("PATCH", f"{url}/deny-endpoint", {"direction": "INGRESS"})[0] == 400
    lab.done("DELETE", f"{url}/deny-endpoint")
    assert lab.call("GET", f"{url}/deny-endpoint")[0] == 404


def test_all_endpoints_of_a_network_share_a_region(lab: Lab) -> None:
    lab.endpoint(serviceDirectoryRegistrations=[{"serviceDirectoryRegion": "europe-west1"}])
    lab.done("POST", ADDRESSES, {**ADDRESS, "name": "two", "address": "10.9.9.10"})
    body = {**RULE, "name": "two", "IPAddress": "10.9.9.10"}
    _, answer = lab.call("POST", RULES, body)
    assert "must use the same Service Directory region, here europe-west1" in reason(answer)[2]
    registrations = [{"serviceDirectoryRegion": "europe-west1"}]
    assert (
        lab.call("POST", RULES, {**body, "serviceDirectoryRegistrations": registrations})[0] == 200
    )
