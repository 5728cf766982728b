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

DENIED = {
    "denied_perimeter": "Add the project of this network to the perimeter with private_ai.endpoints.vertex_lockdown "
    "(projects), and the service to its accessible_services; the entry in the audit log "
    "(cloudaudit.googleapis.com/policy) says which of them it was",
    "denied_identity": "Grant the probe's service account roles/aiplatform.user in the project, or what "
    "permissions/gcp/probe-account.yml has",
    "tls": "Find what re-signs TLS between the vantage and the endpoint (a proxy or firewall), and exempt these names",
}
CREDENTIALS = (
    "Give the probe a token of a caller that may make this read (vertex_probe_service_account), and see that the "
    "Vertex AI API is enabled in the project"
)


def _judge(case: Case) -> Iterator[Judgement]:
    words = common.words(case, DENIED, CREDENTIALS)
    for host in case.hosts():
        for vantage in case.at("inside", "spoke"):
            if common.has_own(case, host, common.network_of(case, vantage)):
                yield seen_checks.admission(case, words, vantage, host)


CHECK = Check(
    id="gcp_admission",
    cloud=common.CLOUD,
    title="Calls through the endpoint are let in",
    severity="high",
    why="A name that leads to the endpoint helps nobody whose calls are refused there.",
    fix="See the answer that the call got, and allow what it names",
    needs="observations by name, with a token, from inside and spoke vantages",
    judge=_judge,
    references=(common.DOCS_PERIMETER, common.DOCS_ROLES),
    checklist=("C6",),
)
