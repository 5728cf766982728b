# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What egress rules decide for a source: the walk over ranges says what following the rules for one machine says."""

from __future__ import annotations

import ipaddress
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.private_ai.endpoints.plugins.module_utils.core.gcp.egress import (
    EVERYWHERE,
    Walk,
    minus,
    spans,
    walk,
)
from ansible_collections.private_ai.endpoints.tests.unit.support import gcp_case as gcp

ADDRESS = gcp.ADDRESSES[gcp.APP]
_RANGES = ["0.0.0.0/0", "10.0.0.0/8", "10.30.0.0/16", "10.30.1.0/24", "10.30.1.128/25"]
_SOURCES = ["10.30.1.5", "10.30.1.200", "10.30.2.5", "10.9.9.9", "192.168.1.1"]

_rules = st.lists(
    st.builds(
        lambda action, priority, ranges, destinations, protocols, disabled, network: (
            gcp.firewall(
                "r",
                action,
                priority=priority,
                ranges=ranges,
                destinations=destinations,
                protocols=protocols,
                disabled=disabled,
            )
            | {"network_id": network}
        ),
        st.sampled_from(["allow", "deny"]),
        st.integers(1, 4),
        st.lists(st.sampled_from(_RANGES), max_size=2),
        st.sampled_from([[], ["10.255.0.0/16"], [f"{ADDRESS}/32"], ["10.254.0.0/16"]]),
        st.sampled_from([["all"], ["tcp"], ["tcp:443"], ["tcp:80"], ["tcp:1-1000"], ["udp:443"]]),
        st.booleans(),
        st.sampled_from([gcp.APP, gcp.SPOKE]),
    ),
    max_size=6,
)


def follow(rules: list[dict[str, Any]], source: str) -> str:
    """The same for one machine without tags, as the documentation tells it."""
    for number in range(5):
        for action in ("deny", "allow"):
            for rule in rules:
                if rule["action"] == action and rule["priority"] == number and _says(rule, source):
                    return action
    return "allow"


def _says(rule: dict[str, Any], source: str) -> bool:
    return (
        not rule["disabled"]
        and rule["network_id"] == gcp.APP
        and _inside(ADDRESS, rule["destinations"])
        and _inside(source, rule["ranges"])
        and rule["protocols"][0] in ("all", "tcp", "tcp:443", "tcp:1-1000")
    )


def _inside(address: str, cidrs: list[str]) -> bool:
    return not cidrs or any(
        ipaddress.ip_address(address) in ipaddress.ip_network(cidr) for cidr in cidrs
    )


def _decides(found: Walk, source: str) -> str:
    number = int(ipaddress.ip_address(source))

    def among(parts: list[tuple[int, int]]) -> bool:
        return any(low <= number <= high for low, high in parts)

    if among(found.implied):
        return "allow"
    verdicts = [
        verdict
        for verdict, parts in (("allow", found.admitted), ("deny", found.refused))
        for _rule, decided in parts
        if among(decided)
    ]
    (verdict,) = verdicts
    return verdict


@given(_rules, st.sampled_from(_SOURCES))
def test_the_walk_decides_as_the_rules_do(rules: list[dict[str, Any]], source: str) -> None:
    assert _decides(walk(rules, gcp.APP, ADDRESS), source) == follow(rules, source)


@given(st.lists(st.sampled_from(_RANGES)), st.lists(st.sampled_from(_RANGES)))
def test_what_is_taken_away_is_gone_and_nothing_else(first: list[str], second: list[str]) -> None:
    left = minus(spans(first), spans(second))
    for source in _SOURCES:
        number = int(ipaddress.ip_address(source))
        was = bool(first) and _inside(source, first)
        taken = bool(second) and _inside(source, second)
        assert any(low <= number <= high for low, high in left) == (was and not taken)


def test_without_rules_the_implied_one_lets_everything_out() -> None:
    assert walk([], gcp.APP, ADDRESS).implied == EVERYWHERE
