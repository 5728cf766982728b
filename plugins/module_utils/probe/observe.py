# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Observations: what this machine sees of probe targets, all at once, without judging it."""

from __future__ import annotations

import socket
import threading
import time
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, List, Sequence

from . import answers, connection, resolver, together

SCHEMA_VERSION = 1
# More threads than this at once bring nothing but memory; the others wait for a free one.
_AT_ONCE = 256
# Connections at once over all targets, each of which holds the buffers of a TLS session.
_CONNECTIONS = 256
_FEWEST = 4
# An answer may have thousands of addresses. All are reported, and so many of each host are connected to.
_MOST_CONNECTIONS = 64
# So long before the deadline whatever is still waiting gives up, and says what it waited for.
_MARGIN = 0.25


@dataclass(frozen=True)
class Vantage:
    """Who looks: the name and position of this machine in the inventory, and its means.

    deadline: seconds for everything together. network: the network that it lies in, when that is known.
    """

    name: str
    position: str
    means: connection.Means
    deadline: float
    network: str | None = None
    nameservers: List[str] = field(default_factory=resolver.nameservers)


@dataclass(frozen=True)
class Until:
    """Look again until every answer is one of these, for at most `timeout` seconds."""

    answers: Sequence[str]
    timeout: float
    interval: float


def this_machine() -> str:
    """The name of this machine, for a vantage that has no other."""
    return socket.gethostname()


def observe(
    targets: Sequence[Dict[str, Any]], pinned: bool, vantage: Vantage
) -> List[Dict[str, Any]]:
    """One observation for each target by name, or for each address of each target when pinned."""
    looks = [
        (target, address)
        for target in targets
        for address in (expected(target, vantage.network) if pinned else [None])
    ]
    share = Share(vantage.deadline, len(looks))
    jobs: List[Callable[[], Dict[str, Any]]] = [
        lambda target=target, address=address: _look(target, address, vantage, share)  # type: ignore[misc]
        for target, address in looks
    ]
    seen = together.run(jobs, vantage.deadline, _AT_ONCE)
    return [
        _late(target, address, vantage) if observation is None else observation
        for (target, address), observation in zip(looks, seen)
    ]


class Share:
    """What all looks of a round share: when to give up, and room for so many connections.

    ends: a `now()` after which nothing waits for the network; margin: seconds to then tell what was seen, of which
    there are two until the deadline: a connection tells its look, and a look the round.
    """

    def __init__(self, deadline: float, looks: int) -> None:
        self.margin = min(_MARGIN, deadline / 10)
        self.ends = together.now() + deadline - 2 * self.margin
        # Of each look; threads that only wait for room cost memory as well.
        self.at_once = max(_FEWEST, _CONNECTIONS // max(1, looks))
        self._room = threading.Semaphore(_CONNECTIONS)

    def left(self) -> float:
        """Seconds that there still are; never less than none."""
        return max(0.0, self.ends - together.now())

    def connect(self, address: str, target: Dict[str, Any], means: connection.Means) -> Any:
        """One connection, when there is room for it; None when there was none in time."""
        if not self._room.acquire(timeout=self.left()):
            return None
        try:
            return connection.connect(address, target, means, self.ends)
        finally:
            self._room.release()


def expected(target: Dict[str, Any], network: str | None) -> List[str]:
    """The addresses that are right in a network: its own where the target names it, else all."""
    own = (target.get("networks") or {}).get(network or "")
    return list(target["addresses"] if own is None else own)


def observe_until(
    targets: Sequence[Dict[str, Any]], pinned: bool, vantage: Vantage, until: Until
) -> List[Dict[str, Any]]:
    """Repeat `observe` until all answers agree in one round, or time is up; the last round, with `attempts`.

    A round that began in time has its own deadline.
    """
    ends = together.now() + until.timeout
    attempts = 0
    while True:
        attempts += 1
        seen = [{**entry, "attempts": attempts} for entry in observe(targets, pinned, vantage)]
        if _reached(seen, until.answers) or together.now() + until.interval > ends:
            return seen
        time.sleep(until.interval)


def _reached(seen: Sequence[Dict[str, Any]], wanted: Sequence[str]) -> bool:
    """A host without a probe action never answers: nothing to wait for there."""
    for observation in seen:
        if observation["action"] is None:
            continue
        got = [entry["http"]["answer"] for entry in observation["connections"] if entry["http"]]
        if not got or any(answer not in wanted for answer in got):
            return False
    return True


def _look(
    target: Dict[str, Any], address: str | None, vantage: Vantage, share: Share
) -> Dict[str, Any]:
    observation = _blank(target, address, vantage)
    means = vantage.means
    if address is None:
        timeout = min(means.timeout, share.left())
        observation["dns"] = resolver.look_up(
            target["host"], vantage.nameservers, timeout, share.margin
        )
        found = [entry["address"] for entry in observation["dns"]["answers"]]
        addresses = list(dict.fromkeys(found + observation["dns"]["system"]))
        if resolver.is_address(target["host"]):
            addresses = [target["host"]]
    elif resolver.is_address(address):
        addresses = [address]
    else:
        observation["error"] = f"{address} is not an address to connect to"
        return observation
    tried = addresses[:_MOST_CONNECTIONS]
    observation["not_connected"] = len(addresses) - len(tried)
    jobs = [lambda entry=entry: share.connect(entry, target, means) for entry in tried]
    seen = together.run(jobs, share.left() + share.margin, share.at_once)
    observation["connections"] = [
        _silent(entry) if result is None else result for entry, result in zip(tried, seen)
    ]
    named = (
        answers.principal_in(entry["http"]["message"])
        for entry in observation["connections"]
        if entry["http"]
    )
    observation["principal"] = next((name for name in named if name), None)
    return observation


def _blank(target: Dict[str, Any], address: str | None, vantage: Vantage) -> Dict[str, Any]:
    action = target.get("probe_action")
    hosts = resolver.hosts_file(target["host"])
    return {
        "schema_version": SCHEMA_VERSION,
        "vantage": vantage.name,
        "position": vantage.position,
        "cloud": target["cloud"],
        "target": target["target"],
        "host": target["host"],
        "port": target["port"],
        "service": target["service"],
        "plane": target["plane"],
        "action": action["name"] if action else None,
        "pinned": address,
        "observed_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "resolver": {
            "nameservers": list(vantage.nameservers),
            "hosts_file": bool(hosts),
            "hosts_addresses": hosts,
        },
        "dns": resolver.skipped(),
        "connections": [],
        "not_connected": 0,
        "principal": None,
        "proxy": resolver.proxies(target["host"]),
        "error": None,
        "attempts": 1,
    }


def _late(target: Dict[str, Any], address: str | None, vantage: Vantage) -> Dict[str, Any]:
    return {
        **_blank(target, address, vantage),
        "error": f"not finished after {vantage.deadline:g} s, the deadline of the whole run",
    }


def _silent(address: str) -> Dict[str, Any]:
    problem = {"ok": False, "error": "no end of the exchange in time", "ms": 0}
    return {"address": address, "tcp": problem, "tls": None, "http": None}
