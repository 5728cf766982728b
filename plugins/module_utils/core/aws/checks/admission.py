# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""C6: calls by name, through the endpoints, are admitted on both planes."""

from __future__ import annotations

from collections.abc import Iterator

from ...case import Case, Vantage
from ...checks import Check, Judgement
from ...views import WORDS
from . import common

_ADMITTED = "a signed read through the endpoint is admitted"

# Answers that say who stands in the way, and what to do about it.
DENIED = {
    "denied_scp": "Add this endpoint to the service control policy's list with private_ai.endpoints.bedrock_lockdown",
    "denied_endpoint_policy": "Admit the caller's organisation and the action in the endpoint policy with "
    "private_ai.endpoints.bedrock_vpc_endpoint (policy: generated, organization_id)",
    "tls": "Find what re-signs TLS between the vantage and the endpoint (a proxy or firewall), and exempt these hosts",
}
CREDENTIALS = "Give the probe valid credentials of a caller that may make this read"


def _judge(case: Case) -> Iterator[Judgement]:
    for host in case.hosts():
        if common.has_own(case, host):
            for vantage in case.at("inside", "spoke"):
                yield _host(case, vantage, host)


def _host(case: Case, vantage: Vantage, host: str) -> Judgement:
    seen = common.look(case, vantage, host)
    if seen is None:
        return common.unseen(host, vantage, _ADMITTED, common.PRIVATE)
    status, note, fix = "unknown", "", None
    proves = common.PRIVATE
    if seen.where != "private":
        note = "; not called through the endpoint"
    elif seen.outcome == "admitted":
        status = "pass"
    elif seen.outcome == "connected":
        note = "; TLS verifies, and the service has no read that could be called"
        proves = frozenset()
    elif seen.outcome in DENIED:
        status, fix = "fail", DENIED[seen.outcome]
    else:
        note = f"; {WORDS[seen.outcome]} does not show who would be admitted"
        fix = CREDENTIALS
    return Judgement(
        status=status,  # type: ignore[arg-type]
        resource=host,
        vantage=vantage.name,
        expected=_ADMITTED,
        observed=seen.told() + note,
        fix=fix,
        severity="medium" if status == "unknown" else None,
        excused=seen.outcome == "connected" and seen.where == "private",
        proves=proves,
    )


CHECK = Check(
    id="aws_admission",
    cloud=common.CLOUD,
    title="Calls through the endpoints are admitted on both planes",
    severity="high",
    why="A name that leads to the endpoint helps nobody whose calls are refused there.",
    fix="See the answer that the call got, and allow what it names",
    needs="signed observations by name from inside and spoke vantages",
    judge=_judge,
    references=(common.DOCS_POLICY,),
    checklist=("C6",),
)
