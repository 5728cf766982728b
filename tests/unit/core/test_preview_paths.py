# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The impact preview of records that tell a path and mask addresses, as Azure's do."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.private_ai.endpoints.plugins.module_utils.core.azure.traffic import path_of
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.masked import (
    may_be,
    network_of,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.preview import (
    Reach,
    explanations,
    preview,
    refused,
)
from ansible_collections.private_ai.endpoints.tests.unit.support import azure_case

REACH = Reach(
    endpoints=frozenset(), regions=frozenset(), egress=frozenset({"198.51.100.21", "192.0.2.7"})
)
_PUBLIC = {"path": "public", "source_ip": "203.0.113.***"}


def judged(*groups: dict[str, Any], explained: list[dict[str, Any]] | None = None) -> Any:
    traffic = {"start": "a", "end": "b", "complete": True, "groups": list(groups)}
    return preview(traffic, REACH, explanations(explained or []))


@pytest.mark.parametrize(
    ("changes", "kind", "status"),
    [
        ({}, "private", "clear"),
        (_PUBLIC, "public", "blocked"),
        ({"path": "public", "source_ip": "198.51.100.21"}, "proved", "clear"),
        ({"path": "public", "source_ip": "198.51.100.***"}, "ambiguous", "unknown"),
        ({"path": "ambiguous", "source_ip": None}, "ambiguous", "unknown"),
        ({**_PUBLIC, "error_code": "403"}, "refused", "clear"),
        ({**_PUBLIC, "error_code": "429"}, "public", "blocked"),
        ({**_PUBLIC, "error_code": "401", "probe": True}, "probe", "unknown"),
    ],
)
def test_each_caller_has_its_class(changes: dict[str, Any], kind: str, status: str) -> None:
    result = judged(azure_case.call(**changes))
    assert result["callers"][0]["class"] == kind
    assert result["status"] == status


def test_a_public_caller_is_named_and_can_be_explained() -> None:
    caller = azure_case.call(**_PUBLIC)
    (sentence,) = judged(caller)["blocking"]
    assert azure_case.CALLER in sentence and "203.0.113.***" in sentence
    explained = [{"principal": azure_case.CALLER, "reason": "is switched off in March"}]
    assert judged(caller, explained=explained)["status"] == "clear"


def test_only_known_callers_of_the_private_path_count_as_refused() -> None:
    before = [azure_case.call(), azure_case.call(**_PUBLIC, principal="canary")]
    since = [
        azure_case.call(error_code="403"),
        azure_case.call(**_PUBLIC, principal="canary", error_code="403"),
        azure_case.call(principal="stranger", error_code="403"),
    ]
    (sentence,) = refused(since, before, REACH, [])
    assert azure_case.CALLER in sentence


@pytest.mark.parametrize(
    ("source", "path"),
    [
        ("10.20.1.***", "private"),
        ("100.64.3.xxx", "private"),
        ("203.0.113.7", "public"),
        ("203.0.113.***", "public"),
        ("203.0.113.7:50123", "public"),
        ("172.***.***.***", "ambiguous"),
        ("198.18.0.***", "private"),
        ("198.18.9.***", "ambiguous"),
        ("10.20.7.***", "ambiguous"),
        ("2001:db8::1", "public"),
        ("fd00::1", "private"),
        ("***", "ambiguous"),
        ("", "ambiguous"),
        (None, "ambiguous"),
    ],
)
def test_the_path_of_a_logged_address(source: str | None, path: str) -> None:
    # A network that uses public addresses inside, and a subnet that network rules let in by its service endpoint.
    inside = ["198.18.0.0/24", "198.18.9.0/28"]
    assert path_of(source, inside, ["10.20.7.0/24"]) == path


@given(st.ip_addresses(v=4), st.integers(min_value=0, max_value=3))
def test_a_mask_never_hides_the_address_itself(address: ipaddress.IPv4Address, masked: int) -> None:
    parts = str(address).split(".")
    text = ".".join([*parts[: 4 - masked], *["***"] * masked])
    assert may_be(text, str(address))
    assert path_of(text, [], []) in ("ambiguous", path_of(str(address), [], []))
    network = network_of(text)
    assert network is not None and network.num_addresses == 256**masked
