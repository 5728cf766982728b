# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Poll with a bound, and say what was waited for."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from .core.errors import EndpointError

FIRST, GROWTH, LONGEST = 0.25, 1.5, 5.0


@dataclass
class Deadline:
    """The one bound of a run: everything that it waits for shares it. seconds: as the option gave them."""

    seconds: float
    ends: float = field(init=False)

    def __post_init__(self) -> None:
        self.ends = time.monotonic() + self.seconds

    def left(self) -> float:
        """Seconds left, never negative."""
        return max(0.0, self.ends - time.monotonic())

    def ticks(self, *, at_most: float | None = None) -> Iterator[None]:
        """Once at once, then in growing intervals until the deadline, or `at_most` seconds from now."""
        ends = self.ends if at_most is None else min(self.ends, time.monotonic() + at_most)
        pause = FIRST
        while True:
            yield
            rest = ends - time.monotonic()
            if rest <= 0:
                return
            time.sleep(min(pause, rest))
            pause = min(pause * GROWTH, LONGEST)


def until(deadline: Deadline, resource: str, done: Callable[[], str]) -> None:
    """Poll until `done` returns an empty text; until then it says what is still to come.

    EndpointError at the deadline, with the last text.
    """
    pending = ""
    for _unused in deadline.ticks():
        pending = done()
        if not pending:
            return
    raise EndpointError(
        f"waited {deadline.seconds:g} seconds: {pending}",
        resource=resource,
        code="Timeout",
        fix="Raise wait_timeout and run again: the run goes on where this one stopped",
    )
