# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""M7, C6: every name of the account has an address on an endpoint; Azure's management plane is public by nature."""

from __future__ import annotations

from collections.abc import Iterator

from ...case import Case
from ...checks import Check, Judgement
from ...contracts import Status
from ..answers import hosts_of
from . import common
from .m5_placement import elsewhere

_ALL = "an endpoint in reach answers every name of the account"
_OLD = (
    "the account's endpoint has no address for it (one that was made before the account became of kind AIServices "
    "has to be made anew)"
)
_ANEW = (
    "A person must remove the endpoint (private_ai.endpoints.azure_openai_private_link with state: absent, and force "
    "where this collection did not make it) and run playbooks/lockdown.yml, which makes it anew. Under a lock nobody "
    "can call in between: run playbooks/unlock.yml before"
)
_MANAGEMENT = "calls of Azure Resource Manager stay on the private network"


def _judge(case: Case) -> Iterator[Judgement]:
    yield Judgement(
        status="warn",
        severity="low",
        resource="management.azure.com",
        expected=_MANAGEMENT,
        observed="the management plane is public by nature: an account's endpoint carries its data plane only",
        fix="Where management calls must be private as well, set up Private Link for Azure Resource Manager "
        "(resource management private link) for the root management group, which needs its owner",
        # C6 passes with this note in its evidence.
        checklist=(),
    )
    reasons = case.lacks("account", "endpoints", "network")
    if reasons:
        yield common.lacking(reasons, case.target, _ALL)
        return
    if elsewhere(case):
        # An endpoint in a network out of reach is M5's.
        return
    for host in common.expected_hosts(case):
        yield _host(case, host)
    for host in case.hosts():
        if not common.has_own(case, host):
            yield from _without_endpoint(case, host)


def _host(case: Case, host: str) -> Judgement:
    names = [str(item["name"]) for item in common.own_endpoints(case) if host in hosts_of(item)]
    if names:
        return _said("pass", host, f"{', '.join(names)}; the management plane is public by nature")
    if common.own_endpoints(case):
        return _said("fail", host, _OLD, fix=_ANEW)
    return _said("fail", host, "the account has no private endpoint")


def _said(status: Status, resource: str, observed: str, *, fix: str | None = None) -> Judgement:
    return Judgement(status=status, resource=resource, expected=_ALL, observed=observed, fix=fix)


def _without_endpoint(case: Case, host: str) -> Iterator[Judgement]:
    """What inside vantages saw of a name that no endpoint answers: it is private for nobody."""
    for vantage in case.at("inside", "spoke"):
        seen = common.look(case, vantage, host)
        yield Judgement(
            status="fail",
            resource=host,
            vantage=vantage.name,
            expected="resolves only to the endpoint's addresses",
            observed=(seen.told() if seen else "no observation") + "; no endpoint answers it",
            fix=_ANEW if common.own_endpoints(case) else None,
            checklist=("C1" if vantage.position == "inside" else "C2", "C6"),
            proves=common.PRIVATE,
        )


CHECK = Check(
    id="azure_m7_planes",
    cloud=common.CLOUD,
    title="Every name of the account has an endpoint",
    severity="critical",
    why="Clients of an AI Services account use three names: one that no endpoint answers goes over the public path, "
    "and fails under a lock.",
    fix="Run private_ai.endpoints.azure_openai_private_link (playbooks/create.yml), and the DNS step after it",
    needs="account, endpoints and network of the evidence",
    judge=_judge,
    references=(common.DOCS_DNS, common.DOCS_ARM),
    misconfiguration="M7",
    checklist=("C6",),
)
