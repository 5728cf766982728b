# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""M4, C5: the group on the endpoint's subnet applies to it, and lets the application in and nobody else."""

from __future__ import annotations

from collections.abc import Iterator

from ...case import Case
from ...checks import Check, Judgement
from ...contracts import Status
from ..answers import addresses_of, subnet_of
from ..security_rules import wide
from . import common
from .common import Endpoint

_NARROW = "a network security group that applies to the endpoint lets TCP 443 in from the application only"
# With these policies of the subnet its group applies to endpoints.
APPLIES = frozenset(("enabled", "networksecuritygroupenabled"))


def _judge(case: Case) -> Iterator[Judgement]:
    reasons = case.lacks("network", "endpoints")
    if reasons:
        yield common.lacking(reasons, case.target, _NARROW)
        return
    if not common.own_endpoints(case):
        yield common.no_endpoint(case, _NARROW)
    for endpoint in common.own_endpoints(case):
        yield _endpoint(case, endpoint)


def applies(policies: str | None) -> bool:
    """Whether network security groups apply to endpoints of a subnet with these policies."""
    return str(policies or "").lower() in APPLIES


def _endpoint(case: Case, endpoint: Endpoint) -> Judgement:
    resource, subnet_id = str(endpoint["id"]), str(endpoint["subnet_id"])
    subnet = subnet_of(case.document, subnet_id)
    if subnet is None:
        return common.lacking([f"{subnet_id} was not read"], resource, _NARROW)
    name = str(subnet["name"])
    if subnet["nsg_id"] is None:
        return _said("fail", resource, f"subnet {name} has no network security group")
    policies = subnet["private_endpoint_network_policies"]
    rules = _rules(case, endpoint, str(subnet["nsg_id"]))
    if not applies(policies):
        off = (
            f"the network policies of subnet {name} are {policies or 'Disabled'}, so that its network security group "
            "does not apply to endpoints"
        )
        # What the group's rules say shows only once they apply.
        return _said(
            "fail", resource, f"{off}; {rules.observed}" if rules.status == "fail" else off
        )
    return rules


def _rules(case: Case, endpoint: Endpoint, group_id: str) -> Judgement:
    resource = str(endpoint["id"])
    group = common.group(case, group_id)
    if group is None:
        return common.lacking([f"{group_id} was not read"], resource, _NARROW)
    addresses = addresses_of(endpoint)
    if not addresses:
        return common.lacking(["the endpoint's addresses were not read"], resource, _NARROW)
    allowed = common.application_cidrs(case)
    admitted = [
        text
        for address in addresses
        for text in wide(
            group,
            address,
            endpoint["application_security_groups"],
            allowed,
            common.private_cidrs(case),
        )
    ]
    where = common.short(group_id)
    if admitted:
        return _said("fail", resource, f"{where}: {'; '.join(dict.fromkeys(admitted))}")
    return _said("pass", resource, f"{where} admits no more than {', '.join(allowed)}")


def _said(status: Status, resource: str, observed: str) -> Judgement:
    return Judgement(status=status, resource=resource, expected=_NARROW, observed=observed)


CHECK = Check(
    id="azure_m4_firewall",
    cloud=common.CLOUD,
    title="The network security group lets the application in, and nobody else",
    severity="high",
    why="An endpoint that anybody in reach may use gives every compromised machine in the network a way to the "
    "models; with the subnet's policies off, no rule applies to it at all.",
    fix="Run private_ai.endpoints.azure_openai_private_link with allowed_cidrs (playbooks/create.yml), which switches "
    "the subnet's network policies on and manages rules with the endpoint as destination",
    needs="network and endpoints of the evidence",
    judge=_judge,
    references=(common.DOCS_POLICIES, common.DOCS_RULES, "NIST SP 800-53 SC-7(5)"),
    misconfiguration="M4",
    checklist=("C5",),
)
