# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""C6: calls by name, through the endpoints, are admitted on both planes."""

from __future__ import annotations

from collections.abc import Iterator

from ... import seen_checks
from ...case import Case
from ...checks import Check, Judgement
from . import common

# Answers that say who stands in the way, and what to do about it.
DENIED = {
    "denied_scp": "Add this endpoint to the service control policy's list with private_ai.endpoints.bedrock_lockdown",
    "denied_endpoint_policy": "Admit the caller's organisation and the action in the endpoint policy with "
    "private_ai.endpoints.bedrock_vpc_endpoint (endpoint_policy: generated, organization_id)",
    "tls": "Find what re-signs TLS between the vantage and the endpoint (a proxy or firewall), and exempt these hosts",
}
CREDENTIALS = "Give the probe valid credentials of a caller that may make this read"


def _judge(case: Case) -> Iterator[Judgement]:
    words = common.words(case, DENIED, CREDENTIALS)
    for host in case.hosts():
        if common.has_own(case, host):
            for vantage in case.at("inside", "spoke"):
                yield seen_checks.admission(case, words, vantage, host)


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
