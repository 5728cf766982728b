# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From compute's lists to networks, firewall rules and endpoints of the evidence."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.private_ai.endpoints.plugins.module_utils.gcp import observe_network

BASE = "https://www.googleapis.com/compute/v1/"
APP, SPOKE = "projects/p/global/networks/app", "projects/p/global/networks/spoke"
OURS = "private_ai.endpoints: psc"


def item(kind: str, name: str, network: str = APP, **fields: Any) -> dict[str, Any]:
    link = f"{BASE}projects/p/global/{kind}/{name}"
    return {"name": name, "selfLink": link, "network": BASE + network, **fields}


def rule(name: str, network: str = APP, **fields: Any) -> dict[str, Any]:
    made = {"target": "all-apis", "IPAddress": "10.255.30.2", "description": OURS}
    return item("forwardingRules", name, network, **{**made, **fields})


@pytest.mark.parametrize(
    ("rules", "replaced"),
    [
        ([rule("psc")], []),
        ([rule("psc"), rule("psc2")], ["psc"]),
        ([rule("psc9"), rule("psc10")], ["psc9"]),
        # The time that they were made says more than their names.
        (
            [
                rule("psc", creationTimestamp="2026-03-02T00:00:00.000-08:00"),
                rule("psc2", creationTimestamp="2026-03-01T00:00:00.000-08:00"),
            ],
            ["psc2"],
        ),
        ([rule("psc"), rule("psc2", description="private_ai.endpoints: another")], []),
        ([rule("psc"), rule("psc2", description="somebody's")], []),
        ([rule("psc"), rule("psc2", network=SPOKE)], []),
    ],
)
def test_an_endpoint_is_replaced_by_a_newer_one_of_its_family(
    rules: list[dict[str, Any]], replaced: list[str]
) -> None:
    found = observe_network.endpoints({"rules p": rules}, [APP, SPOKE])
    assert [each["name"] for each in found if each["replaced"]] == replaced


def test_only_endpoints_for_google_apis_of_these_networks_count() -> None:
    rules = [
        rule("psc", labels={"team": "x"}, description=""),
        rule("service", target=f"{BASE}projects/q/regions/r/serviceAttachments/s"),
        rule("far", network="projects/p/global/networks/far"),
    ]
    (found,) = observe_network.endpoints({"rules p": rules, "rules q": None}, [APP])
    assert (found["name"], found["bundle"], found["managed"]) == ("psc", "all-apis", False)


def test_an_egress_rule_without_destinations_is_about_every_address() -> None:
    listed = [
        item("firewalls", "egress", direction="EGRESS", denied=[{"IPProtocol": "all"}]),
        item("firewalls", "ingress", direction="INGRESS", allowed=[{"IPProtocol": "tcp"}]),
        item("firewalls", "far", SPOKE, direction="EGRESS", denied=[{"IPProtocol": "all"}]),
    ]
    (found,) = observe_network.firewalls({"firewalls p": listed}, [APP])
    assert (found["name"], found["action"]) == ("egress", "deny")
    assert found["destinations"] == ["0.0.0.0/0"] and found["managed"] is False


def test_a_network_has_what_is_its_own_and_says_which_peers_were_read() -> None:
    document = {
        "autoCreateSubnetworks": True,
        "peerings": [
            {"name": "b", "network": BASE + SPOKE, "state": "ACTIVE"},
            {"name": "a", "network": BASE + "projects/q/global/networks/hub", "state": "INACTIVE"},
        ],
    }
    lists = {
        "subnets p": [
            item(
                "subnetworks",
                "own",
                region=f"{BASE}projects/p/regions/us-central1",
                ipCidrRange="10.30.1.0/24",
                secondaryIpRanges=[{"rangeName": "pods", "ipCidrRange": "10.40.0.0/16"}],
            ),
            item("subnetworks", "other", SPOKE, ipCidrRange="10.31.1.0/24"),
        ],
        "routes p": [
            item("routes", "b", destRange="10.9.0.0/16", nextHopIp="10.30.1.9", priority=10),
            item("routes", "a", destRange="0.0.0.0/0", nextHopGateway=f"{BASE}projects/p/global/x"),
        ],
    }
    found = observe_network.network(APP, "application", document, lists, {APP, SPOKE})
    assert found["auto"] is True
    (subnet,) = found["subnets"]
    assert (subnet["name"], subnet["region"], subnet["secondary"]) == (
        "own",
        "us-central1",
        ["10.40.0.0/16"],
    )
    assert subnet["private_google_access"] is False
    hops = [(each["name"], each["next_hop"], each["priority"]) for each in found["routes"]]
    assert hops == [("a", "projects/p/global/x", 1000), ("b", "10.30.1.9", 10)]
    peers = [(each["network_id"], each["state"], each["readable"]) for each in found["peerings"]]
    assert peers == [(SPOKE, "ACTIVE", True), ("projects/q/global/networks/hub", "INACTIVE", False)]


def test_a_network_that_was_not_read_is_not_taken_for_a_plain_one() -> None:
    found = observe_network.network(APP, "application", None, {}, set())
    assert found["auto"] is None and found["peerings"] == []
