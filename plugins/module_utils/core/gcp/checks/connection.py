# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""C6: the application's network has one endpoint that stands, and no old one beside it."""

from __future__ import annotations

from collections.abc import Iterator

from ...case import Case
from ...checks import Check, Judgement
from . import common

_ONE = "one endpoint in the network, in the Service Directory region of all others there"


def _judge(case: Case) -> Iterator[Judgement]:
    reasons = case.lacks("endpoints", "network")
    if reasons:
        yield common.lacking(reasons, case.target, _ONE)
        return
    if not common.own_endpoints(case):
        yield common.no_endpoint(case, _ONE)
    for network_id in common.endpoint_networks(case):
        standing = common.endpoints(case, network_id)
        yield from _left_over(case, network_id)
        for endpoint in standing:
            yield Judgement(
                status="pass",
                resource=str(endpoint["id"]),
                expected=_ONE,
                observed=f"{endpoint['bundle']} at {endpoint['address']}",
            )


def _left_over(case: Case, network_id: str) -> Iterator[Judgement]:
    standing = {str(item["id"]) for item in common.endpoints(case, network_id)}
    for item in case.document["endpoints"]:
        if item["network_id"] == network_id and str(item["id"]) not in standing:
            yield Judgement(
                status="warn",
                resource=str(item["id"]),
                expected=_ONE,
                observed=f"another endpoint replaces it, and it still answers at {item['address']}",
                fix="When no client holds the old address any more, run private_ai.endpoints.vertex_psc_endpoint with "
                "remove_replaced: true",
                # It takes nothing away from those who use the other one.
                checklist=(),
            )


CHECK = Check(
    id="gcp_connection",
    cloud=common.CLOUD,
    title="The network has one endpoint that stands",
    severity="low",
    why="An endpoint for Google APIs needs nobody's approval; one that was replaced and stays keeps an address that "
    "names no longer lead to.",
    fix="Run private_ai.endpoints.vertex_psc_endpoint (playbooks/create.yml)",
    needs="endpoints and network of the evidence",
    judge=_judge,
    references=(common.DOCS_ENDPOINT,),
    checklist=("C6",),
)
