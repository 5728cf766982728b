# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which packets reach an endpoint: networks, Private Google Access, egress firewall rules."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from lab.cloud import Vantage
from lab.gcp import Gcp, sample
from lab.gcp.sample import APP_NETWORK, IN_SPOKE, INSIDE, OUTSIDE, SPOKE_NETWORK, SUBNET

ADDRESS = "10.9.9.9"
ENDPOINT = {"name": "pscvertex", "network": APP_NETWORK, "address": ADDRESS}


def cloud(firewalls: Any = (), google_access: bool = True, endpoint: Any = ENDPOINT) -> Gcp:
    world = sample.world(endpoints=[endpoint])
    world["gcp"]["networks"][0]["firewalls"] = list(firewalls)
    world["gcp"]["networks"][0]["subnets"][0]["private_google_access"] = google_access
    return Gcp(sample.load(world))


def reaches(made: Gcp, place: Vantage) -> bool:
    return ADDRESS in made.admitted(place)


def test_only_its_own_network_reaches_an_endpoint() -> None:
    made = cloud()
    assert reaches(made, INSIDE)
    # The spoke is peered with the endpoint's network, which does not help.
    assert not reaches(made, IN_SPOKE)
    assert not reaches(made, OUTSIDE)
    assert not reaches(cloud(endpoint={**ENDPOINT, "rule": False}), INSIDE)
    assert reaches(cloud(endpoint={**ENDPOINT, "network": SPOKE_NETWORK}), IN_SPOKE)


def test_a_machine_needs_google_access_or_an_external_address() -> None:
    made = cloud(google_access=False)
    assert not reaches(made, INSIDE)
    external = sample.vantage("app", INSIDE.address, APP_NETWORK, SUBNET, external_address=True)
    assert reaches(made, external)


def test_google_access_leads_to_public_addresses_without_the_internet() -> None:
    secluded = dataclasses.replace(INSIDE, internet=False)
    assert "203.0.113.192" in cloud().admitted(secluded)
    assert "203.0.113.192" not in cloud().admitted(INSIDE)
    assert not cloud(google_access=False).admitted(secluded)


def rule(priority: int, deny: bool, **more: Any) -> dict[str, Any]:
    part = [{"IPProtocol": "tcp", "ports": ["443"]}]
    return {
        "name": f"rule-{priority}-{'deny' if deny else 'allow'}",
        "direction": "EGRESS",
        "priority": priority,
        "denied" if deny else "allowed": part,
        **more,
    }


DENY_ALL = rule(1000, True)
FIREWALLS = [
    ([], True),
    ([DENY_ALL], False),
    ([{**DENY_ALL, "disabled": True}], True),
    ([{**DENY_ALL, "direction": "INGRESS"}], True),
    ([DENY_ALL, rule(900, False, destinationRanges=["10.9.9.9/32"])], True),
    ([DENY_ALL, rule(1000, False)], False),
    ([DENY_ALL, rule(1100, False)], False),
    ([DENY_ALL, rule(900, False, targetTags=["app"])], True),
    ([DENY_ALL, rule(900, False, targetTags=["web"])], False),
    ([DENY_ALL, rule(900, False, targetServiceAccounts=["a@b.iam.gserviceaccount.com"])], False),
    ([DENY_ALL, rule(900, False, sourceRanges=["10.30.1.0/24"])], True),
    ([DENY_ALL, rule(900, False, sourceRanges=["10.30.2.0/24"])], False),
    ([rule(900, True, destinationRanges=["10.9.9.0/24"])], False),
    ([rule(900, True, destinationRanges=["10.9.8.0/24"])], True),
    ([{**DENY_ALL, "denied": [{"IPProtocol": "all"}]}], False),
    ([{**DENY_ALL, "denied": [{"IPProtocol": "udp"}]}], True),
    ([{**DENY_ALL, "denied": [{"IPProtocol": "6", "ports": ["400-500"]}]}], False),
    ([{**DENY_ALL, "denied": [{"IPProtocol": "tcp", "ports": ["80", "8080-9000"]}]}], True),
]


@pytest.mark.parametrize(("firewalls", "works"), FIREWALLS)
def test_egress_rules_decide_by_priority(firewalls: Any, works: bool) -> None:
    assert reaches(cloud(firewalls), INSIDE) is works


def test_a_change_is_announced_and_then_made() -> None:
    clock = sample.Clock()
    made = Gcp(sample.state(clock))
    http = sample.session(made)
    base = "https://compute.googleapis.com/compute/v1/projects/lab-vertex/global"
    address = {
        "name": "ip",
        "address": ADDRESS,
        "addressType": "INTERNAL",
        "purpose": "PRIVATE_SERVICE_CONNECT",
        "network": APP_NETWORK,
    }
    http.post(f"{base}/addresses", json=address)
    clock.time += 1
    rule_body = {
        "name": "pscvertex",
        "IPAddress": ADDRESS,
        "target": "all-apis",
        "network": APP_NETWORK,
    }
    http.post(f"{base}/forwardingRules", json=rule_body)
    assert not reaches(made, INSIDE)
    due = made.next_change()
    assert due is not None
    assert clock.time < due <= clock.time + 1
    clock.time = due
    assert reaches(made, INSIDE)
    http.delete(f"{base}/forwardingRules/pscvertex")
    assert reaches(made, INSIDE)
    clock.time += 1
    assert not reaches(made, INSIDE)
    assert made.next_change() is None
