# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The seam between the lab's network and the clouds that it simulates.

The network half terminates TLS, reads HTTP, answers DNS and moves packets; a cloud (a folder beside
this file: ``lab/aws``) decides what every request, name and packet gets. Nothing here knows a cloud.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable


@dataclass(frozen=True)
class Vantage:
    """A place that traffic comes from: one network namespace with one address.

    ``network`` says where the place lies in each cloud, for example
    ``{"aws": {"vpc": "vpc-..", "subnet": "subnet-..", "security_groups": ["sg-.."]}}``, or is empty.
    """

    name: str
    address: str
    position: str
    internet: bool
    public_address: str
    network: Mapping[str, Any]


@dataclass(frozen=True)
class Request:
    """One HTTP request as it arrived.

    ``address`` is the IP that was dialled, ``host`` the Host header in lower case without its port,
    ``headers`` have lower-case names, ``path`` and ``query`` are as sent, ``time`` is time.time().
    """

    vantage: Vantage
    address: str
    host: str
    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    time: float


@dataclass(frozen=True)
class Call:
    """What a cloud understood of a request; ``detail`` is the cloud's own parsed state."""

    cloud: str
    plane: Literal["control", "data"]
    operation: str
    principal: str
    parameters: Mapping[str, Any]
    write: bool
    detail: Any = None
    # Permissions that the cloud asked the principal for and that it had, filled in while the call is answered.
    authorized: list[str] = field(default_factory=list)


@dataclass
class Response:
    """An HTTP answer. The server adds Content-Length, Date and Connection."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True)
class DnsAnswer:
    """What a name resolves to. ``chain`` lists (name, cname) in order; the addresses belong to its end."""

    status: Literal["ok", "nxdomain", "nodata"]
    chain: tuple[tuple[str, str], ...] = ()
    addresses: tuple[str, ...] = ()
    ttl: int = 60


class Cloud(Protocol):
    """One simulated cloud. Called from many threads at once: each cloud has its own lock.

    Beside it, ``lab/<cloud>/__init__.py`` has two functions:
    ``build(world: Mapping, vantages: Sequence[Vantage], ca_pem: bytes) -> Cloud`` and
    ``check(world: Mapping) -> list[str]``, the problems in the cloud's part of a world file. It may have
    ``environments(world: Mapping, run: Path) -> dict[str, dict[str, str]]``, variables that commands at a
    vantage get beside those of the world file: where files lie that ``Furnishing.furnish`` writes.
    """

    name: str

    def serves(self, host: str) -> bool:
        """Whether a request with this Host header belongs to this cloud."""

    def parse(self, request: Request) -> Call:
        """Understand a request. Never raises for bad input: ``detail`` then carries the error to answer."""

    def answer(self, request: Request, call: Call) -> Response:
        """Execute the call."""

    def fault(self, call: Call, kind: Literal["throttle", "error"]) -> Response:
        """The cloud's own throttling or 5xx answer in this call's protocol; nothing is executed."""

    def resolve(self, vantage: Vantage, name: str, qtype: str) -> DnsAnswer | None:
        """Resolve a lower-case name without trailing dot; None means that it is no name of this cloud."""

    def admitted(self, vantage: Vantage) -> frozenset[str]:
        """Private addresses whose TCP 443 a packet from this vantage reaches now; others time out."""

    def next_change(self) -> float | None:
        """time.time() of the next scheduled change of resolve() or admitted(); None if there is none."""


@runtime_checkable
class Furnishing(Protocol):
    """A cloud whose clients need files, such as keys."""

    def furnish(self, run: Path) -> None:
        """Write them under the lab's folder, before the first command runs."""
