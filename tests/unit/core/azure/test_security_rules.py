# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a network security group says to HTTPS, against an evaluation of single packets."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.private_ai.endpoints.plugins.module_utils.core.azure.security_rules import (
    INBOUND,
    OUTBOUND,
    says,
    wide,
)
from ansible_collections.private_ai.endpoints.tests.unit.support.azure_case import (
    default_rules,
    rule,
)

ENDPOINT = "10.20.2.4"
VIRTUAL = ["10.20.0.0/16", "10.21.0.0/16"]
ALLOWED = ["10.20.1.0/24"]
GROUP = "/asg"


def group(*rules: dict[str, Any]) -> dict[str, Any]:
    return {"id": "/nsg", "rules": [*rules, *default_rules()]}


def too_wide(*rules: dict[str, Any]) -> list[str]:
    return wide(group(*rules), ENDPOINT, [GROUP], ALLOWED, VIRTUAL)


_DENY = rule("deny", 4000, "Deny", "*", destination_prefixes=[ENDPOINT])


@pytest.mark.parametrize(
    ("rules", "named"),
    [
        ((), ["AllowVnetInBound"]),
        ((_DENY,), []),
        ((rule("a", 100, "Allow", "10.20.1.0/24"), _DENY), []),
        ((rule("a", 100, "Allow", "10.20.0.0/23"), _DENY), ["a"]),
        ((rule("a", 4010, "Allow", "*"), _DENY), []),
        ((rule("a", 100, "Allow", "*", destination_prefixes=["10.20.2.9"]), _DENY), []),
        ((rule("a", 100, "Allow", "*", destination_ports=["80", "444-500"]), _DENY), []),
        ((rule("a", 100, "Allow", "*", protocol="Udp"), _DENY), []),
        ((rule("a", 100, "Allow", "*", direction="Outbound"), _DENY), []),
        ((rule("a", 100, "Allow", "Internet"), _DENY), ["a"]),
        ((rule("a", 100, "Allow", "VirtualNetwork"), _DENY), ["a"]),
        ((rule("a", 100, "Allow", "Storage"), _DENY), ["a"]),
        (
            (rule("s", 99, "Deny", "Storage"), rule("a", 100, "Allow", "Storage"), _DENY),
            [],
        ),
        (
            (
                rule("a", 100, "Allow", "*", destination_prefixes=[], destination_asgs=[GROUP]),
                _DENY,
            ),
            ["a"],
        ),
        (
            (
                rule("half", 100, "Deny", "10.20.0.0/24"),
                rule("a", 101, "Allow", "10.20.0.0/23"),
                _DENY,
            ),
            [],
        ),
    ],
)
def test_rules_that_admit_more_than_the_application(
    rules: tuple[dict[str, Any], ...], named: list[str]
) -> None:
    found = too_wide(*rules)
    assert [text.split(" admits ")[0].split()[-2] for text in found] == named


@pytest.mark.parametrize(
    ("rules", "source", "verdict"),
    [
        ((), "10.21.1.0/24", "allow"),
        ((), "192.168.0.0/24", "deny"),
        ((rule("a", 100, "Deny", "10.20.1.128/25"),), "10.20.1.0/24", "partly"),
        ((rule("a", 100, "Allow", "10.20.1.0/24"), _DENY), "10.20.1.0/24", "allow"),
        (
            (rule("a", 100, "Allow", "10.9.9.9", source_prefixes=[], source_asgs=["/vm"]), _DENY),
            "10.20.1.0/24",
            "perhaps",
        ),
    ],
)
def test_what_a_source_is_told(
    rules: tuple[dict[str, Any], ...], source: str, verdict: str
) -> None:
    assert says(group(*rules), INBOUND, source, ENDPOINT, virtual=VIRTUAL) == verdict


def test_outbound_rules_are_judged_by_their_destination() -> None:
    shut = rule(
        "shut", 100, "Deny", "*", direction="Outbound", destination_prefixes=["10.20.2.0/24"]
    )
    assert says(group(), OUTBOUND, "10.20.1.0/24", ENDPOINT, virtual=VIRTUAL) == "allow"
    assert says(group(shut), OUTBOUND, "10.20.1.0/24", ENDPOINT, virtual=VIRTUAL) == "deny"
    assert says(group(shut), OUTBOUND, "10.20.1.0/24", "10.20.3.1", virtual=VIRTUAL) == "allow"


_SOURCES = st.sampled_from(
    [
        "*",
        "10.20.1.0/24",
        "10.20.1.64/26",
        "10.20.0.0/16",
        "203.0.113.0/24",
        "10.20.1.7",
        "Internet",
    ]
)
_RULES = st.lists(
    st.tuples(
        st.sampled_from(["Allow", "Deny"]),
        _SOURCES,
        st.sampled_from(["443", "80", "*", "400-500"]),
        st.sampled_from(["*", ENDPOINT, "10.20.2.0/24", "10.20.3.0/24"]),
    ),
    max_size=6,
)
_PACKETS = st.sampled_from(
    ["10.20.1.7", "10.20.1.70", "10.20.1.200", "10.20.9.1", "203.0.113.5", "8.8.8.8", "10.99.0.1"]
)


def _packet(rules: list[dict[str, Any]], source: str) -> bool:
    """One packet, the plain way."""
    address = ipaddress.ip_address(source)

    def holds(prefix: str, what: Any) -> bool:
        virtual = any(what in ipaddress.ip_network(cidr) for cidr in VIRTUAL)
        tags = {"*": True, "VirtualNetwork": virtual, "Internet": not virtual}
        if prefix in tags:
            return tags[prefix]
        return prefix != "AzureLoadBalancer" and what in ipaddress.ip_network(prefix)

    for item in sorted(rules, key=lambda entry: entry["priority"]):
        low, _dash, high = item["destination_ports"][0].partition("-")
        port = low == "*" or int(low) <= 443 <= int(high or low)
        if (
            item["direction"] == "Inbound"
            and port
            and holds(item["source_prefixes"][0], address)
            and holds(item["destination_prefixes"][0], ipaddress.ip_address(ENDPOINT))
        ):
            return bool(item["access"] == "Allow")
    return False


@given(_RULES, _PACKETS)
def test_a_verdict_is_that_of_each_packet(
    drawn: list[tuple[str, str, str, str]], source: str
) -> None:
    rules = [
        rule(
            f"r{at}", 100 + at, access, prefix, destination_ports=[port], destination_prefixes=[to]
        )
        for at, (access, prefix, port, to) in enumerate(drawn)
    ]
    admitted = _packet([*rules, *default_rules()], source)
    assert says(group(*rules), INBOUND, f"{source}/32", ENDPOINT, virtual=VIRTUAL) == (
        "allow" if admitted else "deny"
    )
    outside = not any(
        ipaddress.ip_address(source) in ipaddress.ip_network(cidr) for cidr in ALLOWED
    )
    if admitted and outside:
        assert too_wide(*rules)
