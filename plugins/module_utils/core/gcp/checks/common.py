# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What several checks of Google ask of a case."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ... import seen_checks
from ...case import Case, Vantage
from ...checks import Judgement
from ...views import View
from ..bundles import serves
from ..names import path_of

CLOUD = "gcp"
PRIVATE, BLOCKED = seen_checks.PRIVATE, seen_checks.BLOCKED
lacking, unseen = seen_checks.lacking, seen_checks.unseen

_CLOUD = "https://cloud.google.com/"
DOCS_ENDPOINT = _CLOUD + "vpc/docs/configure-private-service-connect-apis"
DOCS_BUNDLES = _CLOUD + "vpc/docs/about-accessing-google-apis-endpoints"
DOCS_RESTRICTED = _CLOUD + "vpc-service-controls/docs/restricted-vip-services"
DOCS_ACCESS = _CLOUD + "vpc/docs/private-google-access"
DOCS_DNS = _CLOUD + "dns/docs/vpc-name-res-order"
DOCS_PEERING = _CLOUD + "vpc/docs/vpc-peering"
DOCS_RULES = _CLOUD + "firewall/docs/firewalls"
DOCS_PERIMETER = _CLOUD + "vpc-service-controls/docs/overview"
DOCS_DRY_RUN = _CLOUD + "vpc-service-controls/docs/dry-run-mode"
DOCS_INGRESS = _CLOUD + "vpc-service-controls/docs/ingress-egress-rules"
DOCS_ACCESSIBLE = _CLOUD + "vpc-service-controls/docs/vpc-accessible-services"
DOCS_ROLES = _CLOUD + "vertex-ai/docs/general/access-control"
DOCS_LOGS = _CLOUD + "vertex-ai/docs/general/audit-logging"

Document = Mapping[str, Any]

# How the paths of Google's networks begin; a vantage elsewhere may have any name for its own.
_GOOGLE = "projects/"


def networks(case: Case) -> dict[str, Document]:
    """Every network that was read, by its path: the application's, the given spokes, then other peers."""
    if case.evidence is None:
        return {}
    found = [case.document["network"], *case.document["spokes"], *case.document["peers"]]
    return {str(item["id"]): item for item in found if item}


def own_network(case: Case) -> Document | None:
    """The application's network."""
    return case.document["network"] if case.evidence else None


def network_of(case: Case, vantage: Vantage) -> str | None:
    """The path of the network that a vantage sits in: by its own word, by its subnet, or since there is no other.

    None for one that is not known, such as a place behind a VPN.
    """
    if vantage.network:
        text = path_of(vantage.network)
        named = [name for name in networks(case) if short(name) == text]
        return named[0] if len(named) == 1 else text
    if vantage.subnet:
        subnet = path_of(vantage.subnet)
        for name, network in networks(case).items():
            if any(item["id"] == subnet for item in network["subnets"]):
                return name
        return None
    own = own_network(case)
    if vantage.position == "inside":
        return str(own["id"]) if own else None
    others = [name for name in networks(case) if own is None or name != own["id"]]
    return others[0] if vantage.position == "spoke" and len(others) == 1 else None


def endpoints(case: Case, network_id: str | None = None) -> list[Document]:
    """The endpoints of a network, or of all; those that another one replaces only where nothing else is left."""
    if case.evidence is None:
        return []
    found = [
        item
        for item in case.document["endpoints"]
        if network_id is None or item["network_id"] == network_id
    ]
    return [item for item in found if not item["replaced"]] or found


def own_endpoints(case: Case) -> list[Document]:
    """The endpoints in the application's network, which alone can reach them."""
    own = own_network(case)
    return endpoints(case, str(own["id"])) if own else []


def endpoint_networks(case: Case) -> list[str]:
    """The networks of callers: the application's, and the given spokes that have an endpoint."""
    own = own_network(case)
    spokes = [str(item["id"]) for item in case.document["spokes"]]
    return [*([str(own["id"])] if own else []), *(name for name in spokes if endpoints(case, name))]


def addresses(items: Iterable[Document]) -> set[str]:
    """The endpoints' addresses."""
    return {str(item["address"]) for item in items if item["address"]}


def has_own(case: Case, host: str, network_id: str | None = None) -> bool:
    """Whether a network has an endpoint that serves a host; true as long as no evidence says that it has none.

    network_id: left out it is the application's.
    """
    unread = network_id is not None and network_id not in networks(case)
    if case.lacks("endpoints", "network") or unread:
        return True
    found = own_endpoints(case) if network_id is None else endpoints(case, network_id)
    return any(serves(str(item["bundle"]), host) != "no" for item in found)


def expected_addresses(case: Case, host: str, vantage: Vantage) -> set[str]:
    """Where a host must lead from a vantage: its network's own endpoints, since no other network's are in reach.

    The evidence counts where it shows that network, else the probe target. A place outside Google's networks may
    reach any of them, over a VPN.
    """
    network, target = network_of(case, vantage), case.probe_target(host)
    read = not case.lacks("endpoints", "network")
    if network and read and (found := addresses(endpoints(case, network))):
        return found
    if network and read and network in networks(case):
        # It was read, and has none: an address that was right before is not any more.
        return set()
    if network and target and network in target.networks:
        return set(target.networks[network])
    if network and network.startswith(_GOOGLE):
        named = bool(target and target.networks)
        if named or (read and vantage.position == "spoke"):
            return set()
    if target:
        return set(target.addresses)
    return addresses(endpoints(case)) if network is None else set()


def private_cidrs(case: Case) -> list[str]:
    """Networks whose addresses count as private besides the private ranges: subnets and endpoints may use any."""
    subnets = [
        str(cidr)
        for network in networks(case).values()
        for item in network["subnets"]
        for cidr in (item["cidr"], *item["secondary"])
        if cidr
    ]
    return [*subnets, *(f"{item}/32" for item in sorted(addresses(endpoints(case))))]


def subnet_cidrs(network: Document) -> list[str]:
    """The primary and secondary ranges of a network."""
    return [
        str(cidr)
        for item in network["subnets"]
        for cidr in (item["cidr"], *item["secondary"])
        if cidr
    ]


def look(case: Case, vantage: Vantage, host: str) -> View | None:
    """What a vantage saw of a host by name; None when it reported nothing."""
    return seen_checks.look(case, vantage, host, private_cidrs(case))


def resolution(case: Case, vantage: Vantage, host: str) -> Judgement:
    """Whether a vantage resolves a host, in every answer, to the addresses that it reaches only."""
    wanted = expected_addresses(case, host, vantage)
    return seen_checks.resolution(look(case, vantage, host), vantage, host, wanted)


def words(case: Case, fixes: Mapping[str, str], otherwise: str) -> seen_checks.Words:
    """What Google says of its calls, for the judgements that are the same in every cloud."""
    return seen_checks.Words(
        addresses=lambda host, vantage: expected_addresses(case, host, vantage),
        cidrs=tuple(private_cidrs(case)),
        fixes=fixes,
        otherwise=otherwise,
        admitted="a call with a token",
    )


def no_endpoint(case: Case, expected: str) -> Judgement:
    """Unknown, since the application's network has no endpoint that could be judged."""
    return Judgement(
        status="unknown",
        resource=case.target,
        expected=expected,
        observed="the network has no endpoint for Google APIs",
        fix="Create the endpoint (playbooks/create.yml)",
    )


def short(path: str) -> str:
    """A resource's name, for a sentence."""
    return path.rpartition("/")[2]
