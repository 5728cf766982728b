# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Contradictions: what the configuration says of a name, and what a vantage saw, are not the same.

Each is true on its own, so that neither the evidence nor the probe alone shows it. The finding names what most likely
lies between them, in order, from what the observation shows. It is a warning and decides nothing: that a name leads to
the wrong place fails the check of names, and this one says why the configuration does not show it.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from .case import Case, Vantage
from .checks import Check, Judgement
from .outlook import Outlook, Predicted
from .views import View, listed, view

_SAME = "a vantage sees of a host what the configuration says"
_MISSING = ("no such name", "no address")
_ALSO = "the configuration changed after one of them was looked at (compare collected_at and observed_at)"
Seen = Mapping[str, Any]


def judge(outlook: Outlook) -> Callable[[Case], Iterator[Judgement]]:
    """The judgement of every host from every inside and spoke vantage that saw it by name."""

    def judged(case: Case) -> Iterator[Judgement]:
        for host in case.hosts():
            for vantage in case.at("inside", "spoke"):
                seen = case.seen(vantage.name, host)
                said = outlook.predict(case, vantage, host)
                if seen is None or seen["pinned"] or said is None or said.kind == "unknown":
                    continue
                read = view(seen, list(outlook.cidrs(case)))
                if read.addresses or read.failure in _MISSING:
                    yield _judge(outlook, case, vantage, seen, read, said)

    return judged


def _judge(
    outlook: Outlook, case: Case, vantage: Vantage, seen: Seen, read: View, said: Predicted
) -> Judgement:
    agreed = _agree(read.where, read.addresses, said)
    hidden = _hosts_file(seen)
    if agreed and not (
        hidden and said.kind == "private" and not _led_by_dns(outlook, case, seen, said)
    ):
        return _said(seen, vantage, "pass", f"{read.said()}; {said.by}")
    told = f"the configuration says {said.kind} ({said.by}), and the vantage sees {read.told()}"
    causes = [hidden] if hidden else []
    causes += _causes(outlook, case, vantage, seen, read)
    text = "; ".join(f"{number}. {cause}" for number, cause in enumerate(causes, start=1))
    # Better than the configuration lets expect is no danger, but nothing that anybody could rely on either.
    better = said.kind != "private" and read.where == "private" and not hidden
    found = _said(seen, vantage, "warn", f"{told}. Likely causes: {text}", causes[0])
    return replace(found, severity="medium") if better else found


def _led_by_dns(outlook: Outlook, case: Case, seen: Seen, said: Predicted) -> bool:
    """Whether DNS alone says the same, as it does to every machine that lacks this one's hosts file."""
    without = {**seen, "dns": {**seen["dns"], "system": []}}
    read = view(without, list(outlook.cidrs(case)))
    return _agree(read.where, read.addresses, said)


def _agree(where: str, addresses: Sequence[str], said: Predicted) -> bool:
    if said.kind == "public":
        return where == "public"
    if said.kind == "elsewhere" and not said.addresses:
        return not addresses
    # Without addresses the configuration says only whose they are.
    known = not said.addresses or set(addresses) <= set(said.addresses)
    return bool(addresses) and known and (where == "private" or said.kind == "elsewhere")


def _hosts_file(seen: Seen) -> str:
    """What the hosts file of the vantage does to the name; empty when it does not have it."""
    if not seen["resolver"]["hosts_file"]:
        return ""
    hosts = [str(item) for item in seen["resolver"]["hosts_addresses"]]
    led = f" ({listed(hosts)})" if hosts else ""
    return f"the hosts file of this vantage names the host{led}, which wins over DNS there and nowhere else"


def _causes(
    outlook: Outlook, case: Case, vantage: Vantage, seen: Seen, read: View
) -> Iterator[str]:
    """What may lie between, the likeliest first."""
    dns = seen["dns"]
    answers = {str(item["address"]) for item in dns["answers"]}
    system = {str(item) for item in dns["system"]}
    if not seen["resolver"]["hosts_file"] and answers and system and answers != system:
        yield (
            f"the system's own resolver ({listed(sorted(system))}) differs from DNS ({listed(sorted(answers))}): "
            "a stale cache (nscd, systemd-resolved, dnsmasq), or a name service that is asked before DNS"
        )
    if read.where == "mixed":
        yield "private and public answers together: split horizon, with zones or name servers that answer differently"
    strangers = _strangers(outlook.resolvers(case, vantage), seen)
    if strangers:
        yield (
            f"it asks {', '.join(strangers)}, which is not the network's own resolver: a custom one, which must "
            "forward these names to it"
        )
    if dns["ttl"]:
        yield f"a cache on the way, which may keep an answer from before a change for up to {dns['ttl']} s"
    if any(not item["bypassed"] for item in seen["proxy"]):
        yield "a proxy is set there, and programs that use it are led by its resolver, whatever this one says"
    if dns["chain"]:
        yield f"the name is an alias ({listed(dns['chain'], ' → ')}), and zones or rules for what it leads to decide"
    yield "a private zone, rule or resolver of an account that the evidence does not show answers there"
    yield _ALSO


def _strangers(own: Any, seen: Seen) -> list[str]:
    """Name servers that were asked and are not the cloud's; one on the machine itself hides whom it asks."""
    asked = [str(item) for item in seen["dns"]["servers"] or seen["resolver"]["nameservers"]]
    known = {str(item) for item in own}
    return [
        f"{item} (on the machine itself, which hides whom it asks)" if _is_local(item) else item
        for item in asked
        if item not in known
    ]


def _is_local(address: str) -> bool:
    try:
        return ipaddress.ip_address(address.partition("%")[0]).is_loopback
    except ValueError:
        return False


_FIXES = {
    "the hosts file": "A person must take the host out of this vantage's hosts file, and look for the line on others",
    "the system's own": "Empty this machine's DNS cache, probe again, and see what nsswitch.conf asks before DNS",
    "private and public": "Make every zone and name server that answers for the name lead to the endpoint alone",
    "it asks": "Let the custom resolver forward these names to the network's own, or link the zones to its network",
    "a cache": "Wait until the TTL is over, empty caches on the way, and probe again",
}


def _said(seen: Seen, vantage: Vantage, status: str, observed: str, cause: str = "") -> Judgement:
    return Judgement(
        status=status,  # type: ignore[arg-type]
        resource=str(seen["host"]),
        vantage=vantage.name,
        expected=_SAME,
        observed=observed,
        fix=next((fix for start, fix in _FIXES.items() if cause.startswith(start)), None),
    )


def check(outlook: Outlook) -> Check:
    """The check of one cloud."""
    return Check(
        id=f"{outlook.cloud}_contradictions",
        cloud=outlook.cloud,
        title="Vantages see what the configuration says",
        severity="high",
        why="Where both disagree, one of them misleads: a private configuration whose callers are led to the public "
        "path leaks, and a name that is private on one machine alone hides that its neighbours go out.",
        fix="See the likely causes, in their order, on the vantage itself; then run playbooks/verify.yml again",
        needs="network, endpoints and dns of the evidence, and observations by name from inside and spoke vantages",
        judge=judge(outlook),
        references=outlook.references["contradictions"],
    )
