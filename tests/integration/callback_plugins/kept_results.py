# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One JSON line per host and task: its result. Cheaper than tasks that keep results, where there are many hosts."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from ansible.plugins.callback import CallbackBase


class CallbackModule(CallbackBase):
    """Appends to the file in KEPT_RESULTS."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "kept_results"
    CALLBACK_NEEDS_ENABLED = True

    def v2_runner_on_ok(self, result: Any) -> None:
        self._keep(result, failed=False)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        self._keep(result, failed=not ignore_errors)

    def _keep(self, result: Any, *, failed: bool) -> None:
        line = {
            "host": result.host.get_name(),
            "task": result.task.get_name(),
            "failed": failed,
            "result": result.result,
        }
        with Path(os.environ["KEPT_RESULTS"]).open("a") as file:
            file.write(json.dumps(line, default=str) + "\n")
