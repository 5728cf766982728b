# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""M4, C5: the endpoints' security groups let the application in, and nobody else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...case import Case
from ...checks import Check, Judgement
from ..reachability import covers_https, within
from . import common

_NARROW = "TCP 443 only from the application's networks and groups"


def _judge(case: Case) -> Iterator[Judgement]:
    reasons = case.lacks("network", "endpoints")
    if reasons:
        yield common.lacking(reasons, case.target, _NARROW)
        return
    if not common.own_endpoints(case):
        yield common.no_endpoint(case, _NARROW)
    groups = {str(item["id"]): item for item in case.document["security_groups"]}
    allowed = application_cidrs(case)
    for endpoint in common.own_endpoints(case):
        for group_id in endpoint["security_group_ids"]:
            resource = f"{endpoint['id']} / {group_id}"
            if group_id not in groups:
                yield common.lacking([f"{group_id} was not read"], resource, _NARROW)
            else:
                yield _group(groups[group_id], resource, allowed)


def application_cidrs(case: Case) -> list[str]:
    """Where callers may be: as the option says, else the VPC and its active peers."""
    if case.application_cidrs:
        return list(case.application_cidrs)
    vpc = case.document["vpc"]
    peers = [
        cidr
        for item in case.document["peerings"]
        if str(item["status"]).lower() == "active"
        for cidr in item["peer_cidrs"]
    ]
    return [*vpc["cidrs"], *vpc["ipv6_cidrs"], *peers]


def _group(group: Mapping[str, Any], resource: str, allowed: list[str]) -> Judgement:
    wide, unclear = [], []
    if group["is_default"]:
        wide.append("it is the VPC's default group, which other machines wear and others edit")
    for rule in group["rules"]:
        if not covers_https(rule):
            continue
        cidr = rule["cidr"] or rule["cidr_v6"]
        if cidr and not within(str(cidr), allowed):
            wide.append(f"{rule['id']} admits {cidr}, outside {', '.join(allowed)}")
        if rule["prefix_list_id"]:
            unclear.append(f"{rule['id']} admits prefix list {rule['prefix_list_id']}")
    if wide:
        return _said("fail", resource, "; ".join(wide))
    if unclear:
        return _said("unknown", resource, "; ".join(unclear) + ", whose networks were not read")
    return _said("pass", resource, "no rule admits more")


def _said(status: Any, resource: str, observed: str) -> Judgement:
    return Judgement(status=status, resource=resource, expected=_NARROW, observed=observed)


CHECK = Check(
    id="aws_m4_firewall",
    cloud=common.CLOUD,
    title="Security groups of the endpoints admit the application's networks only",
    severity="high",
    why="An endpoint that anybody in reach may use gives every compromised machine in the network a way "
    "to the models.",
    fix="Run private_ai.endpoints.bedrock_vpc_endpoint with allowed_cidrs or allowed_security_groups, "
    "which manages a group with exactly that ingress (playbooks/create.yml)",
    needs="network and endpoints of the evidence",
    judge=_judge,
    references=(common.DOCS_CREATE, "NIST SP 800-53 SC-7(5)"),
    misconfiguration="M4",
    checklist=("C5",),
)
