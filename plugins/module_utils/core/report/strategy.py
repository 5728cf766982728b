# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How each cloud keeps its AI services private: as it is designed, and as it was observed.

Five aspects, the same in every cloud: mechanism, services, DNS, policy and firewall, enforcement. What was observed
comes from the evidence, where that says it in a word, and from the findings of the checks that judge the aspect.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from ..checklist import worst
from .clean import line
from .strategy_facts import FACTS, Evidence

ASPECTS: Final[Mapping[str, str]] = {
    "mechanism": "Mechanism",
    "services": "Services",
    "dns": "DNS",
    "policy": "Policy and firewall",
    "enforcement": "Enforcement",
}
# The misconfigurations that speak of an aspect.
_SPEAK: Final[Mapping[str, tuple[str, ...]]] = {
    "mechanism": ("M5", "M7"),
    "services": ("M7",),
    "dns": ("M2", "M6"),
    "policy": ("M3", "M4"),
    "enforcement": ("M1",),
}
_DESIGNED: Final[Mapping[str, Mapping[str, str]]] = {
    "aws": {
        "mechanism": "Interface VPC endpoints (AWS PrivateLink) in the application's subnets, one in every "
        "Availability "
        "Zone that offers the service.",
        "services": "One endpoint for each API in use, management (bedrock, sagemaker.api) beside runtime.",
        "dns": "Private DNS of the endpoint, or Route 53 private zones or a profile, so that the ordinary "
        "host names lead "
        "to the endpoint from the application and every peered network.",
        "policy": "Endpoint policies admit principals of the organisation only; security groups admit the "
        "application's "
        "networks only.",
        "enforcement": "A service control policy denies every call that does not come through the endpoints. It binds "
        "the whole account; an identity policy alone is not accepted.",
    },
    "azure": {
        "mechanism": "A private endpoint (Azure Private Link) with an approved connection to the account.",
        "services": "Every host name of the account has a record: OpenAI, Cognitive Services and AI Services alike.",
        "dns": "The privatelink zones, with the endpoint's records, linked to the application's network and "
        "every peer.",
        "policy": "Few data-plane roles at narrow scope, no local keys; a network security group on the endpoint's "
        "subnet admits the application's networks only.",
        "enforcement": "The account's public network access is Disabled, so that Azure itself refuses every call from "
        "outside.",
    },
    "gcp": {
        "mechanism": "A Private Service Connect endpoint for Google APIs in the application's network, and one in each "
        "spoke, since it is not reachable over peering.",
        "services": "Every Vertex AI host in use, global and regional: both planes are on one host.",
        "dns": "A private zone (or response policy rule) for each exact host name, leading to the network's "
        "own endpoint.",
        "policy": "Service perimeter with restricted ingress, IAM without broad grants; egress rules admit the "
        "application only.",
        "enforcement": "An enforced VPC Service Controls perimeter restricts aiplatform.googleapis.com. A dry run is "
        "not enforcement.",
    },
}
_SHOWN: Final = 4


def strategies(
    targets: Sequence[Mapping[str, Any]], runs: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """One entry per cloud: `{cloud, aspects: [{id, title, designed, observed: [{text, targets}], status}]}`.

    runs: as remembered, each with the `findings` of its judgement.
    """
    clouds = dict.fromkeys(str(target["cloud"]) for target in targets)
    return [
        {
            "cloud": cloud,
            "aspects": [
                _aspect(
                    cloud,
                    name,
                    [
                        run
                        for target, run in zip(targets, runs, strict=True)
                        if target["cloud"] == cloud
                    ],
                )
                for name in ASPECTS
            ],
        }
        for cloud in clouds
    ]


def _aspect(cloud: str, name: str, runs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    said: dict[str, list[str]] = {}
    statuses = []
    for run in runs:
        own = [
            item
            for item in run["findings"]
            if item["target"] == run["target"] and item.get("misconfiguration") in _SPEAK[name]
        ]
        statuses.append(worst([item["status"] for item in own]))
        for text in _observed(cloud, name, run.get("evidence") or {}, own):
            said.setdefault(text, []).append(str(run["target"]))
    return {
        "id": name,
        "title": ASPECTS[name],
        "designed": _DESIGNED.get(cloud, {}).get(name, "Not described for this cloud."),
        "observed": [{"text": text, "targets": names} for text, names in said.items()],
        "status": worst(statuses),
    }


def _observed(
    cloud: str, name: str, evidence: Evidence, findings: Sequence[Mapping[str, Any]]
) -> list[str]:
    """Facts of the evidence, then what the checks say where that is not simply right."""
    facts = FACTS.get((cloud, name))
    texts = facts(evidence) if facts and evidence else []
    judged = [item for item in findings if item["vantage"] is None]
    if texts:
        judged = [item for item in judged if item["status"] != "pass"]
    texts += _some(_sentence(item["observed"]) for item in judged)
    return texts or ["Nothing was observed."]


def _sentence(observed: object) -> str:
    shown = line(observed, 240)
    return shown[:1].upper() + shown[1:]


def _some(texts: Iterable[str]) -> list[str]:
    listed = list(dict.fromkeys(texts))
    more = len(listed) - _SHOWN
    return [*listed[:_SHOWN], *([f"and {more} more findings"] if more > 0 else [])]
