# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What findings about the lock, about access and about logs say, and where fail, warn and unknown part."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.private_ai.endpoints.tests.unit.support import gcp_case as gcp
from ansible_collections.private_ai.endpoints.tests.unit.support.gcp_changes import (
    Change,
    Parts,
    admitted_outside,
    denied,
    doc,
    dry_run_only,
    everyone,
    failed,
    found,
    grants,
    judged,
    not_gathered,
    perimeter,
    said,
    seen,
    silent,
    statuses,
    update,
)

# M1 -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("roll_out", "status"), [("enforced", "fail"), ("dry_run", "warn")])
def test_a_dry_run_is_no_enforcement(roll_out: str, status: str) -> None:
    result = judged(dry_run_only, silent("outside"), roll_out=roll_out)
    (finding,) = [item for item in found(result, "gcp_m1_public_access") if not item["vantage"]]
    assert finding["status"] == status
    assert "a dry run refuses nobody" in finding["observed"]
    assert "roll_out: enforced" in finding["fix"]


def test_who_is_let_in_during_a_dry_run_is_let_in_all_the_same() -> None:
    lock = gcp.lock(roll_out="dry_run", enforced=False)
    result = judged(dry_run_only, admitted_outside, roll_out="dry_run", lock=lock)
    assert statuses(result, "checklist")["C3"] == "fail"
    assert "as expected of a dry run" in said(result, "gcp_m1_public_access", "fail")
    assert result["proof"] is None


def test_a_lock_that_does_not_refuse_is_named() -> None:
    result = judged(admitted_outside, lock=gcp.lock())
    assert f"{gcp.PERIMETER} does not refuse it, or not yet" in said(
        result, "gcp_m1_public_access", "fail"
    )


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("unauthenticated", "without a token Google asks for one"),
        ("denied_identity", "is not a perimeter's refusal"),
        ("denied_other", "is not a perimeter's refusal"),
        ("server_error", "is not a perimeter's refusal"),
    ],
)
def test_only_the_perimeters_own_refusal_counts(answer: str, reason: str) -> None:
    result = judged(everyone("outside", gcp.PUBLIC, answer))
    assert reason in said(result, "gcp_m1_public_access", "unknown")
    assert result["proof"] is None and result["summary"]["expectation_met"] is False


def test_a_mix_of_refused_and_admitted_addresses_is_open() -> None:
    def mixed(parts: Parts) -> None:
        for item in seen(parts, "outside"):
            item["connections"].append(gcp.connection("203.0.113.96", "admitted"))
            item["dns"]["answers"].append({"type": "A", "address": "203.0.113.96", "ttl": 10})

    assert failed(judged(mixed)) == {"M1"}


def test_organization_policies_are_no_enforcement() -> None:
    def policies(parts: Parts) -> None:
        doc(parts)["perimeters"] = []
        rule = {"constraint": "gcp.restrictServiceUsage", "rules": [{}], "dry_run": None}
        doc(parts)["organization_policies"] = [rule]

    result = judged(policies)
    assert failed(result) == {"M1"}
    assert "no enforcement" in said(result, "gcp_m1_public_access", "fail")


@pytest.mark.parametrize(
    ("change", "status"),
    [
        (perimeter(access_levels=["accessPolicies/1/accessLevels/office"]), "warn"),
        (perimeter(ingress=[gcp.ingress(source="accessPolicies/1/accessLevels/office")]), "warn"),
        (perimeter(ingress=[gcp.ingress(identity="user:a@example.com")]), "warn"),
        (perimeter(ingress=[gcp.ingress(source="projects/500000000002")]), "pass"),
        (perimeter(ingress=[gcp.ingress(service="storage.googleapis.com")]), "pass"),
        (perimeter(ingress=[gcp.ingress(ingressFrom={"identityType": "ANY_IDENTITY"})]), "pass"),
        (perimeter(ingress=[gcp.ingress(ingressTo={"resources": ["projects/1"]})]), "pass"),
        (perimeter(dry_run=gcp.config(restricted_services=[])), "pass"),
    ],
)
def test_exceptions_on_the_public_path_are_worth_a_warning(change: Change, status: str) -> None:
    assert statuses(judged(change), "misconfigurations")["M1"] == status


def test_either_way_of_knowing_the_lock_is_enough_for_the_checklist() -> None:
    by_configuration = judged(silent("outside"))
    assert statuses(by_configuration, "checklist")["C3"] == "pass"
    assert by_configuration["proof"] is None
    assert statuses(judged(not_gathered("perimeter")), "checklist")["C3"] == "pass"


def test_a_bridge_is_no_perimeter() -> None:
    assert failed(judged(perimeter(type="PERIMETER_TYPE_BRIDGE"))) == {"M1"}


# M3 -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "status"),
    [
        (perimeter(accessible_services={"enabled": False, "allowed": []}), "warn"),
        (perimeter(ingress=[gcp.ingress(source="accessPolicies/1/accessLevels/office")]), "warn"),
        (perimeter(ingress=[gcp.ingress(identity="user:a@example.com")]), "warn"),
        (perimeter(ingress=[gcp.ingress(ingressFrom={"identityType": "ANY_IDENTITY"})]), "pass"),
        (grants(gcp.binding("roles/editor")), "warn"),
        (grants(gcp.binding("roles/owner", resource="organizations/1")), "warn"),
        (grants(gcp.binding(resource="folders/1", condition="request.time < t")), "warn"),
        (grants(gcp.binding(members=["domain:example.com"])), "warn"),
        (grants(gcp.binding("roles/storage.objectViewer", members=["allUsers"])), "warn"),
        (denied("resourcemanager.folders.getIamPolicy", "inherited", "folders/1"), "warn"),
        (dry_run_only, "warn"),
        (grants(gcp.binding(members=["group:team@example.com"])), "pass"),
        (grants(), "pass"),
    ],
)
def test_who_may_call(change: Change, status: str) -> None:
    assert statuses(judged(change), "misconfigurations")["M3"] == status


# C7 -----------------------------------------------------------------------------------------------------------------

_PUBLIC = gcp.call(path="public", source_ip="198.51.100.77", network="")
_WOULD_REFUSE = {"perimeter": gcp.PERIMETER, "reason": "X", "dry_run": True}
_REFUSED = {**_WOULD_REFUSE, "dry_run": False}


@pytest.mark.parametrize(
    ("groups", "complete", "status", "text"),
    [
        ([_PUBLIC], True, "fail", "3 × Predict by"),
        ([{**_PUBLIC, "violation": _WOULD_REFUSE}], True, "fail", "3 × Predict by"),
        ([_PUBLIC, {**_PUBLIC, "violation": _WOULD_REFUSE}], True, "fail", "198.51.100.77"),
        ([{**_PUBLIC, "violation": _REFUSED}], True, "unknown", "3 refused"),
        ([{**_PUBLIC, "error_code": "PERMISSION_DENIED"}], True, "unknown", "3 refused"),
        ([{**_PUBLIC, "error_code": "RESOURCE_EXHAUSTED"}], True, "fail", "3 × Predict"),
        ([{**_PUBLIC, "probe": True}], True, "unknown", "no calls"),
        ([gcp.call(path="ambiguous", source_ip="203.0.113.7")], True, "warn", "external address"),
        ([gcp.call()], False, "unknown", "in part"),
        ([], True, "unknown", "no calls"),
        ([gcp.call()], True, "pass", "3 calls"),
    ],
)
def test_logged_traffic(groups: list[Any], complete: bool, status: str, text: str) -> None:
    result = judged(update("traffic", groups=groups, complete=complete))
    (finding,) = found(result, "gcp_c7_traffic")
    assert finding["status"] == status
    assert text in finding["observed"]


def test_a_call_that_a_dry_run_records_as_well_is_counted_once() -> None:
    twice = [_PUBLIC, {**_PUBLIC, "violation": _WOULD_REFUSE}]
    text = said(judged(update("traffic", groups=twice)), "gcp_c7_traffic", "fail")
    assert text.count("×") == 1


def test_logs_that_are_off_say_which_switch_to_turn() -> None:
    off = update("logging", audit={gcp.GLOBAL: ["DATA_WRITE"]})
    (finding,) = found(judged(off), "gcp_c7_traffic")
    assert finding["status"] == "unknown" and "DATA_READ" in finding["observed"]
    assert "Data Access audit logs" in finding["fix"]
    # What other logs show of the public path counts all the same.
    assert failed(judged(off, update("traffic", groups=[_PUBLIC]))) == {"gcp_c7_traffic"}


def test_members_whose_calls_are_not_logged_are_told() -> None:
    (finding,) = found(judged(update("logging", exempted=["user:a@b.c"])), "gcp_c7_traffic")
    assert finding["status"] == "warn" and "user:a@b.c" in finding["observed"]
