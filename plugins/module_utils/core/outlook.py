# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a cloud tells the checks that are the same everywhere: contradictions, blind spots, proxies, interception."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from .case import Case, Vantage


class Predicted(Protocol):
    """Where a name leads by configuration: `private`, `public`, `elsewhere` or `unknown`, and by what."""

    @property
    def kind(self) -> str: ...
    @property
    def addresses(self) -> Sequence[str]: ...
    @property
    def by(self) -> str: ...


@dataclass(frozen=True, kw_only=True)
class Peer:
    """A network that is peered with the target's, or a spoke.

    vantages: names of those that sit in it. unread: why its part of the configuration is not known; empty when it is.
    """

    id: str
    vantages: tuple[str, ...]
    unread: str = ""


@dataclass(frozen=True, kw_only=True)
class Outlook:
    """One cloud's view.

    authorities: the organisations (O of an issuer) whose certificates the cloud's public hosts have.
    resolvers: addresses of the cloud's own DNS in the network of a vantage.
    predict: where a host leads from a vantage, or without one from the target's own network; None where the
    configuration says nothing about it. cidrs: networks whose addresses are private besides the private ranges.
    peers: None when they are not known. hosts: every host that a client of the target could use, and why.
    references: the cloud's own pages, by check (contradictions, blind_spots, interception, proxies).
    """

    cloud: str
    authorities: tuple[str, ...]
    resolvers: Callable[[Case, Vantage], Sequence[str]]
    predict: Callable[[Case, Vantage | None, str], Predicted | None]
    cidrs: Callable[[Case], Sequence[str]]
    peers: Callable[[Case], Sequence[Peer] | None]
    hosts: Callable[[Case], Mapping[str, str]]
    references: Mapping[str, tuple[str, ...]]
