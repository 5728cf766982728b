# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every cell of the two tables on AWS: broken alone it is found alone, without its evidence it is unknown."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.private_ai.endpoints.plugins.module_utils.core.validate import (
    Refused,
    validate,
)
from ansible_collections.private_ai.endpoints.tests.unit.support import aws_case as aws

Parts = dict[str, Any]
Change = Callable[[Parts], object]


def judged(*changes: Change, **values: Any) -> dict[str, Any]:
    """The result, whether the run failed or not."""
    try:
        return validate(aws.request(*changes, **values))
    except Refused as refused:
        return refused.as_result()


def statuses(result: dict[str, Any], table: str) -> dict[str, str]:
    return {row["id"]: row["status"] for row in result[table]}


def doc(parts: Parts) -> dict[str, Any]:
    return parts["evidence"][0]


def vpce(parts: Parts, name: str) -> dict[str, Any]:
    return next(item for item in doc(parts)["endpoints"] if item["id"] == name)


def seen(parts: Parts, *positions: str) -> list[dict[str, Any]]:
    return [item for item in parts["observations"] if item["position"] in positions]


def resolve(item: dict[str, Any], addresses: list[str], answer: str = "admitted") -> None:
    item["dns"]["answers"] = [{"type": "A", "address": entry, "ttl": 60} for entry in addresses]
    item["dns"]["system"] = list(addresses)
    item["connections"] = [aws.connection(entry, answer) for entry in addresses]


# M1 -----------------------------------------------------------------------------------------------------------------


def no_lock(parts: Parts) -> None:
    doc(parts)["enforcement"] = aws.enforcement()
    for item in seen(parts, "outside"):
        resolve(item, aws.PUBLIC)


def lock(**condition: Any) -> Change:
    def change(parts: Parts) -> None:
        doc(parts)["enforcement"] = aws.enforcement(aws.lock_statement(**condition))

    return change


def admitted_outside(parts: Parts) -> None:
    resolve(seen(parts, "outside")[0], aws.PUBLIC)


def policy_type_off(parts: Parts) -> None:
    doc(parts)["enforcement"]["scp_enabled"] = False


def no_organisation(parts: Parts) -> None:
    doc(parts)["enforcement"] = {
        "organization_id": None,
        "management_account_id": None,
        "account_id": aws.ACCOUNT,
        "scp_enabled": False,
        "path": [],
    }


def management_account(parts: Parts) -> None:
    doc(parts)["enforcement"]["management_account_id"] = aws.ACCOUNT


_ENDPOINTS = {"aws:SourceVpce": ["vpce-models", "vpce-runtime"]}


# M2 -----------------------------------------------------------------------------------------------------------------


def private_dns_off(parts: Parts) -> None:
    for item in doc(parts)["endpoints"]:
        item["private_dns_enabled"] = False
    for item in seen(parts, "inside"):
        resolve(item, aws.PUBLIC)


def mixed_answers(parts: Parts) -> None:
    item = seen(parts, "inside")[0]
    resolve(item, [*aws.ADDRESSES[item["host"]], *aws.PUBLIC])


def public_ipv6(parts: Parts) -> None:
    seen(parts, "inside")[0]["dns"]["answers"].append(
        {"type": "AAAA", "address": "2600:1f18::1", "ttl": 60}
    )


def no_answer_for_aaaa(parts: Parts) -> None:
    for item in seen(parts, "inside", "spoke"):
        item["dns"].update(status="timeout", error="10.10.0.2 did not answer AAAA")


def system_resolver_silent(parts: Parts) -> None:
    for item in seen(parts, "inside", "spoke"):
        item["dns"].update(system=[], error="the system's resolver did not answer in time")


def hosts_file_elsewhere(parts: Parts) -> None:
    seen(parts, "inside")[0]["dns"]["system"].append("10.10.1.99")


def dns_attribute_off(parts: Parts) -> None:
    doc(parts)["vpc"]["dns_hostnames"] = False


def zone_overrides(parts: Parts) -> None:
    empty = {**aws.zone(aws.MODELS, "vpce-models", [aws.APP_VPC]), "records": []}
    doc(parts)["zones"].append(empty)


# M3 -----------------------------------------------------------------------------------------------------------------


def full_access(parts: Parts) -> None:
    statement = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
    vpce(parts, "vpce-runtime")["policy"] = {"Statement": [statement]}


def second_statement_unbound(parts: Parts) -> None:
    vpce(parts, "vpce-runtime")["policy"]["Statement"].append(
        {"Effect": "Allow", "Principal": "*", "Action": "bedrock:InvokeModel", "Resource": "*"}
    )


def bound_to_others(parts: Parts) -> None:
    policy = vpce(parts, "vpce-runtime")["policy"]
    policy["Statement"][0]["Condition"] = {"StringEquals": {"aws:PrincipalOrgID": "o-somebody"}}


# M4 -----------------------------------------------------------------------------------------------------------------


def rules(*added: dict[str, Any]) -> Change:
    return lambda parts: doc(parts)["security_groups"][0]["rules"].extend(added)


def default_group(parts: Parts) -> None:
    doc(parts)["security_groups"][0]["is_default"] = True


# M5 -----------------------------------------------------------------------------------------------------------------


def zone_lacking(parts: Parts) -> None:
    item = vpce(parts, "vpce-models")
    item["subnet_ids"] = item["subnet_ids"][:2]
    item["network_interfaces"] = item["network_interfaces"][:2]
    for entry in seen(parts, "inside", "spoke", "canary"):
        if entry["host"] == aws.MODELS:
            resolve(entry, aws.ADDRESSES[aws.MODELS][:2])


def acl_blocks(parts: Parts) -> None:
    blocked = {
        "number": 50,
        "protocol": "6",
        "action": "deny",
        "cidr": "10.10.1.0/24",
        "egress": False,
    }
    doc(parts)["network_acls"][0]["entries"].append({**blocked, "from_port": 443, "to_port": 443})


def group_too_tight(parts: Parts) -> None:
    doc(parts)["security_groups"][0]["rules"][0]["cidr"] = "10.10.1.0/24"


def cannot_connect(parts: Parts) -> None:
    for item in seen(parts, "inside"):
        if item["vantage"] == "app-c":
            item["connections"][0] = aws.unconnected(item["connections"][0]["address"], "timed out")


def in_another_vpc(parts: Parts) -> None:
    for item in doc(parts)["endpoints"]:
        item["vpc_id"] = aws.SPOKE_VPC


# M6 -----------------------------------------------------------------------------------------------------------------


def spoke_public(parts: Parts) -> None:
    doc(parts)["zones"] = []
    for item in seen(parts, "spoke"):
        resolve(item, aws.PUBLIC)


def no_spoke_vantage_no_zone(parts: Parts) -> None:
    doc(parts)["zones"] = []
    forget("spoke")(parts)


def no_spoke_vantage_no_route(parts: Parts) -> None:
    doc(parts)["route_tables"][0]["routes"][1]["state"] = "blackhole"
    forget("spoke")(parts)


def forget(*positions: str) -> Change:
    def change(parts: Parts) -> None:
        for key in ("observations", "vantages"):
            parts[key] = [item for item in parts[key] if item["position"] not in positions]

    return change


def silent(*positions: str) -> Change:
    """Expected, but nothing was reported."""

    def change(parts: Parts) -> None:
        parts["observations"] = [
            item for item in parts["observations"] if item["position"] not in positions
        ]

    return change


# M7 -----------------------------------------------------------------------------------------------------------------


def no_management_endpoint(parts: Parts) -> None:
    doc(parts)["endpoints"] = [vpce(parts, "vpce-runtime")]
    doc(parts)["zones"] = [item for item in doc(parts)["zones"] if item["name"] == aws.RUNTIME]
    for item in seen(parts, "inside", "spoke"):
        if item["host"] == aws.MODELS:
            resolve(item, aws.PUBLIC)


def management_endpoint_failed(parts: Parts) -> None:
    vpce(parts, "vpce-models").update(state="failed", last_error="no capacity")


def denied(action: str, part: str) -> Change:
    def change(parts: Parts) -> None:
        entry = {
            "part": part,
            "action": action,
            "code": "UnauthorizedOperation",
            "message": "denied",
        }
        doc(parts)["missing"].append(entry)

    return change


def not_gathered(*names: str) -> Change:
    def change(parts: Parts) -> None:
        doc(parts)["gathered"] = [item for item in doc(parts)["gathered"] if item not in names]
        for name in names:
            if name in ("enforcement", "traffic"):
                doc(parts)[name] = None

    return change


def test_what_is_right_passes() -> None:
    result = judged()
    assert result["summary"]["verdict"] == "pass"
    assert statuses(result, "misconfigurations") == {
        **dict.fromkeys(aws_cells(), "pass"),
        "M5": "warn",
    }
    # The data events of bedrock-runtime are in no LookupEvents answer, so C7 cannot pass on it.
    assert statuses(result, "checklist") == {
        **{f"C{number}": "pass" for number in range(1, 7)},
        "C7": "unknown",
    }
    assert result["proof"]["targets"] == ["app-use1"]


def aws_cells() -> list[str]:
    return [f"M{number}" for number in range(1, 8)]


@pytest.mark.parametrize(
    ("cell", "change"),
    [
        ("M1", no_lock),
        ("M1", admitted_outside),
        ("M1", policy_type_off),
        ("M1", no_organisation),
        ("M1", management_account),
        ("M1", lock(StringEquals=_ENDPOINTS)),
        ("M1", lock(StringNotEquals={"aws:VpceOrgID": aws.ORGANIZATION})),
        ("M1", lock(StringNotEquals={"aws:SourceVpce": ["vpce-gone"]})),
        ("M1", lock(StringNotEquals={"aws:SourceVpce": ["vpce-models"]})),
        ("M1", lock(StringNotEquals=_ENDPOINTS, StringEquals={"aws:RequestedRegion": "us-east-1"})),
        (
            "M1",
            lock(
                StringNotEquals=_ENDPOINTS, ArnNotLike={"aws:PrincipalArn": "arn:aws:iam::*:role/*"}
            ),
        ),
        ("M1", lock(StringNotEquals=_ENDPOINTS, StringEquals={"aws:PrincipalTag/team": "ai"})),
        ("M1", lock(StringNotEquals={**_ENDPOINTS, "aws:PrincipalTag/dp:exclude:network": "true"})),
        ("M1", lock(StringNotEquals=_ENDPOINTS, BoolIfExists={"aws:ViaAWSService": "true"})),
        ("M2", private_dns_off),
        ("M2", mixed_answers),
        ("M2", public_ipv6),
        ("M2", hosts_file_elsewhere),
        ("M2", dns_attribute_off),
        ("M2", zone_overrides),
        ("M3", full_access),
        ("M3", second_statement_unbound),
        ("M3", bound_to_others),
        ("M4", rules(aws.rule("0.0.0.0/0"))),
        ("M4", rules(aws.rule(None, cidr_v6="::/0"))),
        ("M4", rules(aws.rule("10.0.0.0/8"))),
        ("M4", rules(aws.rule("0.0.0.0/0", protocol="-1", from_port=-1, to_port=-1))),
        ("M4", rules(aws.rule("0.0.0.0/0", from_port=0, to_port=1024))),
        ("M4", default_group),
        ("M5", zone_lacking),
        ("M5", acl_blocks),
        ("M5", group_too_tight),
        ("M5", cannot_connect),
        ("M5", in_another_vpc),
        ("M6", spoke_public),
        ("M6", no_spoke_vantage_no_zone),
        ("M6", no_spoke_vantage_no_route),
        ("M7", no_management_endpoint),
        ("M7", management_endpoint_failed),
    ],
)
def test_one_broken_thing_is_found_alone(cell: str, change: Change) -> None:
    result = judged(change)
    failed = {
        item["misconfiguration"] or item["check"]
        for item in result["findings"]
        if item["status"] == "fail"
    }
    assert failed == {cell}
    assert statuses(result, "misconfigurations")[cell] == "fail"
    assert all(item["fix"] and item["observed"] for item in result["findings"])


@pytest.mark.parametrize(
    ("row", "changes"),
    [
        ("M1", (not_gathered("enforcement"), forget("outside"))),
        ("M1", (denied("organizations:ListParents", "enforcement"), silent("outside"))),
        ("C3", (not_gathered("enforcement"), forget("outside"))),
        ("M2", (denied("route53:ListHostedZonesByVPC", "dns"),)),
        ("M2", (silent("inside"),)),
        ("M2", (forget("inside"),)),
        ("C1", (silent("inside"),)),
        # The answer that was not seen may be the public one.
        ("C1", (no_answer_for_aaaa,)),
        ("C2", (no_answer_for_aaaa,)),
        ("M2", (system_resolver_silent,)),
        ("M3", (not_gathered("endpoints"),)),
        ("C4", (denied("ec2:DescribeVpcEndpoints", "endpoints"),)),
        ("M4", (denied("ec2:DescribeSecurityGroupRules", "endpoints"),)),
        ("C5", (not_gathered("endpoints"),)),
        ("M5", (not_gathered("network"),)),
        ("M6", (not_gathered("network"),)),
        ("M6", (silent("spoke"),)),
        ("C2", (silent("spoke"),)),
        ("M7", (not_gathered("endpoints"),)),
        ("C6", (silent("inside"),)),
        ("C7", (not_gathered("traffic"),)),
    ],
)
def test_missing_evidence_is_unknown(row: str, changes: tuple[Change, ...]) -> None:
    result = judged(*changes)
    table = "checklist" if row.startswith("C") else "misconfigurations"
    assert statuses(result, table)[row] == "unknown"


def test_no_evidence_at_all_passes_nothing() -> None:
    result = judged(evidence=[], observations=[])
    assert {item["status"] for item in result["findings"]} == {"unknown"}
    assert set(statuses(result, "misconfigurations").values()) == {"unknown"}
    assert set(statuses(result, "checklist").values()) == {"unknown"}
    assert result["proof"] is None


def test_either_way_of_knowing_the_lock_is_enough_for_the_checklist() -> None:
    assert statuses(judged(not_gathered("enforcement")), "checklist")["C3"] == "pass"
    by_configuration = judged(silent("outside"))
    assert statuses(by_configuration, "checklist")["C3"] == "pass"
    # … but a lock is not proved by its own configuration.
    assert by_configuration["proof"] is None


@pytest.mark.parametrize(
    ("error", "status"), [("timed out", "unknown"), ("certificate verify failed: x", "fail")]
)
def test_a_silent_handshake_is_not_a_wrong_certificate(error: str, status: str) -> None:
    def change(parts: Parts) -> None:
        entry = seen(parts, "inside")[0]["connections"][0]
        entry.update(http=None, tls={**entry["tls"], "ok": False, "error": error})

    found = [
        item
        for item in judged(change)["findings"]
        if item["check"] == "aws_admission" and item["status"] != "pass"
    ]
    assert [item["status"] for item in found] == [status]


def test_an_answer_that_was_not_seen_proves_nothing() -> None:
    result = judged(no_answer_for_aaaa, expect="private")
    assert result["proof"] is None
    assert "did not answer AAAA" in result["proof_refused"]


def test_a_subnet_that_is_known_to_be_shut_out_stops_the_proof() -> None:
    def without_its_vantage(parts: Parts) -> None:
        for key in ("observations", "vantages"):
            name = "vantage" if key == "observations" else "name"
            parts[key] = [item for item in parts[key] if item[name] != "app-c"]

    def shut(parts: Parts) -> None:
        without_its_vantage(parts)
        doc(parts)["security_groups"][0]["rules"][0]["cidr"] = "10.10.0.0/23"

    assert judged(without_its_vantage, expect="private")["proof"]
    refused = judged(shut, expect="private")
    assert refused["proof"] is None
    assert "does not let TCP 443 in from 10.10.3.0/24" in refused["proof_refused"]
    elsewhere = judged(shut, expect="private", application_subnets=["subnet-a"])
    assert elsewhere["proof"]


def test_a_lock_that_admits_every_endpoint_shuts_none_out() -> None:
    result = judged(lock(Null={"aws:SourceVpce": "true"}))
    assert statuses(result, "misconfigurations")["M1"] == "pass"
    by_pattern = judged(lock(StringNotLike={"aws:SourceVpce": "vpce-*"}))
    assert statuses(by_pattern, "misconfigurations")["M1"] == "pass"


def test_a_spoke_is_private_by_configuration_when_no_vantage_says_so() -> None:
    result = judged(forget("spoke"))
    assert statuses(result, "checklist")["C2"] == "pass"
    row = next(item for item in result["checklist"] if item["id"] == "C2")
    assert "by configuration" in row["evidence"][0]["observed"]


def test_an_unreadable_peer_is_unknown_not_failed() -> None:
    def unread(parts: Parts) -> None:
        no_spoke_vantage_no_zone(parts)
        doc(parts)["missing"].append(
            {
                "part": "peers",
                "action": "route53:ListHostedZonesByVPC",
                "code": "AccessDenied",
                "message": f"{aws.SPOKE_VPC}: not authorized",
            }
        )

    assert statuses(judged(unread), "checklist")["C2"] == "unknown"


def test_a_spoke_with_endpoints_of_its_own_is_private() -> None:
    def own(parts: Parts) -> None:
        doc(parts)["zones"] = []
        for host, name in ((aws.MODELS, "vpce-models"), (aws.RUNTIME, "vpce-runtime")):
            theirs = copy.deepcopy(vpce(parts, name))
            theirs.update(id=f"{name}-b", vpc_id=aws.SPOKE_VPC)
            address = f"10.20.1.{5 if host == aws.MODELS else 6}"
            theirs["network_interfaces"] = [
                {**theirs["network_interfaces"][0], "addresses": [address]}
            ]
            doc(parts)["endpoints"].append(theirs)
            for item in seen(parts, "spoke"):
                if item["host"] == host:
                    resolve(item, [address])

    assert statuses(judged(own), "misconfigurations")["M6"] == "pass"


def test_a_zone_that_a_service_lacks_is_a_warning() -> None:
    warned = [item for item in judged()["findings"] if item["status"] == "warn"]
    assert [(item["resource"], "us-east-1c" in item["observed"]) for item in warned] == [
        ("vpce-runtime", True)
    ]


@pytest.mark.parametrize(
    ("groups", "complete", "status", "said"),
    [
        (
            [aws.call(vpc_endpoint_id=None, source_ip="198.51.100.10")],
            True,
            "fail",
            "3 × InvokeModel",
        ),
        ([aws.call(vpc_endpoint_id="vpce-foreign")], True, "fail", "vpce-foreign"),
        (
            [aws.call(vpc_endpoint_id=None, invoked_by="bedrock.amazonaws.com")],
            True,
            "warn",
            "started by AWS",
        ),
        ([aws.call(vpc_endpoint_id=None, error_code="AccessDenied")], True, "unknown", "3 refused"),
        ([aws.call()], False, "unknown", "in part"),
        ([], True, "unknown", "no calls"),
        ([aws.call()], True, "pass", "3 calls"),
    ],
)
def test_recorded_traffic(groups: list[Any], complete: bool, status: str, said: str) -> None:
    def records(parts: Parts) -> None:
        doc(parts)["traffic"].update(groups=groups, complete=complete)

    found = [
        item
        for item in judged(records)["findings"]
        if item["check"] == "aws_c7_traffic" and item["resource"].startswith("account")
    ]
    assert [item["status"] for item in found] == [status]
    assert said in found[0]["observed"]
