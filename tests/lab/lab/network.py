# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab's wires: one network namespace per vantage, joined to the clouds' namespace by a veth pair.

In the clouds' namespace every address is local (AnyIP), so one listener answers for all of them:
getpeername() tells the vantage, getsockname() the address that it dialled. What a vantage can reach is
decided by the routes inside the vantage: a network that goes to `lo` times out in silence, as a packet
does that a security group drops.
"""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.cloud import Cloud, Vantage
from lab.namespaces import CLONE_NEWNET, bind, enter_network, unshare
from lab.netlink import LOOPBACK, Netlink

RESOLVER = "192.0.2.53"
NETWORKS = Path("/run/netns")  # where `ip netns` looks for them, too
_PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")
_EVERYWHERE = "0.0.0.0/0"
_HERE = "/proc/thread-self/ns/net"
_FIRST_VETH = 10
_BREATH, _HEARTBEAT = 0.005, 1.0  # seconds that the watch sleeps, at least and at most


@dataclass(frozen=True)
class Wire:
    """The inside of a vantage: its network namespace, and a socket to the routes in there."""

    vantage: Vantage
    namespace: Path
    netlink: Netlink
    link: int


def build(vantages: Iterable[Vantage]) -> list[Wire]:
    """Make every vantage. The calling thread must be in the namespace that is to be the clouds'."""
    NETWORKS.mkdir(parents=True, exist_ok=True)
    clouds = os.open(_HERE, os.O_RDONLY | os.O_CLOEXEC)
    netlink = Netlink()
    netlink.add_route(_EVERYWHERE, LOOPBACK, "local")
    wires = [
        _build_one(vantage, netlink, clouds, _FIRST_VETH + number)
        for number, vantage in enumerate(vantages)
    ]
    netlink.close()
    os.close(clouds)
    return wires


def _build_one(vantage: Vantage, netlink: Netlink, clouds: int, index: int) -> Wire:
    namespace = NETWORKS / vantage.name
    namespace.touch()
    unshare(CLONE_NEWNET, "a network namespace")
    try:
        bind(_HERE, str(namespace))
        inside = Netlink()
        inside.up(LOOPBACK)
    finally:
        enter_network(clouds)
    descriptor = os.open(namespace, os.O_RDONLY | os.O_CLOEXEC)
    link = netlink.add_veth(index, f"to{index - _FIRST_VETH}", "eth0", descriptor)
    os.close(descriptor)
    netlink.add_route(f"{vantage.address}/32", index)
    inside.up(link)
    inside.add_address(link, vantage.address)
    inside.add_route(f"{RESOLVER}/32", link)
    for network in _PRIVATE:
        inside.add_route(network, LOOPBACK)
    inside.add_route(_EVERYWHERE, link if vantage.internet else LOOPBACK)
    return Wire(vantage, namespace, inside, link)


class Routes:
    """Keeps the routes inside the vantages as the clouds' networks, groups and endpoints have them."""

    def __init__(self, wires: Sequence[Wire], clouds: Sequence[Cloud]) -> None:
        self._wires = wires
        self._clouds = clouds
        self._reached: dict[str, frozenset[str]] = {
            wire.vantage.name: frozenset() for wire in wires
        }
        self._changed = threading.Condition()

    def refresh(self) -> None:
        """Apply what Cloud.admitted() says now. Call it after every change, before it is answered."""
        with self._changed:
            for wire in self._wires:
                self._apply(wire)
            self._changed.notify_all()

    def watch(self) -> None:
        """Apply scheduled changes (a pending endpoint) when they are due, for ever."""
        # next_change() speaks of the future only: a change that comes due between two looks must not be forgotten.
        owed = math.inf
        while True:
            owed = min(owed, self._due())
            with self._changed:
                # A refresh may have been followed by a new, earlier change: look again after each.
                self._changed.wait(min(max(owed - time.time(), _BREATH), _HEARTBEAT))
            if time.time() >= owed:
                # Asked before: a change that comes due during the refresh would reach only the vantages after it.
                owed = self._due()
                self.refresh()

    def _due(self) -> float:
        return min(
            (change for each in self._clouds if (change := each.next_change()) is not None),
            default=math.inf,
        )

    def _apply(self, wire: Wire) -> None:
        admitted = frozenset[str]().union(*(each.admitted(wire.vantage) for each in self._clouds))
        # The vantages have IPv4 only: an IPv6 address is out of reach for all of them.
        admitted = frozenset(address for address in admitted if ":" not in address)
        before = self._reached[wire.vantage.name]
        for address in before - admitted:
            wire.netlink.delete_route(f"{address}/32", wire.link)
        for address in admitted - before:
            wire.netlink.add_route(f"{address}/32", wire.link)
        self._reached[wire.vantage.name] = admitted
