# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Look at a cloud behind the modules' back, in the controller's process: another Python and SDK cost a second."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import aws_look
import azure_look
import gcp_look

LOOKS = {"aws": aws_look.look, "azure": azure_look.look, "gcp": gcp_look.look}
for service in ("ec2", "route53", "organizations"):
    aws_look.workload(service)


class ActionModule(ActionBase):
    """`look: {cloud: aws}` returns `stands`."""

    _requires_connection = False

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        return {**result, "changed": False, "stands": LOOKS[self._task.args["cloud"]]()}
