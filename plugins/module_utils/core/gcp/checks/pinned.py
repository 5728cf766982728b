# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Before names change: every vantage connects to its network's endpoint, as the real name, and is let in."""

from __future__ import annotations

from collections.abc import Iterator

from ... import seen_checks
from ...case import Case
from ...checks import Check, Judgement
from . import common
from .admission import CREDENTIALS, DENIED

_NETWORK = (
    "Let TCP 443 out from this vantage: allowed_cidrs and private_google_access_subnets of "
    "private_ai.endpoints.vertex_psc_endpoint (gcp_m5_placement names what blocks); an endpoint is reached from its "
    "own network only, not over a peering"
)
_FIXES = {**DENIED, **dict.fromkeys(seen_checks.STOPPED, _NETWORK)}


def _judge(case: Case) -> Iterator[Judgement]:
    yield from seen_checks.pinned(case, common.words(case, _FIXES, CREDENTIALS))


CHECK = Check(
    id="gcp_pinned",
    cloud=common.CLOUD,
    title="Every vantage reaches its network's endpoint before names lead there",
    severity="high",
    why="Once names lead to the endpoint, a caller that cannot reach its address, or is refused there, is cut off.",
    fix=CREDENTIALS,
    needs="pinned observations from inside and spoke vantages",
    judge=_judge,
    references=(common.DOCS_ENDPOINT,),
    only_for="pinned",
)
