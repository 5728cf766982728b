# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judgements of what vantages saw, the same in every cloud: names, pinned addresses, admission, the open path.

A cloud gives its own words: where a host must lead (`addresses`), what stands behind an answer (`fixes`, by outcome),
and what it calls a call that was let in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .case import Case, Vantage
from .checks import Judgement
from .contracts import Status
from .views import WORDS, View, view

PRIVATE = frozenset(("private", "blocked"))
PINNED = frozenset(("pinned",))
BLOCKED = frozenset(("blocked",))
OPEN = frozenset(("open",))

GATHER = "Gather this part of the evidence with credentials that may read it"

# A call that got no further than this was stopped on the way.
STOPPED = frozenset(("timeout", "refused", "unreachable"))

Addresses = Callable[[str, Vantage], "set[str]"]


@dataclass(frozen=True, kw_only=True)
class Words:
    """What a cloud says of its calls.

    addresses: a host's endpoint addresses, those that are right for a vantage. cidrs: networks whose addresses are
    private besides the private ranges.
    fixes: outcome → what to do about it, for outcomes that mean a refusal. otherwise: for outcomes that say nothing.
    admitted: what counts as let in, as a phrase.
    """

    addresses: Addresses
    cidrs: tuple[str, ...]
    fixes: Mapping[str, str]
    otherwise: str
    admitted: str


def look(
    case: Case, vantage: Vantage, host: str, cidrs: Iterable[str], pinned: str | None = None
) -> View | None:
    """What a vantage saw of a host; None when it reported nothing."""
    seen = case.seen(vantage.name, host, pinned=pinned)
    return None if seen is None else view(seen, list(cidrs))


def lacking(reasons: Iterable[str], resource: str, expected: str) -> Judgement:
    """Unknown, since the evidence is incomplete; the reasons are Case.lacks's."""
    return Judgement(
        status="unknown",
        resource=resource,
        expected=expected,
        observed="not known: " + "; ".join(reasons),
        fix=GATHER,
    )


def unseen(host: str, vantage: Vantage, expected: str, proves: frozenset[str]) -> Judgement:
    """Unknown, since a vantage did not report."""
    return Judgement(
        status="unknown",
        resource=host,
        vantage=vantage.name,
        expected=expected,
        observed="no observation from this vantage",
        fix="Probe from this vantage (playbooks/verify.yml does), and see why it did not report",
        proves=proves,
    )


def resolution(seen: View | None, vantage: Vantage, host: str, wanted: set[str]) -> Judgement:
    """Whether a vantage resolves a host, in every answer, to the wanted addresses only."""
    expected = (
        "resolves only to " + ", ".join(sorted(wanted))
        if wanted
        else "resolves only to the endpoint's addresses"
    )
    if seen is None:
        return unseen(host, vantage, expected, PRIVATE)

    def judge(status: Any, observed: str, severity: Any = None) -> Judgement:
        return Judgement(
            status=status,
            resource=host,
            vantage=vantage.name,
            expected=expected,
            observed=observed,
            severity=severity,
            proves=PRIVATE,
        )

    if not seen.addresses:
        missing = seen.failure in ("no such name", "no address")
        return judge("fail" if missing else "unknown", seen.failure, "high" if missing else None)
    if not wanted:
        if seen.where == "private":
            return judge("unknown", seen.told() + "; whose addresses these are is not known")
        return judge("fail", seen.told())
    if set(seen.addresses) <= wanted:
        if seen.failure:
            return judge("unknown", f"{seen.told()}; not every answer was seen: {seen.failure}")
        return judge("pass", seen.told())
    return judge("fail", seen.told(), "high" if seen.where == "private" else None)


def pinned(case: Case, words: Words) -> Iterator[Judgement]:
    """Every inside and spoke vantage at every endpoint address, and what is missing for that."""
    expected = "connects to the endpoint's address, verifies TLS for the host, and is admitted"
    vantages = case.at("inside", "spoke")
    for host in case.hosts():
        for vantage in vantages:
            for address in sorted(words.addresses(host, vantage)):
                yield _pinned(case, words, vantage, host, address, expected)
    missing = [text for host in case.hosts() for text in _no_address(words, host, vantages)]
    missing += [] if vantages else ["no inside or spoke vantage"]
    missing += [] if case.hosts() else ["no probe target"]
    if vantages and not any(item.position == "inside" for item in vantages):
        missing.append("no inside vantage")
    for reason in missing:
        yield Judgement(
            status="unknown",
            resource=case.target,
            expected=expected,
            observed=reason,
            proves=PINNED,
        )


def _no_address(words: Words, host: str, vantages: list[Vantage]) -> list[str]:
    lacking = [item.name for item in vantages if not words.addresses(host, item)]
    if lacking == [item.name for item in vantages]:
        return [f"{host} has no endpoint address"] if lacking else []
    return [f"{host} has no endpoint address for {name}" for name in lacking]


def _pinned(
    case: Case, words: Words, vantage: Vantage, host: str, address: str, expected: str
) -> Judgement:
    resource = f"{host} at {address}"
    seen = look(case, vantage, host, words.cidrs, address)
    if seen is None:
        return unseen(resource, vantage, expected, PINNED)
    status: Status = "unknown"
    if seen.outcome in ("admitted", "connected"):
        status = "pass"
    elif seen.outcome in words.fixes:
        status = "fail"
    note = (
        "" if status != "unknown" or not seen.calls else f"; {WORDS[seen.outcome]} proves nothing"
    )
    return Judgement(
        status=status,
        resource=resource,
        vantage=vantage.name,
        expected=expected,
        observed=(seen.told() if seen.calls else seen.failure) + note,
        fix=words.fixes.get(seen.outcome, words.otherwise),
        proves=PINNED,
    )


def admission(case: Case, words: Words, vantage: Vantage, host: str) -> Judgement:
    """Whether a call by name, from a vantage, is let in through the endpoint."""
    expected = f"{words.admitted} through the endpoint is admitted"
    seen = look(case, vantage, host, words.cidrs)
    if seen is None:
        return unseen(host, vantage, expected, PRIVATE)
    status: Status = "unknown"
    note, fix, proves = "", None, PRIVATE
    if seen.outcome in words.fixes and seen.outcome not in STOPPED:
        status, fix = "fail", words.fixes[seen.outcome]
    if seen.where != "private":
        note = "; not called through the endpoint"
        status = "unknown"
    elif seen.outcome == "admitted":
        status = "pass"
    elif seen.outcome == "connected":
        note = "; TLS verifies, and the service has no read that could be called"
        proves = frozenset()
    elif status == "unknown":
        note = f"; {WORDS[seen.outcome]} does not show who would be admitted"
        fix = words.otherwise
    return Judgement(
        status=status,
        resource=host,
        vantage=vantage.name,
        expected=expected,
        observed=seen.told() + note,
        fix=fix,
        severity="medium" if status == "unknown" else None,
        excused=seen.outcome == "connected" and seen.where == "private",
        proves=proves,
    )


def open_path(case: Case, words: Words, refusals: frozenset[str]) -> Iterator[Judgement]:
    """Whether calls from outside are let in again; `refusals` are the outcomes by which a lock refuses."""
    expected = f"{words.admitted} on the public path is admitted"
    asked = 0
    for host in case.hosts():
        target = case.probe_target(host)
        for vantage in case.at("outside"):
            observation = case.seen(vantage.name, host)
            if target and not target.probe_action:
                continue
            if not target and not (observation and observation["action"]):
                continue
            asked += 1
            seen = look(case, vantage, host, words.cidrs)
            if seen is None:
                yield unseen(host, vantage, expected, OPEN)
                continue
            status: Status = "unknown"
            if seen.where == "public":
                denied = seen.outcome in refusals
                status = "pass" if seen.outcome == "admitted" else "fail" if denied else "unknown"
            yield Judgement(
                status=status,
                resource=host,
                vantage=vantage.name,
                expected=expected,
                observed=seen.told(),
                proves=OPEN,
            )
    if not asked:
        yield Judgement(
            status="unknown",
            resource=case.target,
            expected=expected,
            observed="no outside vantage called a host",
            proves=OPEN,
        )


def no_inside(case: Case) -> Iterator[Judgement]:
    """Unknown, where no inside vantage resolved any host."""
    inside = case.at("inside")
    if not inside or not case.hosts():
        yield Judgement(
            status="unknown",
            resource=case.target,
            expected="an inside vantage resolves every host",
            observed="no inside vantage" if not inside else "no host was probed",
            fix="Name a host with vantage_position: inside in the target's vantages and probe from it",
            proves=PRIVATE,
        )


def uncovered_subnets(case: Case, wanted: Iterable[str]) -> Iterator[Judgement]:
    """Unknown for each subnet in which no inside vantage reported; ids are compared without case."""
    reported = {item["vantage"] for item in case.observations}
    covered = {str(item.subnet).lower() for item in case.at("inside") if item.name in reported}
    for subnet in wanted:
        if subnet.lower() not in covered:
            yield Judgement(
                status="unknown",
                severity="medium",
                resource=subnet,
                expected="an inside vantage in every application subnet",
                observed="no vantage of this subnet reported",
                fix="Name a vantage in this subnet (and the subnet of each vantage), or the subnets "
                "that callers are in as application_subnets",
            )


def connected(case: Case, words: Words, vantage: Vantage, fix: str) -> Iterator[Judgement]:
    """One judgement for all endpoint addresses that a vantage tried, by name or pinned."""
    tried, stopped = set(), set()
    for seen in case.observations:
        if seen["vantage"] != vantage.name or seen["error"]:
            continue
        wanted = words.addresses(str(seen["host"]), vantage)
        for call in view(seen, words.cidrs).calls:
            if call.address in wanted:
                tried.add(call.address)
                if call.outcome in STOPPED:
                    stopped.add(f"{seen['host']} at {call.address}: {call.detail or call.outcome}")
    if tried:
        yield Judgement(
            status="fail" if stopped else "pass",
            resource="TCP 443",
            vantage=vantage.name,
            expected="connects to every address of the endpoints",
            observed="; ".join(sorted(stopped)) or f"connected to {', '.join(sorted(tried))}",
            fix=fix if stopped else None,
        )
