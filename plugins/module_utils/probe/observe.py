# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Observations: what this machine sees of probe targets, all at once, without judging it."""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, List, Sequence

from . import answers, connection, resolver, together

SCHEMA_VERSION = 1
# More threads than this at once bring nothing but memory; the others wait for a free one.
_AT_ONCE = 256


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
    jobs: List[Callable[[], Dict[str, Any]]] = [
        lambda target=target, address=address: _look(target, address, vantage)  # type: ignore[misc]
        for target, address in looks
    ]
    seen = together.run(jobs, vantage.deadline, _AT_ONCE)
    return [
        _late(target, address, vantage) if observation is None else observation
        for (target, address), observation in zip(looks, seen)
    ]


def expected(target: Dict[str, Any], network: str | None) -> List[str]:
    """The addresses that are right in a network: its own where the target names it, else all."""
    own = (target.get("networks") or {}).get(network or "")
    return list(target["addresses"] if own is None else own)


def observe_until(
    targets: Sequence[Dict[str, Any]], pinned: bool, vantage: Vantage, until: Until
) -> List[Dict[str, Any]]:
    """Repeat `observe` until all answers agree in one round, or time is up; the last round, with `attempts`."""
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


def _look(target: Dict[str, Any], address: str | None, vantage: Vantage) -> Dict[str, Any]:
    observation = _blank(target, address, vantage)
    means = vantage.means
    if address is None:
        observation["dns"] = resolver.look_up(target["host"], vantage.nameservers, means.timeout)
        found = [entry["address"] for entry in observation["dns"]["answers"]]
        addresses = list(dict.fromkeys(found + observation["dns"]["system"]))
        if resolver.is_address(target["host"]):
            addresses = [target["host"]]
    elif resolver.is_address(address):
        addresses = [address]
    else:
        observation["error"] = f"{address} is not an address to connect to"
        return observation
    jobs = [lambda entry=entry: connection.connect(entry, target, means) for entry in addresses]
    seen = together.run(jobs, 3 * means.timeout + 1)
    observation["connections"] = [
        _silent(entry) if result is None else result for entry, result in zip(addresses, seen)
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
            "hosts_file": resolver.in_hosts_file(target["host"]),
        },
        "dns": resolver.skipped(),
        "connections": [],
        "principal": None,
        "proxy": resolver.proxies(),
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
