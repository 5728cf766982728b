# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""private_endpoint_report in the controller's process, where that is the same thing."""

from __future__ import annotations

from types import ModuleType
from typing import Any, ClassVar

from ansible_collections.private_ai.endpoints.plugins.modules import private_endpoint_report
from ansible_collections.private_ai.endpoints.plugins.plugin_utils.in_process import InProcessAction


class ActionModule(InProcessAction):
    """The module's function, in process."""

    module: ClassVar[ModuleType] = private_endpoint_report

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> Any:
        """Leaves out of the result what the task passed in: it is the whole run, and every callback would keep it."""
        result = super().run(tmp, task_vars)
        result.pop("invocation", None)
        return result
