# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Observations, read: where a name led, and how the call ended."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.private_ai.endpoints.plugins.module_utils.core.views import view

NO_ROUTE = "Network is unreachable"


def failed(address: str, error: str) -> dict[str, Any]:
    return {
        "address": address,
        "tcp": {"ok": False, "error": error, "ms": 0},
        "tls": None,
        "http": None,
    }


def answered(address: str, answer: str) -> dict[str, Any]:
    http = {"status": 200, "code": None, "message": None, "answer": answer}
    return {
        "address": address,
        "tcp": {"ok": True, "error": None},
        "tls": {"ok": True},
        "http": http,
    }


def observation(*connections: dict[str, Any]) -> dict[str, Any]:
    addresses = [item["address"] for item in connections]
    return {
        "error": None,
        "pinned": None,
        "action": "list",
        "resolver": {"hosts_file": False},
        "proxy": [],
        "dns": {
            "status": "ok",
            "error": None,
            "answers": [{"address": item} for item in addresses],
            "system": addresses,
        },
        "connections": list(connections),
        "not_connected": 0,
    }


@pytest.mark.parametrize(
    "error",
    [NO_ROUTE, "Cannot assign requested address", "Address family not supported by protocol"],
)
def test_a_machine_without_ipv6_is_told_by_what_else_it_reached(error: str) -> None:
    seen = view(observation(answered("203.0.113.1", "admitted"), failed("2001:db8::1", error)))
    assert seen.outcome == "admitted"
    assert seen.where == "public"
    assert seen.addresses == ("203.0.113.1", "2001:db8::1")


@pytest.mark.parametrize(
    ("connections", "outcome"),
    [
        # Nothing else was reached, so that is all there is to say.
        ([failed("2001:db8::1", NO_ROUTE)], "unreachable"),
        # There is a way to IPv6, and it ends: a caller who takes it is cut off.
        ([answered("203.0.113.1", "admitted"), failed("2001:db8::1", "timed out")], "timeout"),
        # Without a route for IPv4 nothing works.
        ([failed("10.1.2.3", NO_ROUTE), answered("2001:db8::1", "admitted")], "unreachable"),
    ],
)
def test_any_other_failure_counts(connections: list[dict[str, Any]], outcome: str) -> None:
    assert view(observation(*connections)).outcome == outcome


def test_a_public_ipv6_address_beside_a_private_one_shows_where_the_name_leads() -> None:
    seen = view(observation(answered("10.1.2.3", "admitted"), failed("2001:db8::1", NO_ROUTE)))
    assert (seen.where, seen.outcome) == ("mixed", "admitted")
