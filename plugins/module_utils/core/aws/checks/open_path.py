# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""After an undo: the public path works again from outside."""

from __future__ import annotations

from collections.abc import Iterator

from ...case import Case
from ...checks import Check, Judgement
from ...contracts import Status
from . import common

_OPEN = "a signed call on the public path is admitted"


def _judge(case: Case) -> Iterator[Judgement]:
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
            seen = common.look(case, vantage, host)
            if seen is None:
                yield common.unseen(host, vantage, _OPEN, common.OPEN)
                continue
            status: Status = "unknown"
            if seen.where == "public":
                admitted = seen.outcome == "admitted"
                denied = seen.outcome == "denied_scp"
                status = "pass" if admitted else "fail" if denied else "unknown"
            yield Judgement(
                status=status,
                resource=host,
                vantage=vantage.name,
                expected=_OPEN,
                observed=seen.told(),
                proves=common.OPEN,
            )
    if not asked:
        yield Judgement(
            status="unknown",
            resource=case.target,
            expected=_OPEN,
            observed="no outside vantage called a host",
            proves=common.OPEN,
        )


CHECK = Check(
    id="aws_open",
    cloud=common.CLOUD,
    title="The public path is open",
    severity="high",
    why="An undone lock that still refuses keeps callers out that were let in before it.",
    fix="Wait for the organisation's policies to take effect (up to five minutes) and probe again; then look for "
    "another service control policy that denies",
    needs="signed observations by name from outside vantages",
    judge=_judge,
    references=(common.DOCS_SCP,),
    only_for="open",
)
