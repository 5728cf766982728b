# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Azure tells the checks that are the same in every cloud."""

from __future__ import annotations

from collections.abc import Mapping

from ...case import Case, Vantage
from ...outlook import Outlook, Peer
from ..answers import Prediction, connected_peerings, hosts_of, is_up, networks, predict
from ..arm_id import key
from ..names import PUBLIC, client_name
from . import common
from .m6_spokes import network_of, vantages_in

_LEARN = "https://learn.microsoft.com/azure/"
_DOCS_RESOLVER = _LEARN + "virtual-network/what-is-ip-address-168-63-129-16"
_DOCS_AUTHORITIES = _LEARN + "security/fundamentals/azure-ca-details"
_DOCS_PROXY = _LEARN + "developer/python/sdk/azure-sdk-configure-proxy"
_RESOLVER = "168.63.129.16"
# An account with keys also answers at its Region's host, which no private endpoint has a name for.
# https://learn.microsoft.com/azure/ai-services/cognitive-services-custom-subdomains
_REGIONAL = {
    "azurecloud": "api.cognitive.microsoft.com",
    "azureusgovernment": "api.cognitive.microsoft.us",
    "azurechinacloud": "api.cognitive.azure.cn",
}


def _predict(case: Case, vantage: Vantage | None, host: str) -> Prediction | None:
    if case.lacks("network", "endpoints", "dns"):
        return None
    own = str(case.document["network"]["id"])
    network = own if vantage is None else _network(case, vantage, own)
    if network is None:
        return None
    account, name = case.document["account"], client_name(host)
    answering = [item for item in common.endpoints(case) if name in hosts_of(item)]
    # Public DNS leads to the private zones only while a connection is approved.
    if not any(is_up(item, account) for item in answering):
        return None
    wanted = common.expected_addresses(case, host, anywhere=key(network) != key(own))
    return predict(name, network, case.document, wanted)


def _network(case: Case, vantage: Vantage, own: str) -> str | None:
    """The network of a vantage, when the evidence knows something about it."""
    found = network_of(vantage)
    if found is not None:
        return found
    if vantage.position == "inside":
        return own
    peers = [str(item["peer_network_id"]) for item in connected_peerings(case.document)]
    return peers[0] if len(peers) == 1 else None


def _peers(case: Case) -> list[Peer] | None:
    if case.lacks("network"):
        return None
    read = networks(case.document)
    peers = connected_peerings(case.document)
    return [
        Peer(
            id=str(item["peer_network_id"]),
            vantages=tuple(each.name for each in vantages_in(case, item, len(peers))),
            unread=""
            if key(item["peer_network_id"]) in read
            else _reason(case, str(item["peer_network_id"])),
        )
        for item in peers
    ]


def _reason(case: Case, network_id: str) -> str:
    """Why a peer could not be read, as far as the evidence says it."""
    return (
        "; ".join(
            f"{item['action']} failed ({item['code']})"
            for item in case.document["missing"]
            if item["part"] == "peers" and key(item.get("resource")) == key(network_id)
        )
        or "it is not in the evidence"
    )


def _hosts(case: Case) -> Mapping[str, str]:
    found = dict.fromkeys(common.expected_hosts(case), "the names of the account")
    account = (case.evidence or {}).get("account")
    if account and not account["disable_local_auth"]:
        where = str(case.document.get("environment") or PUBLIC).lower()
        location = str(account["location"]).replace(" ", "").lower()
        if where in _REGIONAL and location:
            found[f"{location}.{_REGIONAL[where]}"] = "the Region's host, which takes keys"
    return found


OUTLOOK = Outlook(
    cloud=common.CLOUD,
    authorities=("Microsoft Corporation", "DigiCert Inc"),
    resolvers=lambda _case, _vantage: (_RESOLVER,),
    predict=_predict,
    cidrs=common.private_cidrs,
    peers=_peers,
    hosts=_hosts,
    references={
        "contradictions": (_DOCS_RESOLVER, common.DOCS_DNS),
        "blind_spots": (common.DOCS_LINKS, common.DOCS_DNS),
        "interception": (_DOCS_AUTHORITIES,),
        "proxies": (_DOCS_PROXY,),
    },
)
