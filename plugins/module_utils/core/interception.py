# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Interception: a certificate on the way to the cloud that the cloud did not get from one of its authorities.

An authority's name is what it calls itself. A proxy that lies about it is found only where its certificate is not
trusted; the names and fingerprints of the chain are in the observation for who wants to compare them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from .case import Case
from .checks import Check, Judgement
from .outlook import Outlook

_OWN = "TLS ends at the service: its certificate is issued by an authority of the cloud"
# What OpenSSL says of a certificate whose authority is nobody's; a wrong name or an old date is no proxy.
_NOT_TRUSTED = ("self-signed", "self signed", "unable to get", "unable to verify", "invalid ca")


def judge(outlook: Outlook) -> Callable[[Case], Iterator[Judgement]]:
    """One judgement for each authority that a vantage met."""

    def judged(case: Case) -> Iterator[Judgement]:
        for vantage in case.vantages:
            own: set[str] = set()
            strange: dict[str, list[str]] = {}
            for tls, host in _seen(case, vantage.name):
                issuer = str(tls["issuer"] or "")
                refused = not tls["ok"]
                if refused and not _untrusted(tls):
                    continue
                if not refused and is_of(issuer, outlook.authorities):
                    own.add(host)
                else:
                    strange.setdefault(_told(tls, issuer, refused), []).append(host)
            for told, hosts in sorted(strange.items()):
                listed = ", ".join(dict.fromkeys(hosts))
                yield _said("fail", vantage.name, f"{listed}: {told}")
            if own and not strange:
                yield _said("pass", vantage.name, f"{len(own)} hosts: {', '.join(sorted(own))}")

    return judged


def is_of(issuer: str, organisations: tuple[str, ...]) -> bool:
    """Whether an issuer ("C=US, O=Amazon, CN=…") is one of these organisations."""
    return any(
        re.search(rf"(?:^|, )O={re.escape(name)}(?:, (?:C|OU|CN|O)=|$)", issuer)
        for name in organisations
    )


def _seen(case: Case, vantage: str) -> Iterator[tuple[Mapping[str, Any], str]]:
    for item in case.observations:
        if item["vantage"] == vantage:
            for connection in item["connections"]:
                if connection["tls"] and connection["tls"]["issuer"]:
                    yield connection["tls"], str(item["host"])


def _untrusted(tls: Mapping[str, Any]) -> bool:
    error = str(tls["error"] or "").lower()
    return any(text in error for text in _NOT_TRUSTED)


def _told(tls: Mapping[str, Any], issuer: str, refused: bool) -> str:
    chain = tls["chain"]
    authorities = [str(link["issuer"]) for link in chain if link["issuer"]]
    path = " ← ".join(dict.fromkeys(authorities)) or issuer
    first = f", SHA-256 {chain[0]['fingerprint']}" if chain and chain[0].get("fingerprint") else ""
    trusted = f"not trusted there ({tls['error']})" if refused else "trusted there"
    return f"the certificate is issued by {path}, {trusted}{first}"


def _said(status: str, vantage: str, observed: str) -> Judgement:
    return Judgement(
        status=status,  # type: ignore[arg-type]
        resource="TLS",
        vantage=vantage,
        expected=_OWN,
        observed=observed,
    )


def check(outlook: Outlook) -> Check:
    """The check of one cloud."""
    return Check(
        id=f"{outlook.cloud}_interception",
        cloud=outlook.cloud,
        title="Nobody opens TLS on the way",
        severity="high",
        why="A proxy with an authority of its own reads every prompt, answer and credential of this vantage, wherever "
        "the connection ends; and it may carry the calls over another path than the endpoint's.",
        fix="Take the service's hosts out of TLS inspection (a person has to, on the proxy or firewall), or sign for "
        "it as an accepted risk",
        needs="observations with a certificate from any vantage",
        judge=judge(outlook),
        references=(*outlook.references["interception"], "NIST SP 800-53 SC-8"),
    )
