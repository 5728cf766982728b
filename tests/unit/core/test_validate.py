# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The verdict: what each expectation needs, what fails a run, and when there is a proof."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.private_ai.endpoints.plugins.module_utils.core.errors import EndpointError
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.validate import (
    Refused,
    validate,
)
from ansible_collections.private_ai.endpoints.tests.unit.support import aws_case as aws

Parts = dict[str, Any]


def refused(*changes: Any, **values: Any) -> dict[str, Any]:
    with pytest.raises(Refused) as caught:
        validate(aws.request(*changes, **values))
    assert "not met" in caught.value.message
    return caught.value.as_result()


def outside(**changes: Any) -> Any:
    """What the outside vantage saw, changed."""

    def change(parts: Parts) -> None:
        for item in parts["observations"]:
            if item["position"] == "outside":
                item.update(changes)

    return change


def answered(answer: str | None) -> Any:
    return outside(connections=[aws.connection(aws.PUBLIC[0], answer)])


def tags(value: dict[str, str] | None) -> Any:
    def change(parts: Parts) -> None:
        for item in parts["vantages"]:
            item["principal_tags"] = value

    return change


def unlocked(parts: Parts) -> None:
    parts["evidence"][0]["enforcement"] = aws.enforcement()
    answered("admitted")(parts)


BREAK_GLASS = f"arn:aws:sts::{aws.ACCOUNT}:assumed-role/break-glass/someone"
TAGGED = {"roll_out": "tagged", "opt_in_tag": {"key": "team", "value": "ai"}}


@pytest.mark.parametrize(
    "change",
    [
        answered("admitted"),
        answered("unauthenticated"),
        answered("bad_credentials"),
        answered("denied_identity"),
        answered("denied_endpoint_policy"),
        answered("denied_other"),
        answered("throttled"),
        outside(connections=[aws.unconnected(aws.PUBLIC[0], "timed out")]),
        outside(error="unreachable: no route", connections=[]),
        outside(principal=None),
        outside(principal=f"arn:aws:iam::{aws.MANAGEMENT}:user/admin"),
        outside(principal=BREAK_GLASS),
        outside(principal=f"arn:aws:sts::{aws.ACCOUNT}:assumed-role/AWSServiceRoleForX/session"),
        lambda parts: parts.update(lock={**TAGGED, "accounts": []}),
        lambda parts: (parts.update(lock=TAGGED), tags({"team": "web"})(parts)),
        lambda parts: (parts.update(lock=TAGGED), tags({})(parts)),
        lambda parts: (
            parts.update(lock={"exclusion_tag": True}),
            tags({"dp:exclude:network": "true"})(parts),
        ),
        lambda parts: parts.update(lock={"accounts": ["333333333333"]}),
        lambda parts: parts.update(
            observations=[x for x in parts["observations"] if x["position"] != "outside"]
        ),
    ],
)
def test_only_the_locks_own_refusal_of_someone_it_binds_proves_it(change: Any) -> None:
    result = refused(change)
    assert result["proof"] is None
    assert "aws_m1_public_access" in result["proof_refused"]


def test_a_tagged_identity_proves_a_tagged_lock() -> None:
    def tagged(parts: Parts) -> None:
        parts.update(lock=TAGGED, roll_out="tagged")
        condition = {
            "StringNotEqualsIfExists": {"aws:SourceVpce": ["vpce-models", "vpce-runtime"]},
            "StringEquals": {"aws:PrincipalTag/team": "ai"},
        }
        parts["evidence"][0]["enforcement"] = aws.enforcement(aws.lock_statement(**condition))
        tags({"team": "ai"})(parts)

    assert validate(aws.request(tagged))["proof"]["roll_out"] == "tagged"


def test_private_needs_no_lock_and_is_not_failed_by_its_absence() -> None:
    result = validate(aws.request(unlocked, expect="private", fail_on="low"))
    failed = {item["check"] for item in result["findings"] if item["status"] == "fail"}
    assert failed == {"aws_m1_public_access"}
    assert {item["status"] for item in result["proof"]["findings"]} == {"pass"}
    assert result["proof"]["vantages"] == ["app-a", "app-b", "app-c", "spoke-a"]


def test_a_finding_fails_a_run_from_its_severity_on() -> None:
    def wide(parts: Parts) -> None:
        parts["evidence"][0]["security_groups"][0]["rules"].append(aws.rule("0.0.0.0/0"))

    assert validate(aws.request(wide, fail_on="critical"))["proof"]
    with pytest.raises(Refused, match="count against this run") as caught:
        validate(aws.request(wide, fail_on="high"))
    assert "0.0.0.0/0" in caught.value.message
    # The expectation is met, so the proof stands.
    assert caught.value.as_result()["proof"]


@pytest.mark.parametrize("position", ["inside", "spoke"])
def test_private_needs_every_vantage(position: str) -> None:
    def drop_one(parts: Parts) -> None:
        lost = next(x for x in parts["observations"] if x["position"] == position)
        parts["observations"].remove(lost)

    result = refused(unlocked, drop_one, expect="private")
    assert "no observation from this vantage" in result["proof_refused"]


def test_unreachable_is_missing_coverage() -> None:
    def lost(parts: Parts) -> None:
        for item in parts["observations"]:
            if item["vantage"] == "app-b":
                item.update(error="unreachable: timed out", connections=[])
                item["dns"].update(status="skipped", answers=[], system=[])

    result = refused(lost, expect="private")
    cells = {(row["vantage"], row["cell"]) for row in result["matrix"]}
    assert ("app-b", "unreachable") in cells


def test_denied_at_the_endpoint_is_not_private() -> None:
    def deny(parts: Parts) -> None:
        item = next(x for x in parts["observations"] if x["vantage"] == "app-a")
        item["connections"][0]["http"]["answer"] = "denied_endpoint_policy"

    result = refused(deny, expect="private")
    assert "denied by endpoint policy" in result["proof_refused"]


def test_open_needs_an_admitted_call_from_outside() -> None:
    result = validate(aws.request(unlocked, expect="open", fail_on="low"))
    assert result["summary"]["expectation_met"] and result["proof"] is None
    refused(expect="open")
    refused(answered("unauthenticated"), expect="open")


def test_pinned_judges_addresses_and_no_names() -> None:
    def before_the_switch(parts: Parts) -> None:
        unlocked(parts)
        for item in parts["evidence"][0]["endpoints"]:
            item["private_dns_enabled"] = False
        parts["evidence"][0]["zones"] = []

    result = validate(
        aws.request(before_the_switch, observations=aws.pinned(), expect="private", pinned=True)
    )
    assert {item["check"] for item in result["findings"]} == {"aws_pinned"}
    assert result["proof"]
    cells = {(row["host"], row["vantage"]): row["cell"] for row in result["matrix"]}
    assert cells[aws.RUNTIME, "spoke-a"] == "pinned private 10.10.1.6 · admitted (of 2)"


@pytest.mark.parametrize(
    "change",
    [
        lambda seen: seen.pop(),
        lambda seen: seen[0].update(connections=[aws.unconnected("10.10.1.5", "timed out")]),
        lambda seen: seen[0]["connections"][0]["http"].update(answer="denied_endpoint_policy"),
        lambda seen: seen[0]["connections"][0]["http"].update(answer="unauthenticated"),
        lambda seen: seen[0]["connections"][0].update(tls={"ok": False, "error": "self-signed"}),
        lambda seen: seen[0].update(error="unreachable: no", connections=[]),
    ],
)
def test_a_pinned_proof_needs_every_address_from_every_vantage(change: Any) -> None:
    seen = aws.pinned()
    change(seen)
    assert refused(observations=seen, expect="private", pinned=True)["proof"] is None


def test_no_proof_without_a_configuration_to_bind_it_to() -> None:
    result = validate(aws.request(evidence=[], expect="private"))
    assert result["proof"] is None and "no evidence" in result["proof_refused"]

    def denied(parts: Parts) -> None:
        entry = {"part": "dns", "action": "route53:ListHostedZonesByVPC", "code": "AccessDenied"}
        parts["evidence"][0]["missing"].append({**entry, "message": "denied"})

    result = validate(aws.request(denied, expect="private"))
    assert result["proof"] is None and "ListHostedZonesByVPC" in result["proof_refused"]


def test_the_table_and_its_words() -> None:
    result = validate(aws.request())
    cells = {(row["host"], row["vantage"]): row["cell"] for row in result["matrix"]}
    assert cells[aws.MODELS, "outside"] == "public · denied by SCP"
    assert cells[aws.MODELS, "app-a"] == "private 10.10.1.5 +2 · admitted"
    head, line, first, *_ = result["text"].splitlines()
    assert head.split()[0] == "app-use1" and aws.MODELS in head and set(line) == {"-", " "}
    assert first.startswith("app-a")


def test_hostile_text_stays_text() -> None:
    def hostile(parts: Parts) -> None:
        message = "\x1b[2J\x1b]0;owned\x07\r\nPASS\u202e" + "x" * 10_000
        http = {"status": 403, "code": "E", "message": message, "answer": "denied_other"}
        for item in parts["observations"]:
            item["connections"][0]["http"].update(http)

    result = refused(hostile)
    assert not set(result["text"]) & {"\x1b", "\r", "\x07", "\u202e"}
    assert max(len(line) for line in result["text"].splitlines()) < 1500


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"evidence": [], "observations": [], "probe_targets": []}, "nothing to judge"),
        ({"evidence": [{"kind": "other"}]}, r"evidence\[0\]"),
        ({"evidence": [{**aws.evidence(), "schema_version": 2}]}, "schema_version 2"),
        ({"evidence": [aws.evidence(), aws.evidence()]}, "second document"),
        ({"observations": [{"vantage": "x"}]}, r"observations\[0\].*position"),
        ({"application_cidrs": ["10.0.0.0/33"]}, "application_cidrs"),
        ({"checks": ["aws_m9"]}, "no such check"),
        ({"observations": [{**aws.by_name()[0], "cloud": "other"}]}, "not a cloud"),
    ],
)
def test_what_cannot_be_read_is_named(values: dict[str, Any], said: str) -> None:
    with pytest.raises(EndpointError, match=said) as caught:
        validate(aws.request(**values))
    assert not isinstance(caught.value, Refused)


def test_one_target_has_one_name() -> None:
    named_by_network = [{**item, "target": aws.APP_VPC} for item in aws.probe_targets()]
    with pytest.raises(EndpointError, match="same target_name"):
        validate(aws.request(probe_targets=named_by_network))


@pytest.mark.parametrize("newest_last", [True, False])
def test_only_the_latest_look_counts(newest_last: bool) -> None:
    def looked_twice(parts: Parts) -> None:
        before = []
        for item in parts["observations"]:
            addresses = [entry["address"] for entry in item["connections"]]
            failed = [aws.unconnected(entry, "timed out") for entry in addresses]
            before.append({**item, "connections": failed, "observed_at": "2026-03-01T11:00:00Z"})
        both = [before, parts["observations"]]
        parts["observations"] = [
            item for seen in (both if newest_last else both[::-1]) for item in seen
        ]

    result = validate(aws.request(looked_twice))
    assert result["proof"] and "timed out" not in str(result["findings"])


def test_looks_of_the_same_second_count_in_their_order() -> None:
    def looked_twice(parts: Parts) -> None:
        failed = [
            {**item, "error": "unreachable: x", "connections": []} for item in parts["observations"]
        ]
        parts["observations"] = [*failed, *parts["observations"]]

    assert validate(aws.request(looked_twice))["proof"]
