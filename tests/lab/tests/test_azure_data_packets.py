# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which packets reach an endpoint: peerings, routes, and the groups of both subnets."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.azure import nsg, sample
from lab.azure.nsg import Packet
from lab.azure.sample import (
    APP,
    ENDPOINT,
    FOUNDRY,
    IN_OTHER,
    IN_SPOKE,
    INSIDE,
    NETWORK,
    NETWORK_VERSION,
    OTHER,
    OUTSIDE,
    SPOKE,
    Lab,
)

ADDRESS = "10.20.2.4"
GROUP = f"{NETWORK}/networkSecurityGroups/one"
TABLE = f"{NETWORK}/routeTables/one"


def rule(name: str, priority: int, access: str, **more: Any) -> dict[str, Any]:
    """An inbound rule for everything, but for what is given."""
    given = {
        "priority": priority,
        "access": access,
        "direction": "Inbound",
        "protocol": "*",
        "sourcePortRange": "*",
        "destinationPortRange": "*",
        "sourceAddressPrefix": "*",
        "destinationAddressPrefix": "*",
        **more,
    }
    return {
        "name": name,
        "properties": {key: value for key, value in given.items() if value is not None},
    }


def group(*rules: dict[str, Any]) -> dict[str, Any]:
    return {"id": GROUP, "location": "eastus", "properties": {"securityRules": list(rules)}}


def subnet(id: str, cidr: str, policies: str = "", **references: str) -> dict[str, Any]:
    properties: dict[str, Any] = {"addressPrefix": cidr}
    if policies:
        properties["privateEndpointNetworkPolicies"] = policies
    properties |= {key: {"id": value} for key, value in references.items()}
    return {"id": id, "properties": properties}


def reached(lab: Lab, *vantages: Any) -> list[bool]:
    return [ADDRESS in lab.cloud.admitted(each) for each in vantages or (INSIDE, IN_SPOKE)]


def test_from_the_network_and_its_peers_and_nowhere_else() -> None:
    lab = sample.lab(sample.endpoint())
    assert reached(lab, INSIDE, IN_SPOKE, IN_OTHER, OUTSIDE) == [True, True, False, False]
    lab.add(sample.endpoint(f"{NETWORK}/privateEndpoints/foundry", FOUNDRY))
    assert lab.cloud.admitted(INSIDE) == {"10.20.2.4", "10.20.2.5", "10.20.2.6", "10.20.2.7"}


@pytest.mark.parametrize(
    ("id", "properties"),
    [
        (f"{APP}/virtualNetworkPeerings/to-spoke", {"peeringState": "Disconnected"}),
        (f"{SPOKE}/virtualNetworkPeerings/to-app", {"peeringState": "Initiated"}),
        (f"{SPOKE}/virtualNetworkPeerings/to-app", {"allowVirtualNetworkAccess": False}),
        (f"{APP}/virtualNetworkPeerings/to-spoke", {"allowVirtualNetworkAccess": False}),
    ],
)
def test_a_peering_must_work_both_ways(id: str, properties: dict[str, Any]) -> None:
    lab = sample.lab(sample.endpoint())
    peering = lab.state.find(id)
    assert peering is not None
    peering.properties.update(properties)
    assert reached(lab) == [True, False]


def test_peerings_are_not_transitive() -> None:
    def both(near: str, far: str) -> list[dict[str, Any]]:
        made = []
        for one, two in ((near, far), (far, near)):
            id = f"{one}/virtualNetworkPeerings/to-{two.rpartition('/')[2]}"
            made.append({"id": id, "properties": {"remoteVirtualNetwork": {"id": two}}})
        return made

    lab = sample.lab(sample.endpoint(), *both(SPOKE, OTHER))
    assert reached(lab, IN_SPOKE, IN_OTHER) == [True, False]
    lab.add(*both(APP, OTHER))
    assert reached(lab, IN_SPOKE, IN_OTHER) == [True, True]


@pytest.mark.parametrize("policies", ["", "Disabled", "RouteTableEnabled"])
def test_a_group_without_policies_does_not_bind_endpoints(policies: str) -> None:
    lab = sample.lab(
        group(rule("none", 100, "Deny")),
        subnet(f"{APP}/subnets/endpoints", "10.20.2.0/24", policies, networkSecurityGroup=GROUP),
        sample.endpoint(),
    )
    assert reached(lab) == [True, True]


@pytest.mark.parametrize("policies", ["Enabled", "NetworkSecurityGroupEnabled"])
@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ([], [True, True]),  # AllowVnetInBound covers peers
        ([rule("none", 100, "Deny")], [False, False]),
        ([rule("none", 100, "Deny", destinationPortRange="80")], [True, True]),
        ([rule("none", 100, "Deny", protocol="Udp")], [True, True]),
        ([rule("none", 100, "Deny", direction="Outbound")], [True, True]),
        ([rule("none", 100, "Deny", destinationAddressPrefix="10.20.2.5")], [True, True]),
        ([rule("none", 100, "Deny", sourceAddressPrefix="VirtualNetwork")], [False, False]),
        ([rule("none", 100, "Deny", sourceAddressPrefix="Internet")], [True, True]),
        (
            [
                rule("app", 100, "Allow", sourceAddressPrefix="10.20.1.0/24", protocol="Tcp"),
                rule("rest", 200, "Deny", destinationAddressPrefix=ADDRESS),
            ],
            [True, False],
        ),
        (
            [
                rule("rest", 100, "Deny", destinationAddressPrefix=ADDRESS),
                rule("app", 200, "Allow", sourceAddressPrefix="10.20.1.0/24"),
            ],
            [False, False],
        ),
        (
            [
                rule(
                    "both",
                    100,
                    "Allow",
                    sourceAddressPrefix=None,
                    sourceAddressPrefixes=["10.21.1.0/24", "10.99.0.0/16"],
                    destinationPortRange=None,
                    destinationPortRanges=["80", "440-450"],
                ),
                rule("rest", 200, "Deny"),
            ],
            [False, True],
        ),
        ([rule("low", 100, "Deny", sourcePortRange="1-1023")], [True, True]),
        ([rule("some", 100, "Deny", sourcePortRange="40000-40001")], [False, False]),
    ],
)
def test_the_group_of_the_endpoints_subnet(
    policies: str, rules: list[dict[str, Any]], expected: list[bool]
) -> None:
    lab = sample.lab(
        group(*rules),
        subnet(f"{APP}/subnets/endpoints", "10.20.2.0/24", policies, networkSecurityGroup=GROUP),
        sample.endpoint(),
    )
    assert reached(lab) == expected


def test_an_application_security_group_as_destination() -> None:
    worn = f"{NETWORK}/applicationSecurityGroups/endpoints"
    to_group = {"destinationAddressPrefix": None}
    deny = rule(
        "rest", 100, "Deny", **to_group, destinationApplicationSecurityGroups=[{"id": worn}]
    )
    endpoint = sample.endpoint()
    lab = sample.lab(
        {"id": worn, "location": "eastus", "properties": {}},
        group(deny),
        subnet(f"{APP}/subnets/endpoints", "10.20.2.0/24", "Enabled", networkSecurityGroup=GROUP),
        endpoint,
    )
    assert reached(lab) == [True, True]
    endpoint["properties"]["applicationSecurityGroups"] = [{"id": worn}]
    lab.add(endpoint)
    assert reached(lab) == [False, False]


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ([], True),
        ([rule("out", 100, "Deny", direction="Outbound")], False),
        ([rule("in", 100, "Deny")], True),
        (
            [rule("out", 100, "Deny", direction="Outbound", destinationAddressPrefix="Internet")],
            True,
        ),
    ],
)
def test_the_group_of_the_callers_subnet(rules: list[dict[str, Any]], expected: bool) -> None:
    lab = sample.lab(
        group(*rules),
        subnet(f"{APP}/subnets/app", "10.20.1.0/24", networkSecurityGroup=GROUP),
        sample.endpoint(),
    )
    assert reached(lab) == [expected, True]


@pytest.mark.parametrize(
    ("prefix", "hop", "policies", "expected"),
    [
        ("0.0.0.0/0", "None", "Enabled", True),
        ("10.20.0.0/16", "None", "Disabled", True),
        ("10.20.0.0/16", "None", "NetworkSecurityGroupEnabled", True),
        ("10.20.0.0/16", "None", "RouteTableEnabled", False),
        ("10.20.2.0/24", "None", "Enabled", False),
        ("10.20.2.0/24", "VnetLocal", "Enabled", True),
        ("10.20.3.0/24", "None", "Enabled", True),
        (f"{ADDRESS}/32", "None", "Disabled", False),
        ("10.0.0.0/8", "VirtualAppliance", "RouteTableEnabled", True),
        ("10.20.0.0/16", "VirtualAppliance", "RouteTableEnabled", False),
    ],
)
def test_routes_of_the_callers_subnet(prefix: str, hop: str, policies: str, expected: bool) -> None:
    route = {"addressPrefix": prefix, "nextHopType": hop}
    if hop == "VirtualAppliance":
        route["nextHopIpAddress"] = "10.20.9.9"
    lab = sample.lab(
        {
            "id": TABLE,
            "location": "eastus",
            "properties": {"routes": [{"name": "one", "properties": route}]},
        },
        subnet(f"{APP}/subnets/app", "10.20.1.0/24", routeTable=TABLE),
        subnet(f"{APP}/subnets/endpoints", "10.20.2.0/24", policies),
        sample.endpoint(),
    )
    assert reached(lab) == [expected, True]


def test_packets_arrive_once_the_endpoint_is_ready_and_until_it_goes() -> None:
    lab = sample.lab(timing={"endpoint": 2})
    body = {key: value for key, value in sample.endpoint().items() if key != "id"}
    assert lab.arm("PUT", ENDPOINT, body, version=NETWORK_VERSION)[0] == 201
    assert reached(lab) == [False, False]
    assert lab.cloud.next_change() == sample.START + 2
    lab.later(2)
    assert reached(lab) == [True, True] and lab.cloud.next_change() is None
    assert lab.arm("PUT", ENDPOINT, body, version=NETWORK_VERSION)[0] in (200, 201)
    assert reached(lab) == [True, True], "a later write does not interrupt it"
    lab.later(2)
    assert lab.arm("DELETE", ENDPOINT, version=NETWORK_VERSION)[0] == 202
    lab.later(2)
    assert reached(lab) == [False, False]


_CIDRS = st.sampled_from(["*", "10.20.1.0/24", "10.20.0.0/16", "10.21.0.0/16", "VirtualNetwork"])
_RULES = st.lists(
    st.tuples(st.integers(100, 4096), st.sampled_from(["Allow", "Deny"]), _CIDRS),
    max_size=6,
    unique_by=lambda each: each[0],
)
_SPACE = ["10.20.0.0/16", "10.21.0.0/16"]


@given(_RULES, st.sampled_from(["10.20.1.20", "10.21.1.10", "10.99.0.1"]), st.randoms())
def test_priority_decides_whatever_the_order(rules: Any, source: str, random: Any) -> None:
    made = [
        rule(str(number), number, access, sourceAddressPrefix=prefix)
        for number, access, prefix in rules
    ]
    shuffled = list(made)
    random.shuffle(shuffled)
    packet = Packet(source, ADDRESS)

    def verdict(given: list[dict[str, Any]]) -> bool:
        return nsg.allows({"properties": {"securityRules": given}}, "Inbound", packet, _SPACE)

    assert verdict(made) == verdict(shuffled)
    covering = [each for each in sorted(rules) if nsg.covers(each[2], source, _SPACE)]
    assert verdict(made) == bool(covering and covering[0][1] == "Allow")


@given(st.ip_addresses(v=4), st.ip_addresses(v=4, network="10.20.0.0/16"))
def test_every_address_is_internet_or_virtual_network(anywhere: Any, inside: Any) -> None:
    for address in (anywhere, inside):
        known = [nsg.covers(tag, str(address), _SPACE) for tag in ("Internet", "VirtualNetwork")]
        balancer = address == ipaddress.IPv4Address("168.63.129.16")
        assert known.count(True) == (0 if balancer else 1)
    assert nsg.covers("VirtualNetwork", str(inside), _SPACE)
