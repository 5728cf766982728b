# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Before names change: every vantage connects to every endpoint address, as the real host, and is admitted."""

from __future__ import annotations

from collections.abc import Iterator

from ...case import Case, Vantage
from ...checks import Check, Judgement
from ...views import WORDS
from . import common
from .admission import CREDENTIALS, DENIED

_EXPECTED = "connects to the endpoint's address, verifies TLS for the host, and is admitted"
_NETWORK = (
    "Let TCP 443 through from this vantage: allowed_cidrs of private_ai.endpoints.bedrock_vpc_endpoint, the network "
    "ACLs and the routes (aws_m5_placement names what blocks)"
)
_FIXES = {**DENIED, **dict.fromkeys(("timeout", "refused", "unreachable"), _NETWORK)}


def _judge(case: Case) -> Iterator[Judgement]:
    vantages = case.at("inside", "spoke")
    pairs = [
        (host, address)
        for host in case.hosts()
        for address in sorted(common.expected_addresses(case, host))
    ]
    for host, address in pairs:
        for vantage in vantages:
            yield _address(case, vantage, host, address)
    addressless = [host for host in case.hosts() if not common.expected_addresses(case, host)]
    missing = [f"{host} has no endpoint address" for host in addressless]
    missing += [] if vantages else ["no inside or spoke vantage"]
    missing += [] if case.hosts() else ["no probe target"]
    if not any(item.position == "inside" for item in vantages) and vantages:
        missing.append("no inside vantage")
    for reason in missing:
        yield Judgement(
            status="unknown",
            resource=case.target,
            expected=_EXPECTED,
            observed=reason,
            proves=common.PINNED,
        )


def _address(case: Case, vantage: Vantage, host: str, address: str) -> Judgement:
    resource = f"{host} at {address}"
    seen = common.look(case, vantage, host, address)
    if seen is None:
        return common.unseen(resource, vantage, _EXPECTED, common.PINNED)
    status = "unknown"
    if seen.outcome in ("admitted", "connected"):
        status = "pass"
    elif seen.outcome in _FIXES:
        status = "fail"
    note = (
        "" if status != "unknown" or not seen.calls else f"; {WORDS[seen.outcome]} proves nothing"
    )
    return Judgement(
        status=status,  # type: ignore[arg-type]
        resource=resource,
        vantage=vantage.name,
        expected=_EXPECTED,
        observed=(seen.told() if seen.calls else seen.failure) + note,
        fix=_FIXES.get(seen.outcome, CREDENTIALS),
        proves=common.PINNED,
    )


CHECK = Check(
    id="aws_pinned",
    cloud=common.CLOUD,
    title="Every vantage reaches every endpoint address before names lead there",
    severity="high",
    why="Once names lead to the endpoints, a caller that cannot reach one of their addresses, or is refused there, "
    "is cut off.",
    fix=CREDENTIALS,
    needs="pinned, signed observations from inside and spoke vantages",
    judge=_judge,
    references=(common.DOCS_CREATE,),
    only_for="pinned",
)
