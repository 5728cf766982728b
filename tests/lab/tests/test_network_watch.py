# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A scheduled change reaches the vantages, whoever looks at the cloud in the meantime."""

from __future__ import annotations

import threading
import time
from typing import Any, cast

from lab.cloud import Cloud
from lab.network import Routes


class Endpoint:
    """A cloud whose one scheduled change is made by whoever looks first, as EC2's reads do."""

    def __init__(self, due: float) -> None:
        self.due: float | None = due

    def next_change(self) -> float | None:
        return self.due


class Counted(Routes):
    """Routes of no vantage, that note when they are refreshed."""

    def __init__(self, clouds: list[Any]) -> None:
        super().__init__([], cast("list[Cloud]", clouds))
        self.moments: list[float] = []

    def refresh(self) -> None:
        self.moments.append(time.time())
        super().refresh()


def test_a_change_that_a_read_made_is_not_forgotten() -> None:
    cloud = Endpoint(time.time() + 0.3)
    routes = Counted([cloud])
    threading.Thread(target=routes.watch, daemon=True).start()
    time.sleep(0.1)
    due, cloud.due = cast("float", cloud.due), None
    routes.refresh()
    deadline = time.time() + 5
    while time.time() < deadline and not any(moment >= due for moment in routes.moments):
        time.sleep(0.02)
    assert any(moment >= due for moment in routes.moments)
