# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An observation, read: where the name led, and how the call ended."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

Where = Literal["private", "public", "mixed", "nowhere"]

# RFC 1918, RFC 6598, RFC 4193. Not ipaddress.is_private, which also counts documentation and benchmark ranges.
PRIVATE_RANGES = tuple(
    ipaddress.ip_network(cidr)
    for cidr in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
)

# So many of a list are told; an answer may hold thousands.
_SHOWN = 16

WORDS = {
    "admitted": "admitted",
    "denied_scp": "denied by SCP",
    "denied_endpoint_policy": "denied by endpoint policy",
    "denied_identity": "denied by identity policy",
    "denied_public_access": "denied, public access is disabled",
    "denied_network_rules": "denied by network rules",
    "denied_unapproved_endpoint": "denied, endpoint not approved",
    "denied_perimeter": "denied by perimeter",
    "denied_other": "denied",
    "unauthenticated": "no credentials",
    "bad_credentials": "credentials rejected",
    "throttled": "throttled",
    "invalid_request": "invalid request",
    "server_error": "server error",
    "other": "unexpected answer",
    "timeout": "timeout",
    "refused": "connection refused",
    "unreachable": "unreachable",
    "tls": "TLS not verified",
    "no_answer": "no answer",
    "connected": "connected",
    "not_called": "not called",
}

# What a machine without a way to IPv6 says of an attempt (ENETUNREACH, EADDRNOTAVAIL, EAFNOSUPPORT).
_NO_IPV6 = frozenset(
    {
        "Network is unreachable",
        "Cannot assign requested address",
        "Address family not supported by protocol",
    }
)

# What each cloud's lock answers to a caller on the public path. Any other denial says nothing about the lock.
LOCK_REFUSALS: Mapping[str, frozenset[str]] = {
    "aws": frozenset({"denied_scp"}),
    "azure": frozenset({"denied_public_access", "denied_network_rules"}),
    "gcp": frozenset({"denied_perimeter"}),
}


@dataclass(frozen=True)
class Call:
    """How one connection ended: `outcome` is a key of WORDS.

    `connected` is a verified TLS connection to a host that has no cheap read to call.
    """

    address: str
    outcome: str
    detail: str


@dataclass(frozen=True)
class View:
    """An observation, read.

    addresses: every address that the name gave, by DNS and by the system's own resolution; for a pinned observation
    the pinned one.
    failure: why there is no address, when there is none, or why there may be more than were seen: a question of
    either type, or of the system's own resolver, that got no answer.
    """

    where: Where
    addresses: tuple[str, ...]
    calls: tuple[Call, ...]
    failure: str
    notes: tuple[str, ...]

    @property
    def outcome(self) -> str:
        """`admitted` when every call was; otherwise the first other outcome."""
        return next(
            (call.outcome for call in self.calls if call.outcome != "admitted"),
            "admitted" if self.calls else "not_called",
        )

    def outcomes(self) -> set[str]:
        """All outcomes."""
        return {call.outcome for call in self.calls}

    def said(self) -> str:
        """What was seen, as a phrase: `private 10.10.1.5 · admitted`."""
        if not self.addresses:
            return self.failure
        shown = self.addresses[0] + (
            f" +{len(self.addresses) - 1}" if len(self.addresses) > 1 else ""
        )
        if self.outcome.startswith("denied") and self.where == "public":
            return f"{self.where} · {WORDS[self.outcome]}"
        return f"{self.where} {shown} · {WORDS[self.outcome]}"

    def told(self) -> str:
        """`said`, with every address and what surrounds it: a sentence for a finding."""
        parts = [self.said()]
        if len(self.addresses) > 1:
            parts.append("addresses " + listed(self.addresses))
        details = [
            f"{call.address}: {call.detail}"
            for call in self.calls
            if call.outcome != "admitted" and call.detail
        ]
        parts += [listed(details, "; ")] if details else []
        return "; ".join([*parts, *self.notes])


def listed(items: Sequence[str], between: str = ", ") -> str:
    """A list for a sentence, which stays one however many there are."""
    more = len(items) - _SHOWN
    return between.join(items[:_SHOWN]) + (f"{between}and {more} more" if more > 0 else "")


def is_private(address: str, cidrs: Iterable[str] = ()) -> bool:
    """Whether an address lies in a private range or in one of these networks."""
    return _is_private(address, tuple(cidrs))


# Every check asks the same of the same addresses, and a name may have thousands.
@lru_cache(maxsize=20_000)
def _is_private(address: str, cidrs: tuple[str, ...]) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    networks = (*PRIVATE_RANGES, *_networks(cidrs))
    return any(parsed.version == net.version and parsed in net for net in networks)


@lru_cache(maxsize=100)
def _networks(
    cidrs: tuple[str, ...],
) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    return tuple(ipaddress.ip_network(cidr, strict=False) for cidr in cidrs)


def view(observation: Mapping[str, Any], cidrs: Sequence[str] = ()) -> View:
    """Read an observation; `cidrs` are further networks whose addresses are private."""
    if observation["error"]:
        return View("nowhere", (), (), _failed(str(observation["error"])), ())
    addresses = _addresses(observation)
    known = tuple(cidrs)
    private = [is_private(address, known) for address in addresses]
    where: Where = "nowhere"
    if addresses:
        where = "private" if all(private) else "mixed" if any(private) else "public"
    return View(
        where,
        addresses,
        _calls(observation),
        _unresolved(observation["dns"]) if not addresses else _unseen(observation),
        _notes(observation),
    )


def _addresses(observation: Mapping[str, Any]) -> tuple[str, ...]:
    if observation["pinned"]:
        return (str(observation["pinned"]),)
    dns = observation["dns"]
    answers = [str(item["address"]) for item in dns["answers"]]
    return tuple(dict.fromkeys([*answers, *(str(item) for item in dns["system"])]))


def _failed(error: str) -> str:
    return "unreachable" if error.startswith("unreachable") else f"no observation: {error}"


def _unresolved(dns: Mapping[str, Any]) -> str:
    texts = {"nxdomain": "no such name", "nodata": "no address", "timeout": "DNS timeout"}
    status = str(dns["status"])
    return texts.get(status) or f"DNS {status}" + (f": {dns['error']}" if dns["error"] else "")


def _unseen(observation: Mapping[str, Any]) -> str:
    dns = observation["dns"]
    if observation["pinned"] or dns["status"] == "skipped":
        return ""
    if dns["status"] in ("timeout", "error") or not dns["system"]:
        return str(dns["error"] or _unresolved(dns))
    if observation["not_connected"]:
        return f"{observation['not_connected']} more addresses were not connected to"
    return ""


def _notes(observation: Mapping[str, Any]) -> tuple[str, ...]:
    notes = []
    if observation["resolver"]["hosts_file"]:
        notes.append("the hosts file of this vantage names the host")
    if observation["proxy"]:
        notes.append(
            "a proxy is set here ("
            + ", ".join(str(item["variable"]) for item in observation["proxy"])
            + ")"
        )
    dns = observation["dns"]
    answers = {str(item["address"]) for item in dns["answers"]}
    if dns["status"] != "skipped" and answers and dns["system"] and set(dns["system"]) - answers:
        notes.append("the system resolves the name differently from DNS")
    return tuple(notes)


def _calls(observation: Mapping[str, Any]) -> tuple[Call, ...]:
    """How each connection ended. On a machine without IPv6 an attempt at it says nothing beside one that got further:
    where the name leads is told by its addresses."""
    calls = [_call(item, bool(observation["action"])) for item in observation["connections"]]
    possible = [call for call in calls if not (":" in call.address and call.detail in _NO_IPV6)]
    return tuple(possible or calls)


def _call(connection: Mapping[str, Any], called: bool) -> Call:
    address = str(connection["address"])
    tcp, tls, http = connection["tcp"], connection["tls"], connection["http"]
    if not tcp["ok"]:
        return Call(address, _network(str(tcp["error"])), str(tcp["error"] or ""))
    if tls is None or not tls["ok"]:
        error = str((tls or {}).get("error") or "")
        # Silence says nothing about who signs.
        return Call(address, "timeout" if _network(error) == "timeout" else "tls", error)
    if http is None or http["answer"] not in WORDS:
        return Call(address, "no_answer" if called else "connected", "")
    detail = " ".join(str(http[key]) for key in ("status", "code", "message") if http[key])
    return Call(address, str(http["answer"]), detail)


def _network(error: str) -> str:
    text = error.lower()
    if "timed out" in text or "timeout" in text:
        return "timeout"
    return "refused" if "refused" in text else "unreachable"
