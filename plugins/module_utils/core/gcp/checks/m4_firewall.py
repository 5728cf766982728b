# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""M4, C5: egress rules let the application reach the endpoint, and nobody else in the network.

An endpoint for Google APIs has no ingress firewall: what a network may send to it is all that can be ruled.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...case import Case
from ...checks import Check, Judgement
from ...contracts import Status
from ..egress import minus, spans, walk, wide
from . import common
from .common import Document

_NARROW = (
    "egress rules let TCP 443 out to the endpoint from the application only, and deny the rest"
)
_NOTE = "an endpoint for Google APIs has no ingress firewall, so that egress rules decide"


def _judge(case: Case) -> Iterator[Judgement]:
    reasons = case.lacks("network", "endpoints")
    if reasons:
        yield common.lacking(reasons, case.target, _NARROW)
        return
    if not common.own_endpoints(case):
        yield common.no_endpoint(case, _NARROW)
    networks = common.networks(case)
    for name in common.endpoint_networks(case):
        for endpoint in common.endpoints(case, name):
            yield _endpoint(case, networks[name], endpoint)


def _endpoint(case: Case, network: Document, endpoint: Document) -> Judgement:
    resource, name = str(endpoint["id"]), common.short(str(network["id"]))
    if not endpoint["address"]:
        return common.lacking(["the endpoint's address was not read"], resource, _NARROW)
    address = str(endpoint["address"])
    found = walk(case.document["firewalls"], str(network["id"]), address)
    strict = bool(case.application_cidrs)
    cidrs = list(case.application_cidrs) or common.subnet_cidrs(network)
    allowed = spans(cidrs)
    problems = [
        f"{_rule(rule)} lets out {', '.join(rule['ranges']) or 'every machine of the network'}"
        for rule, decided in found.admitted
        if wide(rule, decided, allowed, strict=strict)
    ]
    if minus(found.implied, allowed):
        problems.append(
            "no rule denies the rest: the implied rule lets every machine of the network out"
        )
    if problems:
        return _said("fail", resource, f"{name}, towards {address}: {'; '.join(problems)}; {_NOTE}")
    who = [", ".join(rule["ranges"]) for rule, _decided in found.admitted]
    who += [", ".join([*rule["tags"], *rule["accounts"]]) for rule in found.named]
    if not who:
        return _said(
            "warn", resource, f"{name}, towards {address}: no rule lets anybody out; {_NOTE}"
        )
    return _said("pass", resource, f"{name} lets out {'; '.join(who)} to {address}; {_NOTE}")


def _rule(rule: Document) -> str:
    return f"{rule['name']} (priority {rule['priority']})"


def _said(status: Status, resource: str, observed: str) -> Judgement:
    return Judgement(status=status, resource=resource, expected=_NARROW, observed=observed)


CHECK = Check(
    id="gcp_m4_firewall",
    cloud=common.CLOUD,
    title="Egress rules let the application reach the endpoint, and nobody else",
    severity="high",
    why="Everything in a network may send anywhere unless a rule denies it: every compromised machine then has a way "
    "to the models.",
    fix="Run private_ai.endpoints.vertex_psc_endpoint with allowed_cidrs, allowed_tags or allowed_service_accounts "
    "(playbooks/create.yml), which makes egress rules towards the endpoint's address and a deny behind them; narrow "
    "or remove the rules that are named (rules of firewall policies are not read)",
    needs="network and endpoints of the evidence",
    judge=_judge,
    references=(common.DOCS_RULES, common.DOCS_ENDPOINT, "NIST SP 800-53 SC-7(5)"),
    misconfiguration="M4",
    checklist=("C5",),
)
