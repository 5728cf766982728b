# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No output: once loaded, botocore repeats a failed request at once, so that a test need not sit through its pauses."""

from __future__ import annotations

from ansible.plugins.callback import CallbackBase
from botocore.retries.standard import ExponentialBackoff

ExponentialBackoff.delay_amount = lambda _self, _context: 0.01


class CallbackModule(CallbackBase):
    """Loaded before the first worker is forked."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "quick_retries"
    CALLBACK_NEEDS_ENABLED = True
