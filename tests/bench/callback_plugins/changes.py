# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write which tasks of a run said `changed` or were skipped, and for how many hosts, to the file in BENCH_CHANGES.

Also how many modules ran: a task with a loop runs one for each item.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: changes
type: aggregate
short_description: Count what a run changed
description: For the benchmark.
"""


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "changes"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self.changed: Counter[str] = Counter()
        self.skipped: Counter[str] = Counter()
        self.modules = 0

    def v2_runner_on_ok(self, result: Any) -> None:
        self.modules += _items(result)
        if result.is_changed():
            self.changed[result._task.name] += 1

    def v2_runner_on_skipped(self, result: Any) -> None:
        self.modules += _items(result)
        self.skipped[result._task.name] += 1

    def v2_playbook_on_stats(self, stats: Any) -> None:
        said = {"changed": self.changed, "skipped": self.skipped, "modules": self.modules}
        Path(os.environ["BENCH_CHANGES"]).write_text(json.dumps(said))


def _items(result: Any) -> int:
    return len(result._result.get("results", [None]))
