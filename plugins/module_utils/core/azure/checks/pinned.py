# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Before names change: every vantage connects to every endpoint address, as the real name, and is let in."""

from __future__ import annotations

from collections.abc import Iterator

from ... import seen_checks
from ...case import Case
from ...checks import Check, Judgement
from . import common
from .admission import CLEAR, DENIED

_NETWORK = (
    "Let TCP 443 through from this vantage: allowed_cidrs of private_ai.endpoints.azure_openai_private_link, the "
    "groups and routes on the way (azure_m5_placement names what blocks)"
)
_FIXES = {**DENIED, **dict.fromkeys(seen_checks.STOPPED, _NETWORK)}


def _judge(case: Case) -> Iterator[Judgement]:
    yield from seen_checks.pinned(case, common.words(case, _FIXES, CLEAR))


CHECK = Check(
    id="azure_pinned",
    cloud=common.CLOUD,
    title="Every vantage reaches every endpoint address before names lead there",
    severity="high",
    why="Once names lead to the endpoint, a caller that cannot reach one of its addresses, or is refused there, is cut "
    "off.",
    fix=CLEAR,
    needs="pinned observations from inside and spoke vantages",
    judge=_judge,
    references=(common.DOCS_ENDPOINT,),
    only_for="pinned",
)
