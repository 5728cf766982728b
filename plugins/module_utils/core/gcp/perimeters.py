# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a service perimeter does for one project: whether it restricts Vertex AI there, and whom it lets in.

A perimeter of the evidence has the same keys for what is enforced and, below `dry_run`, for what is only tried.
https://cloud.google.com/vpc-service-controls/docs/ingress-egress-rules
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .bundles import VERTEX
from .perimeter import RESTRICTED

Document = Mapping[str, Any]

_BRIDGE = "PERIMETER_TYPE_BRIDGE"
_KINDS = {
    "ANY_IDENTITY": "anybody",
    "ANY_USER_ACCOUNT": "any user account",
    "ANY_SERVICE_ACCOUNT": "any service account",
}
_COMPUTE = "//compute.googleapis.com/"


@dataclass(frozen=True)
class Ingress:
    """An ingress rule that lets calls of Vertex AI in.

    who: as a phrase. everybody: whether no identity is named. anywhere: whether any source will do. levels: the access
    levels, and resources: the projects and networks, that callers may come from.
    """

    name: str
    who: str
    everybody: bool
    anywhere: bool
    levels: tuple[str, ...]
    resources: tuple[str, ...]

    def said(self) -> str:
        """The rule as a phrase."""
        places = ["anywhere"] if self.anywhere else [*self.levels, *self.resources]
        return f"{self.name} lets in {self.who} from {', '.join(places)}"


def regular(perimeters: Iterable[Document]) -> list[Document]:
    """Those that restrict; a bridge only joins others."""
    return [item for item in perimeters if item["type"] != _BRIDGE]


def locks(config: Document | None, number: str) -> bool:
    """Whether a configuration restricts Vertex AI in a project."""
    return config is not None and holds(config, number) and VERTEX in config["restricted_services"]


def holds(config: Document, number: str) -> bool:
    """Whether a project, by its number, is inside."""
    return f"projects/{number}" in config["resources"]


def holds_network(config: Document, network_id: str, number: str | None) -> bool:
    """Whether calls from a network count as inside: the network, or its project, is a resource."""
    return f"{_COMPUTE}{network_id}" in config["resources"] or bool(
        number and holds(config, number)
    )


def ingress(config: Document, number: str) -> list[Ingress]:
    """The ingress rules that let calls of Vertex AI in a project in; without sources one lets nobody in."""
    found = []
    for index, rule in enumerate(config["ingress"]):
        given = rule.get("ingressFrom") or {}
        kind = str(given.get("identityType") or "")
        names = [str(item) for item in given.get("identities") or ()]
        sources = given.get("sources") or ()
        levels = [str(item["accessLevel"]) for item in sources if item.get("accessLevel")]
        resources = [str(item["resource"]) for item in sources if item.get("resource")]
        who = _KINDS.get(kind) or ", ".join(names)
        if not who or not (levels or resources) or not _covers(rule.get("ingressTo") or {}, number):
            continue
        found.append(
            Ingress(
                name=f"ingress rule {rule.get('title') or index + 1}",
                who=who,
                everybody=kind in _KINDS,
                anywhere="*" in levels,
                levels=tuple(_short(item) for item in levels),
                resources=tuple(resources),
            )
        )
    return found


def _short(level: str) -> str:
    return f"access level {level.rpartition('/')[2]}"


def _covers(given: Document, number: str) -> bool:
    resources = given.get("resources") or ()
    if "*" not in resources and f"projects/{number}" not in resources:
        return False
    if given.get("roles"):
        # What a role allows is not read here.
        return True
    return any(item.get("serviceName") in ("*", VERTEX) for item in given.get("operations") or ())


def accessible(config: Document, service: str) -> bool:
    """Whether callers in networks inside may call a service, as far as the perimeter says."""
    services = config["accessible_services"] or {}
    if not services.get("enabled"):
        return True
    allowed = services.get("allowed") or ()
    return service in allowed or (
        RESTRICTED in allowed and service in config["restricted_services"]
    )
