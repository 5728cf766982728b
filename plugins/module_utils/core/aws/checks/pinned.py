# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Before names change: every vantage connects to every endpoint address, as the real host, and is admitted."""

from __future__ import annotations

from collections.abc import Iterator

from ... import seen_checks
from ...case import Case
from ...checks import Check, Judgement
from . import common
from .admission import CREDENTIALS, DENIED

_NETWORK = (
    "Let TCP 443 through from this vantage: allowed_cidrs of private_ai.endpoints.bedrock_vpc_endpoint, the network "
    "ACLs and the routes (aws_m5_placement names what blocks)"
)
_FIXES = {**DENIED, **dict.fromkeys(seen_checks.STOPPED, _NETWORK)}


def _judge(case: Case) -> Iterator[Judgement]:
    yield from seen_checks.pinned(case, common.words(case, _FIXES, CREDENTIALS))


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
