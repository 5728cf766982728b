# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""M3, C4: endpoint policies admit the organisation's principals only."""

from __future__ import annotations

from collections.abc import Iterator

from ...case import Case
from ...checks import Check, Judgement
from ..policy_analysis import too_wide
from . import common
from .common import Endpoint

_BOUND = "every Allow binds its principals to the organisation or account and names its actions"


def _judge(case: Case) -> Iterator[Judgement]:
    reasons = case.lacks("endpoints")
    if reasons:
        yield common.lacking(reasons, case.target, _BOUND)
        return
    if not common.own_endpoints(case):
        yield common.no_endpoint(case, _BOUND)
    for endpoint in common.own_endpoints(case):
        yield _endpoint(case, endpoint)


def _endpoint(case: Case, endpoint: Endpoint) -> Judgement:
    resource = str(endpoint["id"])
    supported = {
        str(item["name"]): bool(item["policy_supported"]) for item in case.document["services"]
    }
    if not supported.get(str(endpoint["service"]), True):
        return Judgement(
            status="warn",
            resource=resource,
            expected=_BOUND,
            observed=f"{endpoint['service']} supports no endpoint policy but full access",
            fix="Nothing can be set here: rely on the service control policy and on identity policies",
        )
    if endpoint["policy"] is None:
        return common.lacking(["the endpoint's policy was not returned"], resource, _BOUND)
    enforcement = case.document["enforcement"] or {}
    problems = too_wide(
        endpoint["policy"], organization_id=enforcement.get("organization_id") or None
    )
    return Judgement(
        status="fail" if problems else "pass",
        resource=resource,
        expected=_BOUND,
        observed="; ".join(f"{item.statement} {item.reason}" for item in problems)
        or "every Allow statement is bound",
    )


CHECK = Check(
    id="aws_m3_endpoint_policy",
    cloud=common.CLOUD,
    title="Endpoint policies admit the organisation's principals only",
    severity="high",
    why="Through a wide endpoint policy, stolen or foreign credentials work from inside the network, and "
    "data can leave to somebody else's account over the private path.",
    fix="Run private_ai.endpoints.bedrock_vpc_endpoint with endpoint_policy: generated and "
    "organization_id (playbooks/create.yml)",
    needs="endpoints of the evidence",
    judge=_judge,
    references=(common.DOCS_POLICY, "NIST SP 800-53 AC-6"),
    misconfiguration="M3",
    checklist=("C4",),
)
