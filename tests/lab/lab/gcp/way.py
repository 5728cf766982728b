# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""By which way a request reached Google: an endpoint, Private Google Access, or the internet.

Google knows the network of a request that came by one of the first two, and logs it.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from ..cloud import Request
from . import hosts, packets
from .packets import Place
from .records import Resource
from .state import State


@dataclass(frozen=True)
class Way:
    """`place` is set where Google knows the network; `bundle` is the endpoint's, or what a VIP serves."""

    address: str  # the caller's, as the audit log shows it
    place: Place | None = None
    endpoint: Resource | None = None
    bundle: str = ""
    lost: bool = False  # the address that was dialled belongs to nothing that answers here

    @property
    def network(self) -> str:
        return f"//compute.googleapis.com/{self.place.network}" if self.place else ""

    @property
    def project(self) -> str:
        """The id of the project whose network the request came from."""
        return self.place.network.split("/")[1] if self.place else ""


def way_in(state: State, request: Request) -> Way:
    vantage = request.vantage
    place = packets.place_of(state, vantage)
    public = vantage.public_address or vantage.address
    known = public if place and place.external else vantage.address
    if ipaddress.ip_address(request.address).is_private and not request.address.startswith(
        "203.0.113."
    ):
        endpoint = packets.endpoint_at(state, place, request.address)
        if endpoint is None:
            return Way(public, lost=True)
        return Way(known, place, endpoint, endpoint["target"])
    access = place is not None and packets.has_google_access(state, place)
    if request.address in (*hosts.PRIVATE_VIP, *hosts.RESTRICTED_VIP):
        if place is None or not (access or place.external):
            return Way(public, lost=True)
        bundle = "vpc-sc" if request.address in hosts.RESTRICTED_VIP else "all-apis"
        return Way(known, place, None, bundle)
    return Way(known, place) if access else Way(public)
