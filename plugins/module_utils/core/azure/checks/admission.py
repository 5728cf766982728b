# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""C6: calls by name, through the endpoint, are let in."""

from __future__ import annotations

from collections.abc import Iterator

from ... import seen_checks
from ...case import Case
from ...checks import Check, Judgement
from . import common

# Answers that say who stands in the way, and what to do about it.
_BY_PUBLIC = (
    "The call came in by the public path: make the name lead to the endpoint (playbooks/dns.yml)"
)
DENIED = {
    "denied_public_access": _BY_PUBLIC,
    "denied_network_rules": _BY_PUBLIC,
    "denied_unapproved_endpoint": "Have the endpoint's connection approved (azure_connection says how)",
    "tls": "Find what re-signs TLS between the vantage and the endpoint (a proxy or firewall), and exempt these names",
}
CLEAR = (
    "See the answer that the call got: the account or something on the way answers in its own right"
)


def _judge(case: Case) -> Iterator[Judgement]:
    words = common.words(case, DENIED, CLEAR)
    for host in case.hosts():
        if common.has_own(case, host):
            for vantage in case.at("inside", "spoke"):
                yield seen_checks.admission(case, words, vantage, host)


CHECK = Check(
    id="azure_admission",
    cloud=common.CLOUD,
    title="Calls through the endpoint are let in",
    severity="high",
    why="A name that leads to the endpoint helps nobody whose calls are refused there.",
    fix="See the answer that the call got, and allow what it names",
    needs="observations by name from inside and spoke vantages",
    judge=_judge,
    references=(common.DOCS_NETWORK, common.DOCS_ENDPOINT),
    checklist=("C6",),
)
