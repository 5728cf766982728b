# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""vertex_lockdown in the controller's process, where that is the same thing."""

from __future__ import annotations

from types import ModuleType
from typing import ClassVar

from ansible_collections.private_ai.endpoints.plugins.module_utils.gcp import client
from ansible_collections.private_ai.endpoints.plugins.modules import vertex_lockdown
from ansible_collections.private_ai.endpoints.plugins.plugin_utils.in_process import InProcessAction

client.preload()


class ActionModule(InProcessAction):
    """The module's function, in process."""

    module: ClassVar[ModuleType] = vertex_lockdown
