# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The egress firewall rules of an endpoint: who may reach its addresses on 443, and nobody else at all."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

from .names import project_of
from .plan_create_types import Desired, Firewall

_LONGEST = 40


def wanted(desired: Desired, network: str, addresses: Iterable[str]) -> list[Firewall]:
    """The rules, those that admit before the one that denies; none when nobody is named.

    One rule for each kind of source: in one rule they would all have to hold.
    """
    sources = desired.sources or {}
    to = tuple(f"{address}/32" for address in sorted(set(addresses)))
    kinds = [kind for kind in ("ranges", "tags", "accounts") if sources.get(kind)]
    if not kinds or not to:
        return []
    return [
        *(
            Firewall(
                project=project_of(network),
                name=name(network, f"allow-{kind}"),
                network=network,
                priority=desired.priority,
                action="allow",
                protocols=("tcp:443",),
                destinations=to,
                ranges=_only(sources, kind, "ranges"),
                tags=_only(sources, kind, "tags"),
                accounts=_only(sources, kind, "accounts"),
            )
            for kind in kinds
        ),
        Firewall(
            project=project_of(network),
            name=name(network, "deny"),
            network=network,
            priority=desired.priority + 1,
            action="deny",
            protocols=("all",),
            destinations=to,
        ),
    ]


def _only(sources: Mapping[str, Iterable[str]], kind: str, wanted: str) -> tuple[str, ...]:
    return tuple(sorted(set(sources[kind]))) if kind == wanted else ()


def names(network: str) -> list[str]:
    """All names that `wanted` can give."""
    return [
        name(network, kind) for kind in ("allow-ranges", "allow-tags", "allow-accounts", "deny")
    ]


def name(network: str, kind: str) -> str:
    """A rule's name, of at most 63 characters."""
    short = network.rpartition("/")[2]
    if len(short) > _LONGEST:
        digest = hashlib.sha256(short.encode()).hexdigest()[:6]
        short = f"{short[: _LONGEST - 7].rstrip('-')}-{digest}"
    return f"private-ai-{short}-{kind}"
