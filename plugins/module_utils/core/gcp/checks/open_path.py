# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""After an undo: the public path works again from outside."""

from __future__ import annotations

from collections.abc import Iterator

from ... import seen_checks
from ...case import Case
from ...checks import Check, Judgement
from ...views import LOCK_REFUSALS
from . import common


def _judge(case: Case) -> Iterator[Judgement]:
    yield from seen_checks.open_path(case, common.words(case, {}, ""), LOCK_REFUSALS["gcp"])


CHECK = Check(
    id="gcp_open",
    cloud=common.CLOUD,
    title="The public path is open",
    severity="high",
    why="An undone lock that still refuses keeps callers out that were let in before it.",
    fix="Wait until the perimeter's change has taken effect (Google says up to thirty minutes) and probe again; then "
    "look for another perimeter that holds the project",
    needs="observations by name, with a token, from outside vantages",
    judge=_judge,
    references=(common.DOCS_PERIMETER,),
    only_for="open",
)
