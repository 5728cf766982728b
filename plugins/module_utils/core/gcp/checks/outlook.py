# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Google tells the checks that are the same in every cloud."""

from __future__ import annotations

from collections.abc import Mapping

from ...case import Case, Vantage
from ...outlook import Outlook, Peer
from ..answers import Prediction, predict
from ..names import GLOBAL_HOST, region_of
from . import common
from .m6_spokes import spoke_networks

_DOCS_RESOLVER = "https://cloud.google.com/compute/docs/networking/dns-overview"
_DOCS_AUTHORITIES = "https://cloud.google.com/docs/security/encryption-in-transit"
_DOCS_PROXY = "https://cloud.google.com/sdk/docs/proxy-settings"
_RESOLVER = "169.254.169.254"


def _predict(case: Case, vantage: Vantage | None, host: str) -> Prediction | None:
    own = common.own_network(case)
    if case.lacks("network", "endpoints", "dns") or own is None:
        return None
    network = str(own["id"]) if vantage is None else common.network_of(case, vantage)
    if network is None or network not in common.networks(case):
        return None
    return predict(host, network, case.document)


def _peers(case: Case) -> list[Peer] | None:
    own = common.own_network(case)
    if case.lacks("network") or own is None:
        return None
    read = common.networks(case)
    places = {item.name: common.network_of(case, item) for item in case.at("spoke")}
    return [
        Peer(
            id=network_id,
            vantages=tuple(name for name, network in places.items() if network == network_id),
            unread="" if network_id in read else _reason(case, network_id),
        )
        for network_id in spoke_networks(case)
    ]


def _reason(case: Case, network_id: str) -> str:
    """Why a peer could not be read, as far as the evidence says it."""
    return (
        "; ".join(
            f"{item['action']} failed ({item['code']})"
            for item in case.document["missing"]
            if item["part"] == "peers" and item.get("resource") == network_id
        )
        or "it is not in the evidence"
    )


def _hosts(case: Case) -> Mapping[str, str]:
    """The target's own, and what SDKs use beside them: mutual TLS and, for each Region, the regional endpoint."""
    hosts = case.hosts()
    found = dict.fromkeys(hosts, "the hosts of the target")
    for host in hosts:
        region = region_of(host)
        if host == GLOBAL_HOST or region:
            found.setdefault(host.replace(".googleapis", ".mtls.googleapis"), "mutual TLS hosts")
        if region and "-" in region:
            found.setdefault(f"aiplatform.{region}.rep.googleapis.com", "regional hosts (rep)")
    return found


OUTLOOK = Outlook(
    cloud=common.CLOUD,
    authorities=("Google Trust Services", "Google Trust Services LLC"),
    resolvers=lambda _case, _vantage: (_RESOLVER,),
    predict=_predict,
    cidrs=common.private_cidrs,
    peers=_peers,
    hosts=_hosts,
    references={
        "contradictions": (_DOCS_RESOLVER, common.DOCS_DNS),
        "blind_spots": (common.DOCS_PEERING, common.DOCS_BUNDLES),
        "interception": (_DOCS_AUTHORITIES,),
        "proxies": (_DOCS_PROXY,),
    },
)
