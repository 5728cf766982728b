# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What servers that mean harm leave in observations: it is judged in time, told in a sentence, and passes nothing."""

from __future__ import annotations

import time
from typing import Any

import pytest

from ansible_collections.private_ai.endpoints.plugins.module_utils.core import intake
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.errors import EndpointError
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.validate import (
    Refused,
    validate,
)
from ansible_collections.private_ai.endpoints.tests.unit.support import aws_case as aws

MANY = [f"203.0.{n // 250}.{n % 250}" for n in range(5000)]
EVIL = "\x1b[2J\x1b]0;owned\x07<script>alert(1)</script>\r\n\u202e" + "x" * 10_000


def flooded(parts: dict[str, Any]) -> None:
    """Every vantage gets thousands of answers, names of any length, and text that is none."""
    for item in parts["observations"]:
        item["dns"]["answers"] = [{"type": "A", "address": each, "ttl": 60} for each in MANY]
        item["dns"].update(system=list(MANY), chain=[EVIL] * 30, error=EVIL)
        item["resolver"].update(hosts_file=True, hosts_addresses=list(MANY))
        item["connections"] = [aws.connection(each, "denied_other") for each in MANY[:64]]
        for entry in item["connections"]:
            entry["http"]["message"] = EVIL[:1000]
            entry["tls"].update(issuer=EVIL, names=[EVIL] * 100)
        item["not_connected"] = len(MANY) - 64


def test_floods_are_judged_in_time_and_told_in_sentences() -> None:
    started = time.monotonic()
    with pytest.raises(Refused) as refused:
        validate(aws.request(flooded))
    assert time.monotonic() - started < 20
    result = refused.value.as_result()
    names = [item for item in result["findings"] if item["check"] == "aws_m2_names"]
    seen = [item for item in names if item["vantage"]]
    assert {item["status"] for item in seen} == {"fail"}
    assert "and 4984 more" in seen[0]["observed"]
    assert max(len(item["observed"]) for item in names) < 30_000
    assert not any(character in result["text"] for character in "\x1b\x07\r\u202e")
    assert len(result["text"]) < 200_000


def test_addresses_that_were_not_connected_to_prove_nothing() -> None:
    def left_out(parts: dict[str, Any]) -> None:
        for item in parts["observations"]:
            item["not_connected"] = 1

    with pytest.raises(Refused) as refused:
        validate(aws.request(left_out))
    names = [x for x in refused.value.as_result()["findings"] if x["check"] == "aws_m2_names"]
    seen = [item for item in names if item["vantage"]]
    assert {item["status"] for item in seen} == {"unknown"}
    assert "1 more addresses were not connected to" in seen[0]["observed"]


@pytest.mark.parametrize(
    "broken",
    [
        {"dns": "x"},
        {"dns": {"answers": "x"}},
        {"dns": {"answers": ["10.0.0.1"]}},
        {"dns": {"answers": [{"type": "A"}]}},
        {"dns": {"chain": "x"}},
        {"resolver": []},
        {"resolver": "x"},
        {"proxy": {"variable": "x"}},
        {"proxy": ["x"]},
        {"connections": {"address": "x"}},
        {"connections": ["x"]},
        {"not_connected": "many"},
    ],
)
def test_what_has_another_shape_is_refused_by_name(broken: dict[str, Any]) -> None:
    whole = aws.observation("app-a", "inside", aws.MODELS, ["10.10.1.5"], **broken)
    if broken == {"resolver": []}:
        assert intake.observations([whole])[0]["resolver"]["nameservers"] == []
        return
    with pytest.raises(EndpointError) as error:
        intake.observations([whole])
    assert error.value.resource.startswith("observations[0]")


def test_an_observation_of_an_older_probe_has_every_key() -> None:
    (read,) = intake.observations(
        [aws.observation("app-a", "inside", aws.MODELS, ["10.10.1.5"], proxy=[{"variable": "x"}])]
    )
    assert (read["dns"]["ttl"], read["dns"]["servers"], read["not_connected"]) == (None, [], 0)
    assert read["resolver"]["hosts_addresses"] == []
    assert read["connections"][0]["tls"]["chain"] == []
    assert read["proxy"] == [{"bypassed": False, "variable": "x"}]
