# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What AWS tells the checks that are the same in every cloud.

Its authorities: https://www.amazontrust.com/repository/
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping

from ...case import Case, Vantage
from ...outlook import Outlook, Peer
from ..answers import Prediction, predict
from ..catalogue import CATALOGUE
from . import common
from .m6_spokes import active_peers, vantages_in

_DOCS_RESOLVER = "https://docs.aws.amazon.com/vpc/latest/userguide/AmazonDNS-concepts.html"
_LINK_LOCAL = ("169.254.169.253", "fd00:ec2::253")
# Where AWS has FIPS endpoints: https://aws.amazon.com/compliance/fips/
_FIPS_REGIONS = ("us-", "ca-")


def _predict(case: Case, vantage: Vantage | None, host: str) -> Prediction | None:
    if case.lacks("network", "endpoints", "dns"):
        return None
    vpc = case.document["vpc"]
    network = str(vpc["id"]) if vantage is None else _network(case, vantage)
    if network is None or _unread(case, network):
        return None
    if network == vpc["id"] and not (vpc["dns_support"] and vpc["dns_hostnames"]):
        by = "with the VPC's DNS attributes off neither private DNS nor a zone answers"
        return Prediction("public", (), by)
    return predict(host, network, case.document)


def _network(case: Case, vantage: Vantage) -> str | None:
    """The VPC of a vantage, when the evidence knows something about it."""
    own = str(case.document["vpc"]["id"])
    peers = [str(item["peer_vpc_id"]) for item in active_peers(case)]
    if vantage.network:
        return vantage.network if vantage.network in (own, *peers) else None
    if vantage.position == "inside":
        return own
    return peers[0] if len(peers) == 1 else None


def _unread(case: Case, network: str) -> str:
    return "; ".join(
        f"{item['action']} failed ({item['code']})"
        for item in case.document["missing"]
        if item["part"] == "peers" and network in str(item["message"])
    )


def _peers(case: Case) -> list[Peer] | None:
    if case.lacks("network"):
        return None
    peers = active_peers(case)
    return [
        Peer(
            id=str(item["peer_vpc_id"]),
            vantages=tuple(each.name for each in vantages_in(case, item, len(peers))),
            unread=_unread(case, str(item["peer_vpc_id"])),
        )
        for item in peers
    ]


def _hosts(case: Case) -> Mapping[str, str]:
    if case.evidence is None:
        return dict.fromkeys(case.hosts(), "the hosts of the target")
    region = str(case.document["region"])
    used = {common.service_of(case, host) for host in case.hosts()}
    used |= {str(item["service"]) for item in common.own_endpoints(case)}
    found = dict.fromkeys(case.hosts(), "the hosts of the target")
    for full in sorted(name for name in used if name):
        short = common.short_name(case, full).removesuffix("-fips")
        for name, what in ((short, "dual-stack"), (f"{short}-fips", "FIPS")):
            service = CATALOGUE.get(name)
            if service is None or (service.fips and not region.startswith(_FIPS_REGIONS)):
                continue
            for host in service.host_variants(region):
                plain = host in service.host_names(region) and not service.fips
                found.setdefault(host, "usual hosts" if plain else f"{what} hosts")
    return found


def _resolvers(case: Case, _vantage: Vantage) -> tuple[str, ...]:
    """The link-local ones, and the address that follows the network's own two, of each network."""
    bases = [ipaddress.ip_network(cidr, strict=False) for cidr in common.private_cidrs(case)]
    return (*_LINK_LOCAL, *(str(base.network_address + 2) for base in bases))


OUTLOOK = Outlook(
    cloud=common.CLOUD,
    authorities=("Amazon",),
    resolvers=_resolvers,
    predict=_predict,
    cidrs=common.private_cidrs,
    peers=_peers,
    hosts=_hosts,
    references={
        "contradictions": (_DOCS_RESOLVER, common.DOCS_ZONES),
        "blind_spots": (common.DOCS_ENDPOINTS, common.DOCS_DNS),
        "interception": (
            "https://docs.aws.amazon.com/bedrock/latest/userguide/data-protection.html",
        ),
        "proxies": ("https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-proxy.html",),
    },
)
