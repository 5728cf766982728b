# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Risks that somebody signed for: what they cover, until when, and what they never do."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from ansible_collections.private_ai.endpoints.plugins.module_utils.core.accepted import (
    covering,
    read,
    register,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.errors import EndpointError
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.validate import (
    Refused,
    validate,
)
from ansible_collections.private_ai.endpoints.tests.unit.support import aws_case as aws

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=timezone.utc)
FINDING = {
    "check": "aws_m4_firewall",
    "resource": "sg-1",
    "target": "app",
    "vantage": None,
    "status": "fail",
}
SIGNED = {
    "check": "aws_m4_firewall",
    "resource": "sg-1",
    "reason": "moves in June",
    "until": "2026-03-01",
    "status": "fail",
}


def covers(changes: dict[str, Any], finding: dict[str, Any], now: datetime = NOW) -> bool:
    return covering({**FINDING, **finding}, read([{**SIGNED, **changes}]), now) is not None


@pytest.mark.parametrize(
    ("changes", "finding", "expected"),
    [
        ({}, {}, True),
        ({}, {"status": "unknown"}, True),
        # Who signs for what is not known, or for a warning, has not signed for a failure.
        ({"status": "unknown"}, {"status": "unknown"}, True),
        ({"status": "unknown"}, {}, False),
        ({"status": None}, {}, False),
        ({"status": "warn"}, {"status": "warn"}, True),
        ({"status": "warn"}, {"status": "unknown"}, False),
        ({}, {"status": "pass"}, False),
        ({}, {"status": "skipped"}, False),
        ({}, {"check": "aws_m3_endpoint_policy"}, False),
        ({}, {"resource": "sg-10"}, False),
        ({"resource": "sg-*"}, {}, False),
        ({"target": "app"}, {}, True),
        ({"target": "other"}, {}, False),
        ({"vantage": "app-a"}, {}, False),
        ({"vantage": "app-a"}, {"vantage": "app-a"}, True),
    ],
)
def test_it_covers_exactly_what_it_names(
    changes: dict[str, Any], finding: dict[str, Any], expected: bool
) -> None:
    assert covers(changes, finding) is expected


@pytest.mark.parametrize(
    ("until", "last", "first_after"),
    [
        ("2026-03-01", "2026-03-01T23:59:59+00:00", "2026-03-02T00:00:00+00:00"),
        ("2026-03-01T12:00:00Z", "2026-03-01T11:59:59+00:00", "2026-03-01T12:00:00+00:00"),
        ("2026-03-01T12:00:00+02:00", "2026-03-01T09:59:59+00:00", "2026-03-01T10:00:00+00:00"),
    ],
)
def test_it_expires(until: str, last: str, first_after: str) -> None:
    assert covers({"until": until}, {}, datetime.fromisoformat(last))
    assert not covers({"until": until}, {}, datetime.fromisoformat(first_after))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"reason": " "}, "lacks reason"),
        ({"until": None}, "lacks until"),
        ({"until": "soon"}, "until cannot be read"),
        ({"until": "2026-13-01"}, "until cannot be read"),
        ({"until": "9999-12-31"}, "until cannot be read"),
        ({"until": "2026-03-01T12:00:00"}, "no time zone"),
        ({"ressource": "x"}, "unknown keys ressource"),
    ],
)
def test_what_cannot_be_read_is_refused_by_its_place(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(EndpointError) as caught:
        read([SIGNED, {**SIGNED, **changes}])
    assert caught.value.resource == "accepted[1]"
    assert said in caught.value.message


def test_the_register_says_what_became_of_each() -> None:
    signed = read(
        [
            SIGNED,
            {**SIGNED, "resource": "sg-2"},
            {**SIGNED, "until": "2026-02-28"},
        ]
    )
    listed = register([FINDING, {**FINDING, "vantage": "app-a"}], signed, NOW)
    assert [(item["state"], item["findings"]) for item in listed] == [
        ("active", 2),
        ("unused", 0),
        ("expired", 2),
    ]


def open_firewall(parts: dict[str, Any]) -> None:
    parts["evidence"][0]["security_groups"][0]["rules"].append(aws.rule("0.0.0.0/0", id="sgr-9"))


def admitted(parts: dict[str, Any]) -> None:
    for item in parts["observations"]:
        if item["position"] == "outside":
            item["connections"] = [aws.connection(aws.PUBLIC[0], "admitted")]


def signed_for(*changes: Any, until: str = "2026-12-31") -> list[dict[str, Any]]:
    """An acceptance for everything that does not pass then."""
    with pytest.raises(Refused) as caught:
        validate(aws.request(*changes, fail_on="high"))
    return [
        {
            "check": item["check"],
            "resource": item["resource"],
            "reason": "signed",
            "until": until,
            "status": "fail",
        }
        for item in caught.value.result["findings"]
        if item["status"] != "pass"
    ]


def test_a_run_passes_with_an_accepted_finding_and_the_finding_does_not() -> None:
    accepted = signed_for(open_firewall)
    result = validate(aws.request(open_firewall, fail_on="high", accepted=accepted))
    assert result["summary"]["verdict"] == "pass"
    assert result["summary"]["accepted"] > 0
    assert any(item["status"] == "fail" for item in result["findings"])
    assert next(item for item in result["checklist"] if item["id"] == "C5")["status"] == "fail"
    assert "accepted" in result["text"]


def test_it_counts_again_once_the_date_is_over() -> None:
    accepted = signed_for(open_firewall, until="2026-02-28")
    with pytest.raises(Refused) as caught:
        validate(aws.request(open_firewall, fail_on="high", accepted=accepted))
    assert {item["state"] for item in caught.value.result["accepted"]} == {"expired"}


def test_a_signature_makes_no_proof() -> None:
    accepted = signed_for(admitted)
    result = validate(aws.request(admitted, fail_on="high", accepted=accepted))
    assert result["summary"]["verdict"] == "pass"
    assert not result["summary"]["expectation_met"]
    assert result["proof"] is None
    assert result["proof_refused"]


def test_another_finding_still_fails_the_run() -> None:
    accepted = signed_for(open_firewall)
    with pytest.raises(Refused) as caught:
        validate(aws.request(open_firewall, admitted, fail_on="high", accepted=accepted))
    assert "aws_m1_public_access" in caught.value.message
    assert "aws_m4_firewall" not in caught.value.message


def test_the_longest_of_several_holds() -> None:
    signed = read([SIGNED, {**SIGNED, "until": "2026-12-31", "reason": "longer"}])
    found = covering(FINDING, signed, NOW + timedelta(days=5))
    assert found is not None
    assert found.reason == "longer"
