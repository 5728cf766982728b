# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No output: once loaded, the SDKs repeat a failed request at once: no test need sit through their pauses."""

from __future__ import annotations

import time

from ansible.plugins.callback import CallbackBase
from azure.core.pipeline.policies import RetryPolicy
from botocore.retries.standard import ExponentialBackoff

from ansible_collections.private_ai.endpoints.plugins.module_utils.azure import operation
from ansible_collections.private_ai.endpoints.plugins.module_utils.gcp import client

ExponentialBackoff.delay_amount = lambda _self, _context: 0.01
# Also where Azure says how long to wait.
RetryPolicy.sleep = lambda *_arguments, **_options: time.sleep(0.01)
operation.FIRST_PAUSE = 0.05
client.FIRST_PAUSE = client.LONGEST_PAUSE = 0.01


class CallbackModule(CallbackBase):
    """Loaded before the first worker is forked."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "quick_retries"
    CALLBACK_NEEDS_ENABLED = True
