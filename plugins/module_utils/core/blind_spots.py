# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Blind spots: networks and hosts of which nobody can say that they are private, since nobody looked.

What is not seen is unknown here, whatever the configuration says of it; that is told beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from .case import Case
from .checks import Check, Judgement
from .outlook import Outlook, Peer

_LOOKED_AT = (
    "a vantage in every network that callers are in, and every host that they could use is probed"
)
_SHOWN = 12


def judge(outlook: Outlook) -> Callable[[Case], Iterator[Judgement]]:
    """One judgement for each network, and one for the hosts."""

    def judged(case: Case) -> Iterator[Judgement]:
        peers = outlook.peers(case)
        if peers is None:
            yield _said(
                "unknown",
                case.target,
                "the peers of its network are not known",
                fix="Gather the network with credentials that may read it",
            )
        reported = {str(item["vantage"]) for item in case.observations if not item["error"]}
        for peer in peers or ():
            yield from _peer(peer, reported)
        yield from _hosts(outlook, case, reported)

    return judged


def _peer(peer: Peer, reported: set[str]) -> Iterator[Judgement]:
    there = sorted(set(peer.vantages) & reported)
    silent = sorted(set(peer.vantages) - reported)
    if peer.unread:
        yield _said(
            "unknown",
            peer.id,
            f"it cannot be read: {peer.unread}"
            + (f"; {', '.join(there)} looked from there" if there else ""),
            fix="Give the credentials of the run the right to read this network, its zones and endpoints, or ask who "
            "owns it for evidence of its own",
        )
    if there:
        yield _said("pass", peer.id, f"seen from {', '.join(there)}")
    elif silent:
        yield _said("unknown", peer.id, f"{', '.join(silent)} sits there and did not report")
    elif not peer.unread:
        yield _said("unknown", peer.id, "no vantage sits there: what holds, holds by configuration")


def _hosts(outlook: Outlook, case: Case, reported: set[str]) -> Iterator[Judgement]:
    inside = {item.name for item in case.at("inside", "spoke")} & reported
    looked = {str(item["host"]).lower() for item in case.observations if item["vantage"] in inside}
    hosts = outlook.hosts(case)
    unseen: dict[str, list[str]] = {}
    for host, why in hosts.items():
        if host.lower() not in looked:
            said = outlook.predict(case, None, host)
            kind = "nothing is known of it" if said is None else f"by configuration {said.kind}"
            unseen.setdefault(why, []).append(f"{host} ({kind})")
    for why, listed in unseen.items():
        more = f" and {len(listed) - _SHOWN} more" if len(listed) > _SHOWN else ""
        yield _said(
            "unknown",
            why,
            f"nobody inside probed {', '.join(listed[:_SHOWN])}{more}",
            fix="Probe these hosts as well (add them to the target's services or hosts), or see that no client is set "
            "to use them",
        )
    seen = [host for host in hosts if host.lower() in looked]
    if seen and not unseen:
        yield _said(
            "pass", case.target, f"all {len(seen)} hosts that clients could use were probed"
        )


def _said(status: str, resource: str, observed: str, *, fix: str | None = None) -> Judgement:
    return Judgement(
        status=status,  # type: ignore[arg-type]
        resource=resource,
        expected=_LOOKED_AT,
        observed=observed,
        fix=fix,
    )


def check(outlook: Outlook) -> Check:
    """The check of one cloud."""
    return Check(
        id=f"{outlook.cloud}_blind_spots",
        cloud=outlook.cloud,
        title="Somebody looked from every network, at every host",
        severity="medium",
        why="A caller in a network that no vantage stands for, or one that uses another name of the service (FIPS, "
        "dual stack, another Region), may be on the public path without anybody seeing it.",
        fix="Put a vantage into this network and name it in the target's vantages",
        needs="network of the evidence, and observations from vantages",
        judge=judge(outlook),
        references=outlook.references["blind_spots"],
    )
