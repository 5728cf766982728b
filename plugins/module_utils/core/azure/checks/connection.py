# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""C6: the endpoint's connection is approved on both sides; one that is not carries nothing."""

from __future__ import annotations

from collections.abc import Iterator

from ...case import Case
from ...checks import Check, Judgement
from ...contracts import Status
from ..answers import status_of
from . import common
from .common import Endpoint

_APPROVED = "the endpoint is made, and its connection is Approved by the account"
_FIXES = {
    "pending": "Let an owner of the account approve it (az network private-endpoint-connection approve --id "
    "<connection>), or run private_ai.endpoints.azure_openai_private_link with rights to approve",
    "rejected": "Somebody refused it: ask the account's owner why, remove the endpoint and make it anew "
    "(private_ai.endpoints.azure_openai_private_link) once it will be approved",
    "disconnected": "The account removed its side, which cannot be undone: remove the endpoint and make it anew "
    "(private_ai.endpoints.azure_openai_private_link, state absent and then present)",
}
_MADE = "Wait until Azure has made it, or see the endpoint's activity log; then run playbooks/create.yml"


def _judge(case: Case) -> Iterator[Judgement]:
    reasons = case.lacks("account", "endpoints", "network")
    if reasons:
        yield common.lacking(reasons, case.target, _APPROVED)
        return
    if not common.own_endpoints(case):
        yield common.no_endpoint(case, _APPROVED)
    for endpoint in common.own_endpoints(case):
        yield _endpoint(case, endpoint)


def _endpoint(case: Case, endpoint: Endpoint) -> Judgement:
    account = case.document["account"]
    state, status = str(endpoint["provisioning_state"]), status_of(endpoint, account)
    if status.lower() != "approved":
        said = endpoint["connection"]["description"]
        observed = f"its connection is {status}" + (f": {said}" if said else "")
        return _said("fail", endpoint, observed, _FIXES.get(status.lower(), _FIXES["pending"]))
    if state.lower() != "succeeded":
        return _said("fail", endpoint, f"the endpoint is {state}", _MADE)
    return _said("pass", endpoint, "Approved")


def _said(status: Status, endpoint: Endpoint, observed: str, fix: str | None = None) -> Judgement:
    return Judgement(
        status=status,
        resource=str(endpoint["id"]),
        expected=_APPROVED,
        observed=observed,
        fix=fix,
    )


CHECK = Check(
    id="azure_connection",
    cloud=common.CLOUD,
    title="The endpoint's connection is approved",
    severity="critical",
    why="Names lead to the endpoint whatever its state: until the account approves it, every call there is refused.",
    fix=_FIXES["pending"],
    needs="account, endpoints and network of the evidence",
    judge=_judge,
    references=(common.DOCS_ENDPOINT,),
    checklist=("C6",),
)
