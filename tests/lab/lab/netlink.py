# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Just enough rtnetlink (rtnetlink(7)) to build a network: links, addresses and routes.

A `Netlink` stays in the network namespace that it was opened in, whichever one its process is in
later. That is how one process changes the routes of every vantage while a lab runs.
"""

from __future__ import annotations

import errno
import ipaddress
import os
import socket
import struct
import threading
from typing import Literal

LOOPBACK = 1  # every namespace's `lo` has this index

_NLM_REQUEST, _NLM_ACK, _NLM_EXCL, _NLM_CREATE, _NLM_REPLACE = 0x1, 0x4, 0x200, 0x400, 0x100
_NLMSG_ERROR = 2
_RTM_NEWLINK, _RTM_NEWADDR, _RTM_NEWROUTE, _RTM_DELROUTE = 16, 20, 24, 25
_IFF_UP = 1
_IFLA_IFNAME, _IFLA_LINKINFO, _IFLA_NET_NS_FD = 3, 18, 28
_IFLA_INFO_KIND, _IFLA_INFO_DATA, _VETH_INFO_PEER = 1, 2, 1
_IFA_ADDRESS, _IFA_LOCAL = 1, 2
_RTA_DST, _RTA_OIF = 1, 4
_TABLE_MAIN, _PROTOCOL_STATIC = 254, 4
_SCOPE_LINK, _SCOPE_HOST = 253, 254
_ROUTE_TYPES = {"unicast": 1, "local": 2}


def _attribute(kind: int, value: bytes) -> bytes:
    length = 4 + len(value)
    return struct.pack("=HH", length, kind) + value + b"\0" * (-length % 4)


def _link(index: int, flags: int, *attributes: bytes) -> bytes:
    """An ifinfomsg that sets the given flags, with attributes."""
    header = struct.pack("=BxHiII", socket.AF_UNSPEC, 0, index, flags, flags)
    return header + b"".join(attributes)


def _named(name: str) -> bytes:
    return _attribute(_IFLA_IFNAME, name.encode() + b"\0")


class Netlink:
    """A socket to the routing tables of the network namespace that the calling thread is in now."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC)
        self._socket.bind((0, 0))
        self._sequence = 0
        self._lock = threading.Lock()

    def close(self) -> None:
        self._socket.close()

    def up(self, index: int) -> None:
        """Set a link up."""
        self._request(_RTM_NEWLINK, 0, _link(index, _IFF_UP))

    def add_veth(self, index: int, name: str, peer_name: str, peer_namespace: int) -> int:
        """A pair of links: `name` here, which is up, and `peer_name`, which is down, in the namespace
        behind that file descriptor. Returns the peer's index, the first free one there.
        """
        peer_index = LOOPBACK + 1
        namespace = _attribute(_IFLA_NET_NS_FD, struct.pack("=I", peer_namespace))
        peer = _link(peer_index, 0, _named(peer_name), namespace)
        data = _attribute(_IFLA_INFO_DATA, _attribute(_VETH_INFO_PEER, peer))
        info = _attribute(_IFLA_LINKINFO, _attribute(_IFLA_INFO_KIND, b"veth") + data)
        link = _link(index, _IFF_UP, _named(name), info)
        self._request(_RTM_NEWLINK, _NLM_CREATE | _NLM_EXCL, link)
        return peer_index

    def add_address(self, index: int, address: str) -> None:
        """Give a link one address (/32)."""
        packed = ipaddress.IPv4Address(address).packed
        header = struct.pack("=BBBBI", socket.AF_INET, 32, 0, 0, index)
        attributes = _attribute(_IFA_LOCAL, packed) + _attribute(_IFA_ADDRESS, packed)
        self._request(_RTM_NEWADDR, _NLM_CREATE | _NLM_EXCL, header + attributes)

    def add_route(
        self, network: str, index: int, kind: Literal["unicast", "local"] = "unicast"
    ) -> None:
        """Send what goes to a network out of a link; `local` means: it is this host's own."""
        self._request(
            _RTM_NEWROUTE,
            _NLM_CREATE | _NLM_REPLACE,
            self._route(network, index, _ROUTE_TYPES[kind]),
        )

    def delete_route(self, network: str, index: int) -> None:
        """Take a route away; it is no error if there is none."""
        try:
            self._request(_RTM_DELROUTE, 0, self._route(network, index, _ROUTE_TYPES["unicast"]))
        except ProcessLookupError:  # ESRCH is how rtnetlink says "no such route"
            return

    @staticmethod
    def _route(network: str, index: int, kind: int) -> bytes:
        parsed = ipaddress.IPv4Network(network)
        scope = _SCOPE_HOST if kind == _ROUTE_TYPES["local"] else _SCOPE_LINK
        header = struct.pack(
            "=BBBBBBBBI",
            socket.AF_INET,
            parsed.prefixlen,
            0,
            0,
            _TABLE_MAIN,
            _PROTOCOL_STATIC,
            scope,
            kind,
            0,
        )
        attributes = _attribute(_RTA_OIF, struct.pack("=I", index))
        if parsed.prefixlen:
            attributes += _attribute(_RTA_DST, parsed.network_address.packed)
        return header + attributes

    def _request(self, kind: int, flags: int, payload: bytes) -> None:
        with self._lock:
            self._sequence += 1
            header = struct.pack(
                "=IHHII",
                16 + len(payload),
                kind,
                flags | _NLM_REQUEST | _NLM_ACK,
                self._sequence,
                0,
            )
            self._socket.send(header + payload)
            answer = self._socket.recv(65536)
        answered, code = struct.unpack_from("=H", answer, 4)[0], 0
        if answered == _NLMSG_ERROR:
            (code,) = struct.unpack_from("=i", answer, 16)
        if code:
            raise OSError(-code, f"rtnetlink: {os.strerror(-code)} ({errno.errorcode.get(-code)})")
