# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Proxies that are set on a vantage: the probe never uses one, and the programs beside it would."""

from __future__ import annotations

from collections.abc import Iterator

from .case import Case
from .checks import Check, Judgement
from .outlook import Outlook

_STRAIGHT = "programs on this vantage call the hosts straight, and through no proxy"


def _judge(case: Case) -> Iterator[Judgement]:
    for vantage in case.vantages:
        looked = [
            item
            for item in case.observations
            if item["vantage"] == vantage.name and not item["error"]
        ]
        used: dict[str, set[str]] = {}
        for item in looked:
            for proxy in item["proxy"]:
                if not proxy["bypassed"]:
                    name = f"{proxy['variable']} ({proxy['host']})"
                    used.setdefault(name, set()).add(str(item["host"]))
        hosts = sorted({host for each in used.values() for host in each})
        if used:
            observed = (
                f"{', '.join(sorted(used))} is set, and no_proxy does not name {', '.join(hosts)}: the probe went past "
                "it, and programs that honour it send these calls to the proxy, which resolves and connects itself"
            )
        elif looked:
            # With no_proxy the variable may be there.
            observed = "no proxy is set for the hosts that were probed"
        else:
            continue
        yield Judgement(
            status="warn" if used else "pass",
            resource="proxy",
            vantage=vantage.name,
            expected=_STRAIGHT,
            observed=observed,
        )


def check(outlook: Outlook) -> Check:
    """The check of one cloud."""
    return Check(
        id=f"{outlook.cloud}_proxies",
        cloud=outlook.cloud,
        title="No proxy stands between programs and the endpoints",
        severity="medium",
        why="SDKs and curl honour HTTPS_PROXY: their calls then leave by the proxy's network and its DNS, whatever the "
        "machine's own name resolution says, and what the probe saw is not what they get.",
        fix="Name the hosts in no_proxy on this machine, or take the variable away; or put a vantage where the proxy "
        "is",
        needs="observations from vantages",
        judge=_judge,
        references=outlook.references["proxies"],
    )
