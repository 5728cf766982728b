# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Packets and names, by configuration."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.private_ai.endpoints.plugins.module_utils.core.aws.answers import (
    covers,
    predict,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.aws.reachability import (
    acl_says,
    covers_https,
    groups_admit,
    route_to,
    within,
)
from ansible_collections.private_ai.endpoints.tests.unit.support import aws_case as aws

CIDRS = st.sampled_from(
    [
        "0.0.0.0/0",
        "10.0.0.0/8",
        "10.1.2.0/29",
        "10.1.2.0/30",
        "10.1.2.4/30",
        "10.1.2.4/31",
        "10.2.0.0/16",
    ]
)
ENTRIES = st.lists(
    st.tuples(
        st.integers(1, 50),
        st.sampled_from(["allow", "deny"]),
        CIDRS,
        st.sampled_from(["-1", "6", "17"]),
        st.sampled_from([(0, 65535), (443, 443), (80, 442), (444, 9999), (400, 500)]),
    ),
    max_size=6,
    unique_by=lambda entry: entry[0],
)


@given(
    ENTRIES,
    st.sampled_from(["10.1.2.0/29", "10.1.2.4/30"]),
    st.sampled_from([(443, 443), (442, 445)]),
)
def test_an_acl_says_what_its_first_matching_entry_says(
    entries: list[Any], peer: str, span: tuple[int, int]
) -> None:
    """Against the definition: packet by packet, the lowest number that matches."""
    acl = {
        "entries": [
            {
                "number": number,
                "egress": False,
                "protocol": protocol,
                "action": action,
                "cidr": cidr,
                "from_port": None if protocol == "-1" else ports[0],
                "to_port": None if protocol == "-1" else ports[1],
            }
            for number, action, cidr, protocol, ports in entries
        ]
    }

    def packet(address: Any, port: int) -> str:
        for _, action, cidr, protocol, ports in sorted(entries):
            matched = protocol == "-1" or (protocol == "6" and ports[0] <= port <= ports[1])
            if matched and address in ipaddress.ip_network(cidr):
                return str(action)
        return "deny"

    ports = range(span[0], span[1] + 1)
    each = {packet(address, port) for address in ipaddress.ip_network(peer) for port in ports}
    said = acl_says(acl, egress=False, peer=peer, ports=span)
    assert {said} == each if len(each) == 1 else said == "partly"


@given(st.lists(CIDRS, max_size=3), CIDRS)
def test_within_is_set_inclusion(allowed: list[str], cidr: str) -> None:
    corners = [ipaddress.ip_network(cidr)[0], ipaddress.ip_network(cidr)[-1]]
    holds = [ipaddress.ip_network(item) for item in allowed]
    if within(cidr, allowed):
        assert all(any(corner in item for item in holds) for corner in corners)
    assert within(cidr, [*allowed, cidr])


def test_two_halves_are_the_whole() -> None:
    assert within("10.0.0.0/8", ["10.0.0.0/9", "10.128.0.0/9"])
    assert not within("::/0", ["0.0.0.0/0"])


@pytest.mark.parametrize(
    ("changes", "covered"),
    [
        ({}, True),
        ({"protocol": "-1", "from_port": -1, "to_port": -1}, True),
        ({"from_port": 0, "to_port": 65535}, True),
        ({"from_port": 80, "to_port": 80}, False),
        ({"protocol": "udp"}, False),
        ({"protocol": "icmp", "from_port": -1, "to_port": -1}, False),
        ({"egress": True}, False),
    ],
)
def test_rules_that_cover_https(changes: dict[str, Any], covered: bool) -> None:
    assert covers_https(aws.rule("10.0.0.0/8", **changes)) is covered


def test_groups() -> None:
    def group(*rules: dict[str, Any]) -> list[dict[str, Any]]:
        return [{"id": "sg-1", "rules": list(rules)}]

    assert groups_admit(group(aws.rule("10.0.0.0/8")), "10.1.0.0/16") == "yes"
    assert groups_admit(group(aws.rule("10.1.0.0/24")), "10.1.0.0/16") == "no"
    assert groups_admit(group(aws.rule(None, group_id="sg-2")), "10.1.0.0/16") == "perhaps"
    assert groups_admit(group(aws.rule(None, prefix_list_id="pl-2")), "10.1.0.0/16") == "perhaps"
    assert groups_admit(group(), "10.1.0.0/16") == "no"


def test_the_most_specific_active_route_counts() -> None:
    document = aws.evidence()
    routes = document["route_tables"][0]["routes"]
    routes.append({"destination": "0.0.0.0/0", "target": "igw-1", "state": "active"})
    assert route_to(document, "subnet-a", "10.20.0.0/16") == aws.PEERING
    routes[1]["state"] = "blackhole"
    assert route_to(document, "subnet-a", "10.20.0.0/16") == "igw-1"
    assert route_to(document, "subnet-z", "10.20.0.0/16") is None


def test_names() -> None:
    assert covers("*.x.y", "a.x.y") and covers("x.y", "X.Y.") and not covers("*.x.y", "x.y")
    document = aws.evidence()
    assert predict(aws.MODELS, aws.APP_VPC, document).addresses == tuple(aws.ADDRESSES[aws.MODELS])
    assert predict(aws.MODELS, aws.SPOKE_VPC, document).kind == "private"
    assert predict(aws.MODELS, "vpc-else", document).kind == "public"
    # A broader zone does not win over private DNS, but answers alone where that is off.
    broad = {
        "id": "Z9",
        "name": "amazonaws.com",
        "vpcs": [{"id": aws.APP_VPC, "region": "x"}],
        "records": [],
    }
    document["zones"].append(broad)
    assert predict(aws.MODELS, aws.APP_VPC, document).kind == "private"
    document["endpoints"][0]["private_dns_enabled"] = False
    assert predict(aws.MODELS, aws.APP_VPC, document).kind == "elsewhere"
    record = {"name": aws.MODELS, "type": "A", "ttl": 60, "values": ["10.10.1.5"], "alias": None}
    broad["records"] = [record]
    assert predict(aws.MODELS, aws.APP_VPC, document).kind == "private"
    record["values"] = ["10.10.1.77"]
    assert predict(aws.MODELS, aws.APP_VPC, document).kind == "elsewhere"


def test_a_pending_endpoint_answers_no_name() -> None:
    document = aws.evidence()
    document["endpoints"][0]["state"] = "pending"
    assert predict(aws.MODELS, aws.APP_VPC, document).kind == "public"
